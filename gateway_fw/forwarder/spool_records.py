"""The records of a spool file: append-only, each with its own checksum, so that any damage costs what it touches.

    0  2   A5 5A
    2  1   kind: 1 an uplink, 2 uplinks that are done with
    3  2   length of the body
    5  8   number of the uplink (kind 2: 0)
    13 8   reception, µs since 1970 UTC, signed (kind 2: 0)
    21 n   body: kind 1 the rxpk as JSON, kind 2 numbers of 8 bytes
    +4     CRC-32 of everything after the first two bytes

All big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zlib import crc32

SYNC = b"\xa5\x5a"
UPLINK, DONE = 1, 2
_HEAD = struct.Struct(">2sBHQq")
_CRC = struct.Struct(">I")
OVERHEAD_BYTES = _HEAD.size + _CRC.size
MAX_BODY_BYTES = 8_192  # an rxpk has a few hundred bytes; numbers come in groups of 1,024
_DONE_GROUP = MAX_BODY_BYTES // 8


@dataclass(frozen=True, slots=True)
class SpooledUplink:
    """An uplink as kept on disk. unix_us: when it was received, UTC. body: its rxpk as JSON."""

    number: int
    unix_us: int
    body: bytes


@dataclass(frozen=True, slots=True)
class SpooledDone:
    """These uplinks are acknowledged, or were let go."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no record: offset and length."""

    offset: int
    length: int


def encode_uplink(uplink: SpooledUplink) -> bytes:
    """One record."""
    return _record(UPLINK, uplink.number, uplink.unix_us, uplink.body)


def encode_done(numbers: Iterable[int]) -> bytes:
    """One record, or more where the numbers do not fit in one."""
    numbers = tuple(numbers)
    groups = (numbers[i : i + _DONE_GROUP] for i in range(0, len(numbers), _DONE_GROUP))
    return b"".join(_record(DONE, 0, 0, struct.pack(f">{len(group)}Q", *group)) for group in groups)


def scan(data: bytes) -> Iterator[SpooledUplink | SpooledDone | Damage]:
    """The records of a file in order, and what stands between them that is none. Never raises."""
    offset, damaged_from = 0, None
    while offset < len(data):
        record, length = _read(data, offset)
        if record is None:
            if damaged_from is None:
                damaged_from = offset
            found = data.find(SYNC, offset + 1)
            offset = len(data) if found < 0 else found
            continue
        if damaged_from is not None:
            yield Damage(damaged_from, offset - damaged_from)
            damaged_from = None
        yield record
        offset += length
    if damaged_from is not None:
        yield Damage(damaged_from, len(data) - damaged_from)


def _record(kind: int, number: int, unix_us: int, body: bytes) -> bytes:
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"{len(body)} bytes do not fit into a record of the spool")
    head = _HEAD.pack(SYNC, kind, len(body), number, unix_us)
    return head + body + _CRC.pack(crc32(body, crc32(head[2:])))


def _read(data: bytes, offset: int) -> tuple[SpooledUplink | SpooledDone | None, int]:
    if len(data) - offset < OVERHEAD_BYTES:
        return None, 0
    sync, kind, size, number, unix_us = _HEAD.unpack_from(data, offset)
    end = offset + OVERHEAD_BYTES + size
    if sync != SYNC or size > MAX_BODY_BYTES or end > len(data):
        return None, 0
    body = data[offset + _HEAD.size : end - _CRC.size]
    if _CRC.unpack_from(data, end - _CRC.size)[0] != crc32(data[offset + 2 : end - _CRC.size]):
        return None, 0
    if kind == UPLINK:
        return SpooledUplink(number, unix_us, body), end - offset
    if kind == DONE and size % 8 == 0:
        return SpooledDone(struct.unpack(f">{size // 8}Q", body)), end - offset
    return None, 0


def waiting_of(records: Iterable[SpooledUplink | SpooledDone | Damage]) -> tuple[list[SpooledUplink], int]:
    """What is still to be acknowledged, by number, and the highest number seen."""
    waiting: dict[int, SpooledUplink] = {}
    highest = 0
    for record in records:
        if isinstance(record, SpooledUplink):
            waiting[record.number] = record
            highest = max(highest, record.number)
        elif isinstance(record, SpooledDone):
            for number in record.numbers:
                waiting.pop(number, None)
            highest = max(highest, *record.numbers) if record.numbers else highest
    return sorted(waiting.values(), key=_by_number), highest


def _by_number(uplink: SpooledUplink) -> int:
    return uplink.number
