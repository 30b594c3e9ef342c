"""Which format a file of measurements has, and its uplinks."""

from __future__ import annotations

from pathlib import Path

from bench.imports.chirpstack import is_chirpstack, parse_chirpstack
from bench.imports.csv_uplinks import parse_csv
from bench.imports.fields import records
from bench.imports.measured import MeasuredUplink, MeasurementError
from bench.imports.things_stack import is_things_stack, parse_things_stack


def parse_measurements(text: str, path: str) -> tuple[MeasuredUplink, ...]:
    """Uplinks by time, from CSV, ChirpStack or The Things Stack, told apart by the text. Raises MeasurementError."""
    if not text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return parse_csv(text, path)
    first = next(records(text, path), None)
    if first is None:
        raise MeasurementError("no record", path=path)
    if is_chirpstack(first):
        return parse_chirpstack(text, path)
    if is_things_stack(first):
        return parse_things_stack(text, path)
    raise MeasurementError(
        "neither a ChirpStack event nor a message of The Things Stack",
        path=path,
        line=first.line,
        record=1,
        hint="the former has deviceInfo, the latter end_device_ids",
    )


def read_measurements(path: Path) -> tuple[MeasuredUplink, ...]:
    """The uplinks of a file. Raises MeasurementError, also where the file cannot be read or holds no uplink."""
    uplinks = parse_measurements(read_text(path), str(path))
    if not uplinks:
        raise MeasurementError("no uplink", path=str(path))
    return uplinks


def read_text(path: Path) -> str:
    """A UTF-8 text file. Raises MeasurementError."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise MeasurementError(f"cannot be read: {error.strerror or error}", path=str(path)) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise MeasurementError("not UTF-8", path=str(path), line=line) from None
