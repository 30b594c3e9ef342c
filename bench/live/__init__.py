"""Live services: a scenario in real time, gateways on it, a network on the other side."""
