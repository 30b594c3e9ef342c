"""Over-the-air activation, the device's half: nonces, data rates, and the session an accept creates."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lorawan.crypto import derive_join_keys, derive_keys_10, derive_keys_11, derive_keys_11_fallback
from lorawan.device.config import DeviceConfig, DeviceMemory
from lorawan.device.session import DeviceSession, new_session, rx_delay_us
from lorawan.draws import Draws
from lorawan.errors import FrameError
from lorawan.mac_commands import RekeyInd
from lorawan.machine import Dropped
from lorawan.regions import JoinPlace, with_cf_list
from lorawan.secured import join_accept_mic_ok_10, join_accept_mic_ok_11, open_join_accept


@dataclass(frozen=True, slots=True)
class Attempt:
    """A join request in the air: its nonce, its data rate, and where RX2 is if it is accepted."""

    dev_nonce: int
    dr: int
    rx2_freq_hz: int


def attempt_dr(config: DeviceConfig, number: int) -> int:
    """The data rate of attempt `number`: the configured ones in turn (LoRaWAN 1.0.4 §6.2.4 leaves the choice open).

    Where none is configured: the lowest at which the region lets a device join, as LoRaMac-node's examples do.
    """
    drs = config.join_data_rates or config.region.join_drs[:1]
    return drs[number % len(drs)]


def next_attempt(
    config: DeviceConfig, memory: DeviceMemory, place: JoinPlace, number: int, draws: Draws
) -> tuple[Attempt, DeviceMemory]:
    """An attempt and what must be persisted before it is sent. number: of all requests ever made, from 0.

    DevNonce is a counter from 1.0.4 on, random before.
    """
    if config.version.rules.dev_nonce_is_counter:
        attempt = Attempt(memory.next_dev_nonce, place.dr, place.rx2_freq_hz)
        return attempt, replace(memory, next_dev_nonce=memory.next_dev_nonce + 1)
    return Attempt(draws.at("dev_nonce").u64(number) >> 48, place.dr, place.rx2_freq_hz), memory


def accept(
    payload: bytes, attempt: Attempt, config: DeviceConfig, memory: DeviceMemory
) -> tuple[DeviceSession, DeviceMemory] | Dropped:
    """Check a JoinAccept and build the session, with what to remember. Never raises on bytes from outside."""
    try:
        accepted, mic, message = open_join_accept(config.join_key, payload)
    except FrameError as error:
        return Dropped("frame", error.clause, str(error))
    version, region = config.version, config.region
    as_1_1 = version.is_1_1 and accepted.opt_neg
    if as_1_1:
        join_keys = derive_join_keys(config.join_key, config.dev_eui)
        genuine = join_accept_mic_ok_11(
            join_keys.js_int_key, message, mic, join_eui=config.join_eui, dev_nonce=attempt.dev_nonce
        )
    else:
        genuine = join_accept_mic_ok_10(config.join_key, message, mic)
    if not genuine:
        return Dropped("mic", "LoRaWAN 1.0.4 §6.2.5")
    if version.rules.join_nonce_is_counter and accepted.join_nonce <= memory.last_join_nonce:
        return Dropped("join_nonce_replay", "LoRaWAN 1.0.4 §6.2.5", f"{accepted.join_nonce}")
    if accepted.rx1_dr_offset > region.max_rx1_dr_offset or not region.is_lora(accepted.rx2_dr, uplink=False):
        return Dropped("dl_settings", "RP002-1.0.4 §2.4.6", f"offset {accepted.rx1_dr_offset}, RX2 DR{accepted.rx2_dr}")
    nonces = (accepted.join_nonce, accepted.net_id, attempt.dev_nonce)
    if as_1_1 and config.app_key is not None:
        keys = derive_keys_11(config.join_key, config.app_key, accepted.join_nonce, config.join_eui, attempt.dev_nonce)
    elif version.is_1_1:
        keys = derive_keys_11_fallback(config.join_key, *nonces)
    else:
        keys = derive_keys_10(config.join_key, *nonces)
    session = new_session(region, accepted.dev_addr, keys, is_1_1=as_1_1, dr=attempt.dr)
    session.rx1_delay_us = rx_delay_us(accepted.rx_delay_s)
    session.rx1_dr_offset, session.rx2_dr = accepted.rx1_dr_offset, accepted.rx2_dr
    session.rx2_freq_hz = attempt.rx2_freq_hz
    session.replan(with_cf_list(session.plan, accepted.cf_list))
    if as_1_1:
        session.announce = RekeyInd(1).encode()
    remembered = replace(
        memory,
        last_join_nonce=accepted.join_nonce,
        f_cnt_up_reserved=0,
        n_f_cnt_down=None,
        a_f_cnt_down=None,
    )
    return session, remembered
