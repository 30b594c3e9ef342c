"""The parity code of fragmented blocks: which fragments a coded one is the XOR of, and how to get them back.

A fragment is an int of 8 · frag_size bits here, and a line of the parity matrix an int whose bit i stands for fragment
i + 1: adding lines or fragments over GF(2) is one XOR.

Source: TS004-2.0.0 annex A.1 (fragments), A.2 (decoding), A.5 (matrix_line, prbs23); TS004-1.0.0 §8 and §11.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from lorawan.errors import FrameError

MAX_N: Final = (1 << 14) - 1  # TS004-2.0.0 §3.6: N has 14 bits
_SEED_STEP: Final = 1001  # TS004-2.0.0 annex A.5


def prbs23(x: int) -> int:
    """The next state of the 23-bit generator."""
    return x >> 1 | ((x ^ x >> 5) & 1) << 22


@lru_cache(maxsize=4096)
def parity_line(n: int, m: int, version: int) -> int:
    """Line n (from 1 on) of the parity part of the matrix for m fragments.

    Version 2 draws until m // 2 different fragments are in; version 1 draws m // 2 times, so that one drawn twice makes
    the line shorter. Both seed with the number of the coded fragment among the coded ones (N − M): annex A.5 of version
    2 can be read as seeding with N itself, but Semtech's own device (SWL2001@9a14f677) and chirpstack@d77207cd do not.
    """
    modulus = m + 1 if m & (m - 1) == 0 else m  # powers of two would make patterns
    x = 1 + _SEED_STEP * n
    line = drawn = 0
    while drawn < m // 2:
        x = prbs23(x)
        r = x % modulus
        if r >= m:
            continue
        if version == 1 or not line >> r & 1:
            drawn += 1
        line |= 1 << r
    return line


def matrix_line(n: int, m: int, version: int) -> int:
    """Which of the m fragments fragment n (from 1 on) is the XOR of. Up to m it is fragment n itself."""
    return 1 << (n - 1) if n <= m else parity_line(n - m, m, version)


def split(block: bytes, frag_size: int) -> tuple[tuple[int, ...], int]:
    """The fragments of a block, and how many bytes of zeros fill the last. Raises FrameError."""
    if not block or frag_size < 1:
        raise FrameError(
            f"{len(block)} bytes in fragments of {frag_size}", field="data block", clause="TS004-2.0.0 §3.3"
        )
    padding = -len(block) % frag_size
    whole = block + bytes(padding)
    fragments = tuple(int.from_bytes(whole[at : at + frag_size], "big") for at in range(0, len(whole), frag_size))
    if len(fragments) > MAX_N:
        raise FrameError(
            f"{len(fragments)} fragments", field="NbFrag", clause="TS004-2.0.0 §3.6", hint=f"{MAX_N} at most"
        )
    return fragments, padding


def coded(fragments: tuple[int, ...], n: int, version: int) -> int:
    """Fragment n of the stream, 1 … 16383."""
    line, value = matrix_line(n, len(fragments), version), 0
    while line:
        low = line & -line
        value ^= fragments[low.bit_length() - 1]
        line ^= low
    return value


class Progress(Enum):
    """What a fragment did to the decoder."""

    USEFUL = auto()
    USELESS = auto()  # received before, or the sum of others
    COMPLETE = auto()
    OUT_OF_MEMORY = auto()  # more fragments are missing than the matrix has lines


@dataclass(slots=True)
class _Row:
    line: int  # fragments that are not known, the lowest of them is the pivot
    value: int


class Decoder:
    """Takes fragments in any order until the block is there.

    Gaussian elimination over the fragments that are missing alone: each line holds two of these or more, so there are
    fewer lines than missing fragments, and `max_lines` of them bound the memory (max_lines · nb_frag / 8 bytes besides
    the block itself). A line that comes down to one fragment gives that fragment, which shortens others; once no useful
    fragment is missing, the line of the last pivot has nothing but its pivot, and so one after another is solved.
    nb_frag: 1–16383; frag_size: 1–255.
    """

    def __init__(self, nb_frag: int, frag_size: int, version: int, max_lines: int) -> None:
        self.nb_frag, self.frag_size = nb_frag, frag_size
        self._version = version
        self._max_lines = max_lines
        self._fragments: list[int] = [0] * nb_frag
        self._known = 0  # bit i: fragment i + 1
        self._rows: dict[int, _Row] = {}  # by pivot

    @property
    def missing(self) -> int:
        """How many more useful fragments it takes."""
        return self.nb_frag - self._known.bit_count() - len(self._rows)

    def add(self, n: int, fragment: bytes) -> Progress:
        """Take fragment n (from 1 on) of the stream in. It must have frag_size bytes."""
        before = self.missing
        if not before:
            return Progress.USELESS
        line = matrix_line(n, self.nb_frag, self._version)
        value = int.from_bytes(fragment, "big")
        known = line & self._known
        line ^= known
        while known:
            low = known & -known
            value ^= self._fragments[low.bit_length() - 1]
            known ^= low
        if not self._insert(line, value):
            return Progress.OUT_OF_MEMORY
        if self.missing == before:  # also a fragment that the lines together held already
            return Progress.USELESS
        return Progress.USEFUL if self.missing else Progress.COMPLETE

    def block(self, padding: int) -> bytes:
        """The data block without its padding; call it once nothing is missing."""
        whole = b"".join([fragment.to_bytes(self.frag_size, "big") for fragment in self._fragments])
        return whole[: len(whole) - padding]

    def _insert(self, line: int, value: int) -> bool:
        """Take a line of missing fragments in, whether it says something new or not. False: there is no room for it."""
        while line & (line - 1):  # two fragments or more
            row = self._rows.get(pivot := (line & -line).bit_length() - 1)
            if row is None:
                if len(self._rows) >= self._max_lines:
                    return False
                self._rows[pivot] = _Row(line, value)
                return True
            line, value = line ^ row.line, value ^ row.value
        if line:
            self._learn(line.bit_length() - 1, value)
        return True

    def _learn(self, i: int, value: int) -> None:
        """Fragment i + 1 is known: take it out of every line; a line that it was the pivot of finds another place."""
        self._fragments[i] = value
        self._known |= 1 << i
        homeless = self._rows.pop(i, None)
        alone: list[int] = []
        for pivot, row in self._rows.items():
            if row.line >> i & 1:
                row.line, row.value = row.line ^ 1 << i, row.value ^ value
                if not row.line & (row.line - 1):
                    alone.append(pivot)
        if homeless is not None:
            self._insert(homeless.line ^ 1 << i, homeless.value ^ value)
        for pivot in alone:
            row_alone = self._rows.pop(pivot, None)
            if row_alone is not None:
                self._learn(pivot, row_alone.value)
