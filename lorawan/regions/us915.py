"""US902-928, a fixed plan.

Source: RP002-1.0.5 §3.5 (tables 19–26) by its transcription in pamoja-lora 0.2.0, without the SF5 and SF6 rates that
1.0.5 added; payloads also as chirpstack's lrwn@d77207cd has them for RP002-1.0.4. Payloads and RX1 offsets of DR0–4,
RX2 and beacon: Regional Parameters 1.0.3 revA §2.3.6–2.3.8 (page 25). The 400 ms are 47 CFR 15.247's, for 125 kHz
channels; the payload table keeps them.
"""

from __future__ import annotations

from lorawan.phy.modulation import LoraModulation, LrFhssCodingRate, LrFhssModulation
from lorawan.regions.region import ClassB, DataRate, Region, SubBand
from lorawan.regions.shared import (
    BLOCK_MASKS,
    JOIN_ACCEPT_DELAY1_US,
    RECEIVE_DELAY1_US,
    WIDE_DOWNLINK_RATES,
    WIDE_DOWNLINKS_HZ,
    narrow_and_wide_channels,
)

US915 = Region(
    name="US915",
    band="US902-928",
    fixed=True,
    default_channels=narrow_and_wide_channels(902_300_000, 3, 903_000_000, 4),
    max_channels=72,
    data_rates=(
        DataRate(0, LoraModulation(10), 19, downlink=False),
        DataRate(1, LoraModulation(9), 61, lower=0, downlink=False),
        DataRate(2, LoraModulation(8), 133, lower=1, downlink=False),
        DataRate(3, LoraModulation(7), 250, lower=2, downlink=False),
        DataRate(4, LoraModulation(8, 500_000), 250, lower=3, downlink=False),
        DataRate(5, LrFhssModulation(1_523_000, LrFhssCodingRate.CR_1_3), 58, lower=0, downlink=False),
        DataRate(6, LrFhssModulation(1_523_000, LrFhssCodingRate.CR_2_3), 133, lower=5, downlink=False),
        *WIDE_DOWNLINK_RATES,
    ),
    rx1_dr_by_offset=(
        (10, 9, 8, 8),
        (11, 10, 9, 8),
        (12, 11, 10, 9),
        (13, 12, 11, 10),
        (13, 13, 12, 11),
        (10, 9, 8, 8),
        (11, 10, 9, 8),
    ),
    rx2_freq_hz=923_300_000,
    rx2_dr=8,
    receive_delay1_us=RECEIVE_DELAY1_US,
    join_accept_delay1_us=JOIN_ACCEPT_DELAY1_US,
    max_eirp_dbm=30.0,
    max_tx_power_index=14,
    sub_bands=(SubBand("902-928", 902_000_000, 928_000_000, 1, 33.85),),  # 30 dBm conducted and 6 dBi, 47 CFR 15.247(b)
    low_hz=902_000_000,
    high_hz=928_000_000,
    default_max_dr=3,
    join_drs=(0, 4),
    class_b=ClassB(8, WIDE_DOWNLINKS_HZ, WIDE_DOWNLINKS_HZ),
    mask_controls=BLOCK_MASKS,
    uplink_dwell=True,
    power_is_conducted=True,
)
