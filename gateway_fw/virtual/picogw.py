"""A picoGW (STM32 and SX1308) as a core: bytes of the serial line in, bytes out; frames of the air in and out.

It hears what its orders say and nothing before a host has started the chip. While it sends, from the order until the
chip has restarted, the microcontroller answers nothing and the chip hears nothing; packets not yet fetched are lost.

Source: Lora-net picoGW_mcu 0.2.1 MAIN/cmdUSB.cpp, SX1308HAL/src/loragw_hal.cpp; picoGW_hal 0.2.3 for what hosts expect.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway_fw.concentrator.picogw_records import (
    BAD_COUNT,
    MAX_PACKETS,
    TX_GPS,
    TX_NOW,
    BoardConf,
    IfConf,
    RadioConf,
    RxRecord,
    TxOrder,
    decode_gains,
    encode_records,
)
from gateway_fw.concentrator.picogw_wire import (
    FIRMWARE_VERSION,
    MAX_ANSWER_BYTES,
    STATUS_OK,
    STATUS_REFUSED,
    Command,
    CommandReader,
    Order,
    TooLong,
)
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from gateway_fw.virtual.channels import Channel
from gateway_fw.virtual.corecell import EnterBootloader, PowerLost
from gateway_fw.virtual.picogw_chip import PROGRAM_DATA, RX_BUFFER_BYTES, VERSION_ADDRESS, Sx1308
from gateway_fw.virtual.picogw_clock import MicrosecondClock
from gateway_fw.virtual.picogw_faults import AnswerSpoiler, PicoGwFaults, SetPicoGwFaults
from gateway_fw.virtual.picogw_radio import RadioSettings, airtime_us, preamble_symbols
from lorawan.machine import Dropped, Instant
from lorawan.phy.modulation import CodingRate
from lorawan.phy.radio import Heard, Transmit

TX_START_DELAY_US = 1500  # from the trigger to the preamble: loragw_hal.cpp TX_START_DELAY
TX_GUARD_US = 10_000_000  # the longest wait for the end of a transmission: cmdUSB.cpp, order 'f'
RESTART_US = 5_000  # [assumption] about 300 register accesses of 10 µs and the waits of lgw_start
RESET_DELAY_US = 200_000
"""From the answer to order 'm' or 'n' to the reset. Source: cmdUSB.cpp DELAY_RESET."""
BOOT_US = 1_000_000
"""From a reset to the first order read. Source: cmdUSB.cpp DELAY_COM_INIT."""
METADATA_BYTES = 16
"""Beside each payload in the chip's buffer. Source: loragw_hal.cpp RX_METADATA_NB."""
DEFAULT_UNIQUE_ID = bytes.fromhex("aa555a0000240409")
"""The identifier of picoGW_packet_forwarder's example configuration."""

PicoGwEvent = BytesReceived | Heard | LineLost | SetPicoGwFaults | PowerLost
PicoGwEffect = SendBytes | Transmit | Dropped | EnterBootloader
_SOURCE = "picoGW_mcu cmdUSB.cpp"
_READS = frozenset((Order.READ_BURST, Order.READ_FIRST, Order.READ_MIDDLE, Order.READ_LAST))
_WRITES = frozenset((Order.WRITE_BURST, Order.WRITE_FIRST, Order.WRITE_MIDDLE, Order.WRITE_LAST))


@dataclass(frozen=True, slots=True)
class _Later:
    """An answer that waits. restart: the chip restarts as it goes out."""

    at: Instant
    data: bytes
    restart: bool = False


class VirtualPicoGw:
    """The board. unique_id: 8 bytes of the STM32's serial number, which hosts take as gateway identifier."""

    def __init__(self, unique_id: bytes = DEFAULT_UNIQUE_ID, faults: PicoGwFaults | None = None) -> None:
        if len(unique_id) != 8:
            raise ValueError(f"a picoGW's identifier has 8 bytes, not {len(unique_id)}")
        self._unique_id = unique_id
        self._faults = faults or PicoGwFaults()
        self._spoiler = AnswerSpoiler(self._faults)
        self._bootloader = False
        self._reader = CommandReader()
        self._commands: deque[Command | TooLong] = deque()
        self._clock = MicrosecondClock(0, drift_ppb=self._faults.drift_ppb)
        self._power_up(0)

    def _power_up(self, now: Instant) -> None:
        """Everything as after a reset of the microcontroller."""
        self._settings = RadioSettings()
        self._clock.restart(now)
        self._chip = Sx1308(self._clock.count, self._chip_reset)
        self._aligned = False
        self._fifo: deque[RxRecord] = deque()
        self._airborne: list[Heard] = []
        self._later: _Later | None = None
        self._deaf_from: Instant | None = None
        self._deaf_until: Instant = now
        self._on_air_until: Instant = now
        self._resets_at: Instant | None = None
        self._ready_at: Instant = now
        self._burst = 0

    def _chip_reset(self, now: Instant) -> None:
        # the chip's own counter starts again; once sent, the microcontroller's timer hides that
        self._fifo.clear()
        if not self._aligned:
            self._clock.restart(now)

    # --- the contract of every core ---

    @property
    def wake_at(self) -> Instant | None:
        """When something is due."""
        due = [heard.at for heard in self._airborne]
        due += [] if self._later is None else [self._later.at]
        due += [] if self._resets_at is None else [self._resets_at]
        due += [self._ready_at] if self._commands and self._later is None and self._resets_at is None else []
        return min(due, default=None)

    @property
    def faults(self) -> PicoGwFaults:
        """What is wrong with it now."""
        return self._faults

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The LoRa channel plan that the host has ordered."""
        return self._settings.channels

    @property
    def started(self) -> bool:
        """Whether a host has started the chip: frames are received, but for the time of a transmission."""
        return self._chip.running

    def counter_us(self, at: Instant) -> int:
        """The 32-bit counter at an instant: what a host reports as `tmst`. A reset of the board restarts it."""
        return self._clock.count(at)

    @property
    def settings(self) -> RadioSettings:
        """What the host has ordered."""
        return self._settings

    def handle(self, event: PicoGwEvent, now: Instant) -> Sequence[PicoGwEffect]:
        """Take one event in."""
        effects = list(self.wake(now))
        match event:
            case BytesReceived(data):
                effects += self._take(data)
            case Heard():
                effects += self._hear(event, now)
            case LineLost():
                self._flush()
            case SetPicoGwFaults(faults):
                self._faults, self._spoiler = faults, AnswerSpoiler(faults)
                self._clock.set_drift(faults.drift_ppb, now)
            case PowerLost():
                if self._on_air_until > now:
                    effects.append(self._dropped("tx_cut", "power lost while sending"))
                self._bootloader = False
                self._flush()
                self._power_up(now)
        return [*effects, *self._work(now)]

    def wake(self, now: Instant) -> Sequence[PicoGwEffect]:
        """Do what is due, in the order of its instants."""
        effects: list[PicoGwEffect] = []
        while (due := self.wake_at) is not None and due <= now:
            effects += self._due(due)
        return effects

    def _due(self, at: Instant) -> Iterator[PicoGwEffect]:
        landed = [heard for heard in self._airborne if heard.at <= at]
        self._airborne = [heard for heard in self._airborne if heard.at > at]
        for heard in landed:
            yield from self._receive(heard)
        if self._resets_at is not None and self._resets_at <= at:
            self._flush()
            self._power_up(at)
            self._ready_at = at + BOOT_US
            if self._bootloader:
                yield EnterBootloader()
        if self._later is not None and self._later.at <= at:
            later, self._later = self._later, None
            if later.restart:
                yield from self._restart_chip()
            if later.data:
                yield SendBytes(later.data)
        yield from self._work(at)

    # --- the line ---

    def _flush(self) -> None:
        self._reader.reset()
        self._commands.clear()
        if self._later is not None and not self._later.restart:
            self._later = None
        elif self._later is not None:
            self._later = _Later(self._later.at, b"", restart=True)

    def _take(self, data: bytes) -> Iterator[PicoGwEffect]:
        if self._bootloader or self._resets_at is not None:
            yield self._dropped("not_listening", "in its boot loader" if self._bootloader else "restarting")
            return
        self._commands.extend(self._reader.feed(data))

    def _work(self, now: Instant) -> Iterator[PicoGwEffect]:
        """Carry waiting orders out, unless one is still under way."""
        while self._commands and self._later is None and now >= self._ready_at and self._resets_at is None:
            command = self._commands.popleft()
            if isinstance(command, TooLong):
                yield self._dropped("order_length", f"{command.length} bytes for order 0x{command.identifier:02X}")
                continue
            if command.order is None:
                # the firmware makes an answer 'k' ready and does not send it
                yield self._dropped("unknown_order", f"argument 0x{command.argument:02X}, {len(command.data)} bytes")
                continue
            if command.order is Order.SEND:
                yield from self._send(TxOrder.decode(command.data), now)
                continue
            status, data = self._carry_out(command.order, command, now)
            yield from self._answer(command.order, status, data, now)

    def _answer(self, order: Order, status: int, data: bytes, at: Instant) -> Iterator[PicoGwEffect]:
        frame, late_us = self._spoiler.frame(order, status, data), self._spoiler.late_us()
        if late_us > 0:
            self._later = _Later(at + late_us, frame)
        elif frame:
            yield SendBytes(frame)

    # --- orders ---

    def _carry_out(self, order: Order, command: Command, now: Instant) -> tuple[int, bytes]:
        """Status and data of the answer."""
        argument, data = command.argument, command.data
        first = data[0] if data else 0
        if order is Order.READ:
            return STATUS_OK, bytes((self._read_register(argument, now),))
        if order in _READS:
            return self._read_burst(argument, int.from_bytes(data[:2].ljust(2, b"\0"), "big"), order, now)
        if order is Order.WRITE:
            self._chip.write(argument, first, now)
        elif order in _WRITES:
            self._chip.write_burst(self._burst_from(argument, len(data), order), data, now)
        elif order is Order.RECEIVE:
            return self._fetch(first)
        elif order is Order.SET_RADIO:
            return self._settle(self._settings.with_radio(argument, RadioConf.decode(data)))
        elif order is Order.SET_IF_CHAIN:
            return self._settle(self._settings.with_chain(argument, IfConf.decode(data)))
        elif order is Order.SET_TX_GAINS:
            return self._settle(self._settings.with_gains(decode_gains(data)))
        elif order is Order.SET_BOARD:
            settings = self._settings
            board = BoardConf.decode(data)
            return self._settle(RadioSettings(board, settings.radios, settings.chains, settings.gains))
        elif order is Order.CHECK_FIRMWARE:
            known = self._faults.firmware_version or FIRMWARE_VERSION
            same = int.from_bytes(data[:4].ljust(4, b"\0"), "big") == known
            return STATUS_OK if same else STATUS_REFUSED, self._unique_id
        elif order is Order.COUNTER:
            return STATUS_OK, self._clock.count(now).to_bytes(4, "big")
        elif order in (Order.RESET, Order.BOOTLOADER):
            self._bootloader = order is Order.BOOTLOADER
            self._resets_at = now + RESET_DELAY_US
        return STATUS_OK, b""  # KEEP_CALIBRATION too: there is nothing to calibrate

    def _settle(self, settings: RadioSettings | None) -> tuple[int, bytes]:
        if settings is None:
            return STATUS_REFUSED, b""
        self._settings = settings
        return STATUS_OK, b""

    def _read_register(self, address: int, now: Instant) -> int:
        if self._faults.chip_version and address & 0x7F == VERSION_ADDRESS:
            return self._faults.chip_version & 0xFF
        return self._chip.read(address, now)

    def _read_burst(self, address: int, count: int, order: Order, now: Instant) -> tuple[int, bytes]:
        if count > MAX_ANSWER_BYTES:
            return STATUS_REFUSED, b""  # the firmware would write past its buffer
        data = self._chip.read_burst(self._burst_from(address, count, order), count, now)
        if self._faults.firmware_corrupt and address & 0x7F == PROGRAM_DATA and data:
            data = bytes((data[0] ^ 0x01,)) + data[1:]
        return STATUS_OK, data

    def _burst_from(self, address: int, count: int, order: Order) -> int:
        """Where this piece of a burst begins: middle and last pieces go on where the one before ended."""
        begins = order in (Order.READ_BURST, Order.READ_FIRST, Order.WRITE_BURST, Order.WRITE_FIRST)
        start = address if begins or self._chip.is_port(address) else self._burst
        self._burst = start + count
        return start

    # --- the air ---

    def _hear(self, heard: Heard, now: Instant) -> Iterator[PicoGwEffect]:
        if heard.at > now:
            self._airborne.append(heard)
        else:
            yield from self._receive(heard)

    def _receive(self, heard: Heard) -> Iterator[PicoGwEffect]:
        """A frame has ended at the antenna."""
        if not self.started or self._faults.deaf:
            yield self._dropped("not_receiving", "no host has started the chip" if not self._faults.deaf else "deaf")
            return
        if (
            self._deaf_from is not None
            and heard.at > self._deaf_from
            and heard.at - heard.airtime_us < self._deaf_until
        ):
            yield self._dropped("half_duplex", "sending, or restarting after it")
            return
        chains = self._settings.chains_for(heard, self._chip.modems) if self._settings.board.public_network else []
        if not chains:
            yield self._dropped("no_channel", f"{heard.freq_hz} Hz {heard.modulation}")
        for chain in chains:
            used = sum(len(record.payload) + METADATA_BYTES for record in self._fifo)
            if len(self._fifo) >= MAX_PACKETS or used + len(heard.payload) + METADATA_BYTES > RX_BUFFER_BYTES:
                yield self._dropped("fifo_full", f"{len(self._fifo)} packets wait")
            elif len(heard.payload) <= 255:
                self._fifo.append(self._settings.record(chain, heard, self._clock.count(heard.at)))

    def _fetch(self, most: int) -> tuple[int, bytes]:
        if not 1 <= most <= MAX_PACKETS:
            return STATUS_REFUSED, bytes((BAD_COUNT,))
        records = tuple(self._fifo.popleft() for _ in range(min(most, len(self._fifo))))
        return STATUS_OK, encode_records(records)

    def _send(self, order: TxOrder, now: Instant) -> Iterator[PicoGwEffect]:
        """Order 'f': busy until the transmission is over and the chip restarted, or the guard time has passed."""
        refused = self._settings.why_refused(order)
        starts_at, why = (now, refused) if refused else self._start_of(order, now)
        ends_at = now + TX_GUARD_US
        if why:
            # the firmware waits its guard time for an end that does not come, and then answers as if all were well
            yield self._dropped("tx_refused" if refused else "tx_missed", why)
        else:
            duration = airtime_us(order)
            ends_at = min(ends_at, starts_at + duration)
            self._on_air_until = ends_at
            yield self._transmit(order, starts_at, duration)
        self._deaf_from, self._deaf_until = now, ends_at + RESTART_US
        status = STATUS_OK if self._settings.radios[0].freq_hz else STATUS_REFUSED
        self._later = _Later(self._deaf_until, self._spoiler.frame(Order.SEND, status, b""), restart=True)

    def _start_of(self, order: TxOrder, now: Instant) -> tuple[Instant, str]:
        """When the preamble begins, and why it never does ("" where it does)."""
        if self._faults.stuck_tx:
            return now, "the transmitter is stuck"
        if order.mode == TX_NOW:
            return now + TX_START_DELAY_US, ""
        if order.mode == TX_GPS:
            return now, "no GPS pulse comes: the firmware leaves GPS switched off"
        ahead = self._clock.ahead_us(order.count_us, now)
        if ahead <= TX_START_DELAY_US:
            return now, f"{TX_START_DELAY_US - ahead} µs too late for count {order.count_us}"
        if ahead > TX_GUARD_US:
            return now, f"{ahead} µs ahead: the microcontroller waits {TX_GUARD_US} µs"
        return self._clock.instant_of(order.count_us, now), ""

    def _transmit(self, order: TxOrder, starts_at: Instant, duration: int) -> PicoGwEffect:
        if order.lora is None:
            return self._dropped("fsk", f"FSK, {order.datarate} bit/s, {order.size} bytes: the air here is LoRa")
        return Transmit(
            at=starts_at,
            payload=order.payload,
            freq_hz=order.freq_hz,
            modulation=order.lora,
            power_dbm=self._settings.power_dbm(order.power_dbm),
            airtime_us=duration,
            inverted_iq=order.inverted_iq,
            crc=not order.no_crc,
            coding_rate=CodingRate(order.coding_rate),
            preamble_symbols=preamble_symbols(order),
            explicit_header=not order.no_header,
            rf_chain=order.rf_chain,
        )

    def _restart_chip(self) -> Iterator[PicoGwEffect]:
        """After a transmission the microcontroller starts the chip itself, from the settings that it has."""
        for record in self._fifo:
            yield self._dropped("not_fetched", f"{record.freq_hz} Hz, {len(record.payload)} bytes, lost by sending")
        self._fifo.clear()
        self._aligned = True
        if self._settings.radios[0].freq_hz:
            self._chip.restart()

    def _dropped(self, reason: str, detail: str) -> Dropped:
        return Dropped(f"picogw_{reason}", _SOURCE, detail)
