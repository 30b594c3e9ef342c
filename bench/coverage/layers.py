"""What a coverage map can show: each quantity with its unit, its classes and their colours, for every picture alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radio_sim.coverage.budgets import Losses
from radio_sim.coverage.results import Coverage

Image = npt.NDArray[np.uint8]

UNKNOWN = "#7d7d7d"
"""Where no loss is known: holes of the terrain and what lies behind them."""


@dataclass(frozen=True, slots=True)
class Band:
    """Values from low upwards, up to the next band. colour: #rrggbb, "" is transparent."""

    low: float
    label: str
    colour: str


@dataclass(frozen=True, slots=True)
class Layer:
    """One quantity. key: for file names; bands: by rising low, the first catching everything below too."""

    key: str
    title: str
    unit: str
    bands: tuple[Band, ...]
    values: Callable[[Coverage], Losses]

    def classes(self, coverage: Coverage) -> npt.NDArray[np.int16]:
        """Index of the band of each place, −1 where unknown."""
        values = self.values(coverage)
        lows = np.array([band.low for band in self.bands[1:]], np.float32)
        index = np.searchsorted(lows, np.nan_to_num(values, nan=-np.inf), side="right").astype(np.int16)
        index[np.isnan(values)] = -1
        return index

    def rgba(self, coverage: Coverage, opacity: float = 1.0) -> Image:
        """Colours, uint8 [ny, nx, 4]."""
        return self.colour_table(opacity)[self.classes(coverage)]

    def colour_table(self, opacity: float = 1.0) -> Image:
        """A row of RGBA a band, and a last one for places that are unknown."""
        colours = [band.colour for band in self.bands]
        return np.array([rgba_of(colour, opacity) for colour in [*colours, UNKNOWN]], np.uint8)


def rgba_of(colour: str, opacity: float = 1.0) -> tuple[int, int, int, int]:
    """#rrggbb as bytes; "" is transparent."""
    if not colour:
        return 0, 0, 0, 0
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue, round(255 * opacity)


def _steps(lows: Sequence[float], colours: Sequence[str], unit: str) -> tuple[Band, ...]:
    """Bands of equal step; the first is open below, the last above."""
    bands = []
    for i, (low, colour) in enumerate(zip(lows, colours, strict=True)):
        if i == 0:
            label = f"below {_figure(lows[1])} {unit}"
        elif i == len(lows) - 1:
            label = f"{_figure(low)} {unit} and more"
        else:
            label = f"{_figure(low)} to {_figure(lows[i + 1])} {unit}"
        bands.append(Band(low, label.strip(), colour))
    return tuple(bands)


def _figure(value: float) -> str:
    return f"{value:g}".replace("-", "−")


# Sequential: matplotlib's viridis, sampled, which colour-blind readers and grey printers can order.
_DEEP = ("#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725")
# Diverging about zero: orange is missing, blue is to spare. After Okabe and Ito (jfly.uni-koeln.de/color, 2008).
_BALANCE = ("#a63603", "#e6793a", "#f7c48f", "#c6dbef", "#7fb2d9", "#3182bd", "#08519c")
_LADDER = ("#08519c", "#3182bd", "#7fb2d9", "#f7d9a8", "#f0a35e", "#c4561c")

RSSI = Layer(
    "rssi",
    "Uplink RSSI at the best gateway",
    "dBm",
    _steps((-200, -140, -130, -120, -110, -100, -90, -80, -70), _DEEP, "dBm"),
    lambda c: c.rssi_dbm,
)
SNR = Layer(
    "snr",
    "Uplink SNR at the best gateway",
    "dB",
    _steps((-100, -20, -15, -10, -5, 0, 5, 10, 20), _DEEP, "dB"),
    lambda c: c.snr_db,
)
MARGIN = Layer(
    "margin",
    "Uplink margin at SF12",
    "dB",
    _steps((-100, -10, 0, 10, 20, 30, 40), _BALANCE, "dB"),
    lambda c: c.margin_db,
)
DOWNLINK = Layer(
    "downlink-rx1",
    "Downlink margin at SF12 in RX1",
    "dB",
    _steps((-100, -10, 0, 10, 20, 30, 40), _BALANCE, "dB"),
    lambda c: c.rx1_margin_db,
)
SF = Layer(
    "sf",
    "Fastest spreading factor with its margin",
    "",
    (
        Band(-99, "SF12 out of reach", ""),
        *(Band(-sf, f"SF{sf}", _LADDER[sf - 7]) for sf in range(12, 6, -1)),
    ),
    lambda c: np.where(c.known, np.where(c.sf > 0, -c.sf.astype(np.float32), np.float32(-99)), np.float32(np.nan)),
)
GATEWAYS = Layer(
    "gateways",
    "Gateways that hear SF12",
    "",
    (
        Band(-1, "none", ""),
        Band(1, "1", "#f0a35e"),
        Band(2, "2", "#f7d9a8"),
        Band(3, "3", "#a8d3c4"),
        Band(4, "4 or 5", "#5bb0a0"),
        Band(6, "6 or 7", "#23807a"),
        Band(8, "8 and more", "#0b4f57"),
    ),
    lambda c: np.where(c.known, c.gateways.astype(np.float32), np.float32(np.nan)),
)
PROBABILITY = Layer(
    "probability",
    "Probability that a gateway hears SF12",
    "%",
    (
        Band(-1, "below 50 %", "#a63603"),
        Band(50, "50 to 80 %", "#e6793a"),
        Band(80, "80 to 90 %", "#f7c48f"),
        Band(90, "90 to 95 %", "#f4ecd8"),
        Band(95, "95 to 99 %", "#7fb2d9"),
        Band(99, "99 % and more", "#08519c"),
    ),
    lambda c: np.float32(100) * c.probability,
)
LAYERS: tuple[Layer, ...] = (RSSI, SNR, SF, MARGIN, DOWNLINK, GATEWAYS, PROBABILITY)

# Tableau 20's order with Okabe and Ito's first; more gateways than colours begin again.
_SERVERS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7a5195", "#8c6d31", "#2f4b7c",
    "#a05195", "#637939", "#bd9e39", "#ad494a", "#6b6ecf", "#17becf", "#9c9ede", "#cedb9c", "#e7969c", "#ce6dbd",
)  # fmt: skip


def server_colour(index: int) -> str:
    """The colour of a gateway's own area."""
    return _SERVERS[index % len(_SERVERS)]


def best_server_layer(gateway_ids: Sequence[str]) -> Layer:
    """Which gateway is best, whether or not it hears."""
    bands = tuple(Band(i, name, server_colour(i)) for i, name in enumerate(gateway_ids))
    return Layer(
        "best-server",
        "Best gateway",
        "",
        bands,
        lambda c: np.where(c.known, c.best_server.astype(np.float32), np.float32(np.nan)),
    )
