"""The month's verdict on measured uplinks, by the code that judges simulated ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from bench.imports.measured import MeasuredUplink
from bench.imports.places import MeasuredDevice
from lorawan.draws import Draws
from lorawan.trace import FrameKind, Outcome, UplinkRecord, columns_of
from scenarios.calendar import civil_day_bounds_us, origin_utc
from scenarios.kpi import ClauseResult, HeardMatrix, evaluate, heard_matrix
from scenarios.kpi.heard import WINDOW_DAYS
from scenarios.schema import PLACEMENTS, Clause, placement_class

_DTYPES: dict[str, type] = {"int": np.int64, "float": np.float64, "bool": np.bool_, "str": object, "bytes": object}


@dataclass(frozen=True, slots=True)
class MeasuredMonth:
    """Civil days: `warmup_days` that windows may reach back into, then the scored ones."""

    start: date
    warmup_days: int
    scored_days: int


@dataclass(frozen=True, slots=True)
class MeasuredVerdict:
    """The clauses held against a measured month. never_heard: devices in service without one accepted uplink in it."""

    month: MeasuredMonth
    results: tuple[ClauseResult, ...]
    matrix: HeardMatrix
    never_heard: int
    warnings: tuple[str, ...]


def uplink_columns(uplinks: Sequence[MeasuredUplink], origin_unix_us: int) -> dict[str, npt.NDArray[Any]]:
    """Columns by the field names of `lorawan.trace.UplinkRecord`, in the order given, which must be by time.

    Accepted: a gateway received it, its FPort is 1–223 and its counter value is not that of the device's frame before;
    the network server that exported it has checked its MIC. What an export does not tell is 0, "" or NaN: dev_addr,
    airtime_us, phy_payload, and tx_power_dbm where the file has none. A frame nobody received counts as below
    sensitivity [assumption].
    """
    rows: list[UplinkRecord] = []
    last: dict[str, int] = {}
    repeats: dict[str, int] = {}
    for uplink in uplinks:
        repeated = last.get(uplink.device) == uplink.f_cnt
        last[uplink.device] = uplink.f_cnt
        repeats[uplink.device] = repeats.get(uplink.device, 0) + 1 if repeated else 0
        best = max(uplink.receptions, key=lambda reception: reception.snr_db, default=None)
        rows.append(
            UplinkRecord(
                t_us=uplink.t_us - origin_unix_us,
                device=uplink.device,
                kind=str(FrameKind.DATA),
                dev_addr=0,
                f_cnt=uplink.f_cnt,
                f_port=uplink.f_port,
                repeat=repeats[uplink.device],
                confirmed=False,
                sf=uplink.sf,
                freq_hz=uplink.freq_hz,
                tx_power_dbm=float("nan") if uplink.tx_power_dbm is None else uplink.tx_power_dbm,
                airtime_us=0,
                outcome=str(Outcome.DELIVERED if best else Outcome.BELOW_SENSITIVITY),
                n_gateways=len(uplink.receptions),
                best_gateway=best.gateway if best else "",
                best_rssi_dbm=best.rssi_dbm if best else float("nan"),
                best_snr_db=best.snr_db if best else float("nan"),
                accepted=best is not None and not repeated and 1 <= uplink.f_port <= 223,
                payload_ok=best is not None,
                phy_payload=b"",
            )
        )
    return {
        name: np.array([getattr(row, name) for row in rows], dtype=_DTYPES[kind])
        for name, kind in columns_of(UplinkRecord).items()
    }


def month_of(
    uplinks: Sequence[MeasuredUplink], timezone: str, *, start: date | None = None, scored_days: int = 30
) -> MeasuredMonth:
    """The last `scored_days` civil days that the uplinks span, or those from `start` on; and the days before them.

    The first and the last day of an export may be cut short; they count as they are. Raises ValueError where the
    uplinks end before `start`.
    """
    zone = ZoneInfo(timezone)
    first, last = (
        datetime.fromtimestamp(edge(uplink.t_us for uplink in uplinks) / 1e6, UTC).astimezone(zone).date()
        for edge in (min, max)
    )
    if start is None:
        start = max(first, last - timedelta(days=scored_days - 1))
    if start > last:
        raise ValueError(f"the uplinks end on {last}, before {start}")
    days = min(scored_days, (last - start).days + 1)
    warmup = min(WINDOW_DAYS, max(0, (start - first).days))
    return MeasuredMonth(start - timedelta(days=warmup), warmup, days)


def measured_verdict(
    uplinks: Sequence[MeasuredUplink],
    devices: Sequence[MeasuredDevice],
    clauses: Sequence[Clause],
    month: MeasuredMonth,
    timezone: str,
    draws: Draws,
    *,
    devices_complete: bool,
) -> MeasuredVerdict:
    """Hold a measured month against the clauses. devices: those in service; devices_complete: the silent ones too.

    Every device weighs 1. Strata: commune and placement class, as far as they are known.
    """
    bounds = civil_day_bounds_us(month.start, month.warmup_days + month.scored_days, timezone)
    origin_us = round(origin_utc(month.start, timezone).timestamp() * 1e6)
    matrix = heard_matrix(
        uplink_columns(uplinks, origin_us), [device.device for device in devices], bounds, month.warmup_days
    )
    results = evaluate(matrix, np.ones(len(devices)), [_stratum(device) for device in devices], clauses, draws)
    warnings = []
    if not devices_complete:
        warnings.append(
            "devices that were never heard are not in an export: the shares are too high; list those in service with "
            "--devices"
        )
    if month.warmup_days < WINDOW_DAYS - 1:
        warnings.append(f"{month.warmup_days} days before the month: the first windows of 14 days are cut short")
    if month.scored_days < 28:
        warnings.append(f"{month.scored_days} days scored: not a month")
    return MeasuredVerdict(month, results, matrix, int((~matrix.scored.any(axis=1)).sum()), tuple(warnings))


def _stratum(device: MeasuredDevice) -> str:
    kind = next((name for name in PLACEMENTS if name == device.placement), None)
    return f"{device.commune or '*'}/{placement_class(kind) if kind else '*'}"
