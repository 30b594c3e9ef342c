"""The censored fit where the links of one device share what is peculiar to it: its pit, its wall, its surroundings.

Received power = predicted + offset + u(device) + s·z, u normal with σ_u. ADR makes this matter: a device that lies well
sends at SF7, whose floor is high, and one that lies badly at SF12, so a frame's floor tells of its device. Taken link
by link, that is mistaken for loss; with u in the model it is not, for given u the links are as good as independent and
the SF follows from powers that were received.

The likelihood of a device is the integral over u, by the trapezoidal rule on ±6 σ_u, which converges geometrically for
such integrands. Frames of one link weigh in as the rows say; the standard errors are by device.

Sources: J. Butler, R. Moffitt, Econometrica 50 (1982) 761–764 (the likelihood); D. Rubin, Biometrika 63 (1976) 581–592
(when what decides on missing values may be left out); P. J. Huber, as in `tobit`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logsumexp

from radio_sim.calibration.observations import Observations
from radio_sim.calibration.tobit import SIGMA_MAX_DB, SIGMA_MIN_DB, fit_tobit, log_missed_and_slope
from radio_sim.draws import Floats

_STEP = 0.2
_NODES = np.arange(-6.0, 6.0 + _STEP / 2, _STEP)
_LOG_WEIGHTS = -0.5 * _NODES**2 + math.log(_STEP / math.sqrt(2.0 * math.pi))
_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
_BLOCK_ROWS = 20_000
_H = 1e-3  # dB, of the derivative of the gradient


@dataclass(frozen=True, slots=True, eq=False)
class DeviceFit:
    """offset_db, and the spread by device and within it; covariance of (offset, spread within, spread by device)."""

    offset_db: float
    within_sigma_db: float
    device_sigma_db: float
    covariance: Floats
    log_likelihood: float
    converged: bool

    @property
    def sigma_db(self) -> float:
        """The spread of both together."""
        return math.hypot(self.within_sigma_db, self.device_sigma_db)

    @property
    def sigma_variance(self) -> float:
        """Variance of the estimate of `sigma_db`."""
        slope = np.array([0.0, self.within_sigma_db, self.device_sigma_db]) / self.sigma_db
        return float(slope @ self.covariance @ slope)


def fit_devices(observations: Observations, *, frame_loss: float = 0.0) -> DeviceFit:
    """Fit offset and both spreads. Raises ValueError as `fit_tobit` does."""
    start = fit_tobit(observations, frame_loss=frame_loss)
    model = _Model(observations, frame_loss)
    total = float(observations.weight.sum())

    def objective(parameters: Floats) -> tuple[float, Floats]:
        offset, within, device = parameters[0], math.exp(parameters[1]), math.exp(parameters[2])
        value, scores = model.evaluate(offset, within, device)
        return -value / total, -scores.sum(axis=0) * np.array([1.0, within, device]) / total

    half = math.log(start.sigma_db / math.sqrt(2.0))
    bounds = (math.log(SIGMA_MIN_DB), math.log(SIGMA_MAX_DB))
    found = minimize(
        objective,
        np.array([start.offset_db, half, half]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None), bounds, bounds],
        options={"ftol": 1e-13, "gtol": 1e-7, "maxiter": 200},
    )
    at = np.array([found.x[0], math.exp(found.x[1]), math.exp(found.x[2])])
    value, scores = model.evaluate(*at)
    within_bounds = bool(np.all(at[1:] > 2 * SIGMA_MIN_DB) and np.all(at[1:] < SIGMA_MAX_DB / 1.001))
    return DeviceFit(
        offset_db=float(at[0]),
        within_sigma_db=float(at[1]),
        device_sigma_db=float(at[2]),
        covariance=model.covariance(at, scores),
        log_likelihood=value,
        converged=within_bounds and float(np.abs(scores.sum(axis=0)).max()) / total < 1e-3,
    )


def device_log_likelihood(
    observations: Observations, offset_db: float, within_db: float, device_db: float, frame_loss: float = 0.0
) -> float:
    """Of all rows at these parameters; both spreads above 0, in dB."""
    return _Model(observations, frame_loss).evaluate(offset_db, within_db, device_db)[0]


class _Model:
    """The rows by device: sums of the received ones, which are all their likelihood asks for, and the missed ones."""

    def __init__(self, rows: Observations, frame_loss: float) -> None:
        names, device = np.unique(rows.cluster, return_inverse=True)
        device = device.reshape(-1)
        came, count = rows.received, len(names)
        residual, weight, owner = (rows.signal_dbm - rows.predicted_dbm)[came], rows.weight[came], device[came]
        self._sums = [np.bincount(owner, weights=weight * residual**power, minlength=count) for power in range(3)]
        order = np.argsort(device[~came], kind="stable")
        self._owner = device[~came][order]
        self._short = (rows.floor_dbm - rows.predicted_dbm)[~came][order]
        self._weight = rows.weight[~came][order]
        self._count, self._frame_loss = count, frame_loss

    def evaluate(self, offset: float, within: float, device: float) -> tuple[float, Floats]:
        """The log-likelihood, and its slopes by (offset, within, device) of every device."""
        weight, first, second = (column[:, None] for column in self._sums)
        shift = offset + device * _NODES
        squares = second - 2.0 * shift * first + weight * shift**2
        each = weight * (math.log1p(-self._frame_loss) - math.log(within) - _LOG_SQRT_2PI) - squares / (2 * within**2)
        by_shift = (first - weight * shift) / within**2
        by_within = squares / within**3 - weight / within
        for begin in range(0, len(self._owner), _BLOCK_ROWS):
            part = slice(begin, begin + _BLOCK_ROWS)
            t = (self._short[part, None] - shift) / within
            log_missed, mills = log_missed_and_slope(t, self._frame_loss)
            row_weight = self._weight[part, None]
            owners, starts = np.unique(self._owner[part], return_index=True)
            slope = row_weight * mills / within
            each[owners] += np.add.reduceat(row_weight * log_missed, starts)
            by_shift[owners] -= np.add.reduceat(slope, starts)
            by_within[owners] -= np.add.reduceat(slope * t, starts)
        joint = each + _LOG_WEIGHTS
        log_likelihood = logsumexp(joint, axis=1, keepdims=True)
        share = np.exp(joint - log_likelihood)
        scores = np.stack(
            [(share * by_shift).sum(axis=1), (share * by_within).sum(axis=1), (share * by_shift) @ _NODES], axis=1
        )
        return float(log_likelihood.sum()), scores

    def covariance(self, at: npt.NDArray[np.float64], scores: Floats) -> Floats:
        """H⁻¹·(Σ over devices of s·sᵀ)·H⁻¹ · G / (G − 1); NaN where the likelihood has no peak here."""
        curvature = np.empty((3, 3))
        for i in range(3):
            step = np.zeros(3)
            step[i] = min(_H, 0.5 * float(at[i])) if i else _H
            up, down = (self.evaluate(*(at + sign * step))[1].sum(axis=0) for sign in (1.0, -1.0))
            curvature[i] = -(up - down) / (2.0 * step[i])
        curvature = (curvature + curvature.T) / 2.0
        if self._count < 2 or not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0:
            return np.full((3, 3), np.nan)
        inverse = np.linalg.inv(curvature)
        meat = scores.T @ scores * (self._count / (self._count - 1))
        return np.asarray(inverse @ meat @ inverse, dtype=np.float64)
