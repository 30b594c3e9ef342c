"""A Semtech UDP downlink as a dnmsg, so that one network core serves gateways of both protocols."""

from __future__ import annotations

from gateway_fw.errors import StationError
from gateway_fw.gwmp.txpk import Txpk
from gateway_fw.station.config import RouterConfig
from gateway_fw.station.downlink import MAX_RX_DELAY_S, DeviceClass, DnMsg, Window
from gateway_fw.station.session import GatewaySession
from lorawan.ids import Eui64
from lorawan.phy.modulation import LoraModulation
from lorawan.units import US_PER_MS, US_PER_S

NO_DEVICE = Eui64(1)  # a txpk names no device; Station sends dntxed only for a DevEui other than 0 (s2e.c)
_CLAUSE = 'Basics Station 2.0.6, "The LNS Protocol", dnmsg'


def dnmsg_for(txpk: Txpk, session: GatewaySession, config: RouterConfig, rx2: Window | None) -> DnMsg:
    """Class A where tmst is set (xtime of the uplink and RxDelay), class C where imme, class B where tmms.

    rx2: carried along in class A where the frame is not for RX2 itself. diid is left 0. Raises StationError for what
    a dnmsg cannot say: FSK, a data rate or frequency that router_config lacks, normal polarity, no uplink before.
    """
    if not isinstance(txpk.modulation, LoraModulation):
        raise StationError(f"FSK {txpk.modulation} bit/s", field="modulation", clause=_CLAUSE)
    dr = config.dr_of(txpk.modulation)
    if dr is None:
        raise StationError(f"{txpk.modulation} has no index in router_config", field="DR", clause=_CLAUSE)
    low_hz, high_hz = config.freq_range_hz
    if not low_hz <= txpk.freq_hz <= high_hz:
        raise StationError(f"{txpk.freq_hz} Hz", field="Freq", clause=_CLAUSE, hint=f"{low_hz} to {high_hz} Hz")
    if not txpk.inverted_polarity:
        raise StationError("not inverted", field="ipol", clause=_CLAUSE, hint="Station inverts every dnmsg (ral_lgw.c)")
    window = Window(dr, txpk.freq_hz)
    preamble, add_crc = txpk.preamble, True if not txpk.no_crc else None
    if txpk.imme:
        return DnMsg(
            dev_eui=NO_DEVICE,
            device_class=DeviceClass.C,
            diid=0,
            pdu=txpk.payload,
            rx2=window,
            preamble=preamble,
            add_crc=add_crc,
        )
    if txpk.tmst is None:
        return DnMsg(
            dev_eui=NO_DEVICE,
            device_class=DeviceClass.B,
            diid=0,
            pdu=txpk.payload,
            slot=window,
            gpstime_us=(txpk.tmms or 0) * US_PER_MS,
            preamble=preamble,
            add_crc=add_crc,
        )
    found = session.answering(txpk.tmst)
    if found is None:
        raise StationError("no uplink gave an xtime", field="xtime", clause=_CLAUSE)
    xtime, rctx, delay_s = found
    if delay_s > MAX_RX_DELAY_S:
        xtime, delay_s = xtime + (delay_s - 1) * US_PER_S, 1
    return DnMsg(
        dev_eui=NO_DEVICE,
        device_class=DeviceClass.A,
        diid=0,
        pdu=txpk.payload,
        rx_delay_s=delay_s,
        rx1=window,
        rx2=None if rx2 is None or rx2.freq_hz == txpk.freq_hz else rx2,
        xtime=xtime,
        rctx=rctx,
        preamble=preamble,
        add_crc=add_crc,
    )
