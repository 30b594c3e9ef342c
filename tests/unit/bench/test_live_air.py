"""The live air without waiting: a clock that the test moves, a gateway that is neither forwarder nor socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bench.live.air import LiveAir, Pace
from bench.live.clock import LiveWorld
from bench.live.events import AirEvent, DeviceHasJoined, DownlinkOver, DownlinkRefused, UplinkOver
from bench.live.scenario import LiveScenario, live_plan
from bench.network import DataAccepted, DeviceJoined, NetworkCore, PersistDevice
from bench.runner.exact import StagePlan
from gateway_fw.gwmp import CRC_OK, Rxpk, SendDownlink, UplinkReceived
from lorawan.ids import Eui64
from lorawan.phy import Heard, LoraModulation, Transmit, lora_airtime_us
from lorawan.trace import DownlinkOutcome, Outcome

EUI = Eui64(0x0200000000001234)
S = 1_000_000


class Clock:
    us = 0

    def __call__(self) -> int:
        return self.us


@pytest.fixture(name="plan")
def _plan() -> StagePlan:
    return live_plan(LiveScenario("lab-one-device", sample=1, join_data_rates=(5,)))[1]


def downlink(at: int, payload: bytes, freq_hz: int, modulation: LoraModulation, airtime_us: int) -> Transmit:
    return Transmit(at, payload, freq_hz, modulation, 14.0, airtime_us, inverted_iq=True, crc=False)


class Bench:
    """An air whose one gateway hands frames to a network core and sends what that asks for."""

    def __init__(self, plan: StagePlan, answers: Callable[[Transmit], Transmit] = lambda transmit: transmit) -> None:
        self.clock, self.told = Clock(), list[AirEvent]()
        self.world = LiveWorld(self.clock)
        self.air = LiveAir(plan, self.world, self.told.append, pace=Pace(10 * S, S))
        self.network = NetworkCore(plan.network, plan.profiles)
        self.answers = answers
        self.port = self.air.port("roof")
        self.port.attach(self.heard)
        self.air.switch_on()

    def heard(self, heard: Heard) -> None:
        rxpk = Rxpk(
            heard.at % (1 << 32), heard.freq_hz, heard.modulation, heard.coding_rate, heard.rssi_dbm, heard.snr_db,
            heard.payload, CRC_OK,
        )  # fmt: skip
        self.network.handle(UplinkReceived(EUI, rxpk), self.world.now)
        due = self.network.wake_at
        assert due is not None
        self.world.at(due, self.decide)

    def decide(self) -> None:
        for effect in self.network.wake(self.world.now):
            if isinstance(effect, SendDownlink):
                txpk = effect.txpk
                assert txpk.tmst is not None
                assert isinstance(txpk.modulation, LoraModulation)
                airtime_us = lora_airtime_us(len(txpk.payload), txpk.modulation, crc=False)
                transmit = Transmit(
                    txpk.tmst,
                    txpk.payload,
                    txpk.freq_hz,
                    txpk.modulation,
                    14.0,
                    airtime_us,
                    inverted_iq=True,
                    crc=False,
                )
                self.port.transmit(self.answers(transmit))
            else:
                assert isinstance(effect, DeviceJoined | DataAccepted | PersistDevice)

    def run(self, seconds: int) -> None:
        for _ in range(seconds * 50):
            self.clock.us += 20_000  # Python comes round every 20 ms only
            self.world.catch_up()

    def of(self, kind: type) -> list[AirEvent]:
        return [event for event in self.told if isinstance(event, kind)]


def test_a_device_joins_and_is_answered_on_the_microsecond_though_python_is_20_ms_late(plan: StagePlan) -> None:
    bench = Bench(plan)
    bench.run(40)
    assert len(bench.of(DeviceHasJoined)) == 1
    answers = [e for e in bench.told if isinstance(e, DownlinkOver)]
    assert {answer.outcome for answer in answers} == {DownlinkOutcome.DELIVERED}
    assert answers[0].after_uplink_us == 5 * S
    assert {answer.after_uplink_us for answer in answers[1:]} == {1 * S}
    uplinks = [e for e in bench.told if isinstance(e, UplinkOver)]
    assert len(uplinks) >= 3
    assert all(uplink.outcome is Outcome.DELIVERED and uplink.heard[0][0] == "roof" for uplink in uplinks)
    assert all(uplink.heard[0][1].at == uplink.transmit.at + uplink.transmit.airtime_us for uplink in uplinks)
    assert bench.world.worst_late_us >= 10_000


def test_a_downlink_whose_start_has_passed_is_refused_rather_than_moved(plan: StagePlan) -> None:
    bench = Bench(plan, lambda transmit: replace(transmit, at=transmit.at - 6 * S))
    bench.run(10)
    refused = [e for e in bench.told if isinstance(e, DownlinkRefused)]
    assert refused
    assert all(event.late_us > 0 and event.site == "roof" for event in refused)
    assert not bench.of(DownlinkOver)
    assert not bench.of(DeviceHasJoined)


def test_a_downlink_off_by_more_than_the_window_is_not_heard(plan: StagePlan) -> None:
    bench = Bench(plan, lambda transmit: replace(transmit, at=transmit.at + 50_000))
    bench.run(10)
    assert {e.outcome for e in bench.told if isinstance(e, DownlinkOver)} == {DownlinkOutcome.NOT_LISTENING}
    assert not bench.of(DeviceHasJoined)


def test_a_transmission_that_is_taken_back_never_begins(plan: StagePlan) -> None:
    bench = Bench(plan)
    frame = downlink(S, bytes(12), 868_100_000, LoraModulation(7), 50_000)
    assert bench.port.transmit(frame)
    bench.port.abort()
    bench.run(3)
    assert not bench.of(DownlinkOver)


def test_an_unplugged_gateway_hears_nothing_and_the_air_goes_on(plan: StagePlan) -> None:
    bench = Bench(plan)
    bench.port.detach()
    bench.run(5)
    assert bench.of(UplinkOver)
    assert not bench.of(DeviceHasJoined)


def test_devices_remember_what_their_next_run_needs(plan: StagePlan) -> None:
    bench = Bench(plan)
    bench.run(10)
    (memory,) = bench.air.memories.values()
    assert memory.next_dev_nonce == 1
    assert memory.last_join_nonce == 1
