"""A CoreCell USB concentrator as a core: the bytes of its serial line and the frames at its antenna.

Behind the bridge stand an SX1302 and two SX1250. A host program (Semtech's packet forwarder, Basics Station) starts it
as it starts the board; it then hears what its registers are programmed for, and sends what it is told to.

Source: sx1302_hal 2.1.0 (the host's side of every protocol here); the bridge's firmware is binary only, so what it
does with malformed requests is an assumption, said so where it is made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from gateway_fw.virtual import bridge, spi
from gateway_fw.virtual.board import CoreCellBoard
from gateway_fw.virtual.bridge import Order, Refused, Request, RequestStream
from gateway_fw.virtual.channels import Channel
from gateway_fw.virtual.faults import Every, Faults, SetFaults, temperature_c
from gateway_fw.virtual.receiver import Receiver
from gateway_fw.virtual.sx1302 import Sx1302
from lorawan.machine import Dropped, Instant
from lorawan.phy.radio import Heard, Transmit
from lorawan.units import US_PER_MS

CoreCellEvent: TypeAlias = "BytesReceived | Heard | LineLost | SetFaults | PowerLost"
CoreCellEffect: TypeAlias = "SendBytes | Transmit | Dropped | EnterBootloader"

CLAUSE = "sx1302_hal 2.1.0, loragw_mcu.c"
_WRONG_TYPE = 0x7F
_PIN_SX1302_RESET = (0, 2)
_MAX_STALLED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PowerLost:
    """Event: the board was unplugged. What it knew is gone; it answers again from the next bytes on."""


@dataclass(frozen=True, slots=True)
class EnterBootloader:
    """Effect: the host asked for the boot loader; the board leaves the bus once its answer is out."""


class VirtualCoreCell:
    """The board. `Heard.at` is the end of reception; `Transmit` comes when the host triggers, `at` in the future.

    A frame that no demodulator hears is Dropped, as is what the host gives up before it is sent. The host's `tmst` of
    a frame is `counter_us(heard.at)`. Bytes from outside never raise.
    """

    def __init__(self, board: CoreCellBoard | None = None, faults: Faults | None = None) -> None:
        self.board = board or CoreCellBoard()
        self._faults = faults or Faults()
        self._faults_since: Instant = 0
        self._every = Every()
        self._stream = RequestStream()
        self._effects: list[CoreCellEffect] = []
        self._late: deque[tuple[Instant, bytes]] = deque()
        self._late_bytes = 0
        self._now: Instant = 0
        self._booted_at: Instant = 0
        board_ = self.board
        eui = int(board_.chip_eui).to_bytes(8, "big")
        self.chip = Sx1302(self._told, eui, board_.power_dbm, board_.model, board_.pulse_phase_us)
        self._receiver = Receiver(board_, self.chip)
        self.chip.reset(0, board_.counter_start_ticks, self._faults.drift_ppb)
        self._apply_faults()

    @property
    def faults(self) -> Faults:
        """What is wrong with it now."""
        return self._faults

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The LoRa channel plan that the host has programmed."""
        return self.chip.channels(public=self.board.public)

    @property
    def started(self) -> bool:
        """Whether a host has brought it up: both processors run, so frames are received."""
        return self.chip.receiving

    def counter_us(self, at: Instant) -> int:
        """The counter in µs at an instant, 27 bits: what a host unwraps to `tmst`. A chip reset restarts it."""
        return self.chip.clock.ticks(at) // 32

    @property
    def wake_at(self) -> Instant | None:
        """When a stalled answer goes out."""
        return self._late[0][0] if self._late else None

    def wake(self, now: Instant) -> Sequence[CoreCellEffect]:
        """Send the answers whose time has come."""
        self._now = now
        while self._late and self._late[0][0] <= now:
            data = self._late.popleft()[1]
            self._late_bytes -= len(data)
            self._effects.append(SendBytes(data))
        return self._drain()

    def handle(self, event: CoreCellEvent, now: Instant) -> Sequence[CoreCellEffect]:
        """Take one event in."""
        self._now = now
        if isinstance(event, BytesReceived):
            self._mature(now)
            for request in self._stream.feed(event.data, now):
                self._answer(request, now)
        elif isinstance(event, Heard):
            self._mature(now)
            refusal = self._receiver.hear(event, self._faults)
            if refusal is not None:
                self._effects.append(refusal)
        elif isinstance(event, LineLost):
            self._forget_line()
        elif isinstance(event, SetFaults):
            self._mature(now)
            self._faults, self._faults_since, self._every = event.faults, now, Every()
            self._receiver.restart_faults()
            self._apply_faults()
        else:
            self._forget_line()
            self._booted_at = now
            self._reset_chip(now)
        return self._drain()

    def _drain(self) -> Sequence[CoreCellEffect]:
        effects, self._effects = self._effects, []
        return effects

    def _forget_line(self) -> None:
        self._stream.clear()
        self._late.clear()
        self._late_bytes = 0

    def _apply_faults(self) -> None:
        self.chip.stuck_tx = self._faults.stuck_tx
        self.chip.firmware_corrupt = self._faults.firmware_corrupt
        self.chip.clock.set_drift(self._faults.drift_ppb, self._now)

    def _temperature_c(self, now: Instant) -> float:
        return temperature_c(self._faults, self._faults_since, now)

    def _mature(self, now: Instant) -> None:
        self._effects.extend(self._receiver.mature(self._faults, self._temperature_c(now), now))

    def _told(self, outcome: Transmit | Dropped) -> None:
        self._effects.append(outcome)
        if isinstance(outcome, Transmit):
            self._receiver.transmitted(outcome)
        elif outcome.reason == "tx_aborted":
            self._receiver.aborted(self._now)

    def _answer(self, request: Request | Refused, now: Instant) -> None:
        if isinstance(request, Refused):
            self._effects.append(Dropped(request.reason, CLAUSE, request.detail))
            if request.answered:
                self._send(request.id, bridge.ERROR_TYPE, b"", now)
            return
        order, payload = request.order, b""
        if order is Order.PING:
            payload = self.board.mcu_id[:12].ljust(12, b"\0") + self.board.firmware.encode("ascii", "replace")[:9]
            payload = payload.ljust(21, b"\0")
        elif order is Order.GET_STATUS:
            uptime_ms = (now - self._booted_at) // US_PER_MS
            celsius = round(self._temperature_c(now) * 100)
            payload = (uptime_ms & 0xFFFFFFFF).to_bytes(4, "big") + celsius.to_bytes(2, "big", signed=True)
        elif order is Order.RESET:
            self._reset_chip(now)
            payload = b"\0"
        elif order is Order.WRITE_GPIO:
            payload = bytes((self._write_pin(request.payload, now),))
        elif order is Order.MULTIPLE_SPI:
            payload, wrong = spi.run_elements(
                request.payload,
                lambda target, mosi: self._transfer(target, mosi, now),
                lambda address, mask, value: self.chip.modify(address, mask, value, now),
            )
            if wrong is not None:
                self._effects.append(Dropped("spi_malformed", CLAUSE, wrong))
            if self._faults.spi_status:
                payload = spi.with_status(payload, self._faults.spi_status)
        self._send(request.id, order, payload, now)
        if order is Order.BOOTLOADER_MODE:
            self._effects.append(EnterBootloader())

    def _write_pin(self, payload: bytes, now: Instant) -> int:
        if len(payload) < 3:
            self._effects.append(Dropped("gpio_malformed", CLAUSE, f"{len(payload)} bytes"))
            return 1
        if (payload[0], payload[1]) == _PIN_SX1302_RESET and payload[2]:
            self._reset_chip(now)
        return 0

    def _reset_chip(self, now: Instant) -> None:
        self.chip.reset(now, self.board.counter_start_ticks, self._faults.drift_ppb)
        self._receiver.reset()

    def _transfer(self, target: int, mosi: bytes, now: Instant) -> bytes:
        return self.chip.exchange(mosi, now) if target == spi.TARGET_SX1302 else bytes(len(mosi))

    def _send(self, request_id: int, order: int, payload: bytes, now: Instant) -> None:
        faults, every = self._faults, self._every
        if faults.mute:
            return
        if every.hits("id", faults.wrong_id_every):
            request_id ^= 0x55
        data = bridge.answer(request_id, order, payload)
        if order == bridge.ERROR_TYPE:
            data = data[:3] + bytes((bridge.ERROR_TYPE,))
        if every.hits("type", faults.wrong_type_every):
            data = data[:3] + bytes((_WRONG_TYPE,)) + data[4:]
        if every.hits("lose", faults.lose_byte_every):
            data = data[:-1]
        stalled = every.hits("stall", faults.stall_every)
        if not stalled and not self._late:
            self._effects.append(SendBytes(data))
        elif self._late_bytes < _MAX_STALLED_BYTES:
            # answers keep their order
            due = now + faults.stall_us if stalled else self._late[-1][0]
            self._late.append((max(due, self._late[-1][0]) if self._late else due, data))
            self._late_bytes += len(data)


def with_faults(faults: Faults, **changes: object) -> SetFaults:
    """The event that changes some of the settings."""
    return SetFaults(replace(faults, **changes))  # type: ignore[arg-type]
