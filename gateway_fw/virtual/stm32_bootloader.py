"""The STM32 UART bootloader as a board has it in ROM: the other end of gateway_fw.flash.an3155, with faults on demand.

Written from AN3155 alone, apart from the host side. Flash is NOR: a write can only clear bits, so a page that was not
erased ends up wrong, as on the chip.
Source: ST AN3155 rev 17 §2, §3; AN2606 (which areas a product reads and writes).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from gateway_fw.flash.boards import Chip
from gateway_fw.flash.entry import EntryOrder
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from lorawan.machine import Instant

_ACK, _NACK, _SYNC = b"\x79", b"\x1f", 0x7F
_SYSTEM_BYTES = 4  # around the flash-size register: all that a host needs of the information block


@dataclass(frozen=True, slots=True)
class BootloaderFaults:
    """What goes wrong, and when. Ordinals count from 0 over the life of the board.

    nack: ordinals of commands that are refused although they are right; lose_in, lose_out: ordinals of bytes that
    never arrive; flip_in, flip_out: ordinals of bytes that arrive with one bit turned; bad_cells: addresses where a
    programmed byte keeps one bit wrong; bad_once: the same, the first time only; mute_after: bytes received after
    which nothing is answered any more.
    """

    nack: frozenset[int] = frozenset()
    lose_in: frozenset[int] = frozenset()
    lose_out: frozenset[int] = frozenset()
    flip_in: frozenset[int] = frozenset()
    flip_out: frozenset[int] = frozenset()
    bad_cells: frozenset[int] = frozenset()
    bad_once: frozenset[int] = frozenset()
    mute_after: int | None = None


@dataclass(frozen=True, slots=True)
class Reset:
    """Event: the reset pin, with BOOT0 high."""


@dataclass(frozen=True, slots=True)
class ProgramStarted:
    """Effect: the bootloader jumped to the program at this address."""

    address: int


@dataclass(slots=True)
class _Memory:
    chip: Chip
    flash_bytes: int
    faults: BootloaderFaults
    flash: bytearray = field(init=False)
    ram: bytearray = field(init=False)
    spent: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.flash = bytearray(b"\xff" * self.flash_bytes)
        self.ram = bytearray(self.chip.ram[1] - self.chip.ram[0])

    def read(self, address: int, count: int) -> bytes | None:
        for start, store in (
            (self.chip.flash, self.flash),
            (self.chip.ram[0], self.ram),
            (self.chip.size_register & ~3, self._information()),
        ):
            if start <= address and address + count <= start + len(store):
                return bytes(store[address - start : address - start + count])
        return None

    def _information(self) -> bytes:
        size = (self.flash_bytes // 1024).to_bytes(2, "little")
        return (bytes(self.chip.size_register & 3) + size).ljust(_SYSTEM_BYTES, b"\0")

    def write(self, address: int, data: bytes) -> bool:
        start = address - self.chip.ram[0]
        if start >= 0 and start + len(data) <= len(self.ram):
            self.ram[start : start + len(data)] = data
            return True
        start = address - self.chip.flash
        if start < 0 or start + len(data) > len(self.flash) or address % 4 or len(data) % 4:
            return False
        for index, value in enumerate(data):
            self.flash[start + index] &= self._stuck(address + index, value)
        return True

    def _stuck(self, address: int, value: int) -> int:
        if address in self.faults.bad_cells:
            return value ^ 1
        if address in self.faults.bad_once and address not in self.spent:
            self.spent.add(address)
            return value ^ 1
        return value

    def erase(self, numbers: Sequence[int] | None) -> bool:
        pages = self.chip.pages
        if numbers is None:
            self.flash[:] = b"\xff" * len(self.flash)
            return True
        if any(number >= len(pages) or pages[number].end > self.chip.flash + len(self.flash) for number in numbers):
            return False
        for number in numbers:
            low, high = pages[number].start - self.chip.flash, pages[number].end - self.chip.flash
            self.flash[low:high] = b"\xff" * (high - low)
        return True


class Stm32BootloaderCore:
    """One chip in its bootloader: BytesReceived in, SendBytes and ProgramStarted out.

    chip: which; extended_erase: whether it has 0x44 (or else 0x43); flash_bytes: below the chip's whole flash for a
    smaller part; version: as 0x31; readout_protected: reads, writes and erases are refused; mass_erase: whether the
    erase command takes "all"; erase_page_us: how long a page takes; resets_itself: a 0x7F after Go counts as a reset
    into the bootloader, so that one virtual board serves many runs; content: what its flash holds from its start;
    firmware: it begins in a firmware that knows one order, which leads into the bootloader, and comes back to it by Go.
    """

    def __init__(
        self,
        chip: Chip,
        *,
        extended_erase: bool = True,
        flash_bytes: int | None = None,
        version: int = 0x31,
        readout_protected: bool = False,
        mass_erase: bool = True,
        erase_page_us: int = 0,
        resets_itself: bool = True,
        content: bytes = b"",
        firmware: EntryOrder | None = None,
        faults: BootloaderFaults | None = None,
    ) -> None:
        self.chip, self._faults = chip, faults or BootloaderFaults()
        self._memory = _Memory(chip, flash_bytes or chip.flash_end - chip.flash, self._faults)
        self._memory.flash[: len(content)] = content
        self._extended_erase, self._version, self._mass_erase = extended_erase, version, mass_erase
        self.readout_protected = readout_protected
        self._erase_page_us, self._resets_itself = erase_page_us, resets_itself
        self._received = self._sent = self._commands = 0
        self._buffer = bytearray()
        self._out: list[bytes | ProgramStarted] = []
        self._busy_us = 0
        self._busy_until: Instant = 0
        self._held: list[bytes] = []
        self._wanted: int = 1
        self._firmware = firmware
        self._reset()

    @property
    def flash(self) -> bytes:
        """What the flash holds."""
        return bytes(self._memory.flash)

    @property
    def wake_at(self) -> Instant | None:
        """When an erase is over."""
        return self._busy_until if self._held else None

    def handle(self, event: BytesReceived | LineLost | Reset, now: Instant) -> Sequence[SendBytes | ProgramStarted]:
        """Take one event in."""
        match event:
            case Reset():
                self._reset()
            case BytesReceived(data):
                for value in data:
                    self._take(value)
            case LineLost():
                pass  # a board does not feel a cable that is out
        return self._drain(now)

    def wake(self, now: Instant) -> Sequence[SendBytes | ProgramStarted]:
        """Answer after an erase."""
        return self._drain(now)

    def _drain(self, now: Instant) -> list[SendBytes | ProgramStarted]:
        effects: list[SendBytes | ProgramStarted] = []
        if self._busy_us:
            self._busy_until = max(self._busy_until, now) + self._busy_us
            self._busy_us = 0
        answer = b""
        for item in self._out:
            if isinstance(item, ProgramStarted):
                effects.append(item)
            else:
                answer += self._over_the_line(item)
        self._out.clear()
        if answer:
            self._held.append(answer)
        if self._held and now >= self._busy_until:
            effects.insert(0, SendBytes(b"".join(self._held)))
            self._held.clear()
        return effects

    def _over_the_line(self, data: bytes) -> bytes:
        out = bytearray()
        for value in data:
            ordinal, self._sent = self._sent, self._sent + 1
            if ordinal in self._faults.lose_out:
                continue
            out.append(value ^ 0x10 if ordinal in self._faults.flip_out else value)
        return bytes(out)

    def _take(self, value: int) -> None:
        ordinal, self._received = self._received, self._received + 1
        if self._faults.mute_after is not None and ordinal >= self._faults.mute_after:
            return
        if ordinal in self._faults.lose_in:
            return
        if ordinal in self._faults.flip_in:
            value ^= 0x10
        if self._running and not (self._resets_itself and value == _SYNC):
            return
        if self._running:
            self._reset()
        self._buffer.append(value)
        while len(self._buffer) >= self._wanted:
            taken = bytes(self._buffer[: self._wanted])
            del self._buffer[: self._wanted]
            self._wanted = self._process.send(taken)

    def _reset(self) -> None:
        self._buffer.clear()
        self._running = False
        self._process = self._run_firmware(self._firmware) if self._firmware is not None else self._listen()
        self._wanted = next(self._process)

    def _say(self, data: bytes) -> None:
        self._out.append(data)

    def _run_firmware(self, order: EntryOrder) -> Generator[int, bytes, None]:
        heard = b""
        while not heard.endswith(order.send):
            heard = (heard + (yield 1))[-16:]
            if order.ask and heard.endswith(order.ask):
                heard = b""
                self._say((order.reply + b"\1").ljust(order.reply_bytes, b"\0"))
        self._say(order.answer.ljust(4, b"\0"))
        yield from self._listen()

    def _listen(self) -> Generator[int, bytes, None]:
        """Yields how many bytes it needs next, and is sent them."""
        while (yield 1) != bytes([_SYNC]):
            pass
        self._say(_ACK)
        while True:
            code, complement = yield 2
            ordinal, self._commands = self._commands, self._commands + 1
            if code ^ complement != 0xFF or not self._knows(code) or ordinal in self._faults.nack:
                self._say(_NACK)
                continue
            yield from self._obey(code)

    def _codes(self) -> bytes:
        return bytes(
            (0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x44 if self._extended_erase else 0x43, 0x63, 0x73, 0x82, 0x92)
        )

    def _knows(self, code: int) -> bool:
        if self.readout_protected and code not in (0x00, 0x01, 0x02, 0x92):
            return False
        return code in self._codes()

    def _obey(self, code: int) -> Generator[int, bytes, None]:
        self._say(_ACK)
        match code:
            case 0x00:
                codes = self._codes()
                self._say(bytes([len(codes), self._version]) + codes + _ACK)
            case 0x01:
                self._say(bytes([self._version, 0, 0]) + _ACK)
            case 0x02:
                self._say(bytes([1, self.chip.chip_id >> 8, self.chip.chip_id & 0xFF]) + _ACK)
            case 0x11:
                yield from self._read()
            case 0x21:
                yield from self._go()
            case 0x31:
                yield from self._write()
            case 0x43 | 0x44:
                yield from self._erase()
            case 0x63:
                (count,) = yield 1
                field = yield count + 2
                self._say(_ACK if _xor(bytes([count]) + field) == 0 else _NACK)
                yield from self._restart()
            case 0x73:
                self._say(_ACK)
                yield from self._restart()
            case 0x82:
                self.readout_protected = True
                self._say(_ACK)
                yield from self._restart()
            case 0x92:
                self._memory.erase(None)
                self._busy_us += self._erase_page_us * len(self.chip.pages)
                self.readout_protected = False
                self._say(_ACK)
                yield from self._restart()

    def _restart(self) -> Generator[int, bytes, None]:
        while (yield 1) != bytes([_SYNC]):
            pass
        self._say(_ACK)

    def _address(self) -> Generator[int, bytes, int | None]:
        field = yield 5
        if _xor(field):
            self._say(_NACK)
            return None
        return int.from_bytes(field[:4], "big")

    def _read(self) -> Generator[int, bytes, None]:
        address = yield from self._address()
        if address is None:
            return
        if self._memory.read(address, 1) is None:
            self._say(_NACK)
            return
        self._say(_ACK)
        count, complement = yield 2
        data = self._memory.read(address, count + 1)
        if count ^ complement != 0xFF or data is None:
            self._say(_NACK)
            return
        self._say(_ACK + data)

    def _go(self) -> Generator[int, bytes, None]:
        address = yield from self._address()
        if address is None:
            return
        if self._memory.read(address, 8) is None:
            self._say(_NACK)
            return
        self._say(_ACK)
        self._out.append(ProgramStarted(address))
        if self._firmware is not None:
            yield from self._run_firmware(self._firmware)
        self._running = True

    def _write(self) -> Generator[int, bytes, None]:
        address = yield from self._address()
        if address is None:
            return
        if self._memory.read(address, 1) is None:
            self._say(_NACK)
            return
        self._say(_ACK)
        (count,) = yield 1
        field = yield count + 2
        right = _xor(bytes([count]) + field) == 0 and self._memory.write(address, field[:-1])
        self._say(_ACK if right else _NACK)

    def _erase(self) -> Generator[int, bytes, None]:
        width = 2 if self._extended_erase else 1
        head = yield width
        count = int.from_bytes(head, "big")
        special = 0xFFF0 if self._extended_erase else 0xFF
        if count >= special:
            (check,) = yield 1
            right = check == (_xor(head) if self._extended_erase else 0x00)
            if not right or not self._mass_erase or count not in (0xFF, 0xFFFF):
                self._say(_NACK)
                return
            numbers = None
        else:
            field = yield (count + 1) * width + 1
            numbers = [int.from_bytes(field[at : at + width], "big") for at in range(0, len(field) - 1, width)]
            if _xor(head + field):
                self._say(_NACK)
                return
        if not self._memory.erase(numbers):
            self._say(_NACK)
            return
        self._busy_us += self._erase_page_us * (len(self.chip.pages) if numbers is None else len(numbers))
        self._say(_ACK)


def _xor(data: bytes) -> int:
    total = 0
    for value in data:
        total ^= value
    return total
