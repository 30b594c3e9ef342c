"""The one algorithm over the regional tables: what channels a device has, and what they allow.

A plan is a value: every change gives a new plan, so that a command that is refused half-way has changed nothing.

Source: TS001-1.0.4 §5.2 (LinkADRReq), §5.6 (NewChannelReq, DlChannelReq), §5.8 (TXParamSetupReq); RP002-1.0.5 §3.3
(CFList).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lorawan.regions.masks import apply_mask
from lorawan.regions.region import DWELL_LIMIT_US, FHDR_AND_F_PORT_BYTES, MAX_EIRP_DBM, Channel, DataRate, Region

DIPOLE_GAIN_DB = 2.15  # EIRP − ERP


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """The channels of one device (None: not defined), which are on, its dwell times and its largest EIRP in dBm."""

    region: Region
    channels: tuple[Channel | None, ...]
    ch_mask: int
    uplink_dwell: bool
    downlink_dwell: bool
    max_eirp_dbm: float

    @classmethod
    def of(cls, region: Region) -> ChannelPlan:
        """As a device leaves the factory, and as a join puts it back."""
        free = (None,) * (region.max_channels - len(region.default_channels))
        channels = (*region.default_channels, *free)
        return cls(region, channels, region.default_ch_mask, region.uplink_dwell, False, region.max_eirp_dbm)

    # -- channels ----------------------------------------------------------------------------------------------------

    @property
    def defined_mask(self) -> int:
        """The mask of every channel that is defined."""
        return sum(1 << i for i, channel in enumerate(self.channels) if channel is not None)

    def enabled(self) -> list[tuple[int, Channel]]:
        """Enabled channels, with their index."""
        return [(i, ch) for i, ch in enumerate(self.channels) if ch is not None and self.ch_mask >> i & 1]

    def usable(self, dr: int) -> list[tuple[int, Channel]]:
        """Enabled channels that may carry an uplink at a data rate; none if the rate is not the device's to use."""
        return [(i, ch) for i, ch in self.enabled() if ch.carries(dr)] if self._sendable(dr) else []

    def index_of(self, freq_hz: int, dr: int) -> int | None:
        """The defined channel with this frequency that has the data rate in its range; None if there is none."""
        for i, channel in enumerate(self.channels):
            if channel is not None and channel.freq_hz == freq_hz and channel.carries(dr):
                return i
        return None

    def with_masks(self, requests: Iterable[tuple[int, int]]) -> ChannelPlan | None:
        """After a block of LinkADRReqs, (ChMaskCntl, ChMask) each; None if an RFU value or the outcome refuses it.

        Refused: no channel left on, or one that is not defined.
        """
        mask, defined = self.ch_mask, self.defined_mask
        for ch_mask_cntl, ch_mask in requests:
            changed = apply_mask(self.region, mask, defined, ch_mask_cntl, ch_mask)
            if changed is None:
                return None
            mask = changed
        return None if not mask or mask & ~defined else replace(self, ch_mask=mask)

    @property
    def defaults_enabled(self) -> bool:
        """Whether every default channel is on."""
        return self.ch_mask & self.region.default_ch_mask == self.region.default_ch_mask

    def with_defaults_enabled(self) -> ChannelPlan:
        """The last step of the ADR back-off: the default channels on, beside those that are."""
        return replace(self, ch_mask=self.ch_mask | self.region.default_ch_mask)

    def new_channel(self, index: int, freq_hz: int, min_dr: int, max_dr: int) -> tuple[ChannelPlan, bool, bool]:
        """NewChannelReq of a dynamic plan: the plan after it, and whether data-rate range and frequency were accepted.

        freq_hz 0 takes the channel away. Default channels cannot be changed. The last channel that is on cannot go: the
        defaults come back, for a device without channels could never be reached again.
        """
        changeable = len(self.region.default_channels) <= index < self.region.max_channels
        freq_ok = changeable and (freq_hz == 0 or self.region.frequency_ok(freq_hz))
        in_table = self.region.is_lora(min_dr, uplink=True) and self.region.is_lora(max_dr, uplink=True)
        range_ok = changeable and min_dr <= max_dr and in_table
        if not (freq_ok and range_ok):
            return self, range_ok, freq_ok
        if freq_hz:
            channel, mask = Channel(freq_hz, min_dr, max_dr), self.ch_mask | 1 << index
        else:
            channel, mask = None, self.ch_mask & ~(1 << index) or self.region.default_ch_mask
        return replace(self, channels=self._with(index, channel), ch_mask=mask), True, True

    def dl_channel(self, index: int, freq_hz: int) -> tuple[ChannelPlan, bool, bool]:
        """DlChannelReq of a dynamic plan: the plan after it, and whether uplink channel and frequency were accepted."""
        channel = self.channels[index] if index < len(self.channels) else None
        freq_ok = self.region.frequency_ok(freq_hz)
        if channel is None or not freq_ok:
            return self, channel is not None, freq_ok
        moved = replace(channel, rx1_freq_hz=freq_hz)
        return replace(self, channels=self._with(index, moved)), True, True

    def _with(self, index: int, channel: Channel | None) -> tuple[Channel | None, ...]:
        return (*self.channels[:index], channel, *self.channels[index + 1 :])

    def with_frequencies(self, freqs_hz: Sequence[int]) -> ChannelPlan:
        """CFList type 0 of a dynamic plan: channels after the default ones, DR0–5, on; bad ones are passed over."""
        plan, first = self, len(self.region.default_channels)
        for index, freq_hz in enumerate(freqs_hz, first):
            if freq_hz and self.region.frequency_ok(freq_hz):
                channel = Channel(freq_hz, 0, self.region.default_max_dr)
                plan = replace(plan, channels=plan._with(index, channel), ch_mask=plan.ch_mask | 1 << index)
        return plan

    def with_ch_masks(self, ch_masks: Sequence[int]) -> ChannelPlan:
        """CFList type 1 of a fixed plan: 16 channels by each mask. A list that leaves none on is passed over."""
        mask = sum(bits << 16 * group for group, bits in enumerate(ch_masks)) & self.defined_mask
        return replace(self, ch_mask=mask) if mask else self

    # -- data rates --------------------------------------------------------------------------------------------------

    def _rates(self) -> list[DataRate]:
        """LoRa uplink rates in which a frame fits at all, from the lowest."""
        rates = [rate for rate in self.region.data_rates if rate.uplink and rate.is_lora]
        return [rate for rate in rates if rate.mac_payload_bytes(dwell=self.uplink_dwell)]

    def _sendable(self, dr: int) -> bool:
        return any(rate.index == dr for rate in self._rates())

    @property
    def min_dr(self) -> int:
        """The lowest data rate the device may send at: higher under dwell time."""
        return self._rates()[0].index

    def answerable(self, dr: int, rx1_dr_offset: int) -> bool:
        """Whether RX1 after an uplink at `dr` has a data rate that the device can hear. Source: RP002-1.0.5 §3.10.7."""
        if rx1_dr_offset > self.region.max_rx1_dr_offset or self.region.find_data_rate(dr, uplink=True) is None:
            return False
        return self.region.is_lora(self.rx1_dr(dr, rx1_dr_offset), uplink=False)

    def next_lower_dr(self, dr: int) -> int | None:
        """The data rate of the next back-off step that an enabled channel carries; None where there is none."""
        lower = self.region.data_rate(dr).lower
        while lower is not None and not self.usable(lower):
            lower = self.region.data_rate(lower).lower
        return lower

    def nearest_dr(self, dr: int, rx1_dr_offset: int = 0) -> int:
        """`dr` if the plan can use it, else the next usable one below it, else the next above it, else the lowest."""
        drs = [rate.index for rate in self._rates() if self.usable(rate.index)]
        good = [found for found in drs if self.answerable(found, rx1_dr_offset)]
        below = [found for found in good if found <= dr]
        return max(below) if below else min(good, default=self.min_dr)

    def rx1_dr(self, dr: int, rx1_dr_offset: int) -> int:
        """The RX1 data rate after an uplink at `dr`. Raises ValueError for RFU."""
        return self.region.rx1_dr(dr, rx1_dr_offset, downlink_dwell=self.downlink_dwell)

    def max_mac_payload_bytes(self, dr: int) -> int:
        """M of an uplink at `dr` under the device's dwell time, 0 where none fits. Raises ValueError for RFU."""
        return self.region.data_rate(dr).mac_payload_bytes(dwell=self.uplink_dwell)

    def max_app_payload_bytes(self, dr: int) -> int:
        """N likewise."""
        return max(0, self.max_mac_payload_bytes(dr) - FHDR_AND_F_PORT_BYTES)

    # -- limits ------------------------------------------------------------------------------------------------------

    def with_tx_params(self, *, uplink_dwell: bool, downlink_dwell: bool, max_eirp_index: int) -> ChannelPlan:
        """TXParamSetupReq, where the region has it. The region's MaxEIRP is all the device can (assumption)."""
        eirp_dbm = min(float(MAX_EIRP_DBM[max_eirp_index]), self.region.max_eirp_dbm)
        return replace(self, uplink_dwell=uplink_dwell, downlink_dwell=downlink_dwell, max_eirp_dbm=eirp_dbm)

    def dwell_ok(self, dr: int, airtime_us: int) -> bool:
        """Whether a frame may be that long on the air: 400 ms under dwell time, at 125 kHz in US915 (47 CFR 15.247)."""
        narrow = self.region.modulation(dr).bw_hz <= 125_000 or self.region.has_tx_param_setup
        return not (self.uplink_dwell and narrow) or airtime_us <= DWELL_LIMIT_US

    def power_dbm(self, tx_power_index: int, freq_hz: int) -> float:
        """Power of a TXPower index at a frequency: 2 dB per step under MaxEIRP, and what the sub-band allows.

        Conducted where the region counts so. Raises ValueError for an RFU index.
        """
        lowered_db = self.region.max_eirp_dbm - self.region.tx_power_dbm(tx_power_index)
        band = self.region.sub_band(freq_hz)
        most_dbm = band.max_erp_dbm + DIPOLE_GAIN_DB if band is not None else self.max_eirp_dbm
        return min(self.max_eirp_dbm - lowered_db, most_dbm)
