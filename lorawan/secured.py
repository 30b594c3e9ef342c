"""Frames with keys: seal, check and open data frames and joins in the 1.0 and the 1.1 form."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lorawan.crypto import (
    MIC_LENGTH,
    SessionKeys,
    crypt_f_opts,
    crypt_payload,
    decrypt_join_accept,
    encrypt_join_accept,
    mic_data_10,
    mic_down_11,
    mic_join_accept_10,
    mic_join_accept_11,
    mic_join_request,
    mic_rejoin_request,
    mic_up_11,
)
from lorawan.errors import FrameError
from lorawan.frames.data import DataDown, DataUp, FCtrlDown, FCtrlUp, data_message
from lorawan.frames.join import JOIN_ACCEPT_LENGTHS, JOIN_ACCEPT_MHDR, JoinAccept, JoinRequest, RejoinRequest
from lorawan.ids import AesKey, DevAddr, Eui64

JOIN_REQ_TYPE_JOIN = 0xFF  # LoRaWAN 1.1 §6.2.3, JoinReqType of an ordinary join


@dataclass(frozen=True, slots=True)
class Opened:
    """What a data frame carried, in clear."""

    f_opts: bytes
    payload: bytes


def seal_up(
    keys: SessionKeys,
    *,
    is_1_1: bool,
    confirmed: bool,
    dev_addr: DevAddr,
    f_ctrl: FCtrlUp,
    f_cnt: int,
    f_opts: bytes = b"",
    f_port: int | None = None,
    payload: bytes = b"",
    conf_f_cnt: int = 0,
    tx_dr: int = 0,
    tx_ch: int = 0,
) -> bytes:
    """The PHYPayload of an uplink, enciphered and with its MIC.

    f_cnt: FCntUp, 32 bits; f_opts and payload in clear. Only the 1.1 MIC looks at tx_dr, tx_ch (indices of data rate
    and channel) and, where the ACK bit is set, at conf_f_cnt (counter of the downlink acknowledged). Raises FrameError.
    Source: TS001-1.0.4 §4.3–4.4; LoRaWAN 1.1 §4.3–4.4.
    """
    if payload:
        payload = crypt_payload(_payload_key(keys, f_port), True, dev_addr, f_cnt, payload)
    if is_1_1 and f_opts:
        f_opts = crypt_f_opts(keys.nwk_s_enc_key, True, dev_addr, f_cnt, f_opts)
    mhdr = 0x80 if confirmed else 0x40
    message = data_message(
        mhdr, dev_addr, f_ctrl.bits, f_cnt & 0xFFFF, f_opts=f_opts, f_port=f_port, frm_payload=payload
    )
    if not is_1_1:
        return message + mic_data_10(keys.f_nwk_s_int_key, True, dev_addr, f_cnt, message)
    conf = conf_f_cnt if f_ctrl.ack else 0
    forwarding, serving = keys.f_nwk_s_int_key, keys.s_nwk_s_int_key
    return message + mic_up_11(forwarding, serving, dev_addr, f_cnt, message, conf_f_cnt=conf, tx_dr=tx_dr, tx_ch=tx_ch)


def seal_down(
    keys: SessionKeys,
    *,
    is_1_1: bool,
    confirmed: bool,
    dev_addr: DevAddr,
    f_ctrl: FCtrlDown,
    f_cnt: int,
    f_opts: bytes = b"",
    f_port: int | None = None,
    payload: bytes = b"",
    conf_f_cnt: int = 0,
) -> bytes:
    """The PHYPayload of a downlink, enciphered and with its MIC.

    f_cnt: FCntDown; in 1.1 AFCntDown for FPort above 0, else NFCntDown. conf_f_cnt: counter of the uplink acknowledged.
    Raises FrameError. Source: as `seal_up`.
    """
    if payload:
        payload = crypt_payload(_payload_key(keys, f_port), False, dev_addr, f_cnt, payload)
    if is_1_1 and f_opts:
        f_opts = crypt_f_opts(keys.nwk_s_enc_key, False, dev_addr, f_cnt, f_opts, a_f_cnt_down=bool(f_port))
    mhdr = 0xA0 if confirmed else 0x60
    message = data_message(
        mhdr, dev_addr, f_ctrl.bits, f_cnt & 0xFFFF, f_opts=f_opts, f_port=f_port, frm_payload=payload
    )
    if not is_1_1:
        return message + mic_data_10(keys.s_nwk_s_int_key, False, dev_addr, f_cnt, message)
    conf = conf_f_cnt if f_ctrl.ack else 0
    return message + mic_down_11(keys.s_nwk_s_int_key, dev_addr, f_cnt, message, conf_f_cnt=conf)


def mic_up_ok(
    keys: SessionKeys,
    *,
    is_1_1: bool,
    frame: DataUp,
    f_cnt: int,
    conf_f_cnt: int = 0,
    tx_dr: int = 0,
    tx_ch: int = 0,
) -> bool:
    """Whether an uplink's MIC is right for the 32-bit counter f_cnt. Other values as in `seal_up`."""
    dev_addr, message = frame.dev_addr, frame.message()
    if not is_1_1:
        return frame.mic == mic_data_10(keys.f_nwk_s_int_key, True, dev_addr, f_cnt, message)
    conf = conf_f_cnt if frame.f_ctrl.ack else 0
    forwarding, serving = keys.f_nwk_s_int_key, keys.s_nwk_s_int_key
    return frame.mic == mic_up_11(
        forwarding, serving, dev_addr, f_cnt, message, conf_f_cnt=conf, tx_dr=tx_dr, tx_ch=tx_ch
    )


def mic_down_ok(keys: SessionKeys, *, is_1_1: bool, frame: DataDown, f_cnt: int, conf_f_cnt: int = 0) -> bool:
    """Whether a downlink's MIC is right for the 32-bit counter f_cnt. Other values as in `seal_down`."""
    dev_addr, message = frame.dev_addr, frame.message()
    if not is_1_1:
        return frame.mic == mic_data_10(keys.s_nwk_s_int_key, False, dev_addr, f_cnt, message)
    conf = conf_f_cnt if frame.f_ctrl.ack else 0
    return frame.mic == mic_down_11(keys.s_nwk_s_int_key, dev_addr, f_cnt, message, conf_f_cnt=conf)


def open_up(keys: SessionKeys, *, is_1_1: bool, frame: DataUp, f_cnt: int) -> Opened:
    """FOpts and FRMPayload of an uplink in clear; the MIC is not looked at. Raises FrameError for a bad f_cnt."""
    f_opts, payload = frame.f_opts, frame.frm_payload
    if is_1_1 and f_opts:
        f_opts = crypt_f_opts(keys.nwk_s_enc_key, True, frame.dev_addr, f_cnt, f_opts)
    if payload:
        payload = crypt_payload(_payload_key(keys, frame.f_port), True, frame.dev_addr, f_cnt, payload)
    return Opened(f_opts, payload)


def open_down(keys: SessionKeys, *, is_1_1: bool, frame: DataDown, f_cnt: int) -> Opened:
    """FOpts and FRMPayload of a downlink in clear; the MIC is not looked at. Raises FrameError for a bad f_cnt."""
    f_opts, payload = frame.f_opts, frame.frm_payload
    if is_1_1 and f_opts:
        a_f_cnt_down = bool(frame.f_port)
        f_opts = crypt_f_opts(keys.nwk_s_enc_key, False, frame.dev_addr, f_cnt, f_opts, a_f_cnt_down=a_f_cnt_down)
    if payload:
        payload = crypt_payload(_payload_key(keys, frame.f_port), False, frame.dev_addr, f_cnt, payload)
    return Opened(f_opts, payload)


def recover_f_cnt(last: int | None, low16: int) -> int:
    """The 32-bit counter behind the 16 bits of a frame, given the last accepted one (None: none yet).

    The nearest counter not below `last` with these low bits, so a repeated frame gives `last` itself; the caller
    refuses what is not above `last`. Past 2^32 − 1 it starts at 0 again and is refused too: a session ends there.
    Source: TS001-1.0.4 §4.3.1.5.
    """
    if last is None:
        return low16
    return (last + ((low16 - last) & 0xFFFF)) & 0xFFFFFFFF


def seal_join_request(key: AesKey, join_eui: Eui64, dev_eui: Eui64, dev_nonce: int) -> bytes:
    """The PHYPayload of a Join-Request. key: AppKey, in 1.1 NwkKey. Raises FrameError. Source: TS001-1.0.4 §6.2.5."""
    message = JoinRequest(join_eui, dev_eui, dev_nonce).message()
    return message + mic_join_request(key, message)


def join_request_mic_ok(key: AesKey, frame: JoinRequest) -> bool:
    """Whether a Join-Request's MIC is right. key as in `seal_join_request`."""
    return frame.mic == mic_join_request(key, frame.message())


def seal_rejoin_request(key: AesKey, frame: RejoinRequest) -> bytes:
    """The PHYPayload of a Rejoin-Request; the frame's own MIC is not looked at. Raises FrameError.

    key: SNwkSIntKey for types 0 and 2, JSIntKey for type 1. Source: LoRaWAN 1.1 §6.2.4.
    """
    message = frame.message()
    return message + mic_rejoin_request(key, message)


def rejoin_request_mic_ok(key: AesKey, frame: RejoinRequest) -> bool:
    """Whether a Rejoin-Request's MIC is right. key as in `seal_rejoin_request`."""
    return frame.mic == mic_rejoin_request(key, frame.message())


def seal_join_accept_10(key: AesKey, accept: JoinAccept) -> bytes:
    """The PHYPayload of a Join-Accept for 1.0, or for 1.1 with OptNeg 0 (key: AppKey; 1.1 NwkKey). Raises FrameError.

    Source: TS001-1.0.4 §6.2.6.
    """
    if accept.opt_neg:
        raise FrameError("OptNeg is set and the MIC is of the 1.0 form", field="OptNeg", clause="LoRaWAN 1.1 §6.2.3")
    clear = accept.message()
    return JOIN_ACCEPT_MHDR + encrypt_join_accept(key, clear + mic_join_accept_10(key, JOIN_ACCEPT_MHDR + clear))


def seal_join_accept_11(
    key: AesKey,
    js_int_key: AesKey,
    accept: JoinAccept,
    join_eui: Eui64,
    dev_nonce: int,
    *,
    join_req_type: int = JOIN_REQ_TYPE_JOIN,
) -> bytes:
    """The PHYPayload of a 1.1 Join-Accept; OptNeg is set whatever `accept` says. Raises FrameError.

    key: NwkKey in answer to a join, JSEncKey to a rejoin, whose type is then join_req_type and RJcount dev_nonce.
    Source: LoRaWAN 1.1 §6.2.3.
    """
    clear = (accept if accept.opt_neg else replace(accept, opt_neg=True)).message()
    mic = mic_join_accept_11(js_int_key, join_req_type, join_eui, dev_nonce, JOIN_ACCEPT_MHDR + clear)
    return JOIN_ACCEPT_MHDR + encrypt_join_accept(key, clear + mic)


def open_join_accept(key: AesKey, encrypted_payload: bytes) -> tuple[JoinAccept, bytes, bytes]:
    """The accept, its MIC (not yet checked) and the bytes the MIC is over, from a whole PHYPayload. Raises FrameError.

    With a wrong key the fields are noise: check the MIC before using them.
    """
    if len(encrypted_payload) not in JOIN_ACCEPT_LENGTHS:
        raise FrameError(
            f"{len(encrypted_payload)} bytes", field="Join-Accept", clause="TS001-1.0.4 §6.2.6", hint="it has 17 or 33"
        )
    clear = decrypt_join_accept(key, encrypted_payload[1:])
    message, mic = encrypted_payload[:1] + clear[:-MIC_LENGTH], clear[-MIC_LENGTH:]
    return JoinAccept.parse(message[1:]), mic, message


def join_accept_mic_ok_10(key: AesKey, message: bytes, mic: bytes) -> bool:
    """Whether the MIC of an opened Join-Accept is right in the 1.0 form (OptNeg 0). key: AppKey; 1.1 NwkKey."""
    return mic == mic_join_accept_10(key, message)


def join_accept_mic_ok_11(
    js_int_key: AesKey,
    message: bytes,
    mic: bytes,
    *,
    join_eui: Eui64,
    dev_nonce: int,
    join_req_type: int = JOIN_REQ_TYPE_JOIN,
) -> bool:
    """Whether the MIC of an opened Join-Accept is right in the 1.1 form (OptNeg 1)."""
    return mic == mic_join_accept_11(js_int_key, join_req_type, join_eui, dev_nonce, message)


def _payload_key(keys: SessionKeys, f_port: int | None) -> AesKey:
    return keys.app_s_key if f_port else keys.nwk_s_enc_key
