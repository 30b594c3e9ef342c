"""What a server has a gateway send, and what the gateway says of it.

Source: Basics Station 2.0.6, s2e.c, handle_dnmsg, handle_dnsched and send_dntxed; "The LNS Protocol", dnmsg, dnsched
and dntxed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from gateway_fw.errors import StationError
from gateway_fw.station.fields import CLAUSE, INT64, Fields, as_object
from gateway_fw.station.identifiers import dashed
from gateway_fw.station.uplink import MAX_DR, MAX_FREQ_HZ, MAX_GPS_US
from gateway_fw.station.xtime import MAX_XTIME
from lorawan.ids import Eui64
from lorawan.units import US_PER_S

MAX_RX_DELAY_S = 15
MAX_PRIORITY = 255


class DeviceClass(IntEnum):
    """dC: which rules a downlink's time follows."""

    A = 0
    B = 1
    C = 2


@dataclass(frozen=True, slots=True)
class Window:
    """A data-rate index of router_config's table, and a frequency."""

    dr: int
    freq_hz: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DnMsg:
    """One frame for a device.

    diid: comes back in dntxed. Class A: xtime of the uplink, rx_delay_s to RX1 (0 counts as 1), RX2 a second later;
    rx1, rx2 or both. Class B: slot and gpstime_us. Class C: rx2 at once, or rx1 after xtime first. priority: the higher
    keeps the air. rctx: of the uplink. preamble, add_crc: None leaves them to LoRaWAN's 8 symbols and no CRC.
    mux_time_s: the server's UTC.
    """

    dev_eui: Eui64
    device_class: DeviceClass
    diid: int
    pdu: bytes
    rx_delay_s: int = 1
    rx1: Window | None = None
    rx2: Window | None = None
    slot: Window | None = None
    priority: int = 0
    xtime: int | None = None
    rctx: int | None = None
    gpstime_us: int | None = None
    preamble: int | None = None
    add_crc: bool | None = None
    mux_time_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """One frame of a dnsched, for a group: at gpstime_us or, where that is None, at xtime. It gets no dntxed."""

    pdu: bytes
    window: Window
    gpstime_us: int | None = None
    xtime: int | None = None
    priority: int = 0
    rctx: int | None = None
    diid: int | None = None
    preamble: int | None = None
    add_crc: bool | None = None


@dataclass(frozen=True, slots=True)
class DnSched:
    """Frames for groups of devices."""

    schedule: tuple[Scheduled, ...]
    mux_time_s: float | None = None


@dataclass(frozen=True, slots=True)
class DnTxed:
    """A dnmsg's frame is on the air.

    window: in which (Station says so, its documentation does not ask for it). rctx: the antenna. xtime, gpstime_us (0
    where unknown): its start. tx_time_s: its start again, documented as UTC; Station 2.0.6 sends a clock of its own.
    """

    diid: int
    dev_eui: Eui64
    window: Window | None
    rctx: int
    xtime: int
    tx_time_s: float
    gpstime_us: int = 0


def _window(fields: Fields, dr: str, freq: str) -> Window | None:
    if not fields.has(dr) and not fields.has(freq):
        return None
    return Window(fields.whole(dr, 0, MAX_DR), fields.whole(freq, 1, MAX_FREQ_HZ))


def dnmsg_of(fields: Fields) -> DnMsg:
    """From a dnmsg's fields. Raises StationError, also where the class lacks the window or the time it needs."""
    device_class = DeviceClass(fields.whole("dC", 0, 2))
    rx_delay_s = fields.whole_or_none("RxDelay", 0, MAX_RX_DELAY_S)
    message = DnMsg(
        dev_eui=fields.eui(fields.either("DevEui", "DevEUI")),
        device_class=device_class,
        diid=fields.whole(fields.either("diid", "seqno"), *INT64),
        pdu=fields.hex("pdu"),
        rx_delay_s=max(1, rx_delay_s if rx_delay_s is not None else 1),
        rx1=_window(fields, "RX1DR", "RX1Freq"),
        rx2=_window(fields, "RX2DR", "RX2Freq"),
        slot=_window(fields, "DR", "Freq"),
        priority=fields.whole_or_none("priority", 0, MAX_PRIORITY) or 0,
        xtime=fields.whole_or_none("xtime", 0, MAX_XTIME) or None,  # 0 stands for none
        rctx=fields.whole_or_none("rctx", *INT64),
        gpstime_us=fields.whole_or_none("gpstime", 0, MAX_GPS_US) or None,
        preamble=fields.whole_or_none("preamble", 0, 65_535) or None,
        add_crc=fields.flag_or_none("addcrc"),
        mux_time_s=fields.number_or_none("MuxTime"),
    )
    return _complete(message)


def _complete(message: DnMsg) -> DnMsg:
    lacking = None
    if message.device_class is DeviceClass.A:
        lacking = "xtime" if message.xtime is None else None
        if message.rx1 is None and message.rx2 is None:
            lacking = "RX1Freq"
    elif message.device_class is DeviceClass.B:
        lacking = "gpstime" if message.gpstime_us is None else "Freq" if message.slot is None else None
    elif message.rx2 is None and (message.rx1 is None or message.xtime is None):
        lacking = "RX2Freq"
    if lacking is not None:
        hint = f"class {message.device_class.name} needs it"
        raise StationError("missing", field=lacking, clause=CLAUSE, hint=hint)
    return message


def encode_dnmsg(message: DnMsg) -> dict[str, Any]:
    """The JSON object. Raises StationError where the class lacks what it needs."""
    _complete(message)
    wire: dict[str, Any] = {
        "msgtype": "dnmsg",
        "DevEui": dashed(message.dev_eui),
        "dC": int(message.device_class),
        "diid": message.diid,
        "pdu": message.pdu.hex().upper(),
        "priority": message.priority,
    }
    if message.device_class is not DeviceClass.B:
        wire["RxDelay"] = message.rx_delay_s
    for window, prefix in ((message.rx1, "RX1"), (message.rx2, "RX2"), (message.slot, "")):
        if window is not None:
            wire[f"{prefix}DR"], wire[f"{prefix}Freq"] = window.dr, window.freq_hz
    optional = {
        "xtime": message.xtime,
        "rctx": message.rctx,
        "gpstime": message.gpstime_us,
        "preamble": message.preamble,
        "addcrc": None if message.add_crc is None else int(message.add_crc),
        "MuxTime": message.mux_time_s,
    }
    wire.update((name, value) for name, value in optional.items() if value is not None)
    return wire


def dnsched_of(fields: Fields) -> DnSched:
    """From a dnsched's fields. Raises StationError."""
    entries = []
    for index, value in enumerate(fields.array("schedule")):
        entry = Fields(as_object(value, f"schedule[{index}]"), f"schedule[{index}].")
        gps_us = entry.whole_or_none("gpstime", 0, MAX_GPS_US) or None
        if gps_us is None and entry.has("ontime"):
            gps_us = entry.whole("ontime", 0, MAX_GPS_US // US_PER_S) * US_PER_S or None  # GPS seconds, older servers
        xtime = entry.whole_or_none("xtime", 0, MAX_XTIME) or None
        if gps_us is None and xtime is None:
            raise StationError("missing", field=f"{entry.path}gpstime", clause=CLAUSE)
        entries.append(
            Scheduled(
                pdu=entry.hex("pdu"),
                window=Window(entry.whole("DR", 0, MAX_DR), entry.whole("Freq", 1, MAX_FREQ_HZ)),
                gpstime_us=gps_us,
                xtime=xtime,
                priority=entry.whole_or_none("priority", 0, MAX_PRIORITY) or 0,
                rctx=entry.whole_or_none("rctx", *INT64),
                diid=entry.whole_or_none("diid", *INT64),
                preamble=entry.whole_or_none("preamble", 0, 65_535) or None,
                add_crc=entry.flag_or_none("addcrc"),
            )
        )
    return DnSched(tuple(entries), fields.number_or_none("MuxTime"))


def encode_dnsched(message: DnSched) -> dict[str, Any]:
    """The JSON object."""
    schedule = []
    for entry in message.schedule:
        wire: dict[str, Any] = {
            "pdu": entry.pdu.hex().upper(),
            "DR": entry.window.dr,
            "Freq": entry.window.freq_hz,
            "priority": entry.priority,
        }
        optional = {
            "gpstime": entry.gpstime_us,
            "xtime": entry.xtime,
            "rctx": entry.rctx,
            "diid": entry.diid,
            "preamble": entry.preamble,
            "addcrc": None if entry.add_crc is None else int(entry.add_crc),
        }
        wire.update((name, value) for name, value in optional.items() if value is not None)
        schedule.append(wire)
    wire = {"msgtype": "dnsched", "schedule": schedule}
    if message.mux_time_s is not None:
        wire["MuxTime"] = message.mux_time_s
    return wire


def dntxed_of(fields: Fields) -> DnTxed:
    """From a dntxed's fields. Raises StationError."""
    return DnTxed(
        fields.whole(fields.either("diid", "seqno"), *INT64),
        fields.eui(fields.either("DevEui", "DevEUI")),
        _window(fields, "DR", "Freq"),
        fields.whole_or_none("rctx", *INT64) or 0,
        fields.whole_or_none("xtime", 0, MAX_XTIME) or 0,
        fields.number_or_none("txtime") or 0.0,
        fields.whole_or_none("gpstime", 0, MAX_GPS_US) or 0,
    )


def encode_dntxed(message: DnTxed) -> dict[str, Any]:
    """The JSON object; seqno repeats diid for older servers, as Station does."""
    window = message.window
    return {
        "msgtype": "dntxed",
        "seqno": message.diid,
        "diid": message.diid,
        **({} if window is None else {"DR": window.dr, "Freq": window.freq_hz}),
        "DevEui": dashed(message.dev_eui),
        "rctx": message.rctx,
        "xtime": message.xtime,
        "txtime": message.tx_time_s,
        "gpstime": message.gpstime_us,
    }
