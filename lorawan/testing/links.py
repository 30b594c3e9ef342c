"""What becomes of frames on their way: a link says of each when, and how often, it arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

Copies: TypeAlias = Sequence[int]
"""The copies of one frame that arrive; none: it is lost.

An uplink's copy is a delay in µs on top of its time on the air. A downlink's is how many receive windows it is late:
0 is the window it was meant for, and any other a replay, with the radio settings of the window it falls into.
"""

Link: TypeAlias = Callable[[bytes], Copies]
"""Asked once of each frame of its direction, in the order in which they were sent."""

ON_TIME: Final[Copies] = (0,)
LOST: Final[Copies] = ()


def perfect(_phy_payload: bytes) -> Copies:
    """Every frame arrives once, at once."""
    return ON_TIME


def silent(_phy_payload: bytes) -> Copies:
    """Nothing arrives."""
    return LOST


def losing(lost: Callable[[bytes], bool]) -> Link:
    """Frames of which `lost` is true do not arrive."""
    return lambda phy_payload: LOST if lost(phy_payload) else ON_TIME


@dataclass(slots=True)
class Script:
    """A link told beforehand: the copies of the first frame, of the second, …; after the last, every frame arrives."""

    fates: Sequence[Copies]
    frames: int = 0

    def __call__(self, _phy_payload: bytes) -> Copies:
        fate = self.fates[self.frames] if self.frames < len(self.fates) else ON_TIME
        self.frames += 1
        return fate
