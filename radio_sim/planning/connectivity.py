"""The expected connectivity of a month for many sets of sites at once.

The figure is that of `radio_sim.expectation`: the mean over sensors and days of the chance of being heard, given the
drawn shadowing and slow fading, at the SF that ADR settles on. A frame is missed when every gateway misses it, so the
logarithms of the chances of missing it add up over gateways: each site's share is worked out once per SF and day, and
a set of sites is a sum. Interference is left out here; the evaluation of a chosen set may take it in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lorawan.phy import SNR_FLOOR_DB
from lorawan.units import US_PER_DAY
from radio_sim.draws import Floats
from radio_sim.links import Links
from radio_sim.model import ADR_INSTALLATION_MARGIN_DB, RadioModel
from radio_sim.planning.plan import Sites
from radio_sim.propagation.fading import FrameFading, SlowFading

_FLOORS = np.array([SNR_FLOOR_DB[sf] for sf in range(7, 13)])
_SF12 = 5  # its row in _FLOORS
_SURE_SIGMAS = 6.5  # so far from the floor, a link is hopeless or certain: 4e-11 a frame
_SURELY = -25.0  # log of the chance of a silent day: 1e-11
_CHUNK = 512


def of_gateways(links: Links, gateways: Sequence[int]) -> Links:
    """The links to these gateways alone, by index and in this order."""
    columns = np.asarray(gateways, dtype=np.intp)
    return replace(
        links,
        gateway_ids=tuple(links.gateway_ids[index] for index in gateways),
        distance_m=links.distance_m[:, columns],
        median_loss_db=links.median_loss_db[:, columns],
        shadowing_db=links.shadowing_db[:, columns],
        extrapolated=links.extrapolated[:, columns],
        gain_db=links.gain_db[:, columns],
        noise_dbm=links.noise_dbm[columns],
        slow_keys=links.slow_keys[:, columns],
        frame_keys=links.frame_keys[:, columns],
    )


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedConnectivity:
    """The value of a set of sites: expected sensors heard on a day of the span, weighted.

    links: of every device to every candidate. weights [device]: households a device stands for, one each by default.
    adr_margin_db: None leaves every device at SF12 and full power; the value is then monotone and submodular in the
    sites, and never below that under ADR, which gives up margin for shorter frames.
    """

    links: Links
    model: RadioModel
    uplinks_per_day: Floats
    tx_power_dbm: float
    days: int
    first_day: int = 0
    adr_margin_db: float | None = ADR_INSTALLATION_MARGIN_DB
    weights: Floats | None = None

    @property
    def total(self) -> float:
        """The weight of all devices: the value were everybody heard every day."""
        return float(len(self.links.gain_db) if self.weights is None else self.weights.sum())

    def values(self, sets: Sequence[Sites], offsets_db: Sequence[float] = (0.0,)) -> Floats:
        """[offset, set]: the value of each set with each offset added to every link. Empty sets are worth nothing."""
        common = tuple(sorted(set.intersection(*map(set, sets)))) if sets else ()
        extras = [tuple(site for site in sites if site not in common) for sites in sets]
        totals = np.zeros((len(offsets_db), len(sets)))
        for first in range(0, len(self.links.gain_db), _CHUNK):
            rows = np.arange(first, min(first + _CHUNK, len(self.links.gain_db)))
            part = _Part(self, rows, offsets_db)
            for number, offset_db in enumerate(offsets_db):
                totals[number] += part.values(common, extras, offset_db)
        return totals


class _Part:
    """A few hundred devices: their slow fading is drawn once for all offsets and SFs."""

    def __init__(self, parent: ExpectedConnectivity, rows: npt.NDArray[np.intp], offsets_db: Sequence[float]) -> None:
        self._parent = parent
        model, links = parent.model, parent.links
        self._frame = FrameFading(
            model.frame_fading_law, sigma_db=model.frame_fading_sigma_db, k_db=model.frame_fading_k_db
        )
        self._snr_db = links.gain_db[rows] - links.noise_dbm + parent.tx_power_dbm
        self._rate = np.broadcast_to(np.asarray(parent.uplinks_per_day, float), len(links.gain_db))[rows]
        self._weights = np.ones(len(rows)) if parent.weights is None else parent.weights[rows]
        self._reach_db = _SURE_SIGMAS * _fading_sigma_db(model)
        # Slow fading is drawn for the links that are in doubt at some SF and offset.
        best = self._snr_db + max(offsets_db, default=0.0) - _FLOORS[_SF12]
        worst = self._snr_db + min(offsets_db, default=0.0) - _FLOORS[0]
        self._device, self._site = np.nonzero((best > -self._reach_db) & (worst < self._reach_db))
        self._states, self._shares = _slow_states(parent, rows[self._device], self._site)

    def values(self, common: Sites, extras: Sequence[Sites], offset_db: float) -> Floats:
        """The value of each set common ∪ extra."""
        parent = self._parent
        snr_db = self._snr_db + offset_db
        rank = _adr_rank(snr_db, parent.adr_margin_db)
        base_rank = rank[:, list(common)].min(axis=1, initial=_SF12)
        ranks = [np.minimum(base_rank, rank[:, list(extra)].min(axis=1, initial=_SF12)) for extra in extras]
        needed = np.zeros((len(_FLOORS), len(snr_db)), dtype=bool)
        devices = np.arange(len(snr_db))
        for wanted in (base_rank, *ranks):
            needed[wanted, devices] = True
        shape = (len(_FLOORS), len(snr_db), snr_db.shape[1], parent.days)
        missed = np.zeros(shape, dtype=np.float32)
        for row, floor in enumerate(_FLOORS):
            sure = needed[row][:, None] & (snr_db - floor >= self._reach_db)
            steady = self._frame.log_miss(np.where(sure, snr_db - floor, -np.inf)) * self._rate[:, None]
            missed[row, sure] = steady[sure][:, None]
            margin = snr_db[self._device, self._site] - floor
            doubtful = np.flatnonzero(needed[row, self._device] & (np.abs(margin) < self._reach_db))
            device, site = self._device[doubtful], self._site[doubtful]
            log_miss = self._frame.log_miss(margin[doubtful] + self._states[:, doubtful])
            missed[row, device, site] = (log_miss.T @ self._shares) * self._rate[device, None]
        base = missed[:, :, list(common)].sum(axis=2)
        alone = base[base_rank, devices]
        heard = -np.expm1(alone).mean(axis=1, dtype=np.float64)
        # A site changes a device only where it may hear it or moves its SF; at SF7 and surely heard, nothing does.
        settled = (base_rank == 0) & (alone.max(axis=1) < _SURELY)
        floor_db = _FLOORS[base_rank][:, None]
        matters = ((snr_db - floor_db > -self._reach_db) | (rank < base_rank[:, None])) & ~settled[:, None]
        out = np.full(len(extras), float(self._weights @ heard))
        for number, (extra, ranks_of) in enumerate(zip(extras, ranks, strict=True)):
            device = np.flatnonzero(matters[:, list(extra)].any(axis=1))
            chosen = ranks_of[device]
            log_missed = base[chosen, device]
            for site_index in extra:
                log_missed += missed[chosen, device, site_index]
            gained = -np.expm1(log_missed).mean(axis=1, dtype=np.float64) - heard[device]
            out[number] += float(self._weights[device] @ gained)
        return out


def _adr_rank(snr_db: Floats, margin_db: float | None) -> npt.NDArray[np.intp]:
    """[device, site]: the row of the SF in _FLOORS that ADR would settle on with this site alone."""
    if margin_db is None:
        return np.full(snr_db.shape, _SF12, dtype=np.intp)
    unmet = (snr_db[..., None] < _FLOORS + margin_db).sum(axis=-1)
    rank: npt.NDArray[np.intp] = np.minimum(unmet, _SF12)
    return rank


def _fading_sigma_db(model: RadioModel) -> float:
    """The spread of both fadings in dB. A Rice power's is never above Rayleigh's, π / √6 · 10 / ln 10, but its tail is
    longer than a normal one, so there the two are added up."""
    if model.frame_fading_law == "rice":
        return model.slow_fading_sigma_db + 5.6
    frame = model.frame_fading_sigma_db if model.frame_fading_law == "lognormal" else 0.0
    return float(np.hypot(model.slow_fading_sigma_db, frame))


def _slow_states(
    parent: ExpectedConnectivity, device: npt.NDArray[np.intp], site: npt.NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Slow states [block, link] over the span, and each block's share of every day [block, day]."""
    model, first_day, days = parent.model, parent.first_day, parent.days
    if model.slow_fading_sigma_db == 0:
        return np.zeros((1, device.size)), np.ones((1, days))
    slow = SlowFading(
        parent.links.slow_keys[device, site],
        sigma_db=model.slow_fading_sigma_db,
        correlation_s=model.slow_fading_correlation_s,
        block_s=model.slow_fading_block_s,
    )
    begins = (first_day + np.arange(days)) * US_PER_DAY
    first = first_day * US_PER_DAY // slow.block_us
    last = ((first_day + days) * US_PER_DAY - 1) // slow.block_us
    blocks = np.arange(first, last + 1)[:, None] * slow.block_us
    shared = np.minimum(blocks + slow.block_us, begins + US_PER_DAY) - np.maximum(blocks, begins)
    return slow.all_blocks(first, last - first + 1), np.maximum(shared, 0) / US_PER_DAY
