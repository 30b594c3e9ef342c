"""Whatever the crystal does within its bound, five symbols of the downlink's preamble fall into the window."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from lorawan.device.windows import receive_windows, silent_at, window_us
from lorawan.phy import Transmit, lora_symbol_us
from lorawan.regions import EU868

NEEDED = 5  # of the eight preamble symbols: radio_sim.medium.policy.LOCK_SYMBOLS, MSWiM 2016
DELAYS_S = range(1, 17)  # RX1 1–15 s, RX2 one second later
DRS = range(7)


@given(
    dr=st.sampled_from(DRS),
    delay_s=st.sampled_from(DELAYS_S),
    bound_ppm=st.integers(0, 5_000),
    share=st.fractions(-1, 1),
    off_us=st.integers(-20, 20),
)
@example(dr=0, delay_s=16, bound_ppm=200, share=Fraction(1), off_us=-20)
@example(dr=0, delay_s=16, bound_ppm=200, share=Fraction(-1), off_us=20)
def test_the_preamble_is_caught(dr: int, delay_s: int, bound_ppm: int, share: Fraction, off_us: int) -> None:
    """LoRaWAN 1.0.4 §3.3.4; a downlink begins within ±20 µs."""
    symbol_us = lora_symbol_us(EU868.modulation(dr))
    opens_us, closes_us = window_us(delay_s * 1_000_000, symbol_us, bound_ppm)
    rate = 1 + share * bound_ppm / 1_000_000  # of the device's clock against the network's
    opens = opens_us / rate
    closes = opens + closes_us - opens_us  # the radio counts symbols
    starts = delay_s * 1_000_000 + off_us
    seen = min(closes, starts + 8 * symbol_us) - max(opens, starts)
    assert seen >= NEEDED * symbol_us
    # the radio has told of the frame, at the end of its preamble, before the device takes the window for silent
    assert starts + 8 * symbol_us < silent_at(closes_us, symbol_us) / rate


@given(dr=st.sampled_from(DRS), delay_s=st.sampled_from(DELAYS_S), bound_ppm=st.integers(0, 5_000))
def test_a_window_is_whole_symbols_and_no_longer_than_it_must(dr: int, delay_s: int, bound_ppm: int) -> None:
    """One symbol less misses an earliest preamble with a slow clock or a latest one with a fast clock.

    The error over the window itself is left out: it is below a hundredth of a symbol a thousand ppm.
    """
    symbol_us, delay_us = lora_symbol_us(EU868.modulation(dr)), delay_s * 1_000_000
    opens_us, closes_us = window_us(delay_us, symbol_us, bound_ppm)
    symbols, rest = divmod(closes_us - opens_us, symbol_us)
    assert rest == 0
    assert symbols >= NEEDED
    error_us = 20 + Fraction(delay_us * bound_ppm, 1_000_000)
    window_itself_us = 2 + Fraction(2 * 6 * symbol_us * bound_ppm, 1_000_000)
    assert symbols == NEEDED or (symbols - 1) * symbol_us <= 2 * symbol_us + 2 * error_us + window_itself_us


def test_both_windows_stand_where_the_delays_say() -> None:
    """A perfect clock needs the five symbols alone, in the middle of the preamble: 1.5 symbols after its start."""
    transmit = Transmit(1_000, b"", 868_100_000, EU868.modulation(5), 14.0, 500)
    rx1, rx2 = receive_windows(
        transmit,
        EU868,
        rx1_delay_us=3_000_000,
        rx1_freq_hz=868_300_000,
        rx1_dr=4,
        rx2_freq_hz=869_525_000,
        rx2_dr=0,
        crystal_ppm=0,
    )
    assert (rx1.opens_at, rx1.closes_at - rx1.opens_at) == (1_500 + 3_000_000 + 3 * 2_048 // 2, 5 * 2_048)
    assert (rx2.opens_at, rx2.closes_at - rx2.opens_at) == (1_500 + 4_000_000 + 3 * 32_768 // 2, 5 * 32_768)
    assert (rx1.window, rx1.freq_hz, rx1.modulation.sf) == (1, 868_300_000, 8)
    assert (rx2.window, rx2.freq_hz, rx2.modulation.sf) == (2, 869_525_000, 12)
