"""Laws that hold in every region, whatever a network asks of a plan."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lorawan.regions import REGIONS, ChannelPlan, Region, mask_requests, with_cf_list
from lorawan.regions.region import MAX_EIRP_DBM

regions = st.sampled_from(sorted(REGIONS)).map(REGIONS.__getitem__)
requests = st.tuples(st.integers(0, 7), st.integers(0, 0xFFFF))
blocks = st.lists(requests, min_size=1, max_size=6)


@st.composite
def plans(draw: st.DrawFn, of: st.SearchStrategy[Region] = regions) -> ChannelPlan:
    """A plan after anything a network may have done to it."""
    region = draw(of)
    plan = ChannelPlan.of(region)
    for _ in range(draw(st.integers(0, 6))):
        match draw(st.integers(0, 4)):
            case 0:
                plan = plan.with_masks(draw(blocks)) or plan
            case 1 if not region.fixed:
                freq_hz = draw(
                    st.just(0) | st.integers(region.low_hz // 100, region.high_hz // 100).map(lambda f: f * 100)
                )
                low, high = draw(st.integers(0, 15)), draw(st.integers(0, 15))
                plan = plan.new_channel(draw(st.integers(0, 17)), freq_hz, low, high)[0]
            case 2 if not region.fixed:
                plan = plan.dl_channel(draw(st.integers(0, 17)), draw(st.integers(region.low_hz, region.high_hz)))[0]
            case 3:
                plan = with_cf_list(plan, draw(st.binary(min_size=15, max_size=15)) + bytes([draw(st.integers(0, 2))]))
            case _ if region.has_tx_param_setup:
                plan = plan.with_tx_params(
                    uplink_dwell=draw(st.booleans()),
                    downlink_dwell=draw(st.booleans()),
                    max_eirp_index=draw(st.integers(0, 15)),
                )
            case _:
                pass
    return plan


@given(plan=plans(), block=blocks)
def test_any_link_adr_block_leaves_a_defined_channel_on(plan: ChannelPlan, block: list[tuple[int, int]]) -> None:
    after = plan.with_masks(block) or plan
    assert after.ch_mask
    assert after.ch_mask & ~after.defined_mask == 0
    assert after.channels == plan.channels


@given(plan=plans())
def test_a_plan_never_offers_a_channel_without_the_data_rate(plan: ChannelPlan) -> None:
    for dr in range(16):
        for index, channel in plan.usable(dr):
            assert plan.channels[index] == channel
            assert plan.ch_mask >> index & 1
            assert channel.min_dr <= dr <= channel.max_dr
            assert plan.region.is_lora(dr, uplink=True)
            assert plan.max_mac_payload_bytes(dr) >= 19  # the least M of any table
            assert plan.region.low_hz <= channel.freq_hz <= plan.region.high_hz


@given(plan=plans(), offset=st.integers(0, 7))
def test_rx1_is_defined_after_every_uplink(plan: ChannelPlan, offset: int) -> None:
    region = plan.region
    offset = min(offset, region.max_rx1_dr_offset)
    for rate in region.data_rates:
        if rate.uplink:
            found = region.find_data_rate(plan.rx1_dr(rate.index, offset), uplink=False)
            assert found is not None
            assert found.is_lora or not plan.answerable(rate.index, offset)


@given(plan=plans())
def test_the_back_off_comes_to_an_end(plan: ChannelPlan) -> None:
    for rate in plan.region.data_rates:
        if rate.uplink and rate.is_lora:
            seen, dr = [rate.index], plan.next_lower_dr(rate.index)
            while dr is not None:
                assert plan.usable(dr)
                assert dr not in seen
                seen.append(dr)
                dr = plan.next_lower_dr(dr)


@given(plan=plans(), dr=st.integers(0, 15))
def test_the_nearest_data_rate_can_be_used_where_any_can(plan: ChannelPlan, dr: int) -> None:
    nearest = plan.nearest_dr(dr)
    can = [k for k in range(16) if plan.usable(k) and plan.answerable(k, 0)]
    assert nearest in can or not can
    assert nearest == dr or dr not in can
    assert plan.with_defaults_enabled().usable(plan.with_defaults_enabled().nearest_dr(dr))


@given(plan=plans(), index=st.integers(0, 14))
def test_no_power_is_above_what_was_set(plan: ChannelPlan, index: int) -> None:
    if index <= plan.region.max_tx_power_index:
        for _, channel in plan.enabled():
            assert plan.power_dbm(index, channel.freq_hz) <= plan.max_eirp_dbm - 2 * index
    assert plan.max_eirp_dbm in (plan.region.max_eirp_dbm, *MAX_EIRP_DBM)


@given(plan=plans(), data=st.data())
def test_the_requests_of_a_mask_bring_it_about(plan: ChannelPlan, data: st.DataObject) -> None:
    """From any plan, whatever was on: a network need not know."""
    region = plan.region
    fresh = ChannelPlan.of(region)
    start = fresh.with_masks(data.draw(blocks)) or fresh
    wanted = data.draw(st.integers(1, region.default_ch_mask))
    asked = mask_requests(region, wanted)
    after = start.with_masks(asked)
    assert after is not None
    assert after.ch_mask == wanted
    assert len(asked) <= 6
