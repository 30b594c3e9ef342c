"""EU863-870.

Source: RP002-1.0.4 §2.4 (channels, data rates, RX1 offsets, TXPower, delays); sub-bands and duty cycles ERC
Recommendation 70-03 annex 1 and ETSI EN 300 220-2 V3.2.1 annex B.
"""

from __future__ import annotations

from lorawan.phy.modulation import LoraModulation
from lorawan.regions.plan import Channel, ClassB, DataRate, Region, SubBand
from lorawan.units import US_PER_S

EU868 = Region(
    name="EU868",
    default_channels=(Channel(868_100_000, 0, 5), Channel(868_300_000, 0, 5), Channel(868_500_000, 0, 5)),
    max_channels=16,
    data_rates=(
        DataRate(0, LoraModulation(12), 59, 51),
        DataRate(1, LoraModulation(11), 59, 51),
        DataRate(2, LoraModulation(10), 59, 51),
        DataRate(3, LoraModulation(9), 123, 115),
        DataRate(4, LoraModulation(8), 250, 242),
        DataRate(5, LoraModulation(7), 250, 242),
        DataRate(6, LoraModulation(7, 250_000), 250, 242),
        DataRate(7, None, 250, 242),  # FSK 50 kbit/s
        DataRate(8, None, 58, 50),  # LR-FHSS CR1/3, 137 kHz
        DataRate(9, None, 123, 115),
        DataRate(10, None, 58, 50),
        DataRate(11, None, 123, 115),
    ),
    rx1_dr_by_offset=(
        *(tuple(max(0, dr - offset) for offset in range(6)) for dr in range(8)),
        (1, 0, 0, 0, 0, 0),
        (2, 1, 0, 0, 0, 0),
        (1, 0, 0, 0, 0, 0),
        (2, 1, 0, 0, 0, 0),
    ),
    rx2_freq_hz=869_525_000,
    rx2_dr=0,
    receive_delay1_us=1 * US_PER_S,
    join_accept_delay1_us=5 * US_PER_S,
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
    min_dr=0,
    default_max_dr=5,
    class_b=ClassB(3, (869_525_000,), (869_525_000,)),
)
