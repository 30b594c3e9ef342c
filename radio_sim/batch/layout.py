"""Where everything stands in memory: one packed record a device, a gateway, a frame in the air; and the codes.

A sweep's whole state is the arrays of one `Sweep`; kernels get it as one argument and keep nothing anywhere else.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

LAYOUT = 3
"""Version of the state's layout: a checkpoint of another one is refused."""

# Kinds of events, in the order in which they happen at one instant.
END, LOCK, DOWN_END, DOWN_LOCK, DECIDE, DOWN_START, RESTART, ACTION, READING = range(9)
KIND_SHIFT = 56

# Why a sweep stops.
REACHED, RECORDS_FULL, GROW_SLOTS, GROW_DOWNLINKS, GROW_HEAP, GROW_NODES = range(6)

# A frame at a gateway, one bit each. DOWN: its power reaches the sensitivity, but the gateway is down; ABLE: and is up.
ABLE, HELD_ANY, HELD_LOW, SENT_OVER, UNSERVED, DOWN = 1, 2, 4, 8, 16, 32

# Outcome classes, as `lorawan.trace.Outcome` names and orders them.
DELIVERED, COLLIDED, GATEWAY_TRANSMITTING, NO_DEMODULATOR, GATEWAY_DOWN, BELOW_SENSITIVITY, DUTY_LIMITED = range(7)
OUTCOMES = 7

# What a device's clock tells it.
NEVER, PERIODIC, CIVIL, POISSON, BURSTS = range(5)

# A device's phases and the marks of its frame.
IDLE, WAITING, RECEIVING = range(3)
HAS_FRAME, CONFIRMED, ACKNOWLEDGED, ANSWERED, ASKS_ADR, HAS_PAYLOAD, ADR_ANSWER, ANNOUNCES = 1, 2, 4, 8, 16, 32, 64, 128

# Counters of the run, by place in `totals`.
(
    READINGS, QUEUE_DROPS, TOO_LONG, JOIN_SENT, JOINED, CONFIRMED_OPENED, CONFIRMED_DONE, CONFIRMED_FAILED, ACCEPTED,
    WANTED_DOWN, SENT_RX1, SENT_RX2, UNSENT_DOWN, DOWN_DELIVERED, DOWN_COLLIDED, DOWN_BELOW, DOWN_DEAF, DOWN_SILENCED,
    ADR_ASKED, ADR_ANSWERED, BACKED_OFF, NEVER_SENDABLE, EVENTS,
) = range(23)  # fmt: skip
TOTALS = (
    "readings", "queue_drops", "too_long", "joins_sent", "joined", "confirmed_opened", "confirmed_acknowledged",
    "confirmed_failed", "accepted", "downlinks_wanted", "downlinks_rx1", "downlinks_rx2", "downlinks_unsent",
    "downlinks_delivered", "downlinks_collided", "downlinks_below_sensitivity", "downlinks_not_listening",
    "downlinks_gateway_down", "adr_requests", "adr_answers", "adr_back_offs", "never_sendable", "events",
)  # fmt: skip

Array: TypeAlias = npt.NDArray[Any]

PARAMETERS = np.dtype(
    [
        ("n", "i8"), ("gateways", "i8"), ("channels", "i8"), ("bands", "i8"), ("device_bands", "i8"),
        ("lock_late", "i8"), ("lock_ratio", "f8"), ("snr_max_quarters", "i8"), ("snr_tenths", "i8"),
        ("has_low", "i8"), ("has_down", "i8"), ("duty", "i8"), ("downlinks", "i8"), ("records_on", "i8"),
        ("frame_fading", "i8"), ("slow_block_us", "i8"), ("slow_sigma", "f8"), ("slow_a", "f8"), ("slow_step", "f8"),
        ("width_us", "i8"), ("buckets", "i8"), ("days", "i8"),
        ("dedup_us", "i8"), ("backhaul_us", "i8"), ("guard_us", "i8"), ("adr_margin", "f8"), ("accept_bytes", "i8"),
        ("rx1_delay_us", "i8", (2,)), ("rx1_offset", "i8", (2,)), ("rx2_dr", "i8", (2,)),
        ("rx2_silent_us", "i8", (3,)),
        ("ack_key_word", "u8"), ("channel_word", "u8"), ("pause_word", "u8"), ("down_word", "u8"),
        ("join_n", "i8"), ("join_dr", "i8", (8,)),
    ]
)  # fmt: skip
"""Constants of a sweep. Two-element fields: of a session that was joined, and of an ABP device.

rx2_silent_us: after the end of an uplink, when RX2 has caught nothing; its third is of a join request."""

SCALARS = np.dtype(
    [
        ("now", "i8"), ("heap_n", "i8"), ("sequence", "i8"), ("current_n", "i8"), ("current_i", "i8"),
        ("current_end", "i8"), ("free_slots", "i8"), ("free_down", "i8"), ("free_node", "i8"), ("nodes_used", "i8"),
        ("down_active", "i8"), ("down_reference", "i8"), ("records_n", "i8"), ("downs_n", "i8"), ("day", "i8"),
        ("on_air", "i8"), ("peak_on_air", "i8"), ("begun", "i8"),
    ]
)  # fmt: skip

CONFIG = np.dtype(
    [
        ("phase", "i8"), ("period_us", "i8"), ("jitter_us", "i8"), ("gap_us", "i8"), ("drift_ppb", "i4"),
        ("count", "i4"), ("draw_key", "u8"), ("jitter_key", "u8"), ("frame_key", "u8"), ("slow_key", "u8"),
        ("power_mw", "f4"), ("noise_mw", "f4"), ("payload", "i2"), ("schedule", "i1"), ("confirmed", "i1"),
        ("adr", "i1"), ("joins", "i1"), ("tries", "i1"), ("nb_trans_rules", "i1"), ("power_first", "i1"),
        ("ask_until", "i1"), ("channels", "i1"), ("foreign_channel", "i1"), ("v11", "i1"), ("first_dr", "i1"),
        ("queue", "i1"),
    ],
    align=True,
)  # fmt: skip
"""What a device is. foreign_channel ≥ 0: an interferer on this channel without any MAC."""

DEVICE = np.dtype(
    [
        ("read_at", "i8"), ("base", "i8"), ("busy_until", "i8"), ("free_at", "i8"), ("join_origin", "i8"),
        ("k", "i4"), ("day", "i4"), ("link", "i4"), ("sent", "i4"), ("f_cnt", "i4"), ("slow_block", "i4"),
        ("frame_f_cnt", "i4"), ("join_requests", "i4"), ("join_period", "i4"), ("join_used_us", "i4"),
        ("server_f_cnt", "i4"), ("delivered", "i4"), ("action_at", "i8"), ("adr_ack_cnt", "i4"),
        ("frame_bytes", "i2"), ("join_tries", "i4"), ("queued", "i1"), ("phase", "i1"), ("marks", "i2"),
        ("repeats", "i1"), ("tries", "i1"), ("dr", "i1"), ("power", "i1"), ("nb_trans", "i1"), ("adr_answer", "i1"),
        ("announces", "i1"), ("alone", "i1"), ("joined", "i1"), ("joining", "i1"), ("history_n", "i1"),
        ("history_at", "i1"), ("link_dr", "i1"), ("link_power", "i1"), ("link_nb", "i1"), ("asked_dr", "i1"),
        ("asked_power", "i1"), ("asked_nb", "i1"), ("announced", "i1"),
    ],
    align=True,
)  # fmt: skip
"""What a device and its session are at present. The server's half is in the same row: server_, link_, asked_."""

GATEWAY = np.dtype(
    [
        ("word", "u8"), ("sends_until", "i8"), ("cap_any", "i4"), ("cap_low", "i4"), ("used_any", "i4"),
        ("used_low", "i4"), ("rank", "i4"), ("down_first", "i4"), ("down_last", "i4"), ("down_at", "i4"),
        ("noise_mw", "f8"), ("rx1_mw", "f4"), ("rx2_mw", "f4"), ("reserved_n", "i4"),
    ],
    align=True,
)  # fmt: skip

RESERVATIONS = 64
"""Frames a gateway may have planned and in the air; a further one is refused, as a full queue does."""

SLOT = np.dtype(
    [
        ("start", "i8"), ("end", "i8"), ("lock", "i8"), ("critical", "i8"), ("device", "i4"), ("bytes", "i4"),
        ("channel", "i1"), ("sf", "i1"), ("touched", "i1"), ("lock_touched", "i1"), ("join", "i1"), ("power", "i1"),
        ("repeat", "i1"), ("marks", "i2"), ("f_cnt", "i4"), ("place", "i4"),
    ],
    align=True,
)  # fmt: skip
"""An uplink in the air. touched: the SFs (bits) whose energy in `energy` counts."""

DOWNLINK = np.dtype(
    [
        ("up_end", "i8"), ("start", "i8"), ("end", "i8"), ("lock", "i8"), ("critical", "i8"), ("device", "i4"),
        ("gateway", "i4"), ("n", "i4"), ("bytes", "i4"), ("reference", "i4"), ("session", "i4"),
        ("power_mw", "f4"), ("lock_energy", "f4"), ("energy", "f4"), ("sent_mw", "f4"), ("channel", "i1"),
        ("up_channel", "i1"), ("up_dr", "i1"), ("sf", "i1"), ("join", "i1"), ("acks", "i1"), ("conf", "i1"),
        ("window", "i1"), ("locked", "i1"), ("outcome", "i1"), ("dr", "i1"), ("power", "i1"), ("nb", "i1"),
    ],
    align=True,
)  # fmt: skip
"""A downlink from decision to end. dr, power, nb: the LinkADRReq it carries, dr −1 for none."""

UPLINK_RECORD = np.dtype(
    [
        ("t_us", "i8"), ("device", "i4"), ("f_cnt", "i4"), ("airtime_us", "i4"), ("best_gateway", "i4"),
        ("n_gateways", "i4"), ("best_rssi_dbm", "i2"), ("best_snr_quarters", "i2"), ("join", "u1"), ("repeat", "u1"),
        ("sf", "u1"), ("channel", "u1"), ("power_index", "u1"), ("outcome", "u1"), ("accepted", "u1"),
        ("marks", "u1"),
    ],
    align=True,
)  # fmt: skip
"""One uplink of 40 bytes; best_gateway −1 where nobody received it."""

DOWNLINK_RECORD = np.dtype(
    [
        ("t_us", "i8"), ("up_end_us", "i8"), ("device", "i4"), ("airtime_us", "i4"), ("gateway", "i2"),
        ("join", "u1"), ("window", "u1"), ("sf", "u1"), ("channel", "u1"), ("outcome", "u1"), ("heard", "u1"),
        ("sent_mw", "f4"), ("power_mw", "f4"),
    ],
    align=True,
)  # fmt: skip
"""One downlink. channel: as the uplinks', RX2 being one past the last."""

NODE = np.dtype([("sent", "i8"), ("next", "i4")])
"""A transmission of the last hour, in the list of its sender and sub-band. sent: its start in µs · 2¹⁶ + its airtime in
`AIRTIME_UNIT_US`. Nearly half of a busy world's state, so it is packed.
"""

AIRTIME_UNIT_US = 256
"""A quarter of a symbol of SF7 at 125 kHz: every airtime is a multiple of it, the preamble's 12.25 symbols too."""


OWNER = np.dtype([("head", "i4"), ("tail", "i4"), ("sum", "i4")])
"""The transmissions of one sender in one sub-band: a list of nodes, oldest first, and their airtime in µs."""


class Sweep(NamedTuple):
    """Every array of a sweep. [n] devices, [g] gateways, [s] uplinks in the air, [d] downlinks under way."""

    par: Array  # [1] PARAMETERS
    scalars: Array  # [1] SCALARS
    cfg: Array  # [n] CONFIG
    dev: Array  # [n] DEVICE
    gw: Array  # [g] GATEWAY
    gain_db: Array  # [n or 0, g] f4: without slow fading, gain_mw says it all
    slow_db: Array  # [n or 0, g] f4
    gain_mw: Array  # [n, g] f4: the present gain, slow fading included, as a factor
    history_snr: Array  # [n or 0, 20] i1, quarters of a dB
    history_gap: Array  # [n or 0, 20] u1: counter values since the one before, 255 for more
    sensitivity_mw: Array  # [6, g] f4
    ratios: Array  # [6, 6] f4
    airtimes: Array  # [2: up, down; 6: SF; 256: bytes] i4
    symbols_us: Array  # [6] i8
    power_steps: Array  # [8] f4
    fades: Array  # quantiles of a frame's fading
    normals: Array  # quantiles of the normal law
    channel_band: Array  # [channels + 1] i8, RX2 last
    band_limit: Array  # [bands] i8: µs in an hour
    max_mac: Array  # [6] i8, by data rate
    max_app: Array  # [6] i8
    down_from: Array  # outages, those of each gateway in order
    down_to: Array
    bounds: Array  # [days + 1] i8
    heads: Array  # [buckets] i4
    current: Array  # [n] i8: the opened bucket, sorted
    heap: Array  # [capacity, 3] i8: instant, order, payload
    slots: Array  # [s] SLOT
    free: Array  # [s] i4
    power_mw: Array  # [s, g] f4
    energy: Array  # [s, 6, g] f4
    lock_energy: Array  # [s, g] f4
    flags: Array  # [s, g] u1
    channel_slots: Array  # [channels, s] i4
    channel_n: Array  # [channels] i4
    downs: Array  # [d] DOWNLINK
    down_free: Array  # [d] i4
    down_keys: Array  # [d, g] i8
    down_active: Array  # [d] i4
    reserved: Array  # [g, RESERVATIONS, 2] i8: start, airtime
    nodes: Array  # NODE
    owners: Array  # [n · device bands + g · bands] OWNER
    draws: Array  # [g] u8, scratch
    keys: Array  # [g] i8, scratch
    records: Array  # UPLINK_RECORD
    down_records: Array  # DOWNLINK_RECORD
    heard: Array  # [n, days / 8] u1: a bit for each day, the lowest first
    by_sf: Array  # [6, OUTCOMES] i8
    by_gateway: Array  # [g, OUTCOMES] i8
    totals: Array  # i8


FIELDS: dict[str, tuple[np.dtype[Any], int]] = {
    "par": (PARAMETERS, 1),
    "scalars": (SCALARS, 1),
    "cfg": (CONFIG, 1),
    "dev": (DEVICE, 1),
    "gw": (GATEWAY, 1),
    "gain_db": (np.dtype("f4"), 2),
    "slow_db": (np.dtype("f4"), 2),
    "gain_mw": (np.dtype("f4"), 2),
    "history_snr": (np.dtype("i1"), 2),
    "history_gap": (np.dtype("u1"), 2),
    "sensitivity_mw": (np.dtype("f4"), 2),
    "ratios": (np.dtype("f4"), 2),
    "airtimes": (np.dtype("i4"), 3),
    "symbols_us": (np.dtype("i8"), 1),
    "power_steps": (np.dtype("f4"), 1),
    "fades": (np.dtype("f4"), 1),
    "normals": (np.dtype("f4"), 1),
    "channel_band": (np.dtype("i8"), 1),
    "band_limit": (np.dtype("i8"), 1),
    "max_mac": (np.dtype("i8"), 1),
    "max_app": (np.dtype("i8"), 1),
    "down_from": (np.dtype("i8"), 1),
    "down_to": (np.dtype("i8"), 1),
    "bounds": (np.dtype("i8"), 1),
    "heads": (np.dtype("i4"), 1),
    "current": (np.dtype("i8"), 1),
    "heap": (np.dtype("i8"), 2),
    "slots": (SLOT, 1),
    "free": (np.dtype("i4"), 1),
    "power_mw": (np.dtype("f4"), 2),
    "energy": (np.dtype("f4"), 3),
    "lock_energy": (np.dtype("f4"), 2),
    "flags": (np.dtype("u1"), 2),
    "channel_slots": (np.dtype("i4"), 2),
    "channel_n": (np.dtype("i4"), 1),
    "downs": (DOWNLINK, 1),
    "down_free": (np.dtype("i4"), 1),
    "down_keys": (np.dtype("i8"), 2),
    "down_active": (np.dtype("i4"), 1),
    "reserved": (np.dtype("i8"), 3),
    "nodes": (NODE, 1),
    "owners": (OWNER, 1),
    "draws": (np.dtype("u8"), 1),
    "keys": (np.dtype("i8"), 1),
    "records": (UPLINK_RECORD, 1),
    "down_records": (DOWNLINK_RECORD, 1),
    "heard": (np.dtype("u1"), 2),
    "by_sf": (np.dtype("i8"), 2),
    "by_gateway": (np.dtype("i8"), 2),
    "totals": (np.dtype("i8"), 1),
}
"""Type and number of dimensions of each array of a `Sweep`."""
