"""What the Irregular Terrain Model is asked and what it answers.

Source: Hufford, Longley, Kissick, "A Guide to the Use of the ITS Irregular Terrain Model in the Area Prediction Mode",
NTIA Report 82-100, 1982 (ranges, meaning); Hufford, "The ITS Irregular Terrain Model, version 1.2.2: the Algorithm".
"""

from __future__ import annotations

import cmath
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Literal


class Climate(IntEnum):
    """Radio climates, numbered as the model numbers them. Source: NTIA Report 82-100."""

    EQUATORIAL = 1
    CONTINENTAL_SUBTROPICAL = 2
    MARITIME_SUBTROPICAL = 3
    DESERT = 4
    CONTINENTAL_TEMPERATE = 5
    MARITIME_TEMPERATE_OVER_LAND = 6
    MARITIME_TEMPERATE_OVER_SEA = 7


Polarisation = Literal["horizontal", "vertical"]
"""Of both antennas."""


class Siting(IntEnum):
    """How a terminal's place was chosen, in area mode. Source: NTIA Report 82-100."""

    RANDOM = 0
    CAREFUL = 1
    VERY_CAREFUL = 2


class VariabilityMode(IntEnum):
    """Which kinds of variability are lumped together. Source: NTIA Report 82-100.

    SINGLE_MESSAGE: time, location and situation are one. ACCIDENTAL: location joins situation. MOBILE: location joins
    time. BROADCAST: all three apart.
    """

    SINGLE_MESSAGE = 0
    ACCIDENTAL = 1
    MOBILE = 2
    BROADCAST = 3


class PropagationMode(IntEnum):
    """The mechanism that carries a path."""

    LINE_OF_SIGHT = 1
    DIFFRACTION = 2
    TROPOSCATTER = 3


class ItmWarning(IntFlag):
    """Where a result is to be taken with care. The bits are those of NTIA's implementation 1.3."""

    TX_HEIGHT = 0x0001
    """Antenna height outside 1–1000 m."""
    RX_HEIGHT = 0x0002
    FREQUENCY = 0x0004
    """Outside 40 MHz–10 GHz."""
    DISTANCE_OVER_1000_KM = 0x0008
    DISTANCE_OVER_2000_KM = 0x0010
    DISTANCE_BELOW_MINIMUM = 0x0020
    """Below five times the difference of effective heights."""
    DISTANCE_BELOW_1_KM = 0x0040
    TX_HORIZON_ANGLE = 0x0080
    """Steeper than 200 mrad."""
    RX_HORIZON_ANGLE = 0x0100
    TX_HORIZON_NEAR = 0x0200
    """Nearer than a tenth of the smooth-earth horizon."""
    RX_HORIZON_NEAR = 0x0400
    TX_HORIZON_FAR = 0x0800
    """Farther than three times the smooth-earth horizon."""
    RX_HORIZON_FAR = 0x1000
    EXTREME_VARIABILITY = 0x2000
    """A quantile beyond 3.1 standard deviations."""
    SURFACE_REFRACTIVITY = 0x4000
    """150–250 N-units at the path's height."""


class ItmError(ValueError):
    """An input the model is not defined for. parameter: its name; value: what was given; limits: what is allowed."""

    def __init__(self, parameter: str, value: float, limits: str) -> None:
        self.parameter, self.value, self.limits = parameter, value, limits
        super().__init__(parameter, value, limits)

    def __str__(self) -> str:
        return f"Irregular Terrain Model: {self.parameter} = {self.value:g} is outside {self.limits}"


def require(parameter: str, value: float, limits: str, within: bool) -> None:
    """Raise ItmError unless within."""
    if not within:
        raise ItmError(parameter, value, limits)


@dataclass(frozen=True, slots=True)
class Variability:
    """The quantiles asked for, in percent, 0 < q < 100: the loss is not exceeded in that share of time, locations and
    situations.

    no_location, no_situation: leave out location variability, or direct situation variability, as in interference
    problems. Source: NTIA Report 82-100, and the variable MDVAR of the Algorithm, §5.
    """

    time_pct: float = 50.0
    location_pct: float = 50.0
    situation_pct: float = 50.0
    mode: VariabilityMode = VariabilityMode.BROADCAST
    no_location: bool = False
    no_situation: bool = False

    def __post_init__(self) -> None:
        for name in ("time_pct", "location_pct", "situation_pct"):
            value: float = getattr(self, name)
            require(name, value, "0 < q < 100 %", 0.0 < value < 100.0)

    @classmethod
    def of_confidence(
        cls, confidence_pct: float, reliability_pct: float, mode: VariabilityMode = VariabilityMode.BROADCAST
    ) -> Variability:
        """Reliability is the quantile of time, confidence that of situations, at the median location."""
        return cls(reliability_pct, 50.0, confidence_pct, mode)

    @classmethod
    def of_mdvar(
        cls, mdvar: int, *, time_pct: float = 50.0, location_pct: float = 50.0, situation_pct: float = 50.0
    ) -> Variability:
        """From the model's own code: the mode, + 10 without location, + 20 without situation variability."""
        require("mdvar", mdvar, "0–3, 10–13, 20–23 and 30–33", 0 <= mdvar < 40 and mdvar % 10 <= 3)
        tens, mode = divmod(mdvar, 10)
        return cls(
            time_pct,
            location_pct,
            situation_pct,
            VariabilityMode(mode),
            no_location=bool(tens & 1),
            no_situation=bool(tens & 2),
        )


@dataclass(frozen=True, slots=True)
class ItmParameters:
    """One radio link but for its terrain. The defaults are average ground and the temperate continental climate.

    tx_height_m, rx_height_m: antennas above ground, 0.5–3000 m. freq_hz: 20 MHz–20 GHz. refractivity: N₀, the surface
    refractivity reduced to sea level, 250–400 N-units. relative_permittivity ≥ 1, conductivity_s_per_m > 0, of the
    ground. Raises ItmError outside these.

    Source: NTIA Report 82-100, its tables of ground constants (average ground) and climates (N₀ 301).
    """

    tx_height_m: float
    rx_height_m: float
    freq_hz: float
    polarisation: Polarisation = "vertical"
    climate: Climate = Climate.CONTINENTAL_TEMPERATE
    refractivity: float = 301.0
    relative_permittivity: float = 15.0
    conductivity_s_per_m: float = 0.005
    variability: Variability = field(default_factory=Variability)

    def __post_init__(self) -> None:
        require("tx_height_m", self.tx_height_m, "0.5–3000 m", 0.5 <= self.tx_height_m <= 3000.0)
        require("rx_height_m", self.rx_height_m, "0.5–3000 m", 0.5 <= self.rx_height_m <= 3000.0)
        require("freq_hz", self.freq_hz, "20 MHz–20 GHz", 20e6 <= self.freq_hz <= 20e9)
        require("refractivity", self.refractivity, "250–400 N-units", 250.0 <= self.refractivity <= 400.0)
        require("relative_permittivity", self.relative_permittivity, "≥ 1", self.relative_permittivity >= 1.0)
        require("conductivity_s_per_m", self.conductivity_s_per_m, "> 0", self.conductivity_s_per_m > 0.0)

    @property
    def ground_impedance(self) -> complex:
        """Z_g, the transfer impedance of the surface relative to free space. Source: the Algorithm, §1."""
        permittivity = complex(self.relative_permittivity, 18_000.0 * self.conductivity_s_per_m / (self.freq_hz / 1e6))
        horizontal = cmath.sqrt(permittivity - 1.0)
        return horizontal / permittivity if self.polarisation == "vertical" else horizontal


@dataclass(frozen=True, slots=True)
class ItmResult:
    """The loss and what led to it. Pairs are (transmitter, receiver).

    loss_db: basic transmission loss; reference_attenuation_db: median below free space before variability;
    surface_refractivity in N-units at the path's height; terrain_irregularity_m: Δh.
    """

    loss_db: float
    mode: PropagationMode
    warnings: ItmWarning
    free_space_db: float
    reference_attenuation_db: float
    distance_m: float
    terrain_irregularity_m: float
    surface_refractivity: float
    effective_heights_m: tuple[float, float]
    horizon_distances_m: tuple[float, float]
    horizon_angles_rad: tuple[float, float]
