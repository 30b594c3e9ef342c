"""From losses to answers: who serves a place, how loud, at which spreading factor, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lorawan.phy.sensitivity import SNR_FLOOR_DB
from radio_sim.coverage.budgets import SLOWEST_SF, Losses, Terminal, downlink_rssi_dbm, uplink_margin_db
from radio_sim.coverage.reception import Spread, heard_probability
from radio_sim.model import GatewaySite

SF_MARGIN_DB = 10.0
"""Kept above the SNR floor when a spreading factor is chosen. Source: the installation margin of Semtech's reference
ADR ("LoRaWAN – simple rate adaptation recommended algorithm", 2016)."""


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Answers for one placement class, all of one shape (a raster or a list of points).

    best_server: index of the gateway of the highest uplink SNR, −1 where no loss is known. rssi_dbm, snr_db: uplink at
    that gateway. margin_db: SNR above the SF12 floor. sf: the fastest spreading factor whose floor is met with the
    margin asked for; SF12 where its floor alone is met; 0 where not even that. gateways: how many hear SF12 in the
    median. probability: that at least one hears SF12. rx1_dbm, rx2_dbm: downlink from the best server in its two
    windows; rx1_margin_db, rx2_margin_db above the device's SF12 floor. NaN (−1, 0 for the integers) where unknown.
    """

    placement: str
    best_server: npt.NDArray[np.int16]
    rssi_dbm: Losses
    snr_db: Losses
    margin_db: Losses
    sf: npt.NDArray[np.uint8]
    gateways: npt.NDArray[np.uint8]
    probability: Losses
    rx1_dbm: Losses
    rx1_margin_db: Losses
    rx2_dbm: Losses
    rx2_margin_db: Losses

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Where any gateway's loss is known."""
        return self.best_server >= 0


def coverage_of(
    loss_db: Losses,
    gateways: Sequence[GatewaySite],
    terminal: Terminal,
    spread: Spread,
    *,
    placement: str = "outdoor",
    sf_margin_db: float = SF_MARGIN_DB,
    threads: int = 1,
) -> Coverage:
    """The answers for losses without entry loss: loss_db float32 [gateway, …] in dB, NaN where unknown.

    The median entry loss of the spread weakens every link; its distribution and the shadowing are in the probability.
    Raises ValueError where losses and gateways are not as many.
    """
    if loss_db.shape[0] != len(gateways) or not gateways:
        raise ValueError(f"{loss_db.shape[0]} losses for {len(gateways)} gateways")
    entry = np.float32(spread.median_entry_db)
    margins = np.empty(loss_db.shape, np.float32)
    best = np.full(loss_db.shape[1:], -1, np.int16)
    top = np.full(loss_db.shape[1:], -np.inf, np.float32)
    heard = np.zeros(loss_db.shape[1:], np.uint8)
    for index, gateway in enumerate(gateways):
        margins[index] = uplink_margin_db(loss_db[index], gateway, terminal)
        better = margins[index] > top  # false for NaN
        best[better] = index
        np.copyto(top, margins[index], where=better)
        heard += margins[index] >= entry
    probability = heard_probability(margins, spread, threads=threads)
    known = best >= 0
    margin = np.where(known, top - entry, np.float32(np.nan))
    loss = np.take_along_axis(loss_db, np.maximum(best, 0)[None].astype(np.intp), 0)[0] + entry

    def of_best(values: Sequence[float]) -> Losses:
        return np.asarray(values, np.float32)[np.maximum(best, 0)]

    snr = margin + np.float32(SNR_FLOOR_DB[SLOWEST_SF])
    rx1 = np.empty_like(margin)
    rx2 = np.empty_like(margin)
    for index, gateway in enumerate(gateways):
        served = best == index
        rx1[served] = downlink_rssi_dbm(loss[served], gateway, terminal)
        rx2[served] = downlink_rssi_dbm(loss[served], gateway, terminal, rx2=True)
    rx1[~known] = rx2[~known] = np.nan
    floor = np.float32(terminal.noise_dbm() + SNR_FLOOR_DB[SLOWEST_SF])
    return Coverage(
        placement=placement,
        best_server=best,
        rssi_dbm=snr + of_best([gateway.noise_dbm() for gateway in gateways]),
        snr_db=snr,
        margin_db=margin,
        sf=best_sf(snr, sf_margin_db),
        gateways=heard,
        probability=probability,
        rx1_dbm=rx1,
        rx1_margin_db=rx1 - floor,
        rx2_dbm=rx2,
        rx2_margin_db=rx2 - floor,
    )


def best_sf(snr_db: npt.ArrayLike, sf_margin_db: float = SF_MARGIN_DB) -> npt.NDArray[np.uint8]:
    """The fastest of SF7–SF12 with sf_margin_db ≥ 0 above its SNR floor; SF12 down to its very floor; 0 below."""
    snr = np.asarray(snr_db, np.float32)
    sf = np.where(snr >= SNR_FLOOR_DB[SLOWEST_SF], SLOWEST_SF, 0).astype(np.uint8)
    for factor in sorted(SNR_FLOOR_DB, reverse=True):
        sf[snr >= SNR_FLOOR_DB[factor] + sf_margin_db] = factor
    return sf
