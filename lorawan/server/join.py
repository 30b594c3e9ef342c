"""The network side of one device's activation: nonce memory, the accept, the keys.

Source: LoRaWAN 1.0.4 §6.2, 1.1 §6.2; `lorawan.version` for what differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lorawan.crypto import SessionKeys, derive_join_keys, derive_keys_10, derive_keys_11
from lorawan.errors import MisuseError
from lorawan.frames import JoinAccept, JoinRequest
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.machine import Dropped, Instant
from lorawan.secured import join_request_mic_ok, seal_join_accept_10, seal_join_accept_11
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class JoinSettings:
    """What every accept of a network carries. rx_delay_s 0 or 1 means 1 s; cf_list b"" or 16 bytes."""

    net_id: NetId
    rx_delay_s: int = 1
    rx1_dr_offset: int = 0
    rx2_dr: int = 0
    cf_list: bytes = b""


@dataclass(frozen=True, slots=True)
class JoinHeard:
    """Event: a join request for this device."""

    request: JoinRequest


@dataclass(frozen=True, slots=True)
class SessionCreated:
    """Effect: the accept to send, and the session it starts. f_cnt values start at 0."""

    accept: bytes
    dev_addr: DevAddr
    keys: SessionKeys
    is_1_1: bool


JoinEffect: TypeAlias = SessionCreated | Dropped


class JoinCore:
    """Join server for one device. Remembers every DevNonce it has taken."""

    def __init__(
        self,
        version: Version,
        dev_eui: Eui64,
        dev_addr: DevAddr,
        settings: JoinSettings,
        *,
        app_key: AesKey,
        nwk_key: AesKey | None = None,
    ) -> None:
        if version.is_1_1 and nwk_key is None:
            raise MisuseError("a 1.1 device needs nwk_key")
        self._version = version
        self._dev_eui = dev_eui
        self._dev_addr = dev_addr
        self._settings = settings
        self._app_key = app_key
        self._join_key = nwk_key if version.is_1_1 and nwk_key is not None else app_key
        self._nonces: set[int] = set()
        self._last_nonce = -1
        self._join_nonce = 0

    @property
    def wake_at(self) -> Instant | None:
        """Never."""
        return None

    def wake(self, now: Instant) -> Sequence[JoinEffect]:  # noqa: ARG002 - the contract of every core
        """Nothing is ever due."""
        return ()

    def handle(self, event: JoinHeard, now: Instant) -> Sequence[JoinEffect]:  # noqa: ARG002 - the contract of every core
        """Check a join request and answer it."""
        request, settings = event.request, self._settings
        if not join_request_mic_ok(self._join_key, request):
            return (Dropped("mic", "LoRaWAN 1.0.4 §6.2.5"),)
        if self._version.rules.dev_nonce_is_counter:
            if request.dev_nonce <= self._last_nonce:
                return (Dropped("dev_nonce_replay", "LoRaWAN 1.0.4 §6.2.5", f"{request.dev_nonce}"),)
            self._last_nonce = request.dev_nonce
        elif request.dev_nonce in self._nonces:
            return (Dropped("dev_nonce_replay", "LoRaWAN 1.0.2 §6.2.4", f"{request.dev_nonce}"),)
        else:
            self._nonces.add(request.dev_nonce)
        self._join_nonce += 1
        as_1_1 = self._version.is_1_1
        accept = JoinAccept(
            join_nonce=self._join_nonce,
            net_id=settings.net_id,
            dev_addr=self._dev_addr,
            opt_neg=as_1_1,
            rx1_dr_offset=settings.rx1_dr_offset,
            rx2_dr=settings.rx2_dr,
            rx_delay_s=settings.rx_delay_s,
            cf_list=settings.cf_list,
        )
        if as_1_1:
            join_eui, nonce = request.join_eui, request.dev_nonce
            js_int_key = derive_join_keys(self._join_key, self._dev_eui).js_int_key
            sealed = seal_join_accept_11(self._join_key, js_int_key, accept, join_eui, nonce)
            keys = derive_keys_11(self._join_key, self._app_key, self._join_nonce, join_eui, nonce)
        else:
            sealed = seal_join_accept_10(self._join_key, accept)
            keys = derive_keys_10(self._join_key, self._join_nonce, settings.net_id, request.dev_nonce)
        return (SessionCreated(sealed, self._dev_addr, keys, as_1_1),)
