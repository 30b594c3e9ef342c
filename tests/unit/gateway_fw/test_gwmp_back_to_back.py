"""A forwarder and a server core joined in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway_fw.forwarder import DatagramReceived, ForwarderConfig, ForwarderCore, SendDatagram
from gateway_fw.gwmp import (
    DownlinkAnswered,
    GwmpServerCore,
    SendDownlink,
    StatReceived,
    TxError,
    Txpk,
    UplinkReceived,
)
from gateway_fw.gwmp import server as server_end
from lorawan.ids import Eui64
from lorawan.machine import Dropped
from lorawan.phy import Heard, LoraModulation, Transmit


@dataclass
class Pair:
    """Datagrams cross at once; everything else is kept, in order."""

    gateway: ForwarderCore
    server: GwmpServerCore
    seen: list[Any] = field(default_factory=list)

    def from_gateway(self, effects: Any, now: int) -> None:
        for effect in effects:
            if isinstance(effect, SendDatagram):
                source = "up" if effect.upstream else "down"
                self.from_server(self.server.handle(DatagramReceived(effect.data, source), now), now)
            else:
                self.seen.append(effect)

    def from_server(self, effects: Any, now: int) -> None:
        for effect in effects:
            if isinstance(effect, server_end.SendDatagram):
                self.from_gateway(self.gateway.handle(DatagramReceived(effect.data), now), now)
            else:
                self.seen.append(effect)

    def run(self, until: int) -> None:
        while self.gateway.wake_at <= until:
            now = self.gateway.wake_at
            self.from_gateway(self.gateway.wake(now), now)


def pair(version: int = 2, known: set[Eui64] | None = None) -> Pair:
    config = ForwarderConfig(Eui64(1), version=version, counter_offset_us=(1 << 32) - 1_500_000)
    return Pair(ForwarderCore(config), GwmpServerCore(known))


HEARD = Heard(1_000_000, bytes(20), 868_100_000, LoraModulation(7), -80.0, 9.0, 56_576)


@pytest.mark.parametrize("version", [1, 2])
def test_an_uplink_goes_up_and_its_answer_comes_down_a_second_later(version: int) -> None:
    ends = pair(version)
    ends.run(0)
    ends.from_gateway(ends.gateway.handle(HEARD, HEARD.at), HEARD.at)
    uplink = ends.seen.pop()
    assert isinstance(uplink, UplinkReceived)
    tmst = (uplink.rxpk.tmst + 1_000_000) % (1 << 32)  # across the counter's wrap
    txpk = Txpk(freq_hz=868_100_000, modulation=LoraModulation(7), payload=b"\x60" * 12, tmst=tmst, power_dbm=14)
    ends.from_server(ends.server.handle(SendDownlink(Eui64(1), txpk, 42), 1_200_000), 1_200_000)
    answers = [DownlinkAnswered(Eui64(1), 42, TxError.NONE, None, None)] if version == 2 else []
    assert ends.seen == answers
    ends.run(3_000_000)
    assert isinstance(ends.seen[-1], Transmit)
    assert ends.seen[-1].at == 2_000_000


def test_the_report_says_that_all_was_acknowledged() -> None:
    ends = pair()
    ends.run(0)
    for _ in range(3):
        ends.from_gateway(ends.gateway.handle(HEARD, HEARD.at), HEARD.at)
    ends.run(30_000_000)
    (report,) = [effect.stat for effect in ends.seen if isinstance(effect, StatReceived)]
    assert (report.rxnb, report.rxok, report.rxfw, report.ackr_percent, report.txnb) == (3, 3, 3, 100.0, 0)


def test_a_gateway_nobody_knows_is_never_acknowledged() -> None:
    ends = pair(known={Eui64(2)})
    ends.run(0)
    ends.from_gateway(ends.gateway.handle(HEARD, HEARD.at), HEARD.at)
    ends.run(30_000_000)
    assert {effect.reason for effect in ends.seen if isinstance(effect, Dropped)} == {"unknown_gateway"}
    assert not [effect for effect in ends.seen if not isinstance(effect, Dropped)]


def test_a_refusal_comes_back_with_its_reference() -> None:
    ends = pair()
    ends.run(0)
    txpk = Txpk(freq_hz=915_000_000, modulation=LoraModulation(7), payload=b"\x60", imme=True)
    ends.from_server(ends.server.handle(SendDownlink(Eui64(1), txpk, 9), 0), 0)
    assert ends.seen == [DownlinkAnswered(Eui64(1), 9, TxError.TX_FREQ, None, None)]
