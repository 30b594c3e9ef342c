"""Session keys from root keys and the numbers of a join, in the 1.0 and the 1.1 form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from lorawan.crypto.cipher import aes
from lorawan.errors import FrameError
from lorawan.ids import AesKey, Eui64, NetId


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The four keys of a session. In 1.0 the three network keys are one, the NwkSKey."""

    f_nwk_s_int_key: AesKey
    s_nwk_s_int_key: AesKey
    nwk_s_enc_key: AesKey
    app_s_key: AesKey

    @classmethod
    def for_10(cls, nwk_s_key: AesKey, app_s_key: AesKey) -> Self:
        """A 1.0 session (or a 1.1 device that fell back to 1.0)."""
        return cls(nwk_s_key, nwk_s_key, nwk_s_key, app_s_key)


@dataclass(frozen=True, slots=True)
class JoinKeys:
    """The lifetime keys between a 1.1 device and its join server."""

    js_int_key: AesKey
    js_enc_key: AesKey


def derive_keys_10(app_key: AesKey, join_nonce: int, net_id: NetId, dev_nonce: int) -> SessionKeys:
    """Session keys of a 1.0 join. join_nonce (AppNonce): 24 bits; dev_nonce: 16 bits. Raises FrameError.

    Source: TS001-1.0.4 §6.2.6; LoRaWAN 1.0.2 §6.2.5.
    """
    tail = _nonce(join_nonce, 3, "JoinNonce") + net_id.to_wire() + _nonce(dev_nonce, 2, "DevNonce")
    return SessionKeys.for_10(_derived(app_key, 0x01, tail), _derived(app_key, 0x02, tail))


def derive_keys_11(nwk_key: AesKey, app_key: AesKey, join_nonce: int, join_eui: Eui64, dev_nonce: int) -> SessionKeys:
    """Session keys of a 1.1 join whose accept had OptNeg = 1. Raises FrameError. Source: LoRaWAN 1.1 §6.2.3."""
    tail = _nonce(join_nonce, 3, "JoinNonce") + join_eui.to_wire() + _nonce(dev_nonce, 2, "DevNonce")
    return SessionKeys(
        f_nwk_s_int_key=_derived(nwk_key, 0x01, tail),
        s_nwk_s_int_key=_derived(nwk_key, 0x03, tail),
        nwk_s_enc_key=_derived(nwk_key, 0x04, tail),
        app_s_key=_derived(app_key, 0x02, tail),
    )


def derive_keys_11_fallback(nwk_key: AesKey, join_nonce: int, net_id: NetId, dev_nonce: int) -> SessionKeys:
    """Session keys of a 1.1 device whose accept had OptNeg = 0: the 1.0 form with the NwkKey as its only root.

    Raises FrameError. Source: LoRaWAN 1.1 §6.2.3 (keys when OptNeg is unset) and §6.1.1.3.
    """
    return derive_keys_10(nwk_key, join_nonce, net_id, dev_nonce)


def derive_join_keys(nwk_key: AesKey, dev_eui: Eui64) -> JoinKeys:
    """JSIntKey and JSEncKey of a 1.1 device. Source: LoRaWAN 1.1 §6.1.1.4."""
    tail = dev_eui.to_wire()
    return JoinKeys(js_int_key=_derived(nwk_key, 0x06, tail), js_enc_key=_derived(nwk_key, 0x05, tail))


def _derived(root: AesKey, label: int, tail: bytes) -> AesKey:
    return AesKey(aes(root).encrypt((bytes((label,)) + tail).ljust(16, b"\x00")))


def _nonce(value: int, width: int, field: str) -> bytes:
    try:
        return value.to_bytes(width, "little")
    except OverflowError as error:
        raise FrameError(f"{value} does not fit {width} bytes", field=field) from error
