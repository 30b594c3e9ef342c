"""A run folder: out/<scenario>/<UTC stamp>-seed<seed>/, written aside and renamed when it is whole.

    manifest.json  summary.json  junit.xml  report.html  scenario.toml
    <stage>/trace/{uplinks,downlinks,joined,drops}.parquet
    <stage>/frames.pcap

Beside the folders of a scenario, `latest` points at the newest one.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.errors import StoreError
from bench.store.atomic import aside, remove, write_text
from bench.store.manifest import distribution_version
from bench.store.parquet import read_tables, write_tables
from bench.store.pcap import write_pcap
from bench.store.tables import Columns, columns
from lorawan.trace import Record

LATEST = "latest"


@dataclass(slots=True)
class RunFolder:
    """A run folder being written. `path` is where to write until `finish`, which returns the final place.

    As a context manager it removes what was written unless `finish` was reached.
    """

    final: Path
    path: Path
    finished: bool = field(default=False)

    @classmethod
    def create(cls, out: Path, scenario: str, seed: int) -> RunFolder:
        """Start a folder under `out`. An existing folder is never touched. Raises StoreError."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        parent = out / safe_name(scenario)
        final = _free(parent / f"{stamp}-seed{seed}")
        path = parent / f".{final.name}.{os.getpid()}.partial"
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise StoreError(
                f"{path.parent}: {error.strerror}", hint="choose a writable folder with --out DIR"
            ) from error
        return cls(final, path)

    def write_json(self, name: str, obj: object) -> None:
        """Write `obj` as JSON; NaN and infinities become null, so that every reader can parse it."""
        write_text(self.path / name, json.dumps(finite(obj), indent=2, ensure_ascii=False) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Write a UTF-8 text file."""
        write_text(self.path / name, text)

    def finish(self) -> Path:
        """Put the folder in its place, point `latest` at it, and return where it stands. Raises StoreError."""
        try:
            self.final = _free(self.final)
            self.path.rename(self.final)
        except OSError as error:
            raise StoreError(f"{self.final}: {error.strerror}") from error
        self.path, self.finished = self.final, True
        _point_latest(self.final)
        return self.final

    def discard(self) -> None:
        """Remove what was written; harmless after `finish`."""
        if not self.finished:
            remove(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


def write_stage(folder: Path, stage: str, records: Sequence[Record], *, origin_utc_us: int = 0) -> None:
    """Write `folder`/<stage>/trace/*.parquet and `folder`/<stage>/frames.pcap, both or none.

    origin_utc_us: the records' instant 0 in µs since 1970-01-01T00:00Z. Raises StoreError, also where the stage's
    folder exists already.
    """
    with aside(stage_folder(folder, stage)) as partial:
        partial.mkdir()
        write_tables(
            partial / "trace",
            columns(records),
            {
                "stage": stage,
                "origin_utc_us": str(origin_utc_us),
                "lorabench": distribution_version("lorabench"),
            },
        )
        write_pcap(partial / "frames.pcap", records, origin_utc_us=origin_utc_us)


def read_trace(folder: Path) -> Columns:
    """A stage's tables from its folder, or from the `trace` folder itself. Raises StoreError."""
    return read_tables(folder / "trace" if (folder / "trace").is_dir() else folder)


def stage_folder(run: Path, stage: str) -> Path:
    """Where a stage's files lie within a run folder, whatever the stage is called. Raises StoreError."""
    return run / safe_name(stage)


def safe_name(name: str) -> str:
    """A scenario's or stage's name as one path component. Raises StoreError where nothing remains."""
    safe = re.sub(r"[^\w.+-]+", "-", name, flags=re.ASCII).strip("-.")
    if not safe:
        raise StoreError(f"{name!r} cannot name a folder", hint="use letters, digits, '-' and '_'")
    return safe


def finite(obj: Any) -> Any:
    """A copy of JSON-like data with NaN and infinities as None, tuples as lists and keys as text."""
    if isinstance(obj, float):
        return obj if math.isfinite(obj) else None
    if isinstance(obj, dict):
        return {str(key): finite(value) for key, value in obj.items()}
    if isinstance(obj, list | tuple):
        return [finite(value) for value in obj]
    return obj


def _free(path: Path) -> Path:
    candidate, n = path, 2
    while candidate.exists():
        candidate, n = path.with_name(f"{path.name}-{n}"), n + 1
    return candidate


def _point_latest(folder: Path) -> None:
    latest = folder.with_name(LATEST)
    try:
        with aside(latest) as partial:
            partial.symlink_to(folder.name, target_is_directory=True)
    except StoreError:
        write_text(latest, folder.name + "\n")  # a file system without symbolic links gets a text file
