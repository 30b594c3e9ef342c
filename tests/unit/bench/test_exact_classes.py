"""Classes B and C in the exact tier: a gateway that beacons, and downlinks between uplinks over Semtech UDP."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.network import DeviceProfile, NetworkConfig, SendToDevice
from bench.network.events import NetworkEffect
from bench.runner.exact import ExactStage, GatewayPlan, StagePlan
from bench.runner.link import MemoryLink
from gateway_fw.forwarder import ForwarderConfig
from gateway_fw.forwarder.clock import GPS_AHEAD_OF_UTC_US
from gateway_fw.forwarder.config import BeaconConfig
from gateway_fw.gps.reference import GPS_EPOCH_UNIX_US
from lorawan.crypto import SessionKeys
from lorawan.device import Activation, BeaconReceived, ClassChanged, DeviceConfig, Received, SendRequest, SwitchClass
from lorawan.device.events import DeviceEffect
from lorawan.draws import Draws
from lorawan.errors import MisuseError
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.operating_class import OperatingClass
from lorawan.ping_slots import next_ping_slot
from lorawan.server import JoinSettings
from lorawan.trace import DownlinkRecord
from lorawan.version import Version
from radio_sim.medium import Medium
from radio_sim.model import GatewaySite
from scenarios.population import Sensor

S = 1_000_000
ORIGIN_UNIX_US = 1_790_000_000 * S
GPS_AT_ORIGIN_US = ORIGIN_UNIX_US - GPS_EPOCH_UNIX_US + GPS_AHEAD_OF_UTC_US
KEYS = SessionKeys.for_10(AesKey(b"n" * 16), AesKey(b"a" * 16))
NAMES = ("class-b", "class-c")


def plan(*, gps: bool = True) -> StagePlan:
    """Two ABP devices near one gateway, which has GPS and beacons."""
    configs = [
        DeviceConfig(
            Version.V1_0_4,
            Eui64(1 + i),
            Eui64(9),
            activation=Activation.ABP,
            dev_addr=DevAddr(0x26000001 + i),
            session_keys=KEYS,
            initial_dr=5,
        )
        for i in range(2)
    ]
    classes = (OperatingClass.A, OperatingClass.C)
    profiles = [
        DeviceProfile(c.dev_eui, c.version, dev_addr=c.dev_addr, session_keys=KEYS, operating_class=operating_class)
        for c, operating_class in zip(configs, classes, strict=True)
    ]
    sensors = [
        Sensor(
            name, c.dev_eui, c.join_eui, "", "outdoor", "", 47.4, 0.8, 1.0, 1, 10, 10, c.version, c.activation,
            False, 0.5,
        )
        for name, c in zip(NAMES, configs, strict=True)
    ]  # fmt: skip
    gateway = ForwarderConfig(Eui64(0xA0), origin_unix_us=ORIGIN_UNIX_US, gps=True, beacon=BeaconConfig())
    return StagePlan(
        tuple(sensors),
        tuple(configs),
        tuple(profiles),
        (GatewayPlan("g", gateway, 20_000),),
        Medium([GatewaySite("g", 47.4, 0.8)], np.full((2, 1), -100.0)),
        NetworkConfig(
            JoinSettings(NetId(0x13)),
            channels_hz=(868_100_000, 868_300_000, 868_500_000),
            gps_at_origin_us=GPS_AT_ORIGIN_US if gps else None,
        ),
        (0, 86_400 * S),
        Draws.of_seed(1),
    )


class Watched(ExactStage):
    """Notes what devices and network did, and when."""

    def __init__(self, stage_plan: StagePlan) -> None:
        self.seen: list[tuple[int, int, DeviceEffect]] = []
        super().__init__(stage_plan, MemoryLink())

    def _from_device(self, index: int, effects: list[DeviceEffect], now: int) -> None:  # type: ignore[override]
        self.seen += [(now, index, effect) for effect in effects]
        super()._from_device(index, effects, now)

    def of(self, kind: type[DeviceEffect], index: int) -> list[DeviceEffect]:
        return [effect for _, at, effect in self.seen if at == index and isinstance(effect, kind)]

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        self.world.at(round(seconds * S), action)


def downlinks(stage: ExactStage, device: str) -> list[DownlinkRecord]:
    records = stage.recorder.records(86_400 * S)
    return [r for r in records if isinstance(r, DownlinkRecord) and r.device == device]


def test_a_class_b_device_follows_the_gateway_s_beacon_and_hears_a_downlink_in_its_ping_slot() -> None:
    stage = Watched(plan())
    device, eui = stage.devices[0], Eui64(1)
    stage.at(5, lambda: device.feed(SwitchClass(OperatingClass.B, 2)))
    stage.at(400, lambda: stage.network.feed(SendToDevice(eui, 10, b"in a slot")))
    stage.world.run(600 * S)
    beacons = stage.of(BeaconReceived, 0)
    assert stage.of(ClassChanged, 0) == [ClassChanged(OperatingClass.B)]
    assert len(beacons) >= 4
    assert [e.payload for e in stage.of(Received, 0) if isinstance(e, Received)] == [b"in a slot"]
    record = downlinks(stage, "class-b")[-1]
    in_slot = [r for r in downlinks(stage, "class-b") if r.t_us > 400 * S and len(r.phy_payload) == 13 + 9]
    assert len(in_slot) == 1
    assert record.outcome == "delivered"
    slot = next_ping_slot(DevAddr(0x26000001), 2, GPS_AT_ORIGIN_US + in_slot[0].t_us - 1_000) - GPS_AT_ORIGIN_US
    assert abs(slot - in_slot[0].t_us) <= 500  # tmms has whole milliseconds


def test_a_class_c_device_hears_a_downlink_at_once() -> None:
    stage = Watched(plan())
    device, eui = stage.devices[1], Eui64(2)
    stage.at(5, lambda: device.feed(SwitchClass(OperatingClass.C)))
    stage.at(6, lambda: device.feed(SendRequest(10, b"here")))
    stage.at(60, lambda: stage.network.feed(SendToDevice(eui, 10, b"now", True)))
    stage.world.run(100 * S)
    (received,) = [(at, e) for at, index, e in stage.seen if index == 1 and isinstance(e, Received)]
    assert isinstance(received[1], Received)
    assert received[1].payload == b"now"
    (record,) = [r for r in downlinks(stage, "class-c") if r.t_us > 50 * S and r.outcome == "delivered"][:1]
    assert record.t_us - 60 * S < 200_000  # backhaul and programming: no window was waited for
    acknowledged = [r for r in stage.recorder.records(86_400 * S) if r.__class__.__name__ == "UplinkRecord"]
    assert acknowledged[-1].t_us > received[0]


def test_a_class_a_device_hears_neither_beacons_nor_such_downlinks() -> None:
    stage = Watched(plan())
    stage.at(6, lambda: stage.devices[0].feed(SendRequest(10, b"here")))
    stage.at(60, lambda: stage.network.feed(SendToDevice(Eui64(1), 10, b"waits")))
    stage.world.run(400 * S)
    assert not stage.of(BeaconReceived, 0)
    assert not stage.of(Received, 0)
    assert not [r for r in downlinks(stage, "class-b") if r.t_us > 60 * S]


def test_a_device_without_an_uplink_cannot_be_reached() -> None:
    stage = Watched(plan())
    failed: list[NetworkEffect] = []
    stage.at(60, lambda: failed.extend(stage.network.core.handle(SendToDevice(Eui64(2), 10, b"x"), 60 * S)))
    stage.world.run(100 * S)
    assert failed == []  # it waits: no gateway is known to hear the device
    assert not downlinks(stage, "class-c")


def test_beacons_need_the_network_s_gps_time() -> None:
    with pytest.raises(MisuseError, match="GPS"):
        ExactStage(plan(gps=False), MemoryLink())
