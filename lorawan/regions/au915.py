"""AU915-928, a fixed plan with dwell time.

Source: RP002-1.0.5 §3.8 (tables 39–46) by its transcription in pamoja-lora 0.2.0, without the SF5 and SF6 rates that
1.0.5 added; back-off and payloads under dwell time as in SWL2001@9a14f677 (RP002-1.0.3). Join data rates: TR007-1.1
§4.2 (page 12). UplinkDwellTime is on until the network says otherwise, as in LoRaMac-node@dcbcfb32.
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

AU915 = Region(
    name="AU915",
    band="AU915-928",
    fixed=True,
    default_channels=narrow_and_wide_channels(915_200_000, 5, 915_900_000, 6),
    max_channels=72,
    data_rates=(
        DataRate(0, LoraModulation(12), 59, dwell_mac_payload_bytes=0, downlink=False),
        DataRate(1, LoraModulation(11), 59, lower=0, dwell_mac_payload_bytes=0, downlink=False),
        DataRate(2, LoraModulation(10), 59, lower=1, dwell_mac_payload_bytes=19, downlink=False),
        DataRate(3, LoraModulation(9), 123, lower=2, dwell_mac_payload_bytes=61, downlink=False),
        DataRate(4, LoraModulation(8), 250, lower=3, dwell_mac_payload_bytes=133, downlink=False),
        DataRate(5, LoraModulation(7), 250, lower=4, downlink=False),
        DataRate(6, LoraModulation(8, 500_000), 250, lower=5, downlink=False),
        DataRate(7, LrFhssModulation(1_523_000, LrFhssCodingRate.CR_1_3), 58, lower=0, downlink=False),
        *WIDE_DOWNLINK_RATES,
    ),
    rx1_dr_by_offset=(
        (8, 8, 8, 8, 8, 8),
        (9, 8, 8, 8, 8, 8),
        (10, 9, 8, 8, 8, 8),
        (11, 10, 9, 8, 8, 8),
        (12, 11, 10, 9, 8, 8),
        (13, 12, 11, 10, 9, 8),
        (13, 13, 12, 11, 10, 9),
        (9, 8, 8, 8, 8, 8),
    ),
    rx2_freq_hz=923_300_000,
    rx2_dr=8,
    receive_delay1_us=RECEIVE_DELAY1_US,
    join_accept_delay1_us=JOIN_ACCEPT_DELAY1_US,
    max_eirp_dbm=30.0,
    max_tx_power_index=14,
    sub_bands=(SubBand("915-928", 915_000_000, 928_000_000, 1, 27.85),),  # 30 dBm EIRP
    low_hz=915_000_000,
    high_hz=928_000_000,
    default_max_dr=5,
    join_drs=(2, 6),
    class_b=ClassB(8, WIDE_DOWNLINKS_HZ, WIDE_DOWNLINKS_HZ),
    mask_controls=BLOCK_MASKS,
    has_tx_param_setup=True,
    uplink_dwell=True,
)
