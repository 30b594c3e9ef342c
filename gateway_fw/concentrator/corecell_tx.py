"""Programming an SX1302's transmitter: one bulk of register writes, the trigger last.

Source: sx1302_hal 2.1.0 libloragw/src/loragw_sx1302.c (sx1302_send, sx1302_tx_set_start_delay, sx1302_tx_status).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway_fw.concentrator.corecell_bridge import Element, write_bytes
from gateway_fw.concentrator.corecell_plan import BANDWIDTH_CODES, XTAL_HZ, sync_peaks
from gateway_fw.concentrator.corecell_registers import Field, Write, split
from gateway_fw.concentrator.setup import RadioSetup
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Transmit

TX_BASE = (0x5200, 0x5400)
TX_STATUS = 0x11  # register within a transmitter's block
_PAYLOAD = 0x100
TX_FREE = 0x80
TX_SCHEDULED = (0x91, 0x92)
TX_EMITTING = (0x30, 0x50, 0x60, 0x70)
TRIGGER_IMMEDIATE, TRIGGER_DELAYED = 0, 1  # bits of the trigger register

START_DELAY_TICKS = 1500 * 32
_RADIO_DELAY_TICKS = {125_000: 19, 250_000: 24, 500_000: 21}  # SX1250
MIN_PREAMBLE, MAX_PREAMBLE = 6, 0xFFFF


def chirp_lowpass(sf: int) -> int:
    """The chirp filter's corner."""
    return 6 if sf < 10 else 7


def start_delay_ticks(modulation: LoraModulation) -> int:
    """From the trigger to the first chirp, in 32 MHz ticks: what the trigger must come earlier."""
    bw_hz = modulation.bw_hz
    filtering = ((1 << chirp_lowpass(modulation.sf)) - 1) * 1_000_000 // bw_hz
    modem = 8 * (XTAL_HZ // (32 * bw_hz))
    return START_DELAY_TICKS - (_RADIO_DELAY_TICKS[bw_hz] + filtering + modem)


def frequency_word(freq_hz: int) -> int:
    """The transmitter's frequency: steps of 32 MHz / 2^18, cut off."""
    return (freq_hz << 18) // XTAL_HZ


def power_word(setup: RadioSetup, power_dbm: float) -> int:
    """The row of the gain table for a power: external amplifier in bit 6, the SX1250's power index below."""
    row = setup.gain_for(power_dbm)
    return (1 if row.pa else 0) << 6 | row.power_index


def transmit_elements(transmit: Transmit, setup: RadioSetup, start_ticks: int | None) -> tuple[Element, ...]:
    """Every SPI operation of a transmission. start_ticks: the 32-bit counter at its first chirp; None for at once."""
    return tuple(_elements(transmit, setup, start_ticks))


def _elements(transmit: Transmit, setup: RadioSetup, start_ticks: int | None) -> Iterator[Element]:
    base = TX_BASE[transmit.rf_chain]
    yield from (write.element for write in _radio_writes(base, transmit, setup))
    yield from (write.element for write in _modem_writes(base, transmit, setup))
    delay = start_delay_ticks(transmit.modulation)
    yield write_bytes(base + 0x05, delay.to_bytes(2, "big"))
    payload_open = Field(base + 0x07, 0, 1)
    yield payload_open.set(1).element
    if transmit.payload:
        yield write_bytes(base + _PAYLOAD, transmit.payload)
    yield payload_open.set(0).element
    trigger = Field(base, TRIGGER_IMMEDIATE if start_ticks is None else TRIGGER_DELAYED, 1)
    if start_ticks is not None:
        at = (start_ticks - delay) & 0xFFFF_FFFF
        for byte in range(4):
            yield Field(base + 0x04 - byte).set(at >> 8 * byte).element
    yield trigger.set(0).element  # the transmitter acts on the edge
    yield trigger.set(1).element


def _radio_writes(base: int, transmit: Transmit, setup: RadioSetup) -> Iterator[Write]:
    row = setup.gain_for(transmit.power_dbm)
    yield Field(base + 0x09, 0, 1).set(0)  # LoRa
    yield Field(base + 0x20, 0, 2).set(1)  # from the LoRa modem
    yield Field(base + 0x23).set(0)  # no offset on I and Q: the SX1250 needs none
    yield Field(base + 0x24).set(0)
    yield Field(base + 0x0D).set(power_word(setup, transmit.power_dbm))
    yield Field(base + 0x22, 0, 2).set(row.digital)
    yield from split(tuple(Field(base + address) for address in (0x25, 0x26, 0x27)), frequency_word(transmit.freq_hz))
    yield Field(base + 0x0C).set(BANDWIDTH_CODES[transmit.modulation.bw_hz])


def _modem_writes(base: int, transmit: Transmit, setup: RadioSetup) -> Iterator[Write]:
    modulation = transmit.modulation
    sf = modulation.sf
    yield from split((Field(base + 0x28, 0, 4), Field(base + 0x29)), frequency_word(modulation.bw_hz // 2))
    yield Field(base + 0x60, 4, 4).set(BANDWIDTH_CODES[modulation.bw_hz])
    preamble = min(max(transmit.preamble_symbols, MIN_PREAMBLE), MAX_PREAMBLE)
    yield from split((Field(base + 0x67), Field(base + 0x66)), preamble)
    yield Field(base + 0x60, 0, 4).set(sf)
    yield Field(base + 0x69, 4, 3).set(chirp_lowpass(sf))
    yield Field(base + 0x61, 0, 3).set(transmit.coding_rate)
    yield Field(base + 0x62, 6, 1).set(1)  # modem on, transmitting, one frame
    yield Field(base + 0x62, 4, 2).set(2)
    yield Field(base + 0x65, 7, 1).set(1)
    yield Field(base + 0x69, 0, 1).set(0)
    yield Field(base + 0x69, 1, 1).set(transmit.inverted_iq)
    yield Field(base + 0x62, 1, 1).set(not transmit.explicit_header)
    yield Field(base + 0x62, 0, 1).set(transmit.crc)
    first, second = sync_peaks(sf, public=setup.public_network)
    yield Field(base + 0x6D, 0, 5).set(first)
    yield Field(base + 0x6E, 0, 5).set(second)
    yield Field(base + 0x62, 7, 1).set(sf <= 6)  # fine sync
    yield Field(base + 0x63).set(len(transmit.payload))
    yield Field(base + 0x61, 6, 2).set(0)
    yield Field(base + 0x61, 4, 2).set(modulation.ldro)
