"""Fuzz targets of files and words that people give: settings, scenarios, keys, captures, tables, addresses."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir

from bench.cli.frame_options import frame_bytes
from bench.cli.rerun import _hashes
from bench.coverage.sites import read_devices as read_device_sites
from bench.coverage.sites import read_masts
from bench.errors import BenchError, StoreError, UsageError
from bench.imports import MeasurementError, parse_measurements
from bench.imports.places import parse_devices, parse_gateways
from bench.live.address import listen_address, server_address
from bench.live.air_replay import load_replay
from bench.live.air_script import load_script
from bench.live.devices_file import read_devices
from bench.live.memories import read_memories
from bench.live.station_front import read_tokens
from bench.pcap import CaptureError, frames_of, read_capture
from bench.runner.siting import firm_sites
from bench.store.manifest import read_manifest
from gateway_fw.errors import StationError
from gateway_fw.io.station_credentials import load_credentials
from gateway_fw.settings import SettingsError, read_semtech, read_toml
from lorawan.errors import FrameError
from radio_sim.antennas import MsiError, parse_msi, write_msi
from radio_sim.terrain.errors import ClutterError
from radio_sim.terrain.landcover import ClutterTable
from scenarios.errors import ScenarioError
from scenarios.load import LIBRARY, loads
from scenarios.places import read_communes, read_sites
from scenarios.quantities import DURATION_US, FREQUENCY_HZ, RATIO_DB, QuantityError
from tests.fuzz.contract import Pieces, Target, as_text

SCRATCH = Path(gettempdir())
KNOWN_PLACEMENTS = ("outdoor", "indoor", "deep-indoor")
RADIO = loads((LIBRARY / "lab-one-device.toml").read_text(encoding="utf-8")).scenario.radio


def _in_a_file(read: Callable[[Path], object], name: str = "input") -> Callable[[bytes], None]:
    """For readers that take a path: the bytes stand in a file of that name."""
    folder = SCRATCH / f"lorabench-fuzz-{os.getpid()}"

    def call(data: bytes) -> None:
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_bytes(data)
        try:
            read(path)
        finally:
            shutil.rmtree(folder)

    return call


def _settings_json(data: bytes) -> None:
    """Two files, the second laid over the first; a zero byte parts them."""
    names = ("global_conf.json", "local_conf.json")
    read_semtech(list(zip(names, map(as_text, data.split(b"\0", 1)), strict=False)))


def _settings_toml(data: bytes) -> None:
    read_toml(as_text(data), "gateway.toml")


def _scenario(data: bytes) -> None:
    loads(as_text(data), SCRATCH / "scenario.toml")


def _scenario_tables(data: bytes) -> None:
    text = as_text(data)
    with suppress(ScenarioError):
        read_communes(text, "communes.csv")
    firm_sites([row.value for row in read_sites(text, "sites.csv")], None)


def _capture(path: Path) -> None:
    for packet in read_capture(path):
        with suppress(FrameError):
            frames_of(packet)


def _keys_file(path: Path) -> None:
    read_devices(path, with_groups=True)


def _quantities(data: bytes) -> None:
    for dimension in (DURATION_US, FREQUENCY_HZ, RATIO_DB):
        with suppress(QuantityError):
            float(dimension.parse(as_text(data)))


def _addresses(data: bytes) -> None:
    text = as_text(data)
    for reader in (server_address, listen_address, frame_bytes):
        with suppress(UsageError):
            reader(text)


def _measurements(data: bytes) -> None:
    text = as_text(data)
    for reader in (parse_devices, parse_gateways):
        with suppress(MeasurementError):
            reader(text, "table.csv")
    parse_measurements(text, "measured")


def _masts(path: Path) -> None:
    with suppress(UsageError):
        read_device_sites(path, RADIO, KNOWN_PLACEMENTS, "outdoor")
    read_masts(path, RADIO, candidates=True)


def _antenna(data: bytes) -> None:
    pattern = parse_msi(data)
    again = parse_msi(write_msi(pattern))
    assert again.gain_dbi == pattern.gain_dbi


def _clutter(path: Path) -> None:
    ClutterTable.load("worldcover", path)


def _run_folder(path: Path) -> None:
    with suppress(StoreError):
        manifest = read_manifest(path.parent)
        assert isinstance(manifest["options"], dict)
        assert {"name", "sha256"} <= manifest["scenario"].keys()
    path.rename(path.parent / "summary.json")
    _hashes(path.parent)


def _credentials(data: bytes) -> None:
    """tc.uri and tc.key of a folder, each after its length."""
    pieces = Pieces(data)
    folder = SCRATCH / f"lorabench-fuzz-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    try:
        for name in ("tc.uri", "tc.key", "tc.trust"):
            (folder / name).write_bytes(pieces.string())
        load_credentials(folder)
    finally:
        shutil.rmtree(folder)


TARGETS = {
    "settings_json": Target(_settings_json, (SettingsError,), max_bytes=6_000),
    "settings_toml": Target(_settings_toml, (SettingsError,), max_bytes=6_000),
    "scenario": Target(_scenario, (ScenarioError,), max_bytes=6_000),
    "scenario_tables": Target(_scenario_tables, (ScenarioError,), max_bytes=6_000),
    "quantities": Target(_quantities, max_bytes=6_000),
    "addresses": Target(_addresses, max_bytes=6_000),
    "devices_file": Target(_in_a_file(read_devices), (UsageError,), max_bytes=6_000),
    "capture_keys": Target(_in_a_file(_keys_file), (UsageError,), max_bytes=6_000),
    "captures": Target(_in_a_file(_capture), (CaptureError,)),
    "air_script": Target(_in_a_file(load_script), (UsageError,), max_bytes=6_000),
    "air_replay": Target(_in_a_file(load_replay), (UsageError,), max_bytes=400),
    "device_memories": Target(_in_a_file(read_memories), (UsageError,), max_bytes=6_000),
    "station_tokens": Target(_in_a_file(read_tokens), (UsageError,), max_bytes=400),
    "station_credentials": Target(_credentials, (StationError,), max_bytes=400),
    "measurements": Target(_measurements, (MeasurementError,), max_bytes=6_000),
    "mast_tables": Target(_in_a_file(_masts, "sites.csv"), (UsageError,), max_bytes=6_000),
    "antenna_pattern": Target(_antenna, (MsiError,), max_bytes=6_000),
    "clutter_table": Target(_in_a_file(_clutter), (ClutterError,), max_bytes=6_000),
    "run_folder": Target(_in_a_file(_run_folder, "manifest.json"), (BenchError,), max_bytes=6_000),
}
