"""Packages on a device: what its MAC receives goes to the package of that FPort, what they answer goes to its queue.

The one composition of a device core with packages. It takes the device core's effects in and gives the events that the
device core is to be handed, and passes every other effect of the packages on to whoever carries it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from lorawan.device.events import (
    Joined,
    Received,
    RequestLinkCheck,
    RequestTime,
    SendRequest,
    TimeReceived,
    Transmission,
)
from lorawan.machine import Dropped, Instant
from lorawan.packages.certification.commands import CERTIFICATION_F_PORT, CERTIFICATION_V1
from lorawan.packages.certification.device import (
    BeaconMissed,
    BeaconSeen,
    CertificationDevice,
    CertificationDeviceEffect,
    DownlinkSeen,
    MacRequest,
    SendMac,
)
from lorawan.packages.clock.commands import CLOCK_F_PORT
from lorawan.packages.clock.device import ClockCorrected, ClockDevice, ClockDeviceEffect, RequestClock
from lorawan.packages.events import ROOM_BYTES, PackageDownlink, PackageUplink, TimeKnown
from lorawan.packages.firmware.commands import FIRMWARE_F_PORT
from lorawan.packages.firmware.device import FirmwareDevice, FirmwareDeviceEffect, ImageStored, Rebooted
from lorawan.packages.fragmentation.commands import FRAGMENTATION_F_PORT
from lorawan.packages.fragmentation.device import FragmentationDevice, FragmentationDeviceEffect
from lorawan.packages.multicast.commands import MULTICAST_F_PORT
from lorawan.packages.multicast.device import EndSession, MulticastDevice, MulticastDeviceEffect
from lorawan.units import US_PER_S


@dataclass(frozen=True, slots=True)
class Packages:
    """The packages that a device has; None for one that it lacks."""

    clock: ClockDevice | None = None
    fragmentation: FragmentationDevice | None = None
    multicast: MulticastDevice | None = None
    firmware: FirmwareDevice | None = None
    certification: CertificationDevice | None = None


@dataclass(frozen=True, slots=True)
class MulticastReceived:
    """Event: a downlink that came for a multicast group."""

    mc_group_id: int
    received: Received


@dataclass(frozen=True, slots=True)
class AckReceived:
    """Event: an accepted downlink that carried nothing for the application; ack: it acknowledged an uplink."""

    ack: bool


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """Event: an application payload may have this many bytes in the next uplink."""

    room_bytes: int


@dataclass(frozen=True, slots=True)
class TransmitOnce:
    """Effect: the SendRequest after this is to be transmitted once, with the ADR bit off."""


HostEvent: TypeAlias = (
    Joined
    | Received
    | MulticastReceived
    | AckReceived
    | Transmission
    | TimeReceived
    | RoomChanged
    | RequestClock
    | EndSession
    | ImageStored
    | Rebooted
    | BeaconSeen
    | BeaconMissed
)
PackageEffect: TypeAlias = (
    ClockDeviceEffect
    | FragmentationDeviceEffect
    | MulticastDeviceEffect
    | FirmwareDeviceEffect
    | CertificationDeviceEffect
)
HostEffect: TypeAlias = SendRequest | RequestLinkCheck | RequestTime | TransmitOnce | PackageEffect

_MAC_REQUESTS: Final[dict[MacRequest, type[RequestLinkCheck | RequestTime]]] = {
    MacRequest.LINK_CHECK: RequestLinkCheck,
    MacRequest.DEVICE_TIME: RequestTime,
}


class PackageHost:
    """The packages of one device, behind one core."""

    def __init__(self, packages: Packages, *, room_bytes: int = ROOM_BYTES) -> None:
        self.packages = packages
        self._room_bytes = room_bytes
        self._uplink_ended: Instant | None = None

    @property
    def wake_at(self) -> Instant | None:
        """When the first of them wants to be woken."""
        times = (core.wake_at for _, core in self._cores())
        return min((at for at in times if at is not None), default=None)

    def wake(self, now: Instant) -> Sequence[HostEffect]:
        """Wake those whose time has come."""
        out: list[HostEffect] = []
        for f_port, core in self._cores():
            if core.wake_at is not None and core.wake_at <= now:
                out += self._carried(f_port, core.wake(now), now)
        return out

    def handle(self, event: HostEvent, now: Instant) -> Sequence[HostEffect]:
        """Take an effect of the device core, or a word of the application, in."""
        p = self.packages
        match event:
            case Received():
                return self._received(event, None, now)
            case MulticastReceived():
                return self._received(event.received, event.mc_group_id, now)
            case AckReceived():
                return self._seen(DownlinkSeen(None, ack=event.ack), now)
            case RoomChanged():
                self._room_bytes = event.room_bytes
            case Transmission():
                self._uplink_ended = event.transmit.at + event.transmit.airtime_us
            case TimeReceived() if self._uplink_ended is not None:
                # the network's time is that of the end of the uplink that asked (LoRaWAN 1.0.3 §5.9)
                gps_us = event.gps_seconds * US_PER_S + event.fraction_256 * US_PER_S // 256
                known = TimeKnown(gps_us - self._uplink_ended)
                told = self._carried(CLOCK_F_PORT, p.clock.handle(known, now), now) if p.clock is not None else []
                return [*told, *self._tell_time(known, now)]
            case Joined() if p.clock is not None:
                return self._carried(CLOCK_F_PORT, p.clock.handle(RequestClock(), now), now)
            case RequestClock() if p.clock is not None:
                return self._carried(CLOCK_F_PORT, p.clock.handle(event, now), now)
            case EndSession() if p.multicast is not None:
                return self._carried(MULTICAST_F_PORT, p.multicast.handle(event, now), now)
            case ImageStored() | Rebooted() if p.firmware is not None:
                return self._carried(FIRMWARE_F_PORT, p.firmware.handle(event, now), now)
            case BeaconSeen() | BeaconMissed():
                return self._seen(event, now)
            case _:
                pass  # for a package that this device lacks
        return ()

    def _cores(
        self,
    ) -> list[tuple[int, ClockDevice | FragmentationDevice | MulticastDevice | FirmwareDevice | CertificationDevice]]:
        p = self.packages
        every = (
            (MULTICAST_F_PORT, p.multicast),
            (FRAGMENTATION_F_PORT, p.fragmentation),
            (CLOCK_F_PORT, p.clock),
            (FIRMWARE_F_PORT, p.firmware),
            (CERTIFICATION_F_PORT, p.certification),
        )
        return [(f_port, core) for f_port, core in every if core is not None]

    def _received(self, received: Received, mc_group_id: int | None, now: Instant) -> Sequence[HostEffect]:
        p, f_port = self.packages, received.f_port
        if mc_group_id is not None and f_port == CERTIFICATION_F_PORT:
            return (Dropped("multicast", CERTIFICATION_V1.clause, "unicast only [assumption]"),)
        out = list(self._seen(DownlinkSeen(f_port, received.payload, room_bytes=self._room_bytes), now))
        downlink = PackageDownlink(received.payload, mc_group_id, self._room_bytes)
        effects: Sequence[PackageEffect] = ()
        if f_port == CLOCK_F_PORT and p.clock is not None:
            effects = p.clock.handle(downlink, now)
        elif f_port == FRAGMENTATION_F_PORT and p.fragmentation is not None:
            effects = p.fragmentation.handle(downlink, now)
        elif f_port == MULTICAST_F_PORT and p.multicast is not None:
            effects = p.multicast.handle(downlink, now)
        elif f_port == FIRMWARE_F_PORT and p.firmware is not None:
            effects = p.firmware.handle(downlink, now)
        return [*out, *self._carried(f_port, effects, now)]

    def _seen(self, event: DownlinkSeen | BeaconSeen | BeaconMissed, now: Instant) -> Sequence[HostEffect]:
        certification = self.packages.certification
        if certification is None:
            return ()
        return self._carried(CERTIFICATION_F_PORT, certification.handle(event, now), now)

    def _tell_time(self, known: TimeKnown, now: Instant) -> Sequence[HostEffect]:
        """To those that go by the clock and do not set it."""
        p = self.packages
        out: list[HostEffect] = []
        if p.multicast is not None:
            out += self._carried(MULTICAST_F_PORT, p.multicast.handle(known, now), now)
        if p.firmware is not None:
            out += self._carried(FIRMWARE_F_PORT, p.firmware.handle(known, now), now)
        return out

    def _carried(self, f_port: int, effects: Sequence[PackageEffect], now: Instant) -> list[HostEffect]:
        """Uplinks become requests to the device core, a corrected clock is everybody's, the rest goes on."""
        out: list[HostEffect] = []
        for effect in effects:
            match effect:
                case PackageUplink():
                    if len(effect.payload) > self._room_bytes:
                        detail = f"{len(effect.payload)} bytes, {self._room_bytes} fit"
                        out.append(Dropped("payload_too_long", "RP002-1.0.4 §2.4.7", detail))
                        continue
                    if effect.once:
                        out.append(TransmitOnce())
                    out.append(SendRequest(f_port, effect.payload))
                case SendMac():
                    out.append(_MAC_REQUESTS[effect.request]())
                case ClockCorrected():
                    out.append(effect)
                    out += self._tell_time(TimeKnown(effect.gps_origin_us), now)
                case _:
                    out.append(effect)
        return out
