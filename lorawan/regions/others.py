"""EU433, CN779, KR920, IN865 and RU864: dynamic plans, as tables.

Source: RP002-1.0.5 §3.7 and §3.11–3.13 by their transcription in pamoja-lora 0.2.0, without the SF5 and SF6 rates that
1.0.5 added; EU433 also Regional Parameters 1.0.3 revA §2.5.5–2.5.8 (pages 34, 35), RU864 §2.11.5–2.11.8 (pages 66, 68).
IN865: MaxEIRP 30 dBm and TXPower 0–10 as in LoRaMac-node@dcbcfb32 (RP002-1.0.5 says 29.2 dBm and 0–14, page 91). CN779
is no longer in RP002-1.0.5: LoRaMac-node@dcbcfb32. Duty cycles: 1 % in EU433 and CN779 as in LoRaMac-node@dcbcfb32
(RP002-1.0.5's EU433 allows 10 %), none in KR920 and IN865; RU864's bands as in SWL2001@9a14f677.
"""

from __future__ import annotations

from lorawan.phy.modulation import FskModulation
from lorawan.regions.region import Channel, ClassB, DataRate, Region, SubBand
from lorawan.regions.shared import EIGHT_RATES, EIGHT_RX1, JOIN_ACCEPT_DELAY1_US, RECEIVE_DELAY1_US

_JOIN_DRS = (0, 1, 2, 3, 4, 5)

EU433 = Region(
    name="EU433",
    band="EU433",
    fixed=False,
    default_channels=tuple(Channel(freq_hz, 0, 5) for freq_hz in (433_175_000, 433_375_000, 433_575_000)),
    max_channels=16,
    data_rates=EIGHT_RATES,
    rx1_dr_by_offset=EIGHT_RX1,
    rx2_freq_hz=434_665_000,
    rx2_dr=0,
    receive_delay1_us=RECEIVE_DELAY1_US,
    join_accept_delay1_us=JOIN_ACCEPT_DELAY1_US,
    max_eirp_dbm=12.15,
    max_tx_power_index=5,
    sub_bands=(SubBand("all", 433_050_000, 434_790_000, 100, 10.0),),
    low_hz=433_050_000,
    high_hz=434_790_000,
    default_max_dr=5,
    join_drs=_JOIN_DRS,
    class_b=ClassB(3, (434_665_000,), (434_665_000,)),
)

CN779 = Region(
    name="CN779",
    band="CN779-787",
    fixed=False,
    default_channels=tuple(Channel(freq_hz, 0, 5) for freq_hz in (779_500_000, 779_700_000, 779_900_000)),
    max_channels=16,
    data_rates=EIGHT_RATES,
    rx1_dr_by_offset=EIGHT_RX1,
    rx2_freq_hz=786_000_000,
    rx2_dr=0,
    receive_delay1_us=RECEIVE_DELAY1_US,
    join_accept_delay1_us=JOIN_ACCEPT_DELAY1_US,
    max_eirp_dbm=12.15,
    max_tx_power_index=5,
    sub_bands=(SubBand("all", 779_000_000, 787_000_000, 100, 10.0),),
    low_hz=779_000_000,
    high_hz=787_000_000,
    default_max_dr=5,
    join_drs=_JOIN_DRS,
    class_b=ClassB(3, (785_000_000,), (785_000_000,)),
)

KR920 = Region(
    name="KR920",
    band="KR920-923",
    fixed=False,
    default_channels=tuple(Channel(freq_hz, 0, 5) for freq_hz in (922_100_000, 922_300_000, 922_500_000)),
    max_channels=16,
    data_rates=EIGHT_RATES[:6],
    rx1_dr_by_offset=EIGHT_RX1[:6],
    rx2_freq_hz=921_900_000,
    rx2_dr=0,
    receive_delay1_us=RECEIVE_DELAY1_US,
    join_accept_delay1_us=JOIN_ACCEPT_DELAY1_US,
    max_eirp_dbm=14.0,
    max_tx_power_index=7,
    sub_bands=(  # below 922 MHz 10 dBm EIRP, Regional Parameters 1.0.3 revA §2.9.3 (page 55)
        SubBand("low", 920_900_000, 922_000_000, 1, 7.85),
        SubBand("high", 922_000_000, 923_400_000, 1, 11.85),
    ),
    low_hz=920_900_000,
    high_hz=923_300_000,
    default_max_dr=5,
    join_drs=_JOIN_DRS,
    class_b=ClassB(3, (923_100_000,), (923_100_000,)),
)

IN865 = Region(
    name="IN865",
    band="IN865-867",
    fixed=False,
    default_channels=tuple(Channel(freq_hz, 0, 5) for freq_hz in (865_062_500, 865_402_500, 865_985_000)),
    max_channels=16,
    data_rates=(*EIGHT_RATES[:6], DataRate(7, FskModulation(), 250, lower=5)),
    rx1_dr_by_offset=(
        (0, 0, 0, 0, 0, 0, 1, 2),
        (1, 0, 0, 0, 0, 0, 2, 3),
        (2, 1, 0, 0, 0, 0, 3, 4),
        (3, 2, 1, 0, 0, 0, 4, 5),
        (4, 3, 2, 1, 0, 0, 5, 5),
        (5, 4, 3, 2, 1, 0, 5, 7),
        (),  # DR6 is RFU
        (7, 5, 5, 4, 3, 2, 7, 7),
    ),
    rx2_freq_hz=866_550_000,
    rx2_dr=2,
    receive_delay1_us=RECEIVE_DELAY1_US,
    join_accept_delay1_us=JOIN_ACCEPT_DELAY1_US,
    max_eirp_dbm=30.0,
    max_tx_power_index=10,
    sub_bands=(SubBand("all", 865_000_000, 867_000_000, 1, 27.85),),
    low_hz=865_000_000,
    high_hz=867_000_000,
    default_max_dr=5,
    join_drs=_JOIN_DRS,
    class_b=ClassB(4, (866_550_000,), (866_550_000,)),
)

RU864 = Region(
    name="RU864",
    band="RU864-870",
    fixed=False,
    default_channels=(Channel(868_900_000, 0, 5), Channel(869_100_000, 0, 5)),
    max_channels=16,
    data_rates=EIGHT_RATES,
    rx1_dr_by_offset=EIGHT_RX1,
    rx2_freq_hz=869_100_000,
    rx2_dr=0,
    receive_delay1_us=RECEIVE_DELAY1_US,
    join_accept_delay1_us=JOIN_ACCEPT_DELAY1_US,
    max_eirp_dbm=16.0,
    max_tx_power_index=7,
    sub_bands=(
        SubBand("864-865", 864_000_000, 865_000_001, 1000, 13.85),
        SubBand("866-868", 866_000_000, 868_000_001, 100, 13.85),
        SubBand("868.7-869.2", 868_700_000, 869_200_001, 100, 13.85),
    ),
    low_hz=864_000_000,
    high_hz=870_000_000,
    default_max_dr=5,
    join_drs=_JOIN_DRS,
    class_b=ClassB(3, (869_100_000,), (868_900_000,)),
)
