"""From messages to frames and back: which uplinks pass, when a dnmsg is due, what the radio is to send.

Source: Basics Station 2.0.6, lora.c (filters), s2e.c (handle_dnmsg, handle_dnsched), ral_lgw.c (ral_tx).
"""

from __future__ import annotations

from gateway_fw.errors import StationError
from gateway_fw.station.config import RouterConfig
from gateway_fw.station.downlink import DeviceClass, DnMsg, Scheduled, Window
from gateway_fw.station.frames import frame_fields
from gateway_fw.station.gps_sync import GpsSync
from gateway_fw.station.limits import eirp_dbm
from gateway_fw.station.tx_queue import AIM_GAP_US, TxJob
from gateway_fw.station.xtime import XTimeClock
from lorawan.frames.header import FType, peek_dev_addr, peek_f_type, peek_join_eui
from lorawan.machine import Dropped, Instant
from lorawan.phy.airtime import LORAWAN_PREAMBLE_SYMBOLS, lora_airtime_us
from lorawan.phy.radio import Heard, Transmit
from lorawan.units import US_PER_S

_CLAUSE = "Basics Station 2.0.6, s2e.c"
_FILTERS = "Basics Station 2.0.6, lora.c"
_NET_ID_SHIFT = 25  # the top seven bits of a DevAddr
_NET_ID_MASK = 0x7F


def refused_uplink(heard: Heard, dr: int | None, config: RouterConfig) -> Dropped | None:
    """Why a frame is not forwarded: CRC, data rate, not LoRaWAN, NetID or JoinEUI filter. None where it is."""
    if not heard.crc_ok:
        return Dropped("crc", "Basics Station 2.0.6, ral_lgw.c")
    if dr is None:
        return Dropped("data_rate", "Basics Station 2.0.6, ral_lgw.c", f"{heard.modulation} is not in router_config")
    try:
        frame_fields(heard.payload)
    except StationError as error:
        return Dropped("no_lorawan_frame", error.clause, str(error))
    f_type = peek_f_type(heard.payload)
    if f_type.is_data and config.net_ids is not None:
        net_id = peek_dev_addr(heard.payload) >> _NET_ID_SHIFT
        if net_id not in {wanted & _NET_ID_MASK for wanted in config.net_ids}:
            return Dropped("net_id", _FILTERS, f"{net_id:#x}")
    if f_type is FType.JOIN_REQUEST and config.join_euis:
        join_eui = peek_join_eui(heard.payload)
        if not any(low <= join_eui <= high for low, high in config.join_euis):
            return Dropped("join_eui", _FILTERS, str(join_eui))
    return None


def _unusable(window: Window | None, config: RouterConfig) -> str:
    """Why a window cannot be used, or ""."""
    if window is None:
        return ""
    low_hz, high_hz = config.freq_range_hz
    if not low_hz <= window.freq_hz <= high_hz:
        return f"{window.freq_hz} Hz is outside {low_hz} to {high_hz}"
    if config.modulation(window.dr) is None:
        return f"DR{window.dr} is not LoRa in router_config"
    return ""


def tx_job(message: DnMsg, config: RouterConfig, clock: XTimeClock, gps: GpsSync, now: Instant) -> TxJob | Dropped:
    """A dnmsg as a job in its first window, or why there is none. A frame without RX1 starts in RX2."""
    for window in (message.rx1, message.rx2, message.slot):
        if why := _unusable(window, config):
            return Dropped("window", _CLAUSE, f"diid {message.diid}: {why}")
    start: Instant | None
    first, second = message.rx1, message.rx2
    if message.device_class is DeviceClass.B:
        first, second = message.slot, None
        start = gps.instant(message.gpstime_us or 0)
        if start is None:
            return Dropped("no_gps_time", _CLAUSE, f"diid {message.diid}")
    elif message.xtime is not None:
        start = clock.instant(message.xtime)
        if start is None:
            return Dropped("obsolete_xtime", _CLAUSE, f"diid {message.diid}: {message.xtime:#x} is of another session")
        start += message.rx_delay_s * US_PER_S
    elif first is not None:
        return Dropped("no_xtime", _CLAUSE, f"diid {message.diid}")
    else:
        start = now
    if first is None:
        if second is None:
            return Dropped("no_window", _CLAUSE, f"diid {message.diid}")
        first, second = second, None
        if message.device_class is DeviceClass.A:
            start += US_PER_S
        else:
            start = max(start, now + AIM_GAP_US)
    return TxJob(
        message.pdu,
        message.device_class,
        start,
        first,
        second,
        message.priority,
        message.diid,
        message.dev_eui,
        message.rctx or 0,
        message.preamble,
        bool(message.add_crc),
        tries=0 if first is message.rx1 else 1,
    )


def scheduled_job(entry: Scheduled, config: RouterConfig, clock: XTimeClock, gps: GpsSync) -> TxJob | Dropped:
    """A frame of a dnsched as a job, or why there is none."""
    if why := _unusable(entry.window, config):
        return Dropped("window", _CLAUSE, f"dnsched: {why}")
    gps_us = entry.gpstime_us
    start = clock.instant(entry.xtime or 0) if gps_us is None else gps.instant(gps_us)
    if start is None:
        return Dropped("obsolete_xtime" if gps_us is None else "no_gps_time", _CLAUSE, "dnsched")
    return TxJob(
        entry.pdu,
        DeviceClass.B,
        start,
        entry.window,
        None,
        entry.priority,
        rctx=entry.rctx or 0,
        preamble=entry.preamble,
        add_crc=bool(entry.add_crc),
    )


def airtime_us(job: TxJob, config: RouterConfig) -> int:
    """Time on air of a job in its present window."""
    modulation = config.modulation(job.window.dr)
    if modulation is None:
        return 0  # never: windows are checked when the job is made, and a new router_config makes a new queue
    preamble = job.preamble or LORAWAN_PREAMBLE_SYMBOLS
    return lora_airtime_us(len(job.pdu), modulation, preamble_symbols=preamble, crc=job.add_crc)


def power_dbm(job: TxJob, config: RouterConfig) -> float:
    """EIRP of a job in its present window."""
    return eirp_dbm(config.region, job.window.freq_hz, config.max_eirp_dbm)


def transmit_of(job: TxJob, config: RouterConfig, conducted_dbm: float) -> Transmit:
    """What the radio is to send: inverted IQ, coding rate 4/5."""
    modulation = config.modulation(job.window.dr)
    if modulation is None:
        raise ValueError(f"DR{job.window.dr} is not LoRa")
    return Transmit(
        at=job.start,
        payload=job.pdu,
        freq_hz=job.window.freq_hz,
        modulation=modulation,
        power_dbm=conducted_dbm,
        airtime_us=job.airtime_us,
        inverted_iq=True,
        crc=job.add_crc,
    )
