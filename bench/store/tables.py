"""Records as tables of columns, and the canonical hash of a trace.

One table per record type of `lorawan.trace`, one NumPy array per field: int → int64, float → float64, bool → bool,
str → fixed-width unicode, bytes → object (fixed-width bytes would lose trailing zeros).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lorawan.trace import (
    RECORD_TYPES,
    DownlinkRecord,
    DropRecord,
    JoinedRecord,
    Record,
    UplinkRecord,
    columns_of,
)

Columns: TypeAlias = dict[str, dict[str, npt.NDArray[Any]]]
"""Table name → column name → one value per record, in the order of the records."""

TABLE_NAMES: dict[type[Record], str] = {
    UplinkRecord: "uplinks",
    DownlinkRecord: "downlinks",
    JoinedRecord: "joined",
    DropRecord: "drops",
}


def columns(records: Iterable[Record]) -> Columns:
    """The records' tables; every table is present, empty ones with no rows."""
    by_type: dict[type[Record], list[Record]] = {record_type: [] for record_type in RECORD_TYPES}
    for record in records:
        by_type[type(record)].append(record)
    return {
        TABLE_NAMES[record_type]: {
            name: as_array(list(map(attrgetter(name), rows)), kind) for name, kind in columns_of(record_type).items()
        }
        for record_type, rows in by_type.items()
    }


def as_array(values: Sequence[Any], kind: str) -> npt.NDArray[Any]:
    """Values of one column as an array; kind as `lorawan.trace.columns_of` names it."""
    if kind == "bytes":
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    return np.array(values, dtype=_DTYPES[kind])


_DTYPES: dict[str, Any] = {"int": np.int64, "float": np.float64, "bool": np.bool_, "str": np.str_}


def trace_sha256(records: Iterable[Record]) -> str:
    """The trace's hash in hex: of every column of every record, in order within each table.

    It depends on values alone, not on a file format, so a trace read back from disk has the same hash
    (`columns_sha256`) and two runs can be compared without keeping either.
    """
    return columns_sha256(columns(records))


def columns_sha256(tables: Mapping[str, Mapping[str, npt.NDArray[Any]]]) -> str:
    """The hash of a trace from its tables; see `trace_sha256`."""
    digest = hashlib.sha256(b"lorabench trace 1\n")
    for record_type in RECORD_TYPES:
        table = tables[TABLE_NAMES[record_type]]
        for name, kind in columns_of(record_type).items():
            digest.update(f"{TABLE_NAMES[record_type]}.{name}:{kind}:{len(table[name])}\n".encode())
            _update(digest, table[name], kind)
    return digest.hexdigest()


def _update(digest: hashlib._Hash, array: npt.NDArray[Any], kind: str) -> None:
    if kind in ("str", "bytes"):
        # Lengths first: without them "ab", "c" and "a", "bc" would be one.
        values = array.tolist()
        digest.update(np.fromiter(map(len, values), dtype="<u4", count=len(values)).tobytes())
        digest.update("".join(values).encode() if kind == "str" else b"".join(values))
    elif kind == "float":
        digest.update(np.where(np.isnan(array), np.nan, array).astype("<f8").tobytes())  # one NaN, whatever its bits
    else:
        digest.update(array.astype("<i8").tobytes())
