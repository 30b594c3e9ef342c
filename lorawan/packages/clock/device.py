"""The device side of clock synchronization: asks for the time, corrects its clock, keeps the period it was given.

Source: TS003-2.0.0 §3.2–3.4; TS003-1.0.0 §3.2–3.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from lorawan.draws import Draws
from lorawan.machine import Dropped, Instant
from lorawan.packages.clock.commands import (
    CLOCK_V2,
    AppTimeAns,
    AppTimeReq,
    DeviceAppTimePeriodicityAns,
    DeviceAppTimePeriodicityReq,
    ForceDeviceResyncCmd,
)
from lorawan.packages.commands import Package, PackageCommand, PackageVersionReq
from lorawan.packages.events import DeviceClock, PackageDownlink, PackageUplink, TimeKnown, uplinks_of
from lorawan.units import US_PER_S

CORRECTION_LIMITS: Final = (-(1 << 31), (1 << 31) - 1)  # TS003-2.0.0 §3.2: such a correction is only a part
PERIOD_UNIT_S: Final = 128  # TS003-1.0.0 §3.3: the period is 128 · 2^Period s ± rand(30) s (as SWL2001 keeps it)
PERIOD_JITTER_S: Final = 30


@dataclass(frozen=True, slots=True)
class ClockConfig:
    """accepts_periodicity: False where the application keeps its own (NotSupported is answered then).

    period_us: its own period, counted from the first request; None for never by itself. resync_interval_us: between the
    AppTimeReqs of one ForceDeviceResyncCmd, which is the application's choice; a minute is an assumption.
    """

    package: Package = CLOCK_V2
    accepts_periodicity: bool = True
    period_us: int | None = None
    resync_interval_us: int = 60 * US_PER_S


@dataclass(frozen=True, slots=True)
class RequestClock:
    """Event: ask for the time now. ans_required: answer even if the clock is right."""

    ans_required: bool = False


@dataclass(frozen=True, slots=True)
class ClockCorrected:
    """Effect: the clock was moved by correction_s; GPS time (µs) at instant 0 is gps_origin_us by it now."""

    correction_s: int
    gps_origin_us: int


ClockDeviceEvent: TypeAlias = PackageDownlink | RequestClock | TimeKnown
ClockDeviceEffect: TypeAlias = PackageUplink | ClockCorrected | Dropped


class ClockDevice:
    """One device's clock and its synchronization.

    AppTimeReq has the time at which it is handed over: what it waits for the duty cycle makes the correction wrong.
    """

    def __init__(self, config: ClockConfig, draws: Draws) -> None:
        self.config = config
        self.clock = DeviceClock()
        self._draws = draws
        self._token = 0
        self._asked = False  # an AppTimeReq waits for its answer
        self._periods = 0
        self._period_us = config.period_us
        self._next_period: Instant | None = None
        self._resyncs = 0
        self._next_resync: Instant | None = None

    @property
    def wake_at(self) -> Instant | None:
        """When the next AppTimeReq is due."""
        return min((at for at in (self._next_period, self._next_resync) if at is not None), default=None)

    def handle(self, event: ClockDeviceEvent, now: Instant) -> Sequence[ClockDeviceEffect]:
        """Take a downlink, a wish for the time, or the network's time in."""
        match event:
            case RequestClock():
                return (self._request(event.ans_required, now),)
            case TimeKnown():
                self.clock.gps_origin_us = event.gps_origin_us
                self._forget_request()
                return ()
            case PackageDownlink():
                return self._downlink(event, now)

    def wake(self, now: Instant) -> Sequence[ClockDeviceEffect]:
        """Ask for the time where that is due."""
        effects: list[ClockDeviceEffect] = []
        if self._next_resync is not None and self._next_resync <= now:
            effects.append(self._request(False, now))
            self._resyncs -= 1
            self._next_resync = now + self.config.resync_interval_us if self._resyncs else None
        if self._next_period is not None and self._next_period <= now:
            effects.append(self._request(False, now))
            self._plan_period(now)
        return effects

    def _downlink(self, event: PackageDownlink, now: Instant) -> Sequence[ClockDeviceEffect]:
        package = self.config.package
        if event.mc_group_id is not None:
            return (Dropped("multicast", package.clause, "unicast only"),)
        parsed = package.parse(event.payload, uplink=False)
        answers: list[PackageCommand] = []
        effects: list[ClockDeviceEffect] = []
        for command in parsed.commands:
            match command:
                case PackageVersionReq():
                    answers.append(package.version_ans)
                case AppTimeAns():
                    effects += self._answered(command, now)
                case DeviceAppTimePeriodicityReq():
                    answers.append(self._periodicity(command, now))
                case ForceDeviceResyncCmd():
                    self._resyncs = command.nb_transmissions  # 0 asks for nothing
                    self._next_resync = now if self._resyncs else None
        if parsed.rest:
            effects.append(Dropped("command", package.clause, f"not understood: {parsed.rest.hex()}"))
        return [*uplinks_of(answers, event.room_bytes), *effects]

    def _request(self, ans_required: bool, now: Instant) -> PackageUplink:
        self._asked = True
        if self._next_period is None:
            self._plan_period(now)
        request = AppTimeReq(self.clock.gps_s(now), self._token, ans_required)
        # version 1 asks for one transmission without ADR, as the reception time is what counts (TS003-1.0.0 §3.2)
        return PackageUplink((request,), once=self.config.package.version == 1)

    def _answered(self, answer: AppTimeAns, now: Instant) -> list[ClockDeviceEffect]:
        clause = f"{self.config.package.clause}.2"
        if not self._asked or answer.token_ans != self._token:
            return [Dropped("token", clause, f"TokenAns {answer.token_ans}, TokenReq {self._token}")]
        self._forget_request()
        self._resyncs, self._next_resync = 0, None
        self.clock.gps_origin_us += answer.time_correction * US_PER_S
        effects: list[ClockDeviceEffect] = [ClockCorrected(answer.time_correction, self.clock.gps_origin_us)]
        if answer.time_correction in CORRECTION_LIMITS:
            effects.append(self._request(False, now))
        return effects

    def _forget_request(self) -> None:
        """The clock is set: what was asked of the old one is not to correct the new one."""
        if self._asked:
            self._asked = False
            self._token = (self._token + 1) % 16

    def _periodicity(self, command: DeviceAppTimePeriodicityReq, now: Instant) -> DeviceAppTimePeriodicityAns:
        if self.config.accepts_periodicity:
            self._period_us = PERIOD_UNIT_S * US_PER_S << command.period
            self._plan_period(now)
        return DeviceAppTimePeriodicityAns(not self.config.accepts_periodicity, self.clock.gps_s(now))

    def _plan_period(self, now: Instant) -> None:
        if self._period_us is None:
            self._next_period = None
            return
        jitter_us = self._draws.at("clock_period").integer(2 * PERIOD_JITTER_S * US_PER_S + 1, self._periods)
        self._periods += 1
        self._next_period = now + self._period_us + jitter_us - PERIOD_JITTER_S * US_PER_S
