"""What the documents say once for many regions, of every region that it is said for."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from lorawan.regions import REGIONS, Channel, ChannelPlan, with_cf_list
from lorawan.regions.masks import apply_mask

DYNAMIC = [name for name, region in REGIONS.items() if not region.fixed]
AS923_OFFSETS_HZ = {"AS923-2": -1_800_000, "AS923-3": -6_600_000, "AS923-4": -5_900_000}
FIXED = [name for name, region in REGIONS.items() if region.fixed]


@pytest.mark.parametrize("name", DYNAMIC)
def test_ch_mask_cntl_of_a_dynamic_plan(name: str) -> None:
    """Regional Parameters 1.0.3 revA table 30: 0 is channels 0–15, 6 is all on, the others are RFU."""
    region, defined = REGIONS[name], 0b1111111
    found = [apply_mask(region, 0b11, defined, cntl, 0b1010) for cntl in range(8)]
    assert found == [0b1010, None, None, None, None, None, defined, None]


@pytest.mark.parametrize("name", DYNAMIC)
def test_a_dynamic_plan_takes_five_channels_of_a_list(name: str) -> None:
    """TS001-1.0.4 §6.2.3 and RP002-1.0.4 (CFList type 0): 24 bits of 100 Hz each, 0 unused, DR0–5 at 125 kHz."""
    region = REGIONS[name]
    before = len(region.default_channels)
    freqs_hz = [region.default_channels[0].freq_hz + 1000 * k for k in (1, 2, 3, 4)]
    cf_list = b"".join((freq_hz // 100).to_bytes(3, "little") for freq_hz in freqs_hz) + bytes(3) + b"\x00"
    plan = with_cf_list(ChannelPlan.of(region), cf_list)
    assert plan.channels[:before] == region.default_channels
    assert plan.channels[before : before + 4] == tuple(Channel(freq_hz, 0, 5) for freq_hz in freqs_hz)
    assert not any(plan.channels[before + 4 :])
    assert plan.ch_mask == (1 << before + 4) - 1


@pytest.mark.parametrize("name", FIXED)
def test_a_fixed_plan_takes_its_mask_of_a_list(name: str) -> None:
    """RP002-1.0.4 (CFList type 1): ChMask0 first, bit n of group g for channel 16·g + n."""
    region = REGIONS[name]
    cf_list = b"\x01\x80" + b"\x00\x01" + bytes(11) + b"\x01"
    plan = with_cf_list(ChannelPlan.of(region), cf_list)
    assert plan.ch_mask == 1 << 0 | 1 << 15 | 1 << 24
    assert plan.channels == ChannelPlan.of(region).channels


@pytest.mark.parametrize("name", sorted(REGIONS))
def test_each_tx_power_is_2_db_below_the_one_before(name: str) -> None:
    """TXPower tables of RP002-1.0.4: MaxEIRP, then MaxEIRP − 2 dB, …; the index after the last is RFU."""
    region = REGIONS[name]
    found = [region.tx_power_dbm(index) for index in range(region.max_tx_power_index + 1)]
    assert found[0] == region.max_eirp_dbm
    assert {round(low - high, 9) for high, low in pairwise(found)} == {-2.0}
    with pytest.raises(ValueError, match="RFU"):
        region.tx_power_dbm(region.max_tx_power_index + 1)


@pytest.mark.parametrize("name", AS923_OFFSETS_HZ)
def test_the_groups_of_as923_differ_in_frequency_alone(name: str) -> None:
    """AS923_FREQ_OFFSET of each group, as in tests/golden/regions/plans.csv."""
    region, first, offset_hz = REGIONS[name], REGIONS["AS923-1"], AS923_OFFSETS_HZ[name]
    moved = replace(
        first,
        name=name,
        default_channels=tuple(replace(c, freq_hz=c.freq_hz + offset_hz) for c in first.default_channels),
        rx2_freq_hz=first.rx2_freq_hz + offset_hz,
        class_b=replace(
            first.class_b,
            beacon_freqs_hz=tuple(freq_hz + offset_hz for freq_hz in first.class_b.beacon_freqs_hz),
            ping_slot_freqs_hz=tuple(freq_hz + offset_hz for freq_hz in first.class_b.ping_slot_freqs_hz),
        ),
        sub_bands=region.sub_bands,  # the national bands are not shifted copies
        low_hz=region.low_hz,
        high_hz=region.high_hz,
    )
    assert region == moved


@pytest.mark.parametrize("name", ["CN779"])
def test_cn779_is_eu433_at_other_frequencies(name: str) -> None:
    """Both are the first plans of LoRaWAN 1.0, with the same tables (RegionCN779.h and RegionEU433.h, from memory)."""
    one, other = REGIONS[name], REGIONS["EU433"]
    for what in ("data_rates", "rx1_dr_by_offset", "join_drs", "max_channels", "max_eirp_dbm", "max_tx_power_index"):
        assert getattr(one, what) == getattr(other, what)
    assert (one.fixed, one.has_tx_param_setup, one.uplink_dwell) == (False, False, False)
