"""The packet forwarder as a service under asyncio: core, links to servers, spool, GPS line, a radio given to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import time_ns
from typing import Protocol

from gateway_fw.concentrator.events import TransmitDone, TransmitRefused
from gateway_fw.errors import GatewayError, LinkStateError
from gateway_fw.forwarder.config import ForwarderConfig, LinkConfig
from gateway_fw.forwarder.core import ForwarderCore, ForwarderEffect, ForwarderEvent, Shutdown, WallClock
from gateway_fw.forwarder.downlinks import ChannelIsFree
from gateway_fw.forwarder.spool import (
    Persist,
    PersistAll,
    PersistDone,
    PersistFailed,
    PersistRecovered,
    SpoolConfig,
    SpoolRestored,
)
from gateway_fw.forwarder.spool_records import SpooledDone
from gateway_fw.forwarder.statistics import Totals
from gateway_fw.gps.line import GpsCore, ReadPulse
from gateway_fw.gwmp.gateway import SendDatagram
from gateway_fw.io.driver import CoreDriver
from gateway_fw.io.radio import Radio, RadioEvent
from gateway_fw.io.server_link import ServerAddress, ServerLink
from gateway_fw.io.spool import SpooledAll, SpoolFiles, SpoolWriter
from gateway_fw.stream import BytesReceived, SendBytes
from lorawan.machine import Dropped, Instant
from lorawan.phy.radio import Transmit
from lorawan.units import US_PER_S

CLOCK_EVERY_S = 60.0  # assumption: a crystal of 20 ppm drifts by 1.2 ms meanwhile
GRACE_S = 2.0  # assumption: class A answers are programmed within a second or two


class GpsLine(Protocol):
    """The serial line of a GPS receiver."""

    async def read(self) -> bytes:
        """Some bytes as soon as there are any; b"" when the line is lost for good."""

    def write(self, data: bytes) -> None:
        """Send these."""


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One server: whether there is a socket, how often one was opened, what waits for it, what was not acknowledged."""

    address: ServerAddress
    is_open: bool
    opened: int
    errors: int
    unsent: int
    waiting: int


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What a watcher wants to know. dropped: by reason, since the start."""

    now: Instant
    has_time: bool
    totals: Totals
    servers: tuple[ServerStatus, ...]
    dropped: dict[str, int]


class ForwarderService:
    """One gateway on the network.

        service = ForwarderService(config, [ServerAddress("eu.example.org")], radio, spool_directory=path)
        async with service:
            await stop_asked.wait()

    config.links must be empty (each server then gets a link as `keepalive_us` and `version` say) or have one entry
    for each server. spool_directory: where uplinks wait for their PUSH_ACK, one folder for each server; None keeps them
    in memory alone if config.spool is set. radio: see `gateway_fw.io.radio.Radio`; its time is the service's time.
    config.origin_unix_us: 0 takes the system's clock, now and once a minute; else it is kept.
    channel_is_free: listen before talk, see ForwarderCore. on_effect: gets every Transmit and Dropped, in order, after
    it was carried out. gps: the receiver's line; its pulse is read from the radio (`pps_at`).

    `start` raises what the radio's start raises, and SpoolError; a server that cannot be reached yet is no error.
    `stop` is graceful: no downlink is taken any more, what starts within `grace_s` is still sent, a last status report
    goes out, the spool is written, the radio switched off.
    """

    def __init__(
        self,
        config: ForwarderConfig,
        servers: Sequence[ServerAddress],
        radio: Radio,
        *,
        spool_directory: Path | None = None,
        channel_is_free: ChannelIsFree | None = None,
        gps: GpsLine | None = None,
        on_effect: Callable[[Transmit | Dropped], None] = lambda _: None,
        grace_s: float = GRACE_S,
        resolve_every_s: float | None = None,
    ) -> None:
        if not servers:
            raise ValueError("a forwarder needs at least one server")
        self._radio, self._gps_line, self._on_effect, self._grace_s = radio, gps, on_effect, grace_s
        links = config.links or (LinkConfig(config.keepalive_us, config.version, config.first_token),) * len(servers)
        if len(links) != len(servers):
            raise ValueError(f"{len(links)} link settings for {len(servers)} servers")
        spool = config.spool or (SpoolConfig() if spool_directory is not None else None)
        self._origin_given = config.origin_unix_us != 0
        origin = config.origin_unix_us or time_ns() // 1_000 - radio.now
        self.config = replace(config, links=links, spool=spool, origin_unix_us=origin)
        self.core = ForwarderCore(self.config, channel_is_free=channel_is_free)
        self._driver: CoreDriver[ForwarderEvent, ForwarderEffect] = CoreDriver(
            self.core, self._carry_out, clock=lambda: radio.now
        )
        options = {} if resolve_every_s is None else {"resolve_every_s": resolve_every_s}
        self._links = tuple(
            ServerLink(index, address, self._submit, self._tell, **options) for index, address in enumerate(servers)
        )
        self._spool_directory = spool_directory
        self._writers: tuple[SpoolWriter, ...] = ()
        self._gps = GpsCore() if gps is not None else None
        self._tasks: list[asyncio.Task[None]] = []
        self._running = False
        self._dropped: dict[str, int] = {}

    async def start(self) -> None:
        """Open the spools, start the radio, and speak to the servers."""
        restored = await self._open_spools()
        try:
            for link in self._links:
                await link.start()  # before the core: its first PULL_DATA is due at once
            self._driver.start()
            self._running = True
            for event in restored:
                self._driver.handle(event)
            await self._radio.start(self._from_radio)
        except BaseException:
            await self._close()
            raise
        if not self._origin_given:
            self._tasks.append(asyncio.create_task(self._keep_clock(), name="system clock"))
        if self._gps_line is not None:
            self._tasks.append(asyncio.create_task(self._read_gps(self._gps_line), name="gps line"))

    async def stop(self) -> None:
        """Stop gracefully."""
        if not self._running:
            return
        self._driver.handle(Shutdown(round(self._grace_s * US_PER_S)))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._grace_s + 1.0
        while not self._is_done() and loop.time() < deadline:
            await asyncio.sleep(0.01)
        await self._close()

    async def __aenter__(self) -> ForwarderService:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def status(self) -> ServiceStatus:
        """How it is going."""
        servers = tuple(
            ServerStatus(link.address, link.is_open, link.opened, link.errors, link.unsent, waiting)
            for link, waiting in zip(self._links, self.core.waiting, strict=True)
        )
        now = self._driver.now
        return ServiceStatus(now, self.core.has_time(now), self.core.totals, servers, dict(self._dropped))

    def submit(self, event: ForwarderEvent) -> None:
        """Give the core an event, such as a Position. Raises LinkStateError where it does not run."""
        if not self._running:
            raise LinkStateError("the forwarder is not started")
        self._driver.handle(event)

    async def _open_spools(self) -> list[SpoolRestored]:
        if self._spool_directory is None:
            return []
        loop = asyncio.get_running_loop()
        restored: list[SpoolRestored] = []
        writers: list[SpoolWriter] = []
        try:
            for index, link in enumerate(self._links):
                files = SpoolFiles(self._spool_directory / spool_name(link.address))
                opened = await asyncio.to_thread(files.open)
                restored.append(SpoolRestored(index, opened.waiting, opened.highest))
                if opened.damaged_bytes or opened.cut_bytes:
                    detail = f"{link.address}: {opened.damaged_bytes} bytes passed over, {opened.cut_bytes} cut off"
                    self._tell(Dropped("spool_repaired", "spool", detail))
                writers.append(self._writer(index, files, loop))
        except BaseException:
            for writer in writers:
                writer.close()
            raise
        self._writers = tuple(writers)
        return restored

    def _writer(self, index: int, files: SpoolFiles, loop: asyncio.AbstractEventLoop) -> SpoolWriter:
        def tell(event: PersistFailed | PersistRecovered) -> None:
            with suppress(RuntimeError):  # the loop is gone
                loop.call_soon_threadsafe(self._submit, event)

        return SpoolWriter(files, lambda why: tell(PersistFailed(index, why)), lambda: tell(PersistRecovered(index)))

    def _is_done(self) -> bool:
        return self.core.is_idle and self._driver.now >= self.core.busy_until

    async def _close(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        self._running = False
        self._driver.stop()
        await self._radio.stop()
        for link in self._links:
            await link.stop()
        writers, self._writers = self._writers, ()
        for writer in writers:
            await asyncio.to_thread(writer.close)
        for end in ends:
            if isinstance(end, Exception):  # a cancelled task is none
                raise end

    def _submit(self, event: ForwarderEvent) -> None:
        if self._running:
            self._driver.handle(event)

    def _from_radio(self, event: RadioEvent) -> None:
        if not isinstance(event, TransmitDone):
            self._submit(event)

    def _carry_out(self, effect: ForwarderEffect) -> None:
        if isinstance(effect, SendDatagram):
            self._links[effect.server].send(effect.data, upstream=effect.upstream)
        elif isinstance(effect, Transmit):
            self._transmit(effect)
        elif isinstance(effect, Dropped):
            self._tell(effect)
        elif self._writers:
            writer = self._writers[effect.server]
            if isinstance(effect, Persist):
                writer.write(effect.uplink)
            elif isinstance(effect, PersistDone):
                writer.write(SpooledDone(effect.numbers))
            elif isinstance(effect, PersistAll):
                writer.write(SpooledAll(effect.uplinks))

    def _transmit(self, transmit: Transmit) -> None:
        try:
            self._radio.transmit(transmit)
        except (GatewayError, OSError) as error:
            # its airtime comes back; the effects that follow this one are carried out first
            asyncio.get_running_loop().call_soon(self._submit, TransmitRefused(transmit, "radio_error", str(error)))
        else:
            self._on_effect(transmit)

    def _tell(self, dropped: Dropped) -> None:
        self._dropped[dropped.reason] = self._dropped.get(dropped.reason, 0) + 1
        self._on_effect(dropped)

    async def _keep_clock(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_EVERY_S)
            self._submit(WallClock(time_ns() // 1_000))

    async def _read_gps(self, line: GpsLine) -> None:
        assert self._gps is not None
        for command in self._gps.start():
            line.write(command.data)
        while data := await line.read():
            for effect in self._gps.handle(BytesReceived(data), self._driver.now):
                if isinstance(effect, SendBytes):
                    line.write(effect.data)
                elif isinstance(effect, Dropped):
                    self._tell(effect)
                elif isinstance(effect, ReadPulse):
                    for paired in self._gps.pulse(self._radio.pps_at(), self._driver.now):
                        if isinstance(paired, Dropped):
                            self._tell(paired)
                        else:
                            self._submit(paired)
                else:
                    self._submit(effect)
        self._tell(Dropped("gps_lost", "GPS line", "the line is lost; times become unknown after 30 s"))


def spool_name(address: ServerAddress) -> str:
    """The folder of a server: letters, digits, dots and hyphens alone."""
    host = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in ".-") else "_" for letter in address.host
    )
    return f"{host.lstrip('.') or '_'}_{address.port_up}"
