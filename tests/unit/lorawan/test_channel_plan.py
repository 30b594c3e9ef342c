"""The channel plan: what commands and accepts do to it, by the clauses that say so."""

from __future__ import annotations

import pytest

from lorawan.draws import Draws
from lorawan.frames.cf_list import encode_cf_list
from lorawan.regions import (
    AS923_1,
    AU915,
    CN470_20A,
    CN470_26A,
    EU868,
    US915,
    ChannelPlan,
    Region,
    join_places,
    mask_requests,
    with_cf_list,
)

EU, US, AS = ChannelPlan.of(EU868), ChannelPlan.of(US915), ChannelPlan.of(AS923_1)
ALL_NARROW = (1 << 64) - 1


def wide(*numbers: int) -> int:
    """The 500 kHz channels 64 + n."""
    return sum(1 << (64 + n) for n in numbers)


class TestMasks:
    @pytest.mark.parametrize(
        ("requests", "mask"),
        [
            ([(0, 0x00FF)], ALL_NARROW & ~0xFF00 | wide(*range(8))),
            ([(1, 0x0001)], ALL_NARROW & ~0xFFFE0000 | wide(*range(8))),
            ([(3, 0x0000)], ALL_NARROW & ~(0xFFFF << 48) | wide(*range(8))),
            ([(4, 0x0002)], ALL_NARROW | wide(1)),
            ([(4, 0xFF02)], ALL_NARROW | wide(1)),  # the eight upper bits are RFU
            ([(5, 0x0002)], 0xFF00 | wide(1)),
            ([(5, 0x0081)], 0xFF | 0xFF << 56 | wide(0, 7)),
            ([(6, 0x0001)], ALL_NARROW | wide(0)),
            ([(7, 0x0002), (0, 0xFF00)], 0xFF00 | wide(1)),  # one block of eight, as networks of eight channels do
            ([(7, 0x0000), (2, 0x8000)], 1 << 47),
        ],
    )
    def test_us915_by_its_ch_mask_cntl_table(self, requests: list[tuple[int, int]], mask: int) -> None:
        """TTN's US915 page and LoRaMac-node@dcbcfb32, RegionUS915LinkAdrReq."""
        plan = US.with_masks(requests)
        assert plan is not None
        assert plan.ch_mask == mask

    @pytest.mark.parametrize(
        ("plan", "requests"),
        [
            (EU, [(0, 0)]),
            (EU, [(0, 0b1000)]),
            *((EU, [(cntl, 7)]) for cntl in (1, 2, 3, 4, 5, 7)),
            (US, [(7, 0)]),
            (ChannelPlan.of(CN470_20A), [(4, 1)]),
            (ChannelPlan.of(CN470_20A), [(7, 0xFFFF)]),
            (ChannelPlan.of(CN470_26A), [(4, 0xFFFF)]),
            (ChannelPlan.of(CN470_26A), [(6, 0xFFFF)]),
        ],
    )
    def test_a_mask_without_a_defined_channel_or_rfu_is_refused(
        self, plan: ChannelPlan, requests: list[tuple[int, int]]
    ) -> None:
        assert plan.with_masks(requests) is None

    def test_all_on_and_off_of_cn470(self) -> None:
        """SWL2001@9a14f677: 20 MHz plans 6 and 7, 26 MHz plans 3 and 4."""
        for region, on, off in ((CN470_20A, 6, 7), (CN470_26A, 3, 4)):
            only = ChannelPlan.of(region).with_masks([(off, 0), (1, 0x0010)])
            assert only is not None
            assert only.ch_mask == 1 << 20
            back = only.with_masks([(on, 0)])
            assert back is not None
            assert back.ch_mask == region.default_ch_mask

    @pytest.mark.parametrize(
        ("region", "mask", "requests"),
        [
            (EU868, 0b11111, ((0, 0b11111),)),
            (US915, US915.default_ch_mask, ((5, 0xFF),)),
            (US915, 0xFF00 | wide(1), ((5, 0x02),)),
            (US915, ALL_NARROW, ((6, 0),)),
            (US915, 0xFF00, ((7, 0), (0, 0xFF00))),
            (US915, 1 << 20 | 1 << 63 | wide(3), ((7, 8), (1, 0x10), (3, 0x8000))),
            (CN470_26A, CN470_26A.default_ch_mask, ((3, 0),)),
            (CN470_20A, 1 << 33, ((7, 0), (2, 2))),
        ],
    )
    def test_the_network_asks_with_few_requests(
        self, region: Region, mask: int, requests: tuple[tuple[int, int], ...]
    ) -> None:
        assert mask_requests(region, mask) == requests


class TestChannels:
    def test_a_type_0_list_adds_channels_after_the_default_ones(self) -> None:
        """RP002-1.0.5 §3.3.1, page 30: channels N to N+4, N the number of default channels; DR0–5."""
        for plan, first in ((EU, 3), (AS, 2)):
            base = plan.region.low_hz + 4_000_000
            freqs = [base, 0, base + 200_000, 433_000_000, base + 400_000]
            got = with_cf_list(plan, encode_cf_list(freqs))
            assert [got.channels[first + k] is not None for k in range(6)] == [True, False, True, False, True, False]
            added = got.channels[first + 2]
            assert added is not None
            assert (added.freq_hz, added.min_dr, added.max_dr) == (base + 200_000, 0, 5)
            assert got.ch_mask == plan.ch_mask | 0b10101 << first

    def test_a_type_1_list_is_the_mask_of_a_fixed_plan(self) -> None:
        masks = bytes.fromhex("00ff 0000 0000 0000 0200 0000 000000 01")
        assert with_cf_list(US, masks).ch_mask == 0xFF00 | wide(1)

    @pytest.mark.parametrize(
        ("plan", "cf_list"),
        [
            (US, encode_cf_list([902_300_000])),
            (EU, bytes.fromhex("00ff 0000 0000 0000 0200 0000 000000 01")),
            (US, bytes(15) + b"\x01"),  # leaves none on
            (EU, bytes(15) + b"\x02"),
            (EU, b""),
            (EU, bytes(15)),
        ],
    )
    def test_another_list_is_passed_over(self, plan: ChannelPlan, cf_list: bytes) -> None:
        assert with_cf_list(plan, cf_list) == plan

    def test_a_new_channel_and_its_rx1(self) -> None:
        plan, range_ok, freq_ok = EU.new_channel(4, 867_300_000, 0, 5)
        assert (range_ok, freq_ok, plan.ch_mask) == (True, True, 0b10111)
        moved, exists, freq_ok = plan.dl_channel(4, 869_525_000)
        assert (exists, freq_ok) == (True, True)
        assert moved.channels[4] is not None
        assert (moved.channels[4].freq_hz, moved.channels[4].downlink_freq_hz) == (867_300_000, 869_525_000)
        assert plan.dl_channel(5, 869_525_000)[1:] == (False, True)
        assert plan.dl_channel(4, 868_650_000)[1:] == (True, False)
        assert plan.new_channel(4, 0, 0, 5)[0] == EU

    @pytest.mark.parametrize(
        ("arguments", "range_ok", "freq_ok"),
        [
            ((2, 867_100_000, 0, 5), False, False),  # a default channel is read-only
            ((16, 867_100_000, 0, 5), False, False),
            ((3, 867_100_000, 3, 2), False, True),
            ((3, 867_100_000, 0, 15), False, True),
            ((3, 862_000_000, 0, 5), True, False),
            ((3, 868_650_000, 0, 5), True, False),  # between two sub-bands
        ],
    )
    def test_a_channel_that_cannot_be(
        self, arguments: tuple[int, int, int, int], range_ok: bool, freq_ok: bool
    ) -> None:
        assert EU.new_channel(*arguments) == (EU, range_ok, freq_ok)


class TestDataRates:
    def test_500_khz_channels_carry_their_data_rate_alone(self) -> None:
        assert [i for i, _ in US.usable(4)] == list(range(64, 72))
        assert [i for i, _ in US.usable(3)] == list(range(64))
        for dr in (5, 6, 7, 8, 13):  # LR-FHSS, RFU, downlinks
            assert US.usable(dr) == []

    def test_dwell_time_takes_the_slow_data_rates_away(self) -> None:
        free = AS.with_tx_params(uplink_dwell=False, downlink_dwell=False, max_eirp_index=5)
        assert (AS.min_dr, free.min_dr) == (2, 0)
        assert (AS.usable(1), len(free.usable(1))) == ([], 2)
        assert (AS.max_app_payload_bytes(2), free.max_app_payload_bytes(2)) == (11, 115)
        assert AS.max_app_payload_bytes(0) == 0

    # SWL2001@9a14f677: datarate_backoff_as_923 and _au_915, [dwell time][DR]; None where it stays
    @pytest.mark.parametrize(
        ("region", "dwell", "backoff"),
        [
            (AS923_1, False, [None, 0, 1, 2, 3, 4]),
            (AS923_1, True, [None, None, None, 2, 3, 4]),
            (AU915, False, [None, 0, 1, 2, 3, 4, 5]),
            (AU915, True, [None, None, None, 2, 3, 4, 5]),
        ],
    )
    def test_the_back_off_ends_where_dwell_time_ends_it(
        self, region: Region, dwell: bool, backoff: list[int | None]
    ) -> None:
        plan = ChannelPlan.of(region).with_tx_params(uplink_dwell=dwell, downlink_dwell=False, max_eirp_index=5)
        assert [plan.next_lower_dr(dr) for dr in range(len(backoff))] == backoff

    def test_the_back_off_passes_over_what_no_channel_carries(self) -> None:
        only_wide = US.with_masks([(7, 0xFF)])
        assert only_wide is not None
        assert only_wide.next_lower_dr(4) is None
        assert only_wide.nearest_dr(0) == 4

    def test_a_downlink_at_fsk_is_not_answerable(self) -> None:
        """RP002-1.0.5 §3.10.7, page 80: not DR5 with offset 6 or 7, nor DR4 with 7 if DR7 is not implemented."""
        assert AS.answerable(4, 6)
        assert AS.answerable(4, 7)  # DR6: LoRa at 250 kHz, which we hear
        assert AS.answerable(5, 6)
        assert not AS.answerable(5, 7)
        assert AS.nearest_dr(5, 7) == 4
        assert not EU.answerable(5, 6)

    def test_downlink_dwell_time_lifts_rx1(self) -> None:
        dwell = AS.with_tx_params(uplink_dwell=True, downlink_dwell=True, max_eirp_index=5)
        assert (AS.rx1_dr(3, 2), dwell.rx1_dr(3, 2)) == (1, 2)

    def test_four_hundred_milliseconds(self) -> None:
        assert AS.dwell_ok(2, 400_000)
        assert not AS.dwell_ok(2, 400_001)
        assert US.dwell_ok(4, 400_001)  # 47 CFR 15.247 limits the hopping channels
        assert not US.dwell_ok(0, 400_001)
        assert EU.dwell_ok(0, 2_000_000)


class TestJoining:
    def test_every_pass_takes_one_of_each_block_and_a_500_khz_channel(self) -> None:
        """TR007-1.1, page 12: no channel twice in 72 attempts."""
        for region, narrow_dr, wide_dr in ((US915, 0, 4), (AU915, 2, 6)):
            places = [join_places(region, n, 0, Draws.of_seed(3)) for n in range(144)]
            assert all(len(found) == 1 for found in places)
            for cycle in (places[:72], places[72:]):
                assert sorted(place.index for (place,) in cycle) == list(range(72))
                for turn in range(8):
                    chosen = [place for (place,) in cycle[9 * turn : 9 * turn + 9]]
                    assert [place.index // 8 for place in chosen[:8]] == list(range(8))
                    assert chosen[8].index == 64 + turn
                    assert [place.dr for place in chosen] == [narrow_dr] * 8 + [wide_dr]
            first, second = ([p.index for (p,) in places[72 * k : 72 * k + 72]] for k in (0, 1))
            assert first != second

    def test_a_dynamic_plan_offers_its_default_channels(self) -> None:
        places = join_places(AS923_1, 5, 3, Draws.of_seed(3))
        assert [(place.channel.freq_hz, place.dr, place.rx2_freq_hz) for place in places] == [
            (923_200_000, 3, 923_200_000),
            (923_400_000, 3, 923_200_000),
        ]

    def test_a_join_in_cn470_sets_rx2_and_beacon(self) -> None:
        place = join_places(CN470_20A, 0, 5, Draws.of_seed(3))[4]
        assert (place.channel.freq_hz, place.rx1_freq_hz, place.rx2_freq_hz) == (504_100_000, 490_900_000, 491_700_000)
        assert place.class_b.beacon_freq_hz(0) == 490_300_000  # downlink channel 8 × 4, SWL2001@9a14f677
