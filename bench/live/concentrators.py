"""A real concentrator, put together: chip firmware from the user's cache, a serial port, a driver, a radio."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from bench.errors import UsageError
from gateway_fw.concentrator import chip_firmware
from gateway_fw.concentrator.chip_firmware import ChipFirmware
from gateway_fw.concentrator.corecell import CoreCellDriver
from gateway_fw.concentrator.events import DriverEffect
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.errors import ChipFirmwareError
from gateway_fw.io.concentrator import ConcentratorRadio
from gateway_fw.serial_port import ByteTrace, Port, open_port
from gateway_fw.settings import SettingsError, SettingsRead, load_settings

BOARD_IDS = ("corecell-usb",)
"""Boards that `--port auto` looks for, by their id in gateway_fw/serial_port/usb_ids.toml."""


def firmware_folder() -> Path:
    """Where this user's chip firmware is kept: the platform's cache folder."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "lorabench" / "chip-firmware" / "sx1302"


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


def blank_firmware() -> ChipFirmware:
    """Bytes that are nobody's firmware: a virtual board keeps them and reports what the chip would."""
    return ChipFirmware(bytes(range(256)) * 32, bytes(range(255, -1, -1)) * 32)


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


def corecell_settings(path: Path) -> SettingsRead:
    """A configuration file that a CoreCell USB board can be set up from. Raises UsageError."""
    try:
        read = load_settings(path)
    except SettingsError as error:
        raise UsageError(str(error)) from None
    settings = read.settings
    if (settings.chip, settings.radio_type, settings.connection) != ("SX1302", "SX1250", "USB"):
        found = f"{settings.chip} with {settings.radio_type} over {settings.connection}"
        raise UsageError(f"{path}: is for {found}", hint="a CoreCell USB is an SX1302 with SX1250 over USB")
    if settings.lbt is not None:
        raise UsageError(f"{path}: asks for listen before talk", hint="this driver has none; switch it off there")
    return read
