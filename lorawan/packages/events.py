"""What goes into and comes out of every package's cores, beside what each adds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from lorawan.machine import Instant
from lorawan.packages.commands import PackageCommand, encode_commands
from lorawan.units import US_PER_S

ROOM_BYTES: Final = 51  # N of the slowest EU868 data rate (RP002-1.0.4 §2.4.7): fits everywhere there


@dataclass(frozen=True, slots=True)
class PackageDownlink:
    """Event of a device: an application downlink on the package's FPort, in clear.

    mc_group_id: the multicast group it came for, None for the device's own address. room_bytes: how long an application
    payload may be in the next uplink.
    """

    payload: bytes
    mc_group_id: int | None = None
    room_bytes: int = ROOM_BYTES


@dataclass(frozen=True, slots=True)
class TimeKnown:
    """Event of a device: GPS time (µs) at instant 0; so GPS time is now + gps_origin_us from now on."""

    gps_origin_us: int


@dataclass(frozen=True, slots=True)
class PackageUplink:
    """Effect of a device: send these commands on the package's FPort.

    once: transmit it a single time (NbTrans 1) with the ADR bit off, and go back to the old settings after it.
    """

    commands: tuple[PackageCommand, ...]
    once: bool = False

    @property
    def payload(self) -> bytes:
        """As it goes into FRMPayload."""
        return encode_commands(self.commands)


@dataclass(frozen=True, slots=True)
class PackageUplinkHeard:
    """Event of a server: an application uplink on the package's FPort, in clear. gps_us: when it was received."""

    payload: bytes
    gps_us: int = 0


@dataclass(frozen=True, slots=True)
class SendDownlink:
    """Effect of a server: send this on the package's FPort. multicast: to the group that the server was told of."""

    payload: bytes
    multicast: bool = False


@dataclass(slots=True)
class DeviceClock:
    """A device's own idea of GPS time: off by what nobody has corrected yet, and so from 1980 on before the first."""

    gps_origin_us: int = field(default=0)

    def gps_s(self, now: Instant) -> int:
        """Whole seconds since the GPS epoch, modulo 2^32."""
        return (now + self.gps_origin_us) // US_PER_S % (1 << 32)

    def instant_of(self, gps_s: int, now: Instant) -> Instant:
        """When it is that GPS second (modulo 2^32): the one nearest to now, before or after."""
        ahead_s = (gps_s - self.gps_s(now) + (1 << 31)) % (1 << 32) - (1 << 31)
        second_us = (now + self.gps_origin_us) // US_PER_S * US_PER_S
        return second_us + ahead_s * US_PER_S - self.gps_origin_us


def uplinks_of(commands: Iterable[PackageCommand], room_bytes: int) -> list[PackageUplink]:
    """The commands in order, in as few uplinks as have room; one that is longer than the room goes alone."""
    uplinks: list[PackageUplink] = []
    together: list[PackageCommand] = []
    used = 0
    for command in commands:
        size = len(command.encode())
        if together and used + size > room_bytes:
            uplinks.append(PackageUplink(tuple(together)))
            together, used = [], 0
        together.append(command)
        used += size
    return [*uplinks, PackageUplink(tuple(together))] if together else uplinks
