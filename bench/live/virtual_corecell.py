"""Runs a virtual CoreCell with a scripted radio behind it, and says what happens as flat records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.live.air_script import AirEntry, ChangeFaults, Unplug, changed_faults
from gateway_fw.io.virtual_board import VirtualBoard
from gateway_fw.virtual.corecell import (
    CoreCellEffect,
    CoreCellEvent,
    EnterBootloader,
    PowerLost,
    VirtualCoreCell,
)
from gateway_fw.virtual.faults import SetFaults
from lorawan.machine import Dropped, Instant
from lorawan.phy.radio import Heard, Transmit
from lorawan.units import US_PER_S

Record = dict[str, Any]
_POLL_S = 0.05  # how soon a start of the board by its host is noticed


class VirtualCoreCellSession:
    """One board on a pty. say: where records go ("event" first); they can be written as JSON as they are."""

    def __init__(
        self, core: VirtualCoreCell, entries: Sequence[AirEntry], say: Callable[[Record], None], *, link: Path | None
    ) -> None:
        self._core, self._entries, self._say = core, entries, say
        self._board: VirtualBoard[CoreCellEvent, CoreCellEffect] = VirtualBoard(core, self._effect, link=link)
        self.heard = self.sent = self.dropped = 0

    async def run(self, duration_s: float | None = None) -> None:
        """Until cancelled, or for so many seconds. Raises PtyError."""
        async with self._board:
            self._say({"event": "ready", "path": self._board.path})
            tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._play())]
            try:
                done, _ = await asyncio.wait(tasks, timeout=duration_s, return_when=asyncio.FIRST_EXCEPTION)
                for task in done:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        """Say when a host has brought the board up, and when it has gone."""
        started = False
        while True:
            if self._core.started != started:
                started = self._core.started
                self._say(self._started() if started else {"event": "stopped"})
            await asyncio.sleep(_POLL_S)

    def _started(self) -> Record:
        channels = [
            {"chan": channel.index, "freq_hz": channel.freq_hz, "bw_hz": channel.bw_hz, "sf": sorted(channel.sfs)}
            for channel in self._core.channels
        ]
        return {"event": "started", "channels": channels}

    async def _play(self) -> None:
        while not self._core.started:
            await asyncio.sleep(_POLL_S)
        origin = self._board.now
        for entry in self._entries:
            at = origin + entry.at
            await asyncio.sleep(max(0, at - self._board.now) / US_PER_S)
            await self._carry_out(entry, at)
        if self._entries:
            self._say({"event": "script_done", "heard": self.heard, "sent": self.sent, "dropped": self.dropped})

    async def _carry_out(self, entry: AirEntry, at: Instant) -> None:
        if isinstance(entry, ChangeFaults):
            self._board.submit(SetFaults(changed_faults(self._core.faults, entry.changes)))
            self._say({"event": "fault", **entry.changes})
        elif isinstance(entry, Unplug):
            self._board.unplug(PowerLost())
            self._say({"event": "unplugged"})
            await asyncio.sleep(entry.after_us / US_PER_S)
            self._board.replug()
            self._say({"event": "plugged", "path": self._board.path})
        else:
            heard = Heard(
                at,
                entry.payload,
                entry.freq_hz,
                entry.modulation,
                entry.rssi_dbm,
                entry.snr_db,
                entry.airtime_us,
                crc_ok=entry.crc_ok,
                coding_rate=entry.coding_rate,
            )
            self.heard += 1
            self._board.submit(heard)

    def _effect(self, effect: CoreCellEffect) -> None:
        if isinstance(effect, Transmit):
            self.sent += 1
            self._say(transmission(effect, self._core.counter_us(effect.at)))
        elif isinstance(effect, Dropped):
            self.dropped += 1
            self._say({"event": "dropped", "reason": effect.reason, "clause": effect.clause, "detail": effect.detail})
        elif isinstance(effect, EnterBootloader):
            self._say({"event": "bootloader"})


def transmission(transmit: Transmit, counter_us: int) -> Record:
    """A transmission as a flat record."""
    return {
        "event": "tx",
        "at_us": transmit.at,
        "counter_us": counter_us,
        "freq_hz": transmit.freq_hz,
        "datr": transmit.modulation.datr,
        "codr": str(transmit.coding_rate),
        "power_dbm": transmit.power_dbm,
        "inverted_iq": transmit.inverted_iq,
        "crc": transmit.crc,
        "airtime_us": transmit.airtime_us,
        "hex": transmit.payload.hex(),
    }
