"""A virtual concentrator on a live air: somebody else's packet forwarder opens it and hears the scenario."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.live.air import GatewayPort
from bench.live.clock import LiveWorld
from bench.live.events import AirEvent, Refused
from gateway_fw.io.pty import PtyPort
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from gateway_fw.virtual.board import CoreCellBoard
from gateway_fw.virtual.corecell import CoreCellEffect, CoreCellEvent, VirtualCoreCell
from gateway_fw.virtual.faults import Faults
from lorawan.machine import Dropped, Instant
from lorawan.phy import Transmit
from radio_sim.world import Driver


@dataclass(frozen=True, slots=True)
class BoardPlan:
    """A CoreCell to be. link: a symbolic link to its pseudo-terminal, at most 49 bytes long, None for none."""

    link: Path | None = None
    board: CoreCellBoard = field(default_factory=CoreCellBoard)
    faults: Faults = field(default_factory=Faults)


class LiveConcentrator:
    """One board on a pseudo-terminal, on the air's own timeline: its counter and the air's instants are one clock.

    Raises PtyError at `start`.
    """

    def __init__(self, port: GatewayPort, plan: BoardPlan, world: LiveWorld, tell: Callable[[AirEvent], None]) -> None:
        self._port, self._world, self._tell = port, world, tell
        self.core = VirtualCoreCell(plan.board, plan.faults)
        self._driver: Driver[CoreCellEvent, CoreCellEffect] = Driver(world, self.core, self._carry_out)
        self._pty = PtyPort(self._received, self._lost, link=plan.link)
        self.bytes_received = 0
        self.transmissions = 0

    @property
    def path(self) -> str:
        """What the host program opens."""
        return self._pty.path

    def start(self) -> None:
        """Make the pseudo-terminal, and hear from now on."""
        self._pty.open()
        self._port.attach(self._driver.feed)

    def stop(self) -> None:
        """Take it away."""
        self._port.detach()
        self._pty.close()

    def _received(self, data: bytes) -> None:
        self.bytes_received += len(data)
        self._world.inject(lambda: self._driver.feed(BytesReceived(data)))

    def _lost(self, why: str) -> None:
        self._world.inject(lambda: self._driver.feed(LineLost(why)))

    def _carry_out(self, effects: Sequence[CoreCellEffect], now: Instant) -> None:
        for effect in effects:
            if isinstance(effect, SendBytes):
                self._pty.send(effect.data)
            elif isinstance(effect, Transmit):
                self.transmissions += self._port.transmit(effect)
            elif isinstance(effect, Dropped):
                if effect.reason == "tx_aborted":
                    self._port.abort()
                self._tell(Refused(now, "concentrator", self._port.site_id, effect.reason, effect.detail))
