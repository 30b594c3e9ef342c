"""What a fuzz target is: a call with bytes from outside, and the only errors that may come out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

ChoiceT = TypeVar("ChoiceT")


@dataclass(frozen=True, slots=True)
class Target:
    """call: the code under test; refuses_with: its family of errors, () for what must never raise.

    max_bytes: how long an input the fuzzer makes.
    """

    call: Callable[[bytes], object]
    refuses_with: tuple[type[Exception], ...] = ()
    max_bytes: int = 1_024

    def run(self, data: bytes) -> None:
        """Raises whatever breaks the contract, and nothing else."""
        try:
            self.call(data)
        except self.refuses_with as error:
            str(error)  # what is wrong with a hostile input must be sayable


class Pieces:
    """An input as a row of choices and byte strings, so that a fuzzer can change one and leave the others."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def byte(self) -> int:
        """The next byte; 0 past the end."""
        return self.take(1)[0]

    def number(self, size: int) -> int:
        """A little-endian number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def pick(self, choices: Sequence[ChoiceT]) -> ChoiceT:
        """One of them, by a byte."""
        return choices[self.byte() % len(choices)]

    def take(self, size: int) -> bytes:
        """The next `size` bytes, filled up with zeros."""
        found = self._data[self._at : self._at + size]
        self._at += size
        return found.ljust(size, b"\0")

    def string(self) -> bytes:
        """A byte string after its length in one byte; shorter where the input ends."""
        size = self.byte()
        found = self._data[self._at : self._at + size]
        self._at += size
        return found

    def rest(self) -> bytes:
        """All that is left."""
        found = self._data[self._at :]
        self._at = len(self._data)
        return found

    def strings(self) -> Iterator[bytes]:
        """Byte strings after lengths of two bytes, little-endian, to the end."""
        while self:
            size = self.number(2)
            found = self._data[self._at : self._at + size]
            self._at += size
            yield found


def as_text(data: bytes) -> str:
    """Text as a reader that does not refuse an encoding hands it on."""
    return data.decode("utf-8", "replace")
