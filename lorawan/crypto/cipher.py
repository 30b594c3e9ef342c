"""AES-128 and AES-CMAC with what depends on the key alone kept between calls.

A frame costs one AES call for its payload and one per MIC; setting a key up costs as much as three of them, so ciphers
and CMAC subkeys stay in a bounded cache. Ciphers write into a bytearray of ours: pycryptodome takes as long again to
make one of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from Crypto.Cipher import AES

from lorawan.ids import AesKey

if TYPE_CHECKING:
    from Crypto.Cipher._mode_cbc import CbcMode
    from Crypto.Cipher._mode_ecb import EcbMode

_KEYS_KEPT = 16384  # about 2 KiB each
_BLOCK_BITS = 128
_R128 = 0x87  # RFC 4493 §2.3, const_Rb


@lru_cache(maxsize=_KEYS_KEPT)
def aes(key: AesKey) -> EcbMode:
    """The AES-128 block cipher of a key; it holds no state between calls."""
    return AES.new(key, AES.MODE_ECB)


@dataclass(frozen=True, slots=True)
class _CmacKey:
    """CMAC subkeys as ints, and idle CBC ciphers, each with the block that its chain stands at.

    A CBC cipher goes on from its last block; XORing that block into the next message's first one starts a new chain
    from zero without a new cipher. Taking a cipher out of `idle` while it works keeps threads apart.
    """

    k1: int
    k2: int
    idle: list[tuple[CbcMode, int]]


def cmac_subkeys(key: AesKey) -> tuple[bytes, bytes]:
    """K1 and K2, 16 bytes each. Source: RFC 4493 §2.3."""
    k1 = _doubled(int.from_bytes(AES.new(key, AES.MODE_ECB).encrypt(bytes(16)), "big"))
    return k1.to_bytes(16, "big"), _doubled(k1).to_bytes(16, "big")


def aes_cmac(key: AesKey, message: bytes) -> bytes:
    """The 16-byte AES-CMAC of a message of any length. Source: RFC 4493 §2.4."""
    state = _cmac_key(key)
    length = len(message)
    pad = -length % 16 if length else 16
    if pad:
        blocks = (int.from_bytes(message, "big") << 8 | 0x80) << (8 * (pad - 1)) ^ state.k2
    else:
        blocks = int.from_bytes(message, "big") ^ state.k1
    try:
        cbc, chain = state.idle.pop()
    except IndexError:
        cbc, chain = AES.new(key, AES.MODE_CBC, iv=bytes(16)), 0
    total = length + pad
    enciphered = bytearray(total)
    cbc.encrypt((blocks ^ chain << (8 * total - _BLOCK_BITS)).to_bytes(total, "big"), enciphered)
    mac = bytes(enciphered[-16:])
    state.idle.append((cbc, int.from_bytes(mac, "big")))
    return mac


@lru_cache(maxsize=_KEYS_KEPT)
def _cmac_key(key: AesKey) -> _CmacKey:
    k1, k2 = cmac_subkeys(key)
    return _CmacKey(int.from_bytes(k1, "big"), int.from_bytes(k2, "big"), [])


def _doubled(block: int) -> int:
    """Times x in GF(2^128)."""
    return ((block << 1) & ((1 << _BLOCK_BITS) - 1)) ^ (_R128 if block >> (_BLOCK_BITS - 1) else 0)
