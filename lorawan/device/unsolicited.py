"""Downlinks outside the class A windows: in a ping slot, or in class C's window; and multicast in any of them.

They change the counters like any other, but class A's rules do not see them: the ADR counter goes on, sticky answers
are repeated, nothing is acknowledged by them. A confirmed one is answered soon, with an uplink of its own if need be.

Source: TS001-1.0.4 §9.3 and §15; LoRaWAN 1.1 §11.2 and §17.
"""

from __future__ import annotations

from collections.abc import Sequence

from lorawan.device import downlink, multicast
from lorawan.device.class_b import commanded
from lorawan.device.commands import CommandContext, carry_out
from lorawan.device.events import DeviceEffect, Received
from lorawan.device.scheduling import ACK_TIMEOUT_US
from lorawan.device.session import DeviceSession
from lorawan.device.state import DeviceState
from lorawan.frames import DataDown
from lorawan.machine import Dropped, Instant
from lorawan.operating_class import OperatingClass, response_timeout_us
from lorawan.phy import Window
from lorawan.units import US_PER_S
from lorawan.version import Version

_CLASS_OF = {Window.PING: OperatingClass.B, Window.RXC: OperatingClass.C, Window.RX2: OperatingClass.C}


def take_multicast(state: DeviceState, frame: DataDown, window: Window) -> Sequence[DeviceEffect]:
    """A frame to a group of the device. A class C group is also heard in RX2, where that is class C's window too."""
    subscription = state.classes.groups[frame.dev_addr]
    if _CLASS_OF.get(window) is not subscription.group.operating_class:
        return (Dropped("multicast_window", "TS001-1.0.4 §9.3, §15", f"heard in {window.name}"),)
    accepted = multicast.accept(frame, subscription)
    if isinstance(accepted, Dropped):
        return (accepted,)
    _mind_pending(state, frame, window)
    return (
        *state.remember(),
        Received(
            frame.f_port or 0, accepted.payload, accepted.f_cnt, False, accepted.f_pending, multicast=frame.dev_addr
        ),
    )


def take_unicast(
    state: DeviceState, session: DeviceSession, frame: DataDown, window: Window, now: Instant
) -> Sequence[DeviceEffect]:
    """A frame to the device itself, in a ping slot or in class C's window."""
    config = state.config
    version = config.version.in_session(is_1_1=session.is_1_1)
    if version is Version.V1_0_4 and (frame.f_opts or frame.f_port == 0):
        return (Dropped("unsolicited_commands", "TS001-1.0.4 §9.3.1", "MAC commands come in class A windows only"),)
    accepted = downlink.accept(frame, session, config.version)
    if isinstance(accepted, Dropped):
        return (accepted,)
    _mind_pending(state, frame, window)
    given = carry_out(accepted.commands, CommandContext(session, config, now, in_ping_slot=window is Window.PING))
    commanded(state, session, given.news)
    session.answers += given.given
    effects: list[DeviceEffect] = [*state.remember(), *given.news]
    if accepted.confirmed:
        session.confirm_f_cnt_down = accepted.f_cnt & 0xFFFF
        rx2_us = session.rx1_delay_us + US_PER_S
        state.classes.answer_by = now + response_timeout_us(session.nb_trans, rx2_us, adr=config.adr)
    if accepted.confirmed or given.given:
        _answer_soon(state, now)
    if accepted.f_port is not None and accepted.f_port > 0:
        effects.append(
            Received(accepted.f_port, accepted.payload, accepted.f_cnt, accepted.confirmed, accepted.f_pending)
        )
    return effects


def _mind_pending(state: DeviceState, frame: DataDown, window: Window) -> None:
    class_b = state.classes.class_b
    if class_b is not None and window is Window.PING:
        if frame.f_ctrl.f_pending:
            class_b.f_pending.add(frame.dev_addr)
        else:
            class_b.f_pending.discard(frame.dev_addr)
        class_b.ping = None


def _answer_soon(state: DeviceState, now: Instant) -> None:
    """At a random time within RETRANSMIT_TIMEOUT."""
    low, high = ACK_TIMEOUT_US
    wait_us = low + state.draws.at("response").integer(high - low, state.transmissions)
    classes = state.classes
    classes.speak_at = now + wait_us if classes.speak_at is None else min(classes.speak_at, now + wait_us)
