"""The class B beacon: what a gateway sends every 128 s of GPS time, on air without header and payload CRC.

    RFU1 (padding of the data rate), Param, Time, CRC of these | InfoDesc, Lat, Lng, RFU2 (padding), CRC of these

Source: TS001-1.0.4 §13.2 and §13.3 (frame, GwSpecific, CRC); RP002-1.0.4 §2.4.10 (EU863-870: SF9, 17 bytes); the
sizes of other data rates as sx1302_hal 2.1.0 lora_pkt_fwd.c builds them (SF8 19, SF9 17, SF10 19, SF12 23 bytes).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import construct as c

from lorawan.errors import FrameError

BEACON_PREAMBLE_SYMBOLS: Final = 10  # TS001-1.0.4 §13.2
BEACON_PERIOD_S: Final = 128  # TS001-1.0.4 §13.1
_CLAUSE = "TS001-1.0.4 §13.2"
_PADDING = {8: (0, 3), 9: (1, 0), 10: (2, 1), 12: (4, 3)}  # bytes of RFU1 (before Param) and of RFU2, by SF
_LIMIT = (1 << 23) - 1


@cache
def beacon_layout(sf: int) -> c.Construct[Any, Any]:
    """The bytes of a beacon at this spreading factor. Raises FrameError where no beacon is defined."""
    if sf not in _PADDING:
        raise FrameError(f"no beacon at SF{sf}", field="sf", clause=_CLAUSE, hint="8, 9, 10 or 12")
    rfu1, rfu2 = _PADDING[sf]
    return c.Struct(
        "rfu1" / c.Bytes(rfu1),
        "param" / c.Int8ub,
        "time" / c.Int32ul,
        "common_crc" / c.Int16ul,
        "info_desc" / c.Int8ub,
        "lat" / c.Int24sl,
        "lng" / c.Int24sl,
        "rfu2" / c.Bytes(rfu2),
        "specific_crc" / c.Int16ul,
    )


def beacon_size(sf: int) -> int:
    """Bytes of a beacon. Raises FrameError."""
    size = beacon_layout(sf).sizeof()
    return int(size)


@dataclass(frozen=True, slots=True)
class Beacon:
    """A beacon's fields.

    gps_s: seconds since 6 January 1980 00:00:00 UTC, modulo 2^32, at its start. info_desc: 0, 1 or 2 for the
    coordinates of the gateway's first, second or third antenna; 3 for NetID and GatewayID (the six bytes are not
    interpreted then). lat, lng: signed, 24 bits: degrees · 2^23 / 90 and / 180. param: bits 1–0 time precision,
    10^(−6 + Prec) s. rfu1, rfu2: None for zeros. specific_ok: whether the second CRC held; the time counts without it.
    """

    gps_s: int
    info_desc: int = 0
    lat: int = 0
    lng: int = 0
    param: int = 0
    rfu1: bytes | None = None
    rfu2: bytes | None = None
    specific_ok: bool = True

    @classmethod
    def at(
        cls, gps_s: int, latitude_deg: float, longitude_deg: float, info_desc: int = 0, precision: int = 0
    ) -> Beacon:
        """With coordinates in degrees; +90° and +180° become the largest value there is."""
        return cls(
            gps_s % (1 << 32), info_desc, _coded(latitude_deg / 90.0), _coded(longitude_deg / 180.0), precision & 3
        )

    @property
    def latitude_deg(self) -> float:
        """Degrees north."""
        return self.lat * 90.0 / (1 << 23)

    @property
    def longitude_deg(self) -> float:
        """Degrees east."""
        return self.lng * 180.0 / (1 << 23)


def encode_beacon(beacon: Beacon, sf: int = 9) -> bytes:
    """The PHYPayload. Raises FrameError for a field out of range."""
    layout = beacon_layout(sf)
    rfu1_size, rfu2_size = _PADDING[sf]
    rfu1 = bytes(rfu1_size) if beacon.rfu1 is None else beacon.rfu1
    rfu2 = bytes(rfu2_size) if beacon.rfu2 is None else beacon.rfu2
    values = {
        "rfu1": rfu1, "param": beacon.param, "time": beacon.gps_s, "common_crc": 0, "info_desc": beacon.info_desc,
        "lat": beacon.lat, "lng": beacon.lng, "rfu2": rfu2, "specific_crc": 0,
    }  # fmt: skip
    try:
        data: bytes = layout.build(values)
    except c.ConstructError as error:
        raise FrameError(str(error).splitlines()[0], field="beacon", clause=_CLAUSE) from None
    common = data[: rfu1_size + 5]
    specific = data[rfu1_size + 7 : -2]
    return common + _crc(common) + specific + _crc(specific)


def decode_beacon(data: bytes, sf: int = 9) -> Beacon:
    """A beacon. Raises FrameError where the size is wrong or the first CRC does not hold."""
    layout = beacon_layout(sf)
    if len(data) != beacon_size(sf):
        raise FrameError(f"{len(data)} bytes", field="beacon", clause=_CLAUSE, hint=f"{beacon_size(sf)} at SF{sf}")
    fields = layout.parse(data)
    rfu1_size = _PADDING[sf][0]
    common_end = rfu1_size + 5
    if data[common_end : common_end + 2] != _crc(data[:common_end]):
        raise FrameError("does not hold", field="CRC", offset=common_end, clause=_CLAUSE)
    return Beacon(
        fields.time, fields.info_desc, fields.lat, fields.lng, fields.param, bytes(fields.rfu1), bytes(fields.rfu2),
        data[-2:] == _crc(data[common_end + 2 : -2]),
    )  # fmt: skip


def _coded(fraction: float) -> int:
    # towards zero, as the reference forwarder does
    return max(-_LIMIT - 1, min(_LIMIT, int(fraction * (1 << 23))))


def _crc(data: bytes) -> bytes:
    return crc16_ccitt(data).to_bytes(2, "little")


def crc16_ccitt(data: bytes) -> int:
    """CRC-16 with x^16 + x^12 + x^5 + 1, from 0, not reflected. Source: TS001-1.0.4 §13.2."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021) & 0xFFFF if crc & 0x8000 else crc << 1
    return crc
