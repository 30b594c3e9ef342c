"""An ESP32's ROM loader: SYNC, registers, and flash writes with MD5, as far as esptool needs without its stub.

It runs no code: an upload of esptool's stub (MEM_BEGIN and on) is refused, so esptool wants --no-stub.
Source: Espressif, esptool documentation, "Serial protocol"; ESP32 Technical Reference Manual 5.2 §20 (eFuse), §7 (SPI).
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence

from gateway_fw.flash.slip import SlipDecoder, encode
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from lorawan.machine import Dropped, Instant

FLASH_BYTES = 4 << 20
_SYNC, _READ_REG, _WRITE_REG = 0x08, 0x0A, 0x09
_FLASH_BEGIN, _FLASH_DATA, _FLASH_END = 0x02, 0x03, 0x04
_DEFL_BEGIN, _DEFL_DATA, _DEFL_END = 0x10, 0x11, 0x12
_SPI_SET_PARAMS, _SPI_ATTACH, _CHANGE_BAUD, _READ_SLOW, _MD5 = 0x0B, 0x0D, 0x0F, 0x0E, 0x13
_OK = b"\0\0\0\0"
_INVALID, _FAILED, _BAD_CRC, _DEFLATE = 0x05, 0x06, 0x07, 0x0B
_SYNC_ANSWERS = 8
_SYNC_VALUE = 0x2012_0707  # not 0: that is how esptool tells the ROM from its own stub
_SECTOR = 4096

_MAGIC_REGISTER, _MAGIC = 0x4000_1000, 0x00F0_1D83
_UART_CLOCK_DIVIDER = 0x3FF4_0014
_EFUSE = 0x3FF5_A000
_SPI1 = 0x3FF4_2000
_FLASH_ID = 0x0016_40EF  # a 4 MB W25Q32: manufacturer 0xEF, type 0x40, capacity 2^22
_CLAUSE = "esptool, Serial protocol"


class Esp32RomCore:
    """One chip in its ROM loader: BytesReceived in, SendBytes and Dropped out. mac: 48 bits; flash starts erased."""

    def __init__(self, *, mac: int = 0x240AC4_000001) -> None:
        self._slip = SlipDecoder()
        self._flash = bytearray(b"\xff" * FLASH_BYTES)
        self._registers = {
            _MAGIC_REGISTER: _MAGIC,
            _UART_CLOCK_DIVIDER: 347,  # 40 MHz at 115200 baud
            _EFUSE + 4: mac & 0xFFFF_FFFF,
            _EFUSE + 8: mac >> 32,
            _SPI1 + 0x80: _FLASH_ID,
        }
        self._at = 0
        self._deflate: zlib._Decompress | None = None
        self._writing = False

    @property
    def flash(self) -> bytes:
        """What the flash holds."""
        return bytes(self._flash)

    @property
    def wake_at(self) -> Instant | None:
        """Never."""
        return None

    def handle(self, event: BytesReceived | LineLost, now: Instant) -> Sequence[SendBytes | Dropped]:  # noqa: ARG002
        """Take one event in."""
        if isinstance(event, LineLost):
            return ()
        effects: list[SendBytes | Dropped] = []
        for packet in self._slip.feed(event.data):
            effects += self._packet(packet)
        return effects

    def wake(self, now: Instant) -> Sequence[SendBytes | Dropped]:  # noqa: ARG002
        """Nothing to do."""
        return ()

    def _packet(self, packet: bytes) -> list[SendBytes | Dropped]:
        if len(packet) < 8 or packet[0] != 0:
            return [Dropped("malformed", _CLAUSE, packet[:16].hex())]
        _, command, size, check = struct.unpack_from("<BBHI", packet)
        body = packet[8:]
        if len(body) != size:
            return [Dropped("length", _CLAUSE, f"{len(body)} bytes, {size} announced")]
        if command == _SYNC:
            if body[:4] != b"\x07\x07\x12\x20":
                return [Dropped("sync", _CLAUSE, body[:4].hex())]
            return [SendBytes(b"".join(self._answer(command, _OK, _SYNC_VALUE) for _ in range(_SYNC_ANSWERS)))]
        try:
            value, data = self._obey(command, body, check)
        except struct.error:
            return [SendBytes(self._answer(command, bytes([1, _INVALID, 0, 0])))]
        return [SendBytes(self._answer(command, data, value))]

    def _answer(self, command: int, data: bytes, value: int = 0) -> bytes:
        return encode(struct.pack("<BBHI", 1, command, len(data), value) + data)

    def _obey(self, command: int, body: bytes, check: int) -> tuple[int, bytes]:
        match command:
            case 0x0A:
                (address,) = struct.unpack("<I", body)
                return self._registers.get(address, 0), _OK
            case 0x09:
                address, value, mask, _ = struct.unpack("<4I", body)
                self._write_register(address, value, mask)
                return 0, _OK
            case 0x0B | 0x0D | 0x0F:
                return 0, _OK
            case 0x02 | 0x10:
                return 0, self._begin(body, deflate=command == _DEFL_BEGIN)
            case 0x03 | 0x11:
                return 0, self._data(body, check)
            case 0x04 | 0x12:
                self._writing = False
                return 0, _OK
            case 0x0E:
                address, count = struct.unpack("<2I", body)
                if count > 64 or address + count > FLASH_BYTES:
                    return 0, _error(_FAILED)
                return 0, bytes(self._flash[address : address + count]).ljust(64, b"\0") + _OK
            case 0x13:
                address, count = struct.unpack_from("<2I", body)
                if address + count > FLASH_BYTES:
                    return 0, _error(_FAILED)
                digest = hashlib.md5(self._flash[address : address + count], usedforsecurity=False)
                return 0, digest.hexdigest().encode() + _OK
        return 0, _error(_INVALID)

    def _write_register(self, address: int, value: int, mask: int) -> None:
        if address == _SPI1 + 0x80:
            return  # what a flash command would shift in: this flash always answers with its id
        old = self._registers.get(address, 0)
        # a command bit of the SPI controller clears itself when it is done, which it is at once
        self._registers[address] = 0 if address == _SPI1 else (old & ~mask) | (value & mask)

    def _begin(self, body: bytes, *, deflate: bool) -> bytes:
        size, blocks, block_bytes, offset = struct.unpack_from("<4I", body)
        size = max(size, 0 if deflate else blocks * block_bytes)
        if offset + size > FLASH_BYTES + _SECTOR or offset > FLASH_BYTES:
            return _error(_FAILED)
        end = min(-(-(offset + size) // _SECTOR) * _SECTOR, FLASH_BYTES)
        start = offset // _SECTOR * _SECTOR
        self._flash[start:end] = b"\xff" * (end - start)
        self._at, self._writing = offset, True
        self._deflate = zlib.decompressobj() if deflate else None
        return _OK

    def _data(self, body: bytes, check: int) -> bytes:
        size, _, _, _ = struct.unpack_from("<4I", body)
        data = body[16:]
        if not self._writing or len(data) != size:
            return _error(_INVALID)
        total = 0xEF
        for value in data:
            total ^= value
        if total != check & 0xFF:
            return _error(_BAD_CRC)
        if self._deflate is not None:
            try:
                data = self._deflate.decompress(data, FLASH_BYTES)
            except zlib.error:
                return _error(_DEFLATE)
        data = data[: max(0, FLASH_BYTES - self._at)]
        for index, value in enumerate(data):
            self._flash[self._at + index] &= value
        self._at += len(data)
        return _OK


def _error(code: int) -> bytes:
    return bytes([1, code, 0, 0])
