"""CN470-510: four fixed plans, for 20 MHz antennas (A, B) and 26 MHz antennas (A, B), as tables.

Source: RP002-1.0.5 §3.9 (tables 49–58) by its transcription in pamoja-lora 0.2.0; beacon channels and the join windows
as in SWL2001@9a14f677 (RP002-1.0.3). A device joins on the join channels of the plan it is made for (assumption: the
documents let it try the channels of all four and take the plan that answers); DR0 carries nothing and is left out of
join and channel ranges, as in LoRaMac-node@dcbcfb32. The class B channels of an ABP device are those of the first join
channel (assumption).
"""

from __future__ import annotations

from lorawan.phy.modulation import FskModulation, LoraModulation
from lorawan.regions.region import (
    Channel,
    ClassB,
    DataRate,
    JoinChannel,
    MaskControl,
    MaskControls,
    MaskKind,
    Region,
    SubBand,
)
from lorawan.regions.shared import JOIN_ACCEPT_DELAY1_US, RECEIVE_DELAY1_US

_STEP_HZ = 200_000
_BEACON_DR = 2

_MASKS_20: MaskControls = (
    *(MaskControl(MaskKind.GROUP, group) for group in range(4)),
    None,
    None,
    MaskControl(MaskKind.ALL_DEFINED),
    MaskControl(MaskKind.ALL_OFF),
)
_MASKS_26: MaskControls = (
    *(MaskControl(MaskKind.GROUP, group) for group in range(3)),
    MaskControl(MaskKind.ALL_DEFINED),
    MaskControl(MaskKind.ALL_OFF),
    None,
    None,
    None,
)


def _run(first_hz: int, count: int) -> tuple[int, ...]:
    return tuple(first_hz + _STEP_HZ * k for k in range(count))


def _cn470(
    name: str,
    up_hz: tuple[int, ...],
    down_hz: tuple[int, ...],
    rx2_freq_hz: int,
    masks: MaskControls,
    join_channels: tuple[JoinChannel, ...],
    class_b: ClassB,
) -> Region:
    return Region(
        name=name,
        band="CN470-510",
        fixed=True,
        default_channels=tuple(Channel(freq_hz, 1, 5, down_hz[i % len(down_hz)]) for i, freq_hz in enumerate(up_hz)),
        max_channels=len(up_hz),
        data_rates=(
            DataRate(0, LoraModulation(12), 0),
            DataRate(1, LoraModulation(11), 31),
            DataRate(2, LoraModulation(10), 94, lower=1),
            DataRate(3, LoraModulation(9), 192, lower=2),
            DataRate(4, LoraModulation(8), 250, lower=3),
            DataRate(5, LoraModulation(7), 250, lower=4),
            DataRate(6, LoraModulation(7, 500_000), 250, lower=5),
            DataRate(7, FskModulation(), 250, lower=6),
        ),
        rx1_dr_by_offset=(
            (0, 0, 0, 0, 0, 0),
            (1, 1, 1, 1, 1, 1),
            (2, 1, 1, 1, 1, 1),
            (3, 2, 1, 1, 1, 1),
            (4, 3, 2, 1, 1, 1),
            (5, 4, 3, 2, 1, 1),
            (6, 5, 4, 3, 2, 1),
            (7, 6, 5, 4, 3, 2),
        ),
        rx2_freq_hz=rx2_freq_hz,
        rx2_dr=1,
        receive_delay1_us=RECEIVE_DELAY1_US,
        join_accept_delay1_us=JOIN_ACCEPT_DELAY1_US,
        max_eirp_dbm=19.0,
        max_tx_power_index=7,
        sub_bands=(SubBand("all", 470_000_000, 510_000_000, 1, 16.85),),
        low_hz=470_000_000,
        high_hz=510_000_000,
        default_max_dr=5,
        join_drs=(1, 2, 3, 4, 5),
        class_b=class_b,
        mask_controls=masks,
        join_channels=join_channels,
    )


def _hopping(down_hz: tuple[int, ...], first: int) -> ClassB:
    return ClassB(_BEACON_DR, down_hz[first : first + 8], down_hz[first : first + 8])


_DOWN_20A_HZ = (*_run(483_900_000, 32), *_run(490_300_000, 32))
_BOTH_20B_HZ = (*_run(476_900_000, 32), *_run(496_900_000, 32))

CN470_20A = _cn470(
    "CN470-20A",
    (*_run(470_300_000, 32), *_run(503_500_000, 32)),
    _DOWN_20A_HZ,
    486_900_000,
    _MASKS_20,
    # a join channel in the middle of every block of eight; its RX2 is four channels above its RX1
    tuple(
        JoinChannel(3 + 8 * k, rx2_freq_hz=_DOWN_20A_HZ[7 + 8 * k], class_b=_hopping(_DOWN_20A_HZ, 8 * k))
        for k in range(8)
    ),
    _hopping(_DOWN_20A_HZ, 0),
)

CN470_20B = _cn470(
    "CN470-20B",
    _BOTH_20B_HZ,
    _BOTH_20B_HZ,
    498_300_000,
    _MASKS_20,
    tuple(
        JoinChannel(
            15 + 32 * half,
            rx2_freq_hz=_BOTH_20B_HZ[7 + 32 * half],
            class_b=ClassB(_BEACON_DR, (_BOTH_20B_HZ[23 + 32 * half],), _BOTH_20B_HZ[32 * half : 32 * half + 32]),
        )
        for half in range(2)
    ),
    ClassB(_BEACON_DR, (_BOTH_20B_HZ[23],), _BOTH_20B_HZ[:32]),
)

CN470_26A = _cn470(
    "CN470-26A",
    _run(470_300_000, 48),
    _run(490_100_000, 24),
    492_500_000,
    _MASKS_26,
    tuple(JoinChannel(10 * k, rx1_freq_hz=492_500_000) for k in range(5)),
    ClassB(_BEACON_DR, (494_900_000,), (494_900_000,)),
)

CN470_26B = _cn470(
    "CN470-26B",
    _run(480_300_000, 48),
    _run(500_100_000, 24),
    502_500_000,
    _MASKS_26,
    tuple(JoinChannel(10 * k, rx1_freq_hz=502_500_000) for k in range(5)),
    ClassB(_BEACON_DR, (504_900_000,), (504_900_000,)),
)
