"""What P.1812 is asked and what it answers: parameters, path profile, result with every intermediate value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from radio_sim.model import Floats

Polarisation = Literal["horizontal", "vertical"]

# Radio-climatic zones. Source: ITU-R P.1812-8 §3.6 table 3, with the numbers of the ITU-R SG 3 profile format.
SEA, COASTAL_LAND, INLAND = 1, 3, 4

FREQ_HZ = (30e6, 6e9)
DISTANCE_M = (250.0, 3_000_000.0)
ANTENNA_HEIGHT_M = (1.0, 3_000.0)


class P1812Error(ValueError):
    """A parameter or a sample of a profile that P.1812 cannot use. `sample` is its index, None for a parameter."""

    def __init__(self, what: str, sample: int | None = None) -> None:
        super().__init__(what if sample is None else f"sample {sample}: {what}")
        self.what = what
        self.sample = sample


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise P1812Error(f"{name} is {value:g}, not {low:g} to {high:g}")


@dataclass(frozen=True, slots=True)
class P1812Parameters:
    """All but the path. Raises P1812Error where a value is outside the range given here.

    freq_hz: 30 MHz–6 GHz. time_percent p: of an average year for which the loss is not exceeded, 1–50.
    location_percent pL: of the places in a square of side resolution_m for which it is not exceeded, 1–99.
    delta_n: mean refractivity lapse rate in the lowest km, N-units/km, positive, below 157; n0: sea-level surface
    refractivity, N-units; both at the path centre. latitude_deg: of the path centre.
    location_sigma_db: standard deviation σ_L·u_h over places; None computes it from frequency, resolution, receiving
    antenna height and clutter height there (§4.7). building_entry_db and building_entry_sigma_db: median and standard
    deviation of the entry loss of a receiver indoors, as ITU-R P.2109 gives them; 0 outdoors.
    tx_coast_m, rx_coast_m: from each antenna over land to the sea along the path; None reads it from the zones.

    Source: ITU-R P.1812-8 §3, tables 1 to 4. Defaults: ΔN 45 and N0 325 are values of temperate Europe.
    """

    freq_hz: float
    time_percent: float = 50.0
    location_percent: float = 50.0
    polarisation: Polarisation = "vertical"
    delta_n: float = 45.0
    n0: float = 325.0
    latitude_deg: float = 47.0
    location_sigma_db: float | None = None
    resolution_m: float = 100.0
    building_entry_db: float = 0.0
    building_entry_sigma_db: float = 0.0
    tx_coast_m: float | None = None
    rx_coast_m: float | None = None

    def __post_init__(self) -> None:
        _within("freq_hz", self.freq_hz, *FREQ_HZ)
        _within("time_percent", self.time_percent, 1.0, 50.0)
        _within("location_percent", self.location_percent, 1.0, 99.0)
        _within("delta_n", self.delta_n, 0.0, 156.0)
        _within("n0", self.n0, 0.0, 1_000.0)
        _within("latitude_deg", self.latitude_deg, -90.0, 90.0)
        _within("resolution_m", self.resolution_m, 1.0, 1_000.0)
        if self.polarisation not in ("horizontal", "vertical"):
            raise P1812Error(f"polarisation is {self.polarisation!r}, not 'horizontal' or 'vertical'")
        for name in ("location_sigma_db", "building_entry_sigma_db", "tx_coast_m", "rx_coast_m"):
            value = getattr(self, name)
            if value is not None:
                _within(name, value, 0.0, math.inf)


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Samples of a path from the transmitter (first) to the receiver (last), at least two.

    distance_m: along the ground, first 0, rising strictly. ground_m: above mean sea level. clutter_m: representative
    clutter height above ground; the two ends do not count (the antennas' own surroundings), save that the last one
    enters the location variability. None is no clutter. zones: SEA, COASTAL_LAND or INLAND; None is inland.
    Antenna heights are above ground, above 0 m. Samples need not be equidistant; a lone pair is given its middle.

    The Recommendation holds for 250 m to 3000 km and antennas 1 to 3000 m high. Outside, the same formulas are
    evaluated as they stand and `P1812Result.extrapolated` says so: they stay continuous and never fall below free
    space with its short-term enhancement. Raises P1812Error naming the first bad sample.

    Source: ITU-R P.1812-8 §1 (ranges), §3.2 eq. 1c.
    """

    distance_m: Floats
    ground_m: Floats
    tx_height_m: float
    rx_height_m: float
    clutter_m: Floats | None = None
    zones: npt.NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        count = len(self.distance_m)
        if count < 2:
            raise P1812Error(f"a profile has at least 2 samples, this one {count}")
        for name in ("ground_m", "clutter_m", "zones"):
            values = getattr(self, name)
            if values is not None and len(values) != count:
                raise P1812Error(f"{name} has {len(values)} samples, distance_m {count}")
        for name in ("tx_height_m", "rx_height_m"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise P1812Error(f"{name} is {getattr(self, name):g}, not above 0 m")
        if self.distance_m[0] != 0.0:
            raise P1812Error(f"distance {self.distance_m[0]:g} m, not 0", 0)
        self._refuse(~np.isfinite(self.distance_m), "distance is not a number")
        self._refuse(np.diff(self.distance_m, prepend=-1.0) <= 0.0, "distance does not rise")
        self._refuse(~np.isfinite(self.ground_m), "ground height is not a number")
        if self.clutter_m is not None:
            self._refuse(~(np.isfinite(self.clutter_m) & (self.clutter_m >= 0.0)), "clutter height is not 0 m or more")
        if self.zones is not None:
            self._refuse(~np.isin(self.zones, (SEA, COASTAL_LAND, INLAND)), "zone is not 1, 3 or 4")

    def _refuse(self, bad: npt.NDArray[np.bool_], what: str) -> None:
        if bad.any():
            raise P1812Error(what, int(bad.argmax()))


@dataclass(frozen=True, slots=True)
class P1812Result:
    """L_b and what led to it, named after the Recommendation's symbols. Losses in dB; eq. numbers of ITU-R P.1812-8.

    smooth-Earth heights: hst_raw_m, hsr_raw_m as fitted, hst_m, hsr_m limited to the ground (ducting), hstd_m, hsrd_m
    for diffraction. l_bulla_*, l_bulls_*, l_dsph_*: the three parts of delta-Bullington at the median effective
    Earth radius (50) and at that exceeded for β0 % of time (beta). trans_horizon: the terrain hides the receiver.
    """

    distance_km: float
    omega: float
    dtm_km: float
    dlm_km: float
    beta0_percent: float
    ae_km: float
    hts_m: float
    hrs_m: float
    hst_raw_m: float
    hsr_raw_m: float
    hst_m: float
    hsr_m: float
    hstd_m: float
    hsrd_m: float
    hte_m: float
    hre_m: float
    hm_m: float
    dlt_km: float
    dlr_km: float
    theta_t_mrad: float
    theta_r_mrad: float
    theta_mrad: float
    f_i: float
    f_j: float
    f_k: float
    l_bfs_db: float
    l_b0p_db: float
    l_b0beta_db: float
    l_bulla_50_db: float
    l_bulls_50_db: float
    l_dsph_50_db: float
    l_d50_db: float
    l_bulla_beta_db: float
    l_bulls_beta_db: float
    l_dsph_beta_db: float
    l_dbeta_db: float
    l_dp_db: float
    l_bd50_db: float
    l_bd_db: float
    l_minb0p_db: float
    l_ba_db: float
    l_minbap_db: float
    l_bda_db: float
    l_bam_db: float
    l_bs_db: float
    l_bc_db: float
    l_b_db: float
    trans_horizon: bool
    extrapolated: bool


def path_centre_latitude_deg(
    tx_lat_deg: float, tx_lon_deg: float, rx_lat_deg: float, rx_lon_deg: float, distance_m: float
) -> float:
    """Latitude in degrees half of distance_m from the transmitter along the great circle to the receiver.

    distance_m: the profile's length; Earth radius 6371 km. Source: ITU-R P.2001-4 attachment H eq. H.2.5–H.3.3.
    """
    phi_t, phi_r = math.radians(tx_lat_deg), math.radians(rx_lat_deg)
    d_lon = math.radians(rx_lon_deg - tx_lon_deg)
    east = math.cos(phi_r) * math.sin(d_lon)
    north = math.cos(phi_t) * math.sin(phi_r) - math.sin(phi_t) * math.cos(phi_r) * math.cos(d_lon)
    bearing = math.atan2(east, north)
    angle = 0.5 * distance_m / 6_371_000.0
    sine = math.sin(phi_t) * math.cos(angle) + math.cos(phi_t) * math.sin(angle) * math.cos(bearing)
    return math.degrees(math.asin(sine))
