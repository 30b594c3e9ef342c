"""What a frame that was heard leads to: a session from a join accept; commands, data and counters from a downlink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lorawan.device import downlink, join, switching
from lorawan.device.class_b import beacon_heard, commanded
from lorawan.device.commands import CommandContext, carry_out
from lorawan.device.events import DeviceEffect, Joined, Received
from lorawan.device.listening import heard_in, stop
from lorawan.device.phases import Step, advance
from lorawan.device.scheduling import frame_over, schedule, windows_closed
from lorawan.device.session import DeviceSession
from lorawan.device.state import DeviceState
from lorawan.device.unsolicited import take_multicast, take_unicast
from lorawan.errors import FrameError
from lorawan.frames import DataDown, EncryptedJoinAccept, parse
from lorawan.machine import Dropped, Instant
from lorawan.phy import Heard, Window


def take(state: DeviceState, heard: Heard, now: Instant) -> Sequence[DeviceEffect]:
    """A frame from the air. Never raises on its bytes."""
    window, session, class_b = heard_in(state, heard), state.session, state.classes.class_b
    if window is None:
        return (Dropped("not_listening", "LoRaWAN 1.0.4 §3.3"),)
    if not heard.crc_ok:
        return (Dropped("crc", "LoRaWAN 1.0.4 §4"),)
    if window is Window.BEACON and session is not None and class_b is not None:
        return beacon_heard(state, session, class_b, heard, now)
    try:
        frame = parse(heard.payload, uplink=False)
    except FrameError as error:
        return (Dropped("frame", error.clause, str(error)),)
    if isinstance(frame, DataDown) and frame.dev_addr in state.classes.groups:
        return take_multicast(state, frame, window)
    if window not in (Window.RX1, Window.RX2):
        if isinstance(frame, DataDown) and session is not None:
            return take_unicast(state, session, frame, window, now)
        return (Dropped("unexpected", "LoRaWAN 1.0.4 §4.2.1", type(frame).__name__),)
    attempt = state.joining.attempt or state.rejoin_attempt
    if attempt is not None and isinstance(frame, EncryptedJoinAccept):
        return _join_accepted(state, heard.payload, attempt, now)
    # the network may answer a rejoin with data too (LoRaWAN 1.1 §6.2.4.4)
    if state.joining.attempt is None and state.session is not None and isinstance(frame, DataDown):
        return _downlink(state, frame, heard, state.session, now)
    return (Dropped("unexpected", "LoRaWAN 1.0.4 §4.2.1", type(frame).__name__),)


def _join_accepted(state: DeviceState, payload: bytes, attempt: join.Attempt, now: Instant) -> Sequence[DeviceEffect]:
    accepted = join.accept(payload, attempt, state.config, state.memory, state.session)
    if isinstance(accepted, Dropped):
        return (accepted,)
    state.session, memory = accepted
    state.session.rejoins.since = now
    if attempt.rejoin_type is None:
        state.joining.finish()
        state.rejoining.joined(now)
    state.rejoin_attempt = None
    effects: list[DeviceEffect] = [
        *state.persist(replace(memory, session=state.session_at_rest())),
        Joined(state.session.dev_addr, attempt.dev_nonce, attempt.rejoin_type),
        stop(state),
        *switching.joined(state, state.session, anew=attempt.rejoin_type is None),
        *frame_over(state),  # a frame of the old session ends with it
    ]
    state.phase, state.due, state.not_before = advance(state.phase, Step.WINDOWS_CLOSED), None, now
    return [*effects, *schedule(state, now)]


def _downlink(
    state: DeviceState, frame: DataDown, heard: Heard, session: DeviceSession, now: Instant
) -> Sequence[DeviceEffect]:
    accepted = downlink.accept(frame, session, state.config.version)
    if isinstance(accepted, Dropped):
        return (accepted,)
    session.last_snr_db = heard.snr_db
    session.adr_ack_cnt = 0
    if state.frame is not None:
        state.frame.acknowledged = state.frame.confirmed and accepted.ack
    given = carry_out(accepted.commands, CommandContext(session, state.config, now))
    # the downlink ends the repetition of answers; what classes B and C left to be answered has not been sent yet
    session.answers = (*(answer for answer in session.answers if not answer.sent), *given.given)
    commanded(state, session, given.news)
    effects: list[DeviceEffect] = [*state.remember(), stop(state), *given.news]
    if accepted.confirmed:
        session.confirm_f_cnt_down, state.classes.answer_by = accepted.f_cnt & 0xFFFF, None
    if accepted.f_port is not None and accepted.f_port > 0:
        effects.append(
            Received(accepted.f_port, accepted.payload, accepted.f_cnt, accepted.confirmed, accepted.f_pending)
        )
    state.answered = True
    return [*effects, *windows_closed(state, now)]
