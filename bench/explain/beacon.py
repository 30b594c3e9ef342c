"""A class B beacon, which has no MHDR and so is told apart by whoever heard it.

Source: TS001-1.0.4 §13.2–13.3; LoRaWAN 1.0.2 §15.1–15.3 for its own layout, with a NetID and an 8-bit CRC at SF9.
"""

from __future__ import annotations

import datetime

from bench.explain.clauses import clause
from bench.explain.field import OK, WRONG, Explanation, Field, of_bits, of_bytes
from lorawan.errors import FrameError
from lorawan.frames.beacon import Beacon, beacon_layout, decode_beacon
from lorawan.frames.beacon_102 import decode_beacon_102
from lorawan.version import Version

_GPS_EPOCH = datetime.datetime(1980, 1, 6, tzinfo=datetime.UTC)
_UNIX_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_NO_MIC = "not checked: a beacon has CRCs and no MIC"
_INFO = {0: "of the first antenna", 1: "of the second antenna", 2: "of the third antenna"}


def explain_beacon(data: bytes, sf: int, version: Version) -> Explanation:
    """Every field of a beacon at this spreading factor. Raises FrameError where its first CRC does not hold.

    1.0.2 devices may hear both layouts: Semtech's forwarder sends the later one and calls it that of 1.0.2 and 1.1. At
    SF9 the one whose CRC has 16 bits is asked first, as 8 bits hold by chance once in 256; at SF10 the two differ in
    names only.
    """
    if version is not Version.V1_0_2:
        return _explain_later(data, decode_beacon(data, sf), sf, version)
    if sf != 10:
        try:
            return _explain_later(data, decode_beacon(data, sf), sf, Version.V1_0_3)
        except FrameError:
            if sf != 9:
                raise
    return _explain_102(data, sf)


def _explain_later(data: bytes, beacon: Beacon, sf: int, version: Version) -> Explanation:
    layout = beacon_layout(sf)
    where, specific = clause("Beacon", version), clause("GwSpecific", version)
    parts = layout.parse(data)
    rfu1, rfu2 = len(parts.rfu1), len(parts.rfu2)
    found: list[Field] = []
    at = rfu1
    with_param = version is Version.V1_0_4  # before it, and in 1.1, the byte is the last of the RFU ones
    head = data[: rfu1 if with_param else rfu1 + 1]
    if head:
        found.append(of_bytes("RFU", where, head, 0, head.hex()))
    precision = (
        of_bits("RFU", where, data[at], at, (7, 2)),
        of_bits("Prec", where, data[at], at, (1, 0), meaning=f"sent to within 10^{beacon.param % 4 - 6} s"),
    )
    if with_param:
        found.append(of_bytes("Param", where, data[at : at + 1], at, inner=precision))
    when = (_GPS_EPOCH + datetime.timedelta(seconds=beacon.gps_s)).strftime("%Y-%m-%d %H:%M:%S GPS time")
    found.append(of_bytes("Time", where, data[at + 1 : at + 5], at + 1, beacon.gps_s, when, unit="s"))
    found.append(of_bytes("CRC", where, data[at + 5 : at + 7], at + 5, OK, "over all before it"))
    found += _specific(data, at + 7, rfu2, beacon.specific_ok, specific, with_net_id=True)
    facts = {
        "type": "BEACON",
        "size_bytes": len(data),
        "version": version.value,
        "direction": "down",
        "gps_s": beacon.gps_s,
        "info_desc": beacon.info_desc,
        "latitude_deg": round(beacon.latitude_deg, 5) if beacon.info_desc in _INFO else None,
        "longitude_deg": round(beacon.longitude_deg, 5) if beacon.info_desc in _INFO else None,
        "crc": OK,
        "specific_crc": OK if beacon.specific_ok else WRONG,
        "mic": _NO_MIC,
    }
    return Explanation(facts, tuple(found))


def _explain_102(data: bytes, sf: int) -> Explanation:
    beacon = decode_beacon_102(data, sf)
    where, specific = clause("Beacon", Version.V1_0_2), clause("GwSpecific", Version.V1_0_2)
    crc_size = len(beacon.common_crc)
    when = (_UNIX_EPOCH + datetime.timedelta(seconds=beacon.utc_s)).strftime("%Y-%m-%d %H:%M:%S UTC")
    over = "over NetID and Time" if crc_size > 1 else "over NetID and Time, its low byte"
    found = [
        of_bytes(
            "NetID", where, data[:3], 0, f"{beacon.net_id:06x}", "RFU from 1.0.3 on" if beacon.net_id == 0 else ""
        ),
        of_bytes("Time", where, data[3:7], 3, beacon.utc_s, when, unit="s"),
        of_bytes("CRC", where, data[7 : 7 + crc_size], 7, OK, over),
        *_specific(data, 7 + crc_size, len(beacon.rfu), beacon.specific_ok, specific, with_net_id=False),
    ]
    placed = beacon.info_desc in _INFO
    facts = {
        "type": "BEACON",
        "size_bytes": len(data),
        "version": Version.V1_0_2.value,
        "direction": "down",
        "net_id": f"{beacon.net_id:06x}",
        "utc_s": beacon.utc_s,
        "info_desc": beacon.info_desc,
        "latitude_deg": round(beacon.lat * 90 / 2**23, 5) if placed else None,
        "longitude_deg": round(beacon.lng * 180 / 2**23, 5) if placed else None,
        "crc": OK,
        "specific_crc": OK if beacon.specific_ok else WRONG,
        "mic": _NO_MIC,
    }
    return Explanation(facts, tuple(found))


def _specific(data: bytes, at: int, rfu2: int, right: bool, where: str, *, with_net_id: bool) -> list[Field]:
    info_desc, info = data[at], data[at + 1 : at + 7]
    inner: tuple[Field, ...] = ()
    if info_desc in _INFO:
        lat = int.from_bytes(info[:3], "little", signed=True)
        lng = int.from_bytes(info[3:], "little", signed=True)
        inner = (
            of_bytes("Lat", where, info[:3], at + 1, lat, f"{lat * 90 / 2**23:.5f}° north"),
            of_bytes("Lng", where, info[3:], at + 4, lng, f"{lng * 180 / 2**23:.5f}° east"),
        )
        what = f"coordinates {_INFO[info_desc]}"
    elif info_desc == 3 and with_net_id:  # RFU in 1.0.2
        net_id, gateway_id = int.from_bytes(info[:3], "little"), int.from_bytes(info[3:], "little")
        inner = (
            of_bytes("NetID", where, info[:3], at + 1, f"{net_id:06x}"),
            of_bytes("GatewayID", where, info[3:], at + 4, f"{gateway_id:06x}"),
        )
        what = "network and gateway"
    else:
        what = "RFU, or the network operator's own"
    found = [
        of_bytes("InfoDesc", where, data[at : at + 1], at, info_desc, what),
        of_bytes("Info", where, info, at + 1, None if inner else info.hex(), inner=inner),
    ]
    if rfu2:
        found.append(of_bytes("RFU", where, data[at + 7 : at + 7 + rfu2], at + 7, data[at + 7 : at + 7 + rfu2].hex()))
    verdict = OK if right else WRONG
    found.append(of_bytes("CRC", where, data[-2:], len(data) - 2, verdict, "over InfoDesc to here"))
    return found
