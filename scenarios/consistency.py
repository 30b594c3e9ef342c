"""The rules between the tables of a scenario: references, shares, duplicates. Each fault names its key path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lorawan.regions.eu868 import EU868
from scenarios.errors import did_you_mean
from scenarios.places import Commune
from scenarios.positions import KeyPath
from scenarios.schema import PLACEMENTS, Device, Scenario, Site

SHARE_TOLERANCE = 1e-6
CF_LIST_STEP_HZ = 100  # RP002-1.0.4 §2.4.4


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a key path. first: the path it clashes with, whose line belongs into the message."""

    path: KeyPath
    message: str
    hint: str = ""
    first: KeyPath | None = None


def faults(scenario: Scenario, sites: Sequence[Site], communes: Sequence[Commune]) -> Iterator[Fault]:
    """Everything the schema alone cannot see."""
    if scenario.scored_days < 1:
        yield Fault(("scored",), "no day would be scored", 'such as "30 days"')
    if scenario.population is None and not scenario.devices:
        yield Fault((), "neither a [population] nor a [[device]]", "a scenario needs sensors")
    yield from _network_faults(scenario)
    yield from _share_faults(scenario)
    yield from _stage_faults(scenario, sites)
    yield from _variant_faults(scenario, sites)
    yield from _device_faults(scenario.devices, communes)
    yield from _commune_faults(scenario, communes)
    for placement, entry in scenario.radio.entry_loss.items():
        if placement not in PLACEMENTS:
            yield Fault(
                ("radio", "entry_loss", placement), "no such placement", did_you_mean(placement, list(PLACEMENTS))
            )
        elif entry.building is not None and entry.model_fields_set & {"mean_db", "sigma_db"}:
            yield Fault(
                ("radio", "entry_loss", placement, "building"), "both a building and a mean", "write one of them"
            )
    for index, clause in enumerate(scenario.clauses):
        first = next(i for i, other in enumerate(scenario.clauses) if other.id == clause.id)
        if first != index:
            yield Fault(("clause", index, "id"), f'"{clause.id}" twice', first=("clause", first, "id"))


def _network_faults(scenario: Scenario) -> Iterator[Fault]:
    for index, freq_hz in enumerate(scenario.network.extra_channels_hz):
        if not EU868.frequency_ok(freq_hz):
            yield Fault(
                ("network", "extra_channels", index),
                f"no channel may stand at {freq_hz / 1e6:g} MHz",
                "863 to 870 MHz, outside the alarm bands",
            )
        elif freq_hz % CF_LIST_STEP_HZ:
            yield Fault(
                ("network", "extra_channels", index),
                f"{freq_hz} Hz is between two steps of the channel list",
                "a multiple of 100 Hz",
            )
    if not 1_000_000 <= scenario.network.rx_delay_us <= 15_000_000 or scenario.network.rx_delay_us % 1_000_000:
        yield Fault(("network", "rx_delay"), "the JoinAccept carries whole seconds", '"1 s" to "15 s"')


def _share_faults(scenario: Scenario) -> Iterator[Fault]:
    population = scenario.population
    if population is None:
        return
    lids = population.lids
    sums: tuple[tuple[KeyPath, str, float], ...] = (
        (
            ("population", "pits"),
            "pits, indoor and municipal",
            population.pits + population.indoor + population.municipal,
        ),
        (("population", "lids"), "the lids", lids.plastic + lids.concrete + lids.cast_iron),
        (("population", "reporting", 0, "share"), "the reporting shares", sum(r.share for r in population.reporting)),
        (("population", "versions", 0, "share"), "the version shares", sum(v.share for v in population.versions)),
    )
    for path, what, total in sums:
        if abs(total - 1) > SHARE_TOLERANCE:
            yield Fault(path, f"{what} sum to {100 * total:g} %", "they must sum to 100 %")


def _stage_faults(scenario: Scenario, sites: Sequence[Site]) -> Iterator[Fault]:
    known = [site.id for site in sites]
    names: dict[str, int] = {}
    for index, stage in enumerate(scenario.stages):
        as_folder = "".join(c if c.isalnum() else "-" for c in stage.name).casefold()
        if (first := names.setdefault(as_folder, index)) != index:
            other = scenario.stages[first].name
            says = "twice" if other == stage.name else f'and "{other}" would share a folder of the results'
            yield Fault(("stage", index, "name"), f'"{stage.name}" {says}', first=("stage", first, "name"))
        for position, site in enumerate(stage.sites):
            if site not in known:
                yield Fault(("stage", index, "sites", position), f'no site "{site}"', did_you_mean(site, known))
            elif site in stage.sites[:position]:
                yield Fault(("stage", index, "sites", position), f'"{site}" is open twice')


def _variant_faults(scenario: Scenario, sites: Sequence[Site]) -> Iterator[Fault]:
    """A variant changes the last stage: what it replaces is open there, and what it puts in its place exists."""
    known, last = [site.id for site in sites], scenario.stages[-1]
    for index, variant in enumerate(scenario.variants):
        for old, new in variant.replace.items():
            at: KeyPath = ("variant", index, "replace", old)
            if old not in last.sites:
                yield Fault(at, f'"{old}" is not open at stage {last.name}', did_you_mean(old, list(last.sites)))
            if new not in known:
                yield Fault(at, f'no site "{new}"', did_you_mean(new, known))


def _device_faults(devices: Sequence[Device], communes: Sequence[Commune]) -> Iterator[Fault]:
    by_eui: dict[int, int] = {}
    by_name: dict[str, int] = {}
    names = [commune.name for commune in communes]
    for index, device in enumerate(devices):
        at = ("device", index)
        if (first := by_eui.setdefault(int(device.dev_eui), index)) != index:
            yield Fault((*at, "dev_eui"), f"DevEUI {device.dev_eui} twice", first=("device", first, "dev_eui"))
        if device.name and (first := by_name.setdefault(device.name, index)) != index:
            yield Fault((*at, "name"), f'"{device.name}" twice', first=("device", first, "name"))
        if device.commune and names and device.commune not in names:
            yield Fault((*at, "commune"), f'no commune "{device.commune}"', did_you_mean(device.commune, names))
        yield from _key_faults(device, at)


def _key_faults(device: Device, at: KeyPath) -> Iterator[Fault]:
    if device.activation == "abp":
        for key in ("app_key", "nwk_key", "join_eui"):
            if getattr(device, key) is not None:
                yield Fault((*at, key), "an ABP device does not join", f"take {key} out, or write otaa")
        return
    for key in ("join_eui", "app_key", *(("nwk_key",) if device.version.is_1_1 else ())):
        if getattr(device, key) is None:
            yield Fault((*at, key), f"an OTAA device of LoRaWAN {device.version} needs it")
    if device.nwk_key is not None and not device.version.is_1_1:
        yield Fault((*at, "nwk_key"), f"LoRaWAN {device.version} has one root key", "write app_key alone")
    if device.dev_addr is not None:
        yield Fault((*at, "dev_addr"), "an OTAA device is given its address when it joins", "take dev_addr out")


def _commune_faults(scenario: Scenario, communes: Sequence[Commune]) -> Iterator[Fault]:
    if scenario.population is None:
        return
    if scenario.territory.communes is None:
        yield Fault(("population",), "a population needs communes", "name a CSV file in territory.communes")
    elif not any(commune.member == scenario.territory.members for commune in communes):
        members = sorted({commune.member for commune in communes if commune.member})
        yield Fault(
            ("territory", "members"),
            f'no commune is a member of "{scenario.territory.members}"',
            did_you_mean(scenario.territory.members, members),
        )
