"""36 s of join airtime in the first hour, 36 s in the next ten, 8.7 s in every day after (LoRaWAN 1.0.4 §7)."""

from __future__ import annotations

from lorawan.device.join_backoff import JoinBackoff
from lorawan.units import US_PER_DAY, US_PER_HOUR


def test_airtime_of_join_requests_in_each_period() -> None:
    backoff, airtime_us, now = JoinBackoff(), 1_482_752, 1_000_000
    origin, sent = now, []
    while now < origin + 11 * US_PER_HOUR + 2 * US_PER_DAY:
        now = max(now, backoff.earliest(airtime_us, now))
        backoff.spend(airtime_us, now)
        sent.append(now - origin)
        now += 8_000_000

    def spent_s(begin: int, end: int) -> float:
        return sum(begin <= t < end for t in sent) * airtime_us / 1e6

    eleven = 11 * US_PER_HOUR
    assert 36 - 1.5 < spent_s(0, US_PER_HOUR) <= 36
    assert 36 - 1.5 < spent_s(US_PER_HOUR, eleven) <= 36
    assert 8.7 - 1.5 < spent_s(eleven, eleven + US_PER_DAY) <= 8.7
    assert 8.7 - 1.5 < spent_s(eleven + US_PER_DAY, eleven + 2 * US_PER_DAY) <= 8.7
