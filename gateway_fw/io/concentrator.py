"""A concentrator on a serial port as a radio under asyncio: opened, driven, and brought back when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from gateway_fw.concentrator.driver import HostDriver, Shifted
from gateway_fw.concentrator.events import (
    ConcentratorLost,
    DriverEffect,
    FskReception,
    Program,
    Reception,
    Start,
    Started,
    StartFailed,
    StatusRead,
    Stop,
    Stopped,
    TransmitDone,
    TransmitRefused,
)
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.errors import ConcentratorError, GatewayError
from gateway_fw.io.radio import Deliver
from gateway_fw.io.serial import SerialLine
from gateway_fw.serial_port import Port
from gateway_fw.stream import SendBytes
from lorawan.machine import Instant
from lorawan.phy.radio import Transmit
from lorawan.units import US_PER_S

_TOLD = (Reception, FskReception, Started, StatusRead, TransmitDone, TransmitRefused)
RETRY_FIRST_S, RETRY_MOST_S = 1.0, 30.0
STOP_S = 3.0  # assumption: a transmission that is cut off ends within a second on each of two chains


class ConcentratorRadio:
    """Delivers what the driver tells, in concentrator time, which never goes back over losses and restarts.

    driver: makes a fresh one for each connection. open_port: opens the line; called again, in a thread, after a loss.
    on_event: gets every effect of the driver, also those of no concern to a forwarder (progress, losses, Dropped).
    retry: whether a board that is lost is brought back; without, `lost` is set and nothing more comes.
    """

    def __init__(
        self,
        driver: Callable[[], HostDriver],
        open_port: Callable[[], Port],
        setup: RadioSetup,
        *,
        on_event: Callable[[DriverEffect], None] | None = None,
        retry: bool = True,
    ) -> None:
        self._make, self._open_port, self._setup = driver, open_port, setup
        self._on_event, self._retry = on_event, retry
        self._deliver: Deliver | None = None
        self._origin_s = monotonic()
        self._last: Instant = 0
        self._driver: HostDriver | None = None
        self._line: SerialLine[Start | Stop | Program, DriverEffect] | None = None
        self._settled: asyncio.Future[Started | StartFailed] | None = None
        self._stopped: asyncio.Event = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._went: asyncio.Event = asyncio.Event()
        self.lost: asyncio.Event = asyncio.Event()
        self.started: Started | None = None
        self.connections = 0

    @property
    def now(self) -> Instant:
        """The concentrator's time, in µs; it never goes back."""
        ahead_us = 0 if self._driver is None else self._driver.ahead_us
        self._last = max(self._last, self._host_now() + ahead_us)
        return self._last

    async def open(self) -> Started:
        """Open the port and bring the board up. Raises PortError, or ConcentratorError where the board fails."""
        started = await self._connect()
        self._keeper = asyncio.create_task(self._keep(), name="concentrator")
        return started

    async def start(self, deliver: Deliver) -> None:
        """The same, unless it is open, and deliver from here on."""
        self._deliver = deliver
        if self._keeper is None:
            await self.open()
        elif self.started is not None:
            deliver(self.started)

    async def stop(self) -> None:
        """Cut transmissions off, switch the board off, close the port."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self._line is not None and not self._line.lost.is_set():
            self._stopped.clear()
            self._line.submit(Stop())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), STOP_S)
        self._deliver = None
        await self._disconnect()

    def transmit(self, transmit: Transmit, *, immediate: bool = False) -> None:
        """Program a frame. While the board is away it is refused, as TransmitRefused says."""
        if self._line is not None and not self._line.lost.is_set():
            self._line.submit(Program(transmit, immediate=immediate))
        elif self._deliver is not None:
            self._deliver(TransmitRefused(transmit, "concentrator_lost", "the board is away"))

    def pps_at(self) -> Instant | None:
        """When the last pulse of a GPS receiver came; None where the board sees none."""
        return None if self._driver is None else self._driver.pps_at

    def _host_now(self) -> Instant:
        return int((monotonic() - self._origin_s) * US_PER_S)

    async def _connect(self) -> Started:
        opening = asyncio.ensure_future(asyncio.to_thread(self._open_port))
        try:
            port = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_again)  # the thread goes on; nobody else would give the port back
            raise
        self._driver = self._make()
        self._went.clear()
        self._settled = asyncio.get_running_loop().create_future()
        self._line = SerialLine(Shifted(self._driver, self._host_now()), port, self._carry)
        await self._line.start()
        self._line.submit(Start(self._setup))
        outcome = await self._settled
        if isinstance(outcome, StartFailed):
            await self._disconnect()
            raise ConcentratorError(outcome.why, stage=outcome.stage, port=port.name, hint=outcome.hint)
        self.started = outcome
        self.connections += 1
        return outcome

    async def _disconnect(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.stop()

    async def _keep(self) -> None:
        retry_s = RETRY_FIRST_S
        while True:
            await self._went.wait()
            await self._disconnect()
            if not self._retry:
                self.lost.set()
                return
            try:
                await self._connect()
                retry_s = RETRY_FIRST_S
            except GatewayError as error:
                if self._on_event is not None:
                    self._on_event(ConcentratorLost(f"{error}; trying again in {retry_s:g} s"))
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, RETRY_MOST_S)
                self._went.set()

    def _carry(self, effect: DriverEffect) -> None:
        if isinstance(effect, SendBytes):
            return
        if isinstance(effect, Started | StartFailed) and self._settled is not None and not self._settled.done():
            self._settled.set_result(effect)
        if isinstance(effect, Stopped):
            self._stopped.set()
        if isinstance(effect, ConcentratorLost):
            self._went.set()
        if self._on_event is not None:
            self._on_event(effect)
        if self._deliver is not None and isinstance(effect, _TOLD):
            self._deliver(effect)


def _close_again(opening: asyncio.Future[Port]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
