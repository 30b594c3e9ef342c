"""GPS receivers on a serial line: NMEA and UBX messages, and their pairing with a concentrator's counter."""

from gateway_fw.gps.reference import Position, TimeLost, TimeReference

__all__ = ["Position", "TimeLost", "TimeReference"]
