"""A map of two gateways over made-up hills with a hole, for tests of what is written of a map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench.coverage.make import make_map
from bench.coverage.sites import Masts
from bench.coverage.study import Map
from bench.coverage.terrain_for import Ground
from radio_sim.coverage.loss_model import LossModel
from radio_sim.model import GatewaySite
from radio_sim.terrain.grid import HeightGrid
from scenarios.load import LoadedScenario

SITES = (
    GatewaySite("north & west", 47.4300, 0.8300, 30.0, 3.0, 1.0, man_made_noise_db=3.0),
    GatewaySite("south </script> east", 47.4050, 0.8700, 25.0, 3.0, 1.0, man_made_noise_db=3.0),
)
HOLE = (3, 5)


def small_map(loaded: LoadedScenario) -> Map:
    r, c = np.mgrid[0:70, 0:90]
    heights = (80 + 20 * np.sin(r / 8.0) * np.cos(c / 11.0)).astype(np.float32)
    heights[HOLE] = np.nan
    empty = HeightGrid(heights, "EPSG:32631", 0.0, 0.0, 100.0, "modelled", "made up for a test")
    x, y = (float(v) for v in empty.xy_of(47.4175, 0.85))
    grid = replace(empty, west_m=round(x, -2) - 4_500, north_m=round(y, -2) + 3_500)
    return make_map(
        "Two <gateways> & a hole",
        Ground(grid, notes=("terrain: made up",)),
        Masts(SITES, facts={"north & west": "a tower"}),
        LossModel("okumura-hata"),
        loaded.scenario.radio,
        placements=("outdoor", "pit-cast-iron"),
        communes=loaded.communes,
    )
