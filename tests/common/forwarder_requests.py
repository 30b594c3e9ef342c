"""A forwarder that is asked to send."""

from __future__ import annotations

from dataclasses import replace

from gateway_fw.forwarder import DatagramReceived, ForwarderConfig, ForwarderCore, SendDatagram
from gateway_fw.forwarder.core import ForwarderEffect
from gateway_fw.gwmp import PullResp, TxAck, Txpk, decode, encode
from lorawan.ids import Eui64
from lorawan.machine import Dropped
from lorawan.phy import LoraModulation
from lorawan.units import US_PER_S

EUI = Eui64(0xAA555A0000000101)
CONFIG = ForwarderConfig(EUI, stat_interval_us=None, origin_unix_us=1_700_000_000 * US_PER_S)
GPS_S = 1_400_000_000


def txpk(**changes: object) -> Txpk:
    plain = Txpk(
        freq_hz=868_300_000, modulation=LoraModulation(9), payload=bytes(13), imme=True, power_dbm=14, no_crc=True
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def ask(core: ForwarderCore, now: int, request: Txpk, *, server: int = 0) -> tuple[TxAck, list[Dropped]]:
    effects = core.handle(DatagramReceived(encode(PullResp(2, 7, request)), "s", server), now)
    ((to, ack),) = [(e.server, decode(e.data)) for e in effects if isinstance(e, SendDatagram)]
    assert isinstance(ack, TxAck)
    assert to == server
    return ack, [effect for effect in effects if isinstance(effect, Dropped)]


def programmed(core: ForwarderCore, until: int) -> list[ForwarderEffect]:
    effects: list[ForwarderEffect] = []
    while core.wake_at <= until:
        effects += [e for e in core.wake(core.wake_at) if not isinstance(e, SendDatagram)]
    return effects
