"""From what was sent and what was reported to the lines of an acceptance. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.acceptance.air import OnAir
from bench.acceptance.frames import TestFrame
from bench.acceptance.lines import Line, at_least, at_most, fit_clocks, not_measured
from gateway_fw.concentrator.events import Reception
from gateway_fw.concentrator.setup import RadioSetup
from lorawan.machine import Instant

WRAP_27 = 1 << 27
PPM = 20.0  # assumption: two crystals of ±10 ppm each, as TCXO boards have
RF_STEP_HZ = 32_000_000 / (1 << 18)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is asked of a gateway. Defaults are ours: no standard sets them for a bench."""

    per_percent: float = 10.0
    timing_us: float = 1.0
    timing_fitted_us: float = 10.0
    rssi_db: float = 1.0
    rssi_spread_db: float = 6.0
    snr_db: float = 0.5
    freq_hz: float = 500.0
    power_step_db: float = 1.5


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame for the gateway under test, and when it ended in the other end's clock."""

    frame: TestFrame
    end_us: Instant


def receive_lines(
    sent: Sequence[Sent], got: Mapping[int, Reception], setup: RadioSetup, limits: Limits, *, exact: bool
) -> list[Line]:
    """Packet errors by data rate, channels, timing, levels and frequency."""
    lines: list[Line] = []
    good = [each for each in sent if each.frame.crc_ok]
    for rate in dict.fromkeys(each.frame.modulation for each in good):
        of_rate = [each for each in good if each.frame.modulation == rate]
        missing = sum(each.frame.number not in got for each in of_rate)
        note = f"{missing} of {len(of_rate)}"
        lines.append(at_most(f"RX PER {rate.datr}", 100 * missing / len(of_rate), limits.per_percent, "%", note))
    heard = [(each, got[each.frame.number]) for each in good if each.frame.number in got]
    wanted = {each.frame.if_chain for each in good}
    right = {each.frame.if_chain for each, reception in heard if reception.if_chain == each.frame.if_chain}
    lines.append(at_least("RX channels heard", len(right), len(wanted), f"of {len(wanted)}"))
    if not heard:
        return [*lines, not_measured("RX timing, level, frequency", "nothing was received")]
    lines.append(_timing("RX", [(each.end_us, reception.counter_us) for each, reception in heard], limits, exact=exact))
    errors_hz = [abs(reception.freq_error_hz or 0) for _, reception in heard]
    allowed = limits.freq_hz if exact else setup.radios[0].freq_hz * PPM / 1e6
    lines.append(at_most("RX frequency error, reported", max(errors_hz), allowed, "Hz"))
    lines.extend(_levels(heard, limits, exact=exact))
    return lines


def _levels(heard: Sequence[tuple[Sent, Reception]], limits: Limits, *, exact: bool) -> list[Line]:
    if exact:
        rssi = max(abs(reception.heard.rssi_dbm - each.frame.rssi_dbm) for each, reception in heard)
        snr = max(abs(reception.heard.snr_db - each.frame.snr_db) for each, reception in heard)
        return [
            at_most("RX RSSI error", rssi, limits.rssi_db, "dB"),
            at_most("RX SNR error", snr, limits.snr_db, "dB"),
        ]
    levels = [reception.heard.rssi_dbm for _, reception in heard]
    note = f"median {sorted(levels)[len(levels) // 2]:.0f} dBm; the loss between the boards is not known"
    return [
        at_most("RX RSSI spread", max(levels) - min(levels), limits.rssi_spread_db, "dB", note),
        not_measured("RX RSSI error", "needs a calibrated source"),
        not_measured("RX SNR error", "needs a calibrated source"),
    ]


def _timing(side: str, pairs: Sequence[tuple[int, int]], limits: Limits, *, exact: bool) -> Line:
    if exact:
        worst = max(abs((there - here + WRAP_27 // 2) % WRAP_27 - WRAP_27 // 2) for there, here in pairs)
        return at_most(f"{side} timing error", worst, limits.timing_us, "us")
    fit = fit_clocks(pairs)
    if fit is None:
        return not_measured(f"{side} timing error", "fewer than three frames")
    note = f"after a fit; the boards' clocks differ by {fit.drift_ppm:.2f} ppm"
    return at_most(f"{side} timing error", fit.worst_us, limits.timing_fitted_us, "us", note)


@dataclass(frozen=True, slots=True)
class Asked:
    """A frame the gateway under test was told to send. start_us: in its own counter, 32 bits."""

    frame: TestFrame
    start_us: int


def transmit_lines(
    asked: Sequence[Asked],
    on_air: Sequence[OnAir],
    done: int,
    setup: RadioSetup,
    limits: Limits,
    *,
    exact: bool,
) -> list[Line]:
    """Delivery, timing, frequency and power of what was sent."""
    seen = {each.number: each for each in on_air}
    pairs = [(each, seen[each.frame.number]) for each in asked if each.frame.number in seen]
    lines = [
        at_least("TX frames on the air", len(pairs), len(asked), f"of {len(asked)}"),
        at_least("TX completion told", done, len(asked), f"of {len(asked)}"),
    ]
    if not pairs:
        return [*lines, not_measured("TX timing, frequency, power", "nothing was heard")]
    lines.append(_timing("TX", [(air.start_us, each.start_us) for each, air in pairs], limits, exact=exact))
    if exact:
        off = max(abs(air.freq_hz - each.frame.freq_hz) for each, air in pairs)
        lines.append(at_most("TX frequency error", off, RF_STEP_HZ, "Hz", "the synthesizer's step"))
        wrong = max(abs(air.level_dbm - setup.gain_for(each.frame.power_dbm).power_dbm) for each, air in pairs)
        lines.append(at_most("TX power against the table", wrong, 0.0, "dB"))
        return lines
    off = max(abs(air.freq_error_hz) for _, air in pairs)
    lines.append(at_most("TX frequency error", off, setup.radios[0].freq_hz * PPM / 1e6, "Hz", "by the other board"))
    ladder = [air.level_dbm for _, air in sorted(pairs, key=lambda pair: pair[0].frame.power_dbm)]
    drops = [max(0.0, first - second) for first, second in pairwise(ladder)]
    lines.append(at_most("TX power falls where it should rise", max(drops, default=0.0), limits.power_step_db, "dB"))
    lines.append(not_measured("TX power against the table", "needs a power meter"))
    return lines
