"""How a host brings a picoGW up: identify, configure, calibrate twice, set the chip's registers, start its firmware.

Source: Lora-net picoGW_hal 0.2.3 loragw_reg.c lgw_connect, loragw_hal.c lgw_calibrate_sx125x and lgw_start,
loragw_radio.c. The host of reference does not look whether an image reads back as written; this one does.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway_fw.concentrator import picogw_registers as reg
from gateway_fw.concentrator.chip_firmware import IMAGE_BYTES
from gateway_fw.concentrator.picogw_firmware import AGC_VERSION, ARB_VERSION, CALIBRATION_VERSION, PicoGwFirmware
from gateway_fw.concentrator.picogw_line import Request
from gateway_fw.concentrator.picogw_records import (
    ALL_SF,
    BANDWIDTH_CODE,
    FSK_CHAIN,
    IF_CHAINS,
    MAX_GAINS,
    MULTI_CHAINS,
    RADIOS,
    SERVICE_CHAIN,
    SX1255,
    SX1257,
    BoardConf,
    GainRow,
    IfConf,
    RadioConf,
    encode_gains,
    sf_bit,
)
from gateway_fw.concentrator.picogw_steps import (
    Procedure,
    done,
    order,
    read_at,
    read_field,
    read_program,
    read_radio,
    write_at,
    write_field,
    write_program,
    write_radio,
)
from gateway_fw.concentrator.picogw_wire import FIRMWARE_VERSION, Order
from gateway_fw.concentrator.procedure import Pause, ProcedureFailed, Stage
from gateway_fw.concentrator.setup import FskChannel, RadioSetup, ServiceChannel, TxGain
from lorawan.units import US_PER_MS

CHIP_VERSION = 103
CALIBRATION_US = 2300 * US_PER_MS
FIRMWARE_VERSION_ADDRESS = 0x20
PLL_ATTEMPTS = 5
_WAIT, _ABORT = 16, 17
_CRYSTAL_HZ = 32_000_000
_FSK_SYNC_BYTES, _FSK_SYNC_WORD = 3, 0xC194C1
_PPM_SF11_SF12 = 0x60
_SX1255_BELOW_HZ = 600_000_000  # SX1255: 400 to 510 MHz, SX1257: 862 to 1020 MHz (their datasheets)


@dataclass(frozen=True, slots=True)
class PicoGwFound:
    """What start-up learnt of the board. unique_id: 8 bytes of the microcontroller's serial number."""

    unique_id: bytes
    chip_version: int


def start(setup: RadioSetup, firmware: PicoGwFirmware) -> Procedure[PicoGwFound]:
    """The whole of it, some 4.9 s, nearly all of them calibration."""
    yield Stage("identify", 0.0)
    found = yield from _identify()
    yield Stage("configure", 0.02)
    yield from _configure(setup)
    for share, name, first, image in (
        (0.05, "calibrate 5–12", 5, firmware.calibration_low),
        (0.45, "calibrate 8–15", 8, firmware.calibration_high),
    ):
        yield Stage(name, share)
        yield from _calibrate(setup, image)
        yield from done(Request(Order.KEEP_CALIBRATION, bytes((first, 8))))
        yield Pause(5 * US_PER_MS)
    yield Stage("set registers", 0.85)
    yield from _set_registers(setup)
    yield Stage("start firmware", 0.9)
    yield from _load(reg.ARB_RESET, reg.ARB_PROGRAM_MUX, firmware.arb, "ARB")
    yield from _load(reg.AGC_RESET, reg.AGC_PROGRAM_MUX, firmware.agc, "AGC")
    yield from _start_firmware(setup)
    yield from write_field(reg.GPS_ENABLE, 0)
    return found


def stop() -> Procedure[None]:
    """Switch the radios off and restart the microcontroller."""
    yield from write_at(reg.PAGE_REGISTER, reg.SOFT_RESET)
    yield from done(Request(Order.RESET, repeatable=False))


def radio_kind(freq_hz: int) -> int:
    """The radio that a board for this frequency has."""
    return SX1255 if freq_hz < _SX1255_BELOW_HZ else SX1257


def gain_row(gain: TxGain) -> GainRow:
    """A row of the transmit gain table as the board takes it."""
    return GainRow(gain.digital, gain.pa, gain.dac, gain.mix, gain.power_dbm)


def _identify() -> Procedure[PicoGwFound]:
    version = FIRMWARE_VERSION.to_bytes(4, "big")
    status, unique_id = yield from order(Request(Order.CHECK_FIRMWARE, version, answer_bytes=8))
    if not status:
        raise ProcedureFailed(
            f"the microcontroller's firmware is not 0x{FIRMWARE_VERSION:08X}", "flash picoGW_mcu 0.2.1 first"
        )
    chip = yield from read_at(reg.VERSION.address)
    if chip != CHIP_VERSION:
        raise ProcedureFailed(f"the chip says version {chip}, an SX1308 says {CHIP_VERSION}", "unplug it and try again")
    yield from write_at(reg.PAGE_REGISTER, 0)
    return PicoGwFound(unique_id, chip)


def _radio_confs(setup: RadioSetup) -> list[RadioConf]:
    confs = [
        RadioConf(True, radio.freq_hz, radio.rssi_offset_db, radio_kind(radio.freq_hz), radio.tx_enabled)
        for radio in setup.radios
    ]
    missing = RADIOS - len(confs)
    return confs + [RadioConf(False, 0, 0.0, confs[0].kind)] * missing


def _if_conf(setup: RadioSetup, chain: int) -> IfConf:
    channel = setup.channel(chain)
    if channel is None:
        return IfConf(False)
    if isinstance(channel, ServiceChannel):
        modulation = channel.modulation
        code = BANDWIDTH_CODE[modulation.bw_hz]
        return IfConf(True, channel.rf_chain, channel.if_hz, code, sf_bit(modulation.sf))
    if isinstance(channel, FskChannel):
        code = BANDWIDTH_CODE.get(channel.bandwidth_hz, 0)
        return IfConf(True, channel.rf_chain, channel.if_hz, code, channel.bit_rate)
    return IfConf(True, channel.rf_chain, channel.if_hz, BANDWIDTH_CODE[125_000], ALL_SF)


def _configure(setup: RadioSetup) -> Procedure[None]:
    board = BoardConf(setup.public_network, setup.clock_source)
    yield from done(Request(Order.SET_BOARD, board.encode()))
    gains = encode_gains(tuple(gain_row(gain) for gain in setup.tx_gains))
    yield from done(Request(Order.SET_TX_GAINS, gains), "this transmit gain table")
    for radio, conf in enumerate(_radio_confs(setup)):
        yield from done(Request(Order.SET_RADIO, conf.encode(), radio), f"the settings of radio {radio}")
    # the microcontroller keeps what an earlier host set, so unused chains are switched off too
    for chain in range(IF_CHAINS):
        conf_ = _if_conf(setup, chain)
        yield from done(Request(Order.SET_IF_CHAIN, conf_.encode(), chain), f"the settings of IF chain {chain}")


def _calibrate(setup: RadioSetup, image: bytes) -> Procedure[None]:
    radios = _radio_confs(setup)
    yield from write_at(reg.PAGE_REGISTER, reg.SOFT_RESET)
    yield from write_field(reg.GLOBAL_ENABLE, 0)
    yield from write_field(reg.CLOCK_32M_ENABLE, 0)
    yield from write_field(reg.RADIO_RESET, 1)
    yield Pause(5 * US_PER_MS)
    yield from write_field(reg.RADIO_RESET, 0)
    for index, radio in enumerate(radios):
        yield from _start_radio(index, radio, gives_clock=setup.clock_source == index)
    yield from write_field(reg.GLOBAL_ENABLE, 1)
    yield from write_field(reg.CLOCK_32M_ENABLE, 1)
    yield from _load(reg.AGC_RESET, reg.AGC_PROGRAM_MUX, image, "calibration")
    yield from write_field(reg.HOST_RADIO_CONTROL, 0)
    command = 0x10 | (0x20 if radios[0].kind == SX1255 else 0)
    for index, radio in enumerate(radios):
        command |= (0x01 << index) * radio.enable | (0x04 << index) * (radio.enable and radio.tx_enable)
    yield from write_field(reg.RADIO_SELECT, command)
    yield from write_field(reg.AGC_RESET, 0)
    yield from _check_version(reg.AGC_RAM_ADDRESS, reg.AGC_RAM_DATA, CALIBRATION_VERSION, "calibration")
    yield from write_at(reg.PAGE_REGISTER, 3)  # the firmware waits for this
    yield from write_field(reg.EMERGENCY_HOST_CONTROL, 0)
    yield Pause(CALIBRATION_US)
    yield from write_field(reg.EMERGENCY_HOST_CONTROL, 1)
    status = yield from read_field(reg.AGC_STATUS)
    needed = 0x81 | sum(0x02 << index for index, radio in enumerate(radios) if radio.enable)
    if status & needed != needed:
        raise ProcedureFailed(
            f"calibration ended with status 0x{status:02X}", "is the antenna on? is the power steady?"
        )


def _start_radio(index: int, radio: RadioConf, *, gives_clock: bool) -> Procedure[None]:
    writes = reg.radio_writes(radio.kind, radio.freq_hz, gives_clock=gives_clock, enabled=radio.enable)
    for register, value in writes:
        yield from write_radio(index, register, value)
    if not radio.enable:
        return
    for _ in range(PLL_ATTEMPTS):
        yield from write_radio(index, 0x00, 1)  # crystal
        yield from write_radio(index, 0x00, 3)  # and receiver
        yield Pause(1 * US_PER_MS)
        if (yield from read_radio(index, 0x11)) & 0x02:
            return
    raise ProcedureFailed(f"radio {index} does not lock on {radio.freq_hz} Hz", "is it a board for this band?")


def _load(reset: reg.Field, mux: reg.Field, image: bytes, name: str) -> Procedure[None]:
    yield from write_field(reset, 1)
    yield from write_field(mux, 0)
    yield from write_field(reg.PROGRAM_ADDRESS, 0)
    yield from write_program(image)
    yield from read_at(reg.PROGRAM_DATA.address)  # the chip needs one read that does not count
    back = yield from read_program(IMAGE_BYTES)
    if back != image:
        at = next(i for i, (wrote, read) in enumerate(zip(image, back, strict=True)) if wrote != read)
        raise ProcedureFailed(f"the {name} firmware reads back differently from byte {at} on", "check the cable")
    yield from write_field(mux, 1)


def _check_version(address: reg.Field, data: reg.Field, expected: int, name: str) -> Procedure[None]:
    yield from write_field(address, FIRMWARE_VERSION_ADDRESS)
    version = yield from read_field(data)
    if version != expected:
        raise ProcedureFailed(
            f"the {name} firmware runs as version {version}, not {expected}", "take the images of picoGW_hal 0.2.3"
        )


def _set_registers(setup: RadioSetup) -> Procedure[None]:
    yield from write_field(reg.GPIO_MODE, 31)
    yield from write_field(reg.GPIO_SELECT_OUTPUT, 0)
    peaks = reg.PUBLIC_PEAKS if setup.public_network else reg.PRIVATE_PEAKS
    syncs = [
        (place, peak)
        for pair in (*reg.RX_SYNC_PEAKS, reg.TX_SYNC_PEAKS)
        for place, peak in zip(pair, peaks, strict=True)
    ]
    for place, value in (*reg.ADJUSTED, *syncs, *reg.TOLERANCE, reg.FSK_GAUSSIAN):
        yield from write_field(place, value)
    freq_hz = setup.radios[0].freq_hz
    yield from write_field(reg.FREQ_TO_TIME_DRIFT, min(4_096_000_000 // (freq_hz >> 1), 63))
    yield from write_field(reg.SERVICE_FREQ_TO_TIME_DRIFT, min(4_096_000_000 // (freq_hz >> 3), 63))
    confs = [_if_conf(setup, chain) for chain in range(IF_CHAINS)]
    for chain, conf in enumerate(confs):
        yield from write_field(reg.if_frequency(chain), int(conf.if_hz * 32 / 15_625))
    for chain, conf in enumerate(confs[:MULTI_CHAINS]):
        yield from write_field(reg.correlators(chain), conf.datarate if conf.enable else 0)
    yield from write_field(reg.PPM_OFFSET, _PPM_SF11_SF12)
    yield from write_field(reg.MULTI_MODEM_ENABLE, 1)
    yield from _set_service(setup.service, confs[SERVICE_CHAIN])
    yield from _set_fsk(setup.fsk, confs[FSK_CHAIN])


def _set_service(channel: ServiceChannel | None, conf: IfConf) -> Procedure[None]:
    if channel is not None:
        modulation = channel.modulation
        yield from write_field(reg.SERVICE_RADIO, conf.rf_chain)
        yield from write_field(reg.SERVICE_BANDWIDTH, {125_000: 0, 250_000: 1, 500_000: 2}[modulation.bw_hz])
        yield from write_field(reg.SERVICE_SF, modulation.sf)
        yield from write_field(reg.SERVICE_PPM_OFFSET, modulation.ldro)
    yield from write_field(reg.SERVICE_MODEM_ENABLE, channel is not None)


def _set_fsk(channel: FskChannel | None, conf: IfConf) -> Procedure[None]:
    pattern = _FSK_SYNC_WORD << (8 * (8 - _FSK_SYNC_BYTES))
    yield from write_field(reg.FSK_PATTERN_SIZE, _FSK_SYNC_BYTES - 1)
    yield from write_field(reg.FSK_TX_PATTERN_SIZE, _FSK_SYNC_BYTES - 1)
    yield from write_field(reg.FSK_PATTERN_LOW, pattern)
    yield from write_field(reg.FSK_PATTERN_HIGH, pattern >> 32)
    if channel is not None:
        yield from write_field(reg.FSK_RADIO, conf.rf_chain)
        yield from write_field(reg.FSK_BIT_RATE_DIVIDER, _CRYSTAL_HZ // channel.bit_rate)
        yield from write_field(reg.FSK_BANDWIDTH, conf.bandwidth)
    yield from write_field(reg.FSK_MODEM_ENABLE, channel is not None)


def _start_firmware(setup: RadioSetup) -> Procedure[None]:
    for field in (reg.HOST_RADIO_CONTROL, reg.HOST_FRONT_END_CONTROL, reg.FORCE_DECIMATION_GAIN):
        yield from write_field(field, 0)
    yield from write_field(reg.RADIO_SELECT, 0)
    yield from write_field(reg.ARB_RESET, 0)
    yield from write_field(reg.AGC_RESET, 0)
    yield from _check_version(reg.AGC_RAM_ADDRESS, reg.AGC_RAM_DATA, AGC_VERSION, "AGC")
    yield from _check_version(reg.ARB_RAM_ADDRESS, reg.ARB_RAM_DATA, ARB_VERSION, "ARB")
    yield Pause(10 * US_PER_MS)
    yield from _expect_agc(0x10)
    for index, gain in enumerate(setup.tx_gains):
        yield from _tell_agc(gain_row(gain).agc_value, 1 * US_PER_MS, 0x30 + index)
    if len(setup.tx_gains) < MAX_GAINS:
        yield from _tell_agc(_ABORT, 10 * US_PER_MS, 0x30)
    yield from _tell_agc(3, 10 * US_PER_MS, 0x33)  # top bits of the transmit frequency, the same on every band
    yield from _tell_agc(0, 10 * US_PER_MS, 0x30)  # channel option
    chains = enumerate(setup.channels)
    select = sum(1 << chain for chain, channel in chains if channel is not None and channel.rf_chain == 1)
    yield from _tell_agc(select, 10 * US_PER_MS, 0x40)


def _tell_agc(value: int, pause_us: int, expected: int) -> Procedure[None]:
    for each in (_WAIT, value):
        yield from write_field(reg.RADIO_SELECT, each)
        yield Pause(pause_us)
    yield from _expect_agc(expected)


def _expect_agc(expected: int) -> Procedure[None]:
    status = yield from read_field(reg.AGC_STATUS)
    if status != expected:
        raise ProcedureFailed(
            f"the AGC firmware is at 0x{status:02X}, not 0x{expected:02X}", "unplug the board and start again"
        )
