"""From losses to answers: who serves a place, how loud, at which spreading factor, and how surely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lorawan.phy.sensitivity import SNR_FLOOR_DB
from radio_sim.coverage.budgets import (
    SLOWEST_SF,
    Losses,
    Terminal,
    downlink_rssi_dbm,
    uplink_margin_db,
    uplink_rssi_dbm,
)
from radio_sim.coverage.reception import Spread, heard_probability
from radio_sim.model import ADR_INSTALLATION_MARGIN_DB, GatewaySite


@dataclass(frozen=True, slots=True)
class Constants:
    """What separates the SF12 uplink margin from other figures, in dB, by gateway.

    rssi_dbm, rx1_dbm, rx2_dbm: added to the margin they give the power at the gateway, and at the device in its two
    windows. floor_dbm: the power at the device that SF12 needs.
    """

    rssi_dbm: tuple[float, ...]
    rx1_dbm: tuple[float, ...]
    rx2_dbm: tuple[float, ...]
    floor_dbm: float

    @classmethod
    def of(cls, gateways: Sequence[GatewaySite], terminal: Terminal) -> Constants:
        """Every power is minus the loss plus a constant, and so is the margin: the loss drops out."""
        none = np.zeros(1, np.float32)

        def less_margin(power: Losses, gateway: GatewaySite) -> float:
            return float(power[0]) - float(uplink_margin_db(none, gateway, terminal)[0])

        return cls(
            tuple(less_margin(uplink_rssi_dbm(none, g, terminal), g) for g in gateways),
            tuple(less_margin(downlink_rssi_dbm(none, g, terminal), g) for g in gateways),
            tuple(less_margin(downlink_rssi_dbm(none, g, terminal, rx2=True), g) for g in gateways),
            terminal.noise_dbm() + SNR_FLOOR_DB[SLOWEST_SF],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Answers for one placement class, all of one shape (a raster or a list of points).

    best_server: index of the gateway of the highest uplink SNR, −1 where no loss is known. margin_db: its SNR above
    the SF12 floor. sf: the fastest spreading factor whose floor is met with the margin asked for; SF12 where its floor
    alone is met; 0 where not even that. gateways: how many hear SF12 in the median. probability: that at least one
    hears SF12. NaN (−1, 0 for the integers) where unknown. The other quantities follow from these when asked for.
    """

    placement: str
    best_server: npt.NDArray[np.int16]
    margin_db: Losses
    sf: npt.NDArray[np.uint8]
    gateways: npt.NDArray[np.uint8]
    probability: Losses
    constants: Constants

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Where any gateway's loss is known."""
        return self.best_server >= 0

    @property
    def snr_db(self) -> Losses:
        """Uplink SNR at the best gateway."""
        return self.margin_db + np.float32(SNR_FLOOR_DB[SLOWEST_SF])

    @property
    def rssi_dbm(self) -> Losses:
        """Uplink power at the best gateway."""
        return self._with(self.constants.rssi_dbm)

    @property
    def rx1_dbm(self) -> Losses:
        """Downlink power at the device in RX1, from the best gateway."""
        return self._with(self.constants.rx1_dbm)

    @property
    def rx2_dbm(self) -> Losses:
        """Downlink power at the device in RX2, from the best gateway."""
        return self._with(self.constants.rx2_dbm)

    @property
    def rx1_margin_db(self) -> Losses:
        """Downlink SNR above the device's SF12 floor in RX1."""
        return self.rx1_dbm - np.float32(self.constants.floor_dbm)

    @property
    def rx2_margin_db(self) -> Losses:
        """Downlink SNR above the device's SF12 floor in RX2."""
        return self.rx2_dbm - np.float32(self.constants.floor_dbm)

    def _with(self, by_gateway: tuple[float, ...]) -> Losses:
        return self.margin_db + np.asarray(by_gateway, np.float32)[np.maximum(self.best_server, 0)]

    def thinned(self, step: int) -> Coverage:
        """Every step-th pixel of a raster in both directions, as views."""
        at = (slice(None, None, step), slice(None, None, step))
        return Coverage(
            self.placement,
            self.best_server[at],
            self.margin_db[at],
            self.sf[at],
            self.gateways[at],
            self.probability[at],
            self.constants,
        )


def coverage_of(
    loss_db: Losses,
    gateways: Sequence[GatewaySite],
    terminal: Terminal,
    spread: Spread,
    *,
    placement: str = "outdoor",
    sf_margin_db: float = ADR_INSTALLATION_MARGIN_DB,
    threads: int = 1,
) -> Coverage:
    """`coverages_of` for one placement class."""
    wanted = {placement: spread}
    return coverages_of(loss_db, gateways, terminal, wanted, sf_margin_db=sf_margin_db, threads=threads)[placement]


def coverages_of(
    loss_db: Losses,
    gateways: Sequence[GatewaySite],
    terminal: Terminal,
    spreads: Mapping[str, Spread],
    *,
    sf_margin_db: float = ADR_INSTALLATION_MARGIN_DB,
    threads: int = 1,
) -> dict[str, Coverage]:
    """The answers for each placement class: loss_db float32 [gateway, …] without entry loss, NaN where unknown.

    The median entry loss of a spread weakens every link; its distribution and the shadowing are in the probability.
    Raises ValueError where losses and gateways are not as many.
    """
    if loss_db.shape[0] != len(gateways) or not gateways:
        raise ValueError(f"{loss_db.shape[0]} losses for {len(gateways)} gateways")
    margins = np.empty(loss_db.shape, np.float32)
    best = np.full(loss_db.shape[1:], -1, np.int16)
    top = np.full(loss_db.shape[1:], -np.inf, np.float32)
    for index, gateway in enumerate(gateways):
        margins[index] = uplink_margin_db(loss_db[index], gateway, terminal)
        better = margins[index] > top  # false for NaN
        best[better] = index
        np.copyto(top, margins[index], where=better)
    top[best < 0] = np.nan
    constants = Constants.of(gateways, terminal)
    found = {}
    for placement, spread in spreads.items():
        entry = np.float32(spread.median_entry_db)
        heard = np.zeros(best.shape, np.uint8)
        for margin in margins:
            heard += margin >= entry
        below = top - entry
        found[placement] = Coverage(
            placement=placement,
            best_server=best,
            margin_db=below,
            sf=best_sf(below + np.float32(SNR_FLOOR_DB[SLOWEST_SF]), sf_margin_db),
            gateways=heard,
            probability=heard_probability(margins, spread, threads=threads),
            constants=constants,
        )
    return found


def best_sf(snr_db: npt.ArrayLike, sf_margin_db: float = ADR_INSTALLATION_MARGIN_DB) -> npt.NDArray[np.uint8]:
    """The fastest of SF7–SF12 with sf_margin_db ≥ 0 above its SNR floor; SF12 down to its very floor; 0 below."""
    snr = np.asarray(snr_db, np.float32)
    sf = np.where(snr >= SNR_FLOOR_DB[SLOWEST_SF], SLOWEST_SF, 0).astype(np.uint8)
    for factor in sorted(SNR_FLOOR_DB, reverse=True):
        sf[snr >= SNR_FLOOR_DB[factor] + sf_margin_db] = factor
    return sf
