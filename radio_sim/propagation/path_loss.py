"""Median path loss in dB between isotropic antennas: free space, log-distance, Okumura-Hata."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from radio_sim.model import Floats

HataArea = Literal["urban", "suburban", "quasi_open", "open"]

PATH_LOSS_MODELS: tuple[str, ...] = (
    "free_space",
    "log_distance",
    *(f"okumura_hata_{area}" for area in get_args(HataArea)),
)

HATA_FREQ_MHZ = (150.0, 1500.0)
HATA_BASE_M = (30.0, 200.0)
HATA_MOBILE_M = (1.0, 10.0)
HATA_DISTANCE_M = (1_000.0, 20_000.0)


def free_space_db(distance_m: npt.ArrayLike, freq_hz: float) -> Floats:
    """Free-space basic transmission loss, 32.45 + 20·log10(f/MHz) + 20·log10(d/km).

    Valid in the far field; below 1 m the loss at 1 m is returned.
    Source: Recommendation ITU-R P.525-4 §2.3 (its constant, 32.4, is 32.448 unrounded).
    """
    d_km = np.maximum(np.asarray(distance_m, float), 1.0) / 1000.0
    loss: Floats = 32.44778322 + 20.0 * np.log10(freq_hz / 1e6) + 20.0 * np.log10(d_km)
    return loss


def log_distance_db(
    distance_m: npt.ArrayLike, *, reference_loss_db: float, reference_m: float, exponent: float
) -> Floats:
    """Loss at the reference distance + 10·n·log10(d / d₀).

    reference_loss_db in dB at reference_m > 0; exponent n is 2 in free space and 2.7–4 over ground. Distances below
    the reference are taken at the reference. Valid where its three parameters were fitted.
    Source: Rappaport, Wireless Communications, 2nd ed., §4.9.1.
    """
    ratio = np.maximum(np.asarray(distance_m, float) / reference_m, 1.0)
    loss: Floats = reference_loss_db + 10.0 * exponent * np.log10(ratio)
    return loss


def okumura_hata_db(
    distance_m: npt.ArrayLike,
    freq_hz: float,
    *,
    base_height_m: npt.ArrayLike,
    mobile_height_m: npt.ArrayLike,
    area: HataArea,
) -> Floats:
    """Okumura-Hata median loss for small and medium cities and the corrections for other areas, never below free space.

    distance_m along the ground, heights in m above ground; shapes broadcast. Defined for base antennas of 30–200 m,
    mobiles of 1–10 m, 1–20 km and 150–1500 MHz: outside, the formula is extrapolated as it stands, except that
    heights below 1 m count as 1 m and distances below 20 m as 20 m. `okumura_hata_extrapolated` says where.
    Raises ValueError for another area.

    Source: Hata, "Empirical Formula for Propagation Loss in Land Mobile Radio Services", IEEE Trans. Vehicular
    Technology 29(3), 1980: urban area with the mobile correction for a medium-small city, suburban and open area;
    quasi-open, 5 dB above open: 3GPP TS 43.030 (GSM 03.30) annex B.
    """
    if area not in get_args(HataArea):
        raise ValueError(f"{area!r} is none of Okumura-Hata's areas: {', '.join(get_args(HataArea))}")
    distance = np.maximum(np.asarray(distance_m, float), 20.0)
    base = np.maximum(np.asarray(base_height_m, float), 1.0)
    mobile = np.maximum(np.asarray(mobile_height_m, float), 1.0)
    log_f = np.log10(freq_hz / 1e6)
    log_base = np.log10(base)
    mobile_gain = (1.1 * log_f - 0.7) * mobile - (1.56 * log_f - 0.8)
    loss = 69.55 + 26.16 * log_f - 13.82 * log_base - mobile_gain
    loss = loss + (44.9 - 6.55 * log_base) * np.log10(distance / 1000.0)
    if area == "suburban":
        loss = loss - 2.0 * np.log10(freq_hz / 1e6 / 28.0) ** 2 - 5.4
    elif area == "quasi_open":
        loss = loss - 4.78 * log_f**2 + 18.33 * log_f - 35.94
    elif area == "open":
        loss = loss - 4.78 * log_f**2 + 18.33 * log_f - 40.94
    bounded: Floats = np.maximum(loss, free_space_db(distance_m, freq_hz))
    return bounded


def okumura_hata_extrapolated(
    distance_m: npt.ArrayLike, freq_hz: float, *, base_height_m: npt.ArrayLike, mobile_height_m: npt.ArrayLike
) -> npt.NDArray[np.bool_]:
    """True where a link lies outside the ranges Okumura-Hata is defined for. Shapes broadcast.

    Source: Hata 1980, the range of its formulas.
    """

    def outside(values: npt.ArrayLike, limits: tuple[float, float]) -> npt.NDArray[np.bool_]:
        array = np.asarray(values, float)
        return (array < limits[0]) | (array > limits[1])

    mask: npt.NDArray[np.bool_] = (
        outside(distance_m, HATA_DISTANCE_M)
        | outside(base_height_m, HATA_BASE_M)
        | outside(mobile_height_m, HATA_MOBILE_M)
        | outside(freq_hz / 1e6, HATA_FREQ_MHZ)
    )
    return mask
