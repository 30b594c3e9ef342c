"""When a class B device listens for downlinks: the ping slots of its own address and of its multicast groups.

Source: TS001-1.0.4 §9.2 (priorities) and §11; LoRaWAN 1.1 §13 and §16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from lorawan.device.beacon_clock import BeaconClock
from lorawan.device.class_state import Beaconed, PlannedPing
from lorawan.device.listening import conflicts
from lorawan.device.session import DeviceSession
from lorawan.device.state import DeviceState
from lorawan.device.windows import DETECT_SYMBOLS
from lorawan.ids import DevAddr
from lorawan.machine import Instant
from lorawan.operating_class import OperatingClass
from lorawan.phy import Listen, LoraModulation, Window, lora_symbol_us
from lorawan.ping_slots import beacon_time_s, next_ping_slot, period_start_us
from lorawan.units import US_PER_S

SLOT_ERROR_US = 1_000  # a gateway starts a ping slot's frame at a whole ms: PROTOCOL.md (sx1302_hal 2.1.0), "tmms"
_OPENED_KEPT_US = 10 * US_PER_S  # longer than any frame: until then what was heard may have begun in a window


class _Slot(NamedTuple):
    dev_addr: DevAddr
    gps_us: int
    listen: Listen


def open_ping_slots(state: DeviceState, session: DeviceSession, class_b: Beaconed, now: Instant) -> Sequence[Listen]:
    """The windows that are due; a slot in the way of class A's windows is left out (TS001-1.0.4 §11.2)."""
    effects: list[Listen] = []
    while True:
        if class_b.ping is None:
            class_b.ping = _plan(state, session, class_b, now)
        planned = class_b.ping
        if now < planned.listen.opens_at:
            return effects
        for dev_addr, gps_us in planned.passed:
            class_b.cursor[dev_addr] = gps_us + 1
        class_b.ping = None
        listen = planned.listen
        if now < listen.closes_at and not conflicts(state, listen.opens_at, listen.closes_at):
            effects.append(replace(listen, opens_at=now))
            kept = [old for old in class_b.opened if old.closes_at + _OPENED_KEPT_US > now]
            class_b.opened = (*kept, listen)


def _plan(state: DeviceState, session: DeviceSession, class_b: Beaconed, now: Instant) -> PlannedPing:
    """The next window: slots that collide on one channel share it; on several, the first by priority gets the radio.

    Source: TS001-1.0.4 §9.2, table 57 (FPending before, then multicast, then the higher address).
    """
    clock = state.classes.clock
    assert clock is not None
    slots = [_slot(state, session, class_b, clock, session.dev_addr, class_b.periodicity, 0, None, now)]
    for dev_addr, subscription in state.classes.groups.items():
        group = subscription.group
        if group.operating_class is OperatingClass.B:
            wants = (group.periodicity, group.freq_hz, group.data_rate)
            slots.append(_slot(state, session, class_b, clock, dev_addr, *wants, now))

    def priority(slot: _Slot) -> tuple[bool, bool, int]:
        return slot.dev_addr in class_b.f_pending, slot.dev_addr != session.dev_addr, int(slot.dev_addr)

    first = min(slots, key=lambda slot: slot.listen.opens_at)
    best = max((slot for slot in slots if slot.listen.opens_at < first.listen.closes_at), key=priority)
    colliding = [slot for slot in slots if _overlap(slot.listen, best.listen)]
    together = [slot.listen for slot in colliding if _channel(slot.listen) == _channel(best.listen)]
    listen = Listen(
        min(one.opens_at for one in together),
        max(one.closes_at for one in together),
        best.listen.freq_hz,
        best.listen.modulation,
        Window.PING,
    )
    return PlannedPing(listen, tuple((slot.dev_addr, slot.gps_us) for slot in colliding))


def _slot(
    state: DeviceState,
    session: DeviceSession,
    class_b: Beaconed,
    clock: BeaconClock,
    dev_addr: DevAddr,
    periodicity: int,
    freq_hz: int,
    data_rate: int | None,
    now: Instant,
) -> _Slot:
    region = state.config.region
    since = max(class_b.cursor.get(dev_addr, 0), clock.gps_at(now) - clock.error_at(now))
    gps_us = next_ping_slot(dev_addr, periodicity, since)
    at = clock.instant_of(gps_us)
    error_us = clock.error_at(at) + SLOT_ERROR_US
    if dev_addr == session.dev_addr:
        freq_hz, data_rate = session.class_b.ping_slot_freq_hz, session.class_b.ping_slot_dr
    planned_hz = region.class_b.ping_slot_freq_hz(int(dev_addr), beacon_time_s(period_start_us(gps_us)))
    modulation = region.modulation(region.class_b.beacon_dr if data_rate is None else data_rate)
    closes_at = at + error_us + DETECT_SYMBOLS * lora_symbol_us(modulation)
    return _Slot(dev_addr, gps_us, Listen(at - error_us, closes_at, freq_hz or planned_hz, modulation, Window.PING))


def _overlap(one: Listen, other: Listen) -> bool:
    return one.opens_at < other.closes_at and other.opens_at < one.closes_at


def _channel(listen: Listen) -> tuple[int, LoraModulation]:
    return listen.freq_hz, listen.modulation
