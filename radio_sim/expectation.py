"""How likely each sensor is heard on each day, in closed form, for everybody at once.

Given the drawn links and their drawn slow fading, a frame's chance follows from the per-frame fading alone, and frames
are independent; so no frame is simulated. Interference enters as one number, the share of frames lost to it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from lorawan.phy import SNR_FLOOR_DB
from lorawan.units import US_PER_DAY
from radio_sim.draws import Floats
from radio_sim.links import Links
from radio_sim.model import RadioModel
from radio_sim.propagation.fading import FrameFading, SlowFading

_SURE_SIGMAS = 6.0  # a link this many σ of both fadings from the floor is hopeless or certain (2e-9)
_CHUNK_BLOCKS = 8


def margins_db(
    links: Links, *, tx_power_dbm: Floats | float, sf: npt.NDArray[np.integer] | int = 12, link_offset_db: float = 0.0
) -> Floats:
    """Mean SNR above the floor of the SF, [device, gateway], in dB: the link without fading.

    tx_power_dbm: conducted, one per device or one for all; sf 7–12 likewise; link_offset_db: added to every link.
    """
    floors = np.array([SNR_FLOOR_DB[s] for s in range(7, 13)])[np.asarray(sf, dtype=np.int64) - 7]
    per_device = np.asarray(tx_power_dbm, dtype=np.float64) - floors + link_offset_db
    margins: Floats = links.gain_db - links.noise_dbm + np.broadcast_to(per_device, len(links.gain_db))[:, None]
    return margins


def frame_heard_probability(margin_db: Floats, frame_fading: FrameFading) -> Floats:
    """P(at least one gateway receives the frame), the last axis being gateways: 1 − Π(1 − P(fade ≥ −margin))."""
    probability: Floats = -np.expm1(frame_fading.log_miss(margin_db).sum(axis=-1))
    return probability


def daily_heard_probability(
    links: Links,
    model: RadioModel,
    *,
    days: int,
    uplinks_per_day: Floats | float,
    tx_power_dbm: Floats | float,
    sf: npt.NDArray[np.integer] | int = 12,
    first_day: int = 0,
    link_offset_db: float = 0.0,
    frame_loss: float = 0.0,
) -> npt.NDArray[np.float32]:
    """P(sensor heard at least once on the day), [device, day], given the drawn shadowing, placement and slow fading.

    Days last 24 h from the run's origin; a sensor's uplinks are spread evenly over them, so a block of slow fading
    takes its share of a day's frames. sf 12 with full power is the best the sensor can do. frame_loss: share of frames
    lost to interference whatever the link, 0 … 1. link_offset_db ±5 gives the what-if with the same draws.

    A link more than 6 σ of both fadings below the floor is left out; a sensor with one as far above it is always heard.
    """
    margin = margins_db(links, tx_power_dbm=tx_power_dbm, sf=sf, link_offset_db=link_offset_db)
    fading = links.fading(model)
    rate = np.broadcast_to(np.asarray(uplinks_per_day, dtype=np.float64), len(margin))
    slow_sigma = model.slow_fading_sigma_db if fading.slow is not None else 0.0
    reach = _SURE_SIGMAS * (slow_sigma + _frame_sigma_db(model))
    certain = np.flatnonzero((margin > reach).any(axis=1))
    log_missed = np.zeros((len(margin), days))
    log_missed[certain] = np.log(max(frame_loss, 1e-300)) * rate[certain, None]
    near = margin > -reach
    near[certain] = False
    device, gateway = np.nonzero(near)
    if device.size:
        links_of, first_link = np.unique(device, return_index=True)
        faded = margin[device, gateway]
        for states, weights in _slow_blocks(links, model, device, gateway, first_day, days):
            log_miss = np.add.reduceat(fading.frame.log_miss(faded + states), first_link, axis=-1)
            log_lost = log_miss if frame_loss == 0 else np.log1p(np.expm1(log_miss) * (1.0 - frame_loss))
            log_missed[links_of] += rate[links_of, None] * (log_lost.T @ weights)
    probability: npt.NDArray[np.float32] = -np.expm1(log_missed).astype(np.float32)
    return probability


def heard_within(daily: npt.NDArray[np.float32], window_days: int) -> npt.NDArray[np.float32]:
    """P(heard at least once in days d − window + 1 … d), [device, day]; first days look back as far as there are.

    Exact given the slow fading, for frames are then independent.
    """
    missed = np.log(np.maximum(1.0 - daily.astype(np.float64), 1e-300))
    total = np.cumsum(missed, axis=1)
    total[:, window_days:] -= total[:, :-window_days].copy()
    probability: npt.NDArray[np.float32] = -np.expm1(total).astype(np.float32)
    return probability


def _frame_sigma_db(model: RadioModel) -> float:
    if model.frame_fading_law == "none":
        return 0.0
    if model.frame_fading_law == "lognormal":
        return model.frame_fading_sigma_db
    return 5.6  # a Rice power is never more spread in dB than Rayleigh's: π / √6 · 10 / ln 10


def _slow_blocks(
    links: Links,
    model: RadioModel,
    device: npt.NDArray[np.intp],
    gateway: npt.NDArray[np.intp],
    first_day: int,
    days: int,
) -> Iterator[tuple[Floats, Floats]]:
    """Slow states of the chosen links, [block, link], some blocks at a time, with each one's share of every day."""
    if model.slow_fading_sigma_db == 0:
        yield np.zeros((1, device.size)), np.ones((1, days))
        return
    slow = SlowFading(
        links.slow_keys[device, gateway],
        sigma_db=model.slow_fading_sigma_db,
        correlation_s=model.slow_fading_correlation_s,
        block_s=model.slow_fading_block_s,
    )
    day_begins = (first_day + np.arange(days)) * US_PER_DAY
    first = first_day * US_PER_DAY // slow.block_us
    last = ((first_day + days) * US_PER_DAY - 1) // slow.block_us
    for begin in range(first, last + 1, _CHUNK_BLOCKS):
        count = min(_CHUNK_BLOCKS, last + 1 - begin)
        block_begins = (begin + np.arange(count))[:, None] * slow.block_us
        shared = np.minimum(block_begins + slow.block_us, day_begins + US_PER_DAY) - np.maximum(
            block_begins, day_begins
        )
        yield slow.all_blocks(begin, count), np.maximum(shared, 0) / US_PER_DAY
