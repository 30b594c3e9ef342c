"""What-if actions on a stage: the marginal fixes of Annexe 4 §2.4 and what else an engineer would try.

A change is written in words ("raise vouvray-water-tower 10 m") and turns one stage's world into another with the same
draws, so that two runs differ by the change alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pydantic import ValidationError

from bench.errors import UsageError
from bench.runner.plan import StageWorld
from scenarios.errors import did_you_mean
from scenarios.money import GATEWAY_COST
from scenarios.population import Sensor
from scenarios.schema import PLACEMENTS, Outages, Placement, Site

FORMS = (
    "raise SITE 10 m",
    "move SITE LAT,LON",
    "swap SITE OTHER",
    "add SITE",
    "lose SITE",
    "lose SITE days 3-5",
    "outages every 60 days for 12 h",
    "lids worst 200 plastic",
    "uplinks 24 to 4",
    "payload 51 to 20",
)
PRICE = float(GATEWAY_COST)  # of a gateway more, where the action names no other


@dataclass(frozen=True, slots=True)
class Change:
    """One action. `apply` gives the changed world; text: as the user wrote it; cost_eur: None where nobody gave one."""

    text: str
    apply: Callable[[StageWorld], StageWorld]
    cost_eur: float | None = None


def parse_change(text: str) -> Change:
    """From words. Raises UsageError with the forms there are; site names are checked when it is applied."""
    words = text.split()
    match words:
        case [*action, "for", euros, "EUR"]:
            return replace(parse_change(" ".join(action)), cost_eur=_number(euros, text))
        case ["raise", site, metres, "m"]:
            by_m = _number(metres, text)
            return Change(text, lambda world: _edit_site(world, site, lambda s: _raised(s, by_m)))
        case ["move", site, where] if "," in where:
            lat, _, lon = where.partition(",")
            here = {"lat": _number(lat, text), "lon": _number(lon, text)}
            return Change(text, lambda world: _edit_site(world, site, lambda s: s.model_copy(update=here)))
        case ["swap", site, other]:
            return Change(text, lambda world: _swapped(world, site, other))
        case ["add", site]:
            return Change(text, lambda world: replace(world, sites=(*world.open_sites, known_site(world, site))), PRICE)
        case ["lose", site]:
            return Change(text, lambda world: _without(world, site))
        case ["lose", site, "days", span]:
            first, _, last = span.partition("-")
            days = int(_number(first, text)), int(_number(last or first, text))
            return Change(text, lambda world: _out(world, site, *days))
        case ["outages", "every", days, "days", "for", hours, "h"]:
            outages = _outages(days, hours, text)
            return Change(text, lambda world: replace(world, poisson_outages=outages))
        case ["lids", "worst", count, kind]:
            n, placement = int(_number(count, text)), _lid(kind, text)
            return Change(text, lambda world: replace(world, lids=(n, placement)))
        case ["uplinks", old, "to", new]:
            per_day = int(_number(old, text)), int(_number(new, text))
            return Change(text, lambda world: _reporting(world, "uplinks_per_day", *per_day, text))
        case ["payload", old, "to", new]:
            size = int(_number(old, text)), int(_number(new, text))
            return Change(text, lambda world: _reporting(world, "payload_bytes", *size, text))
        case ["repeater", *_]:
            raise UsageError(f'--what-if "{text}": repeaters are not modelled yet', hint="add a gateway instead")
    raise UsageError(f'--what-if "{text}" is not understood', hint="; ".join(FORMS))


def known_site(world: StageWorld, name: str) -> Site:
    """A site of the scenario's table. Raises UsageError."""
    by_id = {site.id: site for site in world.loaded.sites}
    if name not in by_id:
        raise UsageError(f'no site is called "{name}"', hint=did_you_mean(name, list(by_id)) or ", ".join(by_id))
    return by_id[name]


def _open_site(world: StageWorld, name: str) -> Site:
    by_id = {site.id: site for site in world.open_sites}
    if name not in by_id:
        known_site(world, name)
        raise UsageError(f'site "{name}" is not open at stage {world.stage}', hint="open: " + ", ".join(by_id))
    return by_id[name]


def _number(word: str, text: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise UsageError(f'--what-if "{text}": "{word}" is not a number', hint="; ".join(FORMS)) from None


def _lid(kind: str, text: str) -> Placement:
    for placement in PLACEMENTS:
        if placement == f"pit-{kind}":
            return placement
    raise UsageError(f'--what-if "{text}": no lid is called "{kind}"', hint="plastic, concrete or cast-iron")


def _outages(days: str, hours: str, text: str) -> Outages:
    try:
        return Outages.model_validate({"mean_between": f"{days} day", "mean_length": f"{hours} h"})
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f'--what-if "{text}": {first["msg"]}') from None


def _raised(site: Site, by_m: float) -> Site:
    return site.model_copy(update={"antenna_height_m": site.antenna_height_m + by_m})


def _edit_site(world: StageWorld, name: str, edit: Callable[[Site], Site]) -> StageWorld:
    _open_site(world, name)
    return replace(world, sites=tuple(edit(s) if s.id == name else s for s in world.open_sites))


def _swapped(world: StageWorld, name: str, other: str) -> StageWorld:
    _open_site(world, name)
    stand_in = known_site(world, other)
    return replace(world, sites=tuple(stand_in if s.id == name else s for s in world.open_sites))


def _without(world: StageWorld, name: str) -> StageWorld:
    _open_site(world, name)
    return replace(world, sites=tuple(s for s in world.open_sites if s.id != name))


def _out(world: StageWorld, name: str, first: int, last: int) -> StageWorld:
    _open_site(world, name)
    if not 1 <= first <= last <= world.scored_days:
        raise UsageError(f"days {first}-{last} are not within the scored days 1-{world.scored_days}")
    return replace(world, outages=(*world.outages, (name, world.warmup_days + first - 1, world.warmup_days + last)))


def _reporting(world: StageWorld, field: str, old: int, new: int, text: str) -> StageWorld:
    touched = [sensor for sensor in world.population if getattr(sensor, field) == old]
    if not touched:
        present = sorted({getattr(sensor, field) for sensor in world.population})
        raise UsageError(f'--what-if "{text}": no sensor has {old}', hint=f"there are {present}")
    if new < 1:
        raise UsageError(f'--what-if "{text}": {new} is below 1')
    changed = tuple(
        _with(sensor, field, new) if getattr(sensor, field) == old else sensor for sensor in world.population
    )
    return replace(world, sensors_changed=changed)


def _with(sensor: Sensor, field: str, value: int) -> Sensor:
    if field == "uplinks_per_day":
        return replace(sensor, uplinks_per_day=value)
    return replace(sensor, payload_bytes=value)
