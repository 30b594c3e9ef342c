"""Censored (Tobit) maximum likelihood of one class: received power = predicted + offset + σ·z, seen above a floor.

A received frame has the normal density of its residual, a missed one the chance of lying below its floor. Leaving the
missed ones out takes the strong frames for all: the offset comes out too high and σ too small.

With γ = 1 / σ and δ = offset / σ the log-likelihood is concave, so the optimum is the only one; a share of frames
lost for other reasons (collisions, a gateway down) bends it only where a strong frame was missed.

Sources: J. Tobin, Econometrica 26 (1958) 24–36; R. J. Olsen, Econometrica 46 (1978) 1211–1215 (concavity); P. J. Huber,
Proc. 5th Berkeley Symposium 1 (1967) 221–233, and K.-Y. Liang, S. L. Zeger, Biometrika 73 (1986) 13–22 (variance where
the rows of a cluster belong together).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_ndtr

from radio_sim.calibration.observations import Observations
from radio_sim.draws import Floats

SIGMA_MIN_DB, SIGMA_MAX_DB = 0.1, 60.0
_LOG_SQRT_2PI = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True, slots=True, eq=False)
class TobitFit:
    """offset_db, sigma_db with their covariance [2, 2] (dB²), and the log-likelihood at the optimum.

    hessian_covariance: were every row independent; covariance: by clusters, the same where each row is its own.
    converged: the optimiser ended at a stationary point within the bounds of σ.
    """

    offset_db: float
    sigma_db: float
    covariance: Floats
    hessian_covariance: Floats
    log_likelihood: float
    converged: bool


def log_likelihood(observations: Observations, offset_db: float, sigma_db: float, frame_loss: float = 0.0) -> float:
    """Of all rows together, weighted, at one offset and σ > 0 (dB). frame_loss: share lost whatever the signal."""
    terms = _terms(observations, offset_db, sigma_db, frame_loss)
    return float(observations.weight @ terms.value)


def missed_probability(observations: Observations, offset_db: float, sigma_db: float, frame_loss: float) -> Floats:
    """Of every row, whatever became of its frame."""
    t = (observations.floor_dbm - observations.predicted_dbm - offset_db) / sigma_db
    below: Floats = frame_loss + (1.0 - frame_loss) * np.exp(log_ndtr(t))
    return below


def fit_tobit(observations: Observations, *, frame_loss: float = 0.0) -> TobitFit:
    """Fit offset and σ to rows of which at least two were received with differing residuals.

    frame_loss: share of frames lost whatever their signal, 0 … 1. Raises ValueError where the rows cannot tell.
    """
    came = observations.received
    residual = (observations.signal_dbm - observations.predicted_dbm)[came]
    if np.unique(residual).size < 2:
        raise ValueError("at least two received frames with different residuals are needed")
    if not 0.0 <= frame_loss < 1.0:
        raise ValueError(f"frame_loss {frame_loss} is not within 0 … 1")
    total = float(observations.weight.sum())
    spread = max(float(residual.std()), 1.0)

    def objective(parameters: Floats) -> tuple[float, Floats]:
        delta, gamma = parameters.tolist()
        offset_db, sigma_db = delta / gamma, 1.0 / gamma
        terms = _terms(observations, offset_db, sigma_db, frame_loss)
        by_offset, by_sigma = float(observations.weight @ terms.by_offset), float(observations.weight @ terms.by_sigma)
        gradient = np.array([by_offset * sigma_db, -(by_offset * offset_db + by_sigma * sigma_db) * sigma_db])
        return -float(observations.weight @ terms.value) / total, -gradient / total

    found = minimize(
        objective,
        np.array([float(residual.mean()) / spread, 1.0 / spread]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None), (1.0 / SIGMA_MAX_DB, 1.0 / SIGMA_MIN_DB)],
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500, "maxfun": 2_000},
    )
    delta, gamma = found.x.tolist()
    offset_db, sigma_db = delta / gamma, 1.0 / gamma
    terms = _terms(observations, offset_db, sigma_db, frame_loss)
    curvature = -np.array(
        [
            [observations.weight @ terms.offset_offset, observations.weight @ terms.offset_sigma],
            [observations.weight @ terms.offset_sigma, observations.weight @ terms.sigma_sigma],
        ]
    )
    hessian_covariance = _inverse(curvature)
    scores = observations.weight[:, None] * np.stack([terms.by_offset, terms.by_sigma], axis=1)
    inside = SIGMA_MIN_DB * 1.001 < sigma_db < SIGMA_MAX_DB / 1.001
    steepest = float(np.abs(scores.sum(axis=0)).max()) / total * sigma_db
    return TobitFit(
        offset_db=offset_db,
        sigma_db=sigma_db,
        covariance=_clustered(hessian_covariance, scores, observations),
        hessian_covariance=hessian_covariance,
        log_likelihood=float(observations.weight @ terms.value),
        converged=inside and steepest < 1e-4,
    )


def log_missed_and_slope(t: Floats, frame_loss: float) -> tuple[Floats, Floats]:
    """log(ε + (1 − ε)·Φ(t)) and its slope by t, which is the inverse Mills ratio φ / Φ where ε is nil."""
    log_below: Floats = log_ndtr(t)
    log_missed = log_below if frame_loss == 0 else np.logaddexp(np.log(frame_loss), np.log1p(-frame_loss) + log_below)
    return log_missed, np.exp(-0.5 * t * t - _LOG_SQRT_2PI + np.log1p(-frame_loss) - log_missed)


@dataclass(frozen=True, slots=True, eq=False)
class _Terms:
    """The log-likelihood of every row and its derivatives by offset and σ."""

    value: Floats
    by_offset: Floats
    by_sigma: Floats
    offset_offset: Floats
    offset_sigma: Floats
    sigma_sigma: Floats


def _terms(observations: Observations, offset_db: float, sigma_db: float, frame_loss: float) -> _Terms:
    came = observations.received
    mean = observations.predicted_dbm + offset_db
    t = (np.where(came, observations.signal_dbm, observations.floor_dbm) - mean) / sigma_db
    log_missed, mills = log_missed_and_slope(t, frame_loss)
    bend = -mills * (t + mills)
    density = np.log1p(-frame_loss) - np.log(sigma_db) - _LOG_SQRT_2PI - 0.5 * t * t
    slope, curve = np.where(came, -t, mills), np.where(came, -1.0, bend)
    own = np.where(came, 1.0, 0.0)
    return _Terms(
        value=np.where(came, density, log_missed),
        by_offset=-slope / sigma_db,
        by_sigma=-(slope * t + own) / sigma_db,
        offset_offset=curve / sigma_db**2,
        offset_sigma=(curve * t + slope) / sigma_db**2,
        sigma_sigma=(curve * t * t + 2.0 * slope * t + own) / sigma_db**2,
    )


def _inverse(curvature: Floats) -> Floats:
    """Its inverse; NaN where it is not positive definite."""
    if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0:
        return np.full((2, 2), np.nan)
    return np.asarray(np.linalg.inv(curvature), dtype=np.float64)


def _clustered(covariance: Floats, scores: Floats, observations: Observations) -> Floats:
    """H⁻¹·(Σ over clusters of s·sᵀ)·H⁻¹ · G / (G − 1); H⁻¹ itself where every row is a cluster of weight 1."""
    names, group = np.unique(observations.cluster, return_inverse=True)
    alone = len(names) == len(scores) and bool((observations.weight == 1).all())
    if alone or len(names) < 2:
        return covariance
    summed: Floats = np.zeros((len(names), 2))
    np.add.at(summed, group.reshape(-1), scores)
    meat = summed.T @ summed * (len(names) / (len(names) - 1))
    return np.asarray(covariance @ meat @ covariance, dtype=np.float64)
