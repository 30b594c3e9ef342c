"""What every package command is, and blocks of them as an application payload carries them.

The words are those of the MAC commands: fields in one little-endian word, a registry by direction and CID, and a
reading that ends at what it does not know. Two things are added: bytes that are no number (keys, MICs, fragments), and
payloads whose first byte says that the rest is left out.

Source: TS003-2.0.0, TS004-2.0.0, TS005-2.0.0 and TS006-1.0.0, "format of control messages" of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, ClassVar, Final, NamedTuple, Self

from lorawan.errors import FrameError
from lorawan.mac_commands.base import MacCommand, bits, places_of, value_in


class _Octets(NamedTuple):
    """Where a field of bytes stands in the payload. size None: all that follows."""

    name: str
    at: int
    size: int | None


def octets(at: int, size: int | None = None) -> Any:
    """Bytes at this offset of the payload, as they are. size None: all that follows; such a field is the last."""
    return field(metadata={"octets": (at, size)})


@dataclass(frozen=True, slots=True)
class PackageCommand(MacCommand):
    """One command of a package. `length` counts the payload without a field that takes all that follows."""

    @classmethod
    def payload_bytes(cls, data: bytes) -> int:
        """How many bytes the payload has that `data` begins with; more than `data` has where it is cut short."""
        octets_ = _octets(cls)
        greedy = bool(octets_) and octets_[-1].size is None
        return max(len(data), cls.length) if greedy else cls.length

    def __post_init__(self) -> None:
        MacCommand.__post_init__(self)
        whole = self._whole()
        size = self.payload_bytes(whole)
        if not size <= len(whole) <= max(size, self.length) or any(whole[size:]):
            raise FrameError(
                f"{len(whole)} bytes where its first fields say {size}",
                field=type(self).__name__,
                hint="a field that is left out must be 0",
            )

    def encode(self) -> bytes:
        """CID and payload."""
        whole = self._whole()
        return bytes((self.cid,)) + whole[: self.payload_bytes(whole)]

    def _whole(self) -> bytes:
        payload = bytearray(MacCommand.encode(self)[1:])
        for name, at, size in _octets(type(self)):
            value: bytes = getattr(self, name)
            if size is not None and len(value) != size:
                raise FrameError(f"{len(value)} bytes", field=f"{type(self).__name__}.{name}", hint=f"{size}")
            payload[at : at + len(value)] = value
        return bytes(payload)

    @classmethod
    def read(cls, data: bytes) -> tuple[Self, int] | None:
        """The command whose payload `data` begins with, and that payload's size; None where it is cut short."""
        size = cls.payload_bytes(data)
        if len(data) < size:
            return None
        return cls.of_payload(data[:size]), size

    @classmethod
    def of_payload(cls, payload: bytes) -> Self:
        """From a whole payload; RFU bits are passed over. Raises FrameError for another length."""
        if len(payload) != (size := cls.payload_bytes(payload)):
            raise FrameError(f"{len(payload)} bytes", field=cls.__name__, hint=f"its payload has {size}")
        whole = payload.ljust(cls.length, b"\x00")
        word = int.from_bytes(whole[: cls.length], "little")
        values: dict[str, Any] = {place.name: value_in(word, place) for place in places_of(cls)}
        for name, at, count in _octets(cls):
            values[name] = whole[at:] if count is None else whole[at : at + count]
        return cls(**values)


_OCTETS: Final[dict[type[PackageCommand], tuple[_Octets, ...]]] = {}  # read off each class once


def _octets(command: type[PackageCommand]) -> tuple[_Octets, ...]:
    found = _OCTETS.get(command)
    if found is None:
        found = _OCTETS[command] = tuple(
            _Octets(f.name, *f.metadata["octets"]) for f in fields(command) if "octets" in f.metadata
        )
    return found


@dataclass(frozen=True, slots=True)
class PackageVersionReq(PackageCommand):
    """Which version of the package does the device have?"""

    cid: ClassVar[int] = 0x00
    uplink: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class PackageVersionAns(PackageCommand):
    """PackageIdentifier and PackageVersion (the major number)."""

    cid: ClassVar[int] = 0x00
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 2

    identifier: int = bits(0, 8)
    version: int = bits(8, 8)


@dataclass(frozen=True, slots=True)
class ParsedPackage:
    """The commands understood, in order, and the bytes after them that were not."""

    commands: tuple[PackageCommand, ...]
    rest: bytes


@dataclass(frozen=True, slots=True)
class Package:
    """A package of one version: its PackageIdentifier and PackageVersion, default FPort and commands."""

    name: str
    identifier: int
    version: int
    f_port: int
    clause: str  # of the format and of the rule about multicast
    registry: Mapping[tuple[bool, int], type[PackageCommand]]

    @classmethod
    def of(
        cls, name: str, identifier: int, version: int, f_port: int, clause: str, *commands: type[PackageCommand]
    ) -> Self:
        """With these commands and the two that every package has."""
        everyone: tuple[type[PackageCommand], ...] = (PackageVersionReq, PackageVersionAns, *commands)
        registry = {(command.uplink, command.cid): command for command in everyone}
        return cls(name, identifier, version, f_port, clause, MappingProxyType(registry))

    @property
    def commands(self) -> tuple[type[PackageCommand], ...]:
        """Every command, both directions."""
        return tuple(self.registry.values())

    @property
    def version_ans(self) -> PackageVersionAns:
        """The answer to PackageVersionReq."""
        return PackageVersionAns(self.identifier, self.version)

    def parse(self, data: bytes, *, uplink: bool) -> ParsedPackage:
        """The commands of a payload in clear. Never raises.

        No length stands on the wire, so an unknown CID or a command cut short ends the reading there; `rest` begins
        with its CID.
        """
        commands: list[PackageCommand] = []
        at = 0
        while at < len(data):
            kind = self.registry.get((uplink, data[at]))
            found = kind.read(data[at + 1 :]) if kind is not None else None
            if found is None:
                break
            commands.append(found[0])
            at += 1 + found[1]
        return ParsedPackage(tuple(commands), data[at:])


def encode_commands(commands: Iterable[PackageCommand]) -> bytes:
    """A payload of commands, in order."""
    return b"".join([command.encode() for command in commands])
