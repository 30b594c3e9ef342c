"""Which GPS time belongs to which instant of the concentrator, from one pulse per second to the next.

Source: loragw_gps.c (sx1302_hal 2.1.0), lgw_gps_sync: a pairing is refused when counter and GPS time do not advance
alike within 10 ppm; the third refusal in a row begins anew.
"""

from __future__ import annotations

from gateway_fw.gps.reference import TimeReference
from lorawan.machine import Dropped, Instant
from lorawan.units import US_PER_S

MAX_RATE_ERROR = 10e-6  # loragw_gps.c PLUS_10PPM, MINUS_10PPM
REFUSALS = 3
RATE_WEIGHT = 1 / 16  # lora_pkt_fwd.c XERR_INIT_AVG: its crystal error is a mean of 16
_CLAUSE = "loragw_gps.c, lgw_gps_sync"


class Pairing:
    """Takes a pulse's instant and the GPS time of that pulse, gives a reference or says why not."""

    def __init__(self) -> None:
        self._last: TimeReference | None = None
        self._rate: float | None = None
        self._refused = 0
        self.resynchronised = 0

    def pair(self, at: Instant, gps_us: int, leap_s: int) -> TimeReference | Dropped:
        """A new reference, or why this pairing is not trusted."""
        last = self._last
        if last is None:
            return self._accept(TimeReference(at, gps_us, leap_s))
        advance_us = gps_us - last.gps_us
        slope = (at - last.at) / advance_us if advance_us else 0.0
        if abs(slope - 1.0) <= MAX_RATE_ERROR:
            self._rate = slope if self._rate is None else self._rate + (slope - self._rate) * RATE_WEIGHT
            return self._accept(TimeReference(at, gps_us, leap_s, self._rate))
        self._refused += 1
        if self._refused >= REFUSALS:
            self.resynchronised += 1
            return self._accept(TimeReference(at, gps_us, leap_s, 1.0 if self._rate is None else self._rate))
        detail = f"counter {at - last.at} µs, GPS {advance_us} µs after {last.gps_us / US_PER_S:.3f} s"
        return Dropped("gps_slope", _CLAUSE, detail)

    def _accept(self, reference: TimeReference) -> TimeReference:
        self._last, self._refused = reference, 0
        return reference
