"""Uplinks that are sent again, read by another implementation of Semtech UDP: PyPI's pamoja-gateway."""

from __future__ import annotations

import pytest

from gateway_fw.forwarder import ForwarderConfig, ForwarderCore, LinkConfig, SendDatagram, SpoolConfig
from gateway_fw.forwarder.core import DatagramReceived
from gateway_fw.gwmp import PullAck, encode
from lorawan.ids import Eui64
from lorawan.phy import Heard, LoraModulation
from lorawan.units import US_PER_S

pamoja = pytest.importorskip("pamoja.gateway")


def test_a_late_uplink_keeps_its_payload_and_tells_its_time() -> None:
    config = ForwarderConfig(
        Eui64(0xAA555A0000000101), stat_interval_us=None, origin_unix_us=1_700_000_000 * US_PER_S,
        links=(LinkConfig(),), spool=SpoolConfig(),
    )  # fmt: skip
    core = ForwarderCore(config)
    payloads = [bytes([0x40, number]) * 8 for number in range(20)]
    for payload in payloads:
        core.handle(Heard(US_PER_S, payload, 868_300_000, LoraModulation(9), -101.0, -3.5, 185_344), US_PER_S)
    seen: list[bytes] = []
    while core.waiting[0] and core.wake_at < 100 * US_PER_S:
        now = core.wake_at
        for effect in core.wake(now):
            if not isinstance(effect, SendDatagram):
                continue
            packet = pamoja.parse(effect.data)
            answer = pamoja.acknowledgment(packet)
            core.handle(DatagramReceived(pamoja.encode(answer)), now)
            if not effect.upstream:
                assert pamoja.encode(answer) == encode(PullAck(2, int.from_bytes(effect.data[1:3], "big")))
                continue
            for rxpk in packet.packets:
                assert rxpk.timestamp_us == US_PER_S
                assert rxpk.received_at_us == 1_700_000_001 * US_PER_S
                seen.append(bytes(rxpk.payload))
    assert sorted(seen) == sorted(payloads)
    assert core.waiting == (0,)
