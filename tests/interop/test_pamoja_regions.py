"""pamoja-lora (PyPI), an independent transcription of RP002-1.0.5, as a second opinion on the regional tables.

Where it differs from RP002-1.0.4, and so from ours: SF5 and SF6 data rates (left out here); payloads under dwell time
are the repeater's; IN865 has 29.2 dBm, told as 29 (30 in 1.0.4); EU433's MaxEIRP is told as 12 of 12.15 dBm; CN470's
back-off goes on to DR0, which carries nothing; dynamic plans have more than one ChMask group; RU864, EU868 and AS923
name the sub-bands of their default channels alone. It knows no AS923-2 to -4 and no CN779.
"""

from __future__ import annotations

from typing import Any

import pytest

from lorawan.draws import Draws
from lorawan.phy import FskModulation, LoraModulation, LrFhssModulation
from lorawan.phy.modulation import Modulation
from lorawan.regions import REGIONS, Region, join_places
from lorawan.regions.region import MaskKind

pamoja: Any = pytest.importorskip("pamoja.lora")

CN470_PLANS = {
    "CN470-20A": "antenna_20mhz_a",
    "CN470-20B": "antenna_20mhz_b",
    "CN470-26A": "antenna_26mhz_a",
    "CN470-26B": "antenna_26mhz_b",
}
NAMES = ["AS923-1", "AU915", *CN470_PLANS, "EU433", "EU868", "IN865", "KR920", "RU864", "US915"]
RFU = "reserved"


def theirs_of(name: str) -> Any:
    return (
        pamoja.cn470_plan(CN470_PLANS[name]) if name in CN470_PLANS else pamoja.plan_for(name.split("-", maxsplit=1)[0])
    )


def modulation_of(rate: Any) -> Modulation | None:
    if rate is None or rate.kind == RFU or (rate.kind == "lora" and rate.spreading_factor < 7):
        return None
    if rate.kind == "lora":
        return LoraModulation(rate.spreading_factor, rate.bandwidth_hz)
    return FskModulation(rate.bitrate_bps) if rate.kind == "fsk" else None


@pytest.mark.parametrize("name", NAMES)
def test_data_rates_and_payloads(name: str) -> None:
    ours, theirs = REGIONS[name], theirs_of(name)
    for dr in range(16):
        for direction in ("uplink", "downlink"):
            mine = ours.find_data_rate(dr, uplink=direction == "uplink")
            other = theirs.data_rate(dr, direction)
            fhss = other is not None and other.kind == "lr_fhss"
            if fhss and direction == "downlink":
                assert mine is None  # their EU868 has one table for both directions; LR-FHSS is uplink only
                continue
            if fhss:
                assert mine is not None
                assert isinstance(mine.modulation, LrFhssModulation)
                coding = f"{other.coding_rate_numerator}/{other.coding_rate_denominator}"
                assert (mine.modulation.ocw_hz, mine.modulation.coding_rate) == (other.bandwidth_hz, coding)
            elif mine is None or modulation_of(other) is None:
                assert mine is None
                assert modulation_of(other) is None
                continue
            else:
                assert mine.modulation == modulation_of(other)
            for table, repeater in (("repeater", True), ("direct", False)):
                limit = theirs.max_payload(dr, f"{direction}_{table}")
                assert mine.mac_payload_bytes(repeater=repeater) == (limit.mac_payload if limit else 0)
            if mine.dwell_mac_payload_bytes is not None:
                limit = theirs.max_payload(dr, "dwell_limited")
                assert mine.mac_payload_bytes(dwell=True, repeater=True) == (limit.mac_payload if limit else 0)


@pytest.mark.parametrize("name", NAMES)
def test_rx1_rx2_and_back_off(name: str) -> None:
    ours, theirs = REGIONS[name], theirs_of(name)
    assert theirs.rx2() == (ours.rx2_freq_hz, ours.rx2_dr)
    assert theirs.info().max_rx1_data_rate_offset == ours.max_rx1_dr_offset
    for rate in ours.data_rates:
        if not rate.uplink:
            continue
        for offset in range(ours.max_rx1_dr_offset + 1):
            for dwell in (False, True) if ours.rx1_dr_by_offset_dwell else (False,):
                found = ours.rx1_dr(rate.index, offset, downlink_dwell=dwell)
                assert found == theirs.rx1_data_rate(rate.index, offset, dwell_limited=dwell)
        if not (name in CN470_PLANS and rate.index == 1):
            assert rate.lower == theirs.next_backoff_data_rate(rate.index)


def frequencies(blocks: list[Any]) -> list[int]:
    return [block.start_hz + k * block.step_hz for block in blocks for k in range(block.count)]


@pytest.mark.parametrize("name", NAMES)
def test_channels_and_where_they_are_answered(name: str) -> None:
    ours, theirs = REGIONS[name], theirs_of(name)
    blocks = theirs.channel_blocks("default")
    assert [channel.freq_hz for channel in ours.default_channels] == frequencies(blocks)
    for i, channel in enumerate(ours.default_channels):
        assert channel.downlink_freq_hz == theirs.rx1_frequency_hz(i, channel.freq_hz)
    rules = theirs.rules()
    assert ours.fixed == (rules.kind == "fixed")
    assert ours.has_tx_param_setup == rules.tx_param_setup
    assert ours.has_blocks == (rules.join_sequence == "octet_passes")
    assert ours.power_is_conducted == (rules.power_reference == "conducted")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in CN470_PLANS])
def test_join_channels_and_data_rates(name: str) -> None:
    ours, theirs = REGIONS[name], theirs_of(name)
    blocks = theirs.channel_blocks("join")
    if ours.has_blocks:
        places = [join_places(ours, n, 0, Draws.of_seed(1))[0] for n in range(72)]
        expected = {(freq, blocks[freq not in frequencies(blocks[:1])].min_data_rate) for freq in frequencies(blocks)}
        assert {(place.channel.freq_hz, place.dr) for place in places} == expected
    else:
        places = list(join_places(ours, 0, ours.join_drs[0], Draws.of_seed(1)))
        assert [place.channel.freq_hz for place in places] == frequencies(blocks)
        assert {(ours.join_drs[0], ours.join_drs[-1])} == {(b.min_data_rate, b.max_data_rate) for b in blocks}


@pytest.mark.parametrize("name", list(CN470_PLANS))
def test_join_windows_of_cn470(name: str) -> None:
    region, found = REGIONS[name], []
    for plan in pamoja.plan_for("CN470").join_plans():
        if plan.plan == CN470_PLANS[name]:
            for k in range(plan.channels.count):
                rx1 = plan.accept_start_hz + k * plan.accept_step_hz
                rx2 = plan.rx2_start_hz + k * plan.rx2_step_hz
                found.append((plan.channels.start_hz + k * plan.channels.step_hz, rx1, rx2))
    places = join_places(region, 0, 5, Draws.of_seed(1))
    assert [(place.channel.freq_hz, place.rx1_freq_hz, place.rx2_freq_hz) for place in places] == found


def meaning(region: Region, cntl: int) -> tuple[str, int | bool | None, int | None]:
    control = region.mask_controls[cntl]
    if control is None:
        return (RFU, None, None)
    match control.kind:
        case MaskKind.GROUP:
            return ("group", control.group, None)
        case MaskKind.BLOCKS:
            return ("paired_banks", None, None)
        case MaskKind.NARROW_ON | MaskKind.NARROW_OFF:
            return ("all", control.kind is MaskKind.NARROW_ON, 4)
        case _:
            return ("all", control.kind is MaskKind.ALL_DEFINED, None)


@pytest.mark.parametrize("name", NAMES)
def test_ch_mask_cntl(name: str) -> None:
    region, theirs = REGIONS[name], theirs_of(name)
    for cntl in range(8):
        if not region.fixed and 1 <= cntl <= 5:
            continue
        control = theirs.mask_control(cntl)
        found = (control.kind, control.group if control.kind == "group" else control.on, control.then_group)
        assert meaning(region, cntl) == found


@pytest.mark.parametrize("name", NAMES)
def test_power_and_class_b(name: str) -> None:
    region, info = REGIONS[name], theirs_of(name).info()
    if name != "IN865":
        assert int(region.max_eirp_dbm) == info.default_max_eirp_dbm
    assert (region.max_tx_power_index, 2) == (info.max_tx_power_index, info.tx_power_step_db)
    assert region.class_b.beacon_dr == info.beacon.data_rate
    assert region.class_b.beacon_freqs_hz[0] == info.beacon.frequency_hz
    assert region.class_b.ping_slot_freqs_hz[0] == info.beacon.ping_slot_frequency_hz
