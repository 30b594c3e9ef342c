"""One run of our packet forwarder on a concentrator: who started, what was heard and sent, how it goes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.live.concentrators import concentrator_radio
from bench.live.gps_port import GPS_BAUDRATE, GpsPort
from gateway_fw.concentrator.chip_firmware import ChipFirmware
from gateway_fw.concentrator.events import (
    ConcentratorLost,
    DriverEffect,
    FskReception,
    Programmed,
    Progress,
    Reception,
    Started,
    StatusRead,
    TransmitDone,
    TransmitRefused,
)
from gateway_fw.concentrator.picogw_firmware import PicoGwFirmware
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.forwarder.config import ForwarderConfig
from gateway_fw.io.forwarder_service import ForwarderService
from gateway_fw.io.server_link import ServerAddress
from gateway_fw.serial_port import ByteTrace, open_port
from lorawan.machine import Dropped
from lorawan.phy.radio import Transmit

REPORT_S = 30.0  # as often as the forwarder's own status reports
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What a person asked for. forwarder: its EUI is replaced by the chip's own unless eui_given."""

    port: str
    servers: tuple[ServerAddress, ...]
    setup: RadioSetup
    forwarder: ForwarderConfig
    eui_given: bool = True
    gps_port: str | None = None
    spool: Path | None = None
    trace: Path | None = None
    json_lines: bool = False


class GatewaySession:
    """say: where lines go."""

    def __init__(
        self, firmware: ChipFirmware | PicoGwFirmware, options: SessionOptions, say: Callable[[str], object]
    ) -> None:
        self._firmware, self._options, self._say = firmware, options, say
        self._dropped: dict[str, int] = {}
        self._unread = asyncio.Event()

    async def run(self, duration_s: float | None = None) -> None:
        """Until cancelled, or for so many seconds. Raises PortError, ConcentratorError, UsageError, SpoolError."""
        options = self._options
        async with AsyncExitStack() as stack:
            trace = None if options.trace is None else ByteTrace.to_file(options.trace)
            if trace is not None:
                stack.callback(trace.close)
            gps = None if options.gps_port is None else GpsPort(open_port(options.gps_port, baudrate=GPS_BAUDRATE))
            if gps is not None:
                stack.callback(gps.close)
            radio = concentrator_radio(options.port, self._firmware, options.setup, trace=trace, on_event=self._event)
            stack.push_async_callback(radio.stop)
            started = await radio.open()
            service = await stack.enter_async_context(
                ForwarderService(
                    self._config(started),
                    options.servers,
                    radio,
                    spool_directory=options.spool,
                    gps=gps,
                    on_effect=self._effect,
                )
            )
            try:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._report(service), duration_s)
            finally:  # after Ctrl-C too: how many wait is what its user has to know
                self._status(service)

    def _config(self, started: Started) -> ForwarderConfig:
        if self._options.eui_given:
            return self._options.forwarder
        if started.eui is None:
            raise UsageError("the chip has no EUI of its own", hint="give one: --eui 0011223344556677")
        return replace(self._options.forwarder, gateway_eui=started.eui)

    async def _report(self, service: ForwarderService) -> None:
        while not self._unread.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._unread.wait(), REPORT_S)
            self._status(service)

    def _status(self, service: ForwarderService) -> None:
        status = service.status()
        totals = status.totals
        self._tell(
            "status",
            forwarded=totals.forwarded,
            downlinks=totals.downlinks,
            emitted=totals.emitted,
            refused_by_radio=totals.radio_refused,
            servers={
                str(server.address): {"waiting": server.waiting, "errors": server.errors} for server in status.servers
            },
            dropped=status.dropped | self._dropped,
        )

    def _event(self, effect: DriverEffect) -> None:
        if isinstance(effect, Progress):
            if sys.stderr.isatty():
                sys.stderr.write(f"starting: {effect.stage} ({effect.fraction:.0%})\n")
        elif isinstance(effect, Started):
            self._tell("started", eui=str(effect.eui), board=effect.board, firmware=effect.firmware, chip=effect.chip)
        elif isinstance(effect, Reception):
            self._tell("rx", **_reception(effect))
        elif isinstance(effect, FskReception):
            self._tell(
                "rx", tmst=effect.counter_us, freq_hz=effect.freq_hz, datr=effect.bit_rate, hex=effect.payload.hex()
            )
        elif isinstance(effect, Programmed):
            self._tell("programmed", lead_us=effect.lead_us, **_transmit(effect.transmit))
        elif isinstance(effect, TransmitDone):
            self._tell("sent", seen_emitting=effect.seen_emitting, **_transmit(effect.transmit))
        elif isinstance(effect, TransmitRefused):
            self._tell("refused", reason=effect.reason, detail=effect.detail, **_transmit(effect.transmit))
        elif isinstance(effect, ConcentratorLost):
            self._tell("lost", why=effect.why)
        elif isinstance(effect, StatusRead):
            self._tell("board", temperature_c=effect.temperature_c, clock_ahead_us=effect.clock_ahead_us)
        elif isinstance(effect, Dropped):
            self._dropped[effect.reason] = self._dropped.get(effect.reason, 0) + 1
            self._tell("dropped", reason=effect.reason, detail=effect.detail)

    def _effect(self, effect: Transmit | Dropped) -> None:
        if isinstance(effect, Dropped):
            self._tell("dropped", reason=effect.reason, detail=effect.detail)

    def _tell(self, event: str, **fields: Any) -> None:
        if self._options.json_lines:
            line = json.dumps({"event": event, **fields})
        else:
            line = "  ".join((event, *(f"{name}={value}" for name, value in fields.items())))
        if self._unread.is_set():
            return
        try:
            self._say(line)
        except BrokenPipeError:
            # nobody reads any more (`| head`): end as if asked to, and let nothing more be written
            self._unread.set()
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _reception(reception: Reception) -> Record:
    heard = reception.heard
    return {
        "tmst": reception.counter_us,
        "freq_hz": heard.freq_hz,
        "datr": heard.modulation.datr,
        "codr": str(heard.coding_rate),
        "rssi_dbm": round(heard.rssi_dbm, 1),
        "snr_db": heard.snr_db,
        "foff_hz": reception.freq_error_hz,
        "chan": reception.if_chain,
        "crc": "ok" if heard.crc_ok and reception.crc_present else "none" if heard.crc_ok else "bad",
        "hex": heard.payload.hex(),
    }


def _transmit(transmit: Transmit) -> Record:
    return {
        "freq_hz": transmit.freq_hz,
        "datr": transmit.modulation.datr,
        "power_dbm": transmit.power_dbm,
        "hex": transmit.payload.hex(),
    }
