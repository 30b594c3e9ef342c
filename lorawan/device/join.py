"""Over-the-air activation, the device's half: nonces, data rates, and the session an accept creates."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lorawan.crypto import SessionKeys, derive_join_keys, derive_keys_10, derive_keys_11, derive_keys_11_fallback
from lorawan.device.config import DeviceConfig
from lorawan.device.memory import DeviceMemory
from lorawan.device.rejoin import RejoinPlan
from lorawan.device.session import DeviceSession, new_session, rx_delay_us
from lorawan.draws import Draws
from lorawan.errors import FrameError
from lorawan.frames import JoinAccept
from lorawan.mac_commands import RekeyInd
from lorawan.machine import Dropped
from lorawan.regions import ChannelPlan, JoinPlace, with_cf_list
from lorawan.secured import JOIN_REQ_TYPE_JOIN, join_accept_mic_ok_10, join_accept_mic_ok_11, open_join_accept


@dataclass(frozen=True, slots=True)
class Attempt:
    """A join or rejoin request in the air: its nonce, its data rate, and where RX2 is if it is accepted.

    dev_nonce: of a rejoin its RJcount, which takes the DevNonce's place.
    """

    dev_nonce: int
    dr: int
    rx2_freq_hz: int
    join_req_type: int = JOIN_REQ_TYPE_JOIN

    @property
    def rejoin_type(self) -> int | None:
        """None for an ordinary join."""
        return None if self.join_req_type == JOIN_REQ_TYPE_JOIN else self.join_req_type


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
    payload: bytes, attempt: Attempt, config: DeviceConfig, memory: DeviceMemory, old: DeviceSession | None
) -> tuple[DeviceSession, DeviceMemory] | Dropped:
    """Check a JoinAccept and build the session, with what to remember. Never raises on bytes from outside.

    old: the session that a rejoin was sent from. Source: LoRaWAN 1.0.4 §6.2.6; 1.1 §6.2.3 and §6.2.4.4.
    """
    version, region = config.version, config.region
    join_keys = derive_join_keys(config.join_key, config.dev_eui)
    try:
        accepted, mic, message = open_join_accept(
            config.join_key if attempt.rejoin_type is None else join_keys.js_enc_key, payload
        )
    except FrameError as error:
        return Dropped("frame", error.clause, str(error))
    as_1_1 = version.is_1_1 and accepted.opt_neg
    if as_1_1:
        genuine = join_accept_mic_ok_11(
            join_keys.js_int_key,
            message,
            mic,
            join_eui=config.join_eui,
            dev_nonce=attempt.dev_nonce,
            join_req_type=attempt.join_req_type,
        )
    else:
        genuine = join_accept_mic_ok_10(config.join_key, message, mic)
    if not genuine:
        return Dropped("mic", "LoRaWAN 1.0.4 §6.2.5")
    if version.rules.join_nonce_is_counter and accepted.join_nonce <= memory.last_join_nonce:
        return Dropped("join_nonce_replay", "LoRaWAN 1.0.4 §6.2.5", f"{accepted.join_nonce}")
    if accepted.rx1_dr_offset > region.max_rx1_dr_offset or not region.is_lora(accepted.rx2_dr, uplink=False):
        return Dropped("dl_settings", "RP002-1.0.4 §2.4.6", f"offset {accepted.rx1_dr_offset}, RX2 DR{accepted.rx2_dr}")
    keys = _session_keys(accepted, attempt, config, as_1_1=as_1_1)
    if attempt.rejoin_type == 2 and old is not None:
        session = _rekeyed(old, accepted, keys, is_1_1=as_1_1)
    else:
        session = new_session(region, accepted.dev_addr, keys, is_1_1=as_1_1, dr=attempt.dr)
        session.net_id = accepted.net_id
        session.rx1_delay_us = rx_delay_us(accepted.rx_delay_s)
        session.rx1_dr_offset, session.rx2_dr = accepted.rx1_dr_offset, accepted.rx2_dr
        session.rx2_freq_hz = attempt.rx2_freq_hz
        session.replan(with_cf_list(session.plan, accepted.cf_list))
    session.announce = RekeyInd(1).encode() if as_1_1 else b""
    return session, replace(memory, last_join_nonce=accepted.join_nonce)


def _session_keys(accepted: JoinAccept, attempt: Attempt, config: DeviceConfig, *, as_1_1: bool) -> SessionKeys:
    nonces = (accepted.join_nonce, accepted.net_id, attempt.dev_nonce)
    if as_1_1 and config.app_key is not None:
        return derive_keys_11(config.join_key, config.app_key, accepted.join_nonce, config.join_eui, attempt.dev_nonce)
    if config.version.is_1_1:
        return derive_keys_11_fallback(config.join_key, *nonces)
    return derive_keys_10(config.join_key, *nonces)


def _rekeyed(old: DeviceSession, accepted: JoinAccept, keys: SessionKeys, *, is_1_1: bool) -> DeviceSession:
    """The session after a rejoin of type 2: new keys, address and counters; a CFList replaces the channels.

    Every other MAC parameter stays, so RxDelay and DLSettings are passed over too. Source: LoRaWAN 1.1 §6.2.3.
    """
    session = replace(
        old,
        dev_addr=accepted.dev_addr,
        net_id=accepted.net_id,
        keys=keys,
        is_1_1=is_1_1,
        f_cnt_up=0,
        f_cnt_up_reserved=0,
        n_f_cnt_down=None,
        a_f_cnt_down=None,
        adr_ack_cnt=0,
        confirm_f_cnt_down=None,
        last_conf_f_cnt_up=0,
        announced=0,
        rejoins=RejoinPlan(max_count=old.rejoins.max_count, max_time_us=old.rejoins.max_time_us),
    )
    if accepted.cf_list:
        defaults = ChannelPlan.of(old.plan.region)
        bare = replace(old.plan, channels=defaults.channels, ch_mask=defaults.ch_mask)
        session.replan(with_cf_list(bare, accepted.cf_list))
    return session
