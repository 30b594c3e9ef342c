"""From a file to a checked scenario. The only I/O of the package: the scenario file and the tables it names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from os.path import normpath
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from scenarios.consistency import faults
from scenarios.errors import ScenarioError, did_you_mean
from scenarios.places import Commune, Row, RowT, read_communes, read_sites
from scenarios.positions import KeyPath, PositionIndex, show_path
from scenarios.schema import Scenario, Site, Stage, keys_of, model_at

LIBRARY = Path(__file__).parent / "library"

_TOML_PLACE = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LoadedScenario:
    """A checked scenario and where it came from.

    files: every file read, the scenario first; sha256: one hash over all of them. communes: the members only;
    neighbours: the other rows of the table. sites: those of the CSV, then the inline ones.
    """

    scenario: Scenario
    path: Path
    sha256: str
    files: tuple[Path, ...]
    communes: tuple[Commune, ...]
    neighbours: tuple[Commune, ...]
    sites: tuple[Site, ...]

    def stage(self, name: str) -> Stage:
        """A stage by name. Raises ScenarioError with the nearest name."""
        for stage in self.scenario.stages:
            if stage.name == name:
                return stage
        known = [stage.name for stage in self.scenario.stages]
        raise ScenarioError(f'no stage "{name}"', path=str(self.path), key="stage", hint=did_you_mean(name, known))

    def open_sites(self, stage: str) -> tuple[Site, ...]:
        """The gateway sites open in a stage, in the order of the table."""
        wanted = set(self.stage(stage).sites)
        return tuple(site for site in self.sites if site.id in wanted)

    def open_communes(self, stage: str) -> frozenset[str]:
        """The names of the communes that have a gateway in a stage."""
        return frozenset(site.commune for site in self.open_sites(stage) if site.commune)


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """A bundled scenario."""

    name: str
    title: str
    path: Path


def list_library() -> tuple[LibraryEntry, ...]:
    """The bundled scenarios, by name."""
    entries = []
    for path in sorted(LIBRARY.glob("*.toml")):
        head = tomllib.loads(path.read_text(encoding="utf-8"))
        entries.append(LibraryEntry(path.stem, str(head.get("title", "")), path))
    return tuple(entries)


def load(name_or_path: str | Path) -> LoadedScenario:
    """Read and check a scenario: a name of the library, or a path to a TOML file.

    Raises ScenarioError with file, line and key; faults found beside the first are its `others`.
    """
    path = _resolve(name_or_path)
    return _load(_read_bytes(path, str(path)), path)


def loads(text: str, path: str | Path = "scenario.toml") -> LoadedScenario:
    """Check a scenario given as text; `path` names it in errors, and its folder holds the tables it names."""
    return _load(text.encode(), Path(path))


def _resolve(name_or_path: str | Path) -> Path:
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(".toml") or "/" in text or "\\" in text:
        return Path(name_or_path)
    if (bundled := LIBRARY / f"{text}.toml").is_file():
        return bundled
    known = [path.stem for path in LIBRARY.glob("*.toml")]
    raise ScenarioError("no scenario of that name in the library", path=text, hint=did_you_mean(text, known))


def _read_bytes(path: Path, shown: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ScenarioError(f"cannot be read: {error.strerror or error}", path=shown) from None


def _decode(data: bytes, shown: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScenarioError("not UTF-8", path=shown, line=line, hint="save the file as UTF-8") from None


def _load(data: bytes, path: Path) -> LoadedScenario:
    reading = _Reading(path, data)
    scenario = reading.scenario()
    territory = scenario.territory
    communes = reading.table("communes", territory.communes, read_communes)
    tabled = reading.table("sites", territory.sites, read_sites)
    sites = (*(row.value for row in tabled), *scenario.sites)
    places = tuple(row.value for row in communes)
    problems = reading.site_faults(tabled, scenario.sites, places)
    for item in faults(scenario, sites, places):
        clash = f", first on line {reading.index.at(item.first).line}" if item.first else ""
        problems.append(reading.fault(item.path, item.message + clash, item.hint))
    if problems:
        raise _first_of(problems)
    return LoadedScenario(
        scenario=scenario,
        path=path,
        sha256=_content_hash(reading.contents),
        files=tuple(reading.contents),
        communes=tuple(place for place in places if place.member == territory.members),
        neighbours=tuple(place for place in places if place.member != territory.members),
        sites=sites,
    )


BUNDLED = "bundled:"


class _Reading:
    """One scenario file being read: its text with positions, and every file read on its behalf."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.contents: dict[Path, bytes] = {path: data}
        text = _decode(data, str(path))
        self._document = _parse(text, str(path))
        self.index = PositionIndex(text)

    def fault(self, key: KeyPath, message: str, hint: str = "") -> ScenarioError:
        """An error at the line of a key."""
        place = self.index.at(key)
        return ScenarioError(
            message, path=str(self.path), line=place.line, column=place.column, key=show_path(key), hint=hint
        )

    def scenario(self) -> Scenario:
        """The document held against the schema."""
        try:
            return Scenario.model_validate(self._document)
        except ValidationError as error:
            problems = [self._schema_fault(detail) for detail in error.errors(include_url=False)]
        raise _first_of(problems)

    def table(self, key: str, name: str | None, read: Callable[[str, str], list[Row[RowT]]]) -> list[Row[RowT]]:
        """The rows of a CSV file beside the scenario, or of one that comes with lorabench ("bundled:tev/sites.csv").

        None where none is named.
        """
        if name is None:
            return []
        bundled = name.removeprefix(BUNDLED)
        table = Path(normpath((self.path.parent if bundled == name else Path(__file__).parent) / bundled))
        try:
            data = table.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
            why = getattr(error, "strerror", None) or error
            raise self.fault(("territory", key), f"{table} cannot be read: {why}") from None
        self.contents[table] = data
        return read(_decode(data, str(table)), str(table))

    def site_faults(
        self, tabled: Sequence[Row[Site]], inline: Sequence[Site], communes: Sequence[Commune]
    ) -> list[ScenarioError]:
        """Sites named twice, and sites in communes that do not exist."""
        table = list(self.contents)[-1]
        names = [commune.name for commune in communes]
        first: dict[str, str] = {}
        problems = []
        for number, (site, line) in enumerate([*((r.value, r.line) for r in tabled), *((site, 0) for site in inline)]):
            place: KeyPath = ("site", number - len(tabled))
            here = f"{table.name}:{line}" if line else f"line {self.index.at((*place, 'id')).line}"
            message, key, hint = "", "", ""
            if (earlier := first.setdefault(site.id, here)) != here:
                message, key = f'site "{site.id}" twice, first on {earlier}', "id"
            elif site.commune and names and site.commune not in names:
                message, key = f'no commune "{site.commune}"', "commune"
                hint = did_you_mean(site.commune, names)
            if message and line:
                problems.append(ScenarioError(message, path=str(table), line=line, key=key, hint=hint))
            elif message:
                problems.append(self.fault((*place, key), message, hint))
        return problems

    def _schema_fault(self, detail: Mapping[str, Any]) -> ScenarioError:
        key: KeyPath = detail["loc"]
        kind, hint = detail["type"], str(detail.get("ctx", {}).get("hint", ""))
        if kind == "extra_forbidden":
            model = model_at(key[:-1])
            return self.fault(key, "unknown key", did_you_mean(str(key[-1]), keys_of(model) if model else []))
        message, usual_hint = _PLAIN_WORDS.get(kind, (str(detail["msg"]), ""))
        return self.fault(key, message, hint or usual_hint)


_PLAIN_WORDS = {
    "missing": ("missing", ""),
    "tuple_type": ("a list is due", "write [[ ]] around a table's name, [ ] around values"),
    "date_type": ("a date is due", "write it without quotes, such as 2026-10-01"),
    "model_type": ("a table is due", ""),
}


def _parse(text: str, shown: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.match(str(error))
        message = place.group(1) if place else str(error)
        if place and place.group(2):
            line, column = int(place.group(2)), int(place.group(3))
        else:
            line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        raise ScenarioError(f"not TOML: {message}", path=shown, line=line, column=column) from None
    except (ValueError, RecursionError) as error:  # more digits, or more depth, than Python reads
        raise ScenarioError(f"not TOML: {error}", path=shown) from None


def _first_of(problems: Sequence[ScenarioError]) -> ScenarioError:
    first, *others = sorted(problems, key=lambda problem: (problem.path, problem.line, problem.column))
    first.others = tuple(others)
    return first


def _content_hash(contents: Mapping[Path, bytes]) -> str:
    digest = sha256()
    for path, data in contents.items():
        digest.update(f"{path.name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()
