"""Which frame goes out next and when, and what follows when its windows have closed."""

from __future__ import annotations

from collections.abc import Sequence

from lorawan.device.events import DeviceEffect, SendDone
from lorawan.device.pending import PendingFrame
from lorawan.device.phases import Step, advance
from lorawan.device.session import DeviceSession
from lorawan.device.state import DeviceState
from lorawan.machine import Dropped, Instant
from lorawan.units import US_PER_S

ACK_TIMEOUT_US = (1 * US_PER_S, 3 * US_PER_S)  # RETRANSMIT_TIMEOUT 2 ± 1 s, RP002-1.0.4 §2.4


def schedule(state: DeviceState, now: Instant) -> Sequence[DeviceEffect]:
    """From IDLE or WAITING: fix when the next frame goes out, if there is one."""
    at = max(now, state.not_before)
    if state.joining.wanted:
        if state.joining.exhausted(state.memory):
            state.joining.finish()
            return (Dropped("dev_nonce_exhausted", "LoRaWAN 1.0.4 §6.2.4", "every DevNonce has been used"),)
        state.due = state.joining.earliest(state.duty, at)
    elif state.session is not None and (state.frame is not None or state.queue):
        state.due = max(at, state.session.silent_until)
    else:
        return ()
    state.phase = advance(state.phase, Step.FRAME_DUE)
    return ()


def give_up(state: DeviceState, now: Instant, why: Dropped) -> Sequence[DeviceEffect]:
    """From WAITING: the frame can never be sent. Go on with the next."""
    state.phase, state.due = advance(state.phase, Step.GIVEN_UP), None
    return [why, *frame_over(state), *schedule(state, now)]


def windows_closed(state: DeviceState, now: Instant) -> Sequence[DeviceEffect]:
    """From RECEIVING: answered, or RX2 ended in silence. Repeat, or go on with the next frame."""
    state.phase, state.due = advance(state.phase, Step.WINDOWS_CLOSED), None
    if state.joining.attempt is not None:
        state.not_before = now + state.joining.unanswered()
        return schedule(state, now)
    frame, session = state.frame, state.session
    if frame is None or session is None:
        return schedule(state, now)
    ended_by_any = state.config.version.rules.nb_trans_applies_to_confirmed or not frame.confirmed
    done = frame.acknowledged or (state.answered and ended_by_any)
    unacknowledged = frame.confirmed and not frame.acknowledged
    if unacknowledged:  # the timeout also precedes the next new frame (LoRaWAN 1.0.4 §4.3.1.3)
        state.not_before = now + _ack_timeout_us(state)
    if not done and frame.sent < frame.tries:
        _lower_data_rate(state, frame, session)
        return schedule(state, now)
    if not state.answered:
        session.confirm_f_cnt_down = None  # the acknowledgement went out once; a repeat will ask again
    return [*frame_over(state), *schedule(state, now)]


def frame_over(state: DeviceState) -> Sequence[DeviceEffect]:
    """The frame under way, if any, has run its course: tell the application."""
    frame, state.frame = state.frame, None
    if frame is None or not frame.is_request:
        return ()
    return (SendDone(frame.f_cnt, frame.sent, frame.acknowledged if frame.confirmed else None),)


def _ack_timeout_us(state: DeviceState) -> int:
    low, high = ACK_TIMEOUT_US
    return low + state.draws.at("ack_timeout").integer(high - low, state.transmissions)


def _lower_data_rate(state: DeviceState, frame: PendingFrame, session: DeviceSession) -> None:
    """Every second try of a confirmed uplink, where the smaller frame still fits. Source: LoRaWAN 1.0.2 §18.4."""
    if frame.confirmed and state.config.version.rules.confirmed_tries and frame.sent % 2 == 0:
        lower = session.plan.next_lower_dr(session.dr)
        # M counts neither MHDR nor MIC
        if lower is not None and frame.phy_bytes - 5 <= session.plan.max_mac_payload_bytes(lower):
            session.dr = lower
