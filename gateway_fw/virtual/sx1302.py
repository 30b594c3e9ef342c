"""The SX1302 as its host sees it over SPI: 32 KiB of registers with a dozen hooks.

Source: sx1302_hal 2.1.0, src/loragw_reg.c, src/loragw_usb.c (frames on the SX1302 bus), src/loragw_sx1302.c.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from gateway_fw.virtual import sx1302_map as reg
from gateway_fw.virtual.channels import Channel, RadioTuning, channel_plan
from gateway_fw.virtual.chip_clock import ChipClock
from gateway_fw.virtual.mailboxes import AGC_VERSION_SX125X, AGC_VERSION_SX1250, Agc, Arb
from gateway_fw.virtual.rx_fifo import RxFifo
from gateway_fw.virtual.sx1250 import Mode, Sx1250
from gateway_fw.virtual.transmitter import Transmitter
from lorawan.machine import Dropped, Instant
from lorawan.phy.radio import Transmit

MODEL_SX1302, MODEL_SX1303 = 0x02, 0x03
_OTP_MODEL = 0xD0
_READ_ONLY = frozenset(
    (
        *(reg.VERSION, reg.AGC_STATUS, reg.ARB_STATUS, reg.ARB_DEBUG_READ, reg.OTP_DATA),
        *range(reg.AGC_MAILBOX_READ, reg.AGC_MAILBOX_READ + 4),
        *range(reg.RX_BUFFER_BYTES - 4, reg.RX_BUFFER_BYTES + 2),
        *range(reg.TIMESTAMP_PPS, reg.TIMESTAMP_END),
        *(base + reg.TX_STATUS for base in reg.TX_BASES),
    )
)

Told = Callable[[Transmit | Dropped], None]


class Sx1302:
    """Registers, program memories, mailboxes, receive buffer, two transmitters and two radios.

    Calls carry the instant. told: where transmissions and refusals go. chip_eui: what its one-time memory holds.
    """

    def __init__(
        self, told: Told, chip_eui: bytes, power_dbm: Mapping[int, float], model: int, pulse_phase_us: int | None
    ) -> None:
        self._told = told
        self._otp = {**dict(enumerate(chip_eui)), _OTP_MODEL: model}
        self._pulse_phase_us = pulse_phase_us
        self.radios = (Sx1250(), Sx1250())
        self.transmitters = (Transmitter(0, power_dbm), Transmitter(1, power_dbm))
        self.agc, self.arb, self.fifo = Agc(), Arb(), RxFifo()
        self.clock = ChipClock(0)
        self.memory = reg.reset_memory()
        self.stuck_tx = False
        self.firmware_corrupt = False
        self._plan: dict[bool, tuple[Channel, ...]] = {}
        self._readers: dict[int, Callable[[Instant], int]] = self._read_hooks()

    def reset(self, now: Instant, start_ticks: int, drift_ppb: int) -> None:
        """The reset line was raised: everything as after power-up, the counter at its start."""
        self.memory[:] = reg.reset_memory()
        self.clock = ChipClock(now, start_ticks, drift_ppb)
        self.agc.hold()
        self.arb.hold()
        self.fifo.clear()
        self._plan = {}
        for radio in self.radios:
            radio.reset()
        for transmitter in self.transmitters:
            transmitter.reset()

    @property
    def receiving(self) -> bool:
        """Whether both processors run, so that frames reach the receive buffer."""
        return self.agc.running and self.arb.running

    @property
    def legacy_stamps(self) -> bool:
        """Whether frames are stamped at the end of decoding (or at the end of the header)."""
        return bool(self.memory[reg.RX_BUFFER_CONFIG] & 0x04)

    def channels(self, *, public: bool) -> tuple[Channel, ...]:
        """The channel plan as programmed."""
        plan = self._plan.get(public)
        if plan is None:
            tunings = [RadioTuning(radio.frequency_steps, radio.mode is Mode.RECEIVE) for radio in self.radios]
            plan = self._plan[public] = channel_plan(self.memory, tunings, public=public)
        return plan

    def exchange(self, mosi: bytes, now: Instant) -> bytes:
        """One transfer on the SX1302's bus: as many bytes back as came."""
        if len(mosi) < 2:
            return bytes(len(mosi))
        if mosi[0] in (1, 2):
            self._plan = {}
            return b"\0" + self.radios[mosi[0] - 1].exchange(mosi[1:])
        if mosi[0] != 0 or len(mosi) < 3:
            return bytes(len(mosi))
        address = (mosi[1] & 0x7F) << 8 | mosi[2]
        if mosi[1] & 0x80:
            self.write(address, mosi[3:], now)
            return bytes(len(mosi))
        size = len(mosi) - 4
        return bytes(4) + self.read(address, size, now) if size > 0 else bytes(len(mosi))

    def modify(self, address: int, mask: int, value: int, now: Instant) -> tuple[int, int]:
        """Read-modify-write of one register: the byte before and after."""
        address %= reg.MEMORY_BYTES
        before = self.read(address, 1, now)[0]
        after = before & ~mask & 0xFF | value & mask
        self.write(address, bytes((after,)), now)
        return before, after

    def read(self, address: int, size: int, now: Instant) -> bytes:
        """Registers from an address on. In the receive buffer's window the bytes are taken out instead."""
        if reg.RX_FIFO <= address < reg.RX_FIFO_END and not self.memory[reg.RX_BUFFER_CONFIG] & 0x08:
            return self.fifo.read(size)
        end = address + size
        if end > reg.MEMORY_BYTES:
            first = reg.MEMORY_BYTES - address
            return self.read(address, first, now) + self.read(0, size - first, now)
        out = bytearray(self.memory[address:end])
        readers = self._readers
        if size <= 16:
            for offset in range(size):
                reader = readers.get(address + offset)
                if reader is not None:
                    out[offset] = reader(now)
        else:
            for hooked, reader in readers.items():
                if address <= hooked < end:
                    out[hooked - address] = reader(now)
            if self.firmware_corrupt and address < reg.RX_FIFO:
                out[0] ^= 0x01
        return bytes(out)

    def write(self, address: int, data: bytes, now: Instant) -> None:
        """Registers from an address on, one after the other, with what each sets off."""
        if address < reg.TX_BASES[0] and address + len(data) <= reg.TX_BASES[0]:
            self.memory[address : address + len(data)] = data
            return
        self._plan = {}
        for offset, value in enumerate(data):
            self._write_one((address + offset) % reg.MEMORY_BYTES, value, now)

    def _write_one(self, address: int, value: int, now: Instant) -> None:
        if address in _READ_ONLY:
            return
        before, self.memory[address] = self.memory[address], value
        if address in reg.TX_BASES:
            self._trigger(reg.TX_BASES.index(address), before, value, now)
        elif reg.AGC_MAILBOX_WRITE <= address < reg.AGC_MAILBOX_WRITE + 4:
            self.agc.write(3 - (address - reg.AGC_MAILBOX_WRITE), value)
        elif address == reg.AGC_CTRL and (before ^ value) & reg.MCU_CLEAR:
            if value & reg.MCU_CLEAR:
                self.agc.hold()
            else:
                self.agc.release(AGC_VERSION_SX1250 if self.memory[reg.COMMON_CTRL0] & 0x03 else AGC_VERSION_SX125X)
        elif address == reg.ARB_CTRL and (before ^ value) & reg.MCU_CLEAR:
            if value & reg.MCU_CLEAR:
                self.arb.hold()
            else:
                self.arb.release()
        elif address == reg.ARB_COMMAND and value & 1:
            self.arb.resume()
        elif address in (reg.RADIO_A_ENABLE, reg.RADIO_B_ENABLE) and value & 0x08:
            self.radios[address - reg.RADIO_A_ENABLE].reset()

    def _trigger(self, chain: int, before: int, after: int, now: Instant) -> None:
        base = reg.TX_BASES[chain]
        block = self.memory[base : base + reg.TX_BLOCK_BYTES]
        outcome = self.transmitters[chain].trigger(before, after, block, self.clock, now, self._pulse_phase_us or 0)
        if outcome is not None:
            self._told(outcome)

    def _read_hooks(self) -> dict[int, Callable[[Instant], int]]:
        hooks: dict[int, Callable[[Instant], int]] = {
            reg.AGC_CTRL: lambda _now: self.memory[reg.AGC_CTRL] & ~reg.PARITY_ERROR,
            reg.ARB_CTRL: lambda _now: self.memory[reg.ARB_CTRL] & ~reg.PARITY_ERROR,
            reg.AGC_STATUS: lambda _now: self.agc.status,
            reg.ARB_STATUS: lambda _now: self.arb.status,
            reg.ARB_DEBUG_READ: lambda _now: self.arb.version,
            reg.RX_BUFFER_BYTES: lambda _now: len(self.fifo) >> 8,
            reg.RX_BUFFER_BYTES + 1: lambda _now: len(self.fifo) & 0xFF,
            reg.OTP_DATA: lambda _now: self._otp.get(self.memory[reg.OTP_ADDRESS], 0),
        }
        for index in range(4):
            hooks[reg.AGC_MAILBOX_READ + index] = partial(self._mailbox, 3 - index)
            hooks[reg.TIMESTAMP_PPS + index] = partial(self._pulse_byte, 24 - 8 * index)
            hooks[reg.TIMESTAMP_PPS + 4 + index] = partial(self._counter_byte, 24 - 8 * index)
        for chain, base in enumerate(reg.TX_BASES):
            hooks[base + reg.TX_STATUS] = partial(self._tx_status, chain)
        return hooks

    def _mailbox(self, mailbox: int, _now: Instant) -> int:
        return self.agc.read(mailbox)

    def _tx_status(self, chain: int, now: Instant) -> int:
        return self.transmitters[chain].status(now, stuck=self.stuck_tx)

    def _counter_byte(self, shift: int, now: Instant) -> int:
        return self.clock.ticks(now) >> shift & 0xFF

    def _pulse_byte(self, shift: int, now: Instant) -> int:
        if self._pulse_phase_us is None or not self.memory[reg.GPS_CTRL] & 1:
            return 0
        return self.clock.pps_ticks(now, self._pulse_phase_us) >> shift & 0xFF
