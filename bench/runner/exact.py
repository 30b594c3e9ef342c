"""The exact tier: every sampled uplink is real bytes from the device's MAC to the network's session, under SimPy.

Device cores, medium, forwarder cores, link, Semtech UDP server core and network core are wired here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from bench.network import (
    DataAccepted,
    DeviceJoined,
    DeviceProfile,
    DeviceTold,
    DownlinkFailed,
    NetworkConfig,
    NetworkCore,
    NetworkDropped,
    PersistDevice,
)
from bench.network.events import NetworkEffect
from bench.runner.identities import reading
from bench.runner.link import Link
from bench.runner.recorder import Recorder
from gateway_fw import forwarder as fw
from gateway_fw import gwmp
from gateway_fw.forwarder.clock import GPS_AHEAD_OF_UTC_US
from gateway_fw.forwarder.core import ForwarderEffect, ForwarderEvent
from gateway_fw.gps.reference import MAX_AGE_US, TimeReference
from lorawan.device import (
    Activation,
    DeviceConfig,
    DeviceCore,
    Joined,
    ReceptionStarted,
    SendRequest,
    StartJoin,
    StopListening,
    Transmission,
)
from lorawan.device.events import DeviceEffect, DeviceEvent
from lorawan.draws import Draws
from lorawan.errors import MisuseError
from lorawan.ids import Eui64
from lorawan.machine import Dropped, Instant
from lorawan.phy import Listen, Transmit
from lorawan.trace import DownlinkOutcome
from lorawan.units import US_PER_S
from radio_sim.medium import (
    CancelListen,
    DeviceListens,
    DeviceLocked,
    DownlinkEnded,
    DownlinkStarts,
    Medium,
    MediumEffect,
    UplinkEnded,
    UplinkStarts,
)
from radio_sim.world import Driver, World
from scenarios.calendar import uplink_instants_us
from scenarios.population import Sensor

SEND_JITTER_US = 60_000_000  # a meter's clock wanders: each uplink is up to this much off its slot [assumption]


@dataclass(frozen=True, slots=True)
class GatewayPlan:
    """A simulated gateway: its forwarder's configuration and how far the server is."""

    site_id: str
    config: fw.ForwarderConfig
    backhaul_us: int


@dataclass(frozen=True, slots=True, eq=False)
class StagePlan:
    """Everything that a stage's run is made of. sensors, configs and profiles go together by index."""

    sensors: tuple[Sensor, ...]
    configs: tuple[DeviceConfig, ...]
    profiles: tuple[DeviceProfile, ...]
    gateways: tuple[GatewayPlan, ...]
    medium: Medium
    network: NetworkConfig
    bounds_us: tuple[Instant, ...]
    draws: Draws
    before_day: Callable[[int], None] = field(default=lambda _: None)


class ExactStage:
    """One stage under way. `run_day` goes on by one civil day; `records` closes the books.

    devices and network take events from outside too: a change of class, a downlink of the application.
    """

    def __init__(self, plan: StagePlan, link: Link) -> None:
        self._plan, self._link = plan, link
        self.world = World()
        self.recorder = Recorder(
            [s.id for s in plan.sensors],
            [g.site_id for g in plan.gateways],
            rx2_freq_hz=plan.network.region.rx2_freq_hz,
        )
        self.medium = Driver(self.world, plan.medium, self._from_medium)
        self.devices = [
            self._device(index, config, plan.draws.at("device", int(config.dev_eui)))
            for index, config in enumerate(plan.configs)
        ]
        self._forwarders = [self._forwarder(index, gateway) for index, gateway in enumerate(plan.gateways)]
        self.server = Driver(
            self.world, gwmp.GwmpServerCore(known=[g.config.gateway_eui for g in plan.gateways]), self._from_server
        )
        self.network = Driver(self.world, NetworkCore(plan.network, plan.profiles), self._from_network)
        self._device_index = {p.dev_eui: i for i, p in enumerate(plan.profiles)}
        self._frames = [0] * len(plan.sensors)
        self._readings = [0] * len(plan.sensors)
        self._downlinks = 0
        for index, driver in enumerate(self._forwarders):
            driver.arm()
            if plan.gateways[index].config.beacon is not None:
                self._pulse(index)
        self._switch_on()

    def _device(self, index: int, config: DeviceConfig, draws: Draws) -> Driver[DeviceEvent, DeviceEffect]:
        def carry_out(effects: Sequence[DeviceEffect], now: Instant) -> None:
            self._from_device(index, effects, now)

        return Driver(self.world, DeviceCore(config, draws), carry_out)

    def _forwarder(self, index: int, gateway: GatewayPlan) -> Driver[ForwarderEvent, ForwarderEffect]:
        def carry_out(effects: Sequence[ForwarderEffect], now: Instant) -> None:
            self._from_forwarder(index, gateway, effects, now)

        return Driver(self.world, fw.ForwarderCore(gateway.config), carry_out)

    def _pulse(self, index: int) -> None:
        """A beaconing gateway's GPS receiver: the time, before the last one is too old."""
        gps_at_origin_us = self._plan.network.gps_at_origin_us
        if gps_at_origin_us is None:
            raise MisuseError("a gateway that beacons needs the network's GPS time")
        now = self.world.now
        self._forwarders[index].feed(TimeReference(now, gps_at_origin_us + now, GPS_AHEAD_OF_UTC_US // US_PER_S))
        self.world.at(now + MAX_AGE_US // 2, partial(self._pulse, index))

    def _switch_on(self) -> None:
        """Devices that join begin somewhen in the first day."""
        first, second = self._plan.bounds_us[:2]
        for index, config in enumerate(self._plan.configs):
            if config.activation is Activation.OTAA:
                at = first + self._plan.draws.at("switch_on", int(config.dev_eui)).integer(second - first)
                self.world.at(at, partial(self.devices[index].feed, StartJoin()))

    def run_day(self, day: int) -> None:
        """Simulate civil day number `day` (from 0, in order)."""
        begins, ends = self._plan.bounds_us[day : day + 2]
        self._plan.before_day(day)
        for index, sensor in enumerate(self._plan.sensors):
            jitter = self._plan.draws.at("send_jitter", int(sensor.dev_eui), day)
            for k, slot in enumerate(uplink_instants_us(sensor.phase, sensor.uplinks_per_day, (begins, ends))):
                at = slot + jitter.integer(2 * SEND_JITTER_US, k) - SEND_JITTER_US
                self.world.at(min(max(at, begins), ends - 1), partial(self._reading, index))
        self.world.run(ends)

    def _reading(self, index: int) -> None:
        sensor = self._plan.sensors[index]
        number = self._readings[index]
        self._readings[index] = number + 1
        payload = reading(self._plan.draws, sensor.dev_eui, number, sensor.payload_bytes)
        self.recorder.submitted(index, payload)
        self.devices[index].feed(SendRequest(sensor.f_port, payload, sensor.confirmed))

    # -- effects -----------------------------------------------------------------------------------------------------

    def _from_device(self, index: int, effects: Sequence[DeviceEffect], now: Instant) -> None:
        for effect in effects:
            match effect:
                case Transmission():
                    frame = self._frames[index]
                    self._frames[index] = frame + 1
                    self.recorder.uplink_started(index, frame, effect)
                    self.medium.feed(UplinkStarts(index, frame, effect.transmit))
                case Listen():
                    self.medium.feed(DeviceListens(index, effect))
                case StopListening():
                    self.medium.feed(CancelListen(index))
                case Joined():
                    self.recorder.joined(index, effect, now)
                case Dropped():
                    self.recorder.dropped(now, "device", self._plan.sensors[index].id, effect.reason, effect.clause)
                case _:
                    pass  # Persist: memory is durable here; the rest is the application's news

    def _from_medium(self, effects: Sequence[MediumEffect], _now: Instant) -> None:
        for effect in effects:
            if isinstance(effect, UplinkEnded):
                self.recorder.uplink_ended(effect)
                for gateway, heard in effect.heard:
                    self._forwarders[gateway].feed(heard)
            elif isinstance(effect, DownlinkEnded):
                self.recorder.downlink_ended(effect)
                for device, outcome, heard_down in effect.receptions:
                    if outcome is DownlinkOutcome.DELIVERED and heard_down is not None:
                        self.devices[device].feed(heard_down)
            elif isinstance(effect, DeviceLocked):
                self.devices[effect.device].feed(ReceptionStarted(effect.ends_at))

    def _from_forwarder(
        self, index: int, gateway: GatewayPlan, effects: Sequence[ForwarderEffect], now: Instant
    ) -> None:
        for effect in effects:
            if isinstance(effect, gwmp.gateway.SendDatagram):
                self.world.at(now + gateway.backhaul_us, partial(self._arrive_up, index, effect))
            elif isinstance(effect, Transmit):
                self.world.at(effect.at, partial(self._downlink_starts, index, effect))
            elif isinstance(effect, Dropped):
                self.recorder.dropped(now, "forwarder", gateway.site_id, effect.reason, effect.clause)

    def _arrive_up(self, index: int, datagram: gwmp.gateway.SendDatagram) -> None:
        data, source = self._link.carry_up(index, datagram.data, upstream=datagram.upstream)
        self.server.feed(gwmp.DatagramReceived(data, source))

    def _downlink_starts(self, gateway: int, transmit: Transmit) -> None:
        self._downlinks += 1
        self.recorder.downlink_started(gateway, self._downlinks, transmit)
        self.medium.feed(DownlinkStarts(gateway, self._downlinks, transmit))

    def _from_server(self, effects: Sequence[object], now: Instant) -> None:
        for effect in effects:
            if isinstance(effect, gwmp.server.SendDatagram):
                gateway, data = self._link.carry_down(effect.data, effect.destination)
                delay = self._plan.gateways[gateway].backhaul_us
                self.world.at(now + delay, partial(self._arrive_down, gateway, data))
            elif isinstance(effect, gwmp.UplinkReceived | gwmp.DownlinkAnswered | gwmp.DownlinkUnsent):
                self.network.feed(effect)
            elif isinstance(effect, Dropped):
                self.recorder.dropped(now, "gwmp server", "", effect.reason, effect.clause)

    def _arrive_down(self, gateway: int, data: bytes) -> None:
        self._forwarders[gateway].feed(gwmp.DatagramReceived(data))

    def _from_network(self, effects: Sequence[NetworkEffect], now: Instant) -> None:
        for effect in effects:
            match effect:
                case gwmp.SendDownlink():
                    self.recorder.downlink_requested(effect)
                    self.server.feed(effect)
                case DataAccepted():
                    self.recorder.accepted(self._device_index[effect.dev_eui], effect)
                case NetworkDropped():
                    self.recorder.dropped(now, "network", "", effect.reason, effect.clause)
                case DownlinkFailed():
                    self.recorder.dropped(now, "network", self._name(effect.dev_eui), "downlink", effect.reason)
                case DeviceJoined() | PersistDevice() | DeviceTold():
                    pass  # the device's own Joined is what counts; memory is durable here

    def _name(self, dev_eui: Eui64) -> str:
        return self._plan.sensors[self._device_index[dev_eui]].id
