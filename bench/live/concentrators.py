"""A real concentrator, put together: chip firmware from the user's cache, a serial port, a driver, a radio."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from bench.errors import UsageError
from gateway_fw.concentrator.chip_firmware import ChipFirmware
from gateway_fw.concentrator.corecell import CoreCellDriver
from gateway_fw.concentrator.events import DriverEffect
from gateway_fw.concentrator.picogw import PicoGwDriver
from gateway_fw.concentrator.picogw_firmware import PicoGwFirmware
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.errors import ChipFirmwareError
from gateway_fw.io import firmware_files as files
from gateway_fw.io.concentrator import ConcentratorRadio
from gateway_fw.serial_port import ByteTrace, Port, open_port
from gateway_fw.settings import SettingsError, SettingsRead, load_settings

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
        firmware = files.read_package(package)
    except ChipFirmwareError as error:
        raise UsageError(str(error)) from None
    files.save(firmware, folder)
    return firmware


def load_chip_firmware(given: Path | None) -> ChipFirmware:
    """From a driver package or a folder of kept images, else from the user's cache. Raises UsageError."""
    try:
        if given is None:
            return files.load(firmware_folder())
        if (given / "arb.bin").exists():
            return files.load(given)
        return files.read_package(given)
    except ChipFirmwareError as error:
        raise UsageError(str(error)) from None


def blank_firmware() -> ChipFirmware:
    """Bytes that are nobody's firmware: a virtual board keeps them and reports what the chip would."""
    return ChipFirmware(bytes(range(256)) * 32, bytes(range(255, -1, -1)) * 32)


def keep_picogw_firmware(package: Path, folder: Path) -> PicoGwFirmware:
    """Read the images out of a driver package into a folder. Raises UsageError."""
    try:
        firmware = files.read_picogw_package(package)
    except ChipFirmwareError as error:
        raise UsageError(str(error)) from None
    files.save_picogw(firmware, folder)
    return firmware


def load_picogw_firmware(given: Path | None) -> PicoGwFirmware:
    """From a driver package or a folder of kept images, else from the user's cache. Raises UsageError."""
    try:
        if given is None:
            return files.load_picogw(firmware_folder(Board.PICOGW))
        if (given / "sx1308_arb.bin").exists():
            return files.load_picogw(given)
        return files.read_picogw_package(given)
    except ChipFirmwareError as error:
        raise UsageError(str(error)) from None


def concentrator_radio(
    port: str,
    firmware: ChipFirmware | PicoGwFirmware,
    setup: RadioSetup,
    *,
    trace: ByteTrace | None = None,
    on_event: Callable[[DriverEffect], None] | None = None,
    retry: bool = True,
) -> ConcentratorRadio:
    """The board that the firmware is for, on a port (a name, a URL or auto)."""
    if isinstance(firmware, ChipFirmware):
        return corecell_radio(port, firmware, setup, trace=trace, on_event=on_event, retry=retry)

    def opened() -> Port:
        return open_port(port, trace=trace, boards=PICOGW_IDS)

    return ConcentratorRadio(lambda: PicoGwDriver(firmware), opened, setup, on_event=on_event, retry=retry)


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


_CHIPS = {Board.CORECELL: ("SX1302", "SX1250", "USB"), Board.PICOGW: ("SX1301", "SX1257", "USB")}


def board_settings(path: Path, board: Board) -> SettingsRead:
    """A configuration file that a board can be set up from. Raises UsageError."""
    try:
        read = load_settings(path)
    except SettingsError as error:
        raise UsageError(str(error)) from None
    settings = read.settings
    chip, radio_type, connection = _CHIPS[board]
    connected = settings.connection if board is Board.CORECELL else connection  # the SX1301 dialect does not say it
    if (settings.chip, settings.radio_type, connected) != _CHIPS[board]:
        found = f"{settings.chip} with {settings.radio_type} over {settings.connection}"
        raise UsageError(f"{path}: is for {found}", hint=f"a {board} is {chip} with {radio_type} over {connection}")
    if settings.lbt is not None:
        raise UsageError(f"{path}: asks for listen before talk", hint="this driver has none; switch it off there")
    return read
