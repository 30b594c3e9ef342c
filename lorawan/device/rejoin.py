"""When a 1.1 device rejoins: limits, requests of the network and of the application, and the counters they use.

Source: LoRaWAN 1.1 §6.2.4 (Rejoin-Requests), §5.13 (ForceRejoinReq) and §5.14 (RejoinParamSetupReq).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from lorawan.draws import Draws
from lorawan.machine import Instant
from lorawan.units import US_PER_S

RJ_COUNT0_END = 0xFFFF  # a device that has come to 2^16 − 1 sends no more of types 0 and 2 (LoRaWAN 1.1 §6.2.4.1)
RJ_COUNT1_MAX = 0xFFFF  # RJcount1 never wraps around (LoRaWAN 1.1 §6.2.4.2)
REJOIN_BYTES = {0: 19, 1: 24, 2: 19}  # LoRaWAN 1.1 §6.2.4
_FORCED_UNIT_US = 32 * US_PER_S  # ForceRejoinReq: 32 s · 2^Period + Rand32, a random time of 0–32 s (1.1 §5.13)
_DUTY_DIVISOR = {0: 1_000, 1: 10_000, 2: 1_000}  # below 0.1 % for types 0 and 2, below 0.01 % for type 1 (1.1 §6.2.4)


@dataclass(frozen=True, slots=True)
class Forced:
    """A ForceRejoinReq that is being carried out. left: transmissions still to be made; at: not before."""

    rejoin_type: int
    data_rate: int
    period: int
    left: int
    at: Instant = 0


@dataclass(slots=True)
class RejoinPlan:
    """The part of a session that is about rejoining. uplinks, since: since its beginning or its last type 0 request."""

    rj_count0: int = 0
    max_count: int | None = None  # uplinks; None: no limit
    max_time_us: int | None = None
    uplinks: int = 0
    since: Instant = 0
    forced: Forced | None = None


class Wish(NamedTuple):
    """A rejoin that is wanted, from `at` on. data_rate None: the choice is the device's."""

    at: Instant
    rejoin_type: int
    data_rate: int | None = None


@dataclass(slots=True)
class Rejoining:
    """What outlives a session. asked: types the application wants; free_at: when a type's duty cycle lets it go again.

    type1_period_us: how often a request of type 1 goes out by itself, None for never. chosen: what WAITING waits for.
    """

    draws: Draws
    type1_period_us: int | None
    type1_since: Instant = 0
    asked: list[int] = field(default_factory=list)
    free_at: dict[int, Instant] = field(default_factory=dict)
    chosen: Wish | None = None
    requests: int = 0

    def wish(self, plan: RejoinPlan) -> Wish | None:
        """The rejoin that is wanted first, or None."""
        wishes = [Wish(0, rejoin_type) for rejoin_type in self.asked]
        if plan.forced is not None:
            wishes.append(Wish(plan.forced.at, plan.forced.rejoin_type, plan.forced.data_rate))
        if plan.max_count is not None and plan.uplinks >= plan.max_count:
            wishes.append(Wish(0, 0))
        if plan.max_time_us is not None:
            wishes.append(Wish(plan.since + plan.max_time_us, 0))
        if self.type1_period_us is not None:
            wishes.append(Wish(self.type1_since + self.type1_period_us, 1))
        allowed = [wish._replace(at=max(wish.at, self.free_at.get(_counted_as(wish), 0))) for wish in wishes]
        return min(allowed, key=lambda wish: wish.at, default=None)

    def sent(self, wish: Wish, plan: RejoinPlan, airtime_us: int, now: Instant) -> None:
        """A request went out: what wanted it is content, and its duty cycle begins to run."""
        rejoin_type = wish.rejoin_type
        self.requests += 1
        self.free_at[_counted_as(wish)] = now + airtime_us * _DUTY_DIVISOR[rejoin_type]
        forced = plan.forced
        if forced is not None and forced.rejoin_type == rejoin_type:
            wait_us = (_FORCED_UNIT_US << forced.period) + self.draws.integer(_FORCED_UNIT_US, self.requests)
            plan.forced = (
                Forced(rejoin_type, forced.data_rate, forced.period, forced.left - 1, now + wait_us)
                if forced.left > 1
                else None
            )
        if rejoin_type in self.asked:
            self.asked.remove(rejoin_type)
        if rejoin_type == 1:
            self.type1_since = now
        elif rejoin_type == 0:
            plan.uplinks, plan.since = 0, now

    def joined(self, now: Instant) -> None:
        """A join replaced the session: what was asked of the old one is void, and type 1 begins its period anew."""
        self.asked, self.chosen, self.type1_since = [], None, now

    def abandon(self, rejoin_type: int, plan: RejoinPlan) -> None:
        """No request of this type can ever go out: nothing wants it any more."""
        self.asked = [asked for asked in self.asked if asked != rejoin_type]
        if plan.forced is not None and plan.forced.rejoin_type == rejoin_type:
            plan.forced = None
        if rejoin_type == 0:
            plan.max_count = plan.max_time_us = None
        elif rejoin_type == 1:
            self.type1_period_us = None


def _counted_as(wish: Wish) -> int:
    return 1 if wish.rejoin_type == 1 else 0  # types 0 and 2 share a counter and a duty cycle
