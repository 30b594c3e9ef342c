"""How far a run is: a bar on a terminal, a line every ten seconds elsewhere. Always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

HEARTBEAT_S = 10.0


class Reporter(Protocol):
    """What a run tells of its progress."""

    def update(self, stage: str, day: int, days: int, note: str) -> None:
        """`day` of `days` of a stage are done, or sites of its terrain; note: what is going on, in a few words."""


class Quiet:
    """Says nothing."""

    def update(self, stage: str, day: int, days: int, note: str) -> None:
        """Say nothing."""


class Heartbeat:
    """A line when a stage begins and when its last day is done, and otherwise at most one every ten seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._start = clock()
        self._last = self._start
        self._seen: set[tuple[str, bool]] = set()

    def update(self, stage: str, day: int, days: int, note: str) -> None:
        """Write a line where one is due."""
        now, turn = self._clock(), (stage, day >= days)
        if turn in self._seen and now - self._last < HEARTBEAT_S:
            return
        self._last = now
        self._seen.add(turn)
        tail = f", {note}" if note else ""
        self._stream.write(f"[{now - self._start:6.1f} s] {stage}: {day} of {days}{tail}\n")
        self._stream.flush()


class Bar:
    """A bar a stage."""

    def __init__(self, progress: RichProgress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def update(self, stage: str, day: int, days: int, note: str) -> None:
        """Move the stage's bar."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=days, note=note)
        self._progress.update(self._tasks[stage], completed=day, total=days, note=note)


@contextmanager
def reporter(*, quiet: bool) -> Iterator[Reporter]:
    """The reporter that fits stderr."""
    if quiet:
        yield Quiet()
        return
    if not sys.stderr.isatty():
        yield Heartbeat(sys.stderr)
        return
    from rich.console import Console  # noqa: PLC0415 - keeps --help quick
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Bar(progress)
