"""Everything a coverage export needs, gathered once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.coverage.sites import Masts
from bench.coverage.terrain_for import Ground
from bench.runner.radio import placements
from radio_sim.coverage.budgets import Losses, Terminal
from radio_sim.coverage.loss_model import LossModel
from radio_sim.coverage.reception import Spread, spread_of
from radio_sim.coverage.results import Coverage
from radio_sim.coverage.self_check import SelfCheck
from radio_sim.terrain.grid import HeightGrid
from scenarios.places import Commune
from scenarios.schema import Radio


@dataclass(frozen=True, slots=True)
class Classes:
    """The placement classes of a scenario as receivers: their spread, and the height their path loss is taken at."""

    spreads: Mapping[str, Spread]

    @classmethod
    def of(cls, radio: Radio, freq_hz: float) -> Classes:
        """Outdoor first, then as the scenario lists them."""
        table = placements(radio)
        names = ["outdoor", *(name for name in table if name != "outdoor")]
        return cls(
            {
                name: spread_of(
                    table[name],
                    sigma_db=radio.shadowing_sigma_db,
                    site_correlation=radio.shadowing_correlation,
                    freq_hz=freq_hz,
                )
                for name in names
            }
        )


def terminal_of(radio: Radio) -> Terminal:
    """The device's end of a scenario's links. Each gateway has its own RX1 EIRP."""
    return Terminal(
        conducted_dbm=radio.device_power_dbm,
        antenna_gain_dbi=radio.device_antenna_gain_dbi,
        noise_figure_db=radio.device_noise_figure_db,
        rx2_eirp_dbm=radio.gateway_eirp_g3_dbm,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """A finished map. loss_db: [gateway, ny, nx], without entry loss. by_placement: answers, outdoor first.

    communes: those whose centre lies within the area. parameters: name and value for tags and legends, in order.
    """

    title: str
    ground: Ground
    masts: Masts
    model: LossModel
    terminal: Terminal
    classes: Classes
    radio: Radio
    loss_db: Losses
    check: SelfCheck
    by_placement: Mapping[str, Coverage]
    rx_height_m: float
    sf_margin_db: float
    communes: Sequence[Commune] = ()
    notes: Sequence[str] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def grid(self) -> HeightGrid:
        """The heights."""
        return self.ground.grid

    @property
    def mark(self) -> str:
        """The words every picture carries where the terrain was never measured."""
        return "modelled terrain: not measured" if self.ground.modelled else ""

    def xy(self, lat: float, lon: float) -> tuple[float, float]:
        """Easting and northing in m."""
        x, y = self.grid.xy_of(lat, lon)
        return float(x), float(y)


def parameters_of(found: Map) -> dict[str, str]:
    """What distinguishes this map, for tags and legends."""
    radio, terminal = found.radio, found.terminal
    gains = sorted({gateway.antenna_gain_dbi for gateway in found.masts.gateways})
    noises = sorted({round(gateway.noise_dbm(), 2) for gateway in found.masts.gateways})
    return {
        "model": found.model.title,
        "frequency": f"{found.model.freq_hz / 1e6:g} MHz",
        "terrain": f"{found.grid.source} ({found.grid.kind})",
        "pixel": f"{found.grid.pixel_size_m:g} m, {found.grid.crs}",
        "device antenna": f"{found.rx_height_m:g} m above ground, {terminal.antenna_gain_dbi:g} dBi",
        "device power": f"{terminal.conducted_dbm:g} dBm conducted, {terminal.eirp_dbm:g} dBm EIRP",
        "gateway antenna": f"{_list(gains)} dBi",
        "gateway noise": f"{_list(noises)} dBm in 125 kHz",
        "gateway EIRP": f"{_list(sorted({g.tx_power_eirp_dbm for g in found.masts.gateways}))} dBm, "
        f"{terminal.rx2_eirp_dbm:g} dBm in RX2",
        "margin for a spreading factor": f"{found.sf_margin_db:g} dB",
        "location variability": f"σ {radio.shadowing_sigma_db:g} dB, {100 * radio.shadowing_correlation:g} % of its "
        "variance common to all gateways, and the spread of the placement's entry loss",
        **({"losses changed by": f"{-radio.link_offset_db:+g} dB"} if radio.link_offset_db else {}),
        "self-check": str(found.check),
    }


def _list(values: Sequence[float]) -> str:
    return f"{values[0]:g}" if len(values) == 1 else f"{values[0]:g} … {values[-1]:g}"


def thinned(found: Map, most_pixels: int) -> tuple[int, HeightGrid]:
    """Every how many pixels to show, and the heights so thinned: pixel (i, j) is pixel (n·i, n·j) of the map."""
    rows, cols = found.grid.shape
    step = max(1, int(np.ceil(np.sqrt(rows * cols / most_pixels))))
    grid = found.grid
    if step == 1:
        return 1, grid
    size = grid.pixel_size_m * step
    # The kept pixel's centre stays where it is: the corner moves out by the half pixels that were added around it.
    shift = (size - grid.pixel_size_m) / 2
    heights = np.ascontiguousarray(grid.heights[::step, ::step])
    return step, HeightGrid(heights, grid.crs, grid.west_m - shift, grid.north_m + shift, size, grid.kind, grid.source)
