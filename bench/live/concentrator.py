"""A virtual concentrator on a live air: somebody else's packet forwarder opens it and hears the scenario."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from bench.live.air import GatewayPort
from bench.live.clock import LiveWorld
from bench.live.events import AirEvent, Refused
from gateway_fw.io.pty import PtyPort
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from gateway_fw.virtual.corecell import VirtualCoreCell
from lorawan.machine import Core, Dropped, Instant
from lorawan.phy import Heard, Transmit
from radio_sim.world import Driver

LineEvent: TypeAlias = BytesReceived | Heard | LineLost
"""What every virtual board takes in; more, such as faults, it may take as well."""


@dataclass(frozen=True, slots=True)
class BoardPlan:
    """A virtual board to be: its core, a healthy CoreCell unless told otherwise.

    link: a symbolic link to its pseudo-terminal, at most 49 bytes long, None for none.
    """

    link: Path | None = None
    core: Core[LineEvent, object] = field(default_factory=VirtualCoreCell)


class LiveConcentrator:
    """One board on a pseudo-terminal, on the air's own timeline: its counter and the air's instants are one clock.

    Raises PtyError at `start`.
    """

    def __init__(self, port: GatewayPort, board: BoardPlan, world: LiveWorld, tell: Callable[[AirEvent], None]) -> None:
        self._port, self._world, self._tell = port, world, tell
        self._driver: Driver[LineEvent, object] = Driver(world, board.core, self._carry_out)
        self._pty = PtyPort(self._received, self._lost, link=board.link)
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

    def _carry_out(self, effects: Sequence[object], now: Instant) -> None:
        for effect in effects:
            if isinstance(effect, SendBytes):
                self._pty.send(effect.data)
            elif isinstance(effect, Transmit):
                self.transmissions += self._port.transmit(effect)
            elif isinstance(effect, Dropped):
                if effect.reason == "tx_aborted":
                    self._port.abort()
                self._tell(Refused(now, "concentrator", self._port.site_id, effect.reason, effect.detail))
