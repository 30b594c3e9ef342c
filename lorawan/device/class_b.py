"""Class B on the device: finding the beacon and following it with a drifting crystal.

The wish for class B (`Stage.ASKING`) first asks the network for the time and tells it the periodicity, then looks for a
beacon (`SEARCHING`); the first beacon makes the device one of class B (`LOCKED`). Windows widen with what the crystal
may have drifted since the last beacon; 120 minutes without one end class B.

Source: TS001-1.0.4 §8–§10; LoRaWAN 1.1 §9 and §12; LoRaWAN 1.0.2 §14.4 (BeaconTimingReq once an hour at most).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lorawan import mac_commands as mac
from lorawan.device.beacon_clock import BEACON_ERROR_US, DEVICE_TIME_ERROR_US, BeaconClock
from lorawan.device.class_state import Beaconed, Stage
from lorawan.device.events import (
    BeaconLost,
    BeaconMissed,
    BeaconNotFound,
    BeaconReceived,
    ClassChanged,
    DeviceEffect,
    LinkChecked,
    StopListening,
    TimeReceived,
)
from lorawan.device.listening import beacon_airtime_us, conflicts
from lorawan.device.phases import Phase
from lorawan.device.ping_windows import open_ping_slots
from lorawan.device.session import DeviceSession
from lorawan.device.state import DeviceState
from lorawan.device.windows import DETECT_SYMBOLS
from lorawan.errors import FrameError
from lorawan.frames.beacon import BEACON_PERIOD_S, decode_beacon
from lorawan.machine import Dropped, Instant
from lorawan.operating_class import OperatingClass
from lorawan.phy import Heard, Listen, Window, lora_symbol_us
from lorawan.ping_slots import (
    BEACON_DELAY_US,
    BEACON_PERIOD_US,
    DEFAULT_PERIODICITY,
    beacon_time_s,
    period_start_us,
)
from lorawan.units import US_PER_S
from lorawan.version import Version

BEACONLESS_US = 120 * 60 * US_PER_S  # TS001-1.0.4 §10.1
NOTICE_SPREAD_US = 120 * US_PER_S  # an uplink that a beacon caused waits 0–120 s: TS001-1.0.4 §13.6, 1.1 §15.5
ASKS = 3  # uplinks that ask before the device goes on without an answer [assumption]
SEARCHES = 3  # beacons that are looked for where their time is known [assumption]


# -- on the way to class B -----------------------------------------------------------------------------------------


def start(state: DeviceState, session: DeviceSession, periodicity: int, now: Instant) -> None:
    """The application wants class B."""
    state.classes.class_b = Beaconed(periodicity)
    _ask(state, session, state.classes.class_b, now)


def commanded(state: DeviceState, session: DeviceSession, news: Sequence[LinkChecked | TimeReceived]) -> None:
    """After a block of MAC commands: take the time over, and plan anew what they may have moved."""
    for time in news:
        if isinstance(time, TimeReceived):
            _learn_time(state, time)
    class_b = state.classes.class_b
    if class_b is not None and class_b.stage is Stage.LOCKED:
        class_b.ping = None
        if not class_b.beacon_open and class_b.period_start_us is not None:
            _expect(state, session, class_b, class_b.period_start_us)


def _learn_time(state: DeviceState, time: TimeReceived) -> None:
    """A DeviceTimeAns: GPS time at the end of the uplink that asked."""
    gps_us = time.gps_seconds * US_PER_S + time.fraction_256 * US_PER_S // 256
    clock, at = state.classes.clock, state.classes.tx_ends
    if clock is None or clock.error_at(at) > DEVICE_TIME_ERROR_US:  # a beacon said it better, until the crystal drifted
        state.classes.clock = BeaconClock(at, gps_us, DEVICE_TIME_ERROR_US, state.config.crystal_ppm)


def _ask(state: DeviceState, session: DeviceSession, class_b: Beaconed, now: Instant) -> None:
    requests: list[mac.MacCommand] = []
    if state.classes.clock is None and session.class_b.beacon_due is None:
        if state.config.version.rules.device_time:
            requests.append(mac.DeviceTimeReq())
        elif class_b.asked == 0:
            requests.append(mac.BeaconTimingReq())
    if not _periodicity_known(state, session, class_b):
        session.class_b.asked = class_b.periodicity
        requests.append(mac.PingSlotInfoReq(class_b.periodicity))
    for request in requests:
        session.request(request)
    if requests:
        state.classes.speak_at = now


def _periodicity_known(state: DeviceState, session: DeviceSession, class_b: Beaconed) -> bool:
    """1.0.2 §14.1 wants it acknowledged in any case; later versions have a default the network knows."""
    known = session.class_b.periodicity
    if known is None and state.config.version is not Version.V1_0_2:
        known = DEFAULT_PERIODICITY
    return known == class_b.periodicity


def _asking(state: DeviceState, session: DeviceSession, class_b: Beaconed, now: Instant) -> Sequence[DeviceEffect]:
    """Once the uplink that asked is over: go on, ask again, or do without."""
    known = _periodicity_known(state, session, class_b)
    timed = state.classes.clock is not None or session.class_b.beacon_due is not None
    if not (known and timed):
        if state.phase is Phase.RECEIVING or state.frame is not None or state.classes.speak_at is not None:
            return ()
        class_b.asked += 1
        asks_for_time = not timed and state.config.version.rules.device_time
        if class_b.asked < ASKS and (asks_for_time or not known):
            _ask(state, session, class_b, now)
            return ()
        if not known:
            state.classes.class_b = None
            why = Dropped("ping_slot_info", "TS001-1.0.4 §12.1", "no PingSlotInfoAns: the device stays in class A")
            return (why, BeaconNotFound())
    return _search(state, session, class_b, now)


def _search(state: DeviceState, session: DeviceSession, class_b: Beaconed, now: Instant) -> Sequence[DeviceEffect]:
    class_b.stage, class_b.beacon_open = Stage.SEARCHING, False
    due = session.class_b.beacon_due
    if state.classes.clock is not None:
        _expect(state, session, class_b, _next_start(state.classes.clock, now))
    elif due is not None and due[1] > now:
        class_b.beacon, class_b.period_start_us = _beacon_window(state, session, *due, None), None
    else:
        plan = state.config.region.class_b
        periods = 1 if session.class_b.beacon_freq_hz else len(plan.beacon_freqs_hz)
        class_b.beacon = _beacon_window(state, session, now, now + periods * BEACON_PERIOD_US, None)
        class_b.period_start_us = None
    return ()


def _next_start(clock: BeaconClock, now: Instant) -> int:
    """The GPS start of the first beacon whose window has not begun yet."""
    start_us = period_start_us(clock.gps_at(now)) + BEACON_PERIOD_US
    while clock.instant_of(start_us) - clock.error_at(clock.instant_of(start_us)) < now:
        start_us += BEACON_PERIOD_US
    return start_us


# -- beacons ---------------------------------------------------------------------------------------------------------


def _beacon_window(
    state: DeviceState, session: DeviceSession, earliest: Instant, latest: Instant, time_s: int | None
) -> Listen:
    plan = state.config.region.class_b
    modulation = state.config.region.modulation(plan.beacon_dr)
    planned_hz = plan.beacon_freqs_hz[0] if time_s is None else plan.beacon_freq_hz(time_s)
    closes_at = latest + DETECT_SYMBOLS * lora_symbol_us(modulation)
    return Listen(earliest, closes_at, session.class_b.beacon_freq_hz or planned_hz, modulation, Window.BEACON)


def _expect(state: DeviceState, session: DeviceSession, class_b: Beaconed, start_us: int) -> None:
    """Plan the window of the beacon that begins at GPS time start_us."""
    clock = state.classes.clock
    assert clock is not None
    at = clock.instant_of(start_us)
    error_us = clock.error_at(at)
    class_b.beacon = _beacon_window(state, session, at - error_us, at + error_us, beacon_time_s(start_us))
    class_b.period_start_us, class_b.beacon_open = start_us, False


def beacon_heard(
    state: DeviceState, session: DeviceSession, class_b: Beaconed, heard: Heard, now: Instant
) -> Sequence[DeviceEffect]:
    """A frame in the beacon window. Never raises on its bytes."""
    try:
        beacon = decode_beacon(heard.payload, heard.modulation.sf)
    except FrameError as error:
        return (Dropped("beacon", error.clause, str(error)),)
    start_us = beacon.gps_s * US_PER_S + BEACON_DELAY_US
    if beacon.gps_s % BEACON_PERIOD_S or (class_b.stage is Stage.LOCKED and start_us != class_b.period_start_us):
        return (Dropped("beacon_time", "TS001-1.0.4 §13.1", f"{beacon.gps_s} s is not the time of a beacon now"),)
    at = heard.at - beacon_airtime_us(heard.modulation)
    state.classes.clock = BeaconClock(at, start_us, BEACON_ERROR_US, state.config.crystal_ppm)
    class_b.last_beacon_at, class_b.missed, class_b.ping = at, 0, None
    class_b.received += 1
    beacon_dr = state.config.region.class_b.beacon_dr
    effects: list[DeviceEffect] = [
        BeaconReceived(class_b.received, heard.freq_hz, beacon_dr, heard.rssi_dbm, heard.snr_db, beacon)
    ]
    if class_b.stage is Stage.SEARCHING:
        class_b.stage = Stage.LOCKED
        state.classes.operating_class = OperatingClass.B
        effects.append(ClassChanged(OperatingClass.B))
        wait_us = state.draws.at("class_b_notice").integer(NOTICE_SPREAD_US, state.transmissions)
        state.classes.speak_at = now + wait_us
    _expect(state, session, class_b, start_us + BEACON_PERIOD_US)
    return effects


def _beacon_missed(
    state: DeviceState, session: DeviceSession, class_b: Beaconed, now: Instant
) -> Sequence[DeviceEffect]:
    if class_b.stage is Stage.LOCKED:
        assert class_b.period_start_us is not None
        class_b.missed += 1
        _expect(state, session, class_b, class_b.period_start_us + BEACON_PERIOD_US)
        return (BeaconMissed(class_b.missed),)
    class_b.searched += 1
    if state.classes.clock is not None and class_b.searched < SEARCHES:
        return _search(state, session, class_b, now)
    state.classes.class_b = session.class_b.beacon_due = None
    return (BeaconNotFound(),)


# -- as time passes --------------------------------------------------------------------------------------------------


def step(state: DeviceState, session: DeviceSession, now: Instant) -> Sequence[DeviceEffect]:
    """Open what is due, give up what did not come. Called whenever time has passed or something happened."""
    class_b = state.classes.class_b
    effects: list[DeviceEffect] = []
    if class_b is not None and class_b.stage is Stage.ASKING:
        effects += _asking(state, session, class_b, now)
        class_b = state.classes.class_b
    if class_b is None or class_b.stage is Stage.ASKING:
        return effects
    if class_b.stage is Stage.LOCKED and now >= class_b.last_beacon_at + BEACONLESS_US:
        return [*effects, BeaconLost(), *leave(state)]
    if class_b.beacon is not None and now > _last_end(class_b.beacon):
        effects += _beacon_missed(state, session, class_b, now)
        if state.classes.class_b is None:
            return effects
    beacon = class_b.beacon
    if beacon is not None and _may_open(state, class_b, beacon, now):
        class_b.beacon_open = True
        effects.append(replace(beacon, opens_at=now))
    elif beacon is not None and now >= beacon.closes_at:
        class_b.beacon_open = True  # too late to open it: what is left is to see that none came
    if class_b.stage is Stage.LOCKED:
        effects += open_ping_slots(state, session, class_b, now)
    return effects


def leave(state: DeviceState) -> Sequence[DeviceEffect]:
    """End class B, or the search for it; the class A windows that are open stay so."""
    classes = state.classes
    was_b, classes.class_b = classes.operating_class is OperatingClass.B, None
    effects: list[DeviceEffect] = [] if state.phase is Phase.RECEIVING else [StopListening()]
    if was_b:
        classes.operating_class = OperatingClass.A
        effects.append(ClassChanged(OperatingClass.A))
    return effects


def wake_at(state: DeviceState) -> Instant | None:
    """When `step` has something to do."""
    class_b = state.classes.class_b
    if class_b is None or class_b.beacon is None:
        return None
    wishes = [_last_end(class_b.beacon) + 1]
    if not class_b.beacon_open and not _in_the_way(state, class_b.beacon):
        wishes.append(class_b.beacon.opens_at)
    if class_b.stage is Stage.LOCKED:
        wishes.append(class_b.last_beacon_at + BEACONLESS_US)
        if class_b.ping is not None:
            wishes.append(class_b.ping.listen.opens_at)
    return min(wishes)


def _last_end(beacon: Listen) -> Instant:
    return beacon.closes_at + beacon_airtime_us(beacon.modulation)


def _may_open(state: DeviceState, class_b: Beaconed, beacon: Listen, now: Instant) -> bool:
    due = beacon.opens_at <= now < beacon.closes_at
    return due and not class_b.beacon_open and not _in_the_way(state, beacon)


def _in_the_way(state: DeviceState, beacon: Listen) -> bool:
    return conflicts(state, beacon.opens_at, _last_end(beacon))
