"""The device core: one end device, from reset to acknowledged uplinks.

What it is asked to do arrives as events; what it does leaves as effects; `wake_at` says when it wants to act next.
When a frame goes out stands in `scheduling`, what it is and which windows follow in `transmitting`, `rejoining` and
`windows`, what an answer leads to in `receiving`; what classes B and C and multicast add in `switching` and beyond.
"""

from __future__ import annotations

from collections.abc import Sequence

from lorawan import mac_commands as mac
from lorawan.device import switching
from lorawan.device.config import Activation, DeviceConfig
from lorawan.device.events import (
    AddMulticast,
    DeviceEffect,
    DeviceEvent,
    ReceptionStarted,
    RemoveMulticast,
    RequestLinkCheck,
    RequestPingSlotInfo,
    RequestTime,
    SendDone,
    SendRequest,
    StartJoin,
    StartRejoin,
    SwitchClass,
)
from lorawan.device.memory import DeviceMemory
from lorawan.device.phases import Phase
from lorawan.device.receiving import take
from lorawan.device.rejoin import REJOIN_BYTES
from lorawan.device.rejoining import transmit_rejoin
from lorawan.device.scheduling import rejoin_wake_at, schedule, windows_closed
from lorawan.device.session import DeviceSession
from lorawan.device.state import first_state
from lorawan.device.transmitting import transmit_data, transmit_join
from lorawan.draws import Draws
from lorawan.machine import Dropped, Instant
from lorawan.phy import Heard


class DeviceCore:
    """A device of class A, and of B or C when it is asked.

    Effects are carried out in order; a Persist is durable before what follows it.

    draws: another place of the tree for each life of a device, so that its random DevNonces (before 1.0.4) differ.
    memory: of its last life, None for a device that has never run.
    """

    def __init__(self, config: DeviceConfig, draws: Draws, memory: DeviceMemory | None = None) -> None:
        self.config = config
        self._state = first_state(config, draws, memory or DeviceMemory())

    @property
    def session(self) -> DeviceSession | None:
        """The present session, None before the first join."""
        return self._state.session

    @property
    def memory(self) -> DeviceMemory:
        """What a power cut must not take: the last one persisted."""
        return self._state.memory

    @property
    def phase(self) -> Phase:
        """Where the radio is."""
        return self._state.phase

    @property
    def wake_at(self) -> Instant | None:
        """When the next transmission is due, the windows close, a rejoin comes due, or class B or C wants something."""
        wishes = (self._state.due, rejoin_wake_at(self._state), switching.wake_at(self._state))
        return min((at for at in wishes if at is not None), default=None)

    def handle(self, event: DeviceEvent, now: Instant) -> Sequence[DeviceEffect]:
        """Take an event in."""
        return [*self._take(event, now), *switching.standing(self._state, now)]

    def _take(self, event: DeviceEvent, now: Instant) -> Sequence[DeviceEffect]:
        state = self._state
        match event:
            case Heard():
                return take(state, event, now)
            case SendRequest():
                return self._send_requested(event, now)
            case ReceptionStarted():
                if state.phase is Phase.RECEIVING and state.due is not None:
                    state.due = max(state.due, event.ends_at + 1)
                return ()
            case StartJoin():
                if self.config.activation is Activation.ABP:
                    return (Dropped("activation", "LoRaWAN 1.0.4 §6.3", "an ABP device does not join"),)
                if not state.joining.wanted:
                    state.joining.start()
                    if state.phase is not Phase.RECEIVING:
                        return schedule(state, now)
                return ()
            case StartRejoin():
                return self._rejoin_requested(event, now)
            case RequestLinkCheck() | RequestTime():
                return self._mac_requested(event)
            case SwitchClass():
                return switching.switch(state, event, now)
            case RequestPingSlotInfo():
                return switching.tell_periodicity(state, event, now)
            case AddMulticast() | RemoveMulticast():
                return switching.change_groups(state, event)

    def wake(self, now: Instant) -> Sequence[DeviceEffect]:
        """Transmit what is due, close the windows, or open those of classes B and C."""
        return [*self._class_a_wake(now), *switching.standing(self._state, now)]

    def _class_a_wake(self, now: Instant) -> Sequence[DeviceEffect]:
        state = self._state
        if state.due is None:
            rejoin_at = rejoin_wake_at(state)
            return schedule(state, now) if rejoin_at is not None and rejoin_at <= now else ()
        if now < state.due:
            return ()
        if state.phase is not Phase.WAITING:
            return windows_closed(state, now)
        if state.joining.wanted:
            return transmit_join(state, now)
        wish = state.rejoining.chosen
        return transmit_data(state, now) if wish is None else transmit_rejoin(state, wish, now)

    # -- what the application asks ---------------------------------------------------------------------------------

    def _send_requested(self, request: SendRequest, now: Instant) -> Sequence[DeviceEffect]:
        state, session = self._state, self._state.session
        if not 1 <= request.f_port <= 224:
            return (Dropped("f_port", "LoRaWAN 1.0.4 §4.3.2", f"FPort {request.f_port} is not the application's"),)
        if session is not None and len(request.payload) > (limit := session.max_app_payload_bytes):
            detail = f"{len(request.payload)} bytes, {limit} fit this data rate"
            return (Dropped("payload_too_long", "RP002-1.0.4 §2.4.7", detail),)
        effects: list[DeviceEffect] = []
        # without a session only the newest reading is worth keeping
        while len(state.queue) >= (self.config.max_queue if session else 1):
            old = state.queue.popleft()
            effects.append(Dropped("not_joined" if session is None else "queue_full", "application queue"))
            effects.append(SendDone(None, 0, False if old.confirmed else None))
        state.queue.append(request)
        if state.phase is Phase.IDLE and (session is not None or state.joining.wanted):
            effects += schedule(state, now)
        return effects

    def _rejoin_requested(self, event: StartRejoin, now: Instant) -> Sequence[DeviceEffect]:
        state, session = self._state, self._state.session
        if event.rejoin_type not in REJOIN_BYTES:
            return (Dropped("rejoin_type", "LoRaWAN 1.1 §6.2.4", f"there is no type {event.rejoin_type}"),)
        if session is None or not session.is_1_1 or self.config.activation is Activation.ABP:
            return (Dropped("not_joined", "LoRaWAN 1.1 §6.2.4", "only a session joined in 1.1 form rejoins"),)
        if event.rejoin_type not in state.rejoining.asked:
            state.rejoining.asked.append(event.rejoin_type)
        return schedule(state, now) if state.phase is Phase.IDLE else ()

    def _mac_requested(self, event: RequestLinkCheck | RequestTime) -> Sequence[DeviceEffect]:
        session = self._state.session
        if session is None:
            return (Dropped("not_joined", "LoRaWAN 1.0.4 §5"),)
        if isinstance(event, RequestTime):
            if not self.config.version.rules.device_time:
                return (Dropped("version", "LoRaWAN 1.0.3 §5.9", "1.0.2 has no DeviceTimeReq"),)
            session.request(mac.DeviceTimeReq())
        else:
            session.request(mac.LinkCheckReq())
        return ()
