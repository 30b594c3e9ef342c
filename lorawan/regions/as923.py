"""AS923-1 to AS923-4: one dynamic plan with dwell time at four frequency offsets.

Source: RP002-1.0.5 §3.10 (tables 65–75) by its transcription in pamoja-lora 0.2.0 and page 80 (table 73), without the
SF5 and SF6 rates that 1.0.5 added; offsets and band edges of the groups as in SWL2001@9a14f677 (RP002-1.0.3).
UplinkDwellTime is on until the network says otherwise, as in LoRaMac-node@dcbcfb32. The 1 % duty cycle is the default
channels'; that it holds in the whole band is an assumption.
"""

from __future__ import annotations

from lorawan.phy.modulation import FskModulation, LoraModulation
from lorawan.regions.region import Channel, ClassB, DataRate, Region, SubBand
from lorawan.regions.shared import JOIN_ACCEPT_DELAY1_US, RECEIVE_DELAY1_US


def _as923(group: int, offset_hz: int, low_hz: int, high_hz: int) -> Region:
    return Region(
        name=f"AS923-{group}",
        band="AS923",
        fixed=False,
        default_channels=(Channel(923_200_000 + offset_hz, 0, 5), Channel(923_400_000 + offset_hz, 0, 5)),
        max_channels=16,
        data_rates=(
            DataRate(0, LoraModulation(12), 59, dwell_mac_payload_bytes=0),
            DataRate(1, LoraModulation(11), 59, lower=0, dwell_mac_payload_bytes=0),
            DataRate(2, LoraModulation(10), 123, lower=1, dwell_mac_payload_bytes=19),
            DataRate(3, LoraModulation(9), 123, lower=2, dwell_mac_payload_bytes=61),
            DataRate(4, LoraModulation(8), 250, lower=3, dwell_mac_payload_bytes=133),
            DataRate(5, LoraModulation(7), 250, lower=4),
            DataRate(6, LoraModulation(7, 250_000), 250, lower=5),
            DataRate(7, FskModulation(), 250, lower=6),
        ),
        rx1_dr_by_offset=(
            (0, 0, 0, 0, 0, 0, 1, 2),
            (1, 0, 0, 0, 0, 0, 2, 3),
            (2, 1, 0, 0, 0, 0, 3, 4),
            (3, 2, 1, 0, 0, 0, 4, 5),
            (4, 3, 2, 1, 0, 0, 5, 6),
            (5, 4, 3, 2, 1, 0, 6, 7),
            (6, 5, 4, 3, 2, 1, 7, 7),
            (7, 6, 5, 4, 3, 2, 7, 7),
        ),
        rx1_dr_by_offset_dwell=(
            (2, 2, 2, 2, 2, 2, 2, 2),
            (2, 2, 2, 2, 2, 2, 2, 3),
            (2, 2, 2, 2, 2, 2, 3, 4),
            (3, 2, 2, 2, 2, 2, 4, 5),
            (4, 3, 2, 2, 2, 2, 5, 6),
            (5, 4, 3, 2, 2, 2, 6, 7),
            (6, 5, 4, 3, 2, 2, 7, 7),
            (7, 6, 5, 4, 3, 2, 7, 7),
        ),
        rx2_freq_hz=923_200_000 + offset_hz,
        rx2_dr=2,
        receive_delay1_us=RECEIVE_DELAY1_US,
        join_accept_delay1_us=JOIN_ACCEPT_DELAY1_US,
        max_eirp_dbm=16.0,
        max_tx_power_index=7,
        sub_bands=(SubBand("all", low_hz, high_hz, 100, 13.85),),
        low_hz=low_hz,
        high_hz=high_hz,
        default_max_dr=5,
        join_drs=(2, 3, 4, 5),
        class_b=ClassB(3, (923_400_000 + offset_hz,), (923_400_000 + offset_hz,)),
        has_tx_param_setup=True,
        uplink_dwell=True,
    )


AS923_1 = _as923(1, 0, 915_000_000, 928_000_000)
AS923_2 = _as923(2, -1_800_000, 920_000_000, 923_000_000)
AS923_3 = _as923(3, -6_600_000, 915_000_000, 921_000_000)
AS923_4 = _as923(4, -5_900_000, 917_000_000, 920_000_000)
