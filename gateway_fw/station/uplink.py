"""What a gateway reports of a frame that it heard.

Source: Basics Station 2.0.6, s2e.c, s2e_flushRxjobs; "The LNS Protocol", upinfo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway_fw.station.fields import Fields, plain
from gateway_fw.station.frames import frame_fields, frame_of
from gateway_fw.station.xtime import MAX_XTIME

MAX_DR = 15
MAX_FREQ_HZ = (1 << 32) - 1
MAX_GPS_US = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class UpInfo:
    """How a frame was heard.

    rctx: an opaque number of the antenna, to be given back with an answer. xtime: end of the frame on the gateway's
    clock. gpstime_us: the same in µs since 6 January 1980, 0 where unknown. fine_ns: part of a second, or None.
    rssi_dbm, snr_db: Station sends whole dBm and quarters of a dB. rx_unix_s: when the gateway took it out, UTC.
    """

    rctx: int
    xtime: int
    rssi_dbm: float
    snr_db: float
    gpstime_us: int = 0
    fine_ns: int | None = None
    rx_unix_s: float | None = None


@dataclass(frozen=True, slots=True)
class Uplink:
    """jreq, rejoin, updf, propdf (and jacc, dndf in device mode): which, says the frame itself.

    payload: the PHYPayload. ref_time_s: the server's clock (latest MuxTime and the time since), 0.0 where none came.
    """

    payload: bytes
    dr: int
    freq_hz: int
    upinfo: UpInfo
    ref_time_s: float = 0.0


def uplink_of(msgtype: str, fields: Fields) -> Uplink:
    """From a message's fields. Raises StationError."""
    info = fields.nested("upinfo")
    fine_ns = info.whole_or_none("fts", -1, 999_999_999)
    gps_us = info.whole_or_none("gpstime", 0, MAX_GPS_US)
    return Uplink(
        frame_of(msgtype, fields),
        fields.whole("DR", 0, MAX_DR),
        fields.whole("Freq", 1, MAX_FREQ_HZ),
        UpInfo(
            info.whole("rctx", -(1 << 63), (1 << 63) - 1),
            info.whole("xtime", 0, MAX_XTIME),
            info.number("rssi"),
            info.number("snr"),
            gps_us or 0,
            None if fine_ns is None or fine_ns < 0 else fine_ns,
            info.number_or_none("rxtime"),
        ),
        fields.number_or_none("RefTime") or 0.0,
    )


def encode_uplink(uplink: Uplink) -> dict[str, Any]:
    """The JSON object. Raises StationError for a frame that has no message."""
    info = uplink.upinfo
    upinfo: dict[str, Any] = {
        "rctx": info.rctx,
        "xtime": info.xtime,
        "gpstime": info.gpstime_us,
        "fts": -1 if info.fine_ns is None else info.fine_ns,
        "rssi": plain(info.rssi_dbm),
        "snr": plain(info.snr_db),
    }
    if info.rx_unix_s is not None:
        upinfo["rxtime"] = info.rx_unix_s
    message = frame_fields(uplink.payload)
    message.update(RefTime=uplink.ref_time_s, DR=uplink.dr, Freq=uplink.freq_hz, upinfo=upinfo)
    return message
