"""What a session is made with at the network."""

from __future__ import annotations

from dataclasses import dataclass, field

from lorawan.crypto import SessionKeys
from lorawan.errors import MisuseError
from lorawan.ids import DevAddr
from lorawan.operating_class import OperatingClass
from lorawan.ping_slots import DEFAULT_PERIODICITY
from lorawan.regions import Region
from lorawan.server.adr import AdrPolicy
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class Windows:
    """What the device's receive windows are set to. An ABP device is made with its region's defaults."""

    rx1_delay_us: int
    rx1_dr_offset: int
    rx2_dr: int

    @classmethod
    def defaults(cls, region: Region) -> Windows:
        """The region's defaults."""
        return cls(region.receive_delay1_us, 0, region.rx2_dr)


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """A session as it starts. ch_mask: the channels the device has after its accept (or as an ABP device is made).

    operating_class: C for a device that is always of class C by contract (before 1.1 it cannot say so); class B is told
    by uplinks. periodicity: of its ping slots until it tells. gps_at_origin_us: GPS time at instant 0, None if unknown;
    class B and time requests need it.
    """

    version: Version
    region: Region
    dev_addr: DevAddr
    keys: SessionKeys
    is_1_1: bool
    ch_mask: int
    windows: Windows
    adr: AdrPolicy = field(default_factory=AdrPolicy)
    operating_class: OperatingClass = OperatingClass.A
    periodicity: int = DEFAULT_PERIODICITY
    gps_at_origin_us: int | None = None

    def __post_init__(self) -> None:
        if self.operating_class is OperatingClass.B:
            raise MisuseError("a session begins in class A or C: uplinks tell class B")
