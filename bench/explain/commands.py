"""A block of MAC commands, command by command and field by field."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from bench.explain.clauses import clause, command_clause
from bench.explain.command_meanings import command_name, meaning_of, name_of
from bench.explain.field import Field, Value, of_bytes
from lorawan.ids import AesKey
from lorawan.mac_commands import MacCommand, parse_commands
from lorawan.version import Version

HIDDEN = "hidden"


def command_facts(block: bytes, version: Version, *, uplink: bool, show_keys: bool) -> list[dict[str, Any]]:
    """The commands as plain data; what could not be read is the last, under "unknown"."""
    parsed = parse_commands(block, uplink=uplink, version=version)
    views = [
        {"command": command_name(type(c))} | {f.name: plain(getattr(c, f.name), show_keys) for f in fields(c)}
        for c in parsed.commands
    ]
    return [*views, {"unknown": parsed.rest.hex()}] if parsed.rest else views


def carries_key(block: bytes, version: Version, *, uplink: bool) -> bool:
    """Whether a command of the block hands over a key."""
    commands = parse_commands(block, uplink=uplink, version=version).commands
    return any(isinstance(getattr(c, f.name), AesKey) for c in commands for f in fields(c))


def explain_commands(
    block: bytes, offset: int, version: Version, *, uplink: bool, show_keys: bool
) -> tuple[Field, ...]:
    """One field for each command of a block in clear that begins at this offset; the last may be what is not known."""
    parsed = parse_commands(block, uplink=uplink, version=version)
    found: list[Field] = []
    at = 0
    for command in parsed.commands:
        size = len(command.encode())
        where, title = command_clause(command.cid, version), command_name(type(command))
        data = block[at : at + size]
        found.append(explain_command(command, title, data, offset + at, where, show_keys=show_keys))
        at += size
    if parsed.rest:
        found.append(_rest(parsed.rest, offset + at, version, uplink=uplink))
    return tuple(found)


def explain_command(command: MacCommand, title: str, data: bytes, offset: int, where: str, *, show_keys: bool) -> Field:
    """A command and its fields. data: its bytes, which may lack fields that the first ones say are left out."""
    word_end = min(1 + command.length, len(data))
    word, width = int.from_bytes(data[1:word_end], "little"), 8 * (word_end - 1)
    inner: list[Field] = []
    covered: list[tuple[int, int]] = []
    for field in fields(command):
        name, value = name_of(field.name), getattr(command, field.name)
        if "rest" in field.metadata:
            if word_end < len(data):
                inner.append(of_bytes(name, where, data[word_end:], offset + word_end, value.hex()))
            continue
        place = field.metadata["place"]
        if place.low + place.width > width:
            continue
        covered.append((place.low, place.width))
        if place.octets:
            inner.append(_bits(f"{name}Len", where, word, place.low, place.width, offset + 1))
            inner.append(of_bytes(name, where, data[word_end:], offset + word_end, value.hex()))
        elif isinstance(value, AesKey) and not show_keys:
            inner.append(Field(name, where, HIDDEN, "", "", offset + 1 + place.low // 8, place.width // 8))
        else:
            shown, meaning = plain(value, show_keys), meaning_of(command, field.name)
            inner.append(_bits(name, where, word, place.low, place.width, offset + 1, shown, meaning))
    inner += [_bits("RFU", where, word, low, size, offset + 1) for low, size in _gaps(covered, width)]
    inner.sort(key=_position)
    cid = of_bytes("CID", where, data[:1], offset, command.cid, title)
    hidden = not show_keys and any(isinstance(getattr(command, f.name), AesKey) for f in fields(command))
    raw = HIDDEN if hidden else data.hex()
    return Field(title, where, None, "", "", offset, len(data), None, raw, (cid, *inner))


def _bits(
    name: str, where: str, word: int, low: int, width: int, offset: int, value: Value = None, meaning: str = ""
) -> Field:
    """`width` bits from bit `low` of the little-endian word that begins at offset."""
    number = word >> low & (1 << width) - 1
    shown = number if value is None else value
    first, last = low // 8, (low + width - 1) // 8
    size = last - first + 1
    if low % 8 == 0 and width % 8 == 0:
        raw = number.to_bytes(size, "little").hex()
        return Field(name, where, shown, meaning, "", offset + first, size, None, raw)
    bits = (low + width - 1 - 8 * first, low - 8 * first)
    return Field(name, where, shown, meaning, "", offset + first, size, bits, f"{number:0{width}b}")


def _gaps(covered: Iterable[tuple[int, int]], width: int) -> list[tuple[int, int]]:
    """The runs of bits that no field covers, each within one byte: lowest bit and width."""
    free = [True] * width
    for low, size in covered:
        free[low : low + size] = [False] * size
    found: list[tuple[int, int]] = []
    for bit in (bit for bit in range(width) if free[bit]):
        if found and bit % 8 and sum(found[-1]) == bit:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((bit, 1))
    return found


def _position(field: Field) -> tuple[int, int]:
    """Byte by byte as sent, and within a byte from the highest bit, as the specification's tables are."""
    return field.offset or 0, -(field.bits[0] if field.bits else 0)


def _rest(rest: bytes, offset: int, version: Version, *, uplink: bool) -> Field:
    elsewhere = parse_commands(rest, uplink=uplink).commands
    if elsewhere:
        why = f"{version} has no {command_name(type(elsewhere[0]))}: the reading ends here"
    elif rest[0] >= 0x80:
        why = "a proprietary command: the reading ends here"
    else:
        why = f"CID {rest[0]:02x} is unknown or cut short: the reading ends here"
    return of_bytes("not read", clause("MAC commands", version), rest, offset, rest.hex(), why)


def plain(value: Any, show_keys: bool) -> Any:
    """What JSON has a type for."""
    if isinstance(value, AesKey):
        return value.hex() if show_keys else HIDDEN
    if isinstance(value, bytes):
        return value.hex()
    return value if type(value) in (bool, int) else str(value)
