"""The shape of a regional plan and the questions a MAC asks of it."""

from __future__ import annotations

from dataclasses import dataclass

from lorawan.phy.modulation import LoraModulation


@dataclass(frozen=True, slots=True)
class DataRate:
    """One row of the data-rate table. max_mac_payload_bytes is M, max_app_payload_bytes is N (no repeater)."""

    index: int
    modulation: LoraModulation | None  # None: not LoRa (FSK, LR-FHSS)
    max_mac_payload_bytes: int
    max_app_payload_bytes: int


@dataclass(frozen=True, slots=True)
class SubBand:
    """A regulatory sub-band: [low, high) in Hz, duty cycle as 1/duty_divisor, largest ERP in dBm."""

    name: str
    low_hz: int
    high_hz: int
    duty_divisor: int
    max_erp_dbm: float


@dataclass(frozen=True, slots=True)
class Channel:
    """An uplink channel: its frequency, the RX1 frequency (the same unless moved) and its data-rate range."""

    freq_hz: int
    min_dr: int
    max_dr: int
    rx1_freq_hz: int = 0

    @property
    def downlink_freq_hz(self) -> int:
        """Where RX1 listens."""
        return self.rx1_freq_hz or self.freq_hz


@dataclass(frozen=True, slots=True)
class Region:
    """A dynamic-channel regional plan. Delays in µs, powers in dBm EIRP."""

    name: str
    default_channels: tuple[Channel, ...]
    max_channels: int
    data_rates: tuple[DataRate, ...]
    rx1_dr_by_offset: tuple[tuple[int, ...], ...]  # [uplink DR][offset]
    rx2_freq_hz: int
    rx2_dr: int
    receive_delay1_us: int
    join_accept_delay1_us: int
    max_eirp_dbm: float
    max_tx_power_index: int
    sub_bands: tuple[SubBand, ...]
    low_hz: int
    high_hz: int
    min_dr: int
    default_max_dr: int
    has_tx_param_setup: bool = False  # whether TXParamSetupReq is implemented there; else it is silently ignored

    @property
    def default_ch_mask(self) -> int:
        """The mask of the default channels."""
        return (1 << len(self.default_channels)) - 1

    def modulation(self, dr: int) -> LoraModulation:
        """The LoRa modulation of a data rate. Raises ValueError where it is not LoRa or not defined."""
        if not 0 <= dr < len(self.data_rates) or (found := self.data_rates[dr].modulation) is None:
            raise ValueError(f"DR{dr} is not a LoRa data rate of {self.name}")
        return found

    def is_lora(self, dr: int) -> bool:
        """Whether a data-rate index is defined and LoRa."""
        return 0 <= dr < len(self.data_rates) and self.data_rates[dr].modulation is not None

    def dr_of(self, modulation: LoraModulation) -> int:
        """The data-rate index of a modulation. Raises ValueError."""
        for rate in self.data_rates:
            if rate.modulation == modulation:
                return rate.index
        raise ValueError(f"{modulation} is not a data rate of {self.name}")

    def rx1_dr(self, uplink_dr: int, offset: int) -> int:
        """The RX1 data rate. Raises ValueError for an RFU offset."""
        row = self.rx1_dr_by_offset[uplink_dr]
        if not 0 <= offset < len(row):
            raise ValueError(f"RX1DROffset {offset} is RFU in {self.name}")
        return row[offset]

    def sub_band(self, freq_hz: int) -> SubBand | None:
        """The sub-band of a frequency, or None in a gap where nobody may transmit."""
        for band in self.sub_bands:
            if band.low_hz <= freq_hz < band.high_hz:
                return band
        return None

    def tx_power_eirp_dbm(self, index: int) -> float:
        """EIRP of TXPower `index`: MaxEIRP − 2 dB per step."""
        if not 0 <= index <= self.max_tx_power_index:
            raise ValueError(f"TXPower {index} is RFU in {self.name}")
        return self.max_eirp_dbm - 2.0 * index

    def frequency_ok(self, freq_hz: int) -> bool:
        """Whether a channel may be defined there: inside the band and in a sub-band."""
        return self.low_hz <= freq_hz <= self.high_hz and self.sub_band(freq_hz) is not None
