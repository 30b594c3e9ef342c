"""What one device core holds; its parts (scheduling, transmitting, receiving) are functions over it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lorawan.device.class_state import ClassState, Subscription
from lorawan.device.config import Activation, DeviceConfig
from lorawan.device.events import Persist, SendRequest
from lorawan.device.join import Attempt
from lorawan.device.joining import Joining
from lorawan.device.memory import DeviceMemory, GroupMemory, SessionMemory
from lorawan.device.pending import PendingFrame
from lorawan.device.phases import Phase
from lorawan.device.rejoin import Rejoining
from lorawan.device.session import DeviceSession, new_session, resume
from lorawan.draws import Draws
from lorawan.mac_commands import ResetInd
from lorawan.machine import Instant
from lorawan.regions import DutyCycle


@dataclass(slots=True)
class DeviceState:
    """Mutable, owned by one core.

    due: when the phase moves on: the frame goes out (WAITING) or the windows close (RECEIVING). rejoin_attempt: the
    Rejoin-Request whose windows are open. not_before: no frame before this instant. transmissions: ever made, the index
    of draws.
    """

    config: DeviceConfig
    draws: Draws
    memory: DeviceMemory
    duty: DutyCycle
    joining: Joining
    rejoining: Rejoining
    session: DeviceSession | None = None
    phase: Phase = Phase.IDLE
    due: Instant | None = None
    queue: deque[SendRequest] = field(default_factory=deque)
    frame: PendingFrame | None = None
    rejoin_attempt: Attempt | None = None
    answered: bool = False  # the transmission whose windows are open
    not_before: Instant = 0
    transmissions: int = 0
    classes: ClassState = field(default_factory=ClassState)

    def remember(self) -> Sequence[Persist]:
        """Persist what has changed of what a power cut must not take; nothing if all of it is durable already."""
        groups = tuple(GroupMemory(one.group, one.last_f_cnt) for one in self.classes.groups.values())
        return self.persist(replace(self.memory, session=self.session_at_rest(), groups=groups))

    def session_at_rest(self) -> SessionMemory | None:
        """The session as it must survive, or None where a restart begins another."""
        return self.session.at_rest() if self.session is not None and self.config.remembers_session else None

    def persist(self, memory: DeviceMemory) -> Sequence[Persist]:
        """The memory from now on; nothing to do if it is durable already."""
        if memory == self.memory:
            return ()
        self.memory = memory
        return (Persist(memory),)


def first_state(config: DeviceConfig, draws: Draws, memory: DeviceMemory) -> DeviceState:
    """The state at power-up, in class A: an ABP device has its session, an OTAA device one that survived."""
    rejoining = Rejoining(draws.at("rejoin"), config.rejoin1_period_us)
    state = DeviceState(config, draws, memory, DutyCycle(config.region), Joining(config, draws), rejoining)
    state.classes.groups = {one.group.mc_addr: Subscription(one.group, one.last_f_cnt) for one in memory.groups}
    kept = memory.session if config.remembers_session else None
    if config.activation is Activation.OTAA:
        if kept is not None:
            state.session = new_session(config.region, kept.dev_addr, kept.keys, is_1_1=kept.is_1_1, dr=0)
            resume(state.session, kept, parameters=True)
    elif config.dev_addr is not None and config.session_keys is not None:
        is_1_1, resets = config.version.is_1_1, config.version.rules.reset_ind
        state.session = session = new_session(
            config.region, config.dev_addr, config.session_keys, is_1_1=is_1_1, dr=config.initial_dr
        )
        if kept is not None and (kept.dev_addr, kept.keys) == (session.dev_addr, session.keys):
            # with ResetInd only the counters survive a restart (LoRaWAN 1.1 §5.1, §6.3)
            resume(session, kept, parameters=not resets)
        if resets:
            session.announce = ResetInd(1).encode()
    return state
