"""Keys of a relayed device: what its wake-on-radio frames are protected with.

Source: TS011-1.0.1 §4.4 (RootWorSKey), §4.5 (WorSIntKey, WorSEncKey); the clause numbers as pamoja-native 0.2.0 cites
them. The blocks are held to lora-packet, pamoja and a known answer of ChirpStack's.
"""

from __future__ import annotations

from dataclasses import dataclass

from lorawan.crypto.cipher import aes
from lorawan.ids import AesKey, DevAddr

_ROOT = b"\x01".ljust(16, b"\x00")


@dataclass(frozen=True, slots=True)
class WorKeys:
    """Integrity and encryption of wake-on-radio frames between a device and its relay."""

    wor_s_int_key: AesKey
    wor_s_enc_key: AesKey


def derive_root_wor_s_key(nwk_s_enc_key: AesKey) -> AesKey:
    """RootWorSKey, which the network sends the relay. nwk_s_enc_key: of the session; before 1.1 its NwkSKey."""
    return AesKey(aes(nwk_s_enc_key).encrypt(_ROOT))


def derive_wor_keys(root_wor_s_key: AesKey, dev_addr: DevAddr) -> WorKeys:
    """The two keys of the device with this address."""
    tail = dev_addr.to_wire() + bytes(11)
    int_key, enc_key = (AesKey(aes(root_wor_s_key).encrypt(label + tail)) for label in (b"\x01", b"\x02"))
    return WorKeys(int_key, enc_key)
