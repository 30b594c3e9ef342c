"""The LoRaWAN protocol: both ends of it, frames, crypto, regions and airtime, as pure code without I/O."""
