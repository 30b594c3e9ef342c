"""Laws of scenario reading, populations, samples and civil days."""

from __future__ import annotations

import itertools
import math
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorawan.draws import Draws
from scenarios.calendar import civil_day_bounds_us, uplink_instants_us
from scenarios.errors import ScenarioError
from scenarios.load import load, loads
from scenarios.places import Commune
from scenarios.population import Sensor, build_population
from scenarios.positions import KeyPath, PositionIndex
from scenarios.sampling import allocate, stratified_sample, weights

TEV = load("tev")


class _Keys:
    """Keys that occur once in a document, in the three ways TOML writes them."""

    def __init__(self) -> None:
        self.number = itertools.count()

    def next(self, form: int) -> str:
        number = next(self.number)
        return (f"k{number}-_", f'"k {number} = [x] \\" #"', f"'k.{number} {{'")[form % 3]


SCALARS = st.sampled_from(
    [
        "1",
        "-0.5e3",
        "true",
        "0xdead_beef",
        "1979-05-27T07:32:00Z",
        "1979-05-27 07:32:00",
        "07:32:00",
        "inf",
        '"a # b = [c] \\" {"',
        "'a # \" = [c'",
        '"""one\n two = "x" ""\\""" # \n"""',
        "'''one\n[two]\n'' k = 'x' '''",
        '""',
        '"""a""""',
        "''''a'''''",
    ]
)
FORMS = st.integers(0, 2)
COMMENTS = st.sampled_from(["", " # [x] = \"'", "\n\n# k = {\n", "\t"])


@st.composite
def values(draw: st.DrawFn, keys: _Keys, depth: int = 2) -> str:
    kind = draw(st.integers(0, 3)) if depth else 0
    if kind <= 1:
        return draw(SCALARS)
    if kind == 2:
        items = [draw(values(keys, depth - 1)) for _ in range(draw(st.integers(0, 3)))]
        comma = draw(st.booleans()) and items
        inside = "".join(f"{draw(COMMENTS)}\n{item}{draw(COMMENTS)}\n," for item in items)
        return f"[{inside if comma else inside[:-1]}\n]"
    pairs = ", ".join(
        f"{_dotted(draw, keys)} = {draw(values(keys, depth - 1))}" for _ in range(draw(st.integers(0, 2)))
    )
    return "{ " + pairs + " }"


def _dotted(draw: st.DrawFn, keys: _Keys) -> str:
    return draw(st.sampled_from([".", " . "])).join(keys.next(draw(FORMS)) for _ in range(draw(st.integers(1, 2))))


@st.composite
def documents(draw: st.DrawFn) -> str:
    keys = _Keys()
    lines: list[str] = []

    def pairs() -> None:
        for _ in range(draw(st.integers(0, 3))):
            indent = draw(st.sampled_from(["", "  ", "\t"]))
            lines.append(f"{indent}{_dotted(draw, keys)} = {draw(values(keys))}{draw(COMMENTS)}")

    pairs()
    for _ in range(draw(st.integers(0, 3))):
        array = _dotted(draw, keys)
        for _ in range(draw(st.integers(1, 3))):
            lines.append(f"[[ {array} ]]{draw(COMMENTS)}")
            pairs()
            if draw(st.booleans()):
                lines.append(f"[{array}.{keys.next(draw(FORMS))}]")
                pairs()
            if draw(st.booleans()):
                inner = keys.next(draw(FORMS))
                for _ in range(2):
                    lines.append(f"[[{array}.{inner}]]")
                    pairs()
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return "\n".join(lines).replace("\n", end) + draw(st.sampled_from(["", end]))


def _leaves(value: object, path: KeyPath = ()) -> list[KeyPath]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, (*path, key))] or [path]
    if isinstance(value, list):
        return [leaf for index, inner in enumerate(value) for leaf in _leaves(inner, (*path, index))] or [path]
    return [path]


@given(documents())
@settings(max_examples=150, deadline=None)
def test_every_leaf_key_of_tomllib_stands_where_the_index_says(text: str) -> None:
    index = PositionIndex(text)
    lines = text.replace("\r\n", "\n").split("\n")
    for path in _leaves(tomllib.loads(text)):
        for length in range(1, len(path) + 1):
            if isinstance(path[length - 1], int):
                continue
            place = index.positions[path[:length]]
            key = str(path[length - 1])
            here = lines[place.line - 1][place.column - 1 :]
            assert here.startswith((key, "'" + key, '"' + key.replace('"', '\\"')))


@given(st.text(max_size=200))
@settings(max_examples=200)
def test_any_text_is_a_scenario_or_a_scenario_error(text: str) -> None:
    PositionIndex(text)
    with pytest.raises(ScenarioError) as caught:
        loads(text)
    assert caught.value.line >= 1


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_edit_of_a_scenario_escapes_as_another_error(data: st.DataObject) -> None:
    text = load("four-versions").path.read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    pieces = ["", '"', "[", "]]", "=", "\n", "-1", "nan", "true", "{}", "[[device]]", "x = 1\n"]
    edited = text[:start] + data.draw(st.sampled_from(pieces)) + text[end:]
    faults: list[ScenarioError] = []
    try:
        loads(edited)
    except ScenarioError as error:
        faults = [error, *error.others]
    assert all(1 <= fault.line <= edited.count("\n") + 1 for fault in faults)


@given(extra=st.integers(1, 40), which=st.integers(0, 9))
@settings(max_examples=8, deadline=None)
def test_a_new_household_adds_a_sensor_and_changes_no_other(extra: int, which: int) -> None:
    communes = [commune.model_copy(update={"households": 60}) for commune in TEV.communes]
    grown = list(communes)
    grown[which] = grown[which].model_copy(update={"households": 60 + extra})
    assert TEV.scenario.population is not None
    # town size sets the spread of positions by design; towns are left out here
    scattered = TEV.scenario.population.model_copy(update={"town_share": 0.0})
    still = TEV.scenario.model_copy(update={"population": scattered})
    draws = Draws.of_seed(7)
    before = {sensor.id: sensor for sensor in build_population(still, communes, draws)}
    after = {sensor.id: sensor for sensor in build_population(still, grown, draws)}
    assert len(after) == len(before) + extra
    assert all(after[name] == sensor for name, sensor in before.items())


def _sensors(sizes: dict[str, int]) -> list[Sensor]:
    [model, *_] = build_population(TEV.scenario, [_commune(1)], Draws.of_seed(1))
    euis = itertools.count(1)
    return [
        replace(model, stratum=stratum, dev_eui=type(model.dev_eui)(next(euis)), id=f"{stratum}-{n}")
        for stratum, size in sizes.items()
        for n in range(size)
    ]


def _commune(households: int) -> Commune:
    return TEV.communes[0].model_copy(update={"households": households})


SIZES = st.dictionaries(st.sampled_from([f"c{i}/pit" for i in range(8)]), st.integers(0, 60), min_size=1)


@given(SIZES, st.integers(1, 200))
def test_an_allocation_keeps_its_promises(sizes: dict[str, int], n: int) -> None:
    taken = allocate(sizes, n)
    filled = [name for name, size in sizes.items() if size]
    assert sum(taken.values()) == min(n, sum(sizes.values()))
    assert all(1 <= count <= sizes[name] for name, count in taken.items())
    if n >= len(filled):
        assert set(taken) == set(filled)
        total = sum(sizes.values())
        over = [name for name in taken if taken[name] > 1 and taken[name] >= n * sizes[name] / total + 1]
        assert n >= total or not over


@given(SIZES.filter(lambda sizes: sum(sizes.values()) > 1), st.integers(1, 100), st.integers(0, 2**32))
@settings(max_examples=50)
def test_a_larger_sample_holds_the_smaller_one_stratum_by_stratum(sizes: dict[str, int], n: int, seed: int) -> None:
    sensors = _sensors(sizes)
    draws = Draws.of_seed(seed)
    small, large = (set(stratified_sample(sensors, size, draws)) for size in (n, n + 1))
    fewer, more = allocate(sizes, n), allocate(sizes, n + 1)
    for stratum in fewer:
        mine = {index for index in small if sensors[index].stratum == stratum}
        theirs = {index for index in large if sensors[index].stratum == stratum}
        assert mine <= theirs if fewer[stratum] <= more.get(stratum, 0) else theirs <= mine


@given(SIZES.filter(lambda sizes: any(sizes.values())), st.integers(0, 150))
@settings(max_examples=50)
def test_weights_restore_each_stratum(sizes: dict[str, int], more: int) -> None:
    sensors = _sensors(sizes)
    sample = stratified_sample(sensors, len(sizes) + more, Draws.of_seed(3))
    weight = weights(sensors, sample)
    for stratum, size in sizes.items():
        part = [w for w, index in zip(weight.tolist(), sample, strict=True) if sensors[index].stratum == stratum]
        assert math.isclose(math.fsum(part), size, abs_tol=1e-9)


@given(
    st.dates(date(1950, 1, 1), date(2037, 1, 1)),
    st.integers(1, 60),
    st.sampled_from(["Europe/Paris", "UTC", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_each_day_bound_is_the_first_instant_of_its_local_date(start: date, n_days: int, zone: str) -> None:
    bounds = civil_day_bounds_us(start, n_days, zone)
    assert bounds[0] == 0
    assert len(bounds) == n_days + 1
    assert all(low < high for low, high in itertools.pairwise(bounds))
    origin = datetime.combine(start, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
    for day, bound in enumerate(bounds):
        first = origin + timedelta(microseconds=bound)
        assert first.astimezone(ZoneInfo(zone)).date() == start + timedelta(days=day)


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 96), st.sampled_from([date(2026, 3, 28), date(2026, 10, 24)]))
def test_each_civil_day_has_all_its_uplinks(phase: float, per_day: int, start: date) -> None:
    bounds = civil_day_bounds_us(start, 3, "Europe/Paris")
    instants = list(uplink_instants_us(phase, per_day, bounds))
    assert instants == sorted(instants)
    for low, high in itertools.pairwise(bounds):
        assert sum(low <= instant < high for instant in instants) == per_day
