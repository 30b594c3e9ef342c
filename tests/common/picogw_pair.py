"""The picoGW host driver and the virtual picoGW, joined by in-memory bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from hashlib import shake_128
from typing import TypeVar

from gateway_fw.concentrator.events import DriverEffect, DriverEvent, Start, Started
from gateway_fw.concentrator.picogw import PicoGwDriver, picogw_eu868_setup
from gateway_fw.concentrator.picogw_firmware import PicoGwFirmware
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.stream import BytesReceived, SendBytes
from gateway_fw.virtual.picogw import PicoGwEffect, PicoGwEvent, VirtualPicoGw
from gateway_fw.virtual.picogw_faults import PicoGwFaults
from lorawan.machine import Dropped
from lorawan.phy.radio import Transmit

EffectT = TypeVar("EffectT")

# stand-ins of the right size: the virtual chip runs anything
IMAGES = PicoGwFirmware(*(shake_128(name).digest(8192) for name in (b"agc", b"arb", b"low", b"high")))


class Pair:
    """Steps both ends from instant to instant. spoil: what the line does to the board's bytes."""

    def __init__(self, faults: PicoGwFaults | None = None, spoil: Callable[[bytes], bytes] | None = None) -> None:
        self.driver = PicoGwDriver(IMAGES)
        self.board = VirtualPicoGw(faults=faults)
        self.now = 1_000
        self.spoil = spoil
        self.cut = 0
        self.down: deque[bytes] = deque()
        self.sent: list[bytes] = []
        self.up: deque[bytes] = deque()
        self.effects: list[DriverEffect] = []
        self.on_air: list[Transmit] = []
        self.board_drops: list[Dropped] = []

    def to_driver(self, event: DriverEvent) -> None:
        self._driver_said(self.driver.handle(event, self.now))
        self._pump()

    def to_board(self, event: PicoGwEvent) -> None:
        self._board_said(self.board.handle(event, self.now))
        self._pump()

    def run(self, us: int) -> None:
        end = self.now + us
        while True:
            due = [at for at in (self.driver.wake_at, self.board.wake_at) if at is not None and at <= end]
            if not due:
                break
            self.now = max(self.now, min(due))
            self._board_said(self.board.wake(self.now))
            self._driver_said(self.driver.wake(self.now))
            self._pump()
        self.now = end

    def _pump(self) -> None:
        """Carry bytes over the line until both ends are silent."""
        while self.down or self.up:
            while self.down:
                self._board_said(self.board.handle(BytesReceived(self.down.popleft()), self.now))
            while self.up:
                self._driver_said(self.driver.handle(BytesReceived(self.up.popleft()), self.now))

    def start(self, setup: RadioSetup | None = None, us: int = 6_000_000) -> list[DriverEffect]:
        """The effects of a start-up."""
        self.effects.clear()
        self.to_driver(Start(setup or picogw_eu868_setup()))
        self.run(us)
        return list(self.effects)

    def of(self, kind: type[EffectT]) -> list[EffectT]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    @property
    def origin(self) -> int:
        """Concentrator time at which the counter read 0."""
        return self.of(Started)[-1].clock_origin

    def _driver_said(self, effects: object) -> None:
        assert isinstance(effects, (list, tuple))
        for effect in effects:
            if isinstance(effect, SendBytes):
                self.down.append(effect.data)
                self.sent.append(effect.data)
            else:
                self.effects.append(effect)

    def _board_said(self, effects: object) -> None:
        assert isinstance(effects, (list, tuple))
        for effect in effects:
            self._one(effect)

    def _one(self, effect: PicoGwEffect) -> None:
        if isinstance(effect, SendBytes):
            data = self.spoil(effect.data) if self.spoil else effect.data
            self.up += [piece for piece in (data[: self.cut], data[self.cut :]) if piece]
        elif isinstance(effect, Transmit):
            self.on_air.append(effect)
        elif isinstance(effect, Dropped):
            self.board_drops.append(effect)
