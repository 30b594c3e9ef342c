"""The bench's side of certification: commands out, answers in, and whether an answer is the right one.

Source: TS009-1.1.0 §5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lorawan.machine import Dropped, Instant
from lorawan.packages.asking import ASK_AGAIN_US, TRIES, Answered, Ask, Asking, Unanswered
from lorawan.packages.certification.commands import (
    CERTIFICATION_V1,
    BeaconRxStatusInd,
    EchoIncPayloadAns,
    EchoIncPayloadReq,
)
from lorawan.packages.commands import PackageCommand, PackageVersionAns
from lorawan.packages.events import PackageUplinkHeard, SendDownlink


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """Effect: the device answered what the request does not allow."""

    request: PackageCommand
    answer: PackageCommand
    expected: str


@dataclass(frozen=True, slots=True)
class BeaconReported:
    """Effect: the device told of a beacon by itself."""

    indication: BeaconRxStatusInd


BenchEffect: TypeAlias = SendDownlink | Answered | Unanswered | WrongAnswer | BeaconReported | Dropped


def wrong(request: PackageCommand, answer: PackageCommand) -> str | None:
    """What was to be expected instead of this answer; None where it is right.

    An echo may be cut to what the device's data rate has room for, so a shorter one is right too.
    """
    if isinstance(request, EchoIncPayloadReq) and isinstance(answer, EchoIncPayloadAns):
        whole = bytes((byte + 1) % 256 for byte in request.payload)
        if answer.payload != whole[: len(answer.payload)] or not answer.payload:
            return f"{whole.hex()} or its beginning"
    if isinstance(answer, PackageVersionAns) and answer != CERTIFICATION_V1.version_ans:
        return str(CERTIFICATION_V1.version_ans)
    return None


class CertificationBench:
    """The commands to one device under test. Repeats those that have an answer until it comes.

    A repeated command counts in the device's downlink counter; give tries=1 where that matters.
    """

    def __init__(self, *, again_us: int = ASK_AGAIN_US, tries: int = TRIES) -> None:
        self._asking = Asking(CERTIFICATION_V1, again_us=again_us, tries=tries)

    @property
    def wake_at(self) -> Instant | None:
        """When a command is to be repeated."""
        return self._asking.wake_at

    def wake(self, now: Instant) -> Sequence[BenchEffect]:
        """Repeat what is due."""
        return self._asking.wake(now)

    def handle(self, event: Ask | PackageUplinkHeard, now: Instant) -> Sequence[BenchEffect]:
        """Send a command, or take an uplink in."""
        if isinstance(event, Ask):
            return self._asking.ask(event.command, now)
        parsed, effects = self._asking.heard(event.payload)
        out: list[BenchEffect] = []
        for effect in effects:
            out.append(effect)
            if isinstance(effect, Answered) and (expected := wrong(effect.request, effect.answer)) is not None:
                out[-1] = WrongAnswer(effect.request, effect.answer, expected)
        out += [BeaconReported(command) for command in parsed.commands if isinstance(command, BeaconRxStatusInd)]
        return out
