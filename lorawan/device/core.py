"""The device core: one class A end device, from reset to acknowledged uplinks.

What it is asked to do arrives as events; what it does leaves as effects; `wake_at` says when it wants to act next.
When a frame goes out stands in `scheduling`, what it is and which windows follow in `transmitting` and `windows`, what
an answer leads to in `receiving`.
"""

from __future__ import annotations

from collections.abc import Sequence

from lorawan import mac_commands as mac
from lorawan.device.config import Activation, DeviceConfig, DeviceMemory
from lorawan.device.events import (
    DeviceEffect,
    DeviceEvent,
    ReceptionStarted,
    RequestLinkCheck,
    RequestTime,
    SendDone,
    SendRequest,
    StartJoin,
)
from lorawan.device.phases import Phase
from lorawan.device.receiving import take
from lorawan.device.scheduling import schedule, windows_closed
from lorawan.device.session import DeviceSession
from lorawan.device.state import first_state
from lorawan.device.transmitting import transmit_data, transmit_join
from lorawan.draws import Draws
from lorawan.machine import Dropped, Instant
from lorawan.phy import Heard


class DeviceCore:
    """A class A device. Effects are carried out in order; a Persist is durable before what follows it."""

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
        """When the next transmission is due or the windows close."""
        return self._state.due

    def handle(self, event: DeviceEvent, now: Instant) -> Sequence[DeviceEffect]:
        """Take an event in."""
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
            case RequestLinkCheck() | RequestTime():
                return self._mac_requested(event)

    def wake(self, now: Instant) -> Sequence[DeviceEffect]:
        """Transmit what is due, or close the windows."""
        state = self._state
        if state.due is None or now < state.due:
            return ()
        if state.phase is Phase.WAITING:
            return transmit_join(state, now) if state.joining.wanted else transmit_data(state, now)
        return windows_closed(state, now)

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

    def _mac_requested(self, event: RequestLinkCheck | RequestTime) -> Sequence[DeviceEffect]:
        session = self._state.session
        if session is None:
            return (Dropped("not_joined", "LoRaWAN 1.0.4 §5"),)
        if isinstance(event, RequestTime):
            if not self.config.version.rules.device_time:
                return (Dropped("version", "LoRaWAN 1.0.3 §5.9", "1.0.2 has no DeviceTimeReq"),)
            encoded = mac.DeviceTimeReq().encode()
        else:
            encoded = mac.LinkCheckReq().encode()
        if encoded not in session.requests:  # both commands are one byte: asking twice asks once
            session.requests += encoded
        return ()
