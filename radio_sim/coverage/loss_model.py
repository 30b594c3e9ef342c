"""Which propagation model a map is made with, its parameters, and the loss of one link by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from radio_sim.model import Floats
from radio_sim.propagation.itm import ItmParameters, Variability, itm_p2p
from radio_sim.propagation.p1812 import P1812Parameters, p1812_loss
from radio_sim.propagation.p1812 import Profile as P1812Profile
from radio_sim.propagation.p2108 import CLUTTER_HEIGHT_M, ClutterType, height_gain_correction_db
from radio_sim.propagation.path_loss import HataArea, free_space_db, log_distance_db, okumura_hata_db

ModelName = Literal["p1812", "itm", "p526", "okumura-hata", "log-distance", "free-space"]
MODELS: tuple[ModelName, ...] = get_args(ModelName)
TITLES: Mapping[ModelName, str] = MappingProxyType(
    {
        "p1812": "ITU-R P.1812-8",
        "itm": "Irregular Terrain Model 1.2.2 (Longley-Rice)",
        "p526": "free space + delta-Bullington (ITU-R P.525-4, P.526-15 §4.5.4)",
        "okumura-hata": "Okumura-Hata",
        "log-distance": "log-distance",
        "free-space": "free space (ITU-R P.525-4)",
    }
)
ON_TERRAIN: frozenset[ModelName] = frozenset({"p1812", "itm", "p526"})
"""The models that see the ground; the others see the distance alone."""

LOWEST_DEVICE_M = 1.0
"""P.1812 holds from 1 m above ground; lower devices count as this high and their placement class carries the rest."""


@dataclass(frozen=True, slots=True)
class LossModel:
    """A model and its parameters.

    time_percent p, location_percent pL: for which the loss is not exceeded, P.1812 and the Irregular Terrain Model.
    hata_area; log_*: of these two models, the log-distance defaults being Petäjäjärvi et al.'s on land in Oulu (ITST
    2015): 128.95 dB at 1 km, exponent 2.32. latitude_deg: of the middle of the area.

    terminal_clutter: what stands around every receiver, for P.1812 and P.526 where no clutter heights are known: the
    path runs to the top of it and ITU-R P.2108 §3.1 takes it down to the antenna. None: the receiver stands in the
    open. Clutter heights of a raster and this are never both used.
    """

    name: ModelName = "p1812"
    freq_hz: int = 868_300_000
    time_percent: float = 50.0
    location_percent: float = 50.0
    hata_area: HataArea = "suburban"
    log_reference_loss_db: float = 128.95
    log_reference_m: float = 1_000.0
    log_exponent: float = 2.32
    latitude_deg: float = 47.0
    resolution_m: float = 100.0
    terminal_clutter: ClutterType | None = None

    def __post_init__(self) -> None:
        if self.name not in MODELS:
            raise ValueError(f"no propagation model is called {self.name!r}: there are {', '.join(MODELS)}")

    @property
    def title(self) -> str:
        """For legends and reports, with what distinguishes it."""
        if self.name == "p1812":
            around = f", {self.terminal_clutter.replace('_', ' ')} around" if self.terminal_clutter else ""
            return f"{TITLES[self.name]}, p {self.time_percent:g} %, pL {self.location_percent:g} %{around}"
        if self.name == "itm":
            return f"{TITLES[self.name]}, time {self.time_percent:g} %, locations {self.location_percent:g} %"
        if self.name == "okumura-hata":
            return f"{TITLES[self.name]}, {self.hata_area.replace('_', '-')}"
        if self.name == "log-distance":
            at = f"{self.log_reference_loss_db:g} dB at {self.log_reference_m:g} m"
            return f"{TITLES[self.name]}, {at}, n {self.log_exponent:g}"
        return TITLES[self.name]

    def path_height_m(self, rx_height_m: float, *, mapped_clutter: bool) -> float:
        """The height above ground to which the path is computed."""
        clutter = self._surrounded(mapped_clutter)
        return rx_height_m if clutter is None else max(rx_height_m, CLUTTER_HEIGHT_M[clutter])

    def terminal_loss_db(self, rx_height_m: float, *, mapped_clutter: bool) -> float:
        """What the surroundings of a receiver at this height add, dB. Source: ITU-R P.2108-1 §3.1."""
        clutter = self._surrounded(mapped_clutter)
        return 0.0 if clutter is None else float(height_gain_correction_db(rx_height_m, self.freq_hz, clutter))

    def _surrounded(self, mapped_clutter: bool) -> ClutterType | None:
        return self.terminal_clutter if self.name in ("p1812", "p526") and not mapped_clutter else None

    def p1812_parameters(self) -> P1812Parameters:
        """For `p1812_loss` and the sweep. Raises P1812Error for percentages out of range."""
        return P1812Parameters(
            float(self.freq_hz),
            time_percent=self.time_percent,
            location_percent=self.location_percent,
            latitude_deg=self.latitude_deg,
            resolution_m=self.resolution_m,
        )

    def itm_parameters(self, tx_height_m: float, rx_height_m: float) -> ItmParameters:
        """For `itm_p2p`. Raises ItmError for values out of range."""
        variability = Variability(time_pct=self.time_percent, location_pct=self.location_percent)
        return ItmParameters(tx_height_m, rx_height_m, float(self.freq_hz), variability=variability)

    def by_distance(
        self, ground_m: npt.ArrayLike, slant_m: npt.ArrayLike, tx_height_m: float, rx_height_m: float
    ) -> Floats:
        """Loss of the models that see the distance alone. Raises ValueError for the others."""
        if self.name == "free-space":
            return free_space_db(slant_m, self.freq_hz)
        if self.name == "log-distance":
            return log_distance_db(
                slant_m,
                reference_loss_db=self.log_reference_loss_db,
                reference_m=self.log_reference_m,
                exponent=self.log_exponent,
            )
        if self.name == "okumura-hata":
            return okumura_hata_db(
                ground_m, self.freq_hz, base_height_m=tx_height_m, mobile_height_m=rx_height_m, area=self.hata_area
            )
        raise ValueError(f"{self.name} needs the terrain")

    def over(
        self,
        distance_m: Floats,
        ground_m: Floats,
        tx_height_m: float,
        rx_height_m: float,
        clutter_m: Floats | None = None,
    ) -> float:
        """Loss in dB over a profile without holes, evenly spaced, of two points or more.

        clutter_m: heights above ground; P.1812 and P.526 take them. Heights of antennas in m above ground.
        """
        rx_height_m = max(rx_height_m, LOWEST_DEVICE_M)
        total = float(distance_m[-1])
        if self.name not in ON_TERRAIN:
            slant = float(np.hypot(total, ground_m[0] + tx_height_m - ground_m[-1] - rx_height_m))
            return float(self.by_distance(total, slant, tx_height_m, rx_height_m))
        if self.name == "itm":
            return itm_p2p(
                ground_m, total / (len(distance_m) - 1), self.itm_parameters(tx_height_m, rx_height_m)
            ).loss_db
        mapped = clutter_m is not None
        reach_m = self.path_height_m(rx_height_m, mapped_clutter=mapped)
        profile = P1812Profile(distance_m, ground_m, tx_height_m, reach_m, clutter_m)
        result = p1812_loss(profile, self.p1812_parameters())
        path = result.l_bfs_db + result.l_d50_db if self.name == "p526" else result.l_b_db
        return path + self.terminal_loss_db(rx_height_m, mapped_clutter=mapped)
