"""Keys of multicast groups and the integrity of data blocks: what the application packages derive from the root keys.

Source: TS005-1.0.0 and TS005-2.0.0 §4.3 (McRootKey, McKEKey, McKey, session keys); TS004-2.0.0 §3.3 (data block MIC).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lorawan.crypto.cipher import aes, aes_cmac
from lorawan.errors import FrameError
from lorawan.ids import AesKey, DevAddr

_ZEROS: Final = bytes(16)
_MC_ROOT_11: Final = b"\x20".ljust(16, b"\x00")
_DATA_BLOCK: Final = b"\x30".ljust(16, b"\x00")
DATA_BLOCK_MIC_LENGTH: Final = 4  # TS004-2.0.0 §3.3


@dataclass(frozen=True, slots=True)
class McSessionKeys:
    """The two keys of a multicast group: McAppSKey enciphers, McNwkSKey is for the MIC."""

    mc_app_s_key: AesKey
    mc_nwk_s_key: AesKey


def derive_mc_root_key_10(gen_app_key: AesKey) -> AesKey:
    """McRootKey of a 1.0.x device: its GenAppKey over a block of zeros."""
    return AesKey(aes(gen_app_key).encrypt(_ZEROS))


def derive_mc_root_key_11(app_key: AesKey) -> AesKey:
    """McRootKey of a 1.1 device: its AppKey over 20 and zeros."""
    return AesKey(aes(app_key).encrypt(_MC_ROOT_11))


def derive_mc_ke_key(mc_root_key: AesKey) -> AesKey:
    """McKEKey, which McKeys travel under."""
    return AesKey(aes(mc_root_key).encrypt(_ZEROS))


def decrypt_mc_key(mc_ke_key: AesKey, mc_key_encrypted: bytes) -> AesKey:
    """McKey from 16 bytes of a McGroupSetupReq: AES *encrypt*, so that a device needs no other. Raises FrameError."""
    if len(mc_key_encrypted) != 16:
        raise FrameError(
            f"{len(mc_key_encrypted)} bytes", field="McKey_encrypted", clause="TS005-2.0.0 §4.3", hint="16"
        )
    return AesKey(aes(mc_ke_key).encrypt(mc_key_encrypted))


def encrypt_mc_key(mc_ke_key: AesKey, mc_key: AesKey) -> bytes:
    """The inverse of `decrypt_mc_key`: what a server puts into McGroupSetupReq."""
    return aes(mc_ke_key).decrypt(mc_key)


def derive_mc_session_keys(mc_key: AesKey, mc_addr: DevAddr) -> McSessionKeys:
    """The keys of the group with this McKey and address."""
    tail = mc_addr.to_wire() + bytes(11)
    return McSessionKeys(
        mc_app_s_key=AesKey(aes(mc_key).encrypt(b"\x01" + tail)),
        mc_nwk_s_key=AesKey(aes(mc_key).encrypt(b"\x02" + tail)),
    )


def derive_data_block_int_key(root_key: AesKey) -> AesKey:
    """DataBlockIntKey of a device. root_key: GenAppKey for 1.0.x, AppKey for 1.1.

    Source: TS004-2.0.0 §3.3 names the roots; the block (30 and zeros) as chirpstack@d77207cd and SWL2001@9a14f677 do.
    """
    return AesKey(aes(root_key).encrypt(_DATA_BLOCK))


def mic_data_block(
    data_block_int_key: AesKey, session_cnt: int, frag_index: int, descriptor: int, block: bytes
) -> bytes:
    """The 4-byte MIC of a data block (without its padding).

    session_cnt: 16 bits; frag_index: 0–3; descriptor: 32 bits. Raises FrameError beyond them.
    Source: TS004-2.0.0 §3.3, table 12.
    """
    try:
        b0 = b"".join(
            (
                b"\x49",
                session_cnt.to_bytes(2, "little"),
                frag_index.to_bytes(1, "little"),
                descriptor.to_bytes(4, "little"),
                bytes(4),
                len(block).to_bytes(4, "little"),
            )
        )
    except OverflowError as error:
        raise FrameError("does not fit", field="B0 of a data block", clause="TS004-2.0.0 §3.3") from error
    return aes_cmac(data_block_int_key, b0 + block)[:DATA_BLOCK_MIC_LENGTH]
