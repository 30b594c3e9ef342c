"""How a packet forwarder is set up."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway_fw.forwarder.duty_cycle import SubBand
from gateway_fw.forwarder.filters import UplinkFilter
from gateway_fw.forwarder.spool import SpoolConfig
from gateway_fw.gwmp.gateway import KEEPALIVE_US
from lorawan.ids import Eui64
from lorawan.units import US_PER_S

STAT_INTERVAL_US = 30 * US_PER_S  # lora_pkt_fwd.c DEFAULT_STAT

EU868_POWERS_DBM = tuple(range(12, 28))  # sx1302_hal 2.1.0 global_conf.json.sx1250.EU868, tx_gain_lut


@dataclass(frozen=True, slots=True)
class TxChain:
    """One RF chain's transmitter: its frequency range, inclusive, and its table of conducted powers in whole dBm.

    Default: sx1302_hal 2.1.0 global_conf.json.sx1250.EU868.
    """

    min_freq_hz: int = 863_000_000
    max_freq_hz: int = 870_000_000
    powers_dbm: tuple[int, ...] = EU868_POWERS_DBM
    enabled: bool = True

    def __post_init__(self) -> None:
        if self.enabled and not self.powers_dbm:
            raise ValueError("a transmitter needs at least one power")

    def power_for(self, wanted_dbm: float) -> int:
        """The highest power of the table that is not above the one wanted, or the lowest there is."""
        return max((power for power in self.powers_dbm if power <= wanted_dbm), default=min(self.powers_dbm))


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """What a gateway keeps with one server. alive_for_us: an acknowledgement that is younger shows that it is there."""

    keepalive_us: int = KEEPALIVE_US
    version: int = 2
    first_token: int = 0

    @property
    def alive_for_us(self) -> int:
        """Two keepalives and a half: one acknowledgement may be lost."""
        return 5 * self.keepalive_us // 2


@dataclass(frozen=True, slots=True)
class BeaconConfig:
    """A class B beacon. period_s: GPS seconds, a divisor of a day. frequencies: freq_hz + k · step_hz, k < count.

    Default: EU868, RP002-1.0.4 §2.4.10 (869.525 MHz, DR3); the power of sx1302_hal 2.1.0's samples.
    """

    period_s: int = 128
    freq_hz: int = 869_525_000
    freq_count: int = 1
    freq_step_hz: int = 0
    spreading_factor: int = 9
    bandwidth_hz: int = 125_000
    power_dbm: float = 14.0
    info_desc: int = 0

    def __post_init__(self) -> None:
        if not 6 <= self.period_s <= 86_400 or (86_400 % self.period_s and self.period_s != 128):
            raise ValueError(f"a beacon every {self.period_s} s: 128 s, or a divisor of a day from 6 s on")
        if self.spreading_factor not in (8, 9, 10, 12):
            raise ValueError(f"no beacon is defined at SF{self.spreading_factor}: 8, 9, 10 or 12")
        if self.bandwidth_hz not in (125_000, 250_000, 500_000):
            raise ValueError(f"{self.bandwidth_hz} Hz: a bandwidth of 125000, 250000 or 500000 Hz")
        if self.freq_count < 1 or not 0 <= self.info_desc <= 255:
            raise ValueError("a beacon has at least one frequency, and an InfoDesc of one byte")


@dataclass(frozen=True, slots=True)
class ForwarderConfig:
    """A gateway as its owner sets it up.

    counter_offset_us: the concentrator's counter at instant 0. stat_interval_us: None for no status reports.
    tx_chains: by RF chain number. antenna_gain_dbi: taken from the power asked for. channels_hz: IF channels in order;
    a frame elsewhere reports channel 0. version: of the protocol, 1 or 2. origin_unix_us: UTC of instant 0, for
    status reports and GPS. gps: whether time and tmms are known without a `TimeReference`, as in a simulation.
    Location in degrees and metres, reported when known. links: one for each server; empty for one server with
    keepalive_us, version and first_token. spool: None keeps no uplink. duty_cycle: sub-bands that the transmitter
    keeps to; empty for no guard. beacon: None for none.
    """

    gateway_eui: Eui64
    counter_offset_us: int = 0
    keepalive_us: int = KEEPALIVE_US
    stat_interval_us: int | None = STAT_INTERVAL_US
    version: int = 2
    first_token: int = 0
    uplink_filter: UplinkFilter = field(default_factory=UplinkFilter)
    tx_chains: tuple[TxChain, ...] = (TxChain(),)
    antenna_gain_dbi: float = 0.0
    channels_hz: tuple[int, ...] = ()
    origin_unix_us: int = 0
    gps: bool = False
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    altitude_m: float | None = None
    links: tuple[LinkConfig, ...] = ()
    spool: SpoolConfig | None = None
    duty_cycle: tuple[SubBand, ...] = ()
    beacon: BeaconConfig | None = None

    @property
    def all_links(self) -> tuple[LinkConfig, ...]:
        """At least one."""
        return self.links or (LinkConfig(self.keepalive_us, self.version, self.first_token),)
