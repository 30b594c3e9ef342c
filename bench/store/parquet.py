"""One Parquet file per record type: units in the field metadata, text dictionary-encoded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import StoreError
from bench.store.tables import TABLE_NAMES, Columns, as_array
from lorawan.trace import RECORD_TYPES, columns_of

_UNITS = {"us": "µs", "hz": "Hz", "dbm": "dBm", "db": "dB"}
_TYPES = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "bytes": pa.binary()}
_TYPES["str"] = pa.dictionary(pa.int32(), pa.string())


def unit_of(column: str) -> str:
    """The unit a column's name carries, "" where it has none. Instants are µs since the run's origin."""
    return _UNITS.get(column.rpartition("_")[2], "")


def write_tables(folder: Path, tables: Columns, metadata: dict[str, str]) -> None:
    """Write `folder`/<table>.parquet for every table; metadata goes into each file's schema."""
    folder.mkdir(parents=True, exist_ok=True)
    for record_type in RECORD_TYPES:
        kinds = columns_of(record_type)
        table = tables[TABLE_NAMES[record_type]]
        schema = pa.schema(
            [
                pa.field(name, _TYPES[kind], nullable=False, metadata={"unit": unit_of(name)})
                for name, kind in kinds.items()
            ],
            metadata={**metadata, "record": record_type.__name__},
        )
        arrays = [_arrow(table[name], kind) for name, kind in kinds.items()]
        pq.write_table(
            pa.Table.from_arrays(arrays, schema=schema),
            folder / f"{TABLE_NAMES[record_type]}.parquet",
            compression="zstd",
        )


def read_tables(folder: Path) -> Columns:
    """The tables written by `write_tables`. Raises StoreError where one is absent or is not what its type says."""
    tables: Columns = {}
    for record_type in RECORD_TYPES:
        name = TABLE_NAMES[record_type]
        path = folder / f"{name}.parquet"
        try:
            table = pq.read_table(path)
            tables[name] = {column: _numpy(table[column], kind) for column, kind in columns_of(record_type).items()}
        except (OSError, KeyError, pa.ArrowInvalid) as error:
            raise StoreError(f"{path}: no readable trace of this version ({error})") from error
    return tables


def _arrow(array: npt.NDArray[Any], kind: str) -> Any:
    values = array.tolist() if kind in ("str", "bytes") else array
    if kind == "str":
        return pa.array(values, pa.string()).dictionary_encode()
    return pa.array(values, _TYPES[kind])


def _numpy(column: Any, kind: str) -> npt.NDArray[Any]:
    whole = column.combine_chunks()
    if kind == "str":
        if len(whole) == 0:
            return as_array([], kind)
        words: npt.NDArray[Any] = as_array(whole.dictionary.to_pylist(), kind)[np.asarray(whole.indices)]
        return words
    if kind == "bytes":
        return as_array(whole.to_pylist(), kind)
    return np.asarray(whole.to_numpy(zero_copy_only=False), dtype=as_array([], kind).dtype)
