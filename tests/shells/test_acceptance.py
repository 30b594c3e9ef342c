"""An acceptance run whole: against a virtual board's own air, and between two boards that hear each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from corecell_pair import MADE_UP

from bench.acceptance.air import LoopbackAir, VirtualAir
from bench.acceptance.lines import Line, accepted
from bench.acceptance.run import Acceptance, Plan
from bench.live.concentrators import corecell_radio
from gateway_fw.concentrator.events import DriverEffect
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.io import ConcentratorRadio
from gateway_fw.io.virtual_board import VirtualBoard
from gateway_fw.virtual.corecell import CoreCellEffect, CoreCellEvent, VirtualCoreCell
from lorawan.phy.radio import Heard, Transmit

SETUP = RadioSetup()
PLAN = Plan((7,), 8, tx_powers=3)


def _gateway(path: str) -> Callable[[Callable[[DriverEffect], None]], ConcentratorRadio]:
    return lambda on_event: corecell_radio(path, MADE_UP, SETUP, on_event=on_event, retry=False)


def _on_virtual_air(core: VirtualCoreCell) -> list[Line]:
    async def scene() -> list[Line]:
        air = VirtualAir(core)
        await air.start()
        try:
            return await Acceptance(_gateway(air.path), air, SETUP, PLAN).run()
        finally:
            await air.stop()

    return asyncio.run(scene())


def test_a_sound_virtual_board_is_accepted_with_every_line_measured() -> None:
    lines = _on_virtual_air(VirtualCoreCell())
    assert accepted(lines), [str(line) for line in lines]
    assert all(line.verdict == "pass" for line in lines)


def test_two_boards_that_hear_each_other_accept_one_another() -> None:
    boards: list[VirtualBoard[CoreCellEvent, CoreCellEffect]] = []

    ahead_us = 0

    def heard_by(other: int) -> Callable[[CoreCellEffect], None]:
        def carry(effect: CoreCellEffect) -> None:
            if isinstance(effect, Transmit) and not effect.inverted_iq:
                there = boards[other]
                end = effect.at + effect.airtime_us + (ahead_us if other else -ahead_us)
                level_dbm = effect.power_dbm - 80
                frame = Heard(end, effect.payload, effect.freq_hz, effect.modulation, level_dbm, 9.0, effect.airtime_us)
                there.submit(frame)

        return carry

    async def scene() -> list[Line]:
        boards.extend(VirtualBoard(VirtualCoreCell(), heard_by(other)) for other in (1, 0))
        nonlocal ahead_us
        async with boards[0], boards[1]:
            ahead_us = boards[1].now - boards[0].now
            air = LoopbackAir(lambda: corecell_radio(boards[1].path, MADE_UP, SETUP, retry=False))
            await air.start()
            try:
                plan = replace(PLAN, per_sf=3)
                return await Acceptance(_gateway(boards[0].path), air, replace(SETUP, service=None), plan).run()
            finally:
                await air.stop()

    lines = asyncio.run(scene())
    assert accepted(lines), [str(line) for line in lines]
    assert {line.name for line in lines if line.verdict == "not measured"} == {
        "RX RSSI error",
        "RX SNR error",
        "RX bad CRC told apart",
        "TX power against the table",
    }
