"""Putting on the air what is due: the frame's bytes, its channel, and the windows that follow it."""

from __future__ import annotations

from collections.abc import Sequence

from lorawan.device.events import DeviceEffect, Transmission
from lorawan.device.listening import around, hush
from lorawan.device.pending import PendingFrame, next_frame
from lorawan.device.phases import Step, advance
from lorawan.device.scheduling import answer_expired, give_up, schedule
from lorawan.device.session import DeviceSession
from lorawan.device.state import DeviceState
from lorawan.device.switching import uplink_made
from lorawan.device.windows import receive_windows, silent_at
from lorawan.frames import FCtrlUp
from lorawan.machine import Dropped, Instant
from lorawan.operating_class import OperatingClass
from lorawan.phy import Listen, Transmit, lora_airtime_us, lora_symbol_us
from lorawan.regions import Channel, ChannelPlan
from lorawan.secured import seal_join_request, seal_up
from lorawan.trace import FrameKind

F_CNT_RESERVE = 64  # counters claimed by one durable write; at most this many are skipped after a power cut
F_CNT_MAX = 0xFFFFFFFF


def transmit_join(state: DeviceState, now: Instant) -> Sequence[DeviceEffect]:
    """From WAITING: a join request, on a join channel whose sub-band is free."""
    config, region = state.config, state.config.region
    airtime_us = state.joining.airtime_us()
    free = [place for place in state.joining.places() if start_of(state, place.channel, airtime_us, now) == now]
    if not free:
        return schedule(state, now)
    place = free[pick(state, len(free))]
    attempt, memory = state.joining.request(state.memory, place, now)
    effects: list[DeviceEffect] = [*state.persist(memory)]
    payload = seal_join_request(config.join_key, config.join_eui, config.dev_eui, attempt.dev_nonce)
    modulation, freq_hz = region.modulation(place.dr), place.channel.freq_hz
    power_dbm = config.conducted_dbm(ChannelPlan.of(region).power_dbm(0, freq_hz))
    transmit = Transmit(now, payload, freq_hz, modulation, power_dbm, airtime_us)
    effects += hush(state)
    effects.append(Transmission(transmit, FrameKind.JOIN, 0, attempt.dev_nonce, -1, 0, False))
    windows = receive_windows(
        transmit,
        region,
        rx1_delay_us=region.join_accept_delay1_us,
        rx1_freq_hz=place.rx1_freq_hz,
        rx1_dr=region.rx1_dr(place.dr, 0),
        rx2_freq_hz=place.rx2_freq_hz,
        rx2_dr=region.rx2_dr,
        crystal_ppm=config.crystal_ppm,
    )
    return [*effects, *sent(state, transmit, windows)]


def transmit_data(state: DeviceState, now: Instant) -> Sequence[DeviceEffect]:
    """From WAITING: the frame under way once more, or the next one."""
    session, region = state.session, state.config.region
    if session is None or session.f_cnt_up > F_CNT_MAX:
        state.queue.clear()
        return give_up(state, now, Dropped("f_cnt_exhausted", "LoRaWAN 1.0.4 §4.3.1.5", "join again"))
    effects: list[DeviceEffect] = []
    frame = state.frame or _next_frame(state, session, effects, now)
    if frame is None:  # every reading that waited was too long
        state.phase, state.due = advance(state.phase, Step.GIVEN_UP), None
        return effects
    modulation = region.modulation(session.dr)
    airtime_us = lora_airtime_us(frame.phy_bytes, modulation)
    if not session.plan.dwell_ok(session.dr, airtime_us):
        why = Dropped("dwell_time", "LoRaWAN 1.0.4 §5.8", f"{airtime_us} µs on the air, 400 ms are allowed")
        return [*effects, *give_up(state, now, why)]
    if frame.mac_payload_bytes > session.plan.max_mac_payload_bytes(session.dr):  # the data rate fell between its tries
        why = Dropped("payload_too_long", "RP002-1.0.4 §2.4.7", f"{frame.mac_payload_bytes} bytes at DR{session.dr}")
        return [*effects, *give_up(state, now, why)]
    usable = session.plan.usable(session.dr)
    starts = [(i, ch, start_of(state, ch, airtime_us, now)) for i, ch in usable]
    free = [(i, ch) for i, ch, at in starts if at == now]
    if not free:
        later = [at for _, _, at in starts if at is not None]
        if later:
            state.due = min(later)
            return effects
        why = (
            Dropped("duty_limited", "ETSI EN 300 220-2 annex B", "no sub-band can ever carry this frame")
            if usable
            else Dropped("no_channel", "RP002-1.0.4 §2.4.3", f"no enabled channel carries DR{session.dr}")
        )
        return [*effects, *give_up(state, now, why)]
    effects += state.remember()
    index, channel = free[pick(state, len(free))]
    transmit = Transmit(
        now,
        _sealed(state, session, frame, index),
        channel.freq_hz,
        modulation,
        state.config.conducted_dbm(session.plan.power_dbm(session.tx_power_index, channel.freq_hz)),
        airtime_us,
    )
    f_port = -1 if frame.f_port is None else frame.f_port
    effects += hush(state)
    effects.append(
        Transmission(transmit, FrameKind.DATA, session.dev_addr, frame.f_cnt, f_port, frame.sent, frame.confirmed)
    )
    frame.sent += 1
    keep_silent(session, airtime_us, now)
    windows = receive_windows(
        transmit,
        region,
        rx1_delay_us=session.rx1_delay_us,
        rx1_freq_hz=channel.downlink_freq_hz,
        rx1_dr=session.plan.rx1_dr(session.dr, session.rx1_dr_offset),
        rx2_freq_hz=session.rx2_freq_hz,
        rx2_dr=session.rx2_dr,
        crystal_ppm=state.config.crystal_ppm,
    )
    return [*effects, *sent(state, transmit, windows)]


def _next_frame(
    state: DeviceState, session: DeviceSession, effects: list[DeviceEffect], now: Instant
) -> PendingFrame | None:
    if session.f_cnt_up >= session.f_cnt_up_reserved:
        session.f_cnt_up_reserved = session.f_cnt_up + F_CNT_RESERVE
    if answer_expired(state, now):
        session.confirm_f_cnt_down = state.classes.answer_by = None
    state.frame, dropped = next_frame(session, state.config, state.queue, empty=state.classes.empty_wanted)
    effects += dropped
    if state.frame is not None:
        effects += uplink_made(state, session)
    return state.frame


def _sealed(state: DeviceState, session: DeviceSession, frame: PendingFrame, tx_ch: int) -> bytes:
    return seal_up(
        session.keys,
        is_1_1=session.is_1_1,
        confirmed=frame.confirmed,
        dev_addr=session.dev_addr,
        f_ctrl=FCtrlUp(
            adr=state.config.adr,
            adr_ack_req=frame.adr_ack_req,
            ack=frame.confirm_f_cnt_down is not None,
            class_b=state.classes.operating_class is OperatingClass.B,
        ),
        f_cnt=frame.f_cnt,
        f_opts=frame.f_opts,
        f_port=frame.f_port,
        payload=frame.payload,
        conf_f_cnt=frame.confirm_f_cnt_down or 0,
        tx_dr=session.dr,
        tx_ch=tx_ch,
    )


def sent(state: DeviceState, transmit: Transmit, windows: tuple[Listen, Listen]) -> Sequence[Listen]:
    """Account the airtime; the phase ends when the second window stays silent. Returns the windows to open."""
    state.duty.spend(transmit.freq_hz, transmit.airtime_us, transmit.at)
    state.transmissions += 1
    state.answered = False
    state.phase = advance(state.phase, Step.FRAME_SENT)
    state.due = silent_at(windows[1].closes_at, lora_symbol_us(windows[1].modulation))
    return around(state, transmit, windows)


def keep_silent(session: DeviceSession, airtime_us: int, now: Instant) -> None:
    """DutyCycleReq, over all sub-bands: airtime × (2^n − 1) of silence after each frame (LoRaWAN 1.0.4 §5.3)."""
    if session.max_d_cycle:
        session.silent_until = now + (airtime_us << session.max_d_cycle)


def start_of(state: DeviceState, channel: Channel, airtime_us: int, now: Instant) -> Instant | None:
    """When the channel's sub-band lets a frame start, now or later; None if never."""
    return state.duty.earliest(channel.freq_hz, airtime_us, now)


def pick(state: DeviceState, n: int) -> int:
    """One of `n` channels, by a draw."""
    return state.draws.at("channel").integer(n, state.transmissions) if n > 1 else 0
