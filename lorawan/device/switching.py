"""From one class to another, and what classes B and C do as time passes beside the class A core.

A 1.1 device changes between A and C with DeviceModeInd in each uplink until DeviceModeConf, and switches as the first
one goes out; before 1.1 the application's word is enough, and the network knows by other means.

Source: LoRaWAN 1.1 §17–§18; TS001-1.0.4 §8 and §15 (never B and C at once).
"""

from __future__ import annotations

from collections.abc import Sequence

from lorawan import mac_commands as mac
from lorawan.device import class_b
from lorawan.device.class_state import Subscription
from lorawan.device.events import (
    AddMulticast,
    ClassChanged,
    DeviceEffect,
    RemoveMulticast,
    RequestPingSlotInfo,
    StopListening,
    SwitchClass,
)
from lorawan.device.listening import keep_open
from lorawan.device.phases import Phase
from lorawan.device.scheduling import schedule
from lorawan.device.session import DeviceSession
from lorawan.device.state import DeviceState
from lorawan.errors import MisuseError
from lorawan.machine import Dropped, Instant
from lorawan.operating_class import DEVICE_MODES, OperatingClass
from lorawan.ping_slots import DEFAULT_PERIODICITY, MAX_PERIODICITY


def switch(state: DeviceState, event: SwitchClass, now: Instant) -> Sequence[DeviceEffect]:
    """The application wants another class. Raises MisuseError for a periodicity that does not exist."""
    session, classes, wanted = state.session, state.classes, event.operating_class
    _check(event.periodicity)
    if session is None:
        return (Dropped("not_joined", "LoRaWAN 1.1 §9", "a device begins in class A, joined"),)
    periodicity = event.periodicity
    if periodicity is None:
        known = session.class_b.periodicity
        periodicity = DEFAULT_PERIODICITY if known is None else known
    under_way = classes.class_b
    if wanted is OperatingClass.B and under_way is not None and event.periodicity in (None, under_way.periodicity):
        return ()
    effects: list[DeviceEffect] = []
    if under_way is not None:
        effects += class_b.leave(state)
    if wanted is OperatingClass.B:
        if classes.operating_class is OperatingClass.C:
            if session.is_1_1:
                return (*effects, Dropped("class_c", "LoRaWAN 1.1 §17", "go to class A first: the network must know"))
            effects += _become(state, OperatingClass.A)
        class_b.start(state, session, periodicity, now)
    elif session.is_1_1 and wanted is not (classes.wanted or classes.operating_class):
        classes.wanted = wanted
        session.mode = mac.DeviceModeInd(DEVICE_MODES[wanted]).encode()
        classes.speak_at = now
    elif not session.is_1_1:
        effects += _become(state, wanted)
    return effects


def tell_periodicity(state: DeviceState, event: RequestPingSlotInfo, now: Instant) -> Sequence[DeviceEffect]:
    """The application wants the network to know. Raises MisuseError for a periodicity that does not exist."""
    _check(event.periodicity)
    session = state.session
    if session is None:
        return (Dropped("not_joined", "LoRaWAN 1.1 §9", "a device begins in class A, joined"),)
    if state.classes.class_b is not None:
        return (Dropped("class_b", "TS001-1.0.4 §12.1", "the periodicity is told in class A"),)
    session.class_b.asked = event.periodicity
    session.request(mac.PingSlotInfoReq(event.periodicity))
    state.classes.speak_at = now
    return ()


def _check(periodicity: int | None) -> None:
    if periodicity is not None and not 0 <= periodicity <= MAX_PERIODICITY:
        raise MisuseError(f"periodicity {periodicity}: 0 to {MAX_PERIODICITY}")


def uplink_made(state: DeviceState, session: DeviceSession) -> Sequence[DeviceEffect]:
    """A new uplink goes out: nothing else need be said, and a class that it announces begins."""
    classes = state.classes
    classes.speak_at, classes.empty_wanted = None, False
    wanted, classes.wanted = classes.wanted, None
    return _become(state, wanted) if wanted is not None and session.mode else ()


def _become(state: DeviceState, wanted: OperatingClass) -> Sequence[DeviceEffect]:
    classes = state.classes
    if wanted is classes.operating_class:
        return ()
    effects: list[DeviceEffect] = []
    if classes.rxc is not None:
        classes.rxc = None
        if state.phase is not Phase.RECEIVING:
            effects.append(StopListening())
    classes.operating_class = wanted
    return [*effects, ClassChanged(wanted)]


def joined(state: DeviceState, session: DeviceSession, *, anew: bool) -> Sequence[DeviceEffect]:
    """A session begins: in class A after a join; after a rejoin in the class the device had, which is told again."""
    classes = state.classes
    if anew:
        effects = [] if classes.class_b is None else list(class_b.leave(state))
        classes.wanted = classes.speak_at = classes.answer_by = None
        return [*effects, *_become(state, OperatingClass.A)]
    if classes.class_b is not None:
        classes.class_b.ping = None  # slots follow from the new DevAddr
    if classes.operating_class is OperatingClass.C and session.is_1_1:
        session.mode = mac.DeviceModeInd(DEVICE_MODES[OperatingClass.C]).encode()
    return ()


def change_groups(state: DeviceState, event: AddMulticast | RemoveMulticast) -> Sequence[DeviceEffect]:
    """The application adds a multicast group, or gives one up. A group added again keeps its counter."""
    classes = state.classes
    if isinstance(event, RemoveMulticast):
        if classes.groups.pop(event.mc_addr, None) is None:
            return (Dropped("multicast_unknown", "TS005-1.0.0 §4.4", str(event.mc_addr)),)
    else:
        group = event.group
        before = classes.groups.get(group.mc_addr)
        same = before is not None and before.group.keys == group.keys
        last = before.last_f_cnt if before is not None and same else None
        if group.data_rate is not None and not state.config.region.is_lora(group.data_rate, uplink=False):
            return (Dropped("multicast_dr", "RP002-1.0.4 §2", f"DR{group.data_rate}"),)
        classes.groups[group.mc_addr] = Subscription(group, last)
    if classes.class_b is not None:
        classes.class_b.ping = None
    return state.remember()


def standing(state: DeviceState, now: Instant) -> Sequence[DeviceEffect]:
    """After each step of the core: what classes B and C want now. A device that joins has class A's windows alone."""
    session, classes = state.session, state.classes
    if session is None or state.joining.wanted:
        return ()
    effects: list[DeviceEffect] = []
    if classes.class_b is not None:
        effects += class_b.step(state, session, now)
    if classes.speak_at is not None and classes.speak_at <= now and state.phase is Phase.IDLE:
        classes.empty_wanted = True
        effects += schedule(state, now)
    return [*effects, *keep_open(state, now)]


def wake_at(state: DeviceState) -> Instant | None:
    """When `standing` has something to do."""
    if state.session is None or state.joining.wanted:
        return None
    speak_at = state.classes.speak_at if state.phase is Phase.IDLE else None
    wishes = [at for at in (speak_at, class_b.wake_at(state)) if at is not None]
    return min(wishes, default=None)
