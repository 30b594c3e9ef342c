"""Noise floor and the SNR a LoRa demodulator needs."""

from __future__ import annotations

import math

SNR_FLOOR_DB: dict[int, float] = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
"""Demodulation floor by spreading factor. Source: Semtech SX1276 datasheet rev. 7, table 13; SX1301 datasheet §1."""

THERMAL_NOISE_DBM_PER_HZ = -174.0  # k·T at 290 K. Source: ITU-R P.372-16 §2


def snr_floor_db(sf: int) -> float:
    """The least SNR in dB at which SF7–12 is demodulated. Raises ValueError for another SF."""
    try:
        return SNR_FLOOR_DB[sf]
    except KeyError:
        raise ValueError(f"no SNR floor is tabulated for SF{sf}") from None


def noise_floor_dbm(bw_hz: float, noise_figure_db: float, man_made_noise_db: float = 0.0) -> float:
    """Receiver noise in dBm: −174 + 10·log10(BW) + NF, raised by man-made noise in dB above the receiver's own.

    −117.0 dBm for 125 kHz and 6 dB.
    """
    return THERMAL_NOISE_DBM_PER_HZ + 10.0 * math.log10(bw_hz) + noise_figure_db + man_made_noise_db
