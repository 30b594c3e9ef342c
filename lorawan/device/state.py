"""What one device core holds; its parts (scheduling, transmitting, receiving) are functions over it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from lorawan import mac_commands as mac
from lorawan.device.config import Activation, DeviceConfig, DeviceMemory
from lorawan.device.events import SendRequest
from lorawan.device.joining import Joining
from lorawan.device.pending import PendingFrame
from lorawan.device.phases import Phase
from lorawan.device.session import DeviceSession, new_session
from lorawan.draws import Draws
from lorawan.machine import Instant
from lorawan.regions import DutyCycle


@dataclass(slots=True)
class DeviceState:
    """Mutable, owned by one core.

    due: when the phase moves on: the frame goes out (WAITING) or the windows close (RECEIVING). not_before: no frame
    before this instant. transmissions: ever made, the index of draws.
    """

    config: DeviceConfig
    draws: Draws
    memory: DeviceMemory
    duty: DutyCycle
    joining: Joining
    session: DeviceSession | None = None
    phase: Phase = Phase.IDLE
    due: Instant | None = None
    queue: deque[SendRequest] = field(default_factory=deque)
    frame: PendingFrame | None = None
    answered: bool = False  # the transmission whose windows are open
    not_before: Instant = 0
    transmissions: int = 0


def first_state(config: DeviceConfig, draws: Draws, memory: DeviceMemory) -> DeviceState:
    """The state at power-up: an ABP device has its session, another none."""
    state = DeviceState(config, draws, memory, DutyCycle(config.region), Joining(config, draws))
    if config.activation is Activation.ABP and config.dev_addr is not None and config.session_keys is not None:
        is_1_1 = config.version.is_1_1
        state.session = session = new_session(
            config.region, config.dev_addr, config.session_keys, is_1_1=is_1_1, dr=config.initial_dr
        )
        session.f_cnt_up = memory.f_cnt_up_reserved
        session.n_f_cnt_down, session.a_f_cnt_down = memory.n_f_cnt_down, memory.a_f_cnt_down
        if config.version.rules.reset_ind:
            session.announce = mac.ResetInd(1).encode()
    return state
