"""devices.toml: which devices a network serves, with their keys, and how the network is set up.

[network]                 # all of it may be left out
net_id = "000013"
extra_channels = ["867.1 MHz", "867.3 MHz", "867.5 MHz", "867.7 MHz", "867.9 MHz"]

[[device]]                # over the air
dev_eui = "0200000000000001"
version = "1.0.4"         # 1.0.2, 1.0.3, 1.0.4 or 1.1
join_eui = "02000000000000ff"   # left out: any
app_key = "2b7e151628aed2a6abf7158809cf4f3c"
# nwk_key = "…"           # 1.1 only

[[device]]                # by personalisation
dev_eui = "0200000000000002"
version = "1.0.4"
dev_addr = "26000001"
nwk_s_key = "…"           # 1.1: f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key
app_s_key = "…"
# relaxed_f_cnt = true    # 1.0.2 and 1.0.3: takes counters that begin anew, and so old frames too

[[multicast]]             # for reading captures; a network run knows no groups
mc_addr = "01ffffff"
mc_key = "…"              # or mc_nwk_s_key and mc_app_s_key
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bench.errors import UsageError
from bench.explain.sessions import Group
from bench.network import DeviceProfile, NetworkConfig
from bench.runner.exact import StagePlan
from bench.store.atomic import aside
from lorawan.crypto import SessionKeys
from lorawan.crypto.multicast import derive_mc_session_keys
from lorawan.errors import FrameError
from lorawan.frames import encode_cf_list
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.regions import EU868
from lorawan.server import AdrPolicy, JoinSettings
from lorawan.units import US_PER_S
from lorawan.version import Version
from scenarios.errors import did_you_mean
from scenarios.positions import KeyPath, PositionIndex, show_path
from scenarios.quantities import DURATION_US, FREQUENCY_HZ, RATIO_DB, Dimension, QuantityError

T = TypeVar("T")

MAX_BYTES = 64 << 20  # a million devices have room; what is larger was not meant [assumption]
_PLACE = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)
_NETWORK_KEYS = (
    "net_id",
    "rx_delay",
    "rx1_dr_offset",
    "rx2_dr",
    "extra_channels",
    "adr_margin",
    "dedup_window",
)
_KEYS_10 = ("nwk_s_key", "app_s_key")
_KEYS_11 = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key")
_DEVICE_KEYS = (
    "name",
    "dev_eui",
    "version",
    "join_eui",
    "app_key",
    "nwk_key",
    "dev_addr",
    "nwk_s_key",
    "relaxed_f_cnt",
    *_KEYS_11,
)
_GROUP_SESSION_KEYS = ("mc_nwk_s_key", "mc_app_s_key")
_GROUP_KEYS = ("mc_addr", "mc_key", *_GROUP_SESSION_KEYS)


class DevicesFileError(UsageError):
    """A devices file says something that cannot be. path, line (1-based), key; others: further faults, in order."""

    def __init__(self, message: str, *, path: str, line: int, key: str = "", hint: str = "") -> None:
        self.path, self.line, self.key = path, line, key
        self.others: tuple[DevicesFileError, ...] = ()
        super().__init__(": ".join([f"{path}:{line}", *([key] if key else []), message]), hint=hint)


@dataclass(frozen=True, slots=True)
class DevicesFile:
    """What was read. names: of devices that have one, by DevEUI."""

    network: NetworkConfig
    devices: tuple[DeviceProfile, ...]
    names: Mapping[Eui64, str]
    groups: tuple[Group, ...] = ()


def read_devices(path: Path, *, with_groups: bool = False) -> DevicesFile:
    """Read and check a file. Raises DevicesFileError with file and line; OSError where it cannot be read.

    with_groups: multicast groups may stand in it, and then no device need.
    """
    if path.stat().st_size > MAX_BYTES:
        raise UsageError(f"{path} has {path.stat().st_size} bytes", hint=f"at most {MAX_BYTES}")
    data = path.read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DevicesFileError("not UTF-8", path=str(path), line=line, hint="save the file as UTF-8") from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.match(str(error))
        line = int(place.group(2)) if place and place.group(2) else text.count("\n") + 1
        what = place.group(1) if place else str(error)
        raise DevicesFileError(f"not TOML: {what}", path=str(path), line=line) from None
    except (ValueError, RecursionError) as error:  # more digits, or more depth, than Python reads
        raise UsageError(f"{path}: not TOML: {error}") from None
    return _Reading(str(path), text).file(document, with_groups)


class _Reading:
    """Collects every fault before it raises the first."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._index = PositionIndex(text)
        self._faults: list[DevicesFileError] = []

    def file(self, document: Mapping[str, Any], with_groups: bool) -> DevicesFile:
        self._known((), document, ("network", "device", *(("multicast",) if with_groups else ())))
        network = self._network(self._table(("network",), document.get("network", {})))
        devices: list[DeviceProfile] = []
        names: dict[Eui64, str] = {}
        first: dict[Eui64, int] = {}
        entries = self._tables(document, "device")
        for number, entry in enumerate(entries):
            place: KeyPath = ("device", number)
            table = self._table(place, entry)
            profile = self._device(place, table)
            if profile is None:
                continue
            line = self._index.at((*place, "dev_eui")).line
            if (earlier := first.setdefault(profile.dev_eui, line)) != line:
                self._fault((*place, "dev_eui"), f"{profile.dev_eui} twice, first on line {earlier}")
            devices.append(profile)
            if isinstance(table.get("name"), str):
                names[profile.dev_eui] = table["name"]
        groups = self._groups(document)
        if not entries and not groups:
            self._fault((), "no device", "write a [[device]] table for each")
        if self._faults or network is None:
            head, *rest = sorted(self._faults, key=lambda fault: fault.line)
            head.others = tuple(rest)
            raise head
        return DevicesFile(network, tuple(devices), names, groups)

    def _groups(self, document: Mapping[str, Any]) -> tuple[Group, ...]:
        found = []
        for number, entry in enumerate(self._tables(document, "multicast")):
            place: KeyPath = ("multicast", number)
            table = self._table(place, entry)
            self._known(place, table, _GROUP_KEYS)
            mc_addr = self._required(place, table, "mc_addr", DevAddr.from_hex)
            if "mc_key" in table:
                mc_key = self._required(place, table, "mc_key", AesKey.from_hex)
                for name in set(_GROUP_SESSION_KEYS) & set(table):
                    self._fault((*place, name), "mc_key and session keys both", "either of the two")
                if mc_addr is not None and mc_key is not None:
                    derived = derive_mc_session_keys(mc_key, mc_addr)
                    found.append(Group(mc_addr, derived.mc_nwk_s_key, derived.mc_app_s_key))
                continue
            keys = [self._required(place, table, name, AesKey.from_hex) for name in _GROUP_SESSION_KEYS]
            given = [key for key in keys if key is not None]
            if mc_addr is not None and len(given) == len(keys):
                found.append(Group(mc_addr, *given))
        return tuple(found)

    def _tables(self, document: Mapping[str, Any], name: str) -> Sequence[Any]:
        entries = document.get(name, [])
        if isinstance(entries, list):
            return entries
        self._fault((name,), "a list is due", f"write [[{name}]], with two brackets")
        return []

    def _network(self, table: Mapping[str, Any]) -> NetworkConfig | None:
        place: KeyPath = ("network",)
        self._known(place, table, _NETWORK_KEYS)
        before = len(self._faults)
        net_id = self._read(place, table, "net_id", NetId.from_hex, NetId(0))
        delay_us = self._quantity(place, table, "rx_delay", DURATION_US, US_PER_S)
        if delay_us % US_PER_S or not US_PER_S <= delay_us <= 15 * US_PER_S:
            self._fault((*place, "rx_delay"), "not a whole number of seconds from 1 to 15", "LoRaWAN 1.0.4 §5.7")
        offset = self._whole(place, table, "rx1_dr_offset", 0, 5)
        rx2_dr = self._whole(place, table, "rx2_dr", 0, 5)
        margin_db = self._quantity(place, table, "adr_margin", RATIO_DB, 10)
        window_us = self._quantity(place, table, "dedup_window", DURATION_US, 200_000)
        if not 0 <= window_us < 900_000:
            self._fault((*place, "dedup_window"), "leaves no time for RX1", "at most 900 ms, usually 200 ms")
        extra = self._channels(place, table)
        if len(self._faults) > before:
            return None
        return NetworkConfig(
            join=JoinSettings(net_id, delay_us // US_PER_S, offset, rx2_dr, encode_cf_list(extra) if extra else b""),
            channels_hz=(*(channel.freq_hz for channel in EU868.default_channels), *extra),
            adr=AdrPolicy(margin_db=margin_db),
            dedup_window_us=window_us,
        )

    def _channels(self, place: KeyPath, table: Mapping[str, Any]) -> tuple[int, ...]:
        extra = table.get("extra_channels", [])
        if not isinstance(extra, list):
            self._fault((*place, "extra_channels"), "a list is due", 'such as ["867.1 MHz"]')
            return ()
        if len(extra) > 5:
            self._fault((*place, "extra_channels"), f"{len(extra)} channels", "a CFList has room for 5")
        found = []
        for number, value in enumerate(extra):
            try:
                freq_hz = int(FREQUENCY_HZ.parse(value))
                encode_cf_list((freq_hz,))
                found.append(freq_hz)
            except (QuantityError, FrameError, ValueError) as error:
                self._fault((*place, "extra_channels", number), str(error), getattr(error, "hint", ""))
        return tuple(found)

    def _device(self, place: KeyPath, table: Mapping[str, Any]) -> DeviceProfile | None:
        self._known(place, table, _DEVICE_KEYS)
        before = len(self._faults)
        dev_eui = self._required(place, table, "dev_eui", Eui64.from_hex)
        version = self._required(place, table, "version", _version)
        join_eui = self._read(place, table, "join_eui", Eui64.from_hex, None)
        app_key = self._read(place, table, "app_key", AesKey.from_hex, None)
        nwk_key = self._read(place, table, "nwk_key", AesKey.from_hex, None)
        dev_addr = self._read(place, table, "dev_addr", DevAddr.from_hex, None)
        if dev_eui is None or version is None or len(self._faults) > before:
            return None
        if dev_addr is not None:
            if app_key is not None:
                self._fault((*place, "dev_addr"), "app_key and dev_addr both", "either OTAA or ABP")
            wanted = _KEYS_11 if version.is_1_1 else _KEYS_10
            keys = [self._required(place, table, name, AesKey.from_hex) for name in wanted]
            given = [key for key in keys if key is not None]
            if len(self._faults) > before:
                return None
            session = SessionKeys(*given) if version.is_1_1 else SessionKeys.for_10(*given)
            relaxed = table.get("relaxed_f_cnt", False)
            if type(relaxed) is not bool or (relaxed and not version.rules.abp_counters_may_reset):
                self._fault(
                    (*place, "relaxed_f_cnt"), f"{relaxed!r}", "true or false, and true in 1.0.2 and 1.0.3 only"
                )
                return None
            return DeviceProfile(
                dev_eui, version, join_eui, dev_addr=dev_addr, session_keys=session, relaxed_f_cnt=relaxed
            )
        if "relaxed_f_cnt" in table:
            self._fault((*place, "relaxed_f_cnt"), "for devices by personalisation", "joining begins counters anew")
        if app_key is None:
            self._fault((*place, "app_key"), "missing", "OTAA has app_key; ABP has dev_addr and session keys")
        if version.is_1_1 and nwk_key is None:
            self._fault((*place, "nwk_key"), "missing", "a 1.1 device has app_key and nwk_key")
        if len(self._faults) > before:
            return None
        return DeviceProfile(dev_eui, version, join_eui, app_key=app_key, nwk_key=nwk_key)

    # -- single values -------------------------------------------------------------------------------------------------

    def _fault(self, key: KeyPath, message: str, hint: str = "") -> None:
        line = self._index.at(key).line
        self._faults.append(DevicesFileError(message, path=self._path, line=line, key=show_path(key), hint=hint))

    def _table(self, key: KeyPath, value: object) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._fault(key, "a table is due")
        return {}

    def _known(self, key: KeyPath, table: Mapping[str, Any], known: Sequence[str]) -> None:
        for name in table:
            if name not in known:
                self._fault((*key, name), "unknown key", did_you_mean(name, known))

    def _read(
        self, place: KeyPath, table: Mapping[str, Any], name: str, read: Callable[[Any], T], default: T | None
    ) -> Any:
        if name not in table:
            return default
        value = table[name]
        if not isinstance(value, str):
            self._fault((*place, name), "text is due", f'write {name} = "…", in quotes')
            return default
        try:
            return read(value)
        except FrameError as error:
            self._fault((*place, name), str(error))
        except ValueError as error:
            self._fault((*place, name), str(error), getattr(error, "hint", ""))
        return default

    def _required(self, place: KeyPath, table: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> T | None:
        if name not in table:
            self._fault((*place, name), "missing")
            return None
        found: T | None = self._read(place, table, name, read, None)
        return found

    def _quantity(self, place: KeyPath, table: Mapping[str, Any], name: str, dimension: Dimension, default: int) -> int:
        if name not in table:
            return default
        try:
            return round(dimension.parse(table[name]))
        except QuantityError as error:
            self._fault((*place, name), str(error), error.hint)
            return default

    def _whole(self, place: KeyPath, table: Mapping[str, Any], name: str, low: int, high: int) -> int:
        value = table.get(name, low)
        if type(value) is not int or not low <= value <= high:
            self._fault((*place, name), _shown(value), f"a whole number from {low} to {high}")
            return low
        return value


def _shown(value: object) -> str:
    try:
        return repr(value)[:80]
    except (ValueError, RecursionError):  # a hexadecimal number, or a key of many dots, may be more than Python writes
        return "more than can be shown"


def _version(text: str) -> Version:
    try:
        return Version(text)
    except ValueError:
        known = ", ".join(version.value for version in Version)
        raise FrameError(f'"{text}"', field="version", hint=f"one of {known}") from None


def devices_toml(network: NetworkConfig, devices: Sequence[tuple[str, DeviceProfile]], *, title: str) -> str:
    """A file of named devices that `read_devices` reads back to the same."""
    extra = network.channels_hz[len(EU868.default_channels) :]
    lines = [
        f"# {title}",
        "# Simulated devices: these keys are drawn from the scenario's seed and protect nothing.",
        "",
    ]
    lines += [
        "[network]",
        f'net_id = "{network.join.net_id}"',
        f'rx_delay = "{max(1, network.join.rx_delay_s)} s"',
        f"rx1_dr_offset = {network.join.rx1_dr_offset}",
        f"rx2_dr = {network.join.rx2_dr}",
        "extra_channels = [" + ", ".join(f'"{freq_hz / 1e6:.10g} MHz"' for freq_hz in extra) + "]",
        *([f'adr_margin = "{network.adr.margin_db:g} dB"'] if isinstance(network.adr, AdrPolicy) else []),
        f'dedup_window = "{network.dedup_window_us / 1000:g} ms"',
    ]
    for name, device in devices:
        lines += ["", "[[device]]", f'name = "{name}"', f'dev_eui = "{device.dev_eui}"']
        lines.append(f'version = "{device.version.value}"')
        if device.join_eui is not None:
            lines.append(f'join_eui = "{device.join_eui}"')
        if device.relaxed_f_cnt:
            lines.append("relaxed_f_cnt = true")
        if device.dev_addr is not None and device.session_keys is not None:
            lines.append(f'dev_addr = "{device.dev_addr}"')
            keys = device.session_keys
            if device.version.is_1_1:
                values = (keys.f_nwk_s_int_key, keys.s_nwk_s_int_key, keys.nwk_s_enc_key, keys.app_s_key)
                lines += [f'{key} = "{value.hex()}"' for key, value in zip(_KEYS_11, values, strict=True)]
            else:
                values_10 = (keys.f_nwk_s_int_key, keys.app_s_key)
                lines += [f'{key} = "{value.hex()}"' for key, value in zip(_KEYS_10, values_10, strict=True)]
        else:
            lines += [f'app_key = "{device.app_key.hex()}"'] if device.app_key is not None else []
            lines += [f'nwk_key = "{device.nwk_key.hex()}"'] if device.nwk_key is not None else []
    return "\n".join(lines) + "\n"


def write_devices(path: Path, plan: StagePlan, *, title: str) -> None:
    """Write what a network must know of a plan's devices, readable by its owner alone."""
    named = [(sensor.id, profile) for sensor, profile in zip(plan.sensors, plan.profiles, strict=True)]
    with aside(path) as partial:
        partial.touch(0o600)
        partial.write_text(devices_toml(plan.network, named, title=title), encoding="utf-8")
