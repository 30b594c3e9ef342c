"""Records of a sweep as columns with the names and units of `lorawan.trace`."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lorawan.trace import DownlinkOutcome, FrameKind, Outcome
from radio_sim.batch import layout as lay
from radio_sim.batch.world import BatchWorld

UplinkColumns: TypeAlias = dict[str, NDArray[Any]]
DownlinkColumns: TypeAlias = dict[str, NDArray[Any]]

OUTCOME_NAMES = np.array(
    [
        Outcome.DELIVERED, Outcome.COLLIDED, Outcome.GATEWAY_TRANSMITTING, Outcome.NO_DEMODULATOR,
        Outcome.GATEWAY_DOWN, Outcome.BELOW_SENSITIVITY, Outcome.DUTY_LIMITED,
    ]
).astype(str)  # fmt: skip
"""By code."""
_DOWN_NAMES = np.array(
    [
        DownlinkOutcome.DELIVERED, DownlinkOutcome.COLLIDED, DownlinkOutcome.BELOW_SENSITIVITY,
        DownlinkOutcome.NOT_LISTENING,
    ]
).astype(str)  # fmt: skip
_KINDS = np.array([FrameKind.DATA, FrameKind.JOIN]).astype(str)
_POWER_STEP_DB = 2.0


def uplink_columns(records: lay.Array, world: BatchWorld) -> UplinkColumns:
    """Columns of `lorawan.trace.UplinkRecord`, by start of frame, then by device; what moves no bytes is left out.

    f_port is 1 for a frame with a reading, else −1.
    """
    r = records[np.lexsort((records["device"], records["t_us"]))]
    heard = r["n_gateways"] > 0
    devices = np.array(world.devices.ids)
    gateways = np.array([*world.gateways.ids, ""])
    freqs = np.array(world.network.channels_hz, np.int64)
    marks = r["marks"]
    return {
        "t_us": r["t_us"],
        "device": devices[r["device"]],
        "kind": _KINDS[r["join"]],
        "f_cnt": r["f_cnt"].astype(np.int64),
        "f_port": np.where(marks & lay.HAS_PAYLOAD, 1, -1).astype(np.int64),
        "repeat": r["repeat"].astype(np.int64),
        "confirmed": (marks & lay.CONFIRMED) != 0,
        "sf": r["sf"].astype(np.int64),
        "freq_hz": freqs[r["channel"]],
        "tx_power_dbm": world.devices.tx_power_dbm[r["device"]] - _POWER_STEP_DB * r["power_index"],
        "airtime_us": r["airtime_us"].astype(np.int64),
        "outcome": OUTCOME_NAMES[r["outcome"]],
        "n_gateways": r["n_gateways"].astype(np.int64),
        "best_gateway": gateways[r["best_gateway"]],
        "best_rssi_dbm": np.where(heard, r["best_rssi_dbm"], np.nan).astype(np.float64),
        "best_snr_db": np.where(heard, r["best_snr_quarters"] / 4.0, np.nan),
        "accepted": r["accepted"] != 0,
    }


def downlink_columns(records: lay.Array, world: BatchWorld) -> DownlinkColumns:
    """Columns of `lorawan.trace.DownlinkRecord`, by start, and up_end_us: the end of the uplink that is answered."""
    r = records[np.lexsort((records["gateway"], records["t_us"]))]
    freqs = np.array([*world.network.channels_hz, world.network.region.rx2_freq_hz], np.int64)
    with np.errstate(divide="ignore"):
        power, sent = (10.0 * np.log10(r[name].astype(np.float64)) for name in ("power_mw", "sent_mw"))
    noise = world.devices.noise_dbm[r["device"]]
    delivered = r["outcome"] == 0
    return {
        "t_us": r["t_us"],
        "up_end_us": r["up_end_us"],
        "gateway": np.array(world.gateways.ids)[r["gateway"]],
        "device": np.array(world.devices.ids)[r["device"]],
        "kind": _KINDS[r["join"]],
        "window": r["window"].astype(np.int64),
        "sf": r["sf"].astype(np.int64) + 7,
        "freq_hz": freqs[r["channel"]],
        "tx_power_dbm": sent,
        "airtime_us": r["airtime_us"].astype(np.int64),
        "outcome": _DOWN_NAMES[r["outcome"]],
        "rssi_dbm": np.where(delivered, np.rint(power), np.nan),
        "snr_db": np.where(delivered, np.rint(4.0 * (power - noise)) / 4.0, np.nan),
    }
