"""The fit of a network's losses to its uplinks: offset and σ per class, what is common to all, before and after."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from radio_sim.calibration.device_effect import device_log_likelihood, fit_devices
from radio_sim.calibration.observations import Observations
from radio_sim.calibration.tobit import fit_tobit, log_likelihood, missed_probability
from radio_sim.draws import Floats

Z95 = 1.959963984540054
FEW_CLUSTERS = 20  # below, cluster-robust intervals are too narrow: Cameron, Gelbach, Miller, REStat 90 (2008) 414–427
_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True, slots=True)
class Quality:
    """How a model meets the rows of a class; frames are counted by weight.

    bias_db, rmse_db: measured − predicted over received frames. Received frames are the strong ones, so a right model
    shows a bias of selected_bias_db there, not 0. heard_share: that the model expects, to hold against the observed.
    """

    bias_db: float
    selected_bias_db: float
    rmse_db: float
    heard_share: float
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class ClassFit:
    """A class's fit. offset_db is added to the received power; every figure in dB.

    received, missed: frames, counted at each gateway; clusters: devices. offset_se_db, sigma_se_db: standard errors,
    NaN where the rows cannot tell. device_sigma_db: the part of σ that is the device's own, the same at every gateway;
    NaN where rows were taken for independent. naive_offset_db: the mean residual of the received frames alone, for
    comparison. deviation_db: offset − the overall offset, to be taken off the class's mean loss. fitted: False where
    the class keeps its assumed figures.
    """

    name: str
    received: int
    missed: int
    clusters: int
    observed_heard_share: float
    fitted: bool
    offset_db: float
    offset_se_db: float
    sigma_db: float
    sigma_se_db: float
    device_sigma_db: float
    device_sigma_se_db: float
    deviation_db: float
    naive_offset_db: float
    before: Quality
    after: Quality

    @property
    def offset_interval_db(self) -> tuple[float, float]:
        """95 %."""
        return self.offset_db - Z95 * self.offset_se_db, self.offset_db + Z95 * self.offset_se_db

    @property
    def sigma_interval_db(self) -> tuple[float, float]:
        """95 %, on the logarithm of σ."""
        factor = math.exp(Z95 * self.sigma_se_db / self.sigma_db)
        return self.sigma_db / factor, self.sigma_db * factor


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fit of all classes. overall_offset_db ± overall_se_db: that of the reference class, or the mean of the
    classes by their received frames where there is none (reference "")."""

    classes: tuple[ClassFit, ...]
    reference: str
    overall_offset_db: float
    overall_se_db: float
    before_log_likelihood: float
    after_log_likelihood: float
    warnings: tuple[str, ...]


def calibrate(
    observations: Observations,
    *,
    assumed_sigma_db: Mapping[str, float],
    assumed_device_sigma_db: Mapping[str, float] | None = None,
    reference: str = "outdoor",
    frame_loss: float = 0.0,
) -> Calibration:
    """Fit every class by censored maximum likelihood.

    assumed_sigma_db: σ of the residuals that the model expects, by class: the "before", and what an unfitted class
    keeps. assumed_device_sigma_db: the part of it that the rows of a cluster share; None takes rows for independent
    (`tobit`), else the shared part is fitted too (`device_effect`), as networks with ADR need. reference: the class
    that has no loss of its own, whose offset is therefore that of the paths; only through it are the offset of paths
    and that of a class told apart. frame_loss: share of frames lost whatever their signal.
    """
    warnings: list[str] = []
    fits: list[tuple[str, Observations, _Found | None]] = []
    for number, name in enumerate(observations.classes):
        part = observations.rows(observations.kind == number)
        fits.append((name, part, _fit_class(name, part, frame_loss, assumed_device_sigma_db is not None, warnings)))
    found = {name: fit for name, _, fit in fits if fit is not None}
    if reference in found:
        overall, overall_se = found[reference].offset_db, _root(found[reference].offset_variance)
    else:
        received = {name: int(part.frames[part.received].sum()) for name, part, fit in fits if fit is not None}
        total = sum(received.values())
        overall = sum(fit.offset_db * received[name] for name, fit in found.items()) / total if total else 0.0
        variance = sum(fit.offset_variance * (received[name] / total) ** 2 for name, fit in found.items())
        overall_se = _root(variance) if total else math.nan
        if found:
            warnings.append(
                f"no received frame of class {reference}: the offset of the paths and the classes' own losses cannot "
                "be told apart; the mean over classes is called overall"
            )
        reference = ""
    shared = assumed_device_sigma_db or {}
    classes = tuple(
        _class_fit(name, part, fit, (assumed_sigma_db[name], shared.get(name, math.nan)), overall, frame_loss)
        for name, part, fit in fits
    )
    return Calibration(
        classes=classes,
        reference=reference,
        overall_offset_db=overall,
        overall_se_db=overall_se,
        before_log_likelihood=sum(row.before.log_likelihood for row in classes),
        after_log_likelihood=sum(row.after.log_likelihood for row in classes),
        warnings=tuple(warnings),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What either fit finds; device_*: NaN where rows were taken for independent."""

    offset_db: float
    offset_variance: float
    sigma_db: float
    sigma_variance: float
    device_sigma_db: float
    device_sigma_variance: float
    converged: bool


def _fit(part: Observations, frame_loss: float, by_device: bool) -> _Found:
    if not by_device:
        one = fit_tobit(part, frame_loss=frame_loss)
        offset_variance, sigma_variance = np.diag(one.covariance).tolist()
        return _Found(one.offset_db, offset_variance, one.sigma_db, sigma_variance, math.nan, math.nan, one.converged)
    both = fit_devices(part, frame_loss=frame_loss)
    offset_variance, _, device_variance = np.diag(both.covariance).tolist()
    return _Found(
        both.offset_db,
        offset_variance,
        both.sigma_db,
        both.sigma_variance,
        both.device_sigma_db,
        device_variance,
        both.converged,
    )


def _fit_class(name: str, part: Observations, frame_loss: float, by_device: bool, warnings: list[str]) -> _Found | None:
    """The fit, or None with a warning where the rows cannot tell offset and σ."""
    came = part.received
    clusters = len(np.unique(part.cluster[came]))
    if not came.any():
        if len(part.kind):
            warnings.append(
                f"class {name}: {int(part.frames.sum())} missed and no received frames: nothing bounds its "
                "offset from below; the assumed figures stay"
            )
        return None
    if clusters < 2 or np.unique(part.signal_dbm[came] - part.predicted_dbm[came]).size < 2:
        warnings.append(f"class {name}: received frames of {clusters} device(s) only: σ cannot be told; not fitted")
        return None
    fit = _fit(part, frame_loss, by_device)
    if clusters < FEW_CLUSTERS:
        warnings.append(f"class {name}: {clusters} devices heard: the standard errors are too small")
    if not fit.converged or math.isnan(fit.offset_variance):
        warnings.append(f"class {name}: the likelihood has no clear peak (σ {fit.sigma_db:.1f} dB); do not use the fit")
    return fit


def _class_fit(
    name: str,
    part: Observations,
    fit: _Found | None,
    assumed_db: tuple[float, float],
    overall: float,
    frame_loss: float,
) -> ClassFit:
    came = part.received
    heard, total = float(part.weight[came].sum()), float(part.weight.sum())
    before = _quality(part, 0.0, assumed_db, frame_loss)
    residual = (part.signal_dbm - part.predicted_dbm)[came]
    offset = overall if fit is None else fit.offset_db
    sigma, device_sigma = assumed_db if fit is None else (fit.sigma_db, fit.device_sigma_db)
    return ClassFit(
        name=name,
        received=int(part.frames[came].sum()),
        missed=int(part.frames[~came].sum()),
        clusters=len(np.unique(part.cluster)),
        observed_heard_share=heard / total if total else math.nan,
        fitted=fit is not None,
        offset_db=offset,
        offset_se_db=math.nan if fit is None else _root(fit.offset_variance),
        sigma_db=sigma,
        sigma_se_db=math.nan if fit is None else _root(fit.sigma_variance),
        device_sigma_db=device_sigma,
        device_sigma_se_db=math.nan if fit is None else _root(fit.device_sigma_variance),
        deviation_db=offset - overall,
        naive_offset_db=float(np.average(residual, weights=part.weight[came])) if heard else math.nan,
        before=before,
        after=_quality(part, offset, (sigma, device_sigma), frame_loss),
    )


def _quality(part: Observations, offset_db: float, sigmas_db: tuple[float, float], frame_loss: float) -> Quality:
    sigma_db, device_db = sigmas_db
    came, weight = part.received, part.weight
    heard = 1.0 - missed_probability(part, offset_db, sigma_db, frame_loss)
    share = float(np.average(heard, weights=weight)) if weight.sum() else math.nan
    if math.isnan(device_db):
        log_l = log_likelihood(part, offset_db, sigma_db, frame_loss)
    else:
        within_db = math.sqrt(max(sigma_db**2 - device_db**2, 0.01))
        log_l = device_log_likelihood(part, offset_db, within_db, max(device_db, 0.1), frame_loss)
    if not weight[came].sum():
        return Quality(math.nan, math.nan, math.nan, share, log_l)
    residual = (part.signal_dbm - part.predicted_dbm - offset_db)[came]
    t = ((part.floor_dbm - part.predicted_dbm - offset_db) / sigma_db)[came]
    return Quality(
        bias_db=float(np.average(residual, weights=weight[came])),
        selected_bias_db=float(np.average(sigma_db * _mean_above(t), weights=weight[came])),
        rmse_db=float(np.sqrt(np.average(residual**2, weights=weight[came]))),
        heard_share=share,
        log_likelihood=log_l,
    )


def _mean_above(t: Floats) -> Floats:
    """E[z | z > t] of a standard normal z: φ(t) / Φ(−t)."""
    mean: Floats = np.where(t < -30.0, 0.0, np.exp(-0.5 * np.minimum(t * t, 1400.0) - _LOG_SQRT_2PI - log_ndtr(-t)))
    return mean


def _root(variance: float) -> float:
    return math.sqrt(variance) if variance >= 0 else math.nan
