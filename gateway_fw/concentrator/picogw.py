"""The host driver of a picoGW: an SX1308 with two SX1257 (or SX1255) behind an STM32."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

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
    Stopped,
    TransmitDone,
    TransmitRefused,
)
from gateway_fw.concentrator.picogw_counter import JUMP_US, MicrosecondCounter
from gateway_fw.concentrator.picogw_firmware import PicoGwFirmware
from gateway_fw.concentrator.picogw_line import PicoGwLine, Request
from gateway_fw.concentrator.picogw_radio import receptions, tx_order
from gateway_fw.concentrator.picogw_records import MAX_PACKETS
from gateway_fw.concentrator.picogw_startup import PicoGwFound, start, stop
from gateway_fw.concentrator.picogw_steps import PicoGwRunner, Procedure, done, order
from gateway_fw.concentrator.picogw_wire import FIRMWARE_VERSION, Order
from gateway_fw.concentrator.procedure import AnswerLost, ProcedureFailed, Stage
from gateway_fw.concentrator.setup import Channel, FskChannel, Radio, RadioSetup, ServiceChannel, TxGain
from gateway_fw.stream import BytesReceived, LineLost
from lorawan.ids import Eui64
from lorawan.machine import Dropped, Instant
from lorawan.phy.modulation import LoraModulation
from lorawan.units import US_PER_MS

DRAIN_US = 100 * US_PER_MS  # assumption: what an earlier host left comes within this
POLL_US = 10 * US_PER_MS  # as picoGW_packet_forwarder 0.1.0 lora_pkt_fwd.c FETCH_SLEEP_MS
COUNTER_US = 100 * US_PER_MS  # assumption: crystals of 100 ppm part by 10 µs in this
REBOOT_US = 1_200 * US_PER_MS
"""From order 'm' until the board listens again. Source: picoGW_hal 0.2.3 loragw_mcu.h MCU_DELAY_RESET, _COM_INIT."""
TX_LEAD_US = 40 * US_PER_MS
"""How early order 'f' is given: the board is deaf from then on. As lora_pkt_fwd's jitqueue TX_JIT_DELAY."""
MIN_LEAD_US = 5 * US_PER_MS  # the start delay of 1.5 ms, and the order's way [assumption]
MAX_LEAD_US = 1 << 31
TX_GUARD_US = 10_000 * US_PER_MS
"""The microcontroller answers then though nothing was sent. Source: picoGW_mcu 0.2.1 cmdUSB.cpp, order 'f'."""
TX_SLACK_US = 1_000 * US_PER_MS  # assumption: chip restart and line together take far less
_LOST_HINT = "unplug the board, plug it in again, start over"


class Phase(Enum):
    """Where the driver stands."""

    OFF = auto()
    DRAINING = auto()
    STARTING = auto()
    RUNNING = auto()
    STOPPING = auto()


class PicoGwDriver:
    """Bytes of a picoGW's serial line on one side, frames on the other.

    After Start it drains the line, brings the chip up (some 4.9 s, nearly all of it calibration) and polls for packets
    every 10 ms. While the board sends it answers nothing and hears nothing, so a downlink is given to it 40 ms ahead
    and not earlier. What is not answered in time ends in StartFailed or ConcentratorLost; a new Start may follow.
    """

    def __init__(self, firmware: PicoGwFirmware) -> None:
        self._firmware = firmware
        self._line = PicoGwLine()
        self._runner = PicoGwRunner(self._line)
        self._now: Instant = 0
        self._setup = RadioSetup()
        self._listens_at: Instant = 0
        self._reset(Phase.OFF)

    def _reset(self, phase: Phase) -> None:
        self.phase = phase
        self._runner.cancel()
        self._line.reset()
        self.counter = MicrosecondCounter()
        self._programs: list[Program] = []
        self._drained_at: Instant = 0
        self._poll_at = self._counter_at = self._now
        self._sending: Program | None = None

    @property
    def ahead_us(self) -> int:
        """Concentrator time minus host time."""
        return self.counter.ahead_us

    @property
    def pps_at(self) -> Instant | None:
        """None: the board's firmware leaves its GPS input off."""
        return None

    @property
    def wake_at(self) -> Instant | None:
        """The end of draining, of a pause, of an answer's deadline, the next poll or transmission."""
        if self.phase is Phase.DRAINING:
            return self._drained_at
        if self.phase is Phase.OFF:
            return None
        if not self._runner.idle:
            return self._runner.wake_at
        return min([self._poll_at, *(self._given_at(program) for program in self._programs)])

    def wake(self, now: Instant) -> Sequence[DriverEffect]:
        """Go on."""
        self._now = now
        if self.phase is Phase.DRAINING:
            if now < self._drained_at:
                return ()
            self.phase = Phase.STARTING
            return self._settle(self._runner.run(start(self._setup, self._firmware), now, self._started, self._failed))
        if self.phase is Phase.OFF:
            return ()
        return self._settle([] if self._runner.idle else self._runner.wake(now))

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
            return self._lost(event.why or "the serial port is gone", "plug the board in again")
        if isinstance(event, Start):
            return self._start(event)
        return self._settle(self._stop())

    def _start(self, event: Start) -> Sequence[DriverEffect]:
        if self.phase is not Phase.OFF:
            return (Dropped("already_started", "Start while it is up", self.phase.name.lower()),)
        self._setup = event.setup
        self._reset(Phase.DRAINING)
        self._drained_at = max(self._now + DRAIN_US, self._listens_at)
        return ()

    def _stop(self) -> list[Any]:
        if self.phase in (Phase.OFF, Phase.DRAINING):
            self._reset(Phase.OFF)
            return [Stopped(clean=True)]
        if self.phase is Phase.STOPPING:
            return []
        effects = [TransmitRefused(program.transmit, "stopping") for program in self._programs]
        self._programs = []
        if self._sending is None:
            # a transmission under way is waited for: the board hears no order before its end
            self._runner.cancel()
        self.phase = Phase.STOPPING
        return effects

    def _lost(self, why: str, hint: str) -> list[Any]:
        refused = [self._sending, *self._programs] if self._sending else self._programs
        effects: list[Any] = [TransmitRefused(program.transmit, "concentrator_lost") for program in refused]
        if self.phase in (Phase.DRAINING, Phase.STARTING):
            effects.append(StartFailed(self._runner.stage or "serial line", why, hint))
        elif self.phase is Phase.STOPPING:
            effects.append(Stopped(clean=False))
        elif self.phase is Phase.RUNNING:
            effects.append(ConcentratorLost(why))
        self._reset(Phase.OFF)
        self._runner.stage = ""
        return effects

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
            return self._runner.run(stop(), now, self._stopped, self._failed)
        due = min(self._programs, key=self._given_at, default=None)
        if due is not None and self._given_at(due) <= now:
            self._programs.remove(due)
            return self._runner.run(self._send(due), now, _as_effects, self._failed)
        if now >= self._poll_at:
            self._poll_at = now + POLL_US
            return self._runner.run(self._poll(), now, _as_effects, self._failed)
        return None

    def _started(self, found: PicoGwFound) -> Sequence[Any]:
        self._poll_at = self._counter_at = self._now
        return self._runner.run(self._first_reading(found), self._now, _as_effects, self._failed)

    def _first_reading(self, found: PicoGwFound) -> Procedure[list[Any]]:
        yield from self._read_counter()
        self.phase = Phase.RUNNING
        return [
            Started(
                Eui64(int.from_bytes(found.unique_id, "big")),
                found.unique_id.hex(),
                f"0x{FIRMWARE_VERSION:08X}",
                f"SX1308 v{found.chip_version}",
                self.counter.origin_us,
            )
        ]

    def _failed(self, error: Exception) -> Sequence[Any]:
        hint = error.hint if isinstance(error, ProcedureFailed) and error.hint else _LOST_HINT
        return self._lost(str(error), hint)

    def _stopped(self, _: None) -> Sequence[Any]:
        self._reset(Phase.OFF)
        self._listens_at = self._now + REBOOT_US
        return [Stopped(clean=True)]

    def _read_counter(self) -> Procedure[None]:
        raw = yield from done(Request(Order.COUNTER, answer_bytes=4))
        off_us = self.counter.read(int.from_bytes(raw, "big"), self._now)
        if abs(off_us) > JUMP_US:
            raise ProcedureFailed(f"the counter jumped by {off_us} µs: the board has restarted")

    def _poll(self) -> Procedure[list[Any]]:
        if self._now >= self._counter_at:
            self._counter_at = self._now + COUNTER_US
            yield from self._read_counter()
        return (yield from self._fetch())

    def _fetch(self) -> Procedure[list[Any]]:
        status, data = yield from order(Request(Order.RECEIVE, bytes((MAX_PACKETS,)), answer_bytes=None))
        if not status:
            return [Dropped("receive_refused", "picoGW order 'b'", data.hex())]
        return list(receptions(data, self.counter))

    # --- transmissions ---

    def _given_at(self, program: Program) -> Instant:
        """When the board is told (host time)."""
        return self._now if program.immediate else self.counter.host_time(program.transmit.at) - TX_LEAD_US

    def _program(self, program: Program) -> list[Any]:
        refusal = self._refusal(program)
        if refusal is not None:
            return [refusal]
        self._programs.append(program)
        return []

    def _refusal(self, program: Program) -> TransmitRefused | None:
        transmit = program.transmit
        if self.phase is not Phase.RUNNING:
            return TransmitRefused(transmit, "not_running", self.phase.name.lower())
        refusal = impossible(transmit, self._setup)
        if refusal is not None:
            return refusal
        if transmit.modulation.sf < 7:
            return TransmitRefused(transmit, "modulation", f"an SX1308 sends SF7 to SF12, not {transmit.modulation}")
        if transmit.airtime_us + TX_LEAD_US > TX_GUARD_US:
            return TransmitRefused(transmit, "too_long", f"{transmit.airtime_us} µs on air: the board cuts at 10 s")
        return self._untimely(program)

    def _untimely(self, program: Program) -> TransmitRefused | None:
        if program.immediate:
            return None
        lead_us = self.counter.host_time(program.transmit.at) - self._now
        if lead_us < MIN_LEAD_US:
            return TransmitRefused(program.transmit, "too_late", f"{lead_us} µs ahead, at least {MIN_LEAD_US}")
        if lead_us >= MAX_LEAD_US:
            return TransmitRefused(program.transmit, "too_early", f"{lead_us} µs ahead, under {MAX_LEAD_US}")
        return None

    def _send(self, program: Program) -> Procedure[list[Any]]:
        self._sending = program
        # the board forgets what it has received when it sends
        yield from (yield from self._fetch())
        outcome: TransmitDone | TransmitRefused | None = self._untimely(program)
        if outcome is None:
            outcome = yield from self._send_now(program)
        self._sending = None
        return [outcome]

    def _send_now(self, program: Program) -> Procedure[TransmitDone | TransmitRefused]:
        transmit, given_at = program.transmit, self._now
        begins = given_at if program.immediate else self.counter.host_time(transmit.at)
        ends = begins + transmit.airtime_us
        data = tx_order(program, self.counter).encode()
        yield Programmed(transmit, begins - given_at)
        request = Request(Order.SEND, data, repeatable=False, within_us=TX_GUARD_US + TX_SLACK_US)
        try:
            status, _ = yield from order(request)
        except AnswerLost as lost:
            if not lost.alive:
                raise
            return TransmitRefused(transmit, "answer_lost", str(lost))
        self._counter_at = self._now
        if not status:
            # the transmission may have been made; the chip did not come back after it
            return TransmitRefused(transmit, "refused", "the board did not restart its chip")
        if self._now > ends + TX_SLACK_US and self._now >= given_at + TX_GUARD_US:
            return TransmitRefused(transmit, "not_sent", "the board waited its 10 s for an end that did not come")
        if self._now < ends - TX_LEAD_US:
            return TransmitRefused(transmit, "ended_early", f"answered {ends - self._now} µs before the end")
        return TransmitDone(transmit, seen_emitting=True)


def _as_effects(effects: list[Any]) -> Sequence[Any]:
    return effects


def picogw_eu868_setup() -> RadioSetup:
    """The EU868 plan of picoGW_packet_forwarder 0.1.0 lora_pkt_fwd/global_conf.json."""
    radios = (Radio(867_500_000, -164.0, tx_enabled=True), Radio(868_500_000, -164.0))
    channels = tuple(Channel(1, if_hz) for if_hz in (-400_000, -200_000, 0))
    channels += tuple(Channel(0, if_hz) for if_hz in (-400_000, -200_000, 0, 200_000, 400_000))
    return RadioSetup(
        radios=radios,
        channels=channels,
        service=ServiceChannel(1, -200_000, LoraModulation(7, 250_000)),
        fsk=FskChannel(1, 300_000, 50_000, 125_000),
        tx_gains=PICOGW_EU868_GAINS,
        clock_source=1,
    )


PICOGW_EU868_GAINS = tuple(
    TxGain(power_dbm, 0, digital=digital, dac=3, mix=mix)
    for power_dbm, mix, digital in (
        *((9, 5, 3),) * 7,
        (11, 6, 3),
        (13, 5, 2),
        (14, 8, 3),
        (15, 6, 2),
        (16, 6, 1),
        (17, 9, 3),
        (18, 10, 3),
        (19, 11, 3),
        (20, 12, 3),
    )
)
"""Source: picoGW_packet_forwarder 0.1.0 lora_pkt_fwd/global_conf.json, tx_lut_0 … tx_lut_15."""
