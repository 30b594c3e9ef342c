"""Communes and gateway sites: the two CSV tables a scenario may name, read with cell-exact errors."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import Field, ValidationError

from scenarios.errors import ScenarioError, did_you_mean
from scenarios.fields import Latitude, Longitude, Strict
from scenarios.schema import Site


class Commune(Strict):
    """A commune: INSEE code and figures, WGS 84 positions, IGN altitudes. Town positions may be unknown."""

    insee: Annotated[str, Field(pattern=r"^[0-9][0-9AB][0-9]{3}$")]
    name: Annotated[str, Field(min_length=1)]
    member: str
    lat_centre: Latitude
    lon_centre: Longitude
    lat_town: Latitude | None = None
    lon_town: Longitude | None = None
    area_km2: Annotated[float, Field(gt=0)]
    population: Annotated[int, Field(ge=0)]
    households: Annotated[int, Field(ge=0)]
    altitude_min_m: float
    altitude_max_m: float


RowT = TypeVar("RowT", Commune, Site)


@dataclass(frozen=True, slots=True)
class Row(Generic[RowT]):
    """A row of a table and the line it stands on."""

    value: RowT
    line: int


_Cell = Callable[[str], object]


def _number(cell: str) -> float:
    return float(cell)


def _optional(cell: str) -> float | None:
    return float(cell) if cell else None


def _metres(cell: str) -> str:
    float(cell)
    return f"{cell} m"


_Columns = Mapping[str, tuple[str, _Cell]]
"""Column name to the model's key and the reader of a cell."""

_COMMUNE_COLUMNS: _Columns = {
    "insee": ("insee", str),
    "name": ("name", str),
    "member": ("member", str),
    "lat_centre": ("lat_centre", _number),
    "lon_centre": ("lon_centre", _number),
    "lat_town": ("lat_town", _optional),
    "lon_town": ("lon_town", _optional),
    "area_km2": ("area_km2", _number),
    "population": ("population", int),
    "households": ("households", int),
    "altitude_min_m": ("altitude_min_m", _number),
    "altitude_max_m": ("altitude_max_m", _number),
}
_SITE_COLUMNS: _Columns = {
    "id": ("id", str),
    "commune": ("commune", str),
    "kind": ("kind", str),
    "lat": ("lat", _number),
    "lon": ("lon", _number),
    "antenna_height_m": ("antenna_height", _metres),
    "stage": ("stage", str),
    "position_status": ("position_status", str),
    "note": ("note", str),
}
_OPTIONAL_COLUMNS = frozenset({"lat_town", "lon_town", "kind", "stage", "position_status", "note"})


def read_communes(text: str, path: str) -> list[Row[Commune]]:
    """The rows of a communes table. Raises ScenarioError with line, cell number and column name."""
    rows = _read(text, path, Commune, _COMMUNE_COLUMNS)
    for row in rows:
        if (row.value.lat_town is None) != (row.value.lon_town is None):
            raise ScenarioError(
                "half a town position", path=path, line=row.line, key="lat_town", hint="give both or leave both empty"
            )
    return rows


def read_sites(text: str, path: str) -> list[Row[Site]]:
    """The rows of a sites table. Raises ScenarioError with line, cell number and column name."""
    return _read(text, path, Site, _SITE_COLUMNS)


def _read(text: str, path: str, model: type[RowT], columns: _Columns) -> list[Row[RowT]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows: list[Row[RowT]] = []
    header: list[str] = []
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not header:
                header = _header(cells, path, columns)
            elif cells:
                if len(cells) != len(header):
                    hint = f"the header names {len(header)}"
                    raise ScenarioError(f"{len(cells)} cells", path=path, line=start, column=len(cells), hint=hint)
                named = dict(zip(header, cells, strict=True))
                rows.append(Row(_row(named, (path, start), model, columns), start))
    except csv.Error as error:
        raise ScenarioError(f"not CSV: {error}", path=path, line=reader.line_num) from None
    if not header:
        raise ScenarioError("the table is empty", path=path, line=1, hint="the first line names the columns")
    return rows


def _header(cells: list[str], path: str, columns: _Columns) -> list[str]:
    for number, name in enumerate(cells, 1):
        if name not in columns:
            hint = did_you_mean(name, list(columns))
            raise ScenarioError("unknown column", path=path, line=1, column=number, key=name, hint=hint)
        if name in cells[: number - 1]:
            raise ScenarioError("column named twice", path=path, line=1, column=number, key=name)
    missing = [name for name in columns if name not in cells and name not in _OPTIONAL_COLUMNS]
    if missing:
        raise ScenarioError("column missing", path=path, line=1, key=missing[0], hint="needed: " + ", ".join(missing))
    return cells


def _row(named: dict[str, str], place: tuple[str, int], model: type[RowT], columns: _Columns) -> RowT:
    path, line = place
    header = list(named)
    values: dict[str, object] = {}
    for number, (name, cell) in enumerate(named.items(), 1):
        key, convert = columns[name]
        try:
            values[key] = convert(cell.strip())
        except ValueError:
            kind = "a whole number" if convert is int else "a number"
            raise ScenarioError(f'"{cell}" is not {kind}', path=path, line=line, column=number, key=name) from None
    try:
        return model.model_validate(values)
    except ValidationError as error:
        fault = error.errors()[0]
        name = next((n for n, (key, _) in columns.items() if key == fault["loc"][0]), str(fault["loc"][0]))
        hint = str(fault.get("ctx", {}).get("hint", ""))
        column = header.index(name) + 1 if name in header else 0
        raise ScenarioError(fault["msg"], path=path, line=line, column=column, key=name, hint=hint) from None
