"""A scenario's stage as the plan of a live run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.errors import UsageError
from bench.executors import cpus
from bench.runner.exact import StagePlan
from bench.runner.plan import StageWorld, stage_plan
from bench.runner.variants import ground_of
from gateway_fw.gwmp.gateway import KEEPALIVE_US
from lorawan.units import US_PER_S
from scenarios.errors import did_you_mean
from scenarios.load import LoadedScenario, load

STAT_INTERVAL_US = 30 * US_PER_S  # lora_pkt_fwd.c DEFAULT_STAT
DAYS = 60  # so long there are outages and other people's sensors; a live run may go on without [assumption]


@dataclass(frozen=True, slots=True)
class LiveScenario:
    """What of a scenario is to be on the air. stage: None for the last; sites: none for all that the stage has open.

    sample: sensors that are simulated frame by frame; the rest of the population is there as interference where
    background is set. join_data_rates: none for the scenario's.
    """

    name: str
    stage: str | None = None
    sites: tuple[str, ...] = ()
    sample: int = 20
    seed: int | None = None
    background: bool = True
    join_data_rates: tuple[int, ...] = ()


def live_plan(
    wanted: LiveScenario, told: Callable[[int, int], None] = lambda _done, _all: None
) -> tuple[LoadedScenario, StagePlan]:
    """Load, draw and equip. Raises ScenarioError, and UsageError for a stage or site that is not there."""
    loaded = load(wanted.name)
    scenario = loaded.scenario
    stages = [stage.name for stage in scenario.stages]
    stage = wanted.stage or stages[-1]
    if stage not in stages:
        raise UsageError(f'no stage "{stage}" in {scenario.name}', hint=did_you_mean(stage, stages))
    known = {site.id: site for site in loaded.sites}
    for name in wanted.sites:
        if name not in known:
            raise UsageError(f'no site "{name}" in {scenario.name}', hint=did_you_mean(name, list(known)))
    if len(set(wanted.sites)) != len(wanted.sites):
        raise UsageError("a site is named twice")
    world = StageWorld(
        loaded,
        stage,
        scenario.seed if wanted.seed is None else wanted.seed,
        wanted.sample,
        0,
        DAYS,
        sites=tuple(known[name] for name in wanted.sites) or None,
    )
    world = replace(world, ground=ground_of(world, scenario.radio.path_loss, cpus(), told))
    plan = stage_plan(world)
    if wanted.join_data_rates:
        plan = replace(
            plan, configs=tuple(replace(config, join_data_rates=wanted.join_data_rates) for config in plan.configs)
        )
    if not wanted.background:
        plan = replace(plan, before_day=lambda _day: None)
    # over real networks the way back has to be kept open, and somebody looks at the reports
    gateways = tuple(
        replace(gateway, config=replace(gateway.config, keepalive_us=KEEPALIVE_US, stat_interval_us=STAT_INTERVAL_US))
        for gateway in plan.gateways
    )
    return loaded, replace(plan, gateways=gateways)
