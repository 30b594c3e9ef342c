"""A real concentrator, put together: chip firmware from the user's cache, a serial port, a driver, a radio."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from bench.errors import UsageError
from gateway_fw.concentrator import chip_firmware
from gateway_fw.concentrator.chip_firmware import ChipFirmware
from gateway_fw.concentrator.corecell import CoreCellDriver
from gateway_fw.concentrator.events import DriverEffect
from gateway_fw.concentrator.picogw import PicoGwDriver
from gateway_fw.concentrator.picogw_firmware import PicoGwFirmware, load_picogw, read_picogw_package, save_picogw
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.errors import ChipFirmwareError
from gateway_fw.forwarder.config import TxChain
from gateway_fw.io.concentrator import ConcentratorRadio
from gateway_fw.serial_port import ByteTrace, Port, open_port

BOARD_IDS = ("corecell-usb",)
PICOGW_IDS = ("picogw-usb",)
"""Boards that `--port auto` looks for, by their id in gateway_fw/serial_port/usb_ids.toml."""


class Board(StrEnum):
    """The concentrators that there are drivers for."""

    CORECELL = "corecell"
    PICOGW = "picogw"


def firmware_folder(board: Board = Board.CORECELL) -> Path:
    """Where this user's chip firmware is kept: the platform's cache folder."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "lorabench" / "chip-firmware" / ("sx1302" if board is Board.CORECELL else "sx1308")


def keep_chip_firmware(package: Path, folder: Path) -> ChipFirmware:
    """Read the images out of a driver package into a folder. Raises UsageError."""
    try:
        firmware = chip_firmware.read_package(package)
    except ChipFirmwareError as error:
        raise UsageError(str(error)) from None
    chip_firmware.save(firmware, folder)
    return firmware


def load_chip_firmware(given: Path | None) -> ChipFirmware:
    """From a driver package or a folder of kept images, else from the user's cache. Raises UsageError."""
    try:
        if given is None:
            return chip_firmware.load(firmware_folder())
        if (given / "arb.bin").exists():
            return chip_firmware.load(given)
        return chip_firmware.read_package(given)
    except ChipFirmwareError as error:
        raise UsageError(str(error)) from None


def keep_picogw_firmware(package: Path, folder: Path) -> PicoGwFirmware:
    """Read the images out of a driver package into a folder. Raises UsageError."""
    try:
        firmware = read_picogw_package(package)
    except ChipFirmwareError as error:
        raise UsageError(str(error)) from None
    save_picogw(firmware, folder)
    return firmware


def load_picogw_firmware(given: Path | None) -> PicoGwFirmware:
    """From a driver package or a folder of kept images, else from the user's cache. Raises UsageError."""
    try:
        if given is None:
            return load_picogw(firmware_folder(Board.PICOGW))
        if (given / "sx1308_arb.bin").exists():
            return load_picogw(given)
        return read_picogw_package(given)
    except ChipFirmwareError as error:
        raise UsageError(str(error)) from None


def concentrator_radio(
    port: str,
    firmware: ChipFirmware | PicoGwFirmware,
    setup: RadioSetup,
    *,
    trace: ByteTrace | None = None,
    on_event: Callable[[DriverEffect], None] | None = None,
) -> ConcentratorRadio:
    """The board that the firmware is for, on a port (a name, a URL or auto)."""
    if isinstance(firmware, ChipFirmware):
        return corecell_radio(port, firmware, setup, trace=trace, on_event=on_event)

    def opened() -> Port:
        return open_port(port, trace=trace, boards=PICOGW_IDS)

    return ConcentratorRadio(lambda: PicoGwDriver(firmware), opened, setup, on_event=on_event)


def corecell_radio(
    port: str,
    firmware: ChipFirmware,
    setup: RadioSetup,
    *,
    trace: ByteTrace | None = None,
    on_event: Callable[[DriverEffect], None] | None = None,
    retry: bool = True,
) -> ConcentratorRadio:
    """A CoreCell on a port (a name, a URL or auto)."""

    def opened() -> Port:
        return open_port(port, trace=trace, boards=BOARD_IDS)

    return ConcentratorRadio(lambda: CoreCellDriver(firmware), opened, setup, on_event=on_event, retry=retry)


def tx_chains(setup: RadioSetup, min_freq_hz: int = 863_000_000, max_freq_hz: int = 870_000_000) -> tuple[TxChain, ...]:
    """The forwarder's view of a set-up's transmitters."""
    powers = tuple(row.power_dbm for row in setup.tx_gains)
    return tuple(TxChain(min_freq_hz, max_freq_hz, powers, radio.tx_enabled) for radio in setup.radios)


def channels_hz(setup: RadioSetup) -> tuple[int, ...]:
    """The multi-SF channels in order, 0 where unused."""
    return tuple(setup.channel_hz(index) or 0 for index in range(len(setup.channels)))
