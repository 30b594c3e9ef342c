"""What a device keeps for classes B and C and for multicast, beside its class A state."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from lorawan.device.beacon_clock import BeaconClock
from lorawan.ids import DevAddr
from lorawan.machine import Instant
from lorawan.multicast import MulticastGroup
from lorawan.operating_class import OperatingClass
from lorawan.phy import Listen


class Stage(Enum):
    """How far a device is on its way to class B."""

    ASKING = auto()  # the network is asked for the time, or told the periodicity
    SEARCHING = auto()  # a window is open for the first beacon
    LOCKED = auto()  # class B


@dataclass(frozen=True, slots=True)
class PlannedPing:
    """The next ping window, and the slots (start by GPS, of each address) that it serves or that give way to it."""

    listen: Listen
    passed: tuple[tuple[DevAddr, int], ...]


@dataclass(slots=True)
class Beaconed:
    """Class B, from the wish for it to its end. Instants are the device's own.

    asked: uplinks that asked in vain. beacon: the window for the next beacon, which begins at GPS time
    period_start_us (None where that is not known). searched: windows in which no first beacon came. cursor: the GPS
    time from which an address's next ping slot counts. opened: the latest ping windows.
    """

    periodicity: int
    stage: Stage = Stage.ASKING
    asked: int = 0
    searched: int = 0
    beacon: Listen | None = None
    beacon_open: bool = False
    period_start_us: int | None = None
    last_beacon_at: Instant = 0
    received: int = 0
    missed: int = 0
    cursor: dict[DevAddr, int] = field(default_factory=dict)
    f_pending: set[DevAddr] = field(default_factory=set)
    ping: PlannedPing | None = None
    opened: tuple[Listen, ...] = ()


@dataclass(slots=True)
class Subscription:
    """A multicast group that the device listens to. last_f_cnt: the last counter accepted."""

    group: MulticastGroup
    last_f_cnt: int | None = None


@dataclass(slots=True)
class ClassState:
    """Mutable, part of one core's state.

    tx_starts, tx_ends, windows: of the last transmission. rxc: class C's window while it is open. speak_at: from then
    on an uplink is wanted, even an empty one. answer_by: when the acknowledgement of a class B or C downlink comes too
    late.
    """

    operating_class: OperatingClass = OperatingClass.A
    wanted: OperatingClass | None = None  # announced by a DeviceModeInd that has yet to be transmitted
    groups: dict[DevAddr, Subscription] = field(default_factory=dict)
    class_b: Beaconed | None = None
    clock: BeaconClock | None = None
    windows: tuple[Listen, ...] = ()
    tx_starts: Instant = 0
    tx_ends: Instant = 0
    rxc: Listen | None = None
    speak_at: Instant | None = None
    empty_wanted: bool = False
    answer_by: Instant | None = None


@dataclass(slots=True)
class ClassBSettings:
    """What the network and the device have agreed on in a session. Frequencies 0, data rate None: the region's.

    periodicity: that the network has acknowledged, None for the default one that it assumes; asked: that it was last
    told. beacon_due: earliest and latest start of the next beacon by BeaconTimingAns.
    """

    ping_slot_freq_hz: int = 0
    ping_slot_dr: int | None = None
    beacon_freq_hz: int = 0
    periodicity: int | None = None
    asked: int | None = None
    beacon_due: tuple[Instant, Instant] | None = None
