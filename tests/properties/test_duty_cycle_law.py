"""No hour, wherever it begins, holds more airtime than the sub-band allows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lorawan.regions import EU868, DutyCycle
from lorawan.units import US_PER_HOUR, US_PER_S

FREQS = {867_100_000: 100, 868_100_000: 100, 868_900_000: 1000, 869_525_000: 10}

frames = st.lists(
    st.tuples(
        st.integers(0, 900 * US_PER_S),  # pause before the next wish
        st.integers(50_000, 2_800_000),  # airtime
        st.sampled_from(sorted(FREQS)),
    ),
    min_size=1,
    max_size=120,
)


@given(frames)
def test_no_sliding_hour_is_over_its_share(wishes: list[tuple[int, int, int]]) -> None:
    duty = DutyCycle(EU868)
    now = 0
    sent: list[tuple[int, int, int]] = []
    for pause, airtime_us, freq_hz in wishes:
        now += pause
        at = duty.earliest(freq_hz, airtime_us, now)
        assert at is not None
        assert at >= now
        now = at
        duty.spend(freq_hz, airtime_us, at)
        sent.append((at, airtime_us, freq_hz))
        now += airtime_us
    for freq_hz, divisor in FREQS.items():
        band = EU868.sub_band(freq_hz)
        spans = [(at, at + air) for at, air, freq in sent if EU868.sub_band(freq) == band]
        # an hour's load peaks when it ends with a frame's end or begins with a frame's start
        for begin in [s for s, _ in spans] + [e - US_PER_HOUR for _, e in spans]:
            load = sum(max(0, min(e, begin + US_PER_HOUR) - max(s, begin)) for s, e in spans)
            assert load <= US_PER_HOUR // divisor


@given(frames)
def test_a_frame_waits_no_longer_than_it_must(wishes: list[tuple[int, int, int]]) -> None:
    """One microsecond earlier than allowed would put some hour over its share."""
    duty = DutyCycle(EU868)
    now = 0
    sent: list[tuple[int, int]] = []
    for _, airtime_us, _ in wishes:
        at = duty.earliest(868_100_000, airtime_us, now)
        assert at is not None
        if at > now:
            begin = at - 1 + airtime_us - US_PER_HOUR
            load = sum(max(0, e - max(s, begin)) for s, e in sent if e > begin) + airtime_us
            assert load > US_PER_HOUR // 100
        duty.spend(868_100_000, airtime_us, at)
        sent.append((at, at + airtime_us))
        now = at + airtime_us


def test_a_gap_between_sub_bands_may_not_be_used() -> None:
    assert DutyCycle(EU868).earliest(868_650_000, 50_000, 0) is None
