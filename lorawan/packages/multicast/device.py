"""The device side of the remote multicast setup: the table of groups, and sessions that start and end by the clock.

What must happen on the radio leaves as an effect: the group's keys, and when class B or C is to be open.
Source: TS005-2.0.0 §3 and §4.1–4.6; TS005-1.0.0 §4 where version 1 differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from lorawan.crypto import McSessionKeys, decrypt_mc_key, derive_mc_session_keys
from lorawan.ids import AesKey, DevAddr
from lorawan.machine import Dropped, Instant
from lorawan.packages.commands import Package, PackageCommand, PackageVersionReq
from lorawan.packages.events import DeviceClock, PackageDownlink, PackageUplink, TimeKnown, uplinks_of
from lorawan.packages.multicast.commands import (
    MAX_GROUPS,
    MULTICAST_V2,
    TIME_TO_START_MAX,
    McClassBSessionAns,
    McClassBSessionAnsV1,
    McClassBSessionReq,
    McClassCSessionAns,
    McClassCSessionAnsV1,
    McClassCSessionReq,
    McGroupDeleteAns,
    McGroupDeleteReq,
    McGroupSetupAns,
    McGroupSetupReq,
    McGroupStatusAns,
    McGroupStatusReq,
)
from lorawan.units import US_PER_S

BEACON_PERIOD_S: Final = 128  # TS005-2.0.0 §4.6: TimeOut counts beacon periods in class B


class McClass(StrEnum):
    """The class of a multicast session."""

    B = "B"
    C = "C"


@dataclass(frozen=True, slots=True)
class MulticastConfig:
    """mc_ke_key: what McKeys travel under. max_groups: 0–4.

    frequency_ok, data_rate_ok: what the device's region and radio can receive, such as `region.frequency_ok`.
    """

    mc_ke_key: AesKey
    frequency_ok: Callable[[int], bool]
    data_rate_ok: Callable[[int], bool]
    package: Package = MULTICAST_V2
    max_groups: int = MAX_GROUPS


@dataclass(frozen=True, slots=True)
class GroupDefined:
    """Effect: from now on frames to mc_addr are ours, under these keys.

    They are to be accepted for min_mc_f_cnt ≤ FCnt < max_mc_f_cnt. Source: as `lorawan.multicast`.
    """

    mc_group_id: int
    mc_addr: DevAddr
    keys: McSessionKeys
    min_mc_f_cnt: int
    max_mc_f_cnt: int


@dataclass(frozen=True, slots=True)
class GroupDeleted:
    """Effect: forget the group, its keys and counters."""

    mc_group_id: int


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Effect: listen for the group from now until closes_at (CloseSession comes then).

    Class C: all the time on freq_hz at data_rate, except in RX1 and RX2. Class B: in the group's ping slots of this
    periodicity; freq_hz 0 is the region's default there. periodicity: None in class C.
    """

    mc_group_id: int
    mc_class: McClass
    freq_hz: int
    data_rate: int
    periodicity: int | None
    closes_at: Instant


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Effect: listen for the group no longer, and go back to the class of before."""

    mc_group_id: int
    mc_class: McClass


@dataclass(frozen=True, slots=True)
class EndSession:
    """Event: the application has what it wanted; close the session before its time."""

    mc_group_id: int


MulticastDeviceEvent: TypeAlias = PackageDownlink | TimeKnown | EndSession
MulticastDeviceEffect: TypeAlias = PackageUplink | GroupDefined | GroupDeleted | OpenSession | CloseSession | Dropped


@dataclass(slots=True)
class _Planned:
    request: McClassBSessionReq | McClassCSessionReq
    closes_at: Instant | None = None  # None: not open yet

    @property
    def mc_class(self) -> McClass:
        return McClass.B if isinstance(self.request, McClassBSessionReq) else McClass.C


@dataclass(slots=True)
class _Group:
    mc_addr: DevAddr
    session: _Planned | None = None


class MulticastDevice:
    """One device's groups."""

    def __init__(self, config: MulticastConfig) -> None:
        self.config = config
        self.clock = DeviceClock()
        self._groups: dict[int, _Group] = {}
        self._now: Instant = 0

    @property
    def wake_at(self) -> Instant | None:
        """When the next session begins or ends."""
        times: list[Instant] = []
        for group in self._groups.values():
            planned = group.session
            if planned is not None:
                starts = self.clock.instant_of(planned.request.session_time, self._now)
                times.append(starts if planned.closes_at is None else planned.closes_at)
        return min(times, default=None)

    def handle(self, event: MulticastDeviceEvent, now: Instant) -> Sequence[MulticastDeviceEffect]:
        """Take a downlink, the time, or the end of a session in."""
        self._now = now
        match event:
            case TimeKnown():
                self.clock.gps_origin_us = event.gps_origin_us
                return ()
            case EndSession():
                return self._close(event.mc_group_id)
            case PackageDownlink():
                return self._downlink(event, now)

    def wake(self, now: Instant) -> Sequence[MulticastDeviceEffect]:
        """Open and close what is due."""
        self._now = now
        effects: list[MulticastDeviceEffect] = []
        for mc_group_id, group in sorted(self._groups.items()):
            planned = group.session
            if planned is None:
                continue
            request = planned.request
            if planned.closes_at is None:
                starts = self.clock.instant_of(request.session_time, now)
                if starts > now:
                    continue
                unit_s = BEACON_PERIOD_S if planned.mc_class is McClass.B else 1
                planned.closes_at = starts + (unit_s * US_PER_S << request.time_out)
                if planned.closes_at > now:
                    effects.append(
                        OpenSession(
                            mc_group_id,
                            planned.mc_class,
                            request.dl_freq_hz,
                            request.data_rate,
                            request.periodicity if isinstance(request, McClassBSessionReq) else None,
                            planned.closes_at,
                        )
                    )
                    continue
                group.session = None
                late = f"group {mc_group_id}: the clock was corrected past the session's end"
                effects.append(Dropped("start_missed", f"{self.config.package.clause}.5", late))
            elif planned.closes_at <= now:
                effects += self._close(mc_group_id)
        return effects

    def _downlink(self, event: PackageDownlink, now: Instant) -> Sequence[MulticastDeviceEffect]:
        package = self.config.package
        if event.mc_group_id is not None:
            return (Dropped("multicast", package.clause, "unicast only"),)
        parsed = package.parse(event.payload, uplink=False)
        answers: list[PackageCommand] = []
        effects: list[MulticastDeviceEffect] = []
        for command in parsed.commands:
            match command:
                case PackageVersionReq():
                    answers.append(package.version_ans)
                case McGroupStatusReq():
                    answers.append(self._status(command, event.room_bytes))
                case McGroupSetupReq():
                    answers.append(self._setup(command, effects))
                case McGroupDeleteReq():
                    known = command.mc_group_id in self._groups
                    if known:
                        effects += self._close(command.mc_group_id)
                        del self._groups[command.mc_group_id]
                        effects.append(GroupDeleted(command.mc_group_id))
                    answers.append(McGroupDeleteAns(command.mc_group_id, not known))
                case McClassCSessionReq() | McClassBSessionReq():
                    answers.append(self._plan(command, effects, now))
        if parsed.rest:
            effects.append(Dropped("command", package.clause, f"not understood: {parsed.rest.hex()}"))
        return [*uplinks_of(answers, event.room_bytes), *effects]

    def _status(self, request: McGroupStatusReq, room_bytes: int) -> McGroupStatusAns:
        """The groups asked for, without the highest ones where they have no room (§4.2)."""
        groups = [(i, g.mc_addr) for i, g in sorted(self._groups.items()) if request.req_group_mask >> i & 1]
        answer = McGroupStatusAns.of_groups(len(self._groups), tuple(groups))
        while groups and len(answer.encode()) > room_bytes:
            groups.pop()
            answer = McGroupStatusAns.of_groups(len(self._groups), tuple(groups))
        return answer

    def _setup(self, request: McGroupSetupReq, effects: list[MulticastDeviceEffect]) -> McGroupSetupAns:
        index = request.mc_group_id
        if index >= self.config.max_groups:
            return McGroupSetupAns(index, True)
        effects += self._close(index)
        mc_addr = request.mc_addr
        keys = derive_mc_session_keys(decrypt_mc_key(self.config.mc_ke_key, request.mc_key_encrypted), mc_addr)
        self._groups[index] = _Group(mc_addr)
        effects.append(GroupDefined(index, mc_addr, keys, request.min_mc_f_cnt, request.max_mc_f_cnt))
        return McGroupSetupAns(index, False)

    def _plan(
        self, request: McClassBSessionReq | McClassCSessionReq, effects: list[MulticastDeviceEffect], now: Instant
    ) -> PackageCommand:
        config, index = self.config, request.mc_group_id
        in_class_b = isinstance(request, McClassBSessionReq)
        dr_error = not config.data_rate_ok(request.data_rate)
        default = in_class_b and request.dl_freq_hz == 0  # the region's ping-slot frequency
        freq_error = not default and not config.frequency_ok(request.dl_freq_hz)
        group = self._groups.get(index)
        to_start_s = (self.clock.instant_of(request.session_time, now) - now) // US_PER_S
        start_missed = config.package.version >= 2 and to_start_s < 0
        if group is None or dr_error or freq_error or start_missed:
            errors = (index, dr_error, freq_error, group is None, 0)
            if config.package.version == 1:
                return McClassBSessionAnsV1(*errors) if in_class_b else McClassCSessionAnsV1(*errors)
            late = (start_missed, 0)
            return McClassBSessionAns(*errors, *late) if in_class_b else McClassCSessionAns(*errors, *late)
        effects += self._close(index)
        group.session = _Planned(request)
        # version 1 cannot say that a start is missed: such a session opens at once
        seconds = max(0, min(to_start_s, TIME_TO_START_MAX))
        good = (index, False, False, False, seconds)
        if config.package.version == 1:
            return McClassBSessionAnsV1(*good) if in_class_b else McClassCSessionAnsV1(*good)
        return McClassBSessionAns(*good, False, 0) if in_class_b else McClassCSessionAns(*good, False, 0)

    def _close(self, mc_group_id: int) -> list[MulticastDeviceEffect]:
        group = self._groups.get(mc_group_id)
        planned = group.session if group is not None else None
        if group is None or planned is None:
            return []
        group.session = None
        return [CloseSession(mc_group_id, planned.mc_class)] if planned.closes_at is not None else []
