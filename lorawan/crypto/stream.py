"""The ciphers: FRMPayload and FOpts by a keystream, Join-Accept by AES in its decrypt direction."""

from __future__ import annotations

from struct import Struct
from struct import error as StructError

from lorawan.crypto.cipher import aes
from lorawan.errors import FrameError
from lorawan.ids import AesKey, DevAddr

_pack_prefix = Struct(
    "<BxxxBBIIx"
).pack  # 01 | 0 | (FOpts: X) | Dir | DevAddr | FCnt | 0, and the counter byte i after it
# What `prefix.join` makes the blocks A_1 … A_n of, by n; 16 blocks hold 255 bytes
_COUNTERS = tuple((b"", *(bytes((i,)) for i in range(1, n + 1))) for n in range(17))

MAX_F_OPTS = 15
MAX_PHY_PAYLOAD = 255


def crypt_payload(key: AesKey, uplink: bool, dev_addr: DevAddr, f_cnt: int, data: bytes) -> bytes:
    """FRMPayload enciphered or deciphered (the function is its own inverse).

    key: AppSKey for FPort 1–255, NwkSKey (1.1: NwkSEncKey) for FPort 0. f_cnt: the whole 32-bit counter. Raises
    FrameError above 255 bytes or for a counter beyond 32 bits. Source: TS001-1.0.4 §4.3.3.1.
    """
    length = len(data)
    if not length:
        return b""
    if length > MAX_PHY_PAYLOAD:
        raise FrameError(f"{length} bytes", field="FRMPayload", hint="a frame has at most 255")
    try:
        blocks = _pack_prefix(1, 0, not uplink, dev_addr, f_cnt).join(_COUNTERS[(length + 15) >> 4])
    except StructError as error:
        raise _beyond_32_bits(f_cnt) from error
    return _xor(data, key, blocks)


def crypt_f_opts(
    nwk_s_enc_key: AesKey, uplink: bool, dev_addr: DevAddr, f_cnt: int, data: bytes, *, a_f_cnt_down: bool = False
) -> bytes:
    """1.1 FOpts enciphered or deciphered (its own inverse), at most 15 bytes.

    a_f_cnt_down: f_cnt is AFCntDown (a downlink with FPort above 0). Raises FrameError. Source: LoRaWAN 1.1 §4.3.1.6
    with the errata on FOpts encryption (CR TP of January 2018), which tells the counters apart and is what devices do.
    """
    if not data:
        return b""
    if len(data) > MAX_F_OPTS:
        raise FrameError(f"{len(data)} bytes", field="FOpts", hint="FOptsLen counts to 15")
    try:
        block = _pack_prefix(1, 2 if a_f_cnt_down else 1, not uplink, dev_addr, f_cnt) + b"\x01"
    except StructError as error:
        raise _beyond_32_bits(f_cnt) from error
    return _xor(data, nwk_s_enc_key, block)


def encrypt_join_accept(key: AesKey, clear: bytes) -> bytes:
    """Cleartext and MIC (16 or 32 bytes) as they go on air: AES *decrypt*, so that a device needs only encrypt.

    key: AppKey; 1.1 NwkKey, or JSEncKey in answer to a rejoin. Raises FrameError. Source: TS001-1.0.4 §6.2.6.
    """
    return aes(key).decrypt(_join_accept_blocks(clear))


def decrypt_join_accept(key: AesKey, encrypted: bytes) -> bytes:
    """The inverse of `encrypt_join_accept`: cleartext and MIC. Raises FrameError."""
    return aes(key).encrypt(_join_accept_blocks(encrypted))


def _join_accept_blocks(data: bytes) -> bytes:
    if len(data) not in (16, 32):
        raise FrameError(f"{len(data)} bytes", field="Join-Accept", clause="TS001-1.0.4 §6.2.6", hint="16 or 32")
    return data


def _beyond_32_bits(f_cnt: int) -> FrameError:
    return FrameError(f"{f_cnt} does not fit 32 bits", field="FCnt")


def _xor(data: bytes, key: AesKey, blocks: bytes) -> bytes:
    length = len(data)
    keystream = bytearray(len(blocks))
    aes(key).encrypt(blocks, keystream)
    return (int.from_bytes(data, "big") ^ int.from_bytes(keystream[:length], "big")).to_bytes(length, "big")
