"""What a picoGW's radio is set to, and so what it hears and sends: orders 'c', 'd', 'h', 'i' and 'f'.

Source: Lora-net picoGW_mcu 0.2.1 SX1308HAL/src/loragw_hal.cpp lgw_rxrf_setconf, lgw_rxif_setconf, lgw_txgain_setconf,
lgw_receive, lgw_send.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gateway_fw.concentrator.picogw_records import (
    ALL_SF,
    BANDWIDTH_CODE,
    BANDWIDTH_OF,
    CRC_BAD,
    CRC_OK,
    FSK_CHAIN,
    IF_CHAINS,
    MAX_GAINS,
    MODULATION_FSK,
    MODULATION_LORA,
    MULTI_CHAINS,
    RADIOS,
    SERVICE_CHAIN,
    SX1255,
    SX1257,
    BoardConf,
    GainRow,
    IfConf,
    RadioConf,
    RxRecord,
    TxOrder,
    sf_bit,
)
from gateway_fw.virtual.channels import Channel
from gateway_fw.virtual.picogw_chip import MULTI_MODEM, SERVICE_MODEM
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import CodingRate
from lorawan.phy.radio import Heard

MULTI_BIAS_DB = 35
"""Multi-SF modems read this much lower. Source: loragw_hal.cpp RSSI_MULTI_BIAS, −35, subtracted."""
DEFAULT_GAINS = (GainRow(0, 2, 3, 10, 14), GainRow(0, 3, 3, 14, 27))
"""Source: loragw_hal.cpp txgain_lut."""
_RADIO_BANDWIDTH_HZ = {1: 1_100_000, 2: 1_000_000}
_RADIO_BANDWIDTH_NARROW_HZ = 925_000
"""Source: loragw_hal.cpp LGW_RF_RX_BANDWIDTH_500KHZ, _250KHZ, _125KHZ."""
_IF_WIDTH_HZ = {1: 500_000, 2: 250_000, 3: 125_000, 4: 62_500, 5: 31_200, 6: 15_600, 7: 7_800}
_REFERENCE_WIDTH_HZ = 125_000
_MIN_PREAMBLE, _DEFAULT_PREAMBLE = 4, 6
_MIN_FSK_PREAMBLE, _DEFAULT_FSK_PREAMBLE, _FSK_SYNC_BYTES = 3, 5, 3
_FSK_BIT_RATES = range(500, 250_001)


_PRIVATE_NETWORK = BoardConf(public_network=False)


@dataclass(frozen=True, slots=True)
class RadioSettings:
    """The whole of it, as the microcontroller keeps it over the chip's restarts."""

    board: BoardConf = _PRIVATE_NETWORK
    radios: tuple[RadioConf, ...] = (RadioConf(False, 0, 0.0),) * RADIOS
    chains: tuple[IfConf, ...] = (IfConf(False),) * IF_CHAINS
    gains: tuple[GainRow, ...] = DEFAULT_GAINS

    def with_radio(self, index: int, conf: RadioConf) -> RadioSettings | None:
        """With order 'c' carried out, or None where it is refused."""
        if index >= RADIOS or conf.kind not in (SX1255, SX1257):
            return None
        return replace(self, radios=(*self.radios[:index], conf, *self.radios[index + 1 :]))

    def with_chain(self, index: int, conf: IfConf) -> RadioSettings | None:
        """With order 'd' carried out, or None where it is refused."""
        if index >= IF_CHAINS:
            return None
        settled = IfConf(False) if not conf.enable else _settle_chain(index, conf)
        return (
            None
            if settled is None
            else replace(self, chains=(*self.chains[:index], settled, *self.chains[index + 1 :]))
        )

    def with_gains(self, gains: tuple[GainRow, ...]) -> RadioSettings | None:
        """With order 'h' carried out, or None where it is refused."""
        fits = all(row.digital <= 3 and row.dac == 3 and row.mix <= 15 and row.pa <= 3 for row in gains)
        return replace(self, gains=gains) if 1 <= len(gains) <= MAX_GAINS and fits else None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The LoRa chains that are switched on."""
        return tuple(
            Channel(
                chain,
                conf.rf_chain,
                self.centre_hz(chain),
                self.centre_hz(chain),
                BANDWIDTH_OF[conf.bandwidth],
                frozenset(sf for sf in range(7, 13) if conf.datarate & sf_bit(sf)),
            )
            for chain, conf in enumerate(self.chains[: MULTI_CHAINS + 1])
            if conf.enable and self.radios[conf.rf_chain].enable
        )

    def centre_hz(self, chain: int) -> int:
        """Where an IF chain listens."""
        conf = self.chains[chain]
        return self.radios[conf.rf_chain].freq_hz + conf.if_hz

    def chains_for(self, heard: Heard, modems: int) -> list[int]:
        """The IF chains that take this frame in. modems: the chip's switches."""
        return [chain for chain in range(MULTI_CHAINS + 1) if self._takes(chain, heard, modems)]

    def _takes(self, chain: int, heard: Heard, modems: int) -> bool:
        conf = self.chains[chain]
        bw_hz = heard.modulation.bw_hz
        if not conf.enable or not self.radios[conf.rf_chain].enable or heard.modulation.sf < 7:
            return False
        if not modems & (SERVICE_MODEM if chain == SERVICE_CHAIN else MULTI_MODEM):
            return False
        if BANDWIDTH_OF.get(conf.bandwidth) != bw_hz or not conf.datarate & sf_bit(heard.modulation.sf):
            return False
        # [assumption] a frame up to a quarter of its bandwidth beside the channel is still received
        return abs(heard.freq_hz - self.centre_hz(chain)) * 4 <= bw_hz

    def record(self, chain: int, heard: Heard, count_us: int) -> RxRecord:
        """What the chip would say of a frame: RSSI in whole dB, SNR in quarters."""
        conf = self.chains[chain]
        offset = self.radios[conf.rf_chain].rssi_offset_db + (0 if chain == SERVICE_CHAIN else MULTI_BIAS_DB)
        raw = round(heard.rssi_dbm - offset) if math.isfinite(offset) else 0
        snr = min(max(round(heard.snr_db * 4), -128), 127) / 4
        return RxRecord(
            freq_hz=self.centre_hz(chain) & 0xFFFFFFFF,
            if_chain=chain,
            status=CRC_OK if heard.crc_ok else CRC_BAD,
            count_us=count_us,
            rf_chain=conf.rf_chain,
            modulation=MODULATION_LORA,
            bandwidth=BANDWIDTH_CODE[heard.modulation.bw_hz],
            datarate=sf_bit(heard.modulation.sf),
            coding_rate=int(heard.coding_rate),
            rssi_dbm=min(max(raw, 0), 255) + offset,
            snr_db=snr,
            snr_min_db=snr,
            snr_max_db=snr,
            crc=lora_payload_crc(heard.payload),
            payload=heard.payload,
        )

    def power_dbm(self, asked_dbm: int) -> int:
        """What the gain table gives: its last row not above what is asked, else its first."""
        fitting = [row.power_dbm for row in self.gains[1:] if row.power_dbm <= asked_dbm]
        return fitting[-1] if fitting else self.gains[0].power_dbm

    def why_refused(self, order: TxOrder) -> str:
        """Why the chip is not told to send this, or ""."""
        if order.rf_chain >= RADIOS:
            return f"RF chain {order.rf_chain} does not exist"
        radio = self.radios[order.rf_chain]
        if not radio.enable or not radio.tx_enable:
            return f"RF chain {order.rf_chain} is not enabled to send"
        if order.mode not in (0, 1, 2):
            return f"mode {order.mode}"
        if order.size > 255:
            return f"{order.size} bytes"
        if order.modulation == MODULATION_LORA:
            known = order.lora is not None and 1 <= order.coding_rate <= 4
            return (
                "" if known else f"bandwidth {order.bandwidth}, data rate {order.datarate}, coding {order.coding_rate}"
            )
        if order.modulation == MODULATION_FSK:
            known = order.datarate in _FSK_BIT_RATES and 1 <= order.deviation_khz <= 200
            return "" if known else f"{order.datarate} bit/s, deviation {order.deviation_khz} kHz"
        return f"modulation {order.modulation}"


def _settle_chain(index: int, conf: IfConf) -> IfConf | None:
    """An enabled chain with its defaults filled in, or None where it is refused."""
    width = _IF_WIDTH_HZ.get(conf.bandwidth, _REFERENCE_WIDTH_HZ)
    half = _RADIO_BANDWIDTH_HZ.get(conf.bandwidth, _RADIO_BANDWIDTH_NARROW_HZ) // 2
    if conf.rf_chain >= RADIOS or conf.if_hz + width // 2 > half or conf.if_hz - width // 2 < -half:
        return None
    if index < MULTI_CHAINS:
        conf = replace(conf, bandwidth=conf.bandwidth or 3, datarate=conf.datarate or ALL_SF)
        return conf if conf.bandwidth == 3 and not conf.datarate & ~ALL_SF else None
    if index == SERVICE_CHAIN:
        conf = replace(conf, bandwidth=conf.bandwidth or 2, datarate=conf.datarate or sf_bit(9))
        known = conf.bandwidth in BANDWIDTH_OF and conf.datarate in [sf_bit(sf) for sf in range(7, 13)]
        return conf if known else None
    assert index == FSK_CHAIN
    conf = replace(conf, bandwidth=conf.bandwidth or 2, datarate=conf.datarate or 64_000)
    return conf if 1 <= conf.bandwidth <= 7 and conf.datarate in _FSK_BIT_RATES else None


def preamble_symbols(order: TxOrder) -> int:
    """What the firmware makes of a LoRa order's preamble."""
    return max(order.preamble or _DEFAULT_PREAMBLE, _MIN_PREAMBLE)


def airtime_us(order: TxOrder) -> int:
    """How long an accepted order is on the air."""
    lora = order.lora
    if lora is not None:
        return lora_airtime_us(
            order.size,
            lora,
            coding_rate=CodingRate(order.coding_rate),
            preamble_symbols=preamble_symbols(order),
            explicit_header=not order.no_header,
            crc=not order.no_crc,
        )
    preamble = max(order.preamble or _DEFAULT_FSK_PREAMBLE, _MIN_FSK_PREAMBLE)
    octets = preamble + _FSK_SYNC_BYTES + 1 + order.size + (0 if order.no_crc else 2)
    return -(-octets * 8 * 1_000_000 // order.datarate)


def lora_payload_crc(payload: bytes) -> int:
    """The CRC-16 of a LoRa payload: polynomial 0x1021, start 0, over all but the last two bytes, XORed with those.

    Source: found with sx1302_hal 2.1.0, which checks it; the SX1308 is taken to use the same [assumption].
    """
    crc = 0
    for byte in payload[:-2]:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    tail = payload[-2:]
    return crc ^ int.from_bytes(tail, "big")
