"""What the last stage is expected to reach with other sites or other losses: closed form, the same draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bench.report.summary import Expected, Stage, VariantRow
from bench.runner.expected import expectations
from bench.runner.ground import Ground, ground_losses, terrain_of
from bench.runner.plan import StageWorld
from bench.runner.radio import device_sites, gateway_sites
from radio_sim.model import GatewaySite
from scenarios.schema import PathLoss, Variant

ON_TERRAIN = ("p1812", "itm")


def ground_of(world: StageWorld, path: PathLoss, threads: int, told: Callable[[int, int], None]) -> Ground | None:
    """The losses of every site that some stage or variant opens; None where the model knows distance alone."""
    if path.model not in ON_TERRAIN:
        return None
    scenario = world.loaded.scenario
    wanted = {name for stage in scenario.stages for name in stage.sites}
    wanted |= {name for variant in scenario.variants for name in variant.replace.values()}
    sites = gateway_sites([site for site in world.loaded.sites if site.id in wanted], scenario.radio)
    return _compute(world, path, sites, threads, told)


def _compute(
    world: StageWorld, path: PathLoss, sites: Sequence[GatewaySite], threads: int, told: Callable[[int, int], None]
) -> Ground:
    devices = device_sites(world.population, world.loaded.scenario.radio)
    grid = terrain_of(path, world.loaded.path.parent, [*sites, *devices])
    return ground_losses(path, grid, sites, devices, threads=threads, told=told)


def grounded(world: StageWorld, threads: int) -> StageWorld:
    """The world with the losses of antennas that a change has put where none was computed."""
    path = world.path_loss or world.loaded.scenario.radio.path_loss
    if world.ground is None or not (missing := world.ground.missing(world.gateways)):
        return world
    return replace(world, ground=world.ground.joined(_compute(world, path, missing, threads, _untold)))


def _untold(_done: int, _all: int) -> None:
    """Tell nobody."""


def world_of(world: StageWorld, variant: Variant, threads: int) -> StageWorld:
    """The last stage's world as the variant changes it."""
    by_id = {site.id: site for site in world.loaded.sites}
    sites = tuple(by_id[variant.replace.get(site.id, site.id)] for site in world.open_sites)
    if variant.path_loss is None:
        return grounded(replace(world, sites=sites), threads)
    return replace(
        world,
        sites=sites,
        path_loss=variant.path_loss,
        ground=ground_of(world, variant.path_loss, threads, _untold),
    )


def variant_rows(world: StageWorld, stage: Stage, threads: int) -> list[VariantRow]:
    """The expectation of every clause over the whole territory, for the last stage and each variant of it.

    stage: what was found for `world`; its loss to interference holds for the variants too.
    """
    scenario = world.loaded.scenario
    if not scenario.variants or not scenario.clauses:
        return []
    nothing: Expected = {"0": None, "+5": None, "-5": None}
    planned = [row["expected"] or nothing for row in stage["clauses"]["territory"]]
    rows = [VariantRow(title="as planned", expected=planned)]
    for variant in scenario.variants:
        found = expectations(world_of(world, variant, threads), stage.get("frame_loss", 0.0))
        everyone = slice(None)
        rows.append(
            VariantRow(
                title=variant.title or variant.name,
                expected=[
                    {
                        "0": found["0"].measure(clause.measure, everyone),
                        "+5": found["+5"].measure(clause.measure, everyone),
                        "-5": found["-5"].measure(clause.measure, everyone),
                    }
                    for clause in scenario.clauses
                ],
            )
        )
    return rows
