"""Rows that several regional tables have in common.

Source: RP002-1.0.5 §3.4–3.13 by its independent transcription in pamoja-lora 0.2.0, without the SF5 and SF6 rates that
1.0.5 added; Regional Parameters 1.0.3 revA §2.5.6–2.5.7 (pages 34 and 35) for payloads and RX1 offsets.
"""

from __future__ import annotations

from lorawan.phy.modulation import FskModulation, LoraModulation
from lorawan.regions.region import Channel, DataRate, MaskControl, MaskControls, MaskKind
from lorawan.units import US_PER_S

RECEIVE_DELAY1_US = 1 * US_PER_S  # RP002-1.0.5 §3.3 (page 29), recommended for all regions
JOIN_ACCEPT_DELAY1_US = 5 * US_PER_S

EIGHT_RATES = (
    DataRate(0, LoraModulation(12), 59),
    DataRate(1, LoraModulation(11), 59, lower=0),
    DataRate(2, LoraModulation(10), 59, lower=1),
    DataRate(3, LoraModulation(9), 123, lower=2),
    DataRate(4, LoraModulation(8), 250, lower=3),
    DataRate(5, LoraModulation(7), 250, lower=4),
    DataRate(6, LoraModulation(7, 250_000), 250, lower=5),
    DataRate(7, FskModulation(), 250, lower=6),
)
"""DR0–7 of EU868, EU433, CN779 and RU864; the first six are KR920's."""

EIGHT_RX1 = tuple(tuple(max(0, dr - offset) for offset in range(6)) for dr in range(8))
"""RX1 data rates of these: the uplink's less RX1DROffset, not below DR0."""

WIDE_DOWNLINK_RATES = (
    DataRate(8, LoraModulation(12, 500_000), 61, uplink=False),
    DataRate(9, LoraModulation(11, 500_000), 137, uplink=False),
    DataRate(10, LoraModulation(10, 500_000), 250, uplink=False),
    DataRate(11, LoraModulation(9, 500_000), 250, uplink=False),
    DataRate(12, LoraModulation(8, 500_000), 250, uplink=False),
    DataRate(13, LoraModulation(7, 500_000), 250, uplink=False),
)
"""DR8–13, the downlinks of US915 and AU915."""

WIDE_DOWNLINKS_HZ = tuple(923_300_000 + 600_000 * k for k in range(8))
"""The eight downlink channels of US915 and AU915, their beacon and ping-slot channels too."""

BLOCK_MASKS: MaskControls = (
    *(MaskControl(MaskKind.GROUP, group) for group in range(5)),
    MaskControl(MaskKind.BLOCKS),
    MaskControl(MaskKind.NARROW_ON),
    MaskControl(MaskKind.NARROW_OFF),
)
"""ChMaskCntl of US915 and AU915."""


def narrow_and_wide_channels(narrow_hz: int, narrow_max_dr: int, wide_hz: int, wide_dr: int) -> tuple[Channel, ...]:
    """72 uplink channels: 64 of 125 kHz every 200 kHz, eight of 500 kHz every 1.6 MHz. RX1: channel modulo 8."""
    narrow = [Channel(narrow_hz + 200_000 * k, 0, narrow_max_dr, WIDE_DOWNLINKS_HZ[k % 8]) for k in range(64)]
    wide = [Channel(wide_hz + 1_600_000 * k, wide_dr, wide_dr, WIDE_DOWNLINKS_HZ[k]) for k in range(8)]
    return (*narrow, *wide)
