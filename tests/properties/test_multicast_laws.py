"""Sessions of multicast groups: what is opened is closed once and in time, whatever comes in between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lorawan.crypto import derive_mc_session_keys
from lorawan.ids import AesKey, DevAddr
from lorawan.packages import PackageCommand
from lorawan.packages.commands import encode_commands
from lorawan.packages.events import PackageDownlink, PackageUplink, TimeKnown
from lorawan.packages.multicast import (
    MULTICAST_V1,
    MULTICAST_V2,
    CloseSession,
    EndSession,
    GroupDefined,
    GroupDeleted,
    McClassBSessionReq,
    McClassCSessionReq,
    McGroup,
    McGroupDeleteReq,
    McGroupStatusAns,
    McGroupStatusReq,
    MulticastConfig,
    MulticastDevice,
    OpenSession,
)
from lorawan.strategies import aes_keys, dev_addrs
from lorawan.units import US_PER_S

KE_KEY = AesKey(bytes(16))
GROUPS = st.integers(0, 3)
SOON = st.integers(0, 400)  # GPS seconds: the device's clock begins at 0
COMMANDS: st.SearchStrategy[PackageCommand] = (
    st.builds(McGroup, GROUPS, dev_addrs(), aes_keys(), st.just(0), st.just(9)).map(lambda group: group.setup(KE_KEY))
    | st.builds(McGroupDeleteReq, GROUPS)
    | st.builds(McClassCSessionReq, GROUPS, SOON, st.integers(0, 7), st.just(869_525_000), st.integers(0, 6))
    | st.builds(McClassBSessionReq, GROUPS, SOON, st.integers(0, 1), st.integers(0, 7), st.just(0), st.integers(0, 6))
)
EVENTS = (
    st.lists(COMMANDS, min_size=1, max_size=3).map(lambda commands: PackageDownlink(encode_commands(commands)))
    | st.builds(EndSession, GROUPS)
    | st.builds(TimeKnown, st.integers(0, 500 * US_PER_S))
)


@given(
    events=st.lists(st.tuples(st.integers(0, 200 * US_PER_S), EVENTS), max_size=25),
    package=st.sampled_from((MULTICAST_V1, MULTICAST_V2)),
)
def test_a_session_that_opens_closes_once_and_in_time(
    events: list[tuple[int, PackageDownlink | EndSession | TimeKnown]], package: object
) -> None:
    assert package in (MULTICAST_V1, MULTICAST_V2)
    device = MulticastDevice(
        MulticastConfig(KE_KEY, lambda freq_hz: freq_hz > 0, lambda data_rate: data_rate < 6, package)  # type: ignore[arg-type]
    )
    groups: set[int] = set()
    opened: dict[int, OpenSession] = {}
    now = 0

    def take(effects: object) -> None:
        for effect in effects:  # type: ignore[attr-defined]
            match effect:
                case GroupDefined():
                    assert effect.mc_group_id not in opened  # it was closed before
                    groups.add(effect.mc_group_id)
                case GroupDeleted():
                    assert effect.mc_group_id not in opened
                    groups.remove(effect.mc_group_id)
                case OpenSession():
                    assert effect.mc_group_id in groups
                    assert effect.mc_group_id not in opened
                    assert effect.closes_at > now
                    opened[effect.mc_group_id] = effect
                case CloseSession():
                    assert opened.pop(effect.mc_group_id).mc_class is effect.mc_class
                case _:
                    pass

    def run_until(until: int) -> None:
        nonlocal now
        while device.wake_at is not None and device.wake_at <= until:
            now = max(now, device.wake_at)
            take(device.wake(now))
            assert all(session.closes_at > now for session in opened.values())
        now = until

    for after_us, event in events:
        run_until(now + after_us)
        take(device.handle(event, now))
        status = device.handle(PackageDownlink(McGroupStatusReq(0xF).encode()), now)
        (uplink,) = status
        assert isinstance(uplink, PackageUplink)
        (answer,) = uplink.commands
        assert isinstance(answer, McGroupStatusAns)
        assert answer.nb_total_groups == len(groups)
        assert {mc_group_id for mc_group_id, _ in answer.groups} == groups
    run_until(now + 1000 * US_PER_S)
    assert not opened


@given(mc_key=aes_keys(), ke_key=aes_keys(), mc_addr=dev_addrs())
def test_a_device_that_is_let_in_derives_the_keys_of_the_group(
    mc_key: AesKey, ke_key: AesKey, mc_addr: DevAddr
) -> None:
    device = MulticastDevice(MulticastConfig(ke_key, lambda _: True, lambda _: True))
    setup = McGroup(0, mc_addr, mc_key, 0, 1).setup(ke_key)
    effects = device.handle(PackageDownlink(setup.encode()), 0)
    assert GroupDefined(0, mc_addr, derive_mc_session_keys(mc_key, mc_addr), 0, 1) in effects
