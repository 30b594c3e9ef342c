"""What every MAC command is: a CID, a direction, and fields in one little-endian word.

Everything multi-byte is little endian on the wire, so a payload of n bytes is one word of 8n bits in which each field
is a run of bits. A command is declared by its fields; encoding, parsing and range checks follow from that. The one
command of varying length ends in octets whose number stands in the word.

Source: TS001-1.0.4 §5; LoRaWAN 1.1 §5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Final, Literal, Self, TypeAlias

from lorawan.errors import FrameError
from lorawan.ids import AesKey, DevAddr
from lorawan.version import Version

FREQUENCY_STEP_HZ = 100  # TS001-1.0.4 §5.4: Frequency counts 100 Hz

DeviceClass: TypeAlias = Literal["A", "B", "C", "relay"]

EVERY_VERSION: Final[tuple[Version, ...]] = tuple(Version)
FROM_1_0_3: Final[tuple[Version, ...]] = (Version.V1_0_3, Version.V1_0_4, Version.V1_1)
ONLY_1_1: Final[tuple[Version, ...]] = (Version.V1_1,)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field stands in the payload word, and what a count of it means: base + unit × count.

    octets: the count is the number of octets after the word, which are the value.
    """

    low: int
    width: int
    unit: int = 1
    base: int = 0
    signed: bool = False
    kind: Callable[[int], Any] = int
    octets: bool = False

    @property
    def counts(self) -> tuple[int, int]:
        """The smallest and the largest count."""
        low = -1 << (self.width - 1) if self.signed else 0
        return low, low + (1 << self.width) - 1

    def value(self, count: int) -> Any:
        """What the field is worth with this count."""
        return self.kind(self.base + self.unit * count)

    def count(self, value: Any) -> int | None:
        """The count of a value, None where it falls between two."""
        if self.octets:
            return len(value)
        number = int.from_bytes(value, "little") if isinstance(value, bytes) else value
        count, rest = divmod(number - self.base, self.unit)
        return None if rest else count

    def read(self, word: int) -> int:
        """The count that stands in a payload word."""
        count = word >> self.low & ((1 << self.width) - 1)
        return count - (1 << self.width) if self.signed and count >> (self.width - 1) else count


def bits(low: int, width: int, *, unit: int = 1, base: int = 0, signed: bool = False) -> Any:
    """A number in `width` bits from bit `low` of the payload word (bit 0: lowest of the first byte)."""
    return field(metadata={"place": Place(low, width, unit, base, signed)})


def flag(bit: int) -> Any:
    """A bool in one bit of the payload word."""
    return field(metadata={"place": Place(bit, 1, kind=bool)})


def address(low: int) -> Any:
    """A DevAddr in 32 bits from bit `low`."""
    return field(metadata={"place": Place(low, 32, kind=DevAddr)})


def key(low: int) -> Any:
    """An AES key in 128 bits from bit `low`; keys are not reversed on the wire."""
    return field(metadata={"place": Place(low, 128, kind=_key_of)})


def octets(low: int, width: int) -> Any:
    """The octets after the word, as on the wire; their number stands in `width` bits from bit `low`."""
    return field(metadata={"place": Place(low, width, octets=True)})


def _key_of(word: int) -> AesKey:
    return AesKey(word.to_bytes(16, "little"))


@dataclass(frozen=True, slots=True)
class MacCommand:
    """One command. Making it with a value that does not fit its field raises FrameError; RFU bits are sent as 0.

    length: octets of the payload word. versions: those that have the command. device_class: the class that needs it, or
    "relay". clause: where it is defined.
    """

    cid: ClassVar[int]
    uplink: ClassVar[bool]
    length: ClassVar[int] = 0
    versions: ClassVar[tuple[Version, ...]] = EVERY_VERSION
    device_class: ClassVar[DeviceClass] = "A"
    clause: ClassVar[str]

    def __post_init__(self) -> None:
        for name, place in places(type(self)):
            value = getattr(self, name)
            count = place.count(value)
            low, high = place.counts
            if count is None or not low <= count <= high:
                step = f" in steps of {place.unit}" if place.unit > 1 else ""
                span = f"{low}–{high} octets" if place.octets else f"{place.value(low)}–{place.value(high)}{step}"
                raise FrameError(f"{value} does not fit", field=f"{type(self).__name__}.{name}", hint=span)

    def encode(self) -> bytes:
        """CID and payload."""
        word, tail = 0, b""
        for name, place in places(type(self)):
            value = getattr(self, name)
            word |= ((place.count(value) or 0) & ((1 << place.width) - 1)) << place.low
            if place.octets:
                tail += value
        return bytes((self.cid,)) + word.to_bytes(self.length, "little") + tail

    @classmethod
    def length_of(cls, after_cid: bytes) -> int:
        """How many payload octets the command takes of those after its CID: more than there are where it is cut."""
        tails = [place for _, place in places(cls) if place.octets]
        if not tails or len(after_cid) < cls.length:
            return cls.length
        word = int.from_bytes(after_cid[: cls.length], "little")
        return cls.length + sum(place.read(word) for place in tails)

    @classmethod
    def of_payload(cls, payload: bytes) -> Self:
        """From the octets after the CID; RFU bits are passed over. Raises FrameError for another length."""
        wanted = cls.length_of(payload)
        if len(payload) != wanted:
            raise FrameError(f"{len(payload)} bytes", field=cls.__name__, hint=f"its payload has {wanted}")
        word = int.from_bytes(payload[: cls.length], "little")
        return cls(*[payload[cls.length :] if p.octets else p.value(p.read(word)) for _, p in places(cls)])


_PLACES: Final[dict[type[MacCommand], tuple[tuple[str, Place], ...]]] = {}  # read off each class once


def places(command: type[MacCommand]) -> tuple[tuple[str, Place], ...]:
    """The fields of a command that have a place in its word, by name, and where that is."""
    found = _PLACES.get(command)
    if found is None:
        found = _PLACES[command] = tuple(
            (f.name, f.metadata["place"]) for f in fields(command) if "place" in f.metadata
        )
    return found
