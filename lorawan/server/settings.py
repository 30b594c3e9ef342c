"""What a session is set up with."""

from __future__ import annotations

from dataclasses import dataclass, field

from lorawan.crypto import SessionKeys
from lorawan.errors import MisuseError
from lorawan.ids import DevAddr
from lorawan.operating_class import OperatingClass
from lorawan.ping_slots import DEFAULT_PERIODICITY
from lorawan.regions import Region
from lorawan.server.adr import AdrAlgorithm, AdrPolicy
from lorawan.server.picture import LinkSettings, Picture
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class Operation:
    """How a network runs its devices, all alike.

    adr: None never asks for anything and clears the ADR bit. dev_status_period_us: how often a device is asked for its
    battery, None for never. gps_at_origin_us: GPS time at instant 0, µs since 6 January 1980; None: no GPS time here.
    relaxed_f_cnt: take a counter that starts anew for a device that was reset. The specification has this for devices
    by personalisation of 1.0.2 and 1.0.3 alone (1.0.3 §4.3.1.5); a frame of its past is then taken too.
    """

    adr: AdrAlgorithm | None = field(default_factory=AdrPolicy)
    dev_status_period_us: int | None = None
    gps_at_origin_us: int | None = None
    relaxed_f_cnt: bool = False


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """A session as it starts. version: the device's; is_1_1: the session has the 1.1 form.

    over_the_air: it began with a join, not by personalisation. picture, link: what the device has at its start.
    operating_class: C for a device that is always of class C by contract (before 1.1 it cannot say so); class B is told
    by uplinks. periodicity: of its ping slots until it tells. Raises MisuseError for class B, and where relaxed
    counters are not allowed.
    """

    version: Version
    region: Region
    dev_addr: DevAddr
    keys: SessionKeys
    is_1_1: bool
    over_the_air: bool
    picture: Picture
    link: LinkSettings | None = None
    operation: Operation = field(default_factory=Operation)
    operating_class: OperatingClass = OperatingClass.A
    periodicity: int = DEFAULT_PERIODICITY

    def __post_init__(self) -> None:
        if self.operating_class is OperatingClass.B:
            raise MisuseError("a session begins in class A or C: uplinks tell class B")
        if self.operation.relaxed_f_cnt and (self.over_the_air or not self.version.rules.abp_counters_may_reset):
            how = "over the air" if self.over_the_air else "by personalisation"
            raise MisuseError(f"relaxed counters for a device of {self.version} {how}: it never resets its counters")
