"""A picoGW, put together as bench.live.concentrators puts a CoreCell together; and which of the two is meant."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from bench.errors import UsageError
from bench.live.concentrators import corecell_radio, firmware_folder
from gateway_fw.concentrator.chip_firmware import ChipFirmware
from gateway_fw.concentrator.events import DriverEffect
from gateway_fw.concentrator.picogw import PicoGwDriver
from gateway_fw.concentrator.picogw_firmware import PicoGwFirmware, load_picogw, read_picogw_package, save_picogw
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.errors import ChipFirmwareError
from gateway_fw.io.concentrator import ConcentratorRadio
from gateway_fw.serial_port import ByteTrace, Port, open_port
from gateway_fw.settings import SettingsError, SettingsRead, load_settings

PICOGW_IDS = ("picogw-usb",)
"""Boards that `--port auto` looks for, by their id in gateway_fw/serial_port/usb_ids.toml."""


class Board(StrEnum):
    """The concentrators that there are drivers for."""

    CORECELL = "corecell"
    PICOGW = "picogw"


def board_of(name: str) -> Board:
    """What --board names. Raises UsageError."""
    try:
        return Board(name)
    except ValueError:
        raise UsageError(f"--board {name!r}", hint="one of " + ", ".join(Board)) from None


def picogw_firmware_folder() -> Path:
    """Where this user's SX1308 firmware is kept: beside the other chip's."""
    return firmware_folder().with_name("sx1308")


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
            return load_picogw(picogw_firmware_folder())
        if (given / "sx1308_arb.bin").exists():
            return load_picogw(given)
        return read_picogw_package(given)
    except ChipFirmwareError as error:
        raise UsageError(str(error)) from None


def picogw_settings(path: Path) -> SettingsRead:
    """A configuration file that a picoGW can be set up from: the SX1301 dialect. Raises UsageError."""
    try:
        read = load_settings(path)
    except SettingsError as error:
        raise UsageError(str(error)) from None
    settings = read.settings
    if settings.chip != "SX1301" or settings.radio_type == "SX1250":
        found = f"{settings.chip} with {settings.radio_type}"
        raise UsageError(f"{path}: is for {found}", hint="a picoGW's has SX1301_conf, with SX1257 or SX1255 radios")
    if settings.lbt is not None:
        raise UsageError(f"{path}: asks for listen before talk", hint="a picoGW has none; switch it off there")
    return read


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
