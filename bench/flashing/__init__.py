"""Flashing put together: boards, ports, protocols and the programs of others, by the board's method."""
