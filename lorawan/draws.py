"""Counter-based random draws: each one a pure function of (seed, purpose, entities, index).

There is no stream to advance: adding a device, or taking the draws in another order in another tier, leaves every
draw as it was. The generator is SplitMix64 addressed by index.

Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (constants and finaliser as in
the public-domain reference by S. Vigna, 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

MASK64 = (1 << 64) - 1
GOLDEN64 = 0x9E3779B97F4A7C15

Entity: TypeAlias = int | str | bytes


def mix64(x: int) -> int:
    """The SplitMix64 finaliser: a bijection of 64-bit words."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK64
    return x ^ (x >> 31)


def word_of(entity: Entity) -> int:
    """An entity as a 64-bit word: ints modulo 2^64, text and bytes by BLAKE2b."""
    if isinstance(entity, int):
        return entity & MASK64
    data = entity.encode() if isinstance(entity, str) else entity
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


def fold(key: int, word: int) -> int:
    """A new key from a key and one more word."""
    return mix64((mix64(key ^ word) + GOLDEN64) & MASK64)


@dataclass(frozen=True, slots=True)
class Draws:
    """A place in the tree of draws. `at` goes down one level; `u64`, `uniform` and `integer` draw there by index."""

    key: int

    @classmethod
    def of_seed(cls, seed: int) -> Draws:
        """The root of a run."""
        return cls(mix64((seed + GOLDEN64) & MASK64))

    def at(self, *entities: Entity) -> Draws:
        """The place named by the entities, such as at("shadowing", dev_eui, gateway_id)."""
        key = self.key
        for entity in entities:
            key = fold(key, word_of(entity))
        return Draws(key)

    def u64(self, index: int = 0) -> int:
        """The 64-bit draw number `index` (any int)."""
        return mix64((self.key + GOLDEN64 * (index + 1)) & MASK64)

    def uniform(self, index: int = 0) -> float:
        """In [0, 1), 53 bits."""
        return (self.u64(index) >> 11) * 2.0**-53

    def integer(self, n: int, index: int = 0) -> int:
        """In 0 … n − 1, n ≥ 1 (bias below n / 2^64)."""
        return (self.u64(index) * n) >> 64
