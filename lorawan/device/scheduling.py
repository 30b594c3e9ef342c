"""Which frame goes out next and when, and what follows when its windows have closed."""

from __future__ import annotations

from collections.abc import Sequence

from lorawan.device.config import Activation
from lorawan.device.events import DeviceEffect, SendDone
from lorawan.device.pending import PendingFrame
from lorawan.device.phases import Phase, Step, advance
from lorawan.device.rejoin import Wish
from lorawan.device.session import DeviceSession
from lorawan.device.state import DeviceState
from lorawan.mac_commands import RekeyInd
from lorawan.machine import Dropped, Instant
from lorawan.units import US_PER_S

ACK_TIMEOUT_US = (1 * US_PER_S, 3 * US_PER_S)  # RETRANSMIT_TIMEOUT 2 ± 1 s, RP002-1.0.4 §2.4


def schedule(state: DeviceState, now: Instant) -> Sequence[DeviceEffect]:
    """From IDLE or WAITING: fix when the next frame goes out, if there is one. A rejoin goes before new data."""
    at, session = max(now, state.not_before), state.session
    effects: list[DeviceEffect] = []
    state.rejoining.chosen = None
    if session is not None and state.frame is None and not state.joining.wanted and _rekey_overdue(session):
        state.session = session = None
        state.joining.start()
        effects.append(Dropped("rekey_unconfirmed", "LoRaWAN 1.1 §5.10", "no RekeyConf: join again"))
    if state.joining.wanted:
        if state.joining.exhausted(state.memory):
            state.joining.finish()
            why = Dropped("dev_nonce_exhausted", "LoRaWAN 1.0.4 §6.2.4", "every DevNonce has been used")
            return [*effects, why]
        due = state.joining.earliest(state.duty, at)
        if due is None:
            state.joining.finish()
            if state.phase is Phase.WAITING:
                state.phase, state.due = advance(state.phase, Step.GIVEN_UP), None
            why = Dropped("duty_limited", "ETSI EN 300 220-2 annex B", "no join channel can ever carry the request")
            return [*effects, why, *schedule(state, now)]
        state.due = due
    elif session is not None and state.frame is None and (wish := _rejoin_due(state, session, at)) is not None:
        state.rejoining.chosen = wish
        state.due = max(at, session.silent_until)
    elif session is not None and (state.frame is not None or state.queue or state.classes.empty_wanted):
        state.due = max(at, session.silent_until)
    else:
        return effects
    state.phase = advance(state.phase, Step.FRAME_DUE)
    return effects


def rejoin_wake_at(state: DeviceState) -> Instant | None:
    """When IDLE ends because a rejoin comes due; None while the device does something else, or if none will."""
    session = state.session
    if state.phase is not Phase.IDLE or state.joining.wanted or session is None or not session.is_1_1:
        return None
    wish = state.rejoining.wish(session.rejoins) if state.config.activation is Activation.OTAA else None
    return None if wish is None else max(wish.at, state.not_before)


def _rejoin_due(state: DeviceState, session: DeviceSession, at: Instant) -> Wish | None:
    """The rejoin that is due at `at`. Only a session that was joined in 1.1 form rejoins."""
    if not session.is_1_1 or state.config.activation is not Activation.OTAA:
        return None
    wish = state.rejoining.wish(session.rejoins)
    return wish if wish is not None and wish.at <= at else None


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
    state.rejoin_attempt = None
    if frame is None or session is None:
        return schedule(state, now)
    ended_by_any = state.config.version.rules.nb_trans_applies_to_confirmed or not frame.confirmed
    done = frame.acknowledged or (state.answered and ended_by_any)
    unacknowledged = frame.confirmed and not frame.acknowledged
    if unacknowledged:  # the timeout also precedes the next new frame (LoRaWAN 1.0.4 §4.3.1.3)
        state.not_before = now + _ack_timeout_us(state)
    if frame.confirm_f_cnt_down is not None and answer_expired(state, now):
        done = True
    if not done and frame.sent < frame.tries:
        _lower_data_rate(state, frame, session)
        return schedule(state, now)
    return [*frame_over(state), *schedule(state, now)]


def frame_over(state: DeviceState) -> Sequence[DeviceEffect]:
    """The frame under way, if any, has run its course: tell the application."""
    frame, state.frame = state.frame, None
    if frame is not None and frame.confirm_f_cnt_down is not None:
        state.classes.answer_by = None
    if frame is None or not frame.is_request:
        return ()
    return (SendDone(frame.f_cnt, frame.sent, frame.acknowledged if frame.confirmed else None),)


def answer_expired(state: DeviceState, now: Instant) -> bool:
    """Whether a class B or C downlink's acknowledgement is too late: it counts as sent then (TS001-1.0.4 §15)."""
    answer_by = state.classes.answer_by
    return answer_by is not None and now > answer_by


def _rekey_overdue(session: DeviceSession) -> bool:
    """Whether ADR_ACK_LIMIT uplinks have announced new keys in vain: the device joins again (LoRaWAN 1.1 §5.10)."""
    return session.announce[:1] == bytes((RekeyInd.cid,)) and session.announced >= session.adr_ack_limit


def _ack_timeout_us(state: DeviceState) -> int:
    low, high = ACK_TIMEOUT_US
    return low + state.draws.at("ack_timeout").integer(high - low, state.transmissions)


def _lower_data_rate(state: DeviceState, frame: PendingFrame, session: DeviceSession) -> None:
    """Every second try of a confirmed uplink, where the smaller frame still fits. Source: LoRaWAN 1.0.2 §18.4."""
    if frame.confirmed and state.config.version.rules.confirmed_tries and frame.sent % 2 == 0:
        lower = session.plan.next_lower_dr(session.dr)
        if lower is not None and frame.mac_payload_bytes <= session.plan.max_mac_payload_bytes(lower):
            session.dr = lower
