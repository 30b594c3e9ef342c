"""LoRa Basics Station protocol, both ends, as cores."""
