"""Message integrity codes: the first four bytes of an AES-CMAC, over the message or over a block and the message.

`message` is always the PHYPayload without its MIC, MHDR included. Every function raises FrameError for a number that
its block has no room for.

Source: TS001-1.0.4 §4.4 and §6.2.5–6.2.6; LoRaWAN 1.1 §4.4, §6.2.2–6.2.4.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from struct import error as StructError

from lorawan.crypto.cipher import aes_cmac
from lorawan.errors import FrameError
from lorawan.ids import AesKey, DevAddr, Eui64

MIC_LENGTH = 4

_pack_b0 = Struct("<BH2xBIIxB").pack  # 49 | ConfFCnt (1.0: 0) | 0 | Dir | DevAddr | FCnt | 0 | length
_pack_b1 = Struct("<BHBBxIIxB").pack  # 49 | ConfFCnt | TxDr | TxCh | Dir = 0 | DevAddr | FCntUp | 0 | length
_pack_join_11 = Struct("<BQH").pack  # JoinReqType | JoinEUI | DevNonce


def mic_data_10(key: AesKey, uplink: bool, dev_addr: DevAddr, f_cnt: int, message: bytes) -> bytes:
    """MIC of a LoRaWAN 1.0 data frame by the NwkSKey. f_cnt: the whole 32-bit counter. Source: TS001-1.0.4 §4.4."""
    block = _b0(0, not uplink, dev_addr, f_cnt, len(message))
    return aes_cmac(key, block + message)[:MIC_LENGTH]


def mic_up_11(
    f_nwk_s_int_key: AesKey,
    s_nwk_s_int_key: AesKey,
    dev_addr: DevAddr,
    f_cnt: int,
    message: bytes,
    *,
    conf_f_cnt: int,
    tx_dr: int,
    tx_ch: int,
) -> bytes:
    """MIC of a 1.1 uplink: two bytes by the serving network's key, two by the forwarding network's.

    conf_f_cnt: the counter of the confirmed downlink this frame acknowledges (its low 16 bits count), 0 without ACK.
    Source: LoRaWAN 1.1 §4.4.2.
    """
    b0 = _b0(0, False, dev_addr, f_cnt, len(message))
    b1 = _block(_pack_b1, 0x49, conf_f_cnt & 0xFFFF, tx_dr, tx_ch, dev_addr, f_cnt, len(message))
    return aes_cmac(s_nwk_s_int_key, b1 + message)[:2] + aes_cmac(f_nwk_s_int_key, b0 + message)[:2]


def mic_down_11(s_nwk_s_int_key: AesKey, dev_addr: DevAddr, f_cnt: int, message: bytes, *, conf_f_cnt: int) -> bytes:
    """MIC of a 1.1 downlink. conf_f_cnt as in `mic_up_11`, of the uplink. Source: LoRaWAN 1.1 §4.4.1."""
    block = _b0(conf_f_cnt & 0xFFFF, True, dev_addr, f_cnt, len(message))
    return aes_cmac(s_nwk_s_int_key, block + message)[:MIC_LENGTH]


def mic_join_request(key: AesKey, message: bytes) -> bytes:
    """MIC of a Join-Request by the AppKey (1.1: NwkKey). Source: TS001-1.0.4 §6.2.5; LoRaWAN 1.1 §6.2.2."""
    return aes_cmac(key, message)[:MIC_LENGTH]


def mic_rejoin_request(key: AesKey, message: bytes) -> bytes:
    """MIC of a Rejoin-Request: SNwkSIntKey for types 0 and 2, JSIntKey for type 1. Source: LoRaWAN 1.1 §6.2.4."""
    return aes_cmac(key, message)[:MIC_LENGTH]


def mic_join_accept_10(key: AesKey, message: bytes) -> bytes:
    """MIC of a Join-Accept by the AppKey, or by the NwkKey where OptNeg is 0. message: MHDR and the cleartext.

    Source: TS001-1.0.4 §6.2.6; LoRaWAN 1.1 §6.2.3.
    """
    return aes_cmac(key, message)[:MIC_LENGTH]


def mic_join_accept_11(
    js_int_key: AesKey, join_req_type: int, join_eui: Eui64, dev_nonce: int, message: bytes
) -> bytes:
    """MIC of a Join-Accept whose OptNeg is 1. message: MHDR and the cleartext.

    join_req_type: FF for a Join-Request, else the rejoin type 0, 1 or 2. dev_nonce: for a rejoin, its RJcount.
    Source: LoRaWAN 1.1 §6.2.3.
    """
    return aes_cmac(js_int_key, _block(_pack_join_11, join_req_type, join_eui, dev_nonce) + message)[:MIC_LENGTH]


def _b0(conf_f_cnt: int, down: bool, dev_addr: DevAddr, f_cnt: int, length: int) -> bytes:
    try:
        return _pack_b0(0x49, conf_f_cnt, down, dev_addr, f_cnt, length)
    except StructError as error:
        raise _no_room(error) from error


def _block(pack: Callable[..., bytes], *fields: int) -> bytes:
    try:
        return pack(*fields)
    except StructError as error:
        raise _no_room(error) from error


def _no_room(error: StructError) -> FrameError:
    return FrameError(str(error), field="MIC block", hint="counters have 32 bits, a message 255 bytes")
