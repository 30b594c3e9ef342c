"""The procedure of an acceptance: start the gateway, let it hear, let it send, judge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic

from bench.acceptance.air import SEND_LEAD_US, Air
from bench.acceptance.frames import TestFrame, number_of, uplinks
from bench.acceptance.judge import Asked, Limits, Sent, receive_lines, transmit_lines
from bench.acceptance.lines import Line, at_most, not_measured, within
from gateway_fw.concentrator.events import DriverEffect, Reception, Started, StatusRead, TransmitDone, TransmitRefused
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.io.concentrator import ConcentratorRadio
from lorawan.machine import Dropped
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Transmit
from lorawan.units import US_PER_S

START_LIMIT_S = 5.0  # assumption: twice the 2.1 s of a CoreCell that starts
TX_FIRST_NUMBER = 40_000  # numbers in the frames' payloads, apart from those of the uplinks
BAD_CRC_NUMBER = 39_999
_SETTLE_S = 0.25  # the last record's way from the chip to us
_LATE_LEAD_US = 1_000  # under any lead that a chip can be programmed with


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is tried. tx_powers: rows of the gain table, from the strongest down."""

    sfs: tuple[int, ...] = (7, 8, 9, 10, 11, 12)
    per_sf: int = 10
    tx_freq_hz: int = 868_100_000
    tx_powers: int = 16
    limits: Limits = field(default_factory=Limits)


class Acceptance:
    """One gateway. gateway: makes its radio, given where its events go. progress: stage, done, of how many."""

    def __init__(
        self,
        gateway: Callable[[Callable[[DriverEffect], None]], ConcentratorRadio],
        air: Air,
        setup: RadioSetup,
        plan: Plan,
        progress: Callable[[str, int, int], None] = lambda *_: None,
    ) -> None:
        self._air, self._setup, self._plan, self._progress = air, setup, plan, progress
        self._gateway = gateway
        self.started: Started | None = None
        self._got: dict[int, Reception] = {}
        self._done: set[int] = set()
        self._refused: list[TransmitRefused] = []
        self._temperature_c: float | None = None
        self._dropped: dict[str, int] = {}

    async def run(self) -> list[Line]:
        """The lines. Raises what the gateway's start raises."""
        began = monotonic()
        radio = self._gateway(self._event)
        try:
            self.started = await radio.open()
            lines = [at_most("start-up", monotonic() - began, START_LIMIT_S, "s")]
            await radio.start(lambda _: None)
            lines.extend(await self._receive())
            lines.extend(await self._transmit(radio))
        finally:
            await radio.stop()
        if self._temperature_c is not None:
            lines.append(within("board temperature", self._temperature_c, -40, 85, "degC"))
        lost = sum(
            count for reason, count in self._dropped.items() if reason in ("flushed", "malformed", "stale_answer")
        )
        lines.append(at_most("answers lost on the serial line", lost, 0, ""))
        return lines

    def _event(self, effect: DriverEffect) -> None:
        if isinstance(effect, Reception):
            number = number_of(effect.heard.payload)
            if number is not None:
                self._got[number] = effect
        elif isinstance(effect, TransmitDone):
            self._done.add(number_of(effect.transmit.payload) or 0)
        elif isinstance(effect, TransmitRefused):
            self._refused.append(effect)
        elif isinstance(effect, StatusRead):
            self._temperature_c = effect.temperature_c
        elif isinstance(effect, Dropped):
            self._dropped[effect.reason] = self._dropped.get(effect.reason, 0) + 1

    async def _receive(self) -> list[Line]:
        frames = list(uplinks(self._setup, self._plan.sfs, self._plan.per_sf))
        sent: list[Sent] = []
        waiting = iter(frames)
        while group := tuple(islice(waiting, self._air.parallel)):
            sent.extend(Sent(frame, self._air.send(frame)) for frame in group)
            await asyncio.sleep(max(frame.airtime_us for frame in group) / US_PER_S + self._gap_s())
            self._progress("receive", len(sent), len(frames))
        lines = [*(await self._bad_crc())]
        await asyncio.sleep(_SETTLE_S)
        exact = self._air.exact
        return [*receive_lines(sent, self._got, self._setup, self._plan.limits, exact=exact), *lines]

    def _gap_s(self) -> float:
        return 0.02 if self._air.exact else 1.5 * SEND_LEAD_US / US_PER_S

    async def _bad_crc(self) -> list[Line]:
        if not self._air.exact:
            return [not_measured("RX bad CRC told apart", "the other board sends none")]
        frame = TestFrame(BAD_CRC_NUMBER, self._setup.channel_hz(0) or 0, LoraModulation(7), crc_ok=False)
        self._air.send(frame)
        await asyncio.sleep(frame.airtime_us / US_PER_S + _SETTLE_S)
        told = self._got.pop(BAD_CRC_NUMBER, None)
        wrong = 0 if told is not None and not told.heard.crc_ok else 1
        return [at_most("RX bad CRC told apart", wrong, 0, "wrong")]

    async def _transmit(self, radio: ConcentratorRadio) -> list[Line]:
        if self.started is None or not self._setup.radios[0].tx_enabled:
            return [not_measured("TX", "the first radio may not transmit")]
        powers = [row.power_dbm for row in self._setup.tx_gains][-self._plan.tx_powers :]
        rates = [LoraModulation(7)] * len(powers) + [LoraModulation(sf) for sf in self._plan.sfs if sf != 7]
        asked: list[Asked] = []
        at = radio.now + 2 * SEND_LEAD_US
        for index, rate in enumerate(rates):
            power_dbm = powers[index] if index < len(powers) else powers[0]
            frame = TestFrame(TX_FIRST_NUMBER + index, self._plan.tx_freq_hz, rate, power_dbm=float(power_dbm))
            await asyncio.sleep(max(0.0, (at - SEND_LEAD_US - radio.now) / US_PER_S))
            radio.transmit(self._transmission(frame, at))
            asked.append(Asked(frame, (at - self.started.clock_origin) % (1 << 32)))
            at += frame.airtime_us + SEND_LEAD_US
            self._progress("transmit", index + 1, len(rates))
        await asyncio.sleep((at - radio.now) / US_PER_S + _SETTLE_S)
        lines = transmit_lines(
            asked, self._air.heard, len(self._done), self._setup, self._plan.limits, exact=self._air.exact
        )
        return [*lines, await self._late(radio)]

    async def _late(self, radio: ConcentratorRadio) -> Line:
        before = len(self._refused)
        frame = TestFrame(TX_FIRST_NUMBER - 2, self._plan.tx_freq_hz, LoraModulation(7))
        radio.transmit(self._transmission(frame, radio.now + _LATE_LEAD_US))
        await asyncio.sleep(_SETTLE_S)
        reasons = [each.reason for each in self._refused[before:]]
        return at_most("TX too late is refused", 0 if reasons == ["too_late"] else 1, 0, "wrong")

    def _transmission(self, frame: TestFrame, at: int) -> Transmit:
        # a gateway that shall be heard by another one sends as devices do
        return Transmit(
            at,
            frame.payload,
            frame.freq_hz,
            frame.modulation,
            frame.power_dbm,
            frame.airtime_us,
            inverted_iq=self._air.exact,
        )
