"""What the network believes of a device: its receive windows, its channels and its link.

A picture is a value. It changes when the device answers, not when it is asked: until then the device may have missed
the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from lorawan import mac_commands as mac
from lorawan.regions import ChannelPlan, Region, join_place
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


@dataclass(frozen=True, slots=True)
class Openings:
    """Where and when a device listens after one uplink. rx1_freq_hz: None for the uplink's own frequency."""

    rx1_delay_us: int
    rx1_freq_hz: int | None
    rx1_dr: int
    rx2_freq_hz: int
    rx2_dr: int

    @classmethod
    def of_accept(cls, region: Region, dr: int, tx_ch: int | None) -> Self:
        """After a join or rejoin request at `dr`: the default settings, later. Source: LoRaWAN 1.1 §6.2.3.

        tx_ch: the request's channel in the region's plan; a rejoin request of type 2 may come on another.
        """
        delay_us, rx1_dr = region.join_accept_delay1_us, region.rx1_dr(dr, 0)
        if tx_ch is None or tx_ch >= len(region.default_channels):
            return cls(delay_us, None, rx1_dr, region.rx2_freq_hz, region.rx2_dr)
        place = join_place(region, tx_ch, dr)
        return cls(delay_us, place.rx1_freq_hz, rx1_dr, place.rx2_freq_hz, region.rx2_dr)


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
    plan: ChannelPlan
    adr_ack_limit: int = ADR_ACK_LIMIT

    @classmethod
    def of(cls, region: Region) -> Self:
        """As a device leaves the factory."""
        return cls(Windows.defaults(region), ChannelPlan.of(region))

    def openings(self, dr: int, tx_ch: int) -> Openings:
        """The receive windows after an uplink at `dr` on channel tx_ch."""
        windows, channels = self.windows, self.plan.channels
        channel = channels[tx_ch] if tx_ch < len(channels) else None
        return Openings(
            windows.rx1_delay_us,
            None if channel is None else channel.downlink_freq_hz,
            self.plan.rx1_dr(dr, windows.rx1_dr_offset),
            windows.rx2_freq_hz,
            windows.rx2_dr,
        )

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

    def after_new_channel(self, request: mac.NewChannelReq) -> Self:
        """A channel defined and on, or taken away. Source: LoRaWAN 1.0.4 §5.6."""
        plan, _, _ = self.plan.new_channel(request.ch_index, request.freq_hz, request.min_dr, request.max_dr)
        return replace(self, plan=plan)

    def after_dl_channel(self, request: mac.DlChannelReq) -> Self:
        """RX1 of a channel moved. Source: LoRaWAN 1.0.4 §5.6 (its second part)."""
        plan, _, _ = self.plan.dl_channel(request.ch_index, request.freq_hz)
        return replace(self, plan=plan)

    def after_tx_param_setup(self, request: mac.TxParamSetupReq) -> Self:
        """Dwell time and power limit. Source: LoRaWAN 1.0.4 §5.8."""
        plan = self.plan.with_tx_params(
            uplink_dwell=request.uplink_dwell,
            downlink_dwell=request.downlink_dwell,
            max_eirp_index=request.max_eirp_index,
        )
        return replace(self, plan=plan)

    def after_link_adr(self, block: Sequence[mac.LinkAdrReq]) -> Self:
        """The channel mask that a block leaves. Source: LoRaWAN 1.0.4 §5.2."""
        masked = self.plan.with_masks((request.ch_mask_cntl, request.ch_mask) for request in block)
        return self if masked is None else replace(self, plan=masked)

    def link_after(self, last: mac.LinkAdrReq, link: LinkSettings, rules: VersionRules) -> LinkSettings:
        """The link after a block whose last request is `last`, which was accepted; this picture is after it too."""
        keeps = rules.adr_index_15_keeps
        nb_trans = last.nb_trans or (link.nb_trans if rules.nb_trans_zero_keeps else 1)
        return LinkSettings(
            link.dr if keeps and last.data_rate == _KEEP else last.data_rate,
            link.tx_power_index if keeps and last.tx_power == _KEEP else last.tx_power,
            nb_trans,
            self.plan.ch_mask,
        )
