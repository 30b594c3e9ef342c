"""What packages ask of a device's class and groups, and what its MAC tells them.

TS005 opens and closes sessions of groups that it has defined; TS009 changes the class and reports beacons. A group
stays with the device when its session closes, out of reach in class A, so that its counter goes on with the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from lorawan.device.events import (
    AddMulticast,
    BeaconLost,
    BeaconReceived,
    ClassChanged,
    DeviceEffect,
    DeviceEvent,
    Received,
    RemoveMulticast,
    RequestPingSlotInfo,
    SwitchClass,
)
from lorawan.ids import DevAddr
from lorawan.multicast import MulticastGroup
from lorawan.operating_class import OperatingClass
from lorawan.packages.certification.device import BeaconMissed, BeaconSeen, ChangeClass, SendPingSlotInfo
from lorawan.packages.host import HostEffect, HostEvent, MulticastReceived
from lorawan.packages.multicast.device import CloseSession, GroupDefined, GroupDeleted, OpenSession
from lorawan.ping_slots import DEFAULT_PERIODICITY

ClassEffect: TypeAlias = GroupDefined | GroupDeleted | OpenSession | CloseSession | ChangeClass | SendPingSlotInfo


class ClassesOfPackages:
    """Beside the `PackageHost` of one device: give it what the host returns and what the device does."""

    def __init__(self) -> None:
        self._groups: dict[int, GroupDefined] = {}
        self._open: dict[int, OperatingClass] = {}
        self._now = OperatingClass.A
        self._before = OperatingClass.A

    def for_device(self, effect: HostEffect) -> Sequence[DeviceEvent]:
        """The events of a device core that carry out a package's effect; none for one that is not about classes."""
        match effect:
            case GroupDefined():
                old = self._groups.get(effect.mc_group_id)
                self._groups[effect.mc_group_id] = effect
                if old is not None and old.mc_addr != effect.mc_addr:
                    return (RemoveMulticast(old.mc_addr),)
            case GroupDeleted():
                gone = self._groups.pop(effect.mc_group_id, None)
                return () if gone is None else (RemoveMulticast(gone.mc_addr),)
            case OpenSession():
                group = self._groups.get(effect.mc_group_id)
                if group is not None:
                    if not self._open:
                        self._before = self._now
                    opened = _group(group, effect)
                    self._open[effect.mc_group_id] = opened.operating_class
                    return (AddMulticast(opened), SwitchClass(opened.operating_class))
            case CloseSession():
                self._open.pop(effect.mc_group_id, None)
                return (SwitchClass(next(iter(self._open.values()), self._before)),)
            case ChangeClass():
                return (SwitchClass(OperatingClass(effect.device_class.value)),)
            case SendPingSlotInfo():
                return (RequestPingSlotInfo(effect.periodicity),)
            case _:
                pass
        return ()

    def for_packages(self, effect: DeviceEffect) -> HostEvent | None:
        """What the packages are told of a device core's effect; None for what the host itself knows, or nobody."""
        match effect:
            case Received(multicast=DevAddr() as address):
                for group in self._groups.values():
                    if group.mc_addr == address:
                        return MulticastReceived(group.mc_group_id, effect)
            case ClassChanged():
                self._now = effect.operating_class
            case BeaconReceived():
                beacon = effect.beacon
                return BeaconSeen(
                    effect.freq_hz,
                    effect.data_rate,
                    round(effect.rssi_dbm),
                    round(effect.snr_db),
                    beacon.param,
                    beacon.gps_s,
                    beacon.info_desc,
                    beacon.lat.to_bytes(3, "little", signed=True) + beacon.lng.to_bytes(3, "little", signed=True),
                )
            case BeaconLost():
                return BeaconMissed()
            case _:
                pass
        return None


def _group(group: GroupDefined, session: OpenSession) -> MulticastGroup:
    return MulticastGroup(
        group.mc_addr,
        group.keys.mc_nwk_s_key,
        group.keys.mc_app_s_key,
        OperatingClass(session.mc_class.value),
        group.min_mc_f_cnt,
        max(group.min_mc_f_cnt, group.max_mc_f_cnt),  # the other way round no counter is in the range
        session.freq_hz,
        session.data_rate,
        DEFAULT_PERIODICITY if session.periodicity is None else session.periodicity,
    )
