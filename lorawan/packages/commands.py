"""What every package command is, and blocks of them as an application payload carries them.

The words are those of the MAC commands: fields in one little-endian word, a registry by direction and CID, and a
reading that ends at what it does not know. Two things are added: bytes that are no number (keys, MICs, fragments), and
payloads whose first byte says that the rest is left out.

Source: TS003-2.0.0, TS004-2.0.0, TS005-2.0.0 and TS006-1.0.0, "format of control messages" of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self

from lorawan.errors import FrameError
from lorawan.mac_commands.base import MacCommand, Place, bits, places


def raw(at: int, size: int) -> Any:
    """Bytes of the payload word, from byte `at` on, as they are."""
    return field(metadata={"place": Place(8 * at, 8 * size, kind=partial(_raw, size))})


def rest() -> Any:
    """All the bytes after the payload word. It is the last field of its command."""
    return field(metadata={"rest": True})


def _raw(size: int, word: int) -> bytes:
    return word.to_bytes(size, "little")


@dataclass(frozen=True, slots=True)
class PackageCommand(MacCommand):
    """One command of a package. A field that the first byte says is left out must be 0; so it reads, too."""

    @classmethod
    def length_of(cls, after_cid: bytes) -> int:
        """How many payload bytes the command takes of those after its CID: more than there are where it is cut."""
        return max(len(after_cid), cls.length) if _rest_of(cls) else cls.length

    def __post_init__(self) -> None:
        MacCommand.__post_init__(self)
        name = type(self).__name__
        for field_name, place in places(type(self)):
            value = getattr(self, field_name)
            if isinstance(value, bytes) and len(value) != place.width // 8:
                raise FrameError(f"{len(value)} bytes", field=f"{name}.{field_name}", hint=f"{place.width // 8}")
        whole = self._whole()
        size = self.length_of(whole)
        if not size <= len(whole) <= max(size, self.length) or any(whole[size:]):
            raise FrameError(
                f"{len(whole)} bytes where its first fields say {size}",
                field=name,
                hint="a field that is left out must be 0",
            )

    def encode(self) -> bytes:
        """CID and payload."""
        whole = self._whole()
        return bytes((self.cid,)) + whole[: self.length_of(whole)]

    def _whole(self) -> bytes:
        """The payload with what is left out."""
        tail = _rest_of(type(self))
        return MacCommand.encode(self)[1:] + (getattr(self, tail) if tail else b"")

    @classmethod
    def of_payload(cls, payload: bytes) -> Self:
        """From the bytes after the CID; RFU bits are passed over. Raises FrameError for another length."""
        if len(payload) != (size := cls.length_of(payload)):
            raise FrameError(f"{len(payload)} bytes", field=cls.__name__, hint=f"its payload has {size}")
        word = int.from_bytes(payload[: cls.length], "little")
        values: dict[str, Any] = {name: place.value(place.read(word)) for name, place in places(cls)}
        if tail := _rest_of(cls):
            values[tail] = payload[cls.length :]
        return cls(**values)

    @classmethod
    def read(cls, after_cid: bytes) -> tuple[Self, int] | None:
        """The command whose payload comes first there, and that payload's size; None where it is cut short."""
        size = cls.length_of(after_cid)
        if len(after_cid) < size:
            return None
        return cls.of_payload(after_cid[:size]), size


_RESTS: Final[dict[type[PackageCommand], str]] = {}  # read off each class once


def _rest_of(command: type[PackageCommand]) -> str:
    """The name of its field that takes the rest, or nothing."""
    found = _RESTS.get(command)
    if found is None:
        found = _RESTS[command] = next((f.name for f in fields(command) if "rest" in f.metadata), "")
    return found


@dataclass(frozen=True, slots=True)
class PackageVersionReq(PackageCommand):
    """Which version of the package does the device have?"""

    cid: ClassVar[int] = 0x00
    uplink: ClassVar[bool] = False
    clause: ClassVar[str] = "TS003-2.0.0 §3.1, and alike in the others"


@dataclass(frozen=True, slots=True)
class PackageVersionAns(PackageCommand):
    """PackageIdentifier and PackageVersion (the major number)."""

    cid: ClassVar[int] = 0x00
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 2
    clause: ClassVar[str] = "TS003-2.0.0 §3.1, and alike in the others"

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
