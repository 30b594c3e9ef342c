"""The uplink counter of a session: which of the counters behind 16 bits a frame has, and whether it is new.

Source: LoRaWAN 1.0.4 §4.3.1.5, 1.1 §4.3.1.5; MAX_FCNT_GAP in 1.0.3 §4.3.1.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lorawan.machine import Dropped
from lorawan.secured import recover_f_cnt

_CLAUSE = "LoRaWAN 1.0.4 §4.3.1.5"


@dataclass(frozen=True, slots=True)
class Counted:
    """A genuine frame: its 32-bit counter. repeated: it was accepted before. restarted: the device began anew."""

    f_cnt: int
    repeated: bool = False
    restarted: bool = False


def count_up(
    last: int | None, low16: int, genuine: Callable[[int], bool], *, max_gap: int | None, relaxed: bool
) -> Counted | Dropped:
    """What a frame's counter is. genuine: whether the MIC is right for a counter. Never raises.

    max_gap: so many counters lost at once end the reception (1.0.2, 1.0.3); without it, up to 65,535 can be lost in a
    row, for a frame carries 16 bits of the counter. relaxed: a counter below `last` may be a device's new beginning.
    """
    f_cnt = recover_f_cnt(last, low16)
    if relaxed and last is not None and low16 < last and not genuine(f_cnt) and genuine(low16):
        within = max_gap is None or low16 < max_gap
        return Counted(low16, restarted=True) if within else Dropped("f_cnt_gap", "LoRaWAN 1.0.2 §4.3.1.5", f"{low16}")
    if last is not None and f_cnt < last:
        return Dropped("f_cnt_exhausted", _CLAUSE, f"{f_cnt} after {last}")
    if not genuine(f_cnt):
        # an old counter read as the next 65,536 fails here too: say which it was, after checking it is genuine
        old = f_cnt - 0x10000
        if last is not None and f_cnt - last > 0x8000 and old >= 0 and genuine(old):
            return Dropped("f_cnt_replay", _CLAUSE, f"{old} after {last}")
        return Dropped("mic", "LoRaWAN 1.0.4 §4.4", f"FCnt {f_cnt}")
    if f_cnt == last:
        return Counted(f_cnt, repeated=True)
    if max_gap is not None and f_cnt - (last if last is not None else 0) >= max_gap:
        return Dropped("f_cnt_gap", "LoRaWAN 1.0.2 §4.3.1.5", f"{f_cnt} after {last}")
    return Counted(f_cnt)
