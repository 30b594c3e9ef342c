"""What every MAC command is: a CID, a direction, and fields in one little-endian word.

Everything multi-byte is little endian on the wire, so a payload of n bytes is one word of 8n bits in which each field
is a run of bits. A command is declared by its fields; encoding, parsing and range checks follow from that.

Source: TS001-1.0.4 §5; LoRaWAN 1.1 §5.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Final, NamedTuple, Self

from lorawan.errors import FrameError

FREQUENCY_STEP_HZ = 100  # TS001-1.0.4 §5, RXParamSetupReq: Frequency counts 100 Hz


class Place(NamedTuple):
    """Where a field stands in the payload word, and what one count of it means."""

    name: str
    low: int
    width: int
    unit: int
    signed: bool
    flag: bool


def bits(low: int, width: int, *, unit: int = 1, signed: bool = False) -> Any:
    """A number in `width` bits from bit `low` of the payload word (bit 0: lowest of the first byte)."""
    return field(metadata={"place": (low, width, unit, signed, False)})


def flag(bit: int) -> Any:
    """A bool in one bit of the payload word."""
    return field(metadata={"place": (bit, 1, 1, False, True)})


@dataclass(frozen=True, slots=True)
class MacCommand:
    """One command. Making it with a value that does not fit its field raises FrameError; RFU bits are sent as 0."""

    cid: ClassVar[int]
    uplink: ClassVar[bool]
    length: ClassVar[int] = 0

    def __post_init__(self) -> None:
        for place in places_of(type(self)):
            value = getattr(self, place.name)
            low = -1 << (place.width - 1) if place.signed else 0
            count, rest = divmod(value, place.unit)
            if rest or not low <= count < low + (1 << place.width):
                high = (low + (1 << place.width) - 1) * place.unit
                step = f" in steps of {place.unit}" if place.unit > 1 else ""
                raise FrameError(
                    f"{value} does not fit", field=f"{type(self).__name__}.{place.name}", hint=f"{low}–{high}{step}"
                )

    def encode(self) -> bytes:
        """CID and payload."""
        word = 0
        for place in places_of(type(self)):
            word |= (getattr(self, place.name) // place.unit & ((1 << place.width) - 1)) << place.low
        return bytes((self.cid,)) + word.to_bytes(self.length, "little")

    @classmethod
    def of_payload(cls, payload: bytes) -> Self:
        """From the `length` bytes after the CID; RFU bits are passed over. Raises FrameError for another length."""
        if len(payload) != cls.length:
            raise FrameError(f"{len(payload)} bytes", field=cls.__name__, hint=f"its payload has {cls.length}")
        word = int.from_bytes(payload, "little")
        return cls(*[value_in(word, place) for place in places_of(cls)])


def value_in(word: int, place: Place) -> int:
    """What the field at `place` has in this payload word."""
    count = word >> place.low & ((1 << place.width) - 1)
    if place.flag:
        return bool(count)
    if place.signed and count >> (place.width - 1):
        count -= 1 << place.width
    return count * place.unit


_PLACES: Final[dict[type[MacCommand], tuple[Place, ...]]] = {}  # read off each class once


def places_of(command: type[MacCommand]) -> tuple[Place, ...]:
    """The fields of a command that stand in its payload word."""
    found = _PLACES.get(command)
    if found is None:
        found = _PLACES[command] = tuple(
            Place(f.name, *f.metadata["place"]) for f in fields(command) if "place" in f.metadata
        )
    return found
