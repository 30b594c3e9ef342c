"""A gateway as its configuration file describes it, whatever the dialect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gateway_fw.concentrator.setup import RadioSetup, TxGain
from gateway_fw.forwarder.config import BeaconConfig, ForwarderConfig, LinkConfig, TxChain
from gateway_fw.forwarder.duty_cycle import EU868_SUB_BANDS
from gateway_fw.forwarder.filters import UplinkFilter
from gateway_fw.forwarder.spool import SpoolConfig
from lorawan.ids import Eui64
from lorawan.units import US_PER_S

Chip = Literal["SX1301", "SX1302"]
RadioType = Literal["SX1250", "SX1255", "SX1257"]
RADIO_TYPES: dict[Chip, tuple[RadioType, ...]] = {
    "SX1302": ("SX1250", "SX1257", "SX1255"),
    "SX1301": ("SX1257", "SX1255"),
}

DEFAULT_PORT = "/dev/ttyACM0"  # sx1302_hal 2.1.0 global_conf.json.sx1250.EU868.USB, com_path

SX1301_RSSI_OFFSET_DB = -166.0  # packet_forwarder 4.0.1 global_conf.json.PCB_E286.EU868.gps

SX1301_TX_GAINS = tuple(
    TxGain(power_dbm, pa, mix=mix)
    for power_dbm, pa, mix in (
        (-6, 0, 8),
        (-3, 0, 10),
        (0, 0, 12),
        (3, 1, 8),
        (6, 1, 10),
        (10, 1, 12),
        (11, 1, 13),
        (12, 2, 9),
        (13, 1, 15),
        (14, 2, 10),
        (16, 2, 11),
        (20, 3, 9),
    )
)
"""Source: packet_forwarder 4.0.1 lora_pkt_fwd/cfg/global_conf.json.PCB_E286.EU868.gps, tx_lut_0 … tx_lut_11."""


@dataclass(frozen=True, slots=True)
class Server:
    """A network server: name or address, and its ports."""

    host: str = "localhost"
    port_up: int = 1700
    port_down: int = 1700


@dataclass(frozen=True, slots=True)
class TxRange:
    """What an RF chain may transmit on, inclusive."""

    min_hz: int = 863_000_000
    max_hz: int = 870_000_000


def duty_cycle_for(radio: RadioSetup, ranges: tuple[TxRange, ...]) -> Literal["EU868", "off"]:
    """Where no file says it."""
    used = [tx for chain, tx in zip(radio.radios, ranges, strict=False) if chain.tx_enabled]
    return "EU868" if all(tx.min_hz >= 863_000_000 and tx.max_hz <= 870_000_000 for tx in used) else "off"


@dataclass(frozen=True, slots=True)
class LbtChannel:
    """Where to listen before talking, for how long, and for how long one may then talk."""

    freq_hz: int
    bandwidth_hz: int = 125_000
    scan_us: int = 128
    transmit_ms: int = 400


@dataclass(frozen=True, slots=True)
class Lbt:
    """Listen before talk of an SX1261 beside the concentrator."""

    rssi_target_dbm: int = -70
    rssi_offset_db: int = 0
    channels: tuple[LbtChannel, ...] = ()


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """One gateway. Defaults are those of the dialects' own programs where they have one.

    radio_type: of both radios; it decides which columns of the power table count. port: of the concentrator;
    connection: how the vendor's program reaches it. tx_ranges: by RF chain. gps_port: None for no receiver.
    latitude_deg to altitude_m: of the antenna, above sea level. beacon: None for none. duty_cycle: "EU868", or "off";
    spool: how much is kept. Both are lorabench's own and stand in its TOML dialect alone; without a
    word a gateway that transmits within 863–870 MHz keeps the duty cycle of EU868, another none.
    """

    gateway_eui: Eui64
    chip: Chip = "SX1302"
    radio_type: RadioType = "SX1250"
    radio: RadioSetup = field(default_factory=RadioSetup)
    tx_ranges: tuple[TxRange, ...] = (TxRange(), TxRange())
    port: str = DEFAULT_PORT
    connection: Literal["USB", "SPI"] = "USB"
    antenna_gain_dbi: float = 0.0
    servers: tuple[Server, ...] = (Server(),)
    keepalive_s: int = 10
    stat_interval_s: int = 30
    push_timeout_ms: int = 100
    forward_crc_valid: bool = True
    forward_crc_error: bool = False
    forward_crc_disabled: bool = False
    gps_port: str | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    altitude_m: int | None = None
    beacon: BeaconConfig | None = None
    lbt: Lbt | None = None
    spool: SpoolConfig = field(default_factory=SpoolConfig)
    duty_cycle: Literal["EU868", "off"] = "EU868"

    @property
    def channels_hz(self) -> tuple[int, ...]:
        """The multi-SF channels in use, by IF chain; 0 where one is unused."""
        return tuple(self.radio.channel_hz(chain) or 0 for chain in range(len(self.radio.channels)))

    def forwarder(self) -> ForwarderConfig:
        """What the forwarder's core needs of it."""
        powers = tuple(sorted({row.power_dbm for row in self.radio.tx_gains}))
        return ForwarderConfig(
            self.gateway_eui,
            stat_interval_us=self.stat_interval_s * US_PER_S or None,
            links=(LinkConfig(self.keepalive_s * US_PER_S),) * len(self.servers),
            uplink_filter=UplinkFilter(self.forward_crc_valid, self.forward_crc_error, self.forward_crc_disabled),
            tx_chains=tuple(
                TxChain(tx.min_hz, tx.max_hz, powers, radio.tx_enabled)
                for radio, tx in zip(self.radio.radios, self.tx_ranges, strict=False)
            ),
            antenna_gain_dbi=self.antenna_gain_dbi,
            channels_hz=self.channels_hz,
            latitude_deg=self.latitude_deg,
            longitude_deg=self.longitude_deg,
            altitude_m=self.altitude_m,
            beacon=self.beacon,
            spool=self.spool,
            duty_cycle=EU868_SUB_BANDS if self.duty_cycle == "EU868" else (),
        )
