"""The register writes that set an SX1302 up for a channel plan: front end, channels, correlators, modems, sync words.

Source of the values: sx1302_hal 2.1.0 libloragw/src/loragw_sx1302.c (sx1302_pa_lna_lut_configure,
sx1302_radio_fe_configure, sx1302_channelizer_configure, sx1302_lora_correlator_configure, sx1302_lora_modem_configure,
sx1302_lora_service_*_configure, sx1302_fsk_configure, sx1302_lora_syncword, sx1302_modem_enable). Many of them tune
silicon whose manual is not public: they are taken over, not derived.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway_fw.concentrator import corecell_registers as reg
from gateway_fw.concentrator.corecell_registers import Field, Write, split
from gateway_fw.concentrator.setup import IF_CHAINS, FskChannel, RadioSetup, ServiceChannel

BANDWIDTH_CODES = {125_000: 4, 250_000: 5, 500_000: 6}  # loragw_hal.h BW_125KHZ …
XTAL_HZ = 32_000_000
FSK_SYNC_WORD, FSK_SYNC_BYTES = 0xC194C1, 3  # loragw_hal.c, context default for LoRaWAN
PEAKS_PUBLIC, PEAKS_PRIVATE = (6, 8), (2, 4)  # sync words 0x34 and 0x12, as the positions of their two peaks

_SERVICE = 0x5B00


def if_word(if_hz: int) -> int:
    """A channel's distance from its radio as the chip counts it, cut towards zero: steps of 15625/32 Hz."""
    word = abs(if_hz) * 32 // 15_625
    return word if if_hz >= 0 else -word


def if_rounding_hz(if_hz: int) -> int:
    """What the register leaves out of a channel's distance, in Hz, as the reference rounds it."""
    word = if_word(if_hz)
    applied = abs(word) * 15_625 // 32
    return if_hz - (applied if word >= 0 else -applied)


def frequency_to_time_drift(freq_hz: int, bw_hz: int) -> tuple[int, int]:
    """Mantissa (12 bits) and exponent of bandwidth over frequency, in units of 2^-20."""
    mantissa, exponent = (bw_hz << 20) // freq_hz, 0
    while mantissa < 2048:
        mantissa, exponent = mantissa << 1, exponent + 1
    return mantissa, exponent


def sync_peaks(sf: int, *, public: bool) -> tuple[int, int]:
    """Where the sync word's two peaks stand; SF5 and SF6 are private always."""
    return PEAKS_PUBLIC if public and sf >= 7 else PEAKS_PRIVATE


def channel_plan(setup: RadioSetup) -> Iterator[Write]:
    """Every write between the chip's reset and the start of its processors, in the reference's order."""
    yield from _front_end(setup)
    yield from _channels(setup)
    yield from _correlators(setup)
    yield from _modems(setup.radios[0].freq_hz)
    if setup.service is not None:
        yield from _service_correlator(setup.service)
        yield from _service_modem(setup.service, setup.radios[0].freq_hz)
    if setup.fsk is not None:
        yield from _fsk(setup.fsk)
    yield from _sync_words(setup)
    for modem in (reg.MULTI_SF_MODEMS_ON, reg.SERVICE_MODEM_ON, reg.FSK_MODEM_ON, reg.RECEIVE_ON):
        yield modem.set(1)


def _front_end(setup: RadioSetup) -> Iterator[Write]:
    # which control lines of the board the amplifiers hang on
    yield reg.PA_TABLE[0].set(0x0C if setup.full_duplex else 0x04)
    yield reg.LNA_TABLE[0].set(0x0F if setup.full_duplex else 0x02)
    yield reg.PA_TABLE[1].set(0x04)
    yield reg.LNA_TABLE[1].set(0x02)
    for radio in range(2):
        yield reg.FRONT_END_ALPHA_BASEBAND[radio].set(3)
        yield reg.FRONT_END_ALPHA_DECIMATED[radio].set(7)
    for radio in range(2):
        yield reg.FRONT_END_RSSI_BASEBAND[radio].set(23)
        yield reg.FRONT_END_RSSI_DECIMATED[radio].set(66)
    for radio in range(2):
        yield reg.FRONT_END_DC_NOTCH[radio].set(1)
        yield reg.FRONT_END_FILTER_GAIN[radio].set(0x0B)


def _if_frequency(address: int, if_hz: int) -> Iterator[Write]:
    return split((Field(address, 0, 5), Field(address + 1)), if_word(if_hz))


def _channels(setup: RadioSetup) -> Iterator[Write]:
    chains = [setup.channel(index) for index in range(IF_CHAINS + 2)]
    radios = [0 if chain is None else chain.rf_chain for chain in chains]
    offsets = [0 if chain is None else chain.if_hz for chain in chains]
    yield Field(0x5810).set(sum(radio << index for index, radio in enumerate(radios[:IF_CHAINS])))
    yield Field(_SERVICE + 0x02, 0, 1).set(radios[8])
    yield Field(_SERVICE + 0x54, 1, 1).set(radios[9])
    for index in range(IF_CHAINS):
        yield from _if_frequency(0x5800 + 2 * index, offsets[index])
    yield from _if_frequency(_SERVICE, offsets[8])
    yield from _if_frequency(_SERVICE + 0x50, offsets[9])
    yield Field(0x5811, 3, 5).set(5)  # RSSI filter
    yield Field(0x5812).set(85)  # RSSI after reset
    yield Field(0x5817, 0, 2).set(1)  # gain controlled by the AGC processor, and the channel's own loop kept out of it
    yield Field(0x5813).set(255)
    yield Field(0x5814).set(0)
    yield Field(0x5815, 4, 4).set(15)
    yield Field(0x5815, 0, 4).set(0)


def _correlators(setup: RadioSetup) -> Iterator[Write]:
    for sf in range(5, 13):
        base = 0x5826 + 7 * (sf - 5)
        yield Field(base, 0, 7).set(52)  # accumulated peak to noise
        yield Field(base + 2, 0, 7).set(24)  # peak to noise of the sync word
        yield Field(base + 4, 3, 3).set(7)  # peaks wanted
        yield Field(base + 5, 2, 3).set(5)
    yield Field(0x5823).set(0xFF)
    yield Field(0x5824).set(0xFF)
    yield Field(0x5822).set(0xFF)  # spreading factors 5 to 12
    used = sum(1 << index for index, channel in enumerate(setup.channels) if channel is not None)
    yield Field(0x5820).set(used)
    yield Field(0x5821).set(used)


def _modems(radio_hz: int) -> Iterator[Write]:
    yield Field(0x5860, 0, 1).set(0)
    yield Field(0x5875, 3, 1).set(1)
    yield Field(0x5878, 4, 1).set(1)
    yield Field(0x5878, 6, 2).set(1)
    yield reg.MODEMS_FULL_SF.set(0xFF)
    yield reg.MODEMS_LIMITED_SF.set(0xFF)
    yield Field(0x58B7, 0, 3).set(0)  # coarse sync between correlators and modems
    yield Field(0x58B8).set(126)
    for channel, fine_sync in enumerate(reg.ARB_SYNC_OFFSET):
        yield fine_sync.set((1, 5, 9, 13)[channel % 4])
    for sf in range(5, 13):  # low data rate optimisation
        yield Field(0x58B9 + (sf - 5) // 4, 2 * ((sf - 5) % 4), 2).set(1 if sf >= 11 else 0)
    yield Field(0x5892, 6, 2).set(3)  # fine timing, modems for demodulation: SF5 and SF6, then SF11 and SF12
    yield Field(0x5892, 3, 3).set(3)
    yield Field(0x5896, 4, 2).set(1)
    yield Field(0x5896, 6, 2).set(1)
    yield Field(0x58AB, 0, 4).set(15)  # one-bin correction
    for address, mode in ((0x58A5, 3), (0x58A7, 0)):  # frequency tracking: automatic; off in the modems for timing
        for sf in range(5, 13):
            yield Field(address + (sf - 5) // 4, 2 * ((sf - 5) % 4), 2).set(mode)
    yield Field(0x589E, 4, 2).set(0)  # fine timing, modems for timing: linear
    yield Field(0x589E, 6, 2).set(0)
    yield Field(0x5899, 6, 1).set(1)
    yield Field(0x5899, 0, 2).set(2)
    for address, gains in ((0x589A, (0, 6, 2)), (0x589B, (0, 1, 0))):
        yield Field(address, 6, 2).set(gains[0])
        yield Field(address, 0, 3).set(gains[1])
        yield Field(address, 3, 3).set(gains[2])
    yield Field(0x5884).set(0)  # preamble of 10 symbols: between the 12 of SF5 and SF6, and the 8 of the others
    yield Field(0x5883).set(10)
    yield from _drift(0x58A0, radio_hz, 125_000)
    yield Field(0x5887, 4, 2).set(3)  # peak search of the transform: automatic


def _drift(address: int, radio_hz: int, bw_hz: int) -> Iterator[Write]:
    mantissa, exponent = frequency_to_time_drift(radio_hz, bw_hz)
    yield Field(address, 0, 4).set(mantissa >> 8)
    yield Field(address + 1).set(mantissa)
    yield Field(address + 2, 0, 3).set(exponent)
    yield Field(address + 3, 2, 1).set(1)


def _service_correlator(service: ServiceChannel) -> Iterator[Write]:
    yield Field(_SERVICE + 0x40, 0, 3).set(7)
    yield Field(_SERVICE + 0x40, 4, 3).set(5)
    yield Field(_SERVICE + 0x42, 7, 1).set(1)
    yield Field(_SERVICE + 0x23, 5, 1).set(1 if service.modulation.sf <= 6 else 0)  # fine sync
    yield Field(_SERVICE + 0x42, 0, 7).set(52)


def _service_modem(service: ServiceChannel, radio_hz: int) -> Iterator[Write]:
    sf, bw_hz = service.modulation.sf, service.modulation.bw_hz
    yield Field(_SERVICE + 0x03, 0, 1).set(0)
    yield Field(_SERVICE + 0x18, 3, 1).set(1)
    yield Field(_SERVICE + 0x1B, 4, 1).set(1)
    yield Field(_SERVICE + 0x1B, 6, 2).set(1)
    yield Field(_SERVICE + 0x32, 6, 2).set(3)
    yield Field(_SERVICE + 0x33, 3, 3).set(3)
    yield Field(_SERVICE + 0x32, 0, 3).set(4 if sf <= 6 else 6 if sf <= 10 else 7)
    yield Field(_SERVICE + 0x33, 6, 2).set(BANDWIDTH_CODES[bw_hz] - 3 if sf >= 11 else 0)
    yield Field(_SERVICE + 0x23, 1, 1).set(0)  # explicit header; the next three count with an implicit one only
    yield Field(_SERVICE + 0x23, 0, 1).set(0)
    yield Field(_SERVICE + 0x22, 0, 3).set(0)
    yield Field(_SERVICE + 0x24).set(0)
    yield Field(_SERVICE + 0x21, 0, 4).set(sf)
    yield Field(_SERVICE + 0x21, 4, 4).set(BANDWIDTH_CODES[bw_hz])
    yield Field(_SERVICE + 0x22, 4, 2).set(1 if service.modulation.ldro else 0)
    yield Field(_SERVICE + 0x28).set(0)
    yield Field(_SERVICE + 0x27).set(12 if sf <= 6 else 8)  # preamble
    yield from _drift(_SERVICE + 0x36, radio_hz, bw_hz)
    yield Field(_SERVICE + 0x19, 6, 1).set(1)
    yield Field(_SERVICE + 0x22, 3, 1).set(1)  # modem on
    yield Field(_SERVICE + 0x23, 2, 2).set(1)
    yield Field(_SERVICE + 0x23, 4, 1).set(1)
    yield Field(_SERVICE + 0x2A, 4, 2).set(3)


def _fsk(fsk: FskChannel) -> Iterator[Write]:
    yield Field(_SERVICE + 0x53, 3, 3).set(FSK_SYNC_BYTES - 1)
    pattern = FSK_SYNC_WORD << 8 * (8 - FSK_SYNC_BYTES)
    for index in range(8):
        yield Field(_SERVICE + 0x64 - index).set(pattern >> 8 * index)
    yield from split((Field(_SERVICE + 0x5B), Field(_SERVICE + 0x5C)), XTAL_HZ // fsk.bit_rate)
    yield Field(_SERVICE + 0x53, 0, 3).set(3)  # 125 kHz, the one the reference has
    yield Field(_SERVICE + 0x54, 0, 1).set(0)
    yield Field(_SERVICE + 0x54, 3, 1).set(0)
    yield Field(_SERVICE + 0x55, 5, 3).set(4)
    yield Field(_SERVICE + 0x52, 0, 1).set(1)  # variable length
    yield Field(_SERVICE + 0x52, 1, 1).set(1)  # CRC
    yield Field(_SERVICE + 0x52, 2, 2).set(2)  # whitening
    yield Field(_SERVICE + 0x52, 4, 1).set(0)
    yield Field(_SERVICE + 0x55, 0, 5).set(10)
    yield Field(_SERVICE + 0x58).set(255)  # longest payload
    yield Field(_SERVICE + 0x56).set(0)
    yield Field(_SERVICE + 0x57).set(0)
    yield Field(_SERVICE + 0x54, 2, 1).set(1)  # automatic frequency correction
    yield Field(_SERVICE + 0x59, 0, 2).set(0)
    yield Field(_SERVICE + 0x5A).set(128)


def _sync_words(setup: RadioSetup) -> Iterator[Write]:
    for address, sf in ((0x588A, 5), (0x588C, 6), (0x588E, 7)):
        first, second = sync_peaks(sf, public=setup.public_network)
        yield Field(address, 0, 5).set(first)
        yield Field(address + 1, 0, 5).set(second)
    service_sf = 7 if setup.service is None else setup.service.modulation.sf
    first, second = sync_peaks(service_sf, public=setup.public_network)
    yield Field(_SERVICE + 0x2E, 0, 5).set(first)
    yield Field(_SERVICE + 0x2F, 0, 5).set(second)
