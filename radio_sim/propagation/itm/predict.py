"""The Irregular Terrain Model (Longley-Rice) over a terrain profile, or over an area known by its Δh."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from radio_sim.compiled import kernel
from radio_sim.model import Floats
from radio_sim.propagation.itm.attenuation import reference_attenuation
from radio_sim.propagation.itm.parameters import (
    ItmParameters,
    ItmResult,
    ItmWarning,
    PropagationMode,
    Siting,
    VariabilityMode,
    require,
)
from radio_sim.propagation.itm.terrain import (
    Pair,
    mean_height,
    path_geometry,
    sited_height,
    smooth_horizon,
    typical_horizon,
    typical_horizon_angle,
)
from radio_sim.propagation.itm.variability import attenuation_quantile, standard_deviate

_Geometry = tuple[float, float, Pair, Pair, Pair, float]
_Outcome = tuple[float, int, float, float]


@kernel
def surface_refractivity(refractivity: float, height: float) -> float:
    """N_s at a height above sea level. Source: NBS Technical Note 101, eq. 4.3."""
    return refractivity * math.exp(-height / 9460.0)


@kernel
def effective_earth_radius(surface_refractivity: float) -> float:
    """In metres. Source: NBS Technical Note 101, eq. 4.4, with the earth's curvature 157e-9 per metre."""
    return 1.0 / (157e-9 * (1.0 - 0.04665 * math.exp(surface_refractivity / 179.3)))


@kernel
def free_space(distance: float, freq_mhz: float) -> float:
    """With the constant the model is defined with."""
    return 32.45 + 20.0 * math.log10(freq_mhz) + 20.0 * math.log10(distance / 1000.0)


@kernel
def _p2p_geometry(heights: Floats, step: float, tx_height: float, rx_height: float, refractivity: float) -> _Geometry:
    surface = surface_refractivity(refractivity, mean_height(heights))
    radius = effective_earth_radius(surface)
    angles, reaches, effective, irregularity = path_geometry(heights, step, radius, tx_height, rx_height)
    return surface, radius, angles, reaches, effective, irregularity


@kernel
def _area_geometry(
    irregularity: float, antennas: Pair, tx_siting: int, rx_siting: int, refractivity: float
) -> _Geometry:
    radius = effective_earth_radius(refractivity)
    tx = sited_height(antennas[0], irregularity, tx_siting)
    rx = sited_height(antennas[1], irregularity, rx_siting)
    angles = typical_horizon_angle(tx, radius, irregularity), typical_horizon_angle(rx, radius, irregularity)
    reaches = typical_horizon(tx, radius, irregularity), typical_horizon(rx, radius, irregularity)
    return refractivity, radius, angles, reaches, (tx, rx), irregularity


@kernel
def _loss(
    distance: float,
    geometry: _Geometry,
    antennas: Pair,
    on_profile: bool,
    freq_mhz: float,
    impedance: complex,
    climate: int,
    mode: int,
    no_location: bool,
    no_situation: bool,
    deviates: tuple[float, float, float],
) -> _Outcome:
    surface, radius, angles, reaches, effective, irregularity = geometry
    reference, mechanism = reference_attenuation(
        distance,
        freq_mhz,
        radius,
        surface,
        angles,
        reaches,
        effective,
        antennas,
        impedance,
        irregularity,
        on_profile,
    )
    attenuation = attenuation_quantile(
        reference,
        distance,
        freq_mhz,
        effective,
        irregularity,
        climate,
        mode,
        no_location,
        no_situation,
        deviates[0],
        deviates[1],
        deviates[2],
    )
    clear = free_space(distance, freq_mhz)
    return attenuation + clear, mechanism, reference, clear


ItmConstants = tuple[float, float, float, float, complex, int, int, bool, bool, tuple[float, float, float]]
"""What `p2p_loss_db` needs besides the terrain: see `itm_constants`."""


def itm_constants(parameters: ItmParameters) -> ItmConstants:
    """The parameters as numbers for the kernel `p2p_loss_db`, once for many paths."""
    variability = parameters.variability
    return (
        float(parameters.tx_height_m),
        float(parameters.rx_height_m),
        float(parameters.refractivity),
        parameters.freq_hz / 1e6,
        parameters.ground_impedance,
        int(parameters.climate),
        int(variability.mode),
        variability.no_location,
        variability.no_situation,
        (
            standard_deviate(variability.time_pct / 100.0),
            standard_deviate(variability.location_pct / 100.0),
            standard_deviate(variability.situation_pct / 100.0),
        ),
    )


@kernel
def p2p_loss_db(heights: Floats, step: float, constants: ItmConstants) -> float:
    """Loss of one path in dB for compiled loops over many: no checks, no warnings.

    heights: metres above sea level from transmitter to receiver, `step` metres apart, at least two, all finite;
    constants: of `itm_constants`. NaN where the surface refractivity leaves 150–400 N-units.
    """
    tx, rx, refractivity, freq_mhz, impedance, climate, mode, no_location, no_situation, deviates = constants
    geometry = _p2p_geometry(heights, step, tx, rx, refractivity)
    if not 150.0 <= geometry[0] <= 400.0:
        return math.nan
    distance = (len(heights) - 1) * step
    return _loss(
        distance,
        geometry,
        (tx, rx),
        True,
        freq_mhz,
        impedance,
        climate,
        mode,
        no_location,
        no_situation,
        deviates,
    )[0]


def _warnings(
    distance: float, geometry: _Geometry, parameters: ItmParameters, deviates: tuple[float, float, float]
) -> ItmWarning:
    surface, radius, angles, reaches, effective, _ = geometry
    smooth = [smooth_horizon(height, radius) for height in effective]
    z_time, z_location, z_situation = deviates
    mode = parameters.variability.mode
    used = {
        VariabilityMode.SINGLE_MESSAGE: (z_situation,),
        VariabilityMode.ACCIDENTAL: (z_time, z_situation),
        VariabilityMode.MOBILE: (z_time, z_situation),
        VariabilityMode.BROADCAST: (z_time, z_location, z_situation),
    }[mode]
    raised = {
        ItmWarning.TX_HEIGHT: not 1.0 <= parameters.tx_height_m <= 1000.0,
        ItmWarning.RX_HEIGHT: not 1.0 <= parameters.rx_height_m <= 1000.0,
        ItmWarning.FREQUENCY: not 40e6 <= parameters.freq_hz <= 10e9,
        ItmWarning.DISTANCE_OVER_1000_KM: distance > 1000e3,
        ItmWarning.DISTANCE_OVER_2000_KM: distance > 2000e3,
        ItmWarning.DISTANCE_BELOW_MINIMUM: distance < 5.0 * abs(effective[0] - effective[1]),
        ItmWarning.DISTANCE_BELOW_1_KM: distance < 1e3,
        ItmWarning.TX_HORIZON_ANGLE: abs(angles[0]) > 0.2,
        ItmWarning.RX_HORIZON_ANGLE: abs(angles[1]) > 0.2,
        ItmWarning.TX_HORIZON_NEAR: reaches[0] < 0.1 * smooth[0],
        ItmWarning.RX_HORIZON_NEAR: reaches[1] < 0.1 * smooth[1],
        ItmWarning.TX_HORIZON_FAR: reaches[0] > 3.0 * smooth[0],
        ItmWarning.RX_HORIZON_FAR: reaches[1] > 3.0 * smooth[1],
        ItmWarning.EXTREME_VARIABILITY: any(abs(z) > 3.10 for z in used),
        ItmWarning.SURFACE_REFRACTIVITY: surface < 250.0,
    }
    return ItmWarning(sum(warning for warning, holds in raised.items() if holds))


def _result(distance: float, geometry: _Geometry, parameters: ItmParameters, on_profile: bool) -> ItmResult:
    surface, _, angles, reaches, effective, irregularity = geometry
    # Within these limits the effective earth radius is within its own, 4000–13333 km.
    require("surface refractivity", surface, "150–400 N-units", 150.0 <= surface <= 400.0)
    tx, rx, _, freq_mhz, impedance, climate, mode, no_location, no_situation, deviates = itm_constants(parameters)
    loss, mechanism, reference, clear = _loss(
        distance,
        geometry,
        (tx, rx),
        on_profile,
        freq_mhz,
        impedance,
        climate,
        mode,
        no_location,
        no_situation,
        deviates,
    )
    return ItmResult(
        loss_db=loss,
        mode=PropagationMode(mechanism),
        warnings=_warnings(distance, geometry, parameters, deviates),
        free_space_db=clear,
        reference_attenuation_db=reference,
        distance_m=distance,
        terrain_irregularity_m=irregularity,
        surface_refractivity=surface,
        effective_heights_m=effective,
        horizon_distances_m=reaches,
        horizon_angles_rad=angles,
    )


def itm_p2p(heights_m: npt.ArrayLike, step_m: float, parameters: ItmParameters) -> ItmResult:
    """Basic transmission loss over a known terrain profile, and every intermediate value.

    heights_m: terrain above sea level at equal steps of step_m metres, from the transmitter's foot to the receiver's,
    both included: at least two, all finite. Raises ItmError for a profile that is not, or where the surface
    refractivity at the path's height leaves 150–400 N-units. Results to be taken with care carry warnings: the model
    is made for 1–2000 km.

    Source: Hufford, "The ITS Irregular Terrain Model, version 1.2.2: the Algorithm"; agrees with NTIA's published
    cases to their printed digits.
    """
    heights = np.ascontiguousarray(heights_m, dtype=np.float64)
    require("number of heights", heights.size, "≥ 2 in one dimension", heights.ndim == 1 and heights.size >= 2)
    require("heights_m", float(np.sum(heights)), "finite heights", bool(np.all(np.isfinite(heights))))
    require("step_m", step_m, "> 0 m", 0.0 < step_m < math.inf)
    tx, rx, refractivity, *_ = itm_constants(parameters)
    geometry = _p2p_geometry(heights, float(step_m), tx, rx, refractivity)
    return _result((heights.size - 1) * float(step_m), geometry, parameters, on_profile=True)


def itm_area(
    distance_m: float,
    terrain_irregularity_m: float,
    parameters: ItmParameters,
    *,
    tx_siting: Siting = Siting.RANDOM,
    rx_siting: Siting = Siting.RANDOM,
) -> ItmResult:
    """Basic transmission loss over terrain known by its irregularity Δh alone: 0 m is water, 30 plains, 90 hills.

    distance_m > 0; terrain_irregularity_m ≥ 0. Raises ItmError otherwise.
    Source: NTIA Report 82-100, with Δh by kind of terrain.
    """
    require("distance_m", distance_m, "> 0 m", 0.0 < distance_m < math.inf)
    require("terrain_irregularity_m", terrain_irregularity_m, "≥ 0 m", 0.0 <= terrain_irregularity_m < math.inf)
    tx, rx, refractivity, *_ = itm_constants(parameters)
    geometry = _area_geometry(float(terrain_irregularity_m), (tx, rx), int(tx_siting), int(rx_siting), refractivity)
    return _result(float(distance_m), geometry, parameters, on_profile=False)
