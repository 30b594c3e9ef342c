"""What a result rests on, with where each figure comes from: printed in every report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.report.summary import Assumption, Stage
from bench.runner.plan import StageWorld
from lorawan.units import US_PER_DAY, US_PER_HOUR
from scenarios.schema import Radio

SCENARIO = "scenario file"


def assumptions(world: StageWorld, stages: Sequence[Stage]) -> list[Assumption]:
    """The list, the deciding ones first. world: of the last stage.

    A figure that acts on every link's budget decides when 5 dB more or less moves the expected value of a clause of the
    last stage across its figure: none of these figures is known better than that.
    """
    moves = bool(stages) and _five_db_decide(stages[-1])
    scenario = world.loaded.scenario
    radio, outages = scenario.radio, scenario.outages
    rows = [
        ("Ground", *_ground(world), moves),
        ("Path loss", *_path_loss(world), moves),
        ("Meter pits", _pits(world, radio), f"{SCENARIO}; no measured 868 MHz figure could be read in full", moves),
        ("Houses", _entry(radio, "indoor"), "ITU-R P.2109-1; traditional construction is assumed", moves),
        (
            "Noise at gateways",
            f"{radio.gateway_noise_figure_db:g} dB noise figure and {radio.man_made_noise_db:g} dB man-made",
            f"{SCENARIO}; towns reach 12–17 dB man-made",
            moves,
        ),
        (
            "Antennas",
            f"device {radio.device_antenna_gain_dbi:+g} dBi at {radio.device_power_dbm:g} dBm conducted; gateway "
            f"{radio.gateway_antenna_gain_dbi:+g} dBi less {radio.gateway_cable_loss_db:g} dB of cable",
            f"{SCENARIO}; RP002-1.0.4 §2.4.3 for the power",
            moves,
        ),
        ("Gateway sites", _sites(world), "sites.csv of the scenario, column position_status", moves),
        (
            "Shadowing",
            f"σ {radio.shadowing_sigma_db:g} dB per link for ever, {radio.shadowing_correlation:.0%} of the variance "
            "common to a sensor's links",
            "Petäjäjärvi et al., ITST 2015; 3GPP TR 36.814 table A.2.1.1-1",
            moves,
        ),
        (
            "Slow fading",
            f"σ {radio.slow_fading.sigma_db:g} dB, correlation time "
            f"{radio.slow_fading.correlation_time_us / 3.6e9:g} h, per link",
            "assumption; Valenzuela et al., IEEE Wireless Comm. Lett. 9(10), 2020 lead to more at 5.8 GHz",
            False,
        ),
        (
            "Fading per frame",
            f"{radio.frame_fading.law}, σ {radio.frame_fading.sigma_db:g} dB"
            if radio.frame_fading.law == "lognormal"
            else radio.frame_fading.law,
            "assumption; Ahumada et al., IEEE Comm. Lett. 10(4), 2006 for static links",
            False,
        ),
        (
            "Interference",
            f"policy {radio.policy}; {radio.concentrator} demodulators; foreign networks are not modelled",
            "Croce et al., IEEE Comm. Lett. 22(4), 2018; Semtech datasheet",
            False,
        ),
        (
            "Outages of gateways",
            f"each gateway is up {outages.mean_between_us / US_PER_DAY:g} days and out "
            f"{outages.mean_length_us / US_PER_HOUR:g} h in the mean, both exponential, other ones in every world"
            if outages
            else "none: every open gateway hears and sends all the time",
            SCENARIO,
            False,
        ),
        (
            "Sensors not sampled",
            "in the exact tier they take up air and demodulators, carry no bytes, join no network, cause no downlinks",
            "simplification of the exact tier; the batch tier simulates everybody",
            False,
        ),
        (
            "Sensor positions",
            "around the town centre or anywhere in a disc of the commune's area; communes have no outlines here",
            "INSEE and IGN figures in communes.csv; shares assumed",
            False,
        ),
        ("Traffic", _traffic(world), f"{SCENARIO}; usual for water meters", False),
        (
            "Activation",
            f"OTAA devices start somewhen in the first day and join at {_join_rates(world)}, within the join back-off; "
            "they stay at the data rate that joined until ADR moves them",
            "LoRaWAN 1.0.4 §6.2.4 and §7; DR0 as LoRaMac-node's examples do",
            False,
        ),
        (
            "ADR of the network",
            f"maximum SNR of 20 uplinks less {scenario.network.adr_margin_db:g} dB, from the first uplink on",
            "Semtech, simple rate adaptation recommended algorithm, 2016",
            False,
        ),
        (
            "Gateway timing",
            f"{scenario.network.backhaul_delay_us / 1000:g} ms each way; PULL_DATA and stat once an hour instead of "
            "5 and 30 s",
            "assumption; nothing closes the way back in a simulated link",
            False,
        ),
    ]
    out = [Assumption(name=name, value=value, source=source, decides=decides) for name, value, source, decides in rows]
    return sorted(out, key=lambda row: not row["decides"])


def _five_db_decide(stage: Stage) -> bool:
    for row in stage["clauses"]["territory"]:
        expected = row["expected"]
        if expected is None:
            continue
        reached = {value >= row["figure"] for value in expected.values() if isinstance(value, float)}
        if len(reached) > 1:
            return True
    return False


def _ground(world: StageWorld) -> tuple[str, str]:
    ground = world.ground
    if ground is None:
        return "flat: hills, bluffs and woods are not in the losses", "the path loss knows distance alone"
    hidden = int((~np.isfinite(ground.of(world.gateways))).all(axis=1).sum())
    holes = f"; {hidden} sensors lie behind holes of it and are never heard" if hidden else ""
    kind = "modelled, not measured" if ground.kind == "modelled" else ground.kind
    return f"terrain {kind}; no woods, no single buildings{holes}", ground.source


def _path_loss(world: StageWorld) -> tuple[str, str]:
    path = world.loaded.scenario.radio.path_loss
    if path.model == "p1812":
        around = path.terminal_clutter.replace("_", " ")
        value = f"ITU-R P.1812-8, p 50 %, pL 50 %; around each sensor {around} clutter"
        return value, "ITU-R P.1812-8; P.2108-1 §3.1"
    if path.model == "itm":
        return "Irregular Terrain Model 1.2.2, time and locations 50 %", "NTIA Report 82-100; Hufford 1995"
    links = world.links
    best = links.gain_db.argmax(axis=1)
    outside = links.extrapolated[range(len(best)), best].mean() if len(best) else 0.0
    name = f"Okumura-Hata, {path.environment}" if path.model == "okumura-hata" else path.model
    value = f"{name}; outside its range of heights or distances on {outside:.0%} of the sensors' best links"
    return value, "M. Hata, IEEE Trans. Veh. Tech. VT-29(3), 1980" if path.model == "okumura-hata" else SCENARIO


def _entry(radio: Radio, placement: str) -> str:
    entry = radio.entry_loss.get(placement)
    if entry is None:
        return "no loss"
    if entry.building is not None:
        return f"building entry loss, {entry.building} building"
    return f"{entry.mean_db:g} ± {entry.sigma_db:g} dB"


def _pits(world: StageWorld, radio: Radio) -> str:
    population = world.loaded.scenario.population
    if population is None:
        return "none"
    lids = population.lids
    return f"{population.pits:.0%} of the sensors; lids " + ", ".join(
        f"{name} {share:.0%} ({_entry(radio, f'pit-{name}')})"
        for name, share in (("plastic", lids.plastic), ("concrete", lids.concrete), ("cast-iron", lids.cast_iron))
    )


def _sites(world: StageWorld) -> str:
    sites = world.open_sites
    real = sum(site.position_status.startswith("real") for site in sites)
    heights = sorted(site.antenna_height_m for site in sites)
    spread = f"antennas at {heights[0]:g}–{heights[-1]:g} m above ground" if heights else ""
    return f"{real} of {len(sites)} positions are real structures, the others estimated; {spread}"


def _join_rates(world: StageWorld) -> str:
    population = world.loaded.scenario.population
    rates = population.join_data_rates if population is not None else (0,)
    return ", ".join(f"DR{rate}" for rate in rates)


def _traffic(world: StageWorld) -> str:
    population = world.population
    if not population:
        return "none"
    mean = sum(sensor.uplinks_per_day for sensor in population) / len(population)
    return f"{mean:.2f} uplinks a day and sensor on average, {len(population):,} sensors"
