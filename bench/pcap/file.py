"""Packets of a capture file: classic PCAP (µs and ns, either byte order) and pcapng.

Sources: pcap-savefile(5); draft-ietf-opsawg-pcapng for the block types and options read here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import UsageError

_NS_PER_S: Final = 1_000_000_000
_MAX_BYTES: Final = 1 << 30  # the file is read at once; more belongs in pieces (editcap -c) [assumption]
_MAX_PACKET_BYTES: Final = 262_144  # libpcap's MAXIMUM_SNAPLEN
_MAGIC: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_FILE_HEADER_BYTES, _PACKET_HEADER_BYTES = 24, 16
_SECTION_HEADER: Final = 0x0A0D0D0A
_BYTE_ORDERS: Final = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_INTERFACE, _PACKET, _SIMPLE_PACKET, _ENHANCED_PACKET = 1, 2, 3, 6
_OPTION_TSRESOL, _OPTION_TSOFFSET = 9, 14


class CaptureError(UsageError):
    """A capture file that cannot be read on. offset: the byte where."""

    def __init__(self, path: Path, offset: int, message: str, *, hint: str = "") -> None:
        self.offset = offset
        super().__init__(f"{path}: byte {offset}: {message}", hint=hint)


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet as captured.

    number: from 1, as Wireshark counts. at_ns: since 1970-01-01T00:00Z; None where the file does not say. offset: of
    the data's first byte in the file. cut: the packet was longer than what was kept of it.
    """

    number: int
    at_ns: int | None
    link_type: int
    data: bytes
    offset: int
    cut: bool = False


def read_capture(path: Path) -> Iterator[Packet]:
    """Every packet, in the file's order. Raises CaptureError where the file breaks off, after the packets before it.

    Raises OSError where the file cannot be opened.
    """
    size = path.stat().st_size
    if size > _MAX_BYTES:
        raise UsageError(f"{path} has {size} bytes", hint=f"at most {_MAX_BYTES}; split it, such as with editcap -c")
    data = path.read_bytes()
    if data[:4] in _MAGIC:
        yield from _classic(path, data)
    elif data[:4] == b"\x0a\x0d\x0d\x0a":
        yield from _Sections(path, data).packets()
    else:
        raise CaptureError(path, 0, "neither PCAP nor pcapng", hint="they begin with d4c3b2a1, a1b2c3d4 or 0a0d0d0a")


def _classic(path: Path, data: bytes) -> Iterator[Packet]:
    order, unit_ns = _MAGIC[data[:4]]
    if len(data) < _FILE_HEADER_BYTES:
        raise CaptureError(path, len(data), "the file ends inside its header")
    link_type = struct.unpack_from(order + "I", data, 20)[0] & 0x0FFF_FFFF
    at, number = _FILE_HEADER_BYTES, 0
    while at < len(data):
        if len(data) - at < _PACKET_HEADER_BYTES:
            raise CaptureError(path, at, "the file ends inside a packet header")
        seconds, fraction, size, whole = struct.unpack_from(order + "IIII", data, at)
        start = at + _PACKET_HEADER_BYTES
        if size > _MAX_PACKET_BYTES or start + size > len(data):
            raise CaptureError(path, at, f"a packet of {size} bytes runs over the end of the file")
        number += 1
        at_ns = seconds * _NS_PER_S + fraction * unit_ns
        yield Packet(number, at_ns, link_type, data[start : start + size], start, whole > size)
        at = start + size


@dataclass(frozen=True, slots=True)
class _Interface:
    """link_type, snap_len; ticks: of the clock in a second; origin_s: what its times count from, since 1970."""

    link_type: int
    snap_len: int
    ticks: int = 1_000_000
    origin_s: int = 0

    def at_ns(self, high: int, low: int) -> int:
        """A time stamp in ns since 1970."""
        return self.origin_s * _NS_PER_S + (high << 32 | low) * _NS_PER_S // self.ticks


class _Sections:
    """A pcapng file: sections, each with a byte order and interfaces of its own."""

    def __init__(self, path: Path, data: bytes) -> None:
        self._path, self._data = path, data
        self._order = "<"
        self._interfaces: list[_Interface] = []
        self._number = 0

    def packets(self) -> Iterator[Packet]:
        at = 0
        while at < len(self._data):
            kind, body, end = self._block(at)
            if kind == _INTERFACE:
                self._interfaces.append(self._interface(at, body))
            elif kind in (_ENHANCED_PACKET, _PACKET, _SIMPLE_PACKET):
                yield self._packet(at, kind, body)
            at = end  # every other block is for somebody else

    def _block(self, at: int) -> tuple[int, bytes, int]:
        """Type, body and end of the block at an offset."""
        data = self._data
        if len(data) - at < 12:
            raise self._error(at, "the file ends inside a block header")
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order = _BYTE_ORDERS.get(data[at + 8 : at + 12])
            if order is None:
                raise self._error(at + 8, "no byte-order magic after a section header")
            self._order, self._interfaces = order, []
        kind, length = struct.unpack_from(self._order + "II", data, at)
        if length < 12 or length % 4 or at + length > len(data):
            raise self._error(at, f"a block of {length} bytes", "the file is cut short, or its bytes are not pcapng's")
        if struct.unpack_from(self._order + "I", data, at + length - 4)[0] != length:
            raise self._error(at + length - 4, "the two lengths of a block differ")
        return kind, data[at + 8 : at + length - 4], at + length

    def _interface(self, at: int, body: bytes) -> _Interface:
        if len(body) < 8:
            raise self._error(at, "an interface description of less than 8 bytes")
        link_type, _, snap_len = struct.unpack_from(self._order + "HHI", body)
        ticks, origin_s = 1_000_000, 0
        for code, value in self._options(at + 16, body[8:]):
            if code == _OPTION_TSRESOL and len(value) >= 1:
                ticks = 1 << (value[0] & 0x7F) if value[0] & 0x80 else 10 ** (value[0] & 0x7F)
            elif code == _OPTION_TSOFFSET and len(value) >= 8:
                origin_s = struct.unpack(self._order + "q", value[:8])[0]
        return _Interface(link_type, snap_len, ticks, origin_s)

    def _options(self, at: int, data: bytes) -> Iterator[tuple[int, bytes]]:
        place = 0
        while len(data) - place >= 4:
            code, length = struct.unpack_from(self._order + "HH", data, place)
            if code == 0:
                return
            if place + 4 + length > len(data):
                raise self._error(at + place, f"an option of {length} bytes runs over the end of its block")
            yield code, data[place + 4 : place + 4 + length]
            place += 4 + length + -length % 4

    def _packet(self, at: int, kind: int, body: bytes) -> Packet:
        self._number += 1
        if kind == _SIMPLE_PACKET:
            return self._simple(at, body)
        if len(body) < 20:
            raise self._error(at, "a packet block of less than 20 bytes")
        # The obsolete packet block has the interface in 16 bits and a drop count after it.
        first = "H2x" if kind == _PACKET else "I"
        number, high, low, size, whole = struct.unpack_from(f"{self._order}{first}IIII", body)
        interface = self._of(at, number)
        if size > len(body) - 20:
            raise self._error(at, f"a packet of {size} bytes runs over the end of its block")
        at_ns = interface.at_ns(high, low)
        return Packet(self._number, at_ns, interface.link_type, body[20 : 20 + size], at + 28, whole > size)

    def _simple(self, at: int, body: bytes) -> Packet:
        if len(body) < 4:
            raise self._error(at, "a simple packet block of less than 4 bytes")
        interface = self._of(at, 0)
        whole = struct.unpack_from(self._order + "I", body)[0]
        size = min(whole, interface.snap_len or whole)
        if size > len(body) - 4:
            raise self._error(at, f"a packet of {size} bytes runs over the end of its block")
        return Packet(self._number, None, interface.link_type, body[4 : 4 + size], at + 12, whole > size)

    def _of(self, at: int, number: int) -> _Interface:
        if number >= len(self._interfaces):
            raise self._error(at, f"interface {number} has not been described")
        return self._interfaces[number]

    def _error(self, at: int, message: str, hint: str = "") -> CaptureError:
        return CaptureError(self._path, at, message, hint=hint)
