"""Packages that change a device's class, on a device core over real frames: sessions of TS005, beacons of TS009."""

from __future__ import annotations

from collections.abc import Sequence

from class_bench import GPS_AT_ORIGIN_US, ClassBench, S, fast
from mac_pairs import abp

from lorawan.crypto import encrypt_mc_key
from lorawan.device import (
    AddMulticast,
    BeaconReceived,
    ClassChanged,
    Received,
    RemoveMulticast,
    RequestTime,
    SendRequest,
    SwitchClass,
)
from lorawan.device.events import DeviceEffect
from lorawan.frames.beacon import encode_beacon
from lorawan.ids import AesKey, DevAddr
from lorawan.machine import Dropped
from lorawan.multicast import MulticastGroup
from lorawan.operating_class import OperatingClass
from lorawan.packages.certification.commands import CERTIFICATION_F_PORT
from lorawan.packages.certification.device import CertificationDevice, DutVersions
from lorawan.packages.classes import ClassesOfPackages
from lorawan.packages.host import HostEffect, HostEvent, MulticastReceived, PackageHost, Packages
from lorawan.packages.multicast.commands import (
    MULTICAST_F_PORT,
    McClassBSessionReq,
    McClassCSessionReq,
    McGroupDeleteReq,
    McGroupSetupReq,
)
from lorawan.packages.multicast.device import (
    CloseSession,
    GroupDefined,
    McClass,
    MulticastConfig,
    MulticastDevice,
    OpenSession,
)
from lorawan.packages.multicast.server import McGroup
from lorawan.regions import EU868
from lorawan.server import AppUplink
from lorawan.version import Version

A, B, C = OperatingClass
KE_KEY, MC_KEY, MC_ADDR = AesKey(b"e" * 16), AesKey(b"m" * 16), DevAddr(0x26FFFFF1)
GROUP = McGroup(1, MC_ADDR, MC_KEY, 0, 1000)
VERSIONS = DutVersions((1, 0, 0, 0), (1, 0, 4, 0), (2, 1, 0, 4))


class WithPackages(ClassBench):
    """A device with packages. `told`: what they heard of multicast."""

    def __init__(self, version: Version = Version.V1_0_4) -> None:
        self.host = PackageHost(
            Packages(
                multicast=MulticastDevice(MulticastConfig(KE_KEY, EU868.frequency_ok, EU868.is_lora)),
                certification=CertificationDevice(VERSIONS),
            ),
            room_bytes=50,
        )
        self.classes = ClassesOfPackages()
        self.told: list[HostEvent] = []
        super().__init__(fast(abp(version)))

    def _device(self, effects: Sequence[DeviceEffect]) -> None:
        super()._device(effects)
        for effect in effects:
            event = self.classes.for_packages(effect)
            if event is not None:
                self.told.append(event)
            elif isinstance(effect, HostEvent):
                event = effect
            if event is not None:
                self.carry_out(self.host.handle(event, self.now))

    def carry_out(self, effects: Sequence[HostEffect]) -> None:
        for effect in effects:
            if isinstance(effect, SendRequest | RequestTime):
                self.feed(effect)
            for event in self.classes.for_device(effect):
                self.feed(event)

    def live(self, seconds: int) -> None:
        """Let time pass for the host too."""
        for _ in range(seconds):
            self.run(1)
            if self.host.wake_at is not None and self.host.wake_at <= self.now:
                self.carry_out(self.host.wake(self.now))

    def tell(self, f_port: int, payload: bytes) -> None:
        """An application downlink, after an uplink."""
        self.queue(payload, f_port)
        self.feed(SendRequest(10, b"x"))
        self.live(8)

    def at_gps(self, seconds_from_now: int) -> int:
        return (GPS_AT_ORIGIN_US + self.now) // S + seconds_from_now

    def let_in(self) -> None:
        """The device learns the time and the group."""
        self.feed(RequestTime())
        setup = GROUP.setup(KE_KEY)
        assert setup == McGroupSetupReq(1, MC_ADDR, encrypt_mc_key(KE_KEY, MC_KEY), 0, 1000)
        self.tell(MULTICAST_F_PORT, setup.encode())

    def payloads(self) -> list[tuple[bytes, int]]:
        return [(e.received.payload, e.mc_group_id) for e in self.told if isinstance(e, MulticastReceived)]


def sender_group(operating_class: OperatingClass, freq_hz: int, data_rate: int, periodicity: int = 7) -> MulticastGroup:
    keys = GROUP.keys
    return MulticastGroup(
        MC_ADDR, keys.mc_nwk_s_key, keys.mc_app_s_key, operating_class, 0, 1000, freq_hz, data_rate, periodicity
    )


def test_a_class_c_session_of_ts005_begins_and_ends_on_time_and_hears_the_group() -> None:
    bench = WithPackages()
    bench.let_in()
    starts = bench.at_gps(60)
    bench.tell(MULTICAST_F_PORT, McClassCSessionReq(1, starts, 7, 868_100_000, 5).encode())
    sender = bench.group(sender_group(C, 868_100_000, 5))
    bench.live(70)
    bench.multicast(sender, b"one")
    bench.live(10)
    assert bench.payloads() == [(b"one", 1)]
    bench.live(130)  # 2^7 s are over
    assert [e.operating_class for e in bench.of(ClassChanged) if isinstance(e, ClassChanged)] == [C, A]
    begun, ended = bench.times(ClassChanged)
    assert abs((GPS_AT_ORIGIN_US + begun) // S - starts) <= 1
    assert abs(ended - begun - 128 * S) <= 2 * S
    bench.multicast(sender, b"too late")
    bench.live(10)
    assert bench.payloads() == [(b"one", 1)]


def test_a_group_keeps_its_counter_from_one_session_to_the_next_until_it_is_deleted() -> None:
    bench = WithPackages()
    bench.let_in()
    sender = bench.group(sender_group(C, 868_100_000, 5))
    for number in range(2):
        bench.tell(MULTICAST_F_PORT, McClassCSessionReq(1, bench.at_gps(20), 5, 868_100_000, 5).encode())
        bench.live(30)
        bench.multicast(sender, bytes((number,)))
        bench.live(40)
    assert [payload for payload, _ in bench.payloads()] == [b"\0", b"\1"]
    classes = bench.device._state.classes
    assert classes.groups[MC_ADDR].last_f_cnt == 1
    bench.tell(MULTICAST_F_PORT, McGroupDeleteReq(1).encode())
    assert not classes.groups


def test_a_class_b_session_of_ts005_hears_the_group_in_its_slots() -> None:
    bench = WithPackages()
    bench.let_in()
    starts = -(-bench.at_gps(60) // 128) * 128  # with a beacon
    bench.tell(MULTICAST_F_PORT, McClassBSessionReq(1, starts, 3, 3, 868_300_000, 5).encode())
    bench.live(starts - bench.at_gps(0) + 260)
    assert [e.operating_class for e in bench.of(ClassChanged) if isinstance(e, ClassChanged)] == [B]
    sender = bench.group(sender_group(B, 868_300_000, 5, 3))
    bench.multicast(sender, b"slot")
    bench.live(30)
    assert bench.payloads() == [(b"slot", 1)]


def test_ts009_tells_the_periodicity_goes_to_class_b_and_reports_beacons() -> None:
    bench = WithPackages()
    bench.tell(CERTIFICATION_F_PORT, bytes((0x22, 4)))  # PingSlotInfoReq, periodicity 4
    bench.tell(CERTIFICATION_F_PORT, bytes((0x40, 1)))  # BeaconRxStatusIndCtrl on
    bench.tell(CERTIFICATION_F_PORT, bytes((0x03, 1)))  # SwitchClassReq B
    assert bench.session.classes.periodicity == 4
    bench.live(300)
    assert [e.operating_class for e in bench.of(ClassChanged) if isinstance(e, ClassChanged)] == [B]
    class_b = bench.device._state.classes.class_b
    assert class_b is not None
    assert class_b.periodicity == 4
    first = bench.of(BeaconReceived)[0]
    assert isinstance(first, BeaconReceived)
    on_224 = [e.payload for _, e in bench.server_effects if isinstance(e, AppUplink) and e.f_port == 224]
    report = next(payload for payload in on_224 if payload[0] == 0x41)
    assert len(report) == 1 + 22  # TS009: CID; on, count, frequency, DR, RSSI, SNR, param, time, InfoDesc, Info
    assert report[4:8] == (869_525_000 // 100).to_bytes(3, "little") + b"\x03"
    wire = encode_beacon(first.beacon)
    assert report[12:16] == wire[2:6]  # the time as the beacon carried it
    assert report[16:] == wire[8:15]
    assert not [e for e in bench.of(Received) if isinstance(e, Received) and e.multicast]


def test_from_class_b_the_periodicity_is_not_told() -> None:
    bench = WithPackages()
    bench.feed(SwitchClass(B))
    bench.run(300)
    bench.tell(CERTIFICATION_F_PORT, bytes((0x22, 4)))
    assert "class_b" in [e.reason for e in bench.of(Dropped) if isinstance(e, Dropped)]


def test_of_two_sessions_at_once_the_first_to_end_leaves_the_other_its_class() -> None:
    classes, keys = ClassesOfPackages(), GROUP.keys
    other = DevAddr(0x26FFFFF2)
    for index, address in ((1, MC_ADDR), (2, other)):
        classes.for_device(GroupDefined(index, address, keys, 0, 1000))
        classes.for_device(OpenSession(index, McClass.C, 868_100_000, 5, None, S))
        classes.for_packages(ClassChanged(C))
    ends = [classes.for_device(CloseSession(index, McClass.C)) for index in (1, 2)]
    assert ends == [(SwitchClass(C),), (SwitchClass(A),)]


def test_another_address_under_an_index_takes_the_first_one_s_place() -> None:
    classes, keys = ClassesOfPackages(), GROUP.keys
    assert classes.for_device(GroupDefined(1, MC_ADDR, keys, 0, 1000)) == ()
    assert classes.for_device(GroupDefined(1, MC_ADDR, keys, 0, 2000)) == ()
    assert classes.for_device(GroupDefined(1, DevAddr(7), keys, 0, 1000)) == (RemoveMulticast(MC_ADDR),)


def test_a_range_that_ends_before_it_begins_takes_no_frame() -> None:
    """The bytes of McGroupSetupReq may say so, and whatever they say raises nothing."""
    classes, keys = ClassesOfPackages(), GROUP.keys
    classes.for_device(GroupDefined(1, MC_ADDR, keys, 1000, 7))
    added, _ = classes.for_device(OpenSession(1, McClass.C, 868_100_000, 5, None, S))
    assert isinstance(added, AddMulticast)
    assert range(added.group.f_cnt_min, added.group.f_cnt_max) == range(0)
