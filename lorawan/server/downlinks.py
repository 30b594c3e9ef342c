"""What an application wants delivered: a queue by priority, and the one confirmed downlink that waits for its ACK.

Source: LoRaWAN 1.0.4 §4.3.1.2 to §4.3.1.4; 1.0.3 §4.3.1.3 and 1.1 §4.3.1.3 for repeating a confirmed downlink.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from lorawan.machine import Dropped
from lorawan.server.events import QueueDownlink

MAX_QUEUED = 64  # of one device [assumption]
CONFIRMED_TRIES = 8  # of one counter value, 1.0.2 and 1.0.3: what 1.0.3 §18.4 recommends for uplinks [assumption]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A confirmed downlink that was sent `tries` times with counter f_cnt (32 bits)."""

    downlink: QueueDownlink
    f_cnt: int
    tries: int = 1


class DownlinkQueue:
    """Downlinks in the order in which they go out."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, QueueDownlink]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._waiting)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def first(self) -> QueueDownlink:
        """What goes out next. Raises IndexError on an empty queue."""
        return self._waiting[0][2]

    def add(self, downlink: QueueDownlink) -> Dropped | None:
        """Take one in, behind all of its priority; a full queue takes none."""
        if len(self._waiting) >= MAX_QUEUED:
            return Dropped("queue_full", "application queue", f"{MAX_QUEUED} downlinks wait for the device")
        self._waiting.append((-downlink.priority, next(self._numbers), downlink))
        self._waiting.sort(key=lambda entry: entry[:2])
        return None

    def take(self) -> QueueDownlink:
        """Remove and return the first."""
        return self._waiting.pop(0)[2]

    def drop_longer_than(self, room: int) -> list[QueueDownlink]:
        """Remove from the front whatever does not fit `room` bytes: the windows may stay as they are for ever."""
        dropped = []
        while self._waiting and len(self.first.payload) > room:
            dropped.append(self.take())
        return dropped
