"""The class B beacon as LoRaWAN 1.0.2 lays it out: with the NetID, and in Europe with one byte of the first CRC.

    NetID, Time, CRC of these (1 byte at SF9, 2 at SF10) | InfoDesc, Lat, Lng, RFU (0 bytes at SF9, 1 at SF10), CRC

Source: LoRaWAN 1.0.2 §15.1.1 (EU863-870, SF9), §15.1.2 (US902-928, SF10), §15.2 (layout, CRC and both examples). IBM's
LMiC of 2015 has the same offsets. Later documents put RFU bytes in the place of the NetID: `lorawan.frames.beacon`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import construct as c

from lorawan.errors import FrameError
from lorawan.frames.beacon import crc16_ccitt

_CLAUSE = "LoRaWAN 1.0.2 §15.2"
_SIZES: Final = {9: (1, 0), 10: (2, 1)}  # bytes of the first CRC and of RFU, by SF
_COMMON_BYTES: Final = 7  # NetID and Time


@cache
def beacon_102_layout(sf: int) -> c.Construct[Any, Any]:
    """The bytes of a 1.0.2 beacon at this spreading factor. Raises FrameError where it defines none."""
    if sf not in _SIZES:
        raise FrameError(f"no beacon at SF{sf}", field="sf", clause="LoRaWAN 1.0.2 §15.1", hint="9 or 10")
    crc, rfu = _SIZES[sf]
    return c.Struct(
        "net_id" / c.Int24ul,
        "time" / c.Int32ul,
        "common_crc" / c.Bytes(crc),
        "info_desc" / c.Int8ub,
        "lat" / c.Int24sl,
        "lng" / c.Int24sl,
        "rfu" / c.Bytes(rfu),
        "specific_crc" / c.Int16ul,
    )


@dataclass(frozen=True, slots=True)
class Beacon102:
    """A 1.0.2 beacon's fields.

    utc_s: seconds since 1 January 1970 00:00:00 UTC; the document says nothing of leap seconds. info_desc: 0, 1 or 2
    for coordinates, of the gateway's first, second or third antenna. lat, lng: as in `Beacon`. common_crc: as it was
    sent, the low byte first or alone. specific_ok: whether the second CRC held.
    """

    net_id: int
    utc_s: int
    common_crc: bytes
    info_desc: int
    lat: int
    lng: int
    rfu: bytes
    specific_ok: bool


def decode_beacon_102(data: bytes, sf: int = 9) -> Beacon102:
    """A 1.0.2 beacon. Raises FrameError where the size is wrong or the first CRC does not hold."""
    layout = beacon_102_layout(sf)
    if len(data) != layout.sizeof():
        raise FrameError(f"{len(data)} bytes", field="beacon", clause=_CLAUSE, hint=f"{layout.sizeof()} at SF{sf}")
    fields = layout.parse(data)
    crc = bytes(fields.common_crc)
    if crc != crc16_ccitt(data[:_COMMON_BYTES]).to_bytes(2, "little")[: len(crc)]:
        raise FrameError("does not hold", field="CRC", offset=_COMMON_BYTES, clause=_CLAUSE)
    specific_ok = fields.specific_crc == crc16_ccitt(data[_COMMON_BYTES + len(crc) : -2])
    return Beacon102(
        fields.net_id, fields.time, crc, fields.info_desc, fields.lat, fields.lng, bytes(fields.rfu), specific_ok
    )
