"""The live air: a stage's sensors and its medium in real time, with a port for each gateway.

A gateway is anything that takes `Heard` and gives `Transmit`: our forwarder core, or a virtual concentrator that
somebody else's forwarder has opened. They may stand side by side on one air.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bench.live.events import (
    AirEvent,
    DeviceHasJoined,
    DownlinkOver,
    DownlinkRefused,
    DownlinkTaken,
    Refused,
    SettingsChanged,
    Submitted,
    UplinkOver,
)
from bench.runner.exact import StagePlan
from bench.runner.identities import reading
from lorawan.device import (
    Activation,
    DeviceCore,
    DeviceMemory,
    Joined,
    Persist,
    Received,
    ReceptionStarted,
    SendRequest,
    StartJoin,
    StopListening,
    Transmission,
)
from lorawan.device.events import DeviceEffect, DeviceEvent
from lorawan.ids import Eui64
from lorawan.machine import Dropped, Instant
from lorawan.phy import Heard, Listen, Transmit
from lorawan.trace import DownlinkOutcome
from lorawan.units import US_PER_DAY, US_PER_S
from radio_sim.medium import (
    CancelListen,
    DeviceListens,
    DeviceLocked,
    DownlinkEnded,
    DownlinkStarts,
    MediumEffect,
    UplinkEnded,
    UplinkStarts,
)
from radio_sim.world import Driver, Timeline


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast life goes. period_us: between two readings of a sensor, None for the scenario's own.

    spread_us: devices are switched on, and join, within this time.
    """

    period_us: int | None = None
    spread_us: int = US_PER_DAY


class GatewayPort:
    """One site's place on the air. attach: who takes what it hears; transmit: what it sends."""

    def __init__(self, air: LiveAir, index: int, site_id: str) -> None:
        self._air, self._index, self.site_id = air, index, site_id
        self._heard: Callable[[Heard], None] | None = None

    def attach(self, heard: Callable[[Heard], None]) -> None:
        """From now on this gateway's frames go there, each when its last symbol is over."""
        self._heard = heard

    def detach(self) -> None:
        """The gateway is unplugged: it hears nothing more."""
        self._heard = None

    def transmit(self, transmit: Transmit) -> bool:
        """Put a frame on the air at `transmit.at`. False where that has passed: it is refused rather than moved."""
        return self._air.transmit(self._index, transmit)

    def abort(self) -> None:
        """Take back what has not begun yet: the gateway's host thought better of it."""
        self._air.abort(self._index)

    def hear(self, heard: Heard) -> None:
        """The medium says what was received."""
        if self._heard is not None:
            self._heard(heard)


class LiveAir:
    """Devices and medium of a plan on a timeline.

    tell gets what happens, in order. memories: what devices remember of earlier runs; `memories` afterwards has what
    they must remember for the next. activation: enters the devices' own draws, so that another run's DevNonces
    differ (LoRaWAN before 1.0.4 draws them).
    """

    def __init__(
        self,
        plan: StagePlan,
        world: Timeline,
        tell: Callable[[AirEvent], None],
        *,
        pace: Pace | None = None,
        memories: dict[Eui64, DeviceMemory] | None = None,
        activation: int = 0,
    ) -> None:
        self._plan, self._world, self._tell = plan, world, tell
        self._pace = pace or Pace()
        self._names = [sensor.id for sensor in plan.sensors]
        self.memories = dict(memories or {})
        self._medium = Driver(world, plan.medium, self._from_medium)
        self._cores = [
            DeviceCore(
                config,
                plan.draws.at("device", int(config.dev_eui), "activation", activation),
                self.memories.get(config.dev_eui),
            )
            for config in plan.configs
        ]
        self._devices = [self._device(index, core) for index, core in enumerate(self._cores)]
        self.ports = tuple(GatewayPort(self, i, gateway.site_id) for i, gateway in enumerate(plan.gateways))
        self._frames = [0] * len(plan.sensors)
        self._readings = [0] * len(plan.sensors)
        self._under_way: dict[int, Transmission] = {}
        self._uplink_ended: dict[int, Instant] = {}
        self._settings: dict[int, tuple[int, int, int]] = {}
        self._to_come: tuple[dict[int, Transmit], ...] = tuple({} for _ in plan.gateways)
        self._tickets = 0

    def port(self, site_id: str) -> GatewayPort:
        """The port of a site. Raises KeyError."""
        return self.ports[{port.site_id: i for i, port in enumerate(self.ports)}[site_id]]

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites on this air."""
        return tuple(port.site_id for port in self.ports)

    def switch_on(self) -> None:
        """Switch the devices on, one by one within the spread, and let their readings come."""
        draws, pace = self._plan.draws, self._pace
        for index, config in enumerate(self._plan.configs):
            eui = int(config.dev_eui)
            if config.activation is Activation.OTAA:
                at = draws.at("live_switch_on", eui).integer(max(1, pace.spread_us))
                self._world.at(self._world.now + at, partial(self._devices[index].feed, StartJoin()))
            period = self._period_us(index)
            phase = draws.at("live_phase", eui).integer(period)
            self._world.at(self._world.now + phase, partial(self._reading, index, self._world.now + phase))
        bounds = self._plan.bounds_us
        for day, begins in enumerate(bounds[:-1]):
            self._world.at(begins, partial(self._plan.before_day, day))

    def transmit(self, gateway: int, transmit: Transmit) -> bool:
        """A gateway's frame. See `GatewayPort.transmit`."""
        now = self._world.now
        if transmit.at < now:
            site = self._plan.gateways[gateway].site_id
            self._tell(DownlinkRefused(now, site, transmit, now - transmit.at))
            return False
        self._tickets += 1
        self._to_come[gateway][self._tickets] = transmit
        self._world.at(transmit.at, partial(self._downlink_starts, gateway, self._tickets))
        return True

    def abort(self, gateway: int) -> None:
        """Forget the frames of a gateway that have not begun."""
        self._to_come[gateway].clear()

    # -- devices -------------------------------------------------------------------------------------------------------

    def _device(self, index: int, core: DeviceCore) -> Driver[DeviceEvent, DeviceEffect]:
        def carry_out(effects: Sequence[DeviceEffect], now: Instant) -> None:
            self._from_device(index, effects, now)

        return Driver(self._world, core, carry_out)

    def _period_us(self, index: int) -> int:
        own = US_PER_DAY // max(1, self._plan.sensors[index].uplinks_per_day)
        return self._pace.period_us or own

    def _reading(self, index: int, due: Instant) -> None:
        sensor = self._plan.sensors[index]
        number = self._readings[index]
        self._readings[index] = number + 1
        payload = reading(self._plan.draws, sensor.dev_eui, number, sensor.payload_bytes)
        self._tell(Submitted(self._world.now, sensor.id, sensor.f_port, payload))
        self._devices[index].feed(SendRequest(sensor.f_port, payload, sensor.confirmed))
        again = due + self._period_us(index)
        self._world.at(again, partial(self._reading, index, again))

    def _from_device(self, index: int, effects: Sequence[DeviceEffect], now: Instant) -> None:
        name = self._names[index]
        for effect in effects:
            match effect:
                case Transmission():
                    frame = self._frames[index]
                    self._frames[index] = frame + 1
                    self._under_way[index] = effect
                    self._uplink_ended[index] = effect.transmit.at + effect.transmit.airtime_us
                    self._medium.feed(UplinkStarts(index, frame, effect.transmit))
                case Listen():
                    self._medium.feed(DeviceListens(index, effect))
                case StopListening():
                    self._medium.feed(CancelListen(index))
                case Persist():
                    self.memories[self._plan.configs[index].dev_eui] = effect.memory
                case Joined():
                    self._tell(DeviceHasJoined(now, name, effect.dev_addr))
                case Received():
                    self._tell(DownlinkTaken(now, name, effect.f_port, effect.f_cnt, effect.payload))
                case Dropped():
                    self._tell(Refused(now, "device", name, effect.reason, effect.detail))
                case _:
                    pass  # the application's news

    def _look_at_settings(self, index: int) -> None:
        session = self._cores[index].session
        if session is None:
            return
        settings = (session.dr, session.tx_power_index, session.nb_trans)
        before = self._settings.get(index)
        self._settings[index] = settings
        if before is not None and before != settings:
            self._tell(SettingsChanged(self._world.now, self._names[index], *settings))

    # -- medium --------------------------------------------------------------------------------------------------------

    def _from_medium(self, effects: Sequence[MediumEffect], now: Instant) -> None:
        for effect in effects:
            if isinstance(effect, UplinkEnded):
                self._uplink_over(effect, now)
            elif isinstance(effect, DownlinkEnded):
                self._downlink_over(effect, now)
            elif isinstance(effect, DeviceLocked):
                self._devices[effect.device].feed(ReceptionStarted(effect.ends_at))

    def _uplink_over(self, effect: UplinkEnded, now: Instant) -> None:
        sent = self._under_way[effect.device]
        heard = tuple((self.ports[gateway].site_id, heard) for gateway, heard in effect.heard)
        name = self._names[effect.device]
        self._tell(UplinkOver(now, name, sent.kind, sent.f_cnt, effect.transmit, effect.outcome, heard))
        for gateway, report in effect.heard:
            self.ports[gateway].hear(report)

    def _downlink_over(self, effect: DownlinkEnded, now: Instant) -> None:
        site = self._plan.gateways[effect.gateway].site_id
        told = DownlinkOver(now, site, "", effect.transmit, DownlinkOutcome.NOT_LISTENING, None, None)
        # others may have a window open by chance: the one it is for has it a whole number of seconds after its uplink
        after = {d: effect.transmit.at - self._uplink_ended.get(d, 0) for d, _, _ in effect.receptions}
        for device, outcome, heard in sorted(
            effect.receptions, key=lambda r: (after[r[0]] % US_PER_S == 0, r[1] is DownlinkOutcome.DELIVERED)
        ):
            told = replace(
                told, device=self._names[device], outcome=outcome, after_uplink_us=after[device], heard=heard
            )
        self._tell(told)
        for device, outcome, heard in effect.receptions:
            if outcome is DownlinkOutcome.DELIVERED and heard is not None:
                self._look_at_settings(device)
                self._devices[device].feed(heard)
                self._look_at_settings(device)

    def _downlink_starts(self, gateway: int, ticket: int) -> None:
        transmit = self._to_come[gateway].pop(ticket, None)
        if transmit is not None:
            self._medium.feed(DownlinkStarts(gateway, ticket, transmit))
