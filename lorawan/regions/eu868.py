"""EU863-870.

Source: RP002-1.0.4 §2.4 (channels, data rates, RX1 offsets, TXPower, delays), LR-FHSS rates RP002-1.0.3 §2.4.3;
sub-bands and duty cycles ERC Recommendation 70-03 annex 1 and ETSI EN 300 220-2 V3.2.1 annex B.
"""

from __future__ import annotations

from lorawan.phy.modulation import LrFhssCodingRate, LrFhssModulation
from lorawan.regions.region import Channel, ClassB, DataRate, Region, SubBand
from lorawan.regions.shared import EIGHT_RATES, EIGHT_RX1, JOIN_ACCEPT_DELAY1_US, RECEIVE_DELAY1_US

_THIRD, _TWO_THIRDS = LrFhssCodingRate.CR_1_3, LrFhssCodingRate.CR_2_3

EU868 = Region(
    name="EU868",
    band="EU863-870",
    fixed=False,
    default_channels=(Channel(868_100_000, 0, 5), Channel(868_300_000, 0, 5), Channel(868_500_000, 0, 5)),
    max_channels=16,
    data_rates=(
        *EIGHT_RATES,
        DataRate(8, LrFhssModulation(137_000, _THIRD), 58, lower=0, downlink=False),
        DataRate(9, LrFhssModulation(137_000, _TWO_THIRDS), 123, lower=8, downlink=False),
        DataRate(10, LrFhssModulation(336_000, _THIRD), 58, lower=0, downlink=False),
        DataRate(11, LrFhssModulation(336_000, _TWO_THIRDS), 123, lower=10, downlink=False),
    ),
    rx1_dr_by_offset=(
        *EIGHT_RX1,
        (1, 0, 0, 0, 0, 0),
        (2, 1, 0, 0, 0, 0),
        (1, 0, 0, 0, 0, 0),
        (2, 1, 0, 0, 0, 0),
    ),
    rx2_freq_hz=869_525_000,
    rx2_dr=0,
    receive_delay1_us=RECEIVE_DELAY1_US,
    join_accept_delay1_us=JOIN_ACCEPT_DELAY1_US,
    max_eirp_dbm=16.0,
    max_tx_power_index=7,
    sub_bands=(
        SubBand("863-865", 863_000_000, 865_000_000, 1000, 14.0),
        SubBand("g", 865_000_000, 868_000_000, 100, 14.0),
        SubBand("g1", 868_000_000, 868_600_000, 100, 14.0),
        SubBand("g2", 868_700_000, 869_200_000, 1000, 14.0),
        SubBand("g3", 869_400_000, 869_650_000, 10, 27.0),
        SubBand("g4", 869_700_000, 870_000_000, 100, 14.0),
    ),
    low_hz=863_000_000,
    high_hz=870_000_000,
    default_max_dr=5,
    join_drs=(0, 1, 2, 3, 4, 5),
    class_b=ClassB(3, (869_525_000,), (869_525_000,)),
)
