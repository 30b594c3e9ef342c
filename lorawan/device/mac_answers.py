"""What a device does with each MAC command of the network, and what it answers.

Source: LoRaWAN 1.0.4 §5, 1.1 §5; differences between versions stand in `lorawan.version`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lorawan import mac_commands as mac
from lorawan.device.config import DeviceConfig
from lorawan.device.events import LinkChecked, TimeReceived
from lorawan.device.session import Answer, DeviceSession, rx_delay_us
from lorawan.regions import Channel, Region
from lorawan.version import VersionRules


@dataclass(slots=True)
class Answers:
    """What a block of commands leads to: answers in the order of the requests, and news for the application."""

    given: tuple[Answer, ...] = ()
    news: tuple[LinkChecked | TimeReceived, ...] = ()

    def add(self, command: mac.MacCommand, *, sticky: bool = False, times: int = 1) -> None:
        """One more answer, or several equal ones."""
        self.given += (Answer(command.encode(), sticky),) * times


def answer(commands: Sequence[mac.MacCommand], session: DeviceSession, config: DeviceConfig) -> Answers:
    """Carry out `commands` on the session, in order; contiguous LinkADRReqs form one atomic block."""
    out = Answers()
    i = 0
    while i < len(commands):
        command = commands[i]
        if isinstance(command, mac.LinkAdrReq):
            block: list[mac.LinkAdrReq] = []
            while i < len(commands) and isinstance(found := commands[i], mac.LinkAdrReq):
                block.append(found)
                i += 1
            out.add(link_adr(block, session, config.region, config.version.rules), times=len(block))
            continue
        _one(command, session, config, out)
        i += 1
    return out


def link_adr(
    block: Sequence[mac.LinkAdrReq], session: DeviceSession, region: Region, rules: VersionRules
) -> mac.LinkAdrAns:
    """One atomic block: masks applied in order, the rest from the last command; all three must be acceptable.

    Source: LoRaWAN 1.0.4 §5.3, RP002-1.0.4 §2.4.5 (ChMaskCntl).
    """
    mask, mask_ok = session.ch_mask, True
    defined = sum(1 << i for i, channel in enumerate(session.channels) if channel is not None)
    for request in block:
        if request.ch_mask_cntl == 0:
            mask = request.ch_mask
        elif request.ch_mask_cntl == 6:
            mask = defined
        else:
            mask_ok = False
    mask_ok = mask_ok and mask != 0 and mask & ~defined == 0
    last = block[-1]
    keep = rules.adr_index_15_keeps
    dr = session.dr if last.data_rate == 15 and keep else last.data_rate
    power = session.tx_power_index if last.tx_power == 15 and keep else last.tx_power
    used = [ch for i, ch in enumerate(session.channels) if ch is not None and (mask >> i & 1 or not mask_ok)]
    dr_ok = any(channel.min_dr <= dr <= channel.max_dr for channel in used)
    power_ok = 0 <= power <= region.max_tx_power_index
    if mask_ok and dr_ok and power_ok:
        session.ch_mask, session.dr, session.tx_power_index = mask, dr, power
        if last.nb_trans:
            session.nb_trans = last.nb_trans
        elif rules.nb_trans_zero_is_default:
            session.nb_trans = 1
    return mac.LinkAdrAns(power_ok=power_ok, data_rate_ok=dr_ok, channel_mask_ok=mask_ok)


def _one(command: mac.MacCommand, session: DeviceSession, config: DeviceConfig, out: Answers) -> None:
    region = config.region
    match command:
        case mac.LinkCheckAns():
            out.news += (LinkChecked(command.margin_db, command.gw_cnt),)
        case mac.DutyCycleReq():
            session.max_d_cycle = command.max_d_cycle
            out.add(mac.DutyCycleAns())
        case mac.RxParamSetupReq():
            out.add(_rx_param_setup(command, session, region), sticky=True)
        case mac.DevStatusReq():
            margin = max(-32, min(31, round(session.last_snr_db)))
            out.add(mac.DevStatusAns(battery=config.battery, margin_db=margin))
        case mac.NewChannelReq():
            out.add(_new_channel(command, session, region))
        case mac.RxTimingSetupReq():
            session.rx1_delay_us = rx_delay_us(command.delay_s)
            out.add(mac.RxTimingSetupAns(), sticky=True)
        case mac.DlChannelReq():
            out.add(_dl_channel(command, session, region), sticky=True)
        case mac.RekeyConf() | mac.ResetConf():
            session.announce = b""
        case mac.AdrParamSetupReq() if config.version.is_1_1:
            session.adr_ack_limit, session.adr_ack_delay = 1 << command.limit_exp, 1 << command.delay_exp
            out.add(mac.AdrParamSetupAns())
        case mac.DeviceTimeAns():
            out.news += (TimeReceived(command.gps_seconds, command.fraction_256),)
        case _:
            pass  # not for this version or region (EU868 ignores TxParamSetupReq, RP002-1.0.4 §2.4.5): no answer


def _rx_param_setup(command: mac.RxParamSetupReq, session: DeviceSession, region: Region) -> mac.RxParamSetupAns:
    offset_ok = command.rx1_dr_offset < len(region.rx1_dr_by_offset[0])
    dr_ok = region.is_lora(command.rx2_dr)
    freq_ok = region.frequency_ok(command.freq_hz)
    if offset_ok and dr_ok and freq_ok:
        session.rx1_dr_offset, session.rx2_dr, session.rx2_freq_hz = (
            command.rx1_dr_offset,
            command.rx2_dr,
            command.freq_hz,
        )
    return mac.RxParamSetupAns(rx1_dr_offset_ok=offset_ok, rx2_dr_ok=dr_ok, channel_ok=freq_ok)


def _new_channel(command: mac.NewChannelReq, session: DeviceSession, region: Region) -> mac.NewChannelAns:
    index = command.ch_index
    changeable = len(region.default_channels) <= index < region.max_channels
    freq_ok = changeable and (command.freq_hz == 0 or region.frequency_ok(command.freq_hz))
    range_ok = changeable and command.min_dr <= command.max_dr and region.is_lora(command.max_dr)
    if freq_ok and range_ok:
        if command.freq_hz:
            session.channels[index] = Channel(command.freq_hz, command.min_dr, command.max_dr)
            session.ch_mask |= 1 << index
        else:
            session.channels[index] = None
            session.ch_mask &= ~(1 << index)
            if not session.ch_mask:  # a device without channels could never be reached again
                session.ch_mask = region.default_ch_mask
    return mac.NewChannelAns(data_rate_range_ok=range_ok, freq_ok=freq_ok)


def _dl_channel(command: mac.DlChannelReq, session: DeviceSession, region: Region) -> mac.DlChannelAns:
    index = command.ch_index
    channel = session.channels[index] if index < len(session.channels) else None
    freq_ok = region.frequency_ok(command.freq_hz)
    if channel is not None and freq_ok:
        session.channels[index] = replace(channel, rx1_freq_hz=command.freq_hz)
    return mac.DlChannelAns(uplink_freq_exists=channel is not None, freq_ok=freq_ok)
