"""Which channel and data rate a JoinRequest takes.

Source: TS001-1.0.4 §6.2.5 (random hopping over the join channels); for plans with 500 kHz channels TR007-1.1 §4.2 (page
12): one random channel of each block of eight, then one of the 500 kHz channels, and no channel twice until all 72 were
used.
"""

from __future__ import annotations

from dataclasses import dataclass

from lorawan.draws import Draws
from lorawan.regions.region import Channel, ClassB, Region


@dataclass(frozen=True, slots=True)
class JoinPlace:
    """A channel for a JoinRequest: its index, the channel, the data rate, and where RX1 and RX2 are."""

    index: int
    channel: Channel
    dr: int
    rx1_freq_hz: int
    rx2_freq_hz: int
    class_b: ClassB


_PASS = 9  # eight blocks of 125 kHz channels and one 500 kHz channel
_CYCLE = 8 * _PASS


def join_places(region: Region, number: int, dr: int, draws: Draws) -> tuple[JoinPlace, ...]:
    """The channels that request `number` (of all requests ever made, from 0) may take; the caller draws one of them.

    dr: the data rate of a plan in which it is free (`Region.join_drs`); where each channel has its own, it is passed
    over and there is exactly one channel.
    """
    if region.has_blocks:
        cycle, step = divmod(number, _CYCLE)
        turn, block = divmod(step, _PASS)
        wide = block == 8
        index = 64 + turn if wide else 8 * block + _shuffled_eight(draws.at("join_block", cycle, block))[turn]
        return (join_place(region, index, region.join_drs[1] if wide else region.join_drs[0]),)
    indices = [join.index for join in region.join_channels] or range(len(region.default_channels))
    return tuple(join_place(region, index, dr) for index in indices)


def join_place(region: Region, index: int, dr: int) -> JoinPlace:
    """The join channel with this index, as device and network both know it."""
    channel = region.default_channels[index]
    special = next((join for join in region.join_channels if join.index == index), None)
    return JoinPlace(
        index,
        channel,
        dr,
        rx1_freq_hz=(special.rx1_freq_hz if special else 0) or channel.downlink_freq_hz,
        rx2_freq_hz=(special.rx2_freq_hz if special else 0) or region.rx2_freq_hz,
        class_b=(special.class_b if special else None) or region.class_b,
    )


def _shuffled_eight(draws: Draws) -> list[int]:
    order = list(range(8))
    for last in range(7, 0, -1):
        other = draws.integer(last + 1, last)
        order[last], order[other] = order[other], order[last]
    return order
