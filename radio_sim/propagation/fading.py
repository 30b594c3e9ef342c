"""Fading of links: a slow AR(1) state per link, and an independent draw per frame and gateway.

Every value is a function of (link key, index) alone. `SlowFading` and `FrameFading` keep caches, never state: the order
of the questions changes no answer.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import chndtr, log_ndtr, ndtr

from lorawan.draws import word_of
from lorawan.machine import Instant
from radio_sim.draws import Floats, Keys, fold, normal
from radio_sim.model import FrameFadingLaw, RadioModel

_CHUNK_BLOCKS = 32
_DOWNLINK = word_of("downlink")
_GRID_LIMIT_DB, _GRID_STEP_DB = 60.0, 0.02


def _row(states: Floats, offset: int) -> Floats:
    row: Floats = states[offset]
    return row


class SlowFading:
    """The slow state of links in dB: x₀ = σ·n₀, x_b = a·x_{b−1} + σ·√(1 − a²)·n_b, with a = exp(−block / time).

    Stationary from block 0 on: mean 0, standard deviation σ, correlation a^k over k blocks. keys: one per link, shape
    [device, gateway]; n_b is `normal(key, b)`. Time must not be negative.
    """

    def __init__(self, keys: Keys, *, sigma_db: float, correlation_s: float, block_s: float) -> None:
        self._keys = keys
        self._sigma = sigma_db
        self._a = math.exp(-block_s / correlation_s)
        self._innovation = sigma_db * math.sqrt(1.0 - self._a**2)
        self.block_us = round(block_s * 1e6)
        self._rows: dict[int, tuple[int, Floats]] = {}
        self._all: tuple[int, Floats] | None = None

    def _chunk(self, keys: Keys, first: int, count: int, previous: Floats | None) -> Floats:
        """States of blocks first … first + count − 1, shape [count, *keys.shape], from the state before them."""
        blocks = np.arange(first, first + count).reshape(-1, *(1,) * keys.ndim)
        states = normal(keys[None], blocks)
        for i in range(count):
            if previous is None:
                states[i] *= self._sigma
            else:
                states[i] *= self._innovation
                states[i] += self._a * previous
            previous = states[i]
        return states

    def row(self, device: int, now: Instant) -> Floats:
        """The states of one device's links, shape [gateway]."""
        chunk, offset = divmod(now // self.block_us, _CHUNK_BLOCKS)
        held = self._rows.get(device)
        if held is not None and held[0] == chunk:
            return _row(held[1], offset)
        if held is None or held[0] > chunk:
            begun, previous = -1, None
        else:
            begun, previous = held[0], held[1][-1]
        keys = self._keys[device]
        states = previous
        for c in range(begun + 1, chunk + 1):
            states = self._chunk(keys, c * _CHUNK_BLOCKS, _CHUNK_BLOCKS, previous)
            previous = states[-1]
        assert states is not None
        self._rows[device] = (chunk, states)
        return _row(states, offset)

    def all_blocks(self, first: int, count: int) -> Floats:
        """The states of every link in blocks first … first + count − 1, shape [count, device, gateway].

        Cheapest when asked for in rising order.
        """
        if self._all is not None and self._all[0] < first:
            last, previous = self._all[0], self._all[1]
        else:
            last, previous = -1, None
        while last < first - 1:
            skip = min(_CHUNK_BLOCKS, first - 1 - last)
            previous = self._chunk(self._keys, last + 1, skip, previous)[-1]
            last += skip
        states = self._chunk(self._keys, first, count, previous)
        self._all = (first + count - 1, states[-1].copy())
        return states


@lru_cache(maxsize=16)
def _miss_table(law: FrameFadingLaw, sigma_db: float, k_db: float) -> npt.NDArray[np.float64]:
    """log P(frame lost) over a grid of margins from −60 to 60 dB."""
    margin = np.arange(-_GRID_LIMIT_DB, _GRID_LIMIT_DB + _GRID_STEP_DB / 2, _GRID_STEP_DB)
    if law == "none" or (law == "lognormal" and sigma_db == 0):
        table = np.where(margin >= 0, -745.0, 0.0)
    elif law == "lognormal":
        table = log_ndtr(-margin / sigma_db)
    else:
        k = 10.0 ** (k_db / 10.0)
        # A Rice power, scaled, is a non-central χ² of two degrees of freedom.
        table = np.log(np.maximum(chndtr(2.0 * (1.0 + k) * 10.0 ** (-margin / 10.0), 2, 2.0 * k), 1e-300))
    return np.maximum(table, -745.0)


class FrameFading:
    """Fading of single frames in dB: independent per (frame, gateway), constant within a frame.

    Laws: "none"; "lognormal", mean 0 dB and sigma_db; "rice", unit mean power and factor k_db.
    """

    def __init__(self, law: FrameFadingLaw, *, sigma_db: float = 0.0, k_db: float = 0.0) -> None:
        self.law: FrameFadingLaw = law
        self._sigma, self._k_db = sigma_db, k_db
        k = 10.0 ** (k_db / 10.0)
        self._steady, self._scatter = math.sqrt(k / (k + 1.0)), math.sqrt(0.5 / (k + 1.0))

    def draw_db(self, keys: Keys, indices: npt.NDArray[np.integer] | int) -> Floats:
        """The fade of frame `indices` on the links of these keys; shapes broadcast. Positive is stronger."""
        if self.law == "lognormal":
            fade = normal(keys, indices)
            fade *= self._sigma
            return fade
        if self.law == "rice":
            twice = np.multiply(indices, 2)
            i = self._steady + self._scatter * normal(keys, twice)
            q = self._scatter * normal(keys, twice + 1)
            faded: Floats = 10.0 * np.log10(i * i + q * q)
            return faded
        return np.zeros(np.broadcast_shapes(np.shape(keys), np.shape(indices)))

    def success(self, margin_db: npt.NDArray[np.floating]) -> Floats:
        """P(frame above the floor) at this margin of the faded mean above it, exact for log-normal and none."""
        if self.law == "lognormal" and self._sigma > 0:
            exact: Floats = ndtr(margin_db / self._sigma)
            return exact
        probability: Floats = -np.expm1(self.log_miss(margin_db))
        return probability

    def log_miss(self, margin_db: npt.NDArray[np.floating]) -> Floats:
        """log P(frame below the floor), by linear interpolation in steps of 0.02 dB; summed over gateways it gives the
        chance that all of them miss the frame."""
        table = _miss_table(self.law, self._sigma, self._k_db)
        position = np.clip(margin_db, -_GRID_LIMIT_DB, _GRID_LIMIT_DB - _GRID_STEP_DB) + _GRID_LIMIT_DB
        position /= _GRID_STEP_DB
        cell = position.astype(np.int32)
        position -= cell
        below = table[cell]
        result: Floats = below + position * (table[cell + 1] - below)
        return result


class Fading:
    """Both kinds of fading for a set of links: what the medium, the background and the expectation ask.

    slow_keys, frame_keys: uint64 [device, gateway].
    """

    def __init__(self, slow_keys: Keys, frame_keys: Keys, model: RadioModel) -> None:
        self.slow = (
            SlowFading(
                slow_keys,
                sigma_db=model.slow_fading_sigma_db,
                correlation_s=model.slow_fading_correlation_s,
                block_s=model.slow_fading_block_s,
            )
            if model.slow_fading_sigma_db > 0
            else None
        )
        self.frame = FrameFading(
            model.frame_fading_law, sigma_db=model.frame_fading_sigma_db, k_db=model.frame_fading_k_db
        )
        self._frame_keys = frame_keys
        self._per_frame = model.frame_fading_law != "none"

    @property
    def frame_keys(self) -> Keys:
        """The keys of the per-frame draws, [device, gateway]."""
        return self._frame_keys

    def uplink_db(self, device: int, frame_index: int, now: Instant) -> Floats:
        """The fade of a device's frame at every gateway, [gateway]."""
        if not self._per_frame:
            return self.slow.row(device, now) if self.slow else np.zeros(self._frame_keys.shape[1])
        fade = self.frame.draw_db(self._frame_keys[device], frame_index)
        if self.slow:
            fade += self.slow.row(device, now)
        return fade

    def downlink_db(self, gateway: int, device: int, reference: int, now: Instant) -> float:
        """The fade of a gateway's frame at a device: the same slow state as the uplink, its own draw per frame."""
        fade = float(self.slow.row(device, now)[gateway]) if self.slow else 0.0
        if self._per_frame:
            key = fold(self._frame_keys[device, gateway : gateway + 1], _DOWNLINK)
            fade += float(self.frame.draw_db(key, reference)[0])
        return fade
