"""`lorawan.draws` inside kernels: the same bits for the same places. Every value here is a uint64 unless said.

Source: as lorawan.draws.
"""

from __future__ import annotations

import numpy as np

from radio_sim.compiled import part

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_LOW32 = np.uint64(0xFFFFFFFF)


@part
def mix64(x: np.uint64) -> np.uint64:
    """The SplitMix64 finaliser."""
    x = (x ^ (x >> _S30)) * _M1
    x = (x ^ (x >> _S27)) * _M2
    return x ^ (x >> _S31)


@part
def fold(key: np.uint64, word: np.uint64) -> np.uint64:
    """A new key from a key and one more word."""
    return mix64(mix64(key ^ word) + GOLDEN)


@part
def u64(key: np.uint64, index: int) -> np.uint64:
    """The draw number `index` (an int64, above −2) at `key`."""
    return mix64(key + GOLDEN * np.uint64(index + 1))


@part
def integer(key: np.uint64, n: int, index: int) -> int:
    """In 0 … n − 1 for n below 2^32, an int64: floor(u · n / 2^64) as `Draws.integer` has it."""
    draw, wide = u64(key, index), np.uint64(n)
    return int(((draw >> _S32) * wide + (((draw & _LOW32) * wide) >> _S32)) >> _S32)
