"""The figures of a regional table in short, a cell each."""

from __future__ import annotations

from itertools import groupby

from lorawan.draws import Draws
from lorawan.phy import LoraModulation
from lorawan.regions import Channel, ChannelPlan, DataRate, Region, join_places
from lorawan.regions.region import MaskControl, MaskKind
from lorawan.units import US_PER_S


def channels(region: Region) -> str:
    """Band, channels with their data rates, and where RX1 is if elsewhere."""
    plan = "fixed" if region.fixed else f"dynamic, up to {region.max_channels}"
    runs = groupby(region.default_channels, lambda channel: (channel.min_dr, channel.max_dr))
    parts = [f"{mhz([c.freq_hz for c in run])} DR{span(*drs)}" for drs, run in runs]
    return f"{mhz([region.low_hz])}–{mhz([region.high_hz])} MHz, {plan}: {'; '.join(parts)}{_answers(region)}"


def _answers(region: Region) -> str:
    if all(_same(channel) for channel in region.default_channels):
        return "; RX1 on the same"
    firsts = list(dict.fromkeys(channel.downlink_freq_hz for channel in region.default_channels))
    return f"; RX1 {mhz(firsts)}, channel modulo {len(firsts)}"


def _same(channel: Channel) -> bool:
    return channel.downlink_freq_hz == channel.freq_hz


def joining(region: Region) -> str:
    """Channels and data rates of a JoinRequest, delays of its accept, special windows."""
    found = join_places(region, 0, region.join_drs[0], Draws.of_seed(1))
    drs = ", ".join(f"DR{dr}" for dr in region.join_drs)
    delay_s = region.join_accept_delay1_us // US_PER_S
    windows = ""
    if region.join_channels:
        rx1, rx2 = mhz([place.rx1_freq_hz for place in found]), mhz([place.rx2_freq_hz for place in found])
        windows = f"; accept in RX1 {rx1}, RX2 {rx2}"
    where = mhz([place.channel.freq_hz for place in found]) if region.join_channels else "all default channels"
    return f"{where}; {drs}; accept after {delay_s} and {delay_s + 1} s{windows}"


def data_rates(region: Region) -> str:
    """Each data rate with M, the largest MACPayload in bytes, and M under dwell time."""
    return "; ".join(_rate(rate) for rate in region.data_rates)


def _rate(rate: DataRate) -> str:
    modulation = rate.modulation
    name = (
        f"SF{modulation.sf}/{modulation.bw_hz // 1000}" if isinstance(modulation, LoraModulation) else str(modulation)
    )
    way = {(True, True): "", (True, False): " ↑", (False, True): " ↓"}[rate.uplink, rate.downlink]
    dwell = "" if rate.dwell_mac_payload_bytes is None else f" ({rate.dwell_mac_payload_bytes or 'none'} in dwell time)"
    return f"DR{rate.index}{way} {name} {rate.max_mac_payload_bytes or 'none'}{dwell}"


def rx1(region: Region) -> str:
    """RX1's data rate by RX1DROffset, for each data rate of an uplink."""
    found = _offsets(region.rx1_dr_by_offset)
    if region.rx1_dr_by_offset_dwell:
        found += f"; in dwell time {_offsets(region.rx1_dr_by_offset_dwell)}"
    return found


def _offsets(table: tuple[tuple[int, ...], ...]) -> str:
    return "; ".join(f"DR{dr} → {' '.join(map(str, row))}" for dr, row in enumerate(table) if row)


def rx2(region: Region) -> str:
    """RX2 and the delays."""
    delay_s = region.receive_delay1_us // US_PER_S
    return f"{mhz([region.rx2_freq_hz])} MHz DR{region.rx2_dr}; windows after {delay_s} and {delay_s + 1} s"


def power(region: Region) -> str:
    """The largest power and the steps below it."""
    kind = "conducted" if region.power_is_conducted else "EIRP"
    low = region.tx_power_dbm(region.max_tx_power_index)
    return f"{region.max_eirp_dbm:g} dBm {kind}; TXPower 0–{region.max_tx_power_index}, 2 dB a step, to {low:g} dBm"


def cf_list(region: Region) -> str:
    """Which CFList the region takes."""
    return (
        "type 1: the mask of channels"
        if region.fixed
        else "type 0: five more channels, DR" + span(0, region.default_max_dr)
    )


def mask_control(region: Region) -> str:
    """What each value of ChMaskCntl means."""
    return "; ".join(f"{at}: {_control(control, region)}" for at, control in enumerate(region.mask_controls))


def _control(control: MaskControl | None, region: Region) -> str:
    if control is None:
        return "RFU"
    if control.kind is MaskKind.GROUP:
        first = 16 * control.group
        return f"channels {first}–{min(first + 16, region.max_channels) - 1}"
    return str(control.kind.value)


def dwell(region: Region) -> str:
    """Whether the 400 ms hold, and whether the network may say so."""
    plan = ChannelPlan.of(region)
    up, down = ("400 ms" if on else "no limit" for on in (plan.uplink_dwell, plan.downlink_dwell))
    told = "TXParamSetupReq changes them" if region.has_tx_param_setup else "TXParamSetupReq is passed over"
    return f"uplink {up}, downlink {down} from the start; {told}"


def class_b(region: Region) -> str:
    """Beacon and ping slots."""
    b = region.class_b
    beacon, ping = mhz(list(b.beacon_freqs_hz)), mhz(list(b.ping_slot_freqs_hz))
    hops = ", hopping each period" if len(b.beacon_freqs_hz) > 1 else ""
    special = "; others by join channel" if any(channel.class_b for channel in region.join_channels) else ""
    return f"beacon {beacon} MHz DR{b.beacon_dr}{hops}; ping slots {ping} MHz{special}"


def duty_cycle(region: Region) -> str:
    """Sub-bands with duty cycle and the largest power."""
    return "; ".join(
        f"{mhz([band.low_hz])}–{mhz([band.high_hz])} MHz "
        f"{'no duty cycle' if band.duty_divisor == 1 else f'{100 / band.duty_divisor:g} %'}, "
        f"{band.max_erp_dbm:g} dBm ERP"
        for band in region.sub_bands
    )


def span(low: int, high: int) -> str:
    """ "0–5", or one number."""
    return str(low) if low == high else f"{low}–{high}"


def mhz(freqs_hz: list[int]) -> str:
    """Frequencies in MHz; four or more at even steps as first, last and step."""
    runs: list[list[int]] = []
    for freq_hz in dict.fromkeys(freqs_hz):
        run = runs[-1] if runs else []
        if len(run) < 2 or freq_hz - run[-1] == run[1] - run[0]:
            run.append(freq_hz)
        else:
            run = [freq_hz]
        if not runs or runs[-1] is not run:
            runs.append(run)
    return ", ".join(_run(run) for run in runs)


def _run(run: list[int]) -> str:
    if len(run) < 4:
        return ", ".join(f"{freq_hz / 1e6:.7g}" for freq_hz in run)
    return f"{run[0] / 1e6:.7g}–{run[-1] / 1e6:.7g} by {(run[1] - run[0]) / 1e6:.7g}"
