"""Remote multicast setup (TS005): keys, the table of groups, and sessions by the clock."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from lorawan.crypto import (
    decrypt_mc_key,
    derive_mc_ke_key,
    derive_mc_root_key_10,
    derive_mc_root_key_11,
    derive_mc_session_keys,
    encrypt_mc_key,
)
from lorawan.errors import FrameError
from lorawan.ids import AesKey, DevAddr
from lorawan.machine import Dropped
from lorawan.packages.asking import Answered, Ask
from lorawan.packages.commands import PackageCommand, PackageVersionAns, PackageVersionReq, encode_commands
from lorawan.packages.events import PackageDownlink, PackageUplink, PackageUplinkHeard, TimeKnown
from lorawan.packages.multicast import (
    MULTICAST_V1,
    CloseSession,
    EndSession,
    GroupDefined,
    GroupDeleted,
    McClass,
    McClassBSessionAns,
    McClassBSessionAnsV1,
    McClassBSessionReq,
    McClassCSessionAns,
    McClassCSessionAnsV1,
    McClassCSessionReq,
    McGroup,
    McGroupDeleteAns,
    McGroupDeleteReq,
    McGroupSetupAns,
    McGroupStatusAns,
    McGroupStatusReq,
    MulticastConfig,
    MulticastDevice,
    MulticastServer,
    OpenSession,
    SessionPlanned,
    class_b_session,
)
from lorawan.units import US_PER_S

KE_KEY = AesKey(bytes(range(16)))
MC_KEY = AesKey(bytes(range(16, 32)))
ADDR = DevAddr(0x01020304)
GROUP = McGroup(1, ADDR, MC_KEY, 5, 1000)
FREQ_HZ = 869_525_000
GPS_S = 1_400_000_000


def aes(key: bytes, block: bytes) -> bytes:
    """One block by another library."""
    encryptor = Cipher(AES(key), ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def test_keys_are_the_blocks_of_the_specification_under_another_library() -> None:
    root, wire = AesKey(bytes(range(100, 116))), bytes.fromhex("04030201")
    assert derive_mc_root_key_10(root) == aes(root, bytes(16))
    assert derive_mc_root_key_11(root) == aes(root, b"\x20" + bytes(15))
    assert derive_mc_ke_key(root) == aes(root, bytes(16))
    assert decrypt_mc_key(KE_KEY, bytes(MC_KEY)) == aes(KE_KEY, MC_KEY)
    keys = derive_mc_session_keys(MC_KEY, ADDR)
    assert keys.mc_app_s_key == aes(MC_KEY, b"\x01" + wire + bytes(11))
    assert keys.mc_nwk_s_key == aes(MC_KEY, b"\x02" + wire + bytes(11))
    assert decrypt_mc_key(KE_KEY, encrypt_mc_key(KE_KEY, MC_KEY)) == MC_KEY
    with pytest.raises(FrameError, match="McKey"):
        decrypt_mc_key(KE_KEY, b"short")


def device_of(**changes: object) -> MulticastDevice:
    fields: dict[str, object] = {
        "mc_ke_key": KE_KEY,
        "frequency_ok": lambda freq_hz: freq_hz == FREQ_HZ,
        "data_rate_ok": lambda data_rate: data_rate <= 5,
    }
    device = MulticastDevice(MulticastConfig(**(fields | changes)))  # type: ignore[arg-type]
    device.handle(TimeKnown(GPS_S * US_PER_S), 0)
    return device


def with_group(**changes: object) -> MulticastDevice:
    device = device_of(**changes)
    device.handle(down(GROUP.setup(KE_KEY)), 0)
    return device


def down(*commands: PackageCommand, room: int = 51) -> PackageDownlink:
    return PackageDownlink(encode_commands(commands), room_bytes=room)


def answers_of(effects: object) -> list[PackageCommand]:
    assert isinstance(effects, list | tuple)
    return [command for effect in effects if isinstance(effect, PackageUplink) for command in effect.commands]


def test_a_device_that_is_let_in_has_the_keys_of_the_group() -> None:
    effects = device_of().handle(down(GROUP.setup(KE_KEY)), 0)
    assert answers_of(effects) == [McGroupSetupAns(1, False)]
    assert GroupDefined(1, ADDR, GROUP.keys, 5, 1000) in effects


def test_no_key_shows() -> None:
    effects = device_of().handle(down(GROUP.setup(KE_KEY)), 0)
    assert GROUP.keys.mc_app_s_key.hex() not in repr(effects)


def test_a_device_has_only_so_many_places() -> None:
    device = device_of(max_groups=1)
    assert answers_of(device.handle(down(GROUP.setup(KE_KEY)), 0)) == [McGroupSetupAns(1, True)]
    assert answers_of(device.handle(down(McGroupStatusReq(0xF)), 0)) == [McGroupStatusAns(0, 0, b"")]


def test_the_status_lists_what_is_asked_for_and_has_room() -> None:
    device = device_of()
    addresses = [DevAddr(i) for i in range(4)]
    for i, addr in enumerate(addresses):
        device.handle(down(McGroup(i, addr, MC_KEY, 0, 9).setup(KE_KEY)), 0)
    every = tuple(enumerate(addresses))
    assert answers_of(device.handle(down(McGroupStatusReq(0xF)), 0)) == [McGroupStatusAns.of_groups(4, every)]
    assert answers_of(device.handle(down(McGroupStatusReq(0b1010)), 0)) == [
        McGroupStatusAns.of_groups(4, (every[1], every[3]))
    ]
    # TS005-2.0.0 §4.2: the highest McGroupIDs are left out; 2 bytes and 5 for each
    assert answers_of(device.handle(down(McGroupStatusReq(0xF), room=16), 0)) == [
        McGroupStatusAns.of_groups(4, every[:2])
    ]


def test_a_group_is_deleted_once() -> None:
    device = with_group()
    effects = device.handle(down(McGroupDeleteReq(1)), 0)
    assert answers_of(effects) == [McGroupDeleteAns(1, False)]
    assert GroupDeleted(1) in effects
    effects = device.handle(down(McGroupDeleteReq(1)), 0)
    assert answers_of(effects) == [McGroupDeleteAns(1, True)]
    assert len(effects) == 1


def session_c(after_s: int, time_out: int = 8, **changes: int) -> McClassCSessionReq:
    fields = {"mc_group_id": 1, "dl_freq_hz": FREQ_HZ, "data_rate": 3} | changes
    return McClassCSessionReq(session_time=(GPS_S + after_s) % (1 << 32), time_out=time_out, **fields)


def test_a_class_c_session_opens_and_closes_by_the_clock() -> None:
    device = with_group()
    effects = device.handle(down(session_c(60)), 0)
    assert answers_of(effects) == [McClassCSessionAns(1, False, False, False, 60, False, 0)]
    start = 60 * US_PER_S
    assert device.wake_at == start
    assert device.wake(start - 1) == []
    closes_at = start + 256 * US_PER_S  # TS005-2.0.0 §4.5: TimeOut 8 is 256 s
    assert device.wake(start) == [OpenSession(1, McClass.C, FREQ_HZ, 3, None, closes_at)]
    assert device.wake_at == closes_at
    assert device.wake(closes_at) == [CloseSession(1, McClass.C)]
    assert device.wake_at is None


def test_a_class_b_session_counts_in_beacon_periods() -> None:
    device = with_group()
    session_time = (GPS_S // 128 + 2) * 128
    request = class_b_session(1, session_time, 8, 4, 0, 3)
    assert answers_of(device.handle(down(request), 0)) == [
        McClassBSessionAns(1, False, False, False, session_time - GPS_S, False, 0)
    ]
    start = (session_time - GPS_S) * US_PER_S
    # TS005-2.0.0 §4.6: TimeOut 8 is roughly 9.1 hours, 128 · 2^8 s
    assert device.wake(start) == [OpenSession(1, McClass.B, 0, 3, 4, start + 32_768 * US_PER_S)]
    with pytest.raises(FrameError, match="SessionTime"):
        class_b_session(1, session_time + 1, 8, 4, 0, 3)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (session_c(60, data_rate=9), McClassCSessionAns(1, True, False, False, 0, False, 0)),
        (session_c(60, dl_freq_hz=868_100_000), McClassCSessionAns(1, False, True, False, 0, False, 0)),
        (session_c(60, mc_group_id=2), McClassCSessionAns(2, False, False, True, 0, False, 0)),
        (session_c(-1), McClassCSessionAns(1, False, False, False, 0, True, 0)),
        (McClassBSessionReq(1, 0, 0, 0, 100, 9), McClassBSessionAns(1, True, True, False, 0, True, 0)),
    ],
)
def test_sessions_that_are_refused(request_: PackageCommand, answer: PackageCommand) -> None:
    device = with_group()
    assert answers_of(device.handle(down(request_), 0)) == [answer]
    assert device.wake_at is None


def test_a_start_too_far_away_says_that_the_clock_is_wrong() -> None:
    # TS005-2.0.0 §4.5: beyond 2^24 − 1 s the answer is FFFFFF
    device = with_group()
    (answer,) = answers_of(device.handle(down(session_c(1 << 24)), 0))
    assert answer == McClassCSessionAns(1, False, False, False, 0xFFFFFF, False, 0)


def test_a_session_moves_with_the_clock() -> None:
    device = with_group()
    device.handle(down(session_c(60)), 0)
    device.handle(TimeKnown((GPS_S + 10) * US_PER_S), 0)
    assert device.wake_at == 50 * US_PER_S
    device.handle(TimeKnown((GPS_S + 10_000) * US_PER_S), 0)
    (dropped,) = device.wake(0)
    assert isinstance(dropped, Dropped)
    assert device.wake_at is None


def test_the_application_may_end_a_session() -> None:
    device = with_group()
    device.handle(down(session_c(60)), 0)
    assert device.handle(EndSession(1), 0) == []  # not open yet: nothing to close
    device.handle(down(session_c(60)), 0)
    device.wake(60 * US_PER_S)
    assert device.handle(EndSession(1), 61 * US_PER_S) == [CloseSession(1, McClass.C)]
    assert device.wake_at is None


def test_a_new_session_takes_the_place_of_the_old() -> None:
    device = with_group()
    device.handle(down(session_c(60)), 0)
    device.wake(60 * US_PER_S)
    effects = device.handle(down(session_c(120)), 61 * US_PER_S)
    assert CloseSession(1, McClass.C) in effects
    assert device.wake_at == 120 * US_PER_S


def test_version_1_cannot_say_that_a_start_was_missed() -> None:
    device = with_group(package=MULTICAST_V1)
    assert answers_of(device.handle(down(session_c(-5)), 0)) == [McClassCSessionAnsV1(1, False, False, False, 0)]
    (opened,) = device.wake(0)
    assert isinstance(opened, OpenSession)
    assert opened.closes_at == (256 - 5) * US_PER_S


def test_version_1_answers_a_class_b_session_without_that_bit() -> None:
    """TS005-1.0.0 §4.6: Status has the group and three errors; TimeToStart follows where there is none."""
    device = with_group(package=MULTICAST_V1)
    session_time = (GPS_S // 128 + 2) * 128
    planned = McClassBSessionReq(1, session_time, 8, 4, 0, 3)
    assert answers_of(device.handle(down(planned), 0)) == [
        McClassBSessionAnsV1(1, False, False, False, session_time - GPS_S)
    ]
    refused = McClassBSessionReq(2, session_time, 8, 4, 0, 9)
    assert answers_of(device.handle(down(refused), 0)) == [McClassBSessionAnsV1(2, True, False, True, 0)]


def test_multicast_is_dropped() -> None:
    (dropped,) = device_of().handle(PackageDownlink(PackageVersionReq().encode(), mc_group_id=0), 0)
    assert isinstance(dropped, Dropped)
    assert answers_of(device_of().handle(down(PackageVersionReq()), 0)) == [PackageVersionAns(2, 2)]


def test_the_server_learns_how_wrong_the_clock_is() -> None:
    server = MulticastServer(again_us=100)
    request = session_c(60)
    server.handle(Ask(request), 0)
    late = McClassCSessionAns(1, False, False, False, 63, False, 0)
    effects = server.handle(PackageUplinkHeard(late.encode(), GPS_S * US_PER_S), 0)
    assert effects == [Answered(request, late), SessionPlanned(1, 3)]
    assert server.wake_at is None
    server.handle(Ask(request), 0)
    lost = McClassCSessionAns(1, False, False, False, 0xFFFFFF, False, 0)
    effects = server.handle(PackageUplinkHeard(lost.encode(), GPS_S * US_PER_S), 0)
    assert effects == [Answered(request, lost), SessionPlanned(1, None)]


def test_the_server_tells_groups_apart() -> None:
    server = MulticastServer(again_us=100)
    server.handle(Ask(McGroupDeleteReq(1)), 0)
    server.handle(Ask(McGroupDeleteReq(2)), 0)
    answer = McGroupDeleteAns(2, False)
    assert server.handle(PackageUplinkHeard(answer.encode()), 0) == [Answered(McGroupDeleteReq(2), answer)]
    assert server.wake_at == 100
    with pytest.raises(FrameError):
        McGroup(0, ADDR, MC_KEY, 2, 1).setup(KE_KEY)
