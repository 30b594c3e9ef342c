"""The server side of clock synchronization: tells devices how far their clocks are off.

Source: TS003-2.0.0 §3.2–3.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lorawan.machine import Dropped, Instant
from lorawan.packages.asking import ASK_AGAIN_US, TRIES, Answered, Ask, Asking, Unanswered
from lorawan.packages.clock.commands import CLOCK_V2, AppTimeAns, AppTimeReq, DeviceAppTimePeriodicityAns
from lorawan.packages.clock.device import CORRECTION_LIMITS
from lorawan.packages.commands import Package
from lorawan.packages.events import PackageUplinkHeard, SendDownlink
from lorawan.units import US_PER_S


@dataclass(frozen=True, slots=True)
class ClockSeen:
    """Effect: the device's clock was deviation_s ahead (behind: negative) when it sent this."""

    deviation_s: int


ClockServerEvent: TypeAlias = PackageUplinkHeard | Ask
ClockServerEffect: TypeAlias = SendDownlink | ClockSeen | Answered | Unanswered | Dropped


class ClockServer:
    """One device's clock, as the application server knows it.

    tolerance_s: a clock that is off by no more is well synchronized, and its AppTimeReq goes unanswered unless it asks
    for an answer.
    """

    def __init__(
        self, package: Package = CLOCK_V2, *, tolerance_s: int = 0, again_us: int = ASK_AGAIN_US, tries: int = TRIES
    ) -> None:
        self._tolerance_s = tolerance_s
        self._asking = Asking(package, again_us=again_us, tries=tries)

    @property
    def wake_at(self) -> Instant | None:
        """When a command is to be repeated."""
        return self._asking.wake_at

    def wake(self, now: Instant) -> Sequence[ClockServerEffect]:
        """Repeat what is due."""
        return self._asking.wake(now)

    def handle(self, event: ClockServerEvent, now: Instant) -> Sequence[ClockServerEffect]:
        """Take an uplink, or a command for the device, in."""
        if isinstance(event, Ask):
            return self._asking.ask(event.command, now)
        parsed, effects = self._asking.heard(event.payload)
        out: list[ClockServerEffect] = list(effects)
        true_s = event.gps_us // US_PER_S % (1 << 32)
        for command in parsed.commands:
            match command:
                case AppTimeReq():
                    out += self._requested(command, true_s)
                case DeviceAppTimePeriodicityAns():
                    out.append(ClockSeen(command.device_time - true_s))
        return out

    def _requested(self, request: AppTimeReq, true_s: int) -> list[ClockServerEffect]:
        low, high = CORRECTION_LIMITS
        deviation_s = request.device_time - true_s
        effects: list[ClockServerEffect] = [ClockSeen(deviation_s)]
        if request.ans_required or abs(deviation_s) > self._tolerance_s:
            correction = max(low, min(high, -deviation_s))
            effects.append(SendDownlink(AppTimeAns(correction, request.token_req).encode()))
        return effects
