"""What a network knows of a device's class, and when and where it can reach the device between uplinks.

Source: TS001-1.0.4 §9.3.1, §11 and §15; LoRaWAN 1.1 §13.2, §16 and §17.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from lorawan.ids import DevAddr
from lorawan.machine import Instant
from lorawan.operating_class import OperatingClass
from lorawan.ping_slots import DEFAULT_PERIODICITY, beacon_time_s, next_ping_slot, period_start_us
from lorawan.regions import Region
from lorawan.server.memory import ClassMemory
from lorawan.units import US_PER_S

PING_LEAD_US = US_PER_S  # a ping slot's frame is handed to the gateway this long before it [assumption]
CLASS_A_MARGIN_US = US_PER_S  # nothing else is sent to a device until so long after RX2 began [assumption]


class Channel(NamedTuple):
    """Where a downlink goes."""

    freq_hz: int
    dr: int


@dataclass(slots=True)
class ClassLink:
    """Mutable, part of one session. Frequencies 0, data rate None: the region's.

    held_until: before then the device listens in its class A windows. answer_by: until then a confirmed class B or C
    downlink may be acknowledged, None if none is waited for.
    """

    operating_class: OperatingClass = OperatingClass.A
    periodicity: int = DEFAULT_PERIODICITY
    ping_slot_freq_hz: int = 0
    ping_slot_dr: int | None = None
    beacon_freq_hz: int = 0
    held_until: Instant = 0
    answer_by: Instant | None = None

    @property
    def memory(self) -> ClassMemory:
        """What of it outlives a restart of the network."""
        where = (self.periodicity, self.ping_slot_freq_hz, self.ping_slot_dr, self.beacon_freq_hz)
        return ClassMemory(self.operating_class, *where)


def link_of(kept: ClassMemory) -> ClassLink:
    """What was known before the restart."""
    where = (kept.periodicity, kept.ping_slot_freq_hz, kept.ping_slot_dr, kept.beacon_freq_hz)
    return ClassLink(kept.operating_class, *where)


def slot_after(dev_addr: DevAddr, periodicity: int, gps_at_origin_us: int, after: Instant) -> Instant:
    """The start of the first ping slot that begins at or after an instant, on the network's clock."""
    return next_ping_slot(dev_addr, periodicity, gps_at_origin_us + after) - gps_at_origin_us


def slot_channel(region: Region, dev_addr: DevAddr, slot_gps_us: int, freq_hz: int, data_rate: int | None) -> Channel:
    """Where the ping slot of an address is that begins at this GPS time."""
    planned_hz = region.class_b.ping_slot_freq_hz(int(dev_addr), beacon_time_s(period_start_us(slot_gps_us)))
    return Channel(freq_hz or planned_hz, region.class_b.beacon_dr if data_rate is None else data_rate)
