"""Summaries of a month over trace columns, and the measures by commune and by placement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lorawan.trace import FrameKind, Outcome
from scenarios.kpi.heard import (
    Columns,
    HeardMatrix,
    accepted_data,
    connectivity_scores,
    daily_scores,
    fortnight_scores,
    lenient_scores,
)


@dataclass(frozen=True, slots=True)
class GroupRow:
    """The measures of one group of sensors, without intervals; shares in 0 … 1. sensors: rows of the sample."""

    name: str
    sensors: int
    connectivity: float
    lenient: float
    lowest_daily: float
    mean_daily: float
    lowest_fortnight: float
    mean_fortnight: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counts of uplink frames by outcome, and medians over the received ones (NaN where none is).

    sent: frames on the air; accepted: new data uplinks.
    """

    sent: int
    delivered: int
    accepted: int
    outcomes: Mapping[str, int]
    median_rssi_dbm: float
    median_snr_db: float
    mean_gateways: float
    airtime_s: float


def group_rows(matrix: HeardMatrix, weights: NDArray[np.float64], groups: Sequence[str]) -> tuple[GroupRow, ...]:
    """The measures of each group (communes, placements, …), by name. groups: one for each row of the matrix."""
    labels = np.asarray(groups)
    rows = []
    for name in sorted(set(groups)):
        keep = labels == name
        part, weight = matrix.rows(keep), weights[keep] / weights[keep].sum()
        daily, fortnight = weight @ daily_scores(part), weight @ fortnight_scores(part)
        rows.append(
            GroupRow(
                name=name,
                sensors=int(keep.sum()),
                connectivity=float(weight @ connectivity_scores(part)[:, 0]),
                lenient=float(weight @ lenient_scores(part)[:, 0]),
                lowest_daily=float(daily.min()),
                mean_daily=float(daily.mean()),
                lowest_fortnight=float(fortnight.min()),
                mean_fortnight=float(fortnight.mean()),
            )
        )
    return tuple(rows)


def traffic(columns: Columns) -> Traffic:
    """Counts and medians over uplink columns."""
    outcome = columns["outcome"].astype(str)
    received = columns["n_gateways"] > 0
    return Traffic(
        sent=len(outcome),
        delivered=int((outcome == str(Outcome.DELIVERED)).sum()),
        accepted=int(accepted_data(columns).sum()),
        outcomes={str(name): int((outcome == str(name)).sum()) for name in Outcome},
        median_rssi_dbm=_median(columns["best_rssi_dbm"][received]),
        median_snr_db=_median(columns["best_snr_db"][received]),
        mean_gateways=float(columns["n_gateways"][received].mean()) if received.any() else float("nan"),
        airtime_s=float(columns["airtime_us"].sum()) / 1e6,
    )


def last_spreading_factor(columns: Columns, from_us: int, devices: Sequence[str]) -> dict[str, int]:
    """The spreading factor of each device's last data frame from `from_us` on; absent where it sent none."""
    keep = (columns["t_us"] >= from_us) & (columns["kind"] == str(FrameKind.DATA))
    order = np.argsort(columns["t_us"][keep], kind="stable")
    wanted = set(devices)
    names, factors = columns["device"][keep][order], columns["sf"][keep][order]
    return {
        str(name): int(sf) for name, sf in zip(names.tolist(), factors.tolist(), strict=True) if str(name) in wanted
    }


def spreading_factor_shares(
    columns: Columns, from_us: int, devices: Sequence[str], weights: NDArray[np.float64]
) -> dict[int, float]:
    """Weighted share of the sensors that sent data at each spreading factor 7–12, by their last data frame."""
    last = last_spreading_factor(columns, from_us, devices)
    shares = dict.fromkeys(range(7, 13), 0.0)
    for name, weight in zip(devices, weights.tolist(), strict=True):
        if name in last:
            shares[last[name]] += weight
    total = sum(shares.values())
    return {sf: share / total if total else 0.0 for sf, share in shares.items()}


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else float("nan")
