"""Data rate and channel index of 1.1 uplinks, which their MIC is made with and a capture does not hold.

They are found by trying. A half of a MIC has 16 bits and there are 1,536 pairs to try, so that one frame in 43 fits by
chance under a wrong key. A frequency is therefore taken to be one channel of the session, and a modulation one data
rate: what fits the first frame must fit all later ones.

Source: LoRaWAN 1.1 §4.4.2 (B1). One channel to a frequency, and to the end of the session, is an assumption: a network
may define two channels on one frequency, or move one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from bench.explain.known import Known
from lorawan.phy import LoraModulation
from lorawan.regions import EU868

_CHANNELS: Final = tuple(range(96))  # the most that any plan has (CN470, RP002-1.0.4)
_DATA_RATES: Final = tuple(range(16))
_TRIED: Final = "found by trying"
_AGREES: Final = "found by trying, with earlier frames"


@dataclass(slots=True)
class Indices:
    """What the frames of a session so far leave open: TxCh by frequency in Hz and TxDr by modulation."""

    _channels: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _rates: dict[LoraModulation | int, tuple[int, ...]] = field(default_factory=dict)

    def fitting(
        self, known: Known, fits: Callable[[Known], bool], freq_hz: int | None, modulation: LoraModulation | int | None
    ) -> Known | None:
        """`known` with the likeliest TxDr and TxCh that fit this frame and those before it; None where none do."""
        origin = self._origin(freq_hz)
        channels, rates = self._open_channels(freq_hz), self._open_rates(modulation)
        forms = (replace(known, tx_dr=dr, tx_ch=ch, tx_origin=origin) for dr in rates for ch in channels)
        found = [form for form in forms if fits(form)]
        if not found:
            return None
        # All that fit stay open, lest a pair that fits by chance hide the right one
        if freq_hz is not None:
            self._channels[freq_hz] = tuple(dict.fromkeys(form.tx_ch for form in found))
        if modulation is not None:
            self._rates[modulation] = tuple(dict.fromkeys(form.tx_dr for form in found))
        return found[0]

    def guess(self, known: Known, freq_hz: int | None, modulation: LoraModulation | int | None) -> Known:
        """`known` with the likeliest TxDr and TxCh for a frame that nothing fits."""
        dr, ch = self._open_rates(modulation)[0], self._open_channels(freq_hz)[0]
        origin = self._origin(freq_hz)
        return replace(known, tx_dr=dr, tx_ch=ch, tx_origin=origin if origin == _AGREES else "a guess: no other fits")

    def _origin(self, freq_hz: int | None) -> str:
        return _AGREES if freq_hz in self._channels else _TRIED

    def _open_channels(self, freq_hz: int | None) -> tuple[int, ...]:
        return _CHANNELS if freq_hz is None else self._channels.get(freq_hz, _CHANNELS)

    def _open_rates(self, modulation: LoraModulation | int | None) -> tuple[int, ...]:
        seen = None if modulation is None else self._rates.get(modulation)
        return _data_rates(modulation) if seen is None else seen


def _data_rates(modulation: LoraModulation | int | None) -> tuple[int, ...]:
    """The index in EU868 first, then the others: a capture does not say which region it is from."""
    try:
        first = EU868.dr_of(modulation) if isinstance(modulation, LoraModulation) else 7  # FSK
    except ValueError:
        return _DATA_RATES
    return first, *(dr for dr in _DATA_RATES if dr != first)
