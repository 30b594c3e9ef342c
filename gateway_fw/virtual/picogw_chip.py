"""The SX1308 as a picoGW host sees it register by register: pages, ports into its RAM, two MCUs and two radios.

The program RAM takes any image of the right place and size. Which firmware "runs" is told apart as the host's own order
of doing things does: RADIO_SELECT is 0 when the automatic gain control is let go for the final firmware, and the
calibration word, never 0, before that.

Source: Lora-net picoGW_hal 0.2.3 loragw_reg.c (addresses, reset values), loragw_hal.c (handshakes), loragw_radio.c.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from lorawan.machine import Instant

VERSION = 103
AGC_FIRMWARE = 4
ARB_FIRMWARE = 1
CALIBRATION_FIRMWARE = 2
FIRMWARE_VERSION_ADDRESS = 0x20
PROGRAM_BYTES = 8192
RX_BUFFER_BYTES = 1024
TX_BUFFER_BYTES = 1024  # [assumption] as large as the receive buffer
CALIBRATE_RX_US, CALIBRATE_TX_US = 400_000, 1_300_000
"""By radio [assumption]. Both receivers and one transmitter take 2.1 to 2.2 s (source: loragw_hal.c
lgw_calibrate_sx125x), one part under 2 s (test_loragw_cal.c)."""
RADIO_VERSION = 0x21  # SX1257 datasheet: RegVersion, V2A

# Pages share these; the rest, 0x21 to 0x7C, is per page.
_COMMON = frozenset((*range(0x21), 0x7D, 0x7E, 0x7F))
PAGE, VERSION_ADDRESS = 0x00, 0x01
RX_ADDRESS, RX_DATA, TX_ADDRESS, TX_DATA = 0x02, 0x04, 0x05, 0x06
PROGRAM_ADDRESS, PROGRAM_DATA = 0x09, 0x0A
MODEMS, AGC_STATUS, EMERGENCY = 0x10, 0x20, 0x7F
RADIO_SELECT, MCU_CONTROL = (0, 0x23), (0, 0x6A)
ARB_RAM_DATA, AGC_RAM_DATA, ARB_RAM_ADDRESS, AGC_RAM_ADDRESS = (2, 0x40), (2, 0x41), (2, 0x50), (2, 0x51)
TIMESTAMP = tuple((2, address) for address in range(0x46, 0x4A))
_PORTS = frozenset((RX_DATA, TX_DATA, PROGRAM_DATA))
SERVICE_MODEM, MULTI_MODEM, FSK_MODEM = 0x01, 0x02, 0x04

_RESET_PAIRS = {
    -1: "0167 1103 7E01 7F01",
    0: (
        "2102 2207 23F0 2480 251E 2680 271F 2880 2A80 2B01 2C80 2D1E 2E80 2F1F 3080 3280 3301 400E 497E 4A44 "
        "4B44 4C44 4D04 4E54 53FC 540F 5507 5903 5C1D 5D09 5E06 5F21 600A 6203 6328 65FF 6601 6878 690E 6A03 "
        "6B01 6C20 6D64 6E64 6F07 7005 7108 "
    ),
    1: "2421 2A94 2D01 2E21 2F0A 3103 320A 3303 341D 3524 3806 3A08 3B38 3C17 3DFF 3E80 4D09 5201",
    2: "2B04 2D42 2E42 5902",
}
"""Reset values that are not 0, by page (−1: common): address and value. Source: loragw_reg.c, default values."""

_READ_ONLY: dict[int, frozenset[int]] = {
    -1: frozenset((0x01, 0x08, 0x0C, 0x0D, 0x0E, 0x0F, *range(0x13, 0x1B), 0x1E, 0x20, 0x7D, 0x7E)),
    0: frozenset((0x57, 0x58)),
    1: frozenset((0x3E,)),
    2: frozenset((0x22, 0x27, *range(0x33, 0x50), 0x57, 0x58, *range(0x5E, 0x62))),
}
"""Source: loragw_reg.c, column of read-only registers."""


class _Agc(Enum):
    """Where the final firmware's start stands: what it waits for next."""

    HELD = auto()
    GAINS = auto()
    TX_FREQUENCY = auto()
    CHANNEL_OPTION = auto()
    SELECT = auto()
    RUNNING = auto()
    FAILED = auto()


class _Radio:
    """An SX1255 or SX1257 behind the chip's SPI master."""

    def __init__(self) -> None:
        self.registers = bytearray(128)
        self.registers[0x07] = RADIO_VERSION
        self.address = self.data = self.readback = 0
        self.select = False

    def chip_select(self, level: bool) -> None:
        """The access is done as the line rises; bit 7 of the address means write."""
        if level and not self.select:
            register = self.address & 0x7F
            if self.address & 0x80:
                self.registers[register] = self.data
                # RegStat 0x11 bit 1: the receive PLL is locked as soon as the receiver is on
                self.registers[0x11] = 0x02 if self.registers[0] & 0x02 else 0x00
            else:
                self.readback = self.registers[register]
        self.select = level


class Sx1308:
    """The chip. `counter` gives its free-running µs counter at an instant."""

    def __init__(self, counter: Callable[[Instant], int], on_reset: Callable[[Instant], None]) -> None:
        self._counter = counter
        self._on_reset = on_reset
        self._clear()

    def _clear(self) -> None:
        self._common = bytearray(128)
        self._paged = [bytearray(128) for _ in range(4)]
        for page, pairs in _RESET_PAIRS.items():
            memory, values = self._common if page < 0 else self._paged[page], bytes.fromhex(pairs)
            for address, value in zip(values[::2], values[1::2], strict=True):
                memory[address] = value
        self._page = 0
        self._rx_buffer, self._tx_buffer = bytearray(RX_BUFFER_BYTES), bytearray(TX_BUFFER_BYTES)
        self._pointers = dict.fromkeys(_PORTS, 0)
        self._programs = (bytearray(PROGRAM_BYTES), bytearray(PROGRAM_BYTES))
        self._agc_ram, self._arb_ram = bytearray(256), bytearray(256)
        self._radios = (_Radio(), _Radio())
        self._agc = _Agc.HELD
        self._agc_waiting = False
        self._gain_rows = 0
        self._calibration: int | None = None
        self._calibrated_at: Instant | None = None

    @property
    def running(self) -> bool:
        """The final firmware has taken its settings: the modems that are switched on receive."""
        return self._agc is _Agc.RUNNING

    @property
    def modems(self) -> int:
        """Which modems are switched on: bits SERVICE_MODEM, MULTI_MODEM, FSK_MODEM."""
        return self._common[MODEMS]

    @staticmethod
    def is_port(address: int) -> bool:
        """Whether a burst stays at this address."""
        return address & 0x7F in _PORTS

    def restart(self) -> None:
        """As the microcontroller restarts the chip by itself, after each transmission: it ends up running."""
        modems, programs = self._common[MODEMS], self._programs
        self._clear()
        self._common[MODEMS], self._programs, self._agc = modems, programs, _Agc.RUNNING
        self._common[AGC_STATUS] = 0x40

    def read(self, address: int, now: Instant) -> int:
        """One register. A single read of a port does not advance it."""
        address &= 0x7F
        if address in _PORTS:
            data = self._take(address, 1)
            self._pointers[address] -= 1
            return data[0]
        where = (self._page, address)
        if address in _COMMON:
            if address == AGC_STATUS:
                self._settle_calibration(now)
            return self._common[address] if address != PAGE else self._page
        if where in TIMESTAMP:
            return (self._counter(now) >> (8 * TIMESTAMP.index(where))) & 0xFF
        if where == AGC_RAM_DATA:
            return self._agc_ram[self._paged[2][AGC_RAM_ADDRESS[1]]]
        if where == ARB_RAM_DATA:
            return self._arb_ram[self._paged[2][ARB_RAM_ADDRESS[1]]]
        if where in ((2, 0x22), (2, 0x27)):
            return self._radios[address == 0x27].readback
        return self._paged[self._page][address]

    def read_burst(self, address: int, count: int, now: Instant) -> bytes:
        """Registers from an address on, or a port `count` times."""
        address &= 0x7F
        if address in _PORTS:
            return self._take(address, count)
        return bytes(self.read(address + i, now) for i in range(count))

    def write(self, address: int, value: int, now: Instant) -> None:
        """One register, with what hangs on it."""
        address &= 0x7F
        where = (self._page, address)
        if address == PAGE:
            if value & 0x80:
                self._clear()
                self._on_reset(now)
            self._page = value & 0x03
        elif address in _PORTS:
            self._store(address, bytes((value,)))
        elif address in _READ_ONLY[-1] or address in _READ_ONLY.get(self._page, ()):
            pass
        elif address in _COMMON:
            self._common[address] = value
            self._after_common(address, value, now)
        elif where == MCU_CONTROL:
            before, self._paged[0][address] = self._paged[0][address], value & 0xCF
            if before & ~value & 0x02:
                self._release_agc()
            if before & ~value & 0x01:
                self._arb_ram[FIRMWARE_VERSION_ADDRESS] = ARB_FIRMWARE
            if value & 0x02:
                self._agc = _Agc.HELD
        else:
            self._paged[self._page][address] = value
            if where == RADIO_SELECT:
                self._tell_agc(value)
            elif self._page == 2 and 0x21 <= address <= 0x2A:
                self._radio_port(address, value)

    def write_burst(self, address: int, data: bytes, now: Instant) -> None:
        """Registers from an address on, or a port again and again."""
        if self.is_port(address):
            self._store(address & 0x7F, data)
            return
        for i, value in enumerate(data):
            self.write(address + i, value, now)

    def _after_common(self, address: int, value: int, now: Instant) -> None:
        if address in (RX_ADDRESS, RX_ADDRESS + 1):
            self._pointers[RX_DATA] = self._common[RX_ADDRESS] | self._common[RX_ADDRESS + 1] << 8
        elif address == TX_ADDRESS:
            self._pointers[TX_DATA] = value
        elif address == PROGRAM_ADDRESS:
            self._pointers[PROGRAM_DATA] = value
        elif address == EMERGENCY and not value & 1 and self._calibration is not None:
            parts = self._calibration & 0x0F
            receivers, senders = (parts & 0x03).bit_count(), (parts & 0x0C).bit_count()
            self._calibrated_at = now + receivers * CALIBRATE_RX_US + senders * CALIBRATE_TX_US

    def _memories(self, port: int) -> tuple[bytearray, ...]:
        if port == RX_DATA:
            return (self._rx_buffer,)
        if port == TX_DATA:
            return (self._tx_buffer,)
        control = self._paged[0][MCU_CONTROL[1]]
        return tuple(self._programs[mcu] for mcu in (1, 0) if not control & (0x04 << mcu))

    def _take(self, port: int, count: int) -> bytes:
        memories = self._memories(port)
        start, self._pointers[port] = self._pointers[port], self._pointers[port] + count
        if not memories:
            return bytes(count)
        memory = memories[0]
        start %= len(memory)
        return bytes((memory[start:] + memory * (count // len(memory) + 1))[:count])

    def _store(self, port: int, data: bytes) -> None:
        start, self._pointers[port] = self._pointers[port], self._pointers[port] + len(data)
        for memory in self._memories(port):
            for i, value in enumerate(data, start):
                memory[i % len(memory)] = value

    def _radio_port(self, address: int, value: int) -> None:
        radio, register = self._radios[address >= 0x26], address - (0x26 if address >= 0x26 else 0x21)
        if register == 0:
            radio.data = value
        elif register == 2:
            radio.address = value
        elif register == 4:
            radio.chip_select(bool(value & 1))

    def _release_agc(self) -> None:
        self._calibration, self._calibrated_at, self._agc_waiting, self._gain_rows = None, None, False, 0
        select = self._paged[0][RADIO_SELECT[1]]
        final = select == 0
        self._agc_ram[FIRMWARE_VERSION_ADDRESS] = AGC_FIRMWARE if final else CALIBRATION_FIRMWARE
        self._agc = _Agc.GAINS if final else _Agc.HELD
        self._calibration = None if final else select
        self._common[AGC_STATUS] = 0x10 if final else 0x00

    def _settle_calibration(self, now: Instant) -> None:
        """Its result stands in the status register from the moment that it is done."""
        if self._calibration is None or self._calibrated_at is None or now < self._calibrated_at:
            return
        command, status = self._calibration, 0x81 | 0x06  # done, and the chip and both radios answered
        for radio in (0, 1):
            if command & (0x01 << radio):
                status |= 0x08 << radio
            if command & (0x04 << radio):
                status |= 0x20 << radio
        self._common[AGC_STATUS] = status

    def _tell_agc(self, value: int) -> None:
        """The final firmware's start: each value after a 16 ("wait") is taken and shows in the status."""
        if self._agc in (_Agc.HELD, _Agc.RUNNING, _Agc.FAILED):
            return
        if not self._agc_waiting:
            self._agc_waiting = value == 16
            return
        self._agc_waiting = False
        status = 0x30
        if self._agc is _Agc.GAINS:
            if value == 17:
                self._agc = _Agc.TX_FREQUENCY
            else:
                status += self._gain_rows
                self._gain_rows += 1
                self._agc = _Agc.TX_FREQUENCY if self._gain_rows == 16 else _Agc.GAINS
        elif self._agc is _Agc.TX_FREQUENCY:
            status += value & 0x0F
            self._agc = _Agc.CHANNEL_OPTION
        elif self._agc is _Agc.CHANNEL_OPTION:
            status += value & 0x0F
            self._agc = _Agc.SELECT if value == 0 else _Agc.FAILED
        else:
            status, self._agc = 0x40, _Agc.RUNNING
        self._common[AGC_STATUS] = status
