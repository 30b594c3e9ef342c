"""The server side of the remote multicast setup, for one device of a group.

Source: TS005-2.0.0 §4.2–4.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lorawan.crypto import derive_mc_session_keys, encrypt_mc_key
from lorawan.crypto.multicast import McSessionKeys
from lorawan.errors import FrameError
from lorawan.ids import AesKey, DevAddr
from lorawan.machine import Dropped, Instant
from lorawan.packages.asking import ASK_AGAIN_US, TRIES, Answered, Ask, Asking, Unanswered
from lorawan.packages.commands import Package, PackageCommand
from lorawan.packages.events import PackageUplinkHeard, SendDownlink
from lorawan.packages.multicast.commands import (
    MULTICAST_V2,
    TIME_TO_START_MAX,
    McClassBSessionAns,
    McClassBSessionAnsV1,
    McClassBSessionReq,
    McClassCSessionAns,
    McClassCSessionAnsV1,
    McClassCSessionReq,
    McGroupSetupReq,
)
from lorawan.packages.multicast.device import BEACON_PERIOD_S
from lorawan.units import US_PER_S


@dataclass(frozen=True, slots=True)
class McGroup:
    """A group as its server keeps it. min_mc_f_cnt: the next counter of the group when a device is let in."""

    mc_group_id: int
    mc_addr: DevAddr
    mc_key: AesKey
    min_mc_f_cnt: int
    max_mc_f_cnt: int

    @property
    def keys(self) -> McSessionKeys:
        """What its downlinks are enciphered and signed with."""
        return derive_mc_session_keys(self.mc_key, self.mc_addr)

    def setup(self, mc_ke_key: AesKey) -> McGroupSetupReq:
        """The request that lets the device with this McKEKey in. Raises FrameError for counters out of order."""
        if self.min_mc_f_cnt > self.max_mc_f_cnt:
            raise FrameError(f"{self.min_mc_f_cnt} above {self.max_mc_f_cnt}", field="minMcFCnt")
        encrypted = encrypt_mc_key(mc_ke_key, self.mc_key)
        return McGroupSetupReq(self.mc_group_id, self.mc_addr, encrypted, self.min_mc_f_cnt, self.max_mc_f_cnt)


def class_b_session(
    mc_group_id: int, starts_gps_s: int, time_out: int, periodicity: int, freq_hz: int, data_rate: int
) -> McClassBSessionReq:
    """A class B session. Raises FrameError unless it starts with a beacon (§4.6: a multiple of 128 s)."""
    if starts_gps_s % BEACON_PERIOD_S:
        raise FrameError(
            f"{starts_gps_s}", field="SessionTime", clause="TS005-2.0.0 §4.6", hint=f"a multiple of {BEACON_PERIOD_S} s"
        )
    return McClassBSessionReq(mc_group_id, starts_gps_s % (1 << 32), time_out, periodicity, freq_hz, data_rate)


@dataclass(frozen=True, slots=True)
class SessionPlanned:
    """Effect: the device will listen. clock_error_s: how late (early: negative) it will begin by our clock.

    None where it says FFFFFF, which means that its clock is far off.
    """

    mc_group_id: int
    clock_error_s: int | None


MulticastServerEvent: TypeAlias = Ask | PackageUplinkHeard
MulticastServerEffect: TypeAlias = SendDownlink | Answered | Unanswered | SessionPlanned | Dropped

_SESSION_ANSWERS = (McClassCSessionAns, McClassBSessionAns, McClassCSessionAnsV1, McClassBSessionAnsV1)


def _answers(request: PackageCommand, answer: PackageCommand) -> bool:
    """By CID and, where both name one, McGroupID."""
    theirs = getattr(answer, "mc_group_id", None)
    return request.cid == answer.cid and theirs in (None, getattr(request, "mc_group_id", None))


class MulticastServer:
    """The requests to one device."""

    def __init__(self, package: Package = MULTICAST_V2, *, again_us: int = ASK_AGAIN_US, tries: int = TRIES) -> None:
        self._asking = Asking(package, match=_answers, again_us=again_us, tries=tries)

    @property
    def wake_at(self) -> Instant | None:
        """When a request is to be repeated."""
        return self._asking.wake_at

    def wake(self, now: Instant) -> Sequence[MulticastServerEffect]:
        """Repeat what is due."""
        return self._asking.wake(now)

    def handle(self, event: MulticastServerEvent, now: Instant) -> Sequence[MulticastServerEffect]:
        """Take a request, or an uplink, in."""
        if isinstance(event, Ask):
            return self._asking.ask(event.command, now)
        effects: list[MulticastServerEffect] = []
        for effect in self._asking.heard(event.payload)[1]:
            effects.append(effect)
            if isinstance(effect, Answered) and isinstance(effect.answer, _SESSION_ANSWERS) and effect.answer.accepted:
                assert isinstance(effect.request, McClassCSessionReq | McClassBSessionReq)  # same CID
                effects.append(self._planned(effect.request, effect.answer.time_to_start_s, event.gps_us))
        return effects

    @staticmethod
    def _planned(request: McClassCSessionReq | McClassBSessionReq, to_start_s: int, gps_us: int) -> SessionPlanned:
        if to_start_s == TIME_TO_START_MAX:
            return SessionPlanned(request.mc_group_id, None)
        begins_s = gps_us // US_PER_S + to_start_s
        error_s = (begins_s - request.session_time + (1 << 31)) % (1 << 32) - (1 << 31)
        return SessionPlanned(request.mc_group_id, error_s)
