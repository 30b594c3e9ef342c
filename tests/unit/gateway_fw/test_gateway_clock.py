"""The 32-bit counter and its way back to an instant; UTC and GPS time."""

from __future__ import annotations

from gateway_fw.forwarder import GatewayClock
from lorawan.units import US_PER_S

WRAP = 4_294_967_296


def test_the_counter_wraps_after_71_minutes_and_35_seconds() -> None:
    clock = GatewayClock()
    assert clock.counter(WRAP - 1) == WRAP - 1
    assert clock.counter(WRAP) == 0


def test_the_offset_is_the_counter_at_instant_0() -> None:
    assert GatewayClock(counter_offset_us=WRAP - 10).counter(0) == WRAP - 10
    assert GatewayClock(counter_offset_us=WRAP - 10).counter(10) == 0


def test_a_counter_value_across_the_wrap_is_ahead_and_not_an_hour_ago() -> None:
    clock = GatewayClock(counter_offset_us=WRAP - 500_000)
    assert clock.instant_of(500_000, now=0) == 1_000_000
    assert clock.instant_of(WRAP - 600_000, now=0) == -100_000
    assert clock.instant_of(WRAP - 1, now=1_000_000) == 499_999


def test_gps_time_of_a_published_moment() -> None:
    # 1 January 2017 00:00:00 UTC was GPS second 1167264018, when GPS came to be 18 s ahead
    clock = GatewayClock(origin_unix_us=1_483_228_800 * US_PER_S)
    assert clock.gps_ms(0) == 1_167_264_018_000
    assert clock.instant_of_gps(1_167_264_018_000) == 0
    assert clock.utc(1_500_000).isoformat() == "2017-01-01T00:00:01.500000+00:00"
