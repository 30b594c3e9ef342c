"""The closed-form expectation over every sensor of the territory, beside the sampled month."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.runner.plan import StageWorld
from lorawan.trace import Outcome
from radio_sim.background import adr_spreading_factor
from radio_sim.expectation import daily_heard_probability, heard_within, margins_db
from scenarios.kpi.heard import WINDOW_DAYS
from scenarios.schema import Measure

OFFSETS_DB: dict[str, float] = {"0": 0.0, "+5": 5.0, "-5": -5.0}


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """daily [sensor, day] and fortnight [sensor, scored day]: chances of being heard, over the whole population."""

    daily: npt.NDArray[np.float32]
    fortnight: npt.NDArray[np.float32]

    def measure(self, measure: Measure, keep: npt.NDArray[np.bool_] | npt.NDArray[np.integer] | slice) -> float:
        """The expected value of a clause's measure over the kept sensors."""
        if measure == "monthly-connectivity":
            return float(self.daily[keep].mean())
        shares = (self.daily if measure == "daily-share" else self.fortnight)[keep].mean(axis=0)
        return float(shares.min())


def interference_loss(outcomes: Mapping[str, int]) -> float:
    """Share of frames, 0 … 1, that interference took of those that would have arrived without it; 0 without any.

    outcomes: frames by `lorawan.trace.Outcome`.
    """
    lost = outcomes.get(Outcome.COLLIDED, 0) + outcomes.get(Outcome.NO_DEMODULATOR, 0)
    return lost / max(1, lost + outcomes.get(Outcome.DELIVERED, 0))


def expectations(world: StageWorld, frame_loss: float) -> dict[str, Expectation]:
    """By link offset "0", "+5", "-5". Every sensor is taken as joined, at the SF that ADR gives its mean SNR.

    frame_loss: `interference_loss` of the month.
    """
    radio = world.loaded.scenario.radio
    uplinks = np.array([sensor.uplinks_per_day for sensor in world.population], dtype=float)
    margin_db = world.loaded.scenario.network.adr_margin_db

    def at(offset_db: float) -> Expectation:
        daily = daily_heard_probability(
            world.links,
            world.model,
            days=world.warmup_days + world.scored_days,
            uplinks_per_day=uplinks,
            tx_power_dbm=radio.device_power_dbm,
            sf=adr_spreading_factor(
                world.links.gain_db + offset_db, world.links.noise_dbm, radio.device_power_dbm, margin_db
            ),
            link_offset_db=offset_db,
            frame_loss=frame_loss,
        )
        fortnight = heard_within(daily, WINDOW_DAYS)
        return Expectation(daily[:, world.warmup_days :], fortnight[:, world.warmup_days :])

    _ = world.links  # before the threads, which share it
    with ThreadPoolExecutor(len(OFFSETS_DB)) as threads:  # numpy leaves the interpreter to the others meanwhile
        return dict(zip(OFFSETS_DB, threads.map(at, OFFSETS_DB.values()), strict=True))


def best_margins_db(world: StageWorld) -> npt.NDArray[np.float64]:
    """Mean SNR above the floor of SF12 at full power, at each sampled sensor's best gateway."""
    links = world.links.rows(np.asarray(world.sample, dtype=int))
    best: npt.NDArray[np.float64] = margins_db(links, tx_power_dbm=world.tx_power_dbm).max(axis=1)
    return best
