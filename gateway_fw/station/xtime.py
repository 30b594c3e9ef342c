"""xtime: a gateway's clock as a number that also says of which radio and of which session.

Source: Basics Station 2.0.6, ral.h (RAL_TXUNIT_SHIFT 56, RAL_XTSESS_SHIFT 48); timesync.c, ts_newXtimeSession.
"""

from __future__ import annotations

from dataclasses import dataclass

from lorawan.machine import Instant

COUNTER_BITS = 48
_SESSION_SHIFT, _UNIT_SHIFT = 48, 56
_COUNTER_MASK = (1 << COUNTER_BITS) - 1
MAX_XTIME = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class XTime:
    """unit: radio unit, 0–127. session: 1–255 (0 is never used). counter_us: since the radio's start, 48 bits."""

    unit: int
    session: int
    counter_us: int

    def __post_init__(self) -> None:
        if not (0 <= self.unit <= 127 and 0 <= self.session <= 255 and 0 <= self.counter_us <= _COUNTER_MASK):
            raise ValueError(f"unit {self.unit}, session {self.session}, counter {self.counter_us} do not fit an xtime")

    def __int__(self) -> int:
        return self.unit << _UNIT_SHIFT | self.session << _SESSION_SHIFT | self.counter_us

    @classmethod
    def of(cls, value: int) -> XTime:
        """Taken apart. Raises ValueError outside 0 … 2^63 − 1."""
        if not 0 <= value <= MAX_XTIME:
            raise ValueError(f"{value} is no xtime")
        return cls(value >> _UNIT_SHIFT, value >> _SESSION_SHIFT & 0xFF, value & _COUNTER_MASK)


@dataclass(frozen=True, slots=True)
class XTimeClock:
    """Instants to xtimes and back, within one session of one radio unit.

    counter_offset_us: the counter at instant 0; the SX130x counts from its start.
    """

    session: int
    counter_offset_us: int = 0
    unit: int = 0

    def xtime(self, at: Instant) -> int:
        """The xtime of an instant."""
        return int(XTime(self.unit, self.session, (at + self.counter_offset_us) & _COUNTER_MASK))

    def instant(self, value: int) -> Instant | None:
        """The instant of an xtime, or None where it is of another session or radio unit, or none at all."""
        if not 0 <= value <= MAX_XTIME:
            return None
        parts = XTime.of(value)
        if parts.session != self.session or parts.unit != self.unit:
            return None
        return parts.counter_us - self.counter_offset_us


def widened(tmst: int, near: int) -> int:
    """The xtime nearest to another one whose low 32 bits are tmst: what a Semtech UDP server's counter stands for."""
    ahead = (tmst - near) & 0xFFFFFFFF
    return near + (ahead if ahead < 1 << 31 else ahead - (1 << 32))
