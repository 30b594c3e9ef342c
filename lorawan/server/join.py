"""The network side of one device's activation: nonce memory, the accept, the keys, and what rejoining needs.

Source: LoRaWAN 1.0.4 §6.2, 1.1 §6.2; `lorawan.version` for what differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lorawan.crypto import (
    SessionKeys,
    derive_join_keys,
    derive_keys_10,
    derive_keys_11,
    derive_keys_11_fallback,
    mic_rejoin_request,
)
from lorawan.errors import MisuseError
from lorawan.frames import JoinAccept, JoinRequest, RejoinRequest02, RejoinRequest1
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.machine import Dropped, Instant
from lorawan.secured import (
    JOIN_REQ_TYPE_JOIN,
    join_request_mic_ok,
    seal_join_accept_10,
    seal_join_accept_11,
)
from lorawan.server.events import (
    JoinEffect,
    JoinEvent,
    JoinHeard,
    PersistJoins,
    RejoinGranted,
    RejoinHeard,
    SessionCreated,
)
from lorawan.server.memory import JoinMemory
from lorawan.server.picture import Windows
from lorawan.units import US_PER_S
from lorawan.version import Version

JOIN_NONCE_MAX = 0xFFFFFF  # 24 bits, and it never repeats itself (LoRaWAN 1.1 §6.2.3)


@dataclass(frozen=True, slots=True)
class JoinSettings:
    """What every accept of a network carries. rx_delay_s 0 or 1 means 1 s; cf_list b"" or 16 bytes.

    speaks_1_1: without it the network answers 1.1 devices as one of 1.0 does, OptNeg 0 (LoRaWAN 1.1 §6.2.3).
    """

    net_id: NetId
    rx_delay_s: int = 1
    rx1_dr_offset: int = 0
    rx2_dr: int = 0
    cf_list: bytes = b""
    speaks_1_1: bool = True


class JoinCore:
    """Join server for one device. join_eui: None takes any."""

    def __init__(
        self,
        version: Version,
        dev_eui: Eui64,
        dev_addr: DevAddr,
        settings: JoinSettings,
        *,
        app_key: AesKey,
        nwk_key: AesKey | None = None,
        join_eui: Eui64 | None = None,
        memory: JoinMemory | None = None,
    ) -> None:
        if version.is_1_1 and nwk_key is None:
            raise MisuseError("a 1.1 device needs nwk_key")
        self._version = version
        self._dev_eui = dev_eui
        self._dev_addr = dev_addr
        self._settings = settings
        self._app_key = app_key
        self._join_key = nwk_key if version.is_1_1 and nwk_key is not None else app_key
        self._join_eui = join_eui
        self._is_1_1 = version.is_1_1 and settings.speaks_1_1
        self.memory = memory or JoinMemory()

    @property
    def wake_at(self) -> Instant | None:
        """Never."""
        return None

    def wake(self, now: Instant) -> Sequence[JoinEffect]:  # noqa: ARG002 - the contract of every core
        """Nothing is ever due."""
        return ()

    def handle(self, event: JoinEvent, now: Instant) -> Sequence[JoinEffect]:  # noqa: ARG002 - the contract of every core
        """Check a request and answer it; one of type 0 or 2 has to be granted by the device's session."""
        match event:
            case JoinHeard():
                return self._join(event.request)
            case RejoinHeard(RejoinRequest1() as request):
                return self._rejoin_1(request)
            case RejoinGranted():
                return self._rejoin_02(event.request, event.windows)
        return (Dropped("rejoin_not_granted", "LoRaWAN 1.1 §6.2.4.1", "types 0 and 2 are checked by the session"),)

    def _join(self, request: JoinRequest) -> Sequence[JoinEffect]:
        if not join_request_mic_ok(self._join_key, request):
            return (Dropped("mic", "LoRaWAN 1.0.4 §6.2.5"),)
        if self._join_eui not in (None, request.join_eui):
            return (Dropped("join_eui", "LoRaWAN 1.0.4 §6.2", str(request.join_eui)),)
        memory, nonce = self.memory, request.dev_nonce
        if self._version.rules.dev_nonce_is_counter:
            if nonce <= memory.last_dev_nonce:
                return (Dropped("dev_nonce_replay", "LoRaWAN 1.0.4 §6.2.5", f"{nonce}"),)
            memory = replace(memory, last_dev_nonce=nonce)
        elif nonce in memory.dev_nonces:
            return (Dropped("dev_nonce_replay", "LoRaWAN 1.0.2 §6.2.4", f"{nonce}"),)
        else:
            memory = replace(memory, dev_nonces=memory.dev_nonces | {nonce})
        return self._accepted(replace(memory, join_eui=request.join_eui), request.join_eui, nonce)

    def _rejoin_1(self, request: RejoinRequest1) -> Sequence[JoinEffect]:
        """Whoever lost the session begins anew. Source: LoRaWAN 1.1 §6.2.4.2."""
        if not self._is_1_1:
            return (_no_rejoin(),)
        key = derive_join_keys(self._join_key, self._dev_eui).js_int_key
        if request.mic != mic_rejoin_request(key, request.message()):
            return (Dropped("mic", "LoRaWAN 1.1 §6.2.4.2"),)
        if self._join_eui not in (None, request.join_eui):
            return (Dropped("join_eui", "LoRaWAN 1.1 §6.2.4.2", str(request.join_eui)),)
        last = self.memory.rj_count1
        if request.rj_count <= last:
            return (Dropped("rj_count_replay", "LoRaWAN 1.1 §6.2.4.2", f"RJcount1 {request.rj_count} after {last}"),)
        memory = replace(self.memory, rj_count1=request.rj_count, join_eui=request.join_eui)
        return self._accepted(memory, request.join_eui, request.rj_count, rejoin_type=1)

    def _rejoin_02(self, request: RejoinRequest02, windows: Windows) -> Sequence[JoinEffect]:
        """A new context for a device whose session is known. Source: LoRaWAN 1.1 §6.2.4.1, §6.2.4.4."""
        if not self._is_1_1:
            return (_no_rejoin(),)
        join_eui = self._join_eui if self._join_eui is not None else self.memory.join_eui
        if join_eui is None:
            return (Dropped("join_eui", "LoRaWAN 1.1 §6.2.3", "the accept needs the JoinEUI, which no join has told"),)
        if request.net_id != self._settings.net_id:
            return (Dropped("net_id", "LoRaWAN 1.1 §6.2.4.1", f"NetID {request.net_id} is another network's"),)
        keeps = windows if request.rejoin_type == 2 else None
        return self._accepted(
            self.memory, join_eui, request.rj_count, rejoin_type=request.rejoin_type, keeps_windows=keeps
        )

    def _accepted(
        self,
        memory: JoinMemory,
        join_eui: Eui64,
        nonce: int,
        *,
        rejoin_type: int | None = None,
        keeps_windows: Windows | None = None,
    ) -> Sequence[JoinEffect]:
        """The accept; nonce: DevNonce, or the RJcount that stands in its place (LoRaWAN 1.1 §6.2.4.4)."""
        if memory.join_nonce >= JOIN_NONCE_MAX:
            return (Dropped("join_nonce_exhausted", "LoRaWAN 1.1 §6.2.3", "every JoinNonce has been used"),)
        self.memory = memory = replace(memory, join_nonce=memory.join_nonce + 1)
        settings = self._settings
        accept = JoinAccept(
            join_nonce=memory.join_nonce,
            net_id=settings.net_id,
            dev_addr=self._dev_addr,
            opt_neg=self._is_1_1,
            rx1_dr_offset=settings.rx1_dr_offset,
            rx2_dr=settings.rx2_dr,
            rx_delay_s=settings.rx_delay_s,
            cf_list=settings.cf_list,
        )
        if keeps_windows is not None:
            # of type 2, so that a device that takes DLSettings and one that keeps its own do the same (1.1 §6.2.3)
            accept = replace(
                accept,
                rx1_dr_offset=keeps_windows.rx1_dr_offset,
                rx2_dr=keeps_windows.rx2_dr,
                rx_delay_s=keeps_windows.rx1_delay_us // US_PER_S,
                cf_list=b"",
            )
        sealed, keys = self._sealed(accept, join_eui, nonce, rejoin_type)
        created = SessionCreated(sealed, self._dev_addr, keys, self._is_1_1, rejoin_type)
        return (PersistJoins(memory), created)

    def _sealed(
        self, accept: JoinAccept, join_eui: Eui64, nonce: int, rejoin_type: int | None
    ) -> tuple[bytes, SessionKeys]:
        join_nonce, net_id = accept.join_nonce, accept.net_id
        if not self._is_1_1:
            # a 1.1 device on a network of 1.0 has the NwkKey as its only root
            derive = derive_keys_11_fallback if self._version.is_1_1 else derive_keys_10
            keys = derive(self._join_key, join_nonce, net_id, nonce)
            return seal_join_accept_10(self._join_key, accept), keys
        join_keys = derive_join_keys(self._join_key, self._dev_eui)
        sealed = seal_join_accept_11(
            self._join_key if rejoin_type is None else join_keys.js_enc_key,
            join_keys.js_int_key,
            accept,
            join_eui,
            nonce,
            join_req_type=JOIN_REQ_TYPE_JOIN if rejoin_type is None else rejoin_type,
        )
        return sealed, derive_keys_11(self._join_key, self._app_key, join_nonce, join_eui, nonce)


def _no_rejoin() -> Dropped:
    return Dropped("version", "LoRaWAN 1.1 §6.2.4", "only a device of 1.1 on a network of 1.1 rejoins")
