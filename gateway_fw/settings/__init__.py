"""Gateway configuration files: Semtech's global_conf.json of two generations, and a TOML dialect of our own."""

from __future__ import annotations

from pathlib import Path

from gateway_fw.settings.errors import SettingsError
from gateway_fw.settings.model import GatewaySettings, Lbt, LbtChannel, Server, TxRange
from gateway_fw.settings.semtech_read import SettingsRead, read_semtech
from gateway_fw.settings.semtech_write import write_semtech
from gateway_fw.settings.toml_read import read_toml
from gateway_fw.settings.toml_write import write_toml

__all__ = [
    "GatewaySettings",
    "Lbt",
    "LbtChannel",
    "Server",
    "SettingsError",
    "SettingsRead",
    "TxRange",
    "load_settings",
    "read_semtech",
    "read_toml",
    "write_semtech",
    "write_toml",
]

LOCAL = "local_conf.json"


def load_settings(path: Path, local: Path | None = None) -> SettingsRead:
    """A configuration file: TOML by its suffix, else JSON of Semtech's.

    local: a JSON file that lies over it; by default `local_conf.json` in the same folder, where there is one and the
    file is not that one itself. Raises SettingsError, or OSError where a file cannot be read.
    """
    if path.suffix.casefold() == ".toml":
        return SettingsRead(read_toml(_read(path), str(path)))
    beside = path.with_name(LOCAL)
    over = local or (beside if beside.is_file() and path.name != LOCAL else None)
    paths = [path] if over is None else [path, over]
    return read_semtech([(str(one), _read(one)) for one in paths])


def _read(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError("is not UTF-8", path=str(path), line=line, hint="save the file as UTF-8") from None
