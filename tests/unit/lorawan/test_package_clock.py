"""Clock synchronization (TS003): the device's clock, the token rule, and the server's corrections."""

from __future__ import annotations

from lorawan.draws import Draws
from lorawan.machine import Dropped
from lorawan.packages.asking import Answered, Ask
from lorawan.packages.clock import (
    CLOCK_V1,
    CLOCK_V2,
    AppTimeAns,
    AppTimeReq,
    ClockConfig,
    ClockCorrected,
    ClockDevice,
    ClockSeen,
    ClockServer,
    DeviceAppTimePeriodicityAns,
    DeviceAppTimePeriodicityReq,
    ForceDeviceResyncCmd,
    RequestClock,
)
from lorawan.packages.clock.device import ClockDeviceEffect
from lorawan.packages.commands import PackageCommand, PackageVersionAns, PackageVersionReq, encode_commands
from lorawan.packages.events import PackageDownlink, PackageUplink, PackageUplinkHeard, SendDownlink, TimeKnown
from lorawan.units import US_PER_S

GPS_2050_S = 2_208_643_200  # TS003-2.0.0 §3.2, example: 2050-01-01 00:00:00 UTC


def clock_device(config: ClockConfig | None = None) -> ClockDevice:
    return ClockDevice(config or ClockConfig(), Draws.of_seed(1))


def down(*commands: PackageCommand) -> PackageDownlink:
    return PackageDownlink(encode_commands(commands))


def only(effects: object) -> ClockDeviceEffect:
    assert isinstance(effects, list | tuple)
    (effect,) = effects
    return effect  # type: ignore[no-any-return]  # the caller says which


def request_of(effect: object) -> AppTimeReq:
    assert isinstance(effect, PackageUplink)
    (command,) = effect.commands
    assert isinstance(command, AppTimeReq)
    return command


def test_a_device_of_1980_reaches_2050_in_two_corrections() -> None:
    """The figures of the example in TS003-2.0.0 §3.2."""
    device, server = clock_device(), ClockServer()
    first = only(device.handle(RequestClock(), 0))
    assert request_of(first) == AppTimeReq(0, 0, False)
    gps_us = GPS_2050_S * US_PER_S
    sent = server.handle(PackageUplinkHeard(first.payload, gps_us), 0)
    assert ClockSeen(-GPS_2050_S) in sent
    answers = [effect.payload for effect in sent if isinstance(effect, SendDownlink)]
    assert answers == [AppTimeAns(0x7FFFFFFF, 0).encode()]
    corrected, again = device.handle(PackageDownlink(answers[0]), 0)
    assert isinstance(corrected, ClockCorrected)
    assert request_of(again) == AppTimeReq(0x7FFFFFFF, 1, False)
    sent = server.handle(PackageUplinkHeard(again.payload, gps_us), 0)  # type: ignore[union-attr]
    answers = [effect.payload for effect in sent if isinstance(effect, SendDownlink)]
    assert answers == [AppTimeAns(0x03A53881, 1).encode()]
    only(device.handle(PackageDownlink(answers[0]), 0))
    assert device.clock.gps_s(0) == GPS_2050_S


def test_an_answer_with_another_token_is_dropped() -> None:
    device = clock_device()
    device.handle(RequestClock(), 0)
    dropped = only(device.handle(down(AppTimeAns(100, 1)), 0))
    assert isinstance(dropped, Dropped)
    assert dropped.reason == "token"
    assert device.clock.gps_s(0) == 0
    assert only(device.handle(down(AppTimeAns(100, 0)), 0)) == ClockCorrected(100, 100 * US_PER_S)


def test_an_answer_counts_once_and_never_unasked() -> None:
    device = clock_device()
    assert isinstance(only(device.handle(down(AppTimeAns(100, 0)), 0)), Dropped)
    device.handle(RequestClock(), 0)
    device.handle(down(AppTimeAns(100, 0)), 0)
    assert isinstance(only(device.handle(down(AppTimeAns(100, 0)), 0)), Dropped)
    assert device.clock.gps_s(0) == 100


def test_the_networks_own_time_makes_an_answer_that_is_under_way_void() -> None:
    device = clock_device()
    device.handle(RequestClock(), 0)
    device.handle(TimeKnown(5000 * US_PER_S), 0)
    assert isinstance(only(device.handle(down(AppTimeAns(5000, 0)), 0)), Dropped)
    assert request_of(only(device.handle(RequestClock(), 0))) == AppTimeReq(5000, 1, False)
    assert isinstance(only(device.handle(down(AppTimeAns(5000, 0)), 0)), Dropped)  # a late copy
    assert device.clock.gps_s(0) == 5000


def test_the_token_goes_round_after_sixteen() -> None:
    device = clock_device()
    for i in range(17):
        assert request_of(only(device.handle(RequestClock(), 0))).token_req == i % 16
        device.handle(down(AppTimeAns(0, i % 16)), 0)


def test_the_clock_runs() -> None:
    device = clock_device()
    device.handle(RequestClock(), 0)
    device.handle(down(AppTimeAns(1000, 0)), 0)
    assert request_of(only(device.handle(RequestClock(True), 5 * US_PER_S + 1))) == AppTimeReq(1005, 1, True)


def test_a_good_clock_is_answered_only_if_it_asks() -> None:
    server = ClockServer(tolerance_s=2)
    gps_us = 1_000_000 * US_PER_S
    for device_time, required, answered in ((999_998, False, False), (999_997, False, True), (1_000_000, True, True)):
        request = AppTimeReq(device_time, 3, required).encode()
        effects = server.handle(PackageUplinkHeard(request, gps_us), 0)
        answers = [effect.payload for effect in effects if isinstance(effect, SendDownlink)]
        assert answers == ([AppTimeAns(1_000_000 - device_time, 3).encode()] if answered else [])


def test_a_period_is_kept_within_thirty_seconds() -> None:
    device = clock_device()
    (answer,) = device.handle(down(DeviceAppTimePeriodicityReq(2)), 0)
    assert isinstance(answer, PackageUplink)
    assert answer.commands == (DeviceAppTimePeriodicityAns(False, 0),)
    now = 0
    for _ in range(20):
        due = device.wake_at
        assert due is not None
        assert abs(due - now - 512 * US_PER_S) <= 30 * US_PER_S  # 128 · 2^2 s ± 30 s
        now = due
        request_of(only(device.wake(now)))


def test_an_application_with_its_own_period_says_so() -> None:
    device = clock_device(ClockConfig(accepts_periodicity=False))
    (answer,) = device.handle(down(DeviceAppTimePeriodicityReq(2)), 7 * US_PER_S)
    assert isinstance(answer, PackageUplink)
    assert answer.commands == (DeviceAppTimePeriodicityAns(True, 7),)
    assert device.wake_at is None


def test_a_forced_resynchronization_ends_with_its_answer() -> None:
    device = clock_device()
    device.handle(down(ForceDeviceResyncCmd(5)), 0)
    sent = []
    while device.wake_at is not None and len(sent) < 3:
        now = device.wake_at
        sent.append(request_of(only(device.wake(now))))
    assert [request.ans_required for request in sent] == [False] * 3
    device.handle(down(AppTimeAns(1, 0)), now)
    assert device.wake_at is None
    device.handle(down(ForceDeviceResyncCmd(2)), now)
    count = 0
    while device.wake_at is not None:
        count += len(device.wake(device.wake_at))
    assert count == 2
    device.handle(down(ForceDeviceResyncCmd(0)), now)
    assert device.wake_at is None


def test_multicast_is_dropped() -> None:
    (dropped,) = clock_device().handle(PackageDownlink(PackageVersionReq().encode(), mc_group_id=1), 0)
    assert isinstance(dropped, Dropped)
    assert dropped.reason == "multicast"


def test_each_version_answers_with_its_number() -> None:
    for package in (CLOCK_V1, CLOCK_V2):
        (uplink,) = clock_device(ClockConfig(package)).handle(down(PackageVersionReq()), 0)
        assert isinstance(uplink, PackageUplink)
        assert uplink.commands == (PackageVersionAns(1, package.version),)


def test_version_1_transmits_its_request_once() -> None:
    first = only(clock_device(ClockConfig(CLOCK_V1)).handle(RequestClock(), 0))
    assert isinstance(first, PackageUplink)
    assert first.once  # TS003-1.0.0 §3.2: NbTrans 1, ADR off


def test_the_server_repeats_a_request_until_it_is_answered() -> None:
    server = ClockServer(again_us=100, tries=3)
    (first,) = server.handle(Ask(DeviceAppTimePeriodicityReq(3)), 0)
    assert server.wake_at == 100
    assert server.wake(100) == [first]
    answer = DeviceAppTimePeriodicityAns(False, 10)
    effects = server.handle(PackageUplinkHeard(answer.encode(), 12 * US_PER_S), 150)
    assert effects == [Answered(DeviceAppTimePeriodicityReq(3), answer), ClockSeen(-2)]
    assert server.wake_at is None


def test_what_has_no_answer_is_sent_once() -> None:
    server = ClockServer()
    server.handle(Ask(ForceDeviceResyncCmd(3)), 0)
    assert server.wake_at is None
