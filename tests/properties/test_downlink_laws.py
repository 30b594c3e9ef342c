"""Laws of a forwarder's downlinks: one answer each, to whoever asked; never two at once, never late, never too much."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway_fw.forwarder import (
    EU868_SUB_BANDS,
    DatagramReceived,
    ForwarderConfig,
    ForwarderCore,
    LinkConfig,
    QueueBeacon,
    SendDatagram,
    TxChain,
)
from gateway_fw.forwarder.core import ForwarderEffect
from gateway_fw.gwmp import PullData, PullResp, TxAck, TxError, Txpk, decode, encode
from lorawan.ids import Eui64
from lorawan.machine import Dropped
from lorawan.phy import LoraModulation, Transmit
from lorawan.units import US_PER_HOUR, US_PER_S

EUI = Eui64(0xAA555A0000000101)
WRAP = 1 << 32
FREQUENCIES_HZ = st.sampled_from([868_100_000, 868_300_000, 869_525_000, 868_800_000, 868_650_000, 915_000_000])
# EU868's, but ten times as narrow, so that they are spent within a test
TIGHT = tuple(replace(band, divisor=10 * band.divisor) for band in EU868_SUB_BANDS)
# two seconds from the counter's wrap; a second chain that transmits too
CONFIG = ForwarderConfig(
    EUI,
    counter_offset_us=WRAP - 2 * US_PER_S,
    stat_interval_us=None,
    links=(LinkConfig(), LinkConfig()),
    tx_chains=(TxChain(), TxChain(), TxChain(enabled=False)),
    origin_unix_us=1_700_000_000 * US_PER_S,
    gps=True,
    duty_cycle=TIGHT,
)


class DownlinkMachine(RuleBasedStateMachine):
    """Two servers ask one gateway."""

    def __init__(self) -> None:
        super().__init__()
        self.core = ForwarderCore(CONFIG)
        self.now = 0
        self.asked = 0
        self.accepted: dict[bytes, int] = {}
        self.beacons = 0
        self.sent: dict[bytes, Transmit] = {}
        self.chains: dict[bytes, int] = {}

    def ask(self, server: int, txpk: Txpk) -> None:
        self.asked += 1
        token = self.asked & 0xFFFF
        effects = self.core.handle(DatagramReceived(encode(PullResp(2, token, txpk)), "s", server), self.now)
        acks = [(effect.server, decode(effect.data)) for effect in effects if isinstance(effect, SendDatagram)]
        if txpk.rf_chain == 2:
            assert acks == []  # as the reference: a chain without transmitter gives no TX_ACK
            return
        ((answered, ack),) = acks
        assert isinstance(ack, TxAck)
        assert (answered, ack.token) == (server, token)
        if ack.error is TxError.NONE:
            self.accepted[txpk.payload] = txpk.rf_chain
        elif txpk.freq_hz in (915_000_000, 868_650_000):
            assert ack.error is TxError.TX_FREQ

    @rule(
        server=st.integers(0, 1), ahead_us=st.integers(-100_000, 6 * US_PER_S), freq_hz=FREQUENCIES_HZ,
        sf=st.integers(7, 12), chain=st.integers(0, 2), size=st.integers(4, 200),
        how=st.sampled_from(["tmst", "imme", "tmms"]),
    )  # fmt: skip
    def request(self, server: int, ahead_us: int, freq_hz: int, sf: int, chain: int, size: int, how: str) -> None:
        at = self.now + ahead_us
        payload = self.asked.to_bytes(4, "big") + bytes(size - 4)
        when: dict[str, int | bool] = {
            "tmst": {"tmst": (at + CONFIG.counter_offset_us) % WRAP},
            "imme": {"imme": True},
            "tmms": {"tmms": max(0, self.core._clock.gps_ms(max(at, 0)))},
        }[how]
        self.ask(
            server,
            Txpk(
                freq_hz=freq_hz, modulation=LoraModulation(sf), payload=payload, rf_chain=chain, power_dbm=14,
                no_crc=True, **when,  # type: ignore[arg-type]
            ),
        )  # fmt: skip

    @rule(ahead_us=st.integers(US_PER_S, 200 * US_PER_S))
    def beacon(self, ahead_us: int) -> None:
        self.beacons += 1
        payload = b"beacon" + self.beacons.to_bytes(2, "big")
        beacon = Transmit(
            self.now + ahead_us,
            payload,
            869_525_000,
            LoraModulation(9),
            14.0,
            152_576,
            crc=False,
            explicit_header=False,
        )
        refused = self.core.handle(QueueBeacon(beacon), self.now)
        if not refused:
            self.accepted[payload] = 0

    @rule(by=st.integers(0, 30 * US_PER_S))
    def let_time_pass(self, by: int) -> None:
        self.run_until(self.now + by)

    def run_until(self, until: int) -> None:
        while self.core.wake_at <= until:
            self.now = max(self.now, self.core.wake_at)
            self.take(self.core.wake(self.now))
        self.now = until

    def take(self, effects: list[ForwarderEffect] | tuple[ForwarderEffect, ...]) -> None:  # type: ignore[type-arg]
        for effect in effects:
            if isinstance(effect, Transmit):
                assert 1_500 <= effect.at - self.now <= 40_000, "never late, never early"
                assert effect.payload not in self.sent
                assert effect.rf_chain == self.accepted[effect.payload]
                self.sent[effect.payload] = effect
            elif isinstance(effect, SendDatagram):
                assert isinstance(decode(effect.data), PullData)
            else:
                raise AssertionError(effect if isinstance(effect, Dropped) else type(effect))

    @invariant()
    def no_two_overlap_on_one_chain(self) -> None:
        for chain in (0, 1):
            frames = (frame for frame in self.sent.values() if frame.rf_chain == chain)
            on_air = sorted((frame.at, frame.at + frame.airtime_us) for frame in frames)
            assert all(start - end > 1_000 for (_, end), (start, _) in pairwise(on_air))

    @invariant()
    def no_hour_holds_more_than_its_sub_band_allows(self) -> None:
        for band in TIGHT:
            frames = [
                f for f in self.sent.values() if band.low_hz <= f.freq_hz < band.high_hz and f.payload[:6] != b"beacon"
            ]
            for frame in frames:
                end = frame.at + frame.airtime_us
                spent = sum(max(0, min(f.at + f.airtime_us, end) - max(f.at, end - US_PER_HOUR)) for f in frames)
                assert spent <= US_PER_HOUR // band.divisor

    def teardown(self) -> None:
        self.run_until(self.now + 600 * US_PER_S)
        assert self.sent.keys() == self.accepted.keys(), "what was answered NONE went out, once"
        super().teardown()


DownlinkMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestDownlinks = DownlinkMachine.TestCase
