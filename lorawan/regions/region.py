"""The shape of a regional plan: frozen tables, and the look-ups in them that need nothing but the table.

What a device's own plan is at some moment (its channels, its mask, its dwell time) is `lorawan.regions.channel_plan`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from lorawan.phy.modulation import LoraModulation, Modulation

FHDR_AND_F_PORT_BYTES = 8  # what M counts beside an application payload: FHDR without FOpts 7, FPort 1 (N = M - 8)
REPEATER_MAC_PAYLOAD_BYTES = (
    230  # the largest M behind a repeater; every "repeater compatible" table of RP002 is so cut
)
DWELL_LIMIT_US = 400_000  # UplinkDwellTime and DownlinkDwellTime 1: 400 ms, TS001-1.0.4 §5.8
MAX_EIRP_DBM = (8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36)
"""TXParamSetupReq MaxEIRP by index. Source: TS001-1.0.4 §5.8 (maximum EIRP encoding)."""

BEACON_PERIOD_S = 128  # TS001-1.0.4, class B (clause from memory)


@dataclass(frozen=True, slots=True)
class DataRate:
    """One row of a data-rate table.

    max_mac_payload_bytes: M without repeater. dwell_mac_payload_bytes: M under the 400 ms uplink dwell time, 0 where
    the table says N/A, None where it makes no difference. lower: the next data rate of the back-off, None at the
    lowest.
    """

    index: int
    modulation: Modulation
    max_mac_payload_bytes: int
    lower: int | None = None
    dwell_mac_payload_bytes: int | None = None
    uplink: bool = True
    downlink: bool = True

    @property
    def max_app_payload_bytes(self) -> int:
        """N without repeater."""
        return max(0, self.max_mac_payload_bytes - FHDR_AND_F_PORT_BYTES)

    def mac_payload_bytes(self, *, dwell: bool = False, repeater: bool = False) -> int:
        """M under these limits; 0 where no frame fits."""
        limited = dwell and self.dwell_mac_payload_bytes is not None
        found = self.dwell_mac_payload_bytes if limited else self.max_mac_payload_bytes
        return min(found or 0, REPEATER_MAC_PAYLOAD_BYTES if repeater else 255)

    @property
    def is_lora(self) -> bool:
        """Whether this rate is LoRa, the only modulation that cores send and receive."""
        return isinstance(self.modulation, LoraModulation)


@dataclass(frozen=True, slots=True)
class SubBand:
    """A regulatory sub-band: [low, high) in Hz, duty cycle as 1/duty_divisor (1: none), largest ERP in dBm."""

    name: str
    low_hz: int
    high_hz: int
    duty_divisor: int
    max_erp_dbm: float


@dataclass(frozen=True, slots=True)
class Channel:
    """An uplink channel: its frequency, the RX1 frequency (0: the same) and its data-rate range."""

    freq_hz: int
    min_dr: int
    max_dr: int
    rx1_freq_hz: int = 0

    @property
    def downlink_freq_hz(self) -> int:
        """Where RX1 listens."""
        return self.rx1_freq_hz or self.freq_hz

    def carries(self, dr: int) -> bool:
        """Whether the channel's range has the data rate."""
        return self.min_dr <= dr <= self.max_dr


class MaskKind(Enum):
    """What a ChMaskCntl value does with ChMask."""

    GROUP = "ChMask is 16 channels"
    ALL_DEFINED = "every defined channel on"
    ALL_OFF = "every channel off"
    BLOCKS = "each bit is eight 125 kHz channels and the 500 kHz channel of the same number"
    NARROW_ON = "every 125 kHz channel on, ChMask is the 500 kHz channels"
    NARROW_OFF = "every 125 kHz channel off, ChMask is the 500 kHz channels"


class MaskControl(NamedTuple):
    """The meaning of one ChMaskCntl value; group counts 16 channels each."""

    kind: MaskKind
    group: int = 0


MaskControls = tuple[MaskControl | None, ...]  # by ChMaskCntl; None: RFU

DYNAMIC_MASKS: MaskControls = (
    MaskControl(MaskKind.GROUP, 0),
    *(None,) * 5,
    MaskControl(MaskKind.ALL_DEFINED),
    None,
)
"""ChMaskCntl of every dynamic plan. Source: Regional Parameters 1.0.3 revA §2.5.5, table 30, and §2.11.5, table 80."""


@dataclass(frozen=True, slots=True)
class ClassB:
    """Beacon and ping slots: frequencies in Hz, and the data rate of the beacon, of ping slots too until changed.

    Several frequencies: the channel changes each beacon period. Source: RP002-1.0.4 page 28 (PING_SLOT_DATARATE).
    """

    beacon_dr: int
    beacon_freqs_hz: tuple[int, ...]
    ping_slot_freqs_hz: tuple[int, ...]

    def beacon_freq_hz(self, beacon_time_s: int) -> int:
        """Of the beacon whose Time field is beacon_time_s. Source: Regional Parameters 1.0.3 revA §2.3.8."""
        return self.beacon_freqs_hz[beacon_time_s // BEACON_PERIOD_S % len(self.beacon_freqs_hz)]

    def ping_slot_freq_hz(self, dev_addr: int, beacon_time_s: int) -> int:
        """Of a device's (or group's) ping slots after that beacon. Source: LoRaWAN 1.1 §16.2."""
        return self.ping_slot_freqs_hz[(dev_addr + beacon_time_s // BEACON_PERIOD_S) % len(self.ping_slot_freqs_hz)]


@dataclass(frozen=True, slots=True)
class JoinChannel:
    """A channel that may carry a JoinRequest, by its index in the plan, and the windows of its accept where special.

    rx1_freq_hz 0: as RX1 of any uplink there. rx2_freq_hz 0: the region's; otherwise RX2 stays there after the join.
    class_b: beacon and ping slots after joining there, None for the region's.
    """

    index: int
    rx1_freq_hz: int = 0
    rx2_freq_hz: int = 0
    class_b: ClassB | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """A regional plan. Delays in µs, powers in dBm EIRP (conducted where the table says so).

    fixed: the channels are numbered in the table and only their mask changes; NewChannelReq and DlChannelReq are passed
    over and a CFList has type 1. rx1_dr_by_offset: [uplink DR][offset]; _dwell: the same under DownlinkDwellTime 1,
    empty where there is one table. join_drs: data rates a JoinRequest may have; of a fixed plan each channel takes the
    one it carries. has_tx_param_setup: TXParamSetupReq is implemented. uplink_dwell: whether the 400 ms limit holds
    from the start.
    """

    name: str
    band: str
    fixed: bool
    default_channels: tuple[Channel, ...]
    max_channels: int
    data_rates: tuple[DataRate, ...]
    rx1_dr_by_offset: tuple[tuple[int, ...], ...]
    rx2_freq_hz: int
    rx2_dr: int
    receive_delay1_us: int
    join_accept_delay1_us: int
    max_eirp_dbm: float
    max_tx_power_index: int
    sub_bands: tuple[SubBand, ...]
    low_hz: int
    high_hz: int
    default_max_dr: int
    join_drs: tuple[int, ...]
    class_b: ClassB
    mask_controls: MaskControls = DYNAMIC_MASKS
    rx1_dr_by_offset_dwell: tuple[tuple[int, ...], ...] = ()
    join_channels: tuple[JoinChannel, ...] = ()  # empty: all the default channels
    has_tx_param_setup: bool = False
    uplink_dwell: bool = False
    power_is_conducted: bool = False

    @property
    def default_ch_mask(self) -> int:
        """The mask of the default channels."""
        return (1 << len(self.default_channels)) - 1

    @property
    def min_dr(self) -> int:
        """The lowest data rate that carries a frame without dwell time."""
        return next(rate.index for rate in self.data_rates if rate.uplink and rate.max_mac_payload_bytes)

    @property
    def has_blocks(self) -> bool:
        """Whether the plan is blocks of eight 125 kHz channels with a 500 kHz channel each (US915, AU915)."""
        return MaskControl(MaskKind.BLOCKS) in self.mask_controls

    def find_data_rate(self, dr: int, *, uplink: bool | None = None) -> DataRate | None:
        """The row of a data rate in a direction (None: any), or None if it is RFU there."""
        for rate in self.data_rates:
            if rate.index == dr and (uplink is None or (rate.uplink if uplink else rate.downlink)):
                return rate
        return None

    def data_rate(self, dr: int) -> DataRate:
        """The row of a data rate. Raises ValueError for RFU."""
        found = self.find_data_rate(dr)
        if found is None:
            raise ValueError(f"DR{dr} is RFU in {self.name}")
        return found

    def modulation(self, dr: int) -> LoraModulation:
        """The LoRa modulation of a data rate. Raises ValueError where it is FSK, LR-FHSS or RFU.

        `data_rate(dr).modulation` is the modulation of any rate.
        """
        found = self.find_data_rate(dr)
        if found is None or not isinstance(found.modulation, LoraModulation):
            raise ValueError(f"DR{dr} is not a LoRa data rate of {self.name}")
        return found.modulation

    def is_lora(self, dr: int, *, uplink: bool | None = None) -> bool:
        """Whether a data-rate index is defined (in a direction, if one is given) and LoRa."""
        found = self.find_data_rate(dr, uplink=uplink)
        return found is not None and found.is_lora

    def dr_of(self, modulation: LoraModulation) -> int:
        """The data-rate index of an uplink's modulation. Raises ValueError."""
        for rate in self.data_rates:
            if rate.uplink and rate.modulation == modulation:
                return rate.index
        raise ValueError(f"{modulation} is not an uplink data rate of {self.name}")

    @property
    def max_rx1_dr_offset(self) -> int:
        """The largest RX1DROffset that is not RFU."""
        return len(self.rx1_dr_by_offset[0]) - 1

    def rx1_dr(self, uplink_dr: int, offset: int, *, downlink_dwell: bool = False) -> int:
        """The RX1 data rate. Raises ValueError for an RFU offset or data rate."""
        table = self.rx1_dr_by_offset_dwell if downlink_dwell and self.rx1_dr_by_offset_dwell else self.rx1_dr_by_offset
        if not (0 <= uplink_dr < len(table) and table[uplink_dr]):
            raise ValueError(f"DR{uplink_dr} is no uplink data rate of {self.name}")
        if not 0 <= offset < len(table[uplink_dr]):
            raise ValueError(f"RX1DROffset {offset} is RFU in {self.name}")
        return table[uplink_dr][offset]

    def sub_band(self, freq_hz: int) -> SubBand | None:
        """The sub-band of a frequency, or None in a gap where nobody may transmit."""
        for band in self.sub_bands:
            if band.low_hz <= freq_hz < band.high_hz:
                return band
        return None

    def tx_power_dbm(self, index: int) -> float:
        """Power of TXPower `index` under the region's own MaxEIRP: 2 dB less per step. Raises ValueError for RFU."""
        if not 0 <= index <= self.max_tx_power_index:
            raise ValueError(f"TXPower {index} is RFU in {self.name}")
        return self.max_eirp_dbm - 2.0 * index

    def frequency_ok(self, freq_hz: int) -> bool:
        """Whether a channel may be defined there: inside the band and in a sub-band."""
        return self.low_hz <= freq_hz <= self.high_hz and self.sub_band(freq_hz) is not None
