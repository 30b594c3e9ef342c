"""A live scenario: its air, a simulated forwarder for each site, and room for somebody else's at any of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from bench.live.air import LiveAir, Pace
from bench.live.clock import LiveWorld, monotonic_us
from bench.live.concentrator import BoardPlan, LiveConcentrator
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
from bench.live.forwarders import SimulatedForwarder
from bench.live.lora_pcap import unix_us
from bench.live.stations import SimulatedStation, all_connected
from bench.runner.exact import StagePlan
from gateway_fw.io.station_credentials import StationCredentials
from lorawan.device import DeviceMemory
from lorawan.ids import Eui64
from lorawan.trace import DownlinkOutcome

MAX_DELAYS = 1_000  # different ones that are counted: class A has four, other classes have any [assumption]


@dataclass(slots=True)
class Totals:
    """What was on the air. answer_delays_us: of delivered downlinks, after the end of the uplink they answer."""

    submitted: int = 0
    uplinks: Counter[str] = field(default_factory=Counter)
    copies: int = 0
    joined: set[str] = field(default_factory=set)
    downlinks: Counter[str] = field(default_factory=Counter)
    answer_delays_us: Counter[int] = field(default_factory=Counter)
    refused_late: int = 0
    adr_changes: int = 0
    taken: int = 0
    refusals: Counter[str] = field(default_factory=Counter)

    def add(self, event: AirEvent) -> None:
        """Count one event."""
        match event:
            case Submitted():
                self.submitted += 1
            case UplinkOver():
                self.uplinks[event.outcome.value] += 1
                self.copies += len(event.heard)
            case DownlinkOver():
                self.downlinks[event.outcome.value] += 1
                if event.outcome is DownlinkOutcome.DELIVERED and event.after_uplink_us is not None:
                    delay = event.after_uplink_us
                    if delay in self.answer_delays_us or len(self.answer_delays_us) < MAX_DELAYS:
                        self.answer_delays_us[delay] += 1
            case DownlinkRefused():
                self.refused_late += 1
            case DeviceHasJoined():
                self.joined.add(event.device)
            case SettingsChanged():
                self.adr_changes += 1
            case DownlinkTaken():
                self.taken += 1
            case Refused():
                self.refusals[f"{event.where}: {event.reason}"] += 1


class LiveSimulation:
    """One air and its gateways. Use as an asynchronous context manager; the devices are switched on at entry.

    server: where the simulated forwarders send to, None for none of them. station: then they speak Basics Station, to
    where its tc.uri says. virtual: sites that are a virtual board on a pseudo-terminal instead. elsewhere: sites whose
    port is left free, for whatever else takes `Heard` and gives `Transmit`: `air.port(site)`.
    """

    def __init__(
        self,
        plan: StagePlan,
        tell: Callable[[AirEvent], None],
        server: tuple[str, int] | None,
        *,
        pace: Pace | None = None,
        virtual: Mapping[str, BoardPlan] | None = None,
        elsewhere: Collection[str] = (),
        station: StationCredentials | None = None,
        memories: dict[Eui64, DeviceMemory] | None = None,
        activation: int = 0,
        clock: Callable[[], int] = monotonic_us,
    ) -> None:
        self._tell_on, self._server = tell, server
        self.totals = Totals()
        self.world = LiveWorld(clock)
        self.origin_unix_us = unix_us()
        self.air = LiveAir(plan, self.world, self._tell, pace=pace, memories=memories, activation=activation)
        self.forwarders: dict[str, SimulatedForwarder | SimulatedStation] = {
            port.site_id: SimulatedForwarder(
                port, replace(gateway.config, origin_unix_us=self.origin_unix_us), self.world, self._tell
            )
            if station is None
            else SimulatedStation(port, gateway.config, self.world, self._tell, station)
            for port, gateway in zip(self.air.ports, plan.gateways, strict=True)
            if server is not None and port.site_id not in (*elsewhere, *(virtual or ()))
        }
        self.concentrators = {
            site: LiveConcentrator(self.air.port(site), board, self.world, self._tell)
            for site, board in (virtual or {}).items()
        }

    async def __aenter__(self) -> LiveSimulation:
        self.world.start()
        self.world.catch_up()
        try:
            for forwarder in self.forwarders.values():
                assert self._server is not None
                await forwarder.start(self._server)
            for concentrator in self.concentrators.values():
                concentrator.start()
            # a radio of Basics Station is off until its server has set it up
            await all_connected(self._stations)
        except BaseException:
            await self.__aexit__()
            raise
        self.world.inject(self.air.switch_on)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.world.stop()
        for forwarder in self.forwarders.values():
            forwarder.stop()
        for concentrator in self.concentrators.values():
            concentrator.stop()
        await asyncio.gather(*(station.close() for station in self._stations))

    @property
    def _stations(self) -> list[SimulatedStation]:
        return [forwarder for forwarder in self.forwarders.values() if isinstance(forwarder, SimulatedStation)]

    def _tell(self, event: AirEvent) -> None:
        self.totals.add(event)
        self._tell_on(event)
