"""Laws of the application packages: their codec, and that no byte from outside stops a core."""

from __future__ import annotations

from collections import Counter, deque
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lorawan.draws import Draws
from lorawan.ids import AesKey
from lorawan.packages import PACKAGES, Package
from lorawan.packages.asking import Answered, Ask, AskingServer, Unanswered
from lorawan.packages.certification import (
    CertificationBench,
    CertificationDevice,
    DownlinkSeen,
    DutVersions,
)
from lorawan.packages.clock import ClockConfig, ClockDevice, ClockServer, RequestClock
from lorawan.packages.commands import PackageCommand, encode_commands
from lorawan.packages.events import (
    DeviceClock,
    PackageDownlink,
    PackageUplink,
    PackageUplinkHeard,
    SendDownlink,
    TimeKnown,
    uplinks_of,
)
from lorawan.packages.firmware import FIRMWARE_V1, DevUpgradeImageReq, DevVersionReq, FirmwareConfig, FirmwareDevice
from lorawan.packages.fragmentation import (
    FragmentationConfig,
    FragmentationDevice,
    FragmentationServer,
    StartTransfer,
    Transfer,
)
from lorawan.packages.multicast import MulticastConfig, MulticastDevice, MulticastServer
from lorawan.strategies import package_commands, packages

KEY = AesKey(bytes(16))


def takes_the_rest(command: type[PackageCommand]) -> bool:
    """Whether all bytes that follow belong to it."""
    return command.length_of(bytes(200)) == 200


@given(package=packages(), data=st.binary(max_size=80), uplink=st.booleans())
def test_any_bytes_are_read_as_far_as_they_are_understood(package: Package, data: bytes, uplink: bool) -> None:
    parsed = package.parse(data, uplink=uplink)
    again = encode_commands(parsed.commands)
    assert len(again) + len(parsed.rest) == len(data)
    assert data.endswith(parsed.rest)
    assert package.parse(again, uplink=uplink).commands == parsed.commands


@given(package=packages(), uplink=st.booleans(), data=st.data())
def test_commands_come_back_as_they_were_sent(package: Package, uplink: bool, data: st.DataObject) -> None:
    one = package_commands(package, uplink=uplink)
    alone = one.filter(lambda command: not takes_the_rest(type(command)))
    commands = (*data.draw(st.lists(alone, max_size=5)), data.draw(one))
    parsed = package.parse(encode_commands(commands), uplink=uplink)
    assert parsed.commands == commands
    assert parsed.rest == b""


@given(package=packages(), data=st.data())
def test_a_command_that_is_cut_short_is_not_read(package: Package, data: st.DataObject) -> None:
    command = data.draw(package_commands(package).filter(lambda command: not takes_the_rest(type(command))))
    wire = command.encode()
    cut = wire[: data.draw(st.integers(0, len(wire) - 1))]
    parsed = package.parse(cut, uplink=command.uplink)
    assert (parsed.commands, parsed.rest) == ((), cut)


@given(commands=st.lists(package_commands(uplink=True), max_size=12), room=st.integers(1, 60))
def test_answers_are_packed_in_order_into_the_room_there_is(commands: list[PackageCommand], room: int) -> None:
    uplinks = uplinks_of(commands, room)
    assert [command for uplink in uplinks for command in uplink.commands] == commands
    for uplink in uplinks:
        assert len(uplink.payload) <= room or len(uplink.commands) == 1
    for one, after in pairwise(uplinks):
        assert len(one.payload) + len(after.commands[0].encode()) > room


@given(
    origin_us=st.integers(0, 1 << 52),
    now=st.integers(0, 1 << 45),
    ahead_s=st.integers(-(1 << 31) + 1, (1 << 31) - 1),
)
def test_the_instant_of_a_gps_second_is_when_the_clock_shows_it(origin_us: int, now: int, ahead_s: int) -> None:
    clock = DeviceClock(origin_us)
    wanted = (clock.gps_s(now) + ahead_s) % (1 << 32)
    at = clock.instant_of(wanted, now)
    assert clock.gps_s(at) == wanted
    assert clock.gps_s(at - 1) == (wanted - 1) % (1 << 32)
    assert abs(at - now - ahead_s * 1_000_000) <= 1_000_000


@given(
    kept=st.lists(st.booleans(), max_size=30),
    requests=st.lists(st.sampled_from((DevVersionReq(), DevUpgradeImageReq())), max_size=6),
)
def test_each_request_ends_once_answered_or_given_up(kept: list[bool], requests: list[PackageCommand]) -> None:
    """Over a link that loses as the list says and then loses all."""
    tries, again_us = 4, 100
    server = AskingServer(FIRMWARE_V1, again_us=again_us, tries=tries)
    device = FirmwareDevice(FirmwareConfig(1, 2))
    link, ends, sent, now = iter(kept), Counter[PackageCommand](), 0, 0
    todo = deque(effect for request in requests for effect in server.handle(Ask(request), now))
    while todo or server.wake_at is not None:
        if not todo:
            assert server.wake_at is not None
            now = server.wake_at
            todo.extend(server.wake(now))
            continue
        effect = todo.popleft()
        if isinstance(effect, Answered | Unanswered):
            ends[effect.request] += 1
            continue
        assert isinstance(effect, SendDownlink)
        sent += 1
        if next(link, False):
            for uplink in device.handle(PackageDownlink(effect.payload), now):
                if isinstance(uplink, PackageUplink) and next(link, False):
                    todo.extend(server.handle(PackageUplinkHeard(uplink.payload), now))
    assert now <= tries * again_us
    assert sent <= tries * len(requests)
    assert ends == Counter(requests)


def downlinks(package: Package) -> st.SearchStrategy[PackageDownlink]:
    """Payloads of that package and any bytes, for the device and for groups, in little room and in much."""
    known = st.lists(package_commands(package, uplink=False), max_size=4).map(encode_commands)
    payloads = st.binary(max_size=60) | known
    return st.builds(PackageDownlink, payloads, st.none() | st.integers(0, 3), st.integers(1, 242))


def devices() -> list[tuple[Package, object]]:
    """A device core for each package."""
    draws = Draws.of_seed(1)
    cores: list[tuple[Package, object]] = []
    for package in PACKAGES:
        core: object
        match package.identifier:
            case 1:
                core = ClockDevice(ClockConfig(package), draws)
            case 2:
                config = MulticastConfig(KEY, lambda f: f > 0, lambda dr: dr < 6, package)
                core = MulticastDevice(config)
            case 3:
                limits = FragmentationConfig(package, KEY, max_block_bytes=4096, max_lines=8)
                core = FragmentationDevice(limits, draws)
            case 4:
                core = FirmwareDevice(FirmwareConfig(1, 2))
            case _:
                core = CertificationDevice(DutVersions((1, 0, 0, 0), (1, 0, 4, 0), (2, 1, 0, 4)))
        cores.append((package, core))
    return cores


@given(which=st.integers(0, len(PACKAGES) - 1), data=st.data())
def test_no_downlink_stops_a_device(which: int, data: st.DataObject) -> None:
    package, core = devices()[which]
    now = 0
    events: st.SearchStrategy[object] = downlinks(package)
    if package.identifier == 1:
        events |= st.builds(RequestClock, st.booleans())
    if package.identifier in (1, 2, 4):
        events |= st.builds(TimeKnown, st.integers(-(1 << 52), 1 << 52))
    if package.identifier == 6:
        ports = st.none() | st.sampled_from((0, 1, 224))
        events = st.builds(DownlinkSeen, ports, downlinks(package).map(lambda d: d.payload), st.booleans())
    for event in data.draw(st.lists(events, max_size=12)):
        effects = list(core.handle(event, now))  # type: ignore[attr-defined]
        for _ in range(3):
            if (due := core.wake_at) is None:  # type: ignore[attr-defined]
                break
            now = max(now, due)
            effects += core.wake(now)  # type: ignore[attr-defined]
        for effect in effects:
            if isinstance(effect, PackageUplink):
                # what a device says is understood, and answers its own package
                parsed = package.parse(effect.payload, uplink=True)
                assert parsed.commands == effect.commands
                assert parsed.rest == b""
        now += data.draw(st.integers(0, 10_000_000))


def servers() -> list[tuple[Package, object]]:
    """A server core for each package."""
    cores: list[tuple[Package, object]] = []
    for package in PACKAGES:
        core: object
        match package.identifier:
            case 1:
                core = ClockServer(package)
            case 2:
                core = MulticastServer(package)
            case 3:
                key = KEY if package.version > 1 else None
                core = FragmentationServer(Transfer(bytes(50), 10, package, key))
                core.handle(StartTransfer(), 0)
            case 4:
                core = AskingServer(package)
            case _:
                core = CertificationBench()
        cores.append((package, core))
    return cores


@given(which=st.integers(0, len(PACKAGES) - 1), data=st.data())
def test_no_uplink_stops_a_server(which: int, data: st.DataObject) -> None:
    package, core = servers()[which]
    known = st.lists(package_commands(package, uplink=True), max_size=4).map(encode_commands)
    heard: st.SearchStrategy[object] = st.builds(
        PackageUplinkHeard, st.binary(max_size=60) | known, st.integers(0, 1 << 52)
    )
    if package.identifier != 3:
        heard |= st.builds(Ask, package_commands(package, uplink=False))
    now = 0
    for event in data.draw(st.lists(heard, max_size=12)):
        core.handle(event, now)  # type: ignore[attr-defined]
        for _ in range(3):
            if (due := core.wake_at) is None:  # type: ignore[attr-defined]
                break
            now = max(now, due)
            core.wake(now)  # type: ignore[attr-defined]
