"""Putting a Rejoin-Request on the air: its counter, its channel and data rate, and the windows that follow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lorawan.crypto import derive_join_keys
from lorawan.device.config import DeviceConfig
from lorawan.device.events import DeviceEffect, Transmission
from lorawan.device.join import Attempt, attempt_dr
from lorawan.device.listening import hush
from lorawan.device.rejoin import REJOIN_BYTES, RJ_COUNT0_END, RJ_COUNT1_MAX, Wish
from lorawan.device.scheduling import give_up
from lorawan.device.session import DeviceSession
from lorawan.device.state import DeviceState
from lorawan.device.transmitting import keep_silent, pick, sent, start_of
from lorawan.device.windows import receive_windows
from lorawan.errors import MisuseError
from lorawan.frames import RejoinRequest02, RejoinRequest1
from lorawan.machine import Dropped, Instant
from lorawan.phy import Transmit, lora_airtime_us
from lorawan.regions import JoinPlace, join_places
from lorawan.secured import seal_rejoin_request
from lorawan.trace import FrameKind


def transmit_rejoin(state: DeviceState, wish: Wish, now: Instant) -> Sequence[DeviceEffect]:
    """From WAITING: a Rejoin-Request of the joined session, which goes on until an accept is taken.

    Types 0 and 1 go out on a join channel, type 2 on any enabled one. The windows are those of a join: RX1 and RX2 at
    their default settings, so that a network can reach a device that has lost step with it.
    Source: LoRaWAN 1.1 §6.2.4, §6.2.4.3 and §6.2.4.4; §6.2.3 for the windows.
    """
    session, region = state.session, state.config.region
    if session is None:
        raise MisuseError("a rejoin without a session")
    rejoin_type = wish.rejoin_type
    rj_count = state.memory.next_rj_count1 if rejoin_type == 1 else session.rejoins.rj_count0
    if rj_count > RJ_COUNT1_MAX or (rejoin_type != 1 and rj_count >= RJ_COUNT0_END):
        state.rejoining.abandon(rejoin_type, session.rejoins)
        return give_up(state, now, Dropped("rj_count_exhausted", "LoRaWAN 1.1 §6.2.4", f"type {rejoin_type}"))
    places = _places(state, session, wish)
    dr = places[0].dr
    modulation = region.modulation(dr)
    airtime_us = lora_airtime_us(REJOIN_BYTES[rejoin_type], modulation)
    starts = [(place, start_of(state, place.channel, airtime_us, now)) for place in places]
    free = [place for place, at in starts if at == now]
    if not free:
        later = [at for _, at in starts if at is not None]
        if later:
            state.due = min(later)
            return ()
        state.rejoining.abandon(rejoin_type, session.rejoins)
        return give_up(state, now, Dropped("duty_limited", "ETSI EN 300 220-2 annex B", "no sub-band can carry it"))
    place = free[pick(state, len(free))]
    if rejoin_type == 1:
        effects: list[DeviceEffect] = [*state.persist(replace(state.memory, next_rj_count1=rj_count + 1))]
    else:
        session.rejoins.rj_count0 = rj_count + 1
        effects = [*state.remember()]
    payload = _sealed_rejoin(state.config, session, rejoin_type, rj_count)
    freq_hz, power_index = place.channel.freq_hz, session.tx_power_index if state.config.adr else 0
    power_dbm = state.config.conducted_dbm(session.plan.power_dbm(power_index, freq_hz))
    transmit = Transmit(now, payload, freq_hz, modulation, power_dbm, airtime_us)
    effects += hush(state)
    effects.append(Transmission(transmit, FrameKind.REJOIN, session.dev_addr, rj_count, -1, 0, False))
    state.rejoining.sent(wish, session.rejoins, airtime_us, now)
    state.rejoin_attempt = Attempt(rj_count, dr, place.rx2_freq_hz, rejoin_type)
    keep_silent(session, airtime_us, now)
    windows = receive_windows(
        transmit,
        region,
        rx1_delay_us=region.join_accept_delay1_us,
        rx1_freq_hz=place.rx1_freq_hz,
        rx1_dr=region.rx1_dr(dr, 0),
        rx2_freq_hz=place.rx2_freq_hz,
        rx2_dr=region.rx2_dr,
        crystal_ppm=state.config.crystal_ppm,
    )
    return [*effects, *sent(state, transmit, windows)]


def _places(state: DeviceState, session: DeviceSession, wish: Wish) -> tuple[JoinPlace, ...]:
    """The channels that the request may take, all at one data rate.

    That is the command's, the data's under ADR, or that of joins (LoRaWAN 1.1 §6.2.4.3). One that the channels do not
    take gives way to the next of these, and at last to the highest they take [assumption].
    """
    region, plan, number = state.config.region, session.plan, state.rejoining.requests
    wanted = (wish.data_rate, session.dr if state.config.adr else attempt_dr(state.config, number))
    if wish.rejoin_type != 2:
        dr = next((dr for dr in wanted if dr is not None and dr in region.join_drs), max(region.join_drs))
        return join_places(region, number, dr, state.draws.at("rejoin_place"))
    dr = next((dr for dr in wanted if dr is not None and plan.usable(dr)), plan.nearest_dr(session.dr))
    return tuple(
        JoinPlace(
            index,
            channel,
            dr,
            rx1_freq_hz=channel.downlink_freq_hz if region.fixed else channel.freq_hz,
            rx2_freq_hz=region.rx2_freq_hz,
            class_b=region.class_b,
        )
        for index, channel in plan.usable(dr)
    )


def _sealed_rejoin(config: DeviceConfig, session: DeviceSession, rejoin_type: int, rj_count: int) -> bytes:
    if rejoin_type == 1:
        key = derive_join_keys(config.join_key, config.dev_eui).js_int_key
        return seal_rejoin_request(key, RejoinRequest1(config.join_eui, config.dev_eui, rj_count))
    frame = RejoinRequest02(rejoin_type, session.net_id, config.dev_eui, rj_count)
    return seal_rejoin_request(session.keys.s_nwk_s_int_key, frame)
