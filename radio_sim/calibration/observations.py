"""Measured uplinks as the fit takes them: one row per frame and gateway, received or missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from radio_sim.draws import Floats
from radio_sim.model import SNR_REPORT_MAX_DB

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def signal_power_dbm(
    rssi_dbm: npt.ArrayLike, snr_db: npt.ArrayLike, *, snr_max_db: float = SNR_REPORT_MAX_DB
) -> Floats:
    """The power of the signal alone from a gateway's packet RSSI and SNR: RSSI − 10·log10(1 + 10^(−SNR / 10)).

    A concentrator's RSSI is signal plus noise in the channel, so below the noise it shows the noise. Where the SNR is
    at its ceiling the true one is unknown and no less, and the RSSI itself is taken: at most 0.41 dB too much.

    Source: inverse of `radio_sim.chip_report.report_rssi_dbm`; Semtech SX1276 datasheet rev. 4 §5.5.5 gives the same
    for a transceiver far below the noise, RSSI + SNR.
    """
    rssi, snr = np.asarray(rssi_dbm, float), np.asarray(snr_db, float)
    corrected: Floats = np.where(snr >= snr_max_db, rssi, rssi - 10.0 * np.log10(1.0 + 10.0 ** (-snr / 10.0)))
    return corrected


def noise_estimate_dbm(
    rssi_dbm: npt.ArrayLike, snr_db: npt.ArrayLike, *, snr_max_db: float = SNR_REPORT_MAX_DB, least: int = 20
) -> float:
    """The noise in a gateway's channel: the median of signal − SNR over frames whose SNR is not at its ceiling.

    Reception selects by signal, not by noise, so the frames that came through tell it without bias. NaN where fewer
    than `least` frames tell.
    """
    snr = np.asarray(snr_db, float)
    told = (signal_power_dbm(rssi_dbm, snr, snr_max_db=snr_max_db) - snr)[snr < snr_max_db]
    return float(np.median(told)) if told.size >= least else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """Columns of one length.

    predicted_dbm: received power that the model expects in the mean, its class's mean loss included. floor_dbm: least
    power at which that frame's SF is received there: the gateway's noise + the SNR floor. signal_dbm: as measured, NaN
    where the frame was missed. kind: index into `classes`. cluster: rows of one number share what the model does not
    know (one number per device: its pit, its surroundings); each row its own by default. weight ≥ 0: what the row
    counts in the fit. frames: how many frames it stands for, for the reader alone; missed ones of one floor are alike.
    """

    predicted_dbm: Floats
    floor_dbm: Floats
    signal_dbm: Floats
    kind: Ints
    classes: tuple[str, ...]
    cluster: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    weight: Floats = field(default_factory=lambda: np.zeros(0))
    frames: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        n = len(self.predicted_dbm)
        if not self.cluster.size:
            object.__setattr__(self, "cluster", np.arange(n))
        if not self.weight.size:
            object.__setattr__(self, "weight", np.ones(n))
        if not self.frames.size:
            object.__setattr__(self, "frames", np.ones(n, dtype=np.int64))
        columns = (self.floor_dbm, self.signal_dbm, self.kind, self.cluster, self.weight, self.frames)
        if any(column.shape != (n,) for column in columns):
            raise ValueError("the columns of observations have different lengths")
        if n and not 0 <= int(self.kind.min()) <= int(self.kind.max()) < len(self.classes):
            raise ValueError(f"class numbers are not within 0 … {len(self.classes) - 1}")
        if not (np.isfinite(self.predicted_dbm).all() and np.isfinite(self.floor_dbm).all()):
            raise ValueError("predicted powers and floors must be finite")
        if not np.isfinite(self.weight).all() or (self.weight < 0).any():
            raise ValueError("weights must be finite and at least 0")

    @property
    def received(self) -> Bools:
        """Rows whose frame came through."""
        came: Bools = ~np.isnan(self.signal_dbm)
        return came

    def rows(self, keep: Bools) -> Observations:
        """The rows marked in `keep`."""
        return Observations(
            self.predicted_dbm[keep],
            self.floor_dbm[keep],
            self.signal_dbm[keep],
            self.kind[keep],
            self.classes,
            self.cluster[keep],
            self.weight[keep],
            self.frames[keep],
        )

    @classmethod
    def of_classes(
        cls, predicted_dbm: Floats, floor_dbm: Floats, signal_dbm: Floats, names: Sequence[str]
    ) -> Observations:
        """From the class name of every row."""
        classes, kind = np.unique(np.asarray(names, dtype=str), return_inverse=True)
        return cls(predicted_dbm, floor_dbm, signal_dbm, kind.astype(np.int64), tuple(classes.tolist()))
