"""`lorawan.draws` on arrays: the same bits for the same places, many at a time.

Keys and words are uint64 arrays that broadcast against each other; a draw is a pure function of (key, index).
`Draws(key).at(a, b).uniform(i)` equals `uniform(fold(fold(key, word(a)), word(b)), i)` to the last bit.

Source: as lorawan.draws (SplitMix64); normal deviates by inversion of the normal distribution function.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from lorawan.draws import GOLDEN64, Draws, Entity, word_of

Keys: TypeAlias = npt.NDArray[np.uint64]
Floats: TypeAlias = npt.NDArray[np.float64]
IntsLike: TypeAlias = "npt.NDArray[np.integer] | int"

_GOLDEN = np.uint64(GOLDEN64)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_ONE = np.uint64(1)


def _words(values: IntsLike) -> Keys:
    """Integers as 64-bit words, negative ones modulo 2^64. At least one-dimensional: there, overflow wraps silently."""
    return np.atleast_1d(np.asarray(values)).astype(np.uint64, copy=False)


def _mix64(x: Keys) -> Keys:
    """The SplitMix64 finaliser. Writes into x, which must be ours."""
    x ^= x >> _S30
    x *= _M1
    x ^= x >> _S27
    x *= _M2
    x ^= x >> _S31
    return x


def words_of(entities: Sequence[Entity]) -> Keys:
    """Entities as 64-bit words (about 1 µs each: hash once, keep the array)."""
    return np.fromiter((word_of(entity) for entity in entities), dtype=np.uint64, count=len(entities))


def keys_at(draws: Draws, *entities: Entity) -> Keys:
    """The key of `draws.at(*entities)` as an array of one, to fold further words into."""
    return _words(draws.at(*entities).key)


def fold(keys: IntsLike, words: IntsLike) -> Keys:
    """New keys from keys and one more word each. Shapes broadcast; a scalar counts as shape (1,)."""
    x = _mix64(_words(keys) ^ _words(words))
    x += _GOLDEN
    return _mix64(x)


def u64(keys: IntsLike, indices: IntsLike = 0) -> Keys:
    """The 64-bit draws number `indices` at `keys`. Shapes broadcast."""
    x = _words(indices) + _ONE
    x *= _GOLDEN
    return _mix64(x + _words(keys))


def uniform(keys: IntsLike, indices: IntsLike = 0) -> Floats:
    """In [0, 1), 53 bits, as `Draws.uniform`."""
    return (u64(keys, indices) >> _S11).astype(np.float64) * 2.0**-53


def integer(keys: IntsLike, n: int, indices: IntsLike = 0) -> npt.NDArray[np.int64]:
    """In 0 … n − 1 for 1 ≤ n ≤ 2^31, from the upper 32 bits of each draw (bias below n / 2^32)."""
    return (((u64(keys, indices) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32)).astype(np.int64)


def normal(keys: IntsLike, indices: IntsLike = 0) -> Floats:
    """Standard normal deviates, one draw each: Φ⁻¹ of the centre of the draw's 2^-53 wide cell, so always finite."""
    cells = (u64(keys, indices) >> _S11).astype(np.float64)
    cells += 0.5
    cells *= 2.0**-53
    # The topmost cell's centre rounds to 1.0 in doubles, where Φ⁻¹ is infinite.
    np.minimum(cells, 1.0 - 2.0**-53, out=cells)
    deviates: Floats = ndtri(cells)
    return deviates
