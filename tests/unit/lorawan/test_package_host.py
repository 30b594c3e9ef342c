"""Packages on a device core, through real frames: ports, the clock that all share, and a block over class A."""

from __future__ import annotations

from dataclasses import dataclass, field

from lorawan.crypto import derive_data_block_int_key, derive_mc_ke_key, derive_mc_root_key_10
from lorawan.device import Joined, Received, RequestLinkCheck, SendRequest, TimeReceived
from lorawan.device.events import Transmission
from lorawan.draws import Draws
from lorawan.ids import AesKey, DevAddr
from lorawan.machine import Dropped
from lorawan.packages.asking import Answered, Ask, AskingServer
from lorawan.packages.certification import (
    CERTIFICATION_F_PORT,
    CertificationBench,
    CertificationDevice,
    DutVersions,
    SetAdr,
)
from lorawan.packages.certification.commands import AdrBitChangeReq, DutLinkCheckReq, RxAppCntAns, RxAppCntReq
from lorawan.packages.clock import (
    CLOCK_F_PORT,
    CLOCK_V1,
    AppTimeAns,
    ClockConfig,
    ClockCorrected,
    ClockDevice,
    ClockServer,
    RequestClock,
)
from lorawan.packages.commands import PackageVersionReq
from lorawan.packages.events import PackageUplinkHeard, SendDownlink
from lorawan.packages.firmware import (
    FIRMWARE_F_PORT,
    FIRMWARE_V1,
    DevRebootTimeAns,
    DevRebootTimeReq,
    FirmwareConfig,
    FirmwareDevice,
    Reboot,
)
from lorawan.packages.fragmentation import (
    FRAGMENTATION_F_PORT,
    BlockReceived,
    FragmentationConfig,
    FragmentationDevice,
    FragmentationServer,
    PersistFragmentation,
    StartTransfer,
    Transfer,
    TransferDone,
)
from lorawan.packages.host import (
    AckReceived,
    HostEffect,
    MulticastReceived,
    PackageHost,
    Packages,
    RoomChanged,
    TransmitOnce,
)
from lorawan.packages.multicast import (
    MULTICAST_F_PORT,
    McClass,
    McClassCSessionReq,
    McGroup,
    MulticastConfig,
    MulticastDevice,
    MulticastServer,
    OpenSession,
    SessionPlanned,
)
from lorawan.phy import LoraModulation, Transmit
from lorawan.testing import LOST, ON_TIME, Pair, Script, abp_device
from lorawan.trace import FrameKind
from lorawan.units import US_PER_S
from lorawan.version import Version

ROOT = AesKey(bytes(range(16)))
KE_KEY = derive_mc_ke_key(derive_mc_root_key_10(ROOT))
BLOCK_KEY = derive_data_block_int_key(ROOT)
GPS_S = 1_400_000_000


def packages() -> Packages:
    draws = Draws.of_seed(1)
    return Packages(
        ClockDevice(ClockConfig(), draws),
        FragmentationDevice(FragmentationConfig(data_block_int_key=BLOCK_KEY), draws),
        MulticastDevice(MulticastConfig(KE_KEY, lambda freq_hz: freq_hz > 0, lambda data_rate: data_rate < 6)),
        FirmwareDevice(FirmwareConfig(1, 2)),
        CertificationDevice(DutVersions((1, 0, 0, 0), (1, 0, 4, 0), (2, 1, 0, 4))),
    )


def received(f_port: int, payload: bytes) -> Received:
    return Received(f_port, payload, 1, False)


@dataclass
class World:
    """A device with packages and a network with the servers of some, joined in memory."""

    servers: dict[int, ClockServer | FragmentationServer | MulticastServer | AskingServer | CertificationBench]
    host: PackageHost = field(default_factory=lambda: PackageHost(packages()))
    told: list[object] = field(default_factory=list)
    pair: Pair = field(init=False)
    _seen: int = 0
    _heard: int = 0

    def __post_init__(self) -> None:
        self.pair = Pair(abp_device(Version.V1_0_4, max_queue=64))

    def ask(self, f_port: int, event: Ask | StartTransfer) -> None:
        self._to_device(f_port, self.servers[f_port].handle(event, self.pair.now))  # type: ignore[arg-type]

    def uplink(self) -> None:
        """One uplink of the application, and everything that follows from it."""
        self.pair.feed(SendRequest(10, b"x"))
        for _ in range(50):
            self.pair.run()
            if not self._exchange():
                return
        raise AssertionError("they talk without end")

    def pass_time(self, until: int) -> None:
        self.pair.now = max(self.pair.now, until)
        self._from_host(self.host.wake(self.pair.now))
        for f_port, server in self.servers.items():
            self._to_device(f_port, server.wake(self.pair.now))

    def _exchange(self) -> bool:
        """Carry what happened on either side to the other; whether the device has something to send now."""
        pair, sending = self.pair, False
        for effect in pair.device_effects[self._seen :]:
            if isinstance(effect, Received | Transmission | TimeReceived | Joined):
                sending |= self._from_host(self.host.handle(effect, pair.now))
        self._seen = len(pair.device_effects)
        for uplink in pair.app_uplinks[self._heard :]:
            server = self.servers.get(uplink.f_port or 0)
            if server is not None:
                gps_us = GPS_S * US_PER_S + pair.now
                self._to_device(uplink.f_port or 0, server.handle(PackageUplinkHeard(uplink.payload, gps_us), pair.now))
        self._heard = len(pair.app_uplinks)
        return sending

    def _from_host(self, effects: object) -> bool:
        sending = False
        for effect in effects:  # type: ignore[attr-defined]
            if isinstance(effect, SendRequest | RequestLinkCheck):
                self.pair.feed(effect)
                sending = True
            else:
                self.told.append(effect)
        return sending

    def _to_device(self, f_port: int, effects: object) -> None:
        for effect in effects:  # type: ignore[attr-defined]
            if isinstance(effect, SendDownlink):
                self.pair.queue(effect.payload, f_port)
            else:
                self.told.append(effect)

    def of(self, kind: type) -> list[object]:
        return [effect for effect in self.told if isinstance(effect, kind)]


def test_a_block_goes_over_class_a() -> None:
    block = bytes(i % 251 for i in range(333))
    transfer = Transfer(
        block, 40, data_block_int_key=BLOCK_KEY, redundancy=2, interval_us=US_PER_S, again_us=10**12, block_ack_delay=0
    )
    world = World({FRAGMENTATION_F_PORT: FragmentationServer(transfer)})
    world.pair.down = Script([ON_TIME, ON_TIME, LOST, ON_TIME, LOST])
    world.ask(FRAGMENTATION_F_PORT, StartTransfer())
    for _ in range(60):
        world.uplink()
        world.pass_time(world.pair.now + 60 * US_PER_S)
        if world.of(TransferDone):
            break
    assert world.of(BlockReceived) == [BlockReceived(0, 0, block, True)]
    assert len(world.of(TransferDone)) == 1
    assert len(world.of(PersistFragmentation)) == 1


def test_a_corrected_clock_is_that_of_every_package() -> None:
    world = World(
        {
            CLOCK_F_PORT: ClockServer(),
            MULTICAST_F_PORT: MulticastServer(again_us=10**12),
            FIRMWARE_F_PORT: AskingServer(FIRMWARE_V1, again_us=10**12),
        }
    )
    world._from_host(world.host.handle(RequestClock(), 0))
    world.uplink()
    world.uplink()
    assert len(world.of(ClockCorrected)) == 1
    group = McGroup(0, DevAddr(9), AesKey(bytes(16)), 0, 100)
    starts_s = GPS_S + world.pair.now // US_PER_S + 600
    session = McClassCSessionReq(0, starts_s, 4, 869_525_000, 3)
    for f_port, request in (
        (MULTICAST_F_PORT, group.setup(KE_KEY)),
        (MULTICAST_F_PORT, session),
        (FIRMWARE_F_PORT, DevRebootTimeReq(starts_s + 60)),
    ):
        world.ask(f_port, Ask(request))
        world.uplink()
        world.uplink()
    (planned,) = world.of(SessionPlanned)
    assert isinstance(planned, SessionPlanned)
    assert planned.clock_error_s is not None
    assert abs(planned.clock_error_s) <= 5  # what lay between the request and its uplink
    answers = [effect.answer for effect in world.of(Answered) if isinstance(effect, Answered)]
    assert any(isinstance(answer, DevRebootTimeAns) and 0 < answer.reboot_time < 700 for answer in answers)
    due = world.host.wake_at
    assert due is not None
    world.pass_time(due)
    (opened,) = world.of(OpenSession)
    assert isinstance(opened, OpenSession)
    assert (opened.mc_class, opened.closes_at) == (McClass.C, due + 16 * US_PER_S)
    while not world.of(Reboot) and world.host.wake_at is not None:
        world.pass_time(world.host.wake_at)
    assert world.of(Reboot) == [Reboot(install=False)]


def test_certification_over_frames() -> None:
    world = World({CERTIFICATION_F_PORT: CertificationBench(again_us=10**12)})
    for command in (AdrBitChangeReq(0), DutLinkCheckReq(), RxAppCntReq()):
        world.ask(CERTIFICATION_F_PORT, Ask(command))
        world.uplink()
        world.uplink()
    assert SetAdr(False) in world.told
    assert Answered(RxAppCntReq(), RxAppCntAns(3)) in world.told
    assert any(transmission.kind is FrameKind.DATA for transmission in world.pair.sent)


# -- the routing alone ---------------------------------------------------------------------------------------------


def sends(effects: object) -> list[tuple[int, bytes]]:
    assert isinstance(effects, list | tuple)
    return [(effect.f_port, effect.payload) for effect in effects if isinstance(effect, SendRequest)]


def test_each_package_answers_on_its_port() -> None:
    host = PackageHost(packages())
    # PackageVersionReq; identifiers 2, 3, 1, 4, 6 of TS005, TS004, TS003, TS006, TS009
    for f_port, answer in ((200, "000202"), (201, "000302"), (202, "000102"), (203, "000401"), (224, "000601")):
        effects = host.handle(received(f_port, PackageVersionReq().encode()), 0)
        assert sends(effects) == [(f_port, bytes.fromhex(answer))]
    assert host.handle(received(10, PackageVersionReq().encode()), 0) == []


def test_a_device_without_packages_is_silent() -> None:
    host = PackageHost(Packages())
    for event in (received(200, b"\x00"), RequestClock(), AckReceived(True), Joined(DevAddr(1), 1)):
        assert list(host.handle(event, 0)) == []
    assert host.wake_at is None


def test_what_came_for_a_group_is_told_apart() -> None:
    host = PackageHost(packages())
    effects: list[HostEffect] = list(host.handle(MulticastReceived(1, received(200, b"\x00")), 0))
    (dropped,) = effects
    assert isinstance(dropped, Dropped)
    assert dropped.reason == "multicast"
    (dropped,) = host.handle(MulticastReceived(1, received(224, b"\x01")), 0)
    assert isinstance(dropped, Dropped)


def test_acknowledgements_count_in_certification() -> None:
    host = PackageHost(packages())
    host.handle(AckReceived(True), 0)
    host.handle(AckReceived(False), 0)
    assert sends(host.handle(received(224, RxAppCntReq().encode()), 0)) == [(224, RxAppCntAns(2).encode())]


def test_a_join_asks_for_the_time() -> None:
    host = PackageHost(packages())
    assert [f_port for f_port, _ in sends(host.handle(Joined(DevAddr(1), 1), 0))] == [202]


def test_version_1_of_the_clock_is_to_be_sent_once() -> None:
    host = PackageHost(Packages(ClockDevice(ClockConfig(CLOCK_V1), Draws.of_seed(1))))
    once, request = host.handle(RequestClock(), 0)
    assert isinstance(once, TransmitOnce)
    assert isinstance(request, SendRequest)


def test_the_room_bounds_what_is_answered() -> None:
    host = PackageHost(packages())
    host.handle(RoomChanged(5), 0)
    assert sends(host.handle(received(224, bytes.fromhex("08" + "00" * 20)), 0)) == [(224, bytes.fromhex("0801010101"))]
    (dropped,) = host.handle(received(203, b"\x01"), 0)  # DevVersionAns has nine bytes
    assert isinstance(dropped, Dropped)
    assert dropped.reason == "payload_too_long"


def test_the_networks_time_is_that_of_the_end_of_the_uplink() -> None:
    host = PackageHost(packages())
    transmit = Transmit(5_000_000, b"", 868_100_000, LoraModulation(7), 14.0, 100_000)
    host.handle(Transmission(transmit, FrameKind.DATA, 1, 1, -1, 0, False), 5_000_000)
    host.handle(TimeReceived(GPS_S, 128), 6_200_000)
    clock = host.packages.clock
    assert clock is not None
    # GPS_S + 0.5 s at 5.1 s, so the second GPS_S + 1 begins half a second later
    assert clock.clock.gps_s(5_599_999) == GPS_S
    assert clock.clock.gps_s(5_600_000) == GPS_S + 1
    firmware = host.packages.firmware
    assert firmware is not None
    assert firmware.clock is not None


def test_an_answer_to_nobody_changes_no_clock() -> None:
    host = PackageHost(packages())
    (dropped,) = host.handle(received(202, AppTimeAns(5, 0).encode()), 0)
    assert isinstance(dropped, Dropped)
