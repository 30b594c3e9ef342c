"""The other end of an acceptance: a virtual board whose air we own, or a second gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bench.acceptance.frames import TestFrame, number_of
from gateway_fw.concentrator.events import Reception
from gateway_fw.io.concentrator import ConcentratorRadio
from gateway_fw.io.radio import RadioEvent
from gateway_fw.io.virtual_board import VirtualBoard
from gateway_fw.virtual.corecell import CoreCellEffect, CoreCellEvent, VirtualCoreCell
from lorawan.machine import Instant
from lorawan.phy.radio import Heard, Transmit

SEND_LEAD_US = 60_000  # the other end needs time to program a frame


@dataclass(frozen=True, slots=True)
class OnAir:
    """A frame of the gateway under test as the other end saw it.

    start_us: of the preamble, in the other end's clock (exact: the gateway's own counter). level_dbm: conducted power
    where exact, else the RSSI. freq_error_hz: against the frequency it names.
    """

    number: int
    start_us: Instant
    freq_hz: int
    level_dbm: float
    freq_error_hz: int


class Air(Protocol):
    """exact: levels and instants are known, not compared. parallel: how many frames it sends at once."""

    exact: bool
    parallel: int

    async def start(self) -> None:
        """Be ready to send and hear."""

    async def stop(self) -> None:
        """Stop."""

    def send(self, frame: TestFrame) -> Instant:
        """Put a frame on the air soon; the end of it, in this end's clock."""

    @property
    def heard(self) -> list[OnAir]:
        """What the gateway under test sent."""


class VirtualAir:
    """A virtual CoreCell on a pty: `path` is the port to test. Its instants are the board's own counter."""

    exact = True
    parallel = 8

    def __init__(self, core: VirtualCoreCell | None = None) -> None:
        self.core = core or VirtualCoreCell()
        self._board: VirtualBoard[CoreCellEvent, CoreCellEffect] = VirtualBoard(self.core, self._effect)
        self._heard: list[OnAir] = []

    @property
    def path(self) -> str:
        """The pty's name."""
        return self._board.path

    @property
    def heard(self) -> list[OnAir]:
        """What was transmitted."""
        return self._heard

    async def start(self) -> None:
        """Make the pty."""
        await self._board.start()

    async def stop(self) -> None:
        """Take it away."""
        await self._board.stop()

    def send(self, frame: TestFrame) -> Instant:
        """A frame that ends after its time on air."""
        end = self._board.now + frame.airtime_us
        heard = Heard(
            end,
            frame.payload,
            frame.freq_hz,
            frame.modulation,
            frame.rssi_dbm,
            frame.snr_db,
            frame.airtime_us,
            crc_ok=frame.crc_ok,
        )
        self._board.submit(heard)
        return self.core.counter_us(end)

    def _effect(self, effect: CoreCellEffect) -> None:
        if isinstance(effect, Transmit) and (number := number_of(effect.payload)) is not None:
            start = self.core.counter_us(effect.at)
            self._heard.append(OnAir(number, start, effect.freq_hz, effect.power_dbm, 0))


class LoopbackAir:
    """A second CoreCell that sends and hears gateway frames without inverted IQ. Cable and attenuators between."""

    exact = False
    parallel = 1

    def __init__(self, radio: Callable[[], ConcentratorRadio]) -> None:
        self._radio = radio()
        self._heard: list[OnAir] = []
        self._free_at: Instant = 0

    @property
    def heard(self) -> list[OnAir]:
        """What it received of ours."""
        return self._heard

    async def start(self) -> None:
        """Bring the second board up."""
        await self._radio.start(self._told)

    async def stop(self) -> None:
        """Switch it off."""
        await self._radio.stop()

    def send(self, frame: TestFrame) -> Instant:
        """Program the second board."""
        at = max(self._radio.now + SEND_LEAD_US, self._free_at)
        self._radio.transmit(
            Transmit(
                at, frame.payload, frame.freq_hz, frame.modulation, frame.power_dbm, frame.airtime_us, inverted_iq=False
            )
        )
        self._free_at = at + frame.airtime_us + SEND_LEAD_US
        return at + frame.airtime_us

    def _told(self, event: RadioEvent) -> None:
        if isinstance(event, Reception) and (number := number_of(event.heard.payload)) is not None:
            heard = event.heard
            start = heard.at - heard.airtime_us
            self._heard.append(OnAir(number, start, heard.freq_hz, heard.rssi_dbm, event.freq_error_hz or 0))
