"""The host driver of a CoreCell USB concentrator: SX1302 (or SX1303) with two SX1250, behind an STM32 bridge."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from gateway_fw.concentrator.chip_firmware import ChipFirmware
from gateway_fw.concentrator.corecell_bridge import GET_STATUS, BoardStatus, decode_status
from gateway_fw.concentrator.corecell_counter import Counter
from gateway_fw.concentrator.corecell_line import BridgeLine
from gateway_fw.concentrator.corecell_receive import fetch, read_counters, receptions
from gateway_fw.concentrator.corecell_runner import CoreCellRunner
from gateway_fw.concentrator.corecell_startup import BoardFound, abort, start, stop
from gateway_fw.concentrator.corecell_tx import (
    TX_BASE,
    TX_EMITTING,
    TX_FREE,
    TX_SCHEDULED,
    TX_STATUS,
    transmit_elements,
)
from gateway_fw.concentrator.driver import impossible
from gateway_fw.concentrator.events import (
    ConcentratorLost,
    DriverEffect,
    DriverEvent,
    Program,
    Programmed,
    Progress,
    Start,
    Started,
    StartFailed,
    StatusRead,
    Stopped,
    TransmitDone,
    TransmitRefused,
)
from gateway_fw.concentrator.procedure import AnswerLost, Procedure, ProcedureFailed, Stage, ask, read_byte, spi
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.stream import BytesReceived, LineLost
from lorawan.machine import Dropped, Instant
from lorawan.units import US_PER_MS, US_PER_S

POLL_US = 10 * US_PER_MS  # lora_pkt_fwd.c FETCH_SLEEP_MS
STATUS_US = 10 * US_PER_S  # assumption: a board's temperature does not move faster than its RSSI step in this
DRAIN_US = 100 * US_PER_MS  # assumption: stale bytes of an earlier host arrive within this
MIN_LEAD_US = 3_000  # 1.5 ms start delay of the chip, and as much for the line
MAX_LEAD_US = 60 * US_PER_S  # the trigger compares 32 bits of a counter that wraps after 134 s
MAX_JUMP_US = US_PER_S  # assumption: crystals of 100 ppm part by less within 2 h of silence; a reset chip by more
STUCK_US = US_PER_S  # assumption: a transmitter that is not free a second after its frame never will be
_DONE_SLACK_US = 2_000  # assumption: the chip reports the end of a frame no later than this
_LOST_HINT = "unplug the board, plug it in again, and start over"


class Phase(Enum):
    """Where the driver stands."""

    OFF = auto()
    DRAINING = auto()
    STARTING = auto()
    RUNNING = auto()
    STOPPING = auto()


@dataclass(slots=True)
class _InFlight:
    """A transmission the chip has: host times of its middle and end."""

    program: Program
    middle: Instant
    end: Instant
    looked: bool = False
    seen: bool = False


class CoreCellDriver:
    """Bytes of a CoreCell's serial line on one side, frames on the other.

    After Start it drains the line, brings the chip up (some 2.2 s, nearly all of it the radios' resets) and polls the
    receive buffer every 10 ms. What the chip does not answer in time ends in StartFailed or ConcentratorLost; then a
    new Start may follow, on the same line or a fresh one. `ahead_us` relates its time to the host's.
    """

    def __init__(self, firmware: ChipFirmware) -> None:
        self._firmware = firmware
        self._line = BridgeLine()
        self._runner = CoreCellRunner(self._line)
        self._now: Instant = 0
        self._setup = RadioSetup()
        self._reset(Phase.OFF)

    def _reset(self, phase: Phase) -> None:
        self.phase = phase
        self._runner.cancel()
        self._line.reset()
        self.counter = Counter()
        self._temperature_c = 25.0
        self._programs: deque[Program] = deque()
        self._in_flight: list[_InFlight | None] = [None, None]
        self._drained_at: Instant | None = None
        self._poll_at = self._status_at = 0

    @property
    def ahead_us(self) -> int:
        """Concentrator time minus host time."""
        return self.counter.ahead_us

    @property
    def pps_at(self) -> Instant | None:
        """The concentrator time of the last pulse per second of a GPS receiver, None where there is none."""
        return self.counter.pulse_at

    @property
    def wake_at(self) -> Instant | None:
        """The end of draining, of a pause, of an answer's deadline, or the next poll."""
        if self.phase is Phase.DRAINING:
            return self._drained_at
        if self.phase is Phase.OFF:
            return None
        if not self._runner.idle:
            return self._runner.wake_at
        due = [self._poll_at, *(flight_due for flight in self._in_flight if (flight_due := _due(flight)) is not None)]
        return min(due)

    def wake(self, now: Instant) -> Sequence[DriverEffect]:
        """Go on."""
        self._now = now
        if self.phase is Phase.DRAINING:
            if self._drained_at is None or now < self._drained_at:
                return ()
            self.phase = Phase.STARTING
            return self._settle(self._runner.run(start(self._setup, self._firmware), now, self._started, self._failed))
        if self.phase is Phase.OFF:
            return ()
        effects = [] if self._runner.idle else self._runner.wake(now)
        return self._settle(effects)

    def handle(self, event: DriverEvent, now: Instant) -> Sequence[DriverEffect]:
        """Take one event in."""
        self._now = now
        if isinstance(event, BytesReceived):
            if self.phase in (Phase.OFF, Phase.DRAINING):
                return (Dropped("stale_bytes", "before the first order", f"{len(event.data)} bytes"),)
            return self._settle(self._runner.received(event.data, now))
        if isinstance(event, Program):
            return self._settle(self._program(event))
        if isinstance(event, LineLost):
            return self._line_lost(event.why or "the serial port is gone")
        if isinstance(event, Start):
            return self._start(event)
        return self._settle(self._stop())

    def _start(self, event: Start) -> Sequence[DriverEffect]:
        if self.phase is not Phase.OFF:
            return (Dropped("already_started", "Start while it is up", self.phase.name.lower()),)
        self._setup = event.setup
        self._reset(Phase.DRAINING)
        self._drained_at = self._now + DRAIN_US
        return ()

    def _stop(self) -> list[Any]:
        if self.phase in (Phase.OFF, Phase.DRAINING):
            self._reset(Phase.OFF)
            return [Stopped(clean=True)]
        if self.phase is Phase.STOPPING:
            return []
        effects = self._refuse_all("stopping")
        self.phase = Phase.STOPPING
        self._runner.cancel()
        return effects

    def _line_lost(self, why: str) -> Sequence[DriverEffect]:
        return self._lost(why, "plug the board in again")

    def _lost(self, why: str, hint: str) -> list[Any]:
        effects: list[Any] = self._refuse_all("concentrator_lost")
        if self.phase in (Phase.DRAINING, Phase.STARTING):
            effects.append(StartFailed(self._runner.stage or "serial line", why, hint))
        elif self.phase is Phase.STOPPING:
            effects.append(Stopped(clean=False))
        elif self.phase is Phase.RUNNING:
            effects.append(ConcentratorLost(why))
        self._reset(Phase.OFF)
        self._runner.stage = ""
        return effects

    def _refuse_all(self, reason: str) -> list[Any]:
        refused = [TransmitRefused(program.transmit, reason) for program in self._programs]
        refused.extend(TransmitRefused(flight.program.transmit, reason) for flight in self._in_flight if flight)
        self._programs.clear()
        self._in_flight = [None, None]
        return refused

    def _settle(self, effects: list[Any]) -> list[DriverEffect]:
        """Start what is due next, until something is under way or nothing is due."""
        while self._runner.idle and self.phase in (Phase.RUNNING, Phase.STOPPING):
            following = self._next()
            if following is None:
                break
            effects.extend(following)
        return [Progress(each.name, each.fraction) if isinstance(each, Stage) else each for each in effects]

    def _next(self) -> list[Any] | None:
        now = self._now
        if self.phase is Phase.STOPPING:
            return self._runner.run(stop(), now, self._stopped, self._stop_failed)
        if self._programs:
            program = self._programs.popleft()
            return self._runner.run(self._send(program), now, _as_effects, self._failed)
        for chain, flight in enumerate(self._in_flight):
            due = _due(flight)
            if due is not None and now >= due:
                return self._runner.run(self._look(chain), now, _as_effects, self._failed)
        if now >= self._poll_at:
            self._poll_at = now + POLL_US
            return self._runner.run(self._poll(), now, _as_effects, self._failed)
        return None

    def _started(self, found: BoardFound) -> Sequence[Any]:
        self._temperature_c = found.status.temperature_c
        self._poll_at, self._status_at = self._now, self._now
        first = self._first_reading(found)
        return self._runner.run(first, self._now, _as_effects, self._failed)

    def _first_reading(self, found: BoardFound) -> Procedure[list[Any]]:
        yield from self._read_counters()
        self.phase = Phase.RUNNING
        board = found.board
        return [
            Started(
                found.eui, board.unique_id.hex(), board.version, f"0x{found.chip_version:02X}", self.counter.origin_us
            )
        ]

    def _failed(self, error: Exception) -> Sequence[Any]:
        if self.phase is Phase.STOPPING:
            return [Stopped(clean=False)]
        hint = error.hint if isinstance(error, ProcedureFailed) and error.hint else _LOST_HINT
        return self._lost(str(error), hint)

    def _stopped(self, _: None) -> Sequence[Any]:
        self._reset(Phase.OFF)
        return [Stopped(clean=True)]

    def _stop_failed(self, error: Exception) -> Sequence[Any]:
        self._reset(Phase.OFF)
        return [Dropped("stop", "orderly stop", str(error)), Stopped(clean=False)]

    def _poll(self) -> Procedure[list[Any]]:
        buffer = yield from fetch()
        yield from self._read_counters()
        effects: list[Any] = []
        if self._now >= self._status_at:
            self._status_at = self._now + STATUS_US
            status: BoardStatus = decode_status((yield from ask(GET_STATUS)))
            self._temperature_c = status.temperature_c
            effects.append(StatusRead(self._now, status.temperature_c, self.ahead_us))
        effects.extend(receptions(buffer, self._setup, self.counter, self._temperature_c))
        return effects

    def _read_counters(self) -> Procedure[None]:
        free_running, pulse = yield from read_counters()
        known, ahead_us = self.counter.known, self.ahead_us
        jump_us = self.counter.read(free_running, self._now) - self._now - ahead_us
        if known and abs(jump_us) > MAX_JUMP_US:
            raise ProcedureFailed(
                f"the chip's counter jumped by {jump_us / US_PER_S:+.1f} s", "it was reset or lost power"
            )
        self.counter.pulse(pulse)

    def _program(self, program: Program) -> list[Any]:
        refusal = self._refusal(program)
        if refusal is not None:
            return [refusal]
        self._programs.append(program)
        return []

    def _refusal(self, program: Program) -> TransmitRefused | None:
        if self.phase is not Phase.RUNNING:
            return TransmitRefused(program.transmit, "not_running", self.phase.name.lower())
        return impossible(program.transmit, self._setup) or self._untimely(program)

    def _untimely(self, program: Program) -> TransmitRefused | None:
        if program.immediate:
            return None
        lead_us = program.transmit.at - self._now - self.ahead_us
        if lead_us < MIN_LEAD_US:
            return TransmitRefused(program.transmit, "too_late", f"{lead_us} µs ahead, at least {MIN_LEAD_US}")
        if lead_us > MAX_LEAD_US:
            return TransmitRefused(program.transmit, "too_early", f"{lead_us} µs ahead, at most {MAX_LEAD_US}")
        return None

    def _send(self, program: Program) -> Procedure[list[Any]]:
        transmit, chain = program.transmit, program.transmit.rf_chain
        status = yield from read_byte(TX_BASE[chain] + TX_STATUS)
        if status != TX_FREE:
            return [TransmitRefused(transmit, "busy", f"transmitter {'AB'[chain]} is at 0x{status:02X}")]
        before = self._in_flight[chain]
        self._in_flight[chain] = None
        # free, though nobody has looked since the last frame ended: that one is over
        effects: list[Any] = [] if before is None else [TransmitDone(before.program.transmit, before.seen)]
        untimely = self._untimely(program)
        if untimely is not None:
            return [*effects, untimely]
        ticks = None if program.immediate else self.counter.raw_ticks(transmit.at)
        try:
            yield from spi(*transmit_elements(transmit, self._setup, ticks), repeatable=False)
        except AnswerLost as lost:
            if not lost.alive:
                raise
            status = yield from read_byte(TX_BASE[chain] + TX_STATUS)
            if status not in TX_SCHEDULED and status not in TX_EMITTING:
                return [*effects, TransmitRefused(transmit, "answer_lost", f"transmitter at 0x{status:02X}")]
        begins = self._now if program.immediate else self.counter.host_time(transmit.at)
        end = begins + transmit.airtime_us
        self._in_flight[chain] = _InFlight(program, begins + transmit.airtime_us // 2, end + _DONE_SLACK_US)
        return [*effects, Programmed(transmit, begins - self._now)]

    def _look(self, chain: int) -> Procedure[list[Any]]:
        flight = self._in_flight[chain]
        status = yield from read_byte(TX_BASE[chain] + TX_STATUS)
        if flight is None:
            return []
        transmit = flight.program.transmit
        flight.seen |= status in TX_EMITTING
        if self._now < flight.end:
            flight.looked = True
            return []
        if status == TX_FREE:
            self._in_flight[chain] = None
            return [TransmitDone(transmit, flight.seen)]
        if self._now < flight.end + STUCK_US:
            flight.middle, flight.looked = self._now + POLL_US, False
            return []
        self._in_flight[chain] = None
        yield from abort(chain)
        return [TransmitRefused(transmit, "stuck", f"transmitter {'AB'[chain]} stayed at 0x{status:02X}")]


def _due(flight: _InFlight | None) -> Instant | None:
    if flight is None:
        return None
    return flight.end if flight.looked else flight.middle


def _as_effects(effects: list[Any]) -> Sequence[Any]:
    return effects
