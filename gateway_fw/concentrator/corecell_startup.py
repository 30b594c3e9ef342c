"""CoreCell start-up: from a board that answers PING to a chip that receives, and back.

Source of the sequence: sx1302_hal 2.1.0 libloragw/src: loragw_usb.c (lgw_usb_open, lgw_usb_close), loragw_hal.c
(lgw_start, lgw_stop), loragw_sx1302.c, loragw_sx1250.c. Every wait for the chip has an end here; there it has none.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway_fw.concentrator import corecell_registers as reg
from gateway_fw.concentrator.chip_firmware import AGC_VERSION, ARB_VERSION, ChipFirmware
from gateway_fw.concentrator.corecell_bridge import (
    BURST_BYTES,
    GET_STATUS,
    PING,
    POWER_EN,
    SX1261_NRESET,
    SX1302_RESET,
    Board,
    BoardStatus,
    Mux,
    check_done,
    decode_ping,
    decode_status,
)
from gateway_fw.concentrator.corecell_mcus import start_agc, start_arb
from gateway_fw.concentrator.corecell_plan import channel_plan
from gateway_fw.concentrator.corecell_registers import Field, Mcu
from gateway_fw.concentrator.corecell_tx import TX_BASE, TX_FREE
from gateway_fw.concentrator.procedure import (
    Pause,
    Procedure,
    ProcedureFailed,
    Stage,
    ask,
    radio,
    read,
    read_byte,
    write,
    write_memory,
)
from gateway_fw.concentrator.setup import RadioSetup
from lorawan.ids import Eui64
from lorawan.machine import Dropped
from lorawan.units import US_PER_MS

BOARD_VERSION = "01.00.00"  # loragw_mcu.h: what this protocol was read from; another one only warns
IMAGE_BANDS_MHZ = (  # loragw_sx1250.c, sx1250_calibrate: band and the two bytes of CALIBRATE_IMAGE
    (430, 440, (0x6B, 0x6F)),
    (470, 510, (0x75, 0x81)),
    (779, 787, (0xC1, 0xC5)),
    (863, 870, (0xD7, 0xDB)),
    (902, 928, (0xE1, 0xE9)),
)
_RADIO_RESET_US, _RADIO_SETTLE_US = 500 * US_PER_MS, 10 * US_PER_MS
_GET_STATUS, _GET_ERRORS, _STANDBY, _CALIBRATE, _CALIBRATE_IMAGE = 0xC0, 0x17, 0x80, 0x89, 0x98
_WRITE_REGISTER, _SET_FREQUENCY, _SET_RX = 0x0D, 0x86, 0x82
_STANDBY_RC, _STANDBY_XOSC = 2, 3  # chip modes in bits 6 … 4 of the status
_SELECT_REGISTER, _SELECT_STATUS, _SELECT_AGC = 0, 9, 1
_ABORT_POLLS, _ABORT_POLL_US = 200, 5 * US_PER_MS


@dataclass(frozen=True, slots=True)
class BoardFound:
    """What start-up learned about the board."""

    board: Board
    status: BoardStatus
    chip_version: int
    eui: Eui64 | None


def start(setup: RadioSetup, firmware: ChipFirmware) -> Procedure[BoardFound]:
    """Bring the board up."""
    yield Stage("microcontroller", 0.0)
    board = decode_ping((yield from ask(PING)))
    if board.version[1:] != BOARD_VERSION:
        yield Dropped("board_version", "loragw_mcu.h", f"{board.version}, not V{BOARD_VERSION}")
    status = decode_status((yield from ask(GET_STATUS)))
    yield Stage("chip reset", 0.02)
    yield from reset_board()
    version = yield from read_byte(reg.CHIP_VERSION)
    if version in (0x00, 0xFF):
        raise ProcedureFailed(f"the chip's version reads 0x{version:02X}", "no SX1302 answers; is the board powered?")
    yield from write(reg.GPIO_OUT.set(0))
    yield Stage("radio calibration", 0.05)
    yield from _calibrate(setup)
    for index in range(len(setup.radios)):
        yield Stage(f"radio {'AB'[index]}", 0.3 + 0.2 * index)
        yield from _reset_radio(index)
        yield from _set_up_radio(setup, index)
        yield from write(reg.RADIO_MODE_SX1250[index].set(1))
    yield from _select_clock(setup.clock_source)
    yield from write(reg.HOST_RADIO_CONTROL.set(0))
    yield Stage("channel plan", 0.7)
    yield from write(reg.LEGACY_TIMESTAMP.set(1))
    yield from _gpio()
    yield from write(*channel_plan(setup))
    yield Stage("AGC firmware", 0.8)
    yield from _load(reg.AGC, firmware.agc)
    yield from start_agc(AGC_VERSION, full_duplex=setup.full_duplex)
    yield Stage("arbiter firmware", 0.9)
    yield from _load(reg.ARB, firmware.arb)
    yield from start_arb(ARB_VERSION)
    yield from _transmit_path()
    yield from write(reg.GPS_ENABLE.set(1), reg.GPS_POLARITY.set(1))
    yield from write(reg.GPIO_OUT.set(1))  # the board's "configured" light
    eui = yield from _eui()
    return BoardFound(board, status, version, eui)


def stop() -> Procedure[None]:
    """Cut transmissions off, wait until the transmitters say so, reset the board."""
    for chain in range(len(TX_BASE)):
        yield from abort(chain)
    yield from reset_board()


def abort(chain: int) -> Procedure[None]:
    """Cut a chain's transmission off. Fails where the transmitter is not free within a second."""
    base = TX_BASE[chain]
    yield from write(*(Field(base, bit, 1).set(0) for bit in range(3)))
    status = 0
    for _ in range(_ABORT_POLLS):
        status = yield from read_byte(base + 0x11)
        if status == TX_FREE:
            return
        yield Pause(_ABORT_POLL_US)
    raise ProcedureFailed(f"transmitter {'AB'[chain]} stays at 0x{status:02X} after an abort")


def reset_board() -> Procedure[None]:
    """Power on, reset pulses for the SX1302 and the SX1261: what the reference does on open and on close."""
    for order in (POWER_EN.to(1), SX1302_RESET.to(1), SX1302_RESET.to(0), SX1261_NRESET.to(0), SX1261_NRESET.to(1)):
        check_done((yield from ask(order)))


def _calibrate(setup: RadioSetup) -> Procedure[None]:
    for index in range(len(setup.radios)):
        yield from _reset_radio(index)
        yield from write(reg.RADIO_MODE_SX1250[index].set(1))
    yield from _select_clock(setup.clock_source)
    yield from write(reg.FRONT_END_BY_HOST.set(1), reg.PA_ENABLE_A.set(0), reg.LNA_ENABLE_A.set(0))
    for index, each in enumerate(setup.radios):
        mux = _mux(index)
        yield from radio(mux, _GET_STATUS, 0)
        yield from radio(mux, _CALIBRATE_IMAGE, *image_band(each.freq_hz))
        yield Pause(_RADIO_SETTLE_US)
        errors = yield from radio(mux, _GET_ERRORS, 0, 0, 0)
        if errors[2] & 0x10:
            raise ProcedureFailed(f"radio {'AB'[index]} reports an image calibration error (0x{errors[2]:02X})")
    yield from write(reg.FRONT_END_BY_HOST.set(0))


def image_band(freq_hz: int) -> tuple[int, int]:
    """The parameters of CALIBRATE_IMAGE for a radio centre. Raises ProcedureFailed outside the bands."""
    for low_mhz, high_mhz, band in IMAGE_BANDS_MHZ:
        if low_mhz * 1_000_000 < freq_hz < high_mhz * 1_000_000:
            return band
    bands = ", ".join(f"{low}-{high}" for low, high, _ in IMAGE_BANDS_MHZ)
    raise ProcedureFailed(f"no calibration for a radio at {freq_hz / 1e6} MHz", f"MHz: {bands}")


def _reset_radio(index: int) -> Procedure[None]:
    yield from write(reg.CLOCK_FROM_RADIO.set(0))  # the radio gives no clock while it is reset
    yield from write(reg.RADIO_ENABLE[index].set(1), reg.RADIO_RESET[index].set(1))
    yield Pause(_RADIO_RESET_US)
    yield from write(reg.RADIO_RESET[index].set(0))
    yield Pause(_RADIO_SETTLE_US)
    yield from write(reg.RADIO_RESET[index].set(1))
    yield Pause(_RADIO_SETTLE_US)  # it calibrates itself


def _select_clock(source: int) -> Procedure[None]:
    yield from write(reg.CLOCK_FROM_RADIO_AB[0].set(source == 0), reg.CLOCK_FROM_RADIO_AB[1].set(source == 1))
    yield from write(reg.CLOCK_DIVIDERS.set(1), reg.CLOCK_FROM_RADIO.set(1))


def sx1250_frequency(freq_hz: int) -> bytes:
    """SET_RF_FREQUENCY's parameter: steps of 32 MHz / 2^25."""
    return ((freq_hz << 25) // 32_000_000).to_bytes(4, "big")


def _set_up_radio(setup: RadioSetup, index: int) -> Procedure[None]:
    mux, config = _mux(index), setup.radios[index]
    yield from radio(mux, _STANDBY, 0)
    yield Pause(_RADIO_SETTLE_US)
    yield from _expect_mode(index, _STANDBY_RC)
    yield from radio(mux, _CALIBRATE, 0x7F)
    yield Pause(_RADIO_SETTLE_US)
    yield from radio(mux, _STANDBY, 1)
    yield Pause(_RADIO_SETTLE_US)
    yield from _expect_mode(index, _STANDBY_XOSC)
    for address, value in (  # highest bit rate (quick to switch), DIO for reception, fixed gain
        (0x06A1, 0x01),
        (0x06A2, 0x00),
        (0x06A3, 0x00),
        (0x0582, 0x00),
        (0x0583, 0x00),
        (0x0584, 0x00),
        (0x0585, 0x00),
        (0x0580, 0x00),
        (0x08B6, 0x2A),
    ):
        yield from radio(mux, _WRITE_REGISTER, address >> 8, address & 0xFF, value)
    yield from radio(mux, _SET_FREQUENCY, *sx1250_frequency(config.freq_hz))
    yield from radio(mux, _WRITE_REGISTER, 0x08, 0x8F, 0, 0, 0)  # no frequency offset
    yield from radio(mux, _SET_RX, 0xFF, 0xFF, 0xFF)  # receive for ever: it gives the SX1302 its clock
    if config.single_input:
        yield from radio(mux, _WRITE_REGISTER, 0x08, 0xE2, 0x0D)
    yield from radio(mux, _WRITE_REGISTER, 0x05, 0x87, 0x0B)


def _expect_mode(index: int, mode: int) -> Procedure[None]:
    answer = yield from radio(_mux(index), _GET_STATUS, 0)
    if answer[0] >> 4 & 7 != mode:
        why = f"radio {'AB'[index]} is in mode {answer[0] >> 4 & 7} (status 0x{answer[0]:02X}), not {mode}"
        raise ProcedureFailed(
            why, "an SX1250 in standby answers 2, with its crystal on 3; other radios are not for this"
        )


def _mux(index: int) -> Mux:
    return Mux.RADIO_A if index == 0 else Mux.RADIO_B


def _gpio() -> Procedure[None]:
    uses = {2: _SELECT_STATUS, 4: _SELECT_STATUS, 7: _SELECT_AGC}  # transmitting, receiving, listen before talk
    yield from write(*(pin.set(uses.get(number, _SELECT_REGISTER)) for number, pin in enumerate(reg.GPIO_SELECT)))
    yield from write(reg.GPIO_DIRECTION.set(0x7F))


def _load(mcu: Mcu, image: bytes) -> Procedure[None]:
    yield from write(mcu.clear.set(1), mcu.host_prog.set(1), reg.PAGE.set(0))
    yield from write_memory(mcu.memory, image, BURST_BYTES)
    for at in range(0, len(image), BURST_BYTES):
        back = yield from read(mcu.memory + at, BURST_BYTES)
        if back != image[at : at + BURST_BYTES]:
            wrong = next(i for i, (got, sent) in enumerate(zip(back, image[at:], strict=False)) if got != sent)
            raise ProcedureFailed(f"the {mcu.name} firmware reads back differently at byte {at + wrong}")
    yield from write(mcu.host_prog.set(0), mcu.clear.set(0))
    control = yield from read_byte(mcu.parity_error.address)
    if mcu.parity_error.of(control):
        raise ProcedureFailed(f"the {mcu.name} processor reports a parity error", "the image is not its firmware")


def _transmit_path() -> Procedure[None]:
    for low, width, address, value in ((0, 1, 0x21, 1), (2, 1, 0x20, 1), (3, 1, 0x20, 1), (4, 1, 0x20, 0)):
        # the AGC divides the radio's clock; SX126x interface; modulated; data on the rising edge
        for base in TX_BASE:
            yield from write(Field(base + address, low, width).set(value))


def _eui() -> Procedure[Eui64 | None]:
    digits = bytearray()
    for index in range(8):
        yield from write(reg.OTP_ADDRESS.set(index))
        digits.append((yield from read_byte(reg.OTP_DATA)))
    return Eui64(int.from_bytes(digits, "big")) if len(set(digits)) > 1 else None
