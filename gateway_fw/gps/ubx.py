"""UBX messages of u-blox receivers: framing, NAV-TIMEGPS, and the order that switches it on.

    B5 62 | class | id | length, little-endian | payload | CK_A CK_B (8-bit Fletcher from the class on)

Source: u-blox M8 Receiver Description including Protocol Specification, UBX-13003221, §32.2 (structure), §32.4
(checksum), §32.17.29 (NAV-TIMEGPS), §32.10.18 (CFG-MSG).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from lorawan.errors import WireError
from lorawan.units import US_PER_MS, US_PER_S

SYNC = b"\xb5\x62"
OVERHEAD_BYTES = 8
MAX_PAYLOAD_BYTES = 1_024  # assumption: what we want has 16; NAV-SAT has some hundred
_CLAUSE = "UBX-13003221 §32"
_NAV_TIMEGPS = (0x01, 0x20)
_CFG_MSG = (0x06, 0x01)
_TIMEGPS = struct.Struct("<IihbBI")
_WEEK_US = 7 * 86_400 * US_PER_S


class UbxError(WireError):
    """Bytes that are no UBX message, or one that cannot be read."""


@dataclass(frozen=True, slots=True)
class NavTimeGps:
    """GPS time of a navigation epoch. gps_us: since 6 January 1980, None while unknown; leap_s: GPS ahead of UTC, None
    while unknown; accuracy_ns: one standard deviation."""

    gps_us: int | None
    leap_s: int | None
    accuracy_ns: int


def message(kind: tuple[int, int], payload: bytes) -> bytes:
    """A message with its checksum."""
    body = struct.pack("<BBH", *kind, len(payload)) + payload
    return SYNC + body + checksum(body)


def enable_nav_timegps() -> bytes:
    """CFG-MSG: NAV-TIMEGPS once each navigation epoch on both UARTs and USB."""
    return message(_CFG_MSG, bytes((*_NAV_TIMEGPS, 0, 1, 1, 1, 0, 0)))


def parse_message(data: bytes) -> NavTimeGps | None:
    """One whole message; None for one of another kind. Raises UbxError and nothing else."""
    if len(data) < OVERHEAD_BYTES or data[:2] != SYNC:
        raise UbxError("no message", field="sync", offset=0, clause=_CLAUSE, hint="B5 62")
    size = int.from_bytes(data[4:6], "little")
    if len(data) != OVERHEAD_BYTES + size:
        raise UbxError(f"{len(data)} bytes", field="length", offset=4, clause=_CLAUSE, hint=f"{OVERHEAD_BYTES + size}")
    if data[-2:] != checksum(data[2:-2]):
        raise UbxError("does not hold", field="checksum", offset=len(data) - 2, clause=_CLAUSE)
    if (data[2], data[3]) != _NAV_TIMEGPS:
        return None
    if size != _TIMEGPS.size:
        raise UbxError(f"{size} bytes", field="NAV-TIMEGPS", offset=4, clause=_CLAUSE, hint=f"{_TIMEGPS.size}")
    i_tow_ms, f_tow_ns, week, leap_s, valid, accuracy_ns = _TIMEGPS.unpack(data[6:-2])
    gps_us = None
    if valid & 0x03 == 0x03 and week >= 0 and i_tow_ms * US_PER_MS < _WEEK_US:
        gps_us = week * _WEEK_US + i_tow_ms * US_PER_MS + round(f_tow_ns / 1_000)
    return NavTimeGps(gps_us, leap_s if valid & 0x04 else None, accuracy_ns)


def checksum(body: bytes) -> bytes:
    """CK_A and CK_B."""
    a = b = 0
    for byte in body:
        a = (a + byte) & 0xFF
        b = (b + a) & 0xFF
    return bytes((a, b))
