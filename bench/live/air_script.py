"""What a virtual board shall hear and suffer, from a file of JSON lines.

    {"at_s": 1.0, "freq_mhz": 868.1, "datr": "SF7BW125", "rssi": -97, "snr": 8.25, "hex": "40..."}
    {"at_s": 5.0, "every_s": 2.0, "count": 100, "freq_mhz": 868.3, "datr": "SF9BW125", "data": "QAECAwQ="}
    {"at_s": 20.0, "fault": {"stall_every": 10, "stall_us": 200000}}
    {"at_s": 30.0, "unplug_s": 2.0}

at_s: seconds after a host has started the board; of a frame, the end of its reception. Blank lines and lines that begin
with # are passed over.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from bench.errors import UsageError
from gateway_fw.virtual.chip_clock import MAX_DRIFT_PPB
from gateway_fw.virtual.faults import Faults
from lorawan.machine import Instant
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import CodingRate, LoraModulation
from lorawan.phy.radio import Heard
from lorawan.units import US_PER_S, mhz_to_hz

MAX_ENTRIES = 1_000_000  # a slip such as a count of 10^12 shall not fill the memory
_CODING_RATES = {str(rate): rate for rate in CodingRate}
_FRAME_FIELDS = {"at_s", "every_s", "count", "freq_mhz", "datr", "codr", "rssi", "snr", "hex", "data", "crc_ok"}


@dataclass(frozen=True, slots=True)
class ChangeFaults:
    """At an instant: these fault settings change, the others stay."""

    at: Instant
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unplug:
    """At an instant: the cable is pulled, and put back after_us later."""

    at: Instant
    after_us: int


AirEntry = Heard | ChangeFaults | Unplug
FaultsT = TypeVar("FaultsT")


def load_script(path: Path, faults: Any = None) -> list[AirEntry]:
    """The entries of a file in time order. Raises UsageError with file, line and field.

    faults: the settings of the board that it is for; a CoreCell's where none are given.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start} is no UTF-8", hint="a file of JSON lines is needed") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    entries: list[AirEntry] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            entries.extend(_entries(json.loads(line), Faults() if faults is None else faults))
        except json.JSONDecodeError as error:
            raise UsageError(f"{path}:{number}: column {error.colno}: {error.msg}") from error
        except (ValueError, RecursionError) as error:  # a wrong field, or a number of more digits than Python reads
            raise UsageError(f"{path}:{number}: {error}") from error
        if len(entries) > MAX_ENTRIES:
            raise UsageError(f"{path}:{number}: more than {MAX_ENTRIES} entries", hint="lower count")
    return sorted(entries, key=lambda entry: entry.at)


def changed_faults(faults: FaultsT, changes: Mapping[str, Any]) -> FaultsT:
    """Fault settings with some changed. Raises UsageError for a name or a value that is none."""
    known = {field.name: type(getattr(faults, field.name)) for field in fields(cast("Any", faults))}
    values = {}
    for name, value in changes.items():
        kind = known.get(name)
        if kind is None:
            raise UsageError(f"fault {name!r} is unknown", hint="one of " + ", ".join(sorted(known)))
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            with suppress(OverflowError):  # what no float holds is refused below
                value = float(value)  # noqa: PLW2901 - JSON writes 25 for 25.0
        if type(value) is not kind or (kind is int and name != "drift_ppb" and value < 0):
            what = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}[kind]
            raise UsageError(f"fault {name}: {value!r}", hint=what)
        if name == "drift_ppb" and abs(value) > MAX_DRIFT_PPB:
            raise UsageError(f"fault drift_ppb: {value}", hint=f"within {MAX_DRIFT_PPB} either way")
        values[name] = value
    changed: FaultsT = replace(cast("Any", faults), **values)
    return changed


class _FieldError(ValueError):
    pass


def _entries(raw: Any, faults: Any) -> list[AirEntry]:
    if not isinstance(raw, dict):
        raise _FieldError("a JSON object is needed")
    at = _us(raw, "at_s")
    if "fault" in raw:
        _only(raw, {"at_s", "fault"})
        if not isinstance(raw["fault"], dict):
            raise _FieldError("fault: an object of settings is needed")
        try:
            changed_faults(faults, raw["fault"])
        except UsageError as error:
            raise _FieldError(str(error)) from error
        return [ChangeFaults(at, raw["fault"])]
    if "unplug_s" in raw:
        _only(raw, {"at_s", "unplug_s"})
        return [Unplug(at, _us(raw, "unplug_s"))]
    _only(raw, _FRAME_FIELDS)
    count = _value(raw, "count", 1, int, lambda value: 1 <= value <= MAX_ENTRIES)
    every_us = _us(raw, "every_s") if count > 1 else 0
    modulation = LoraModulation.from_datr(_value(raw, "datr", None, str))
    coding_rate = _CODING_RATES.get(_value(raw, "codr", "4/5", str))
    if coding_rate is None:
        raise _FieldError(f"codr: {raw['codr']!r}; one of {', '.join(_CODING_RATES)}")
    payload = _payload(raw)
    frame = Heard(
        at,
        payload,
        mhz_to_hz(_number(raw, "freq_mhz", None, lambda value: 100 <= value <= 3000)),
        modulation,
        _number(raw, "rssi", -80.0, lambda value: -200 <= value <= 50),
        _number(raw, "snr", 8.0, lambda value: -40 <= value <= 40),
        lora_airtime_us(len(payload), modulation, coding_rate=coding_rate),
        crc_ok=_value(raw, "crc_ok", True, bool),
        coding_rate=coding_rate,
    )
    return [replace(frame, at=at + index * every_us) for index in range(count)]


def _payload(raw: dict[str, Any]) -> bytes:
    if ("hex" in raw) == ("data" in raw):
        raise _FieldError("one of hex (digits) and data (base64) is needed")
    name = "hex" if "hex" in raw else "data"
    text = _value(raw, name, None, str)
    try:
        payload = bytes.fromhex(text) if name == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise _FieldError(f"{name}: {error}") from error
    if len(payload) > 255:
        raise _FieldError(f"{name}: {len(payload)} bytes; a LoRa frame has at most 255")
    return payload


def _only(raw: dict[str, Any], known: set[str]) -> None:
    for name in raw:
        if name not in known:
            raise _FieldError(f"{name!r} is unknown; one of {', '.join(sorted(known))}")


def _us(raw: dict[str, Any], name: str) -> int:
    return round(_number(raw, name, None, lambda value: 0 <= value <= 1e8) * US_PER_S)


def _number(raw: dict[str, Any], name: str, default: float | None, fits: Callable[[float], bool]) -> float:
    value = raw.get(name, default)
    if value is None:
        raise _FieldError(f"{name} is needed")
    if isinstance(value, bool) or not isinstance(value, int | float) or not fits(value):
        raise _FieldError(f"{name}: {value!r} is no number, or out of range")
    return float(value)


def _value(
    raw: dict[str, Any], name: str, default: Any, kind: type, fits: Callable[[Any], bool] = lambda _value: True
) -> Any:
    value = raw.get(name, default)
    if value is None:
        raise _FieldError(f"{name} is needed")
    if type(value) is not kind or not fits(value):
        raise _FieldError(f"{name}: {value!r} is not as it should be ({kind.__name__})")
    return value
