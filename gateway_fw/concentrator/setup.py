"""How a concentrator's radios are set up: what every host driver takes."""

from __future__ import annotations

from dataclasses import dataclass, field

from lorawan.phy.modulation import LoraModulation

IF_CHAINS = 8


@dataclass(frozen=True, slots=True)
class Radio:
    """One RF chain. freq_hz: its centre. rssi_offset_db: added to the chip's reading; rssi_temperature: coefficients
    a, b, c, d, e of a·T⁴ + b·T³ + c·T² + d·T + e, °C, in 1/65536 dB.

    Default: sx1302_hal 2.1.0 packet_forwarder/global_conf.json.sx1250.EU868, radio_0.
    """

    freq_hz: int
    rssi_offset_db: float = -215.4
    rssi_temperature: tuple[float, float, float, float, float] = (0.0, 0.0, 20.41, 2162.56, 0.0)
    tx_enabled: bool = False
    single_input: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """One multi-SF IF chain: its radio and its distance from the radio's centre."""

    rf_chain: int
    if_hz: int


@dataclass(frozen=True, slots=True)
class ServiceChannel:
    """The single-SF LoRa chain, explicit header."""

    rf_chain: int
    if_hz: int
    modulation: LoraModulation = field(default_factory=lambda: LoraModulation(7, 250_000))


@dataclass(frozen=True, slots=True)
class FskChannel:
    """The FSK chain. bandwidth_hz: 125 000, 250 000 or 500 000; bit_rate in bit/s."""

    rf_chain: int
    if_hz: int
    bit_rate: int = 50_000
    bandwidth_hz: int = 125_000


@dataclass(frozen=True, slots=True)
class TxGain:
    """One row of the transmit gain table. power_dbm: conducted. pa: external amplifier; power_index: 0 … 22 of the
    SX1250. dac and mix: of the SX1257 (picoGW); digital: both."""

    power_dbm: int
    pa: int
    power_index: int = 0
    digital: int = 0
    dac: int = 3
    mix: int = 15


EU868_TX_GAINS = tuple(
    TxGain(power_dbm, pa, power_index)
    for power_dbm, pa, power_index in (
        (12, 0, 15),
        (13, 0, 16),
        (14, 0, 17),
        (15, 0, 19),
        (16, 0, 20),
        (17, 0, 22),
        (18, 1, 1),
        (19, 1, 2),
        (20, 1, 3),
        (21, 1, 4),
        (22, 1, 5),
        (23, 1, 6),
        (24, 1, 7),
        (25, 1, 9),
        (26, 1, 11),
        (27, 1, 14),
    )
)
"""Source: sx1302_hal 2.1.0 packet_forwarder/global_conf.json.sx1250.EU868, tx_gain_lut."""


def _eu868_radios() -> tuple[Radio, ...]:
    return (Radio(867_500_000, tx_enabled=True), Radio(868_500_000))


def _eu868_channels() -> tuple[Channel | None, ...]:
    of_second = tuple(Channel(1, if_hz) for if_hz in (-400_000, -200_000, 0))
    of_first = tuple(Channel(0, if_hz) for if_hz in (-400_000, -200_000, 0, 200_000, 400_000))
    return of_second + of_first


@dataclass(frozen=True, slots=True)
class RadioSetup:
    """A concentrator as its owner sets it up.

    radios: by RF chain, one or two. channels: eight, None where unused. tx_gains: ascending power, up to 16 rows.
    public_network: sync word 0x34, else 0x12. clock_source: the radio that clocks the chip. full_duplex: CN490 boards.

    Default: the EU868 plan of sx1302_hal 2.1.0 packet_forwarder/global_conf.json.sx1250.EU868: 868.1, 868.3, 868.5,
    867.1 … 867.9 MHz, the service channel at 868.3 MHz SF7BW250 and FSK at 868.8 MHz.
    """

    radios: tuple[Radio, ...] = field(default_factory=_eu868_radios)
    channels: tuple[Channel | None, ...] = field(default_factory=_eu868_channels)
    service: ServiceChannel | None = field(default_factory=lambda: ServiceChannel(1, -200_000))
    fsk: FskChannel | None = field(default_factory=lambda: FskChannel(1, 300_000))
    tx_gains: tuple[TxGain, ...] = EU868_TX_GAINS
    public_network: bool = True
    clock_source: int = 0
    full_duplex: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.radios) <= 2:
            raise ValueError(f"{len(self.radios)} radios: a concentrator has one or two")
        if len(self.channels) != IF_CHAINS:
            raise ValueError(f"{len(self.channels)} channels: give all {IF_CHAINS}, None where unused")
        used = [*(c for c in self.channels if c is not None), *(c for c in (self.service, self.fsk) if c is not None)]
        for channel in used:
            if not 0 <= channel.rf_chain < len(self.radios):
                raise ValueError(f"a channel stands on radio {channel.rf_chain}, which is not set up")
        if not 0 < len(self.tx_gains) <= 16:
            raise ValueError(f"{len(self.tx_gains)} rows of transmit gain: 1 to 16")
        if not 0 <= self.clock_source < len(self.radios):
            raise ValueError(f"clock source {self.clock_source} is not one of the radios")

    def channel_hz(self, if_chain: int) -> int | None:
        """The centre of IF chain 0 … 7, 8 (service) or 9 (FSK), None where unused."""
        channel = self.channel(if_chain)
        return None if channel is None else self.radios[channel.rf_chain].freq_hz + channel.if_hz

    def channel(self, if_chain: int) -> Channel | ServiceChannel | FskChannel | None:
        """IF chain 0 … 7, 8 (service) or 9 (FSK)."""
        if 0 <= if_chain < IF_CHAINS:
            return self.channels[if_chain]
        return self.service if if_chain == IF_CHAINS else self.fsk if if_chain == IF_CHAINS + 1 else None

    def gain_for(self, power_dbm: float) -> TxGain:
        """The strongest row not above the power wanted, or the weakest there is."""
        fitting = [row for row in self.tx_gains if row.power_dbm <= power_dbm]
        return max(fitting or [min(self.tx_gains, key=_power)], key=_power)


def _power(row: TxGain) -> int:
    return row.power_dbm
