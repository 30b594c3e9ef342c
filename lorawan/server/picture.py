"""What the network believes of a device: its receive windows, its channels and its link.

A picture is a value. It changes when the device answers, not when it is asked: until then the device may have missed
the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from lorawan import mac_commands as mac
from lorawan.frames.cf_list import parse_cf_list
from lorawan.regions import Channel, Region
from lorawan.units import US_PER_S
from lorawan.version import VersionRules

ADR_ACK_LIMIT = 64  # RP002-1.0.4 §2.4 (recommended default values)
_KEEP = 15  # LinkADRReq: DataRate or TXPower that leaves things as they are (LoRaWAN 1.0.4 §5.2, 1.1 §5.3)


@dataclass(frozen=True, slots=True)
class Windows:
    """What a device's receive windows are set to: RX1 after rx1_delay_us (µs), RX2 a second later at rx2_freq_hz."""

    rx1_delay_us: int
    rx1_dr_offset: int
    rx2_dr: int
    rx2_freq_hz: int

    @classmethod
    def defaults(cls, region: Region) -> Self:
        """The region's defaults."""
        return cls(region.receive_delay1_us, 0, region.rx2_dr, region.rx2_freq_hz)

    @classmethod
    def of_accept(cls, region: Region) -> Self:
        """The windows in which a join accept is awaited."""
        return cls(region.join_accept_delay1_us, 0, region.rx2_dr, region.rx2_freq_hz)


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Data rate, TXPower index, transmissions per uplink and channel mask of a device."""

    dr: int
    tx_power_index: int
    nb_trans: int
    ch_mask: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A device's windows and channels as its network knows them. adr_ack_limit: uplinks (1.1 can change it)."""

    windows: Windows
    channels: tuple[Channel | None, ...]
    ch_mask: int
    adr_ack_limit: int = ADR_ACK_LIMIT

    @classmethod
    def of(cls, region: Region) -> Self:
        """As a device leaves the factory."""
        free = (None,) * (region.max_channels - len(region.default_channels))
        return cls(Windows.defaults(region), (*region.default_channels, *free), region.default_ch_mask)

    def with_cf_list(self, region: Region, cf_list: bytes) -> Self:
        """With the channels that an accept's CFList of type 0 adds; b"" adds none. Source: RP002-1.0.4 §2.4.4."""
        picture = self
        for index, freq_hz in enumerate(parse_cf_list(cf_list) if cf_list else (), len(region.default_channels)):
            if freq_hz and region.frequency_ok(freq_hz):
                picture = picture._with_channel(index, Channel(freq_hz, 0, region.default_max_dr))
        return picture

    def _with_channel(self, index: int, channel: Channel | None) -> Self:
        channels = (*self.channels[:index], channel, *self.channels[index + 1 :])
        mask = self.ch_mask & ~(1 << index) if channel is None else self.ch_mask | 1 << index
        return replace(self, channels=channels, ch_mask=mask)

    def index_of(self, freq_hz: int, dr: int) -> int | None:
        """The channel of an uplink, None where the device is not known to have it."""
        for index, channel in enumerate(self.channels):
            if channel is not None and channel.freq_hz == freq_hz and channel.min_dr <= dr <= channel.max_dr:
                return index
        return None

    def rx1_freq_hz(self, tx_ch: int) -> int | None:
        """Where RX1 of an uplink on channel tx_ch is; None where that channel is not known."""
        channel = self.channels[tx_ch] if tx_ch < len(self.channels) else None
        return None if channel is None else channel.downlink_freq_hz

    # -- what accepted requests change ---------------------------------------------------------------------------------

    def after_rx_param_setup(self, request: mac.RxParamSetupReq) -> Self:
        """RX1DROffset and RX2. Source: LoRaWAN 1.0.4 §5.4."""
        windows = replace(
            self.windows,
            rx1_dr_offset=request.rx1_dr_offset,
            rx2_dr=request.rx2_dr,
            rx2_freq_hz=request.freq_hz,
        )
        return replace(self, windows=windows)

    def after_rx_timing_setup(self, request: mac.RxTimingSetupReq) -> Self:
        """The delay of RX1; 0 means 1 s. Source: LoRaWAN 1.0.4 §5.7."""
        return replace(self, windows=replace(self.windows, rx1_delay_us=max(1, request.delay_s) * US_PER_S))

    def after_new_channel(self, request: mac.NewChannelReq, region: Region) -> Self:
        """A channel defined and on, or taken away; the default channels come back with the last one's going.

        Source: LoRaWAN 1.0.4 §5.6.
        """
        channel = Channel(request.freq_hz, request.min_dr, request.max_dr) if request.freq_hz else None
        picture = self._with_channel(request.ch_index, channel)
        return picture if picture.ch_mask else replace(picture, ch_mask=region.default_ch_mask)

    def after_dl_channel(self, request: mac.DlChannelReq) -> Self:
        """RX1 of a channel moved. Source: LoRaWAN 1.0.4 §5.6 (its second part)."""
        channel = self.channels[request.ch_index]
        if channel is None:
            return self
        moved = replace(channel, rx1_freq_hz=request.freq_hz)
        channels = (*self.channels[: request.ch_index], moved, *self.channels[request.ch_index + 1 :])
        return replace(self, channels=channels)

    def after_link_adr(self, block: Sequence[mac.LinkAdrReq]) -> Self:
        """The channel mask that a block leaves. Source: LoRaWAN 1.0.4 §5.2, RP002-1.0.4 §2.4.5 (ChMaskCntl)."""
        mask = self.ch_mask
        for request in block:
            if request.ch_mask_cntl == 0:
                mask = request.ch_mask
            elif request.ch_mask_cntl == 6:
                mask = sum(1 << index for index, channel in enumerate(self.channels) if channel is not None)
        return replace(self, ch_mask=mask)

    def link_after(self, last: mac.LinkAdrReq, link: LinkSettings, rules: VersionRules) -> LinkSettings:
        """The link after a block whose last request is `last`, which was accepted; this picture is after it too."""
        keeps = rules.adr_index_15_keeps
        nb_trans = last.nb_trans or (1 if rules.nb_trans_zero_is_default else link.nb_trans)
        return LinkSettings(
            link.dr if keeps and last.data_rate == _KEEP else last.data_rate,
            link.tx_power_index if keeps and last.tx_power == _KEEP else last.tx_power,
            nb_trans,
            self.ch_mask,
        )
