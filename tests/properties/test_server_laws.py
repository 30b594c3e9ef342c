"""Laws of the server core: no replay, counters found again, keys that never differ, restarts that repeat nothing."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from join_oracle import Accepted, Oracle
from mac_pairs import frame_of

from lorawan import mac_commands as mac
from lorawan.crypto import SessionKeys
from lorawan.device import StartRejoin
from lorawan.frames import FCtrlUp, JoinRequest, RejoinRequest02, RejoinRequest1, parse
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.regions import EU868
from lorawan.secured import seal_up
from lorawan.server import (
    Answer,
    AppUplink,
    JoinAnswer,
    JoinHeard,
    JoinSettings,
    Operation,
    Picture,
    Registration,
    RejoinHeard,
    ServerCore,
    ServerEffect,
    ServerPersist,
    ServerSession,
    SessionMemory,
    SessionSettings,
    UplinkHeard,
)
from lorawan.strategies import data_ups, mac_commands
from lorawan.testing import Pair, abp_device, otaa_device, perfect, silent
from lorawan.units import US_PER_HOUR
from lorawan.version import Version

KEYS_10 = SessionKeys.for_10(AesKey(b"n" * 16), AesKey(b"a" * 16))
KEYS_11 = SessionKeys(AesKey(b"f" * 16), AesKey(b"s" * 16), AesKey(b"e" * 16), AesKey(b"a" * 16))
ADDR = DevAddr(0x26000001)
versions = st.sampled_from(Version)
# What a version survives: MAX_FCNT_GAP before 1.0.4 (1.0.3 §4.3.1.5), from then on what 16 bits tell apart
BOUND = {Version.V1_0_2: 16_383, Version.V1_0_3: 16_383, Version.V1_0_4: 65_535, Version.V1_1: 65_535}


def session(version: Version, f_cnt_up: int | None = None, *, relaxed: bool = False) -> ServerSession:
    keys, picture = KEYS_11 if version.is_1_1 else KEYS_10, Picture.of(EU868)
    operation = Operation(relaxed_f_cnt=relaxed)
    made = SessionSettings(version, EU868, ADDR, keys, version.is_1_1, False, picture, operation=operation)
    return ServerSession(made, SessionMemory(picture, f_cnt_up=f_cnt_up, begun=True))


def uplink(version: Version, f_cnt: int, f_opts: bytes = b"", *, confirmed: bool = False) -> UplinkHeard:
    payload = seal_up(
        KEYS_11 if version.is_1_1 else KEYS_10,
        is_1_1=version.is_1_1,
        confirmed=confirmed,
        dev_addr=ADDR,
        f_ctrl=FCtrlUp(adr=True),
        f_cnt=f_cnt,
        f_opts=f_opts,
        f_port=1,
        payload=b"reading",
        tx_dr=5,
        tx_ch=0,
    )
    return UplinkHeard(frame_of(payload), 5.0, 5, 0, 1)


def accepted(core: ServerSession, event: UplinkHeard) -> bool:
    return any(isinstance(effect, AppUplink) for effect in core.handle(event, 0))


@given(versions, st.integers(0, 0xFFFF0000), st.data())
def test_counters_are_found_again_over_any_loss_that_the_version_survives(
    version: Version, start: int, draw: st.DataObject
) -> None:
    core, f_cnt = session(version, start), start
    for _ in range(draw.draw(st.integers(1, 5))):
        f_cnt += draw.draw(st.integers(1, BOUND[version]))
        assume(f_cnt <= 0xFFFFFFFF)
        assert accepted(core, uplink(version, f_cnt))
        assert core.memory.f_cnt_up == f_cnt


@given(versions, st.lists(st.integers(0, 40), min_size=1, max_size=40), st.integers(0, 0x20000))
def test_no_counter_is_accepted_twice_in_whatever_order_frames_come(
    version: Version, steps: list[int], base: int
) -> None:
    core = session(version, base - 1 if base else None)
    taken = [step for step in steps if accepted(core, uplink(version, base + step))]
    assert taken == sorted(set(taken))


@given(versions, st.lists(st.integers(0, 30), min_size=1, max_size=20), st.data())
def test_no_frame_is_accepted_by_a_restarted_network_that_the_first_one_had(
    version: Version, f_cnts: list[int], draw: st.DataObject
) -> None:
    core, taken = session(version), set()
    for f_cnt in f_cnts:
        if accepted(core, uplink(version, f_cnt)):
            assert f_cnt not in taken
            taken.add(f_cnt)
        if draw.draw(st.booleans()):
            core = ServerSession(core.settings, core.memory)


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_relaxed_counters_fall_only_to_a_new_beginning(last: int, low16: int) -> None:
    core = session(Version.V1_0_3, last, relaxed=True)
    before = core.memory.f_cnt_up
    if accepted(core, uplink(Version.V1_0_3, low16)):
        assert core.memory.f_cnt_up == low16 != before


@settings(max_examples=200)
@given(versions, data_ups(), st.integers(0, 5), st.integers(0, 20))
def test_no_frame_with_another_mic_does_anything(version: Version, frame: object, dr: int, tx_ch: int) -> None:
    core = session(version, 5)
    before = core.memory
    effects = core.handle(UplinkHeard(replace(frame, dev_addr=ADDR), 0.0, dr, tx_ch, 1), 0)  # type: ignore[type-var]
    assert not any(isinstance(effect, AppUplink | Answer) for effect in effects)
    assert core.memory == before


@settings(max_examples=200)
@given(versions, st.lists(mac_commands(uplink=True), max_size=4), st.booleans())
def test_no_genuine_command_stops_the_session(version: Version, commands: list[mac.MacCommand], more: bool) -> None:
    core = session(version)
    for request in (mac.RxTimingSetupReq(3), mac.NewChannelReq(3, 867_100_000, 5, 0), mac.DevStatusReq()):
        core.requests.ask((request,), version, EU868)
    accepted(core, uplink(version, 0))
    block = mac.whole_commands(mac.encode_commands(commands), uplink=True)
    for f_cnt in range(1, 2 + more):
        assert accepted(core, uplink(version, f_cnt, block, confirmed=True))


# -- joins and rejoins against an independent device -------------------------------------------------------------------

ORACLE = Oracle(bytes(range(16, 32)), bytes(range(16)), Eui64(7).to_wire(), Eui64(9).to_wire())
NET_ID = NetId(0x13)


def network() -> ServerCore:
    keys = {"app_key": AesKey(ORACLE.app_key), "nwk_key": AesKey(ORACLE.nwk_key)}
    return ServerCore(Registration(Version.V1_1, EU868, Eui64(9), ADDR, JoinSettings(NET_ID), **keys))


class OracleDevice:
    """A 1.1 device that takes an accept or loses it."""

    def __init__(self) -> None:
        self.session: Accepted | None = None
        self.dev_nonce = self.rj_count0 = self.rj_count1 = self.f_cnt = 0

    def request(self, kind: int) -> tuple[bytes, int, int]:
        """kind: 255 a join, else a rejoin type. Returns the frame, JoinReqType and the nonce."""
        if kind == 0xFF or self.session is None:
            self.dev_nonce += 1
            return ORACLE.join_request(self.dev_nonce), 0xFF, self.dev_nonce
        if kind == 1:
            self.rj_count1 += 1
            return ORACLE.rejoin_1(self.rj_count1), 1, self.rj_count1
        count = self.rj_count0
        self.rj_count0 += 1
        return ORACLE.rejoin_02(kind, NET_ID, count, self.session.keys[1]), kind, count

    def take(self, accept: bytes, kind: int, nonce: int) -> None:
        self.session = ORACLE.accept_11(accept, kind, nonce)
        self.rj_count0 = self.f_cnt = 0

    def uplink(self) -> bytes:
        assert self.session is not None
        keys = SessionKeys(*map(AesKey, self.session.keys))
        f_cnt, self.f_cnt = self.f_cnt, self.f_cnt + 1
        return seal_up(
            keys,
            is_1_1=True,
            confirmed=False,
            dev_addr=ADDR,
            f_ctrl=FCtrlUp(),
            f_cnt=f_cnt,
            f_opts=mac.RekeyInd(1).encode(),
            f_port=1,
            payload=b"x",
        )


def hear(core: ServerCore, payload: bytes) -> list[ServerEffect]:
    frame = parse(payload, uplink=True)
    if isinstance(frame, JoinRequest):
        return list(core.handle(JoinHeard(frame), 0))
    if isinstance(frame, RejoinRequest02 | RejoinRequest1):
        return list(core.handle(RejoinHeard(frame), 0))
    return list(core.handle(UplinkHeard(frame_of(payload), 5.0, 0, 0, 1), 0))


steps = st.tuples(
    st.sampled_from((0xFF, 0, 1, 2, 3)),  # 3: an uplink
    st.sampled_from(("arrives", "request lost", "accept lost")),
    st.booleans(),  # the network restarts
)


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=12))
def test_keys_are_equal_after_any_sequence_of_joins_and_rejoins_with_losses(
    script: list[tuple[int, str, bool]],
) -> None:
    """Up to eight accepts in a row may be lost (`lorawan.server.core.MAX_OFFERED`)."""
    core, device, lost = network(), OracleDevice(), 0
    for kind, fate, restarts in script:
        if kind == 3:
            if device.session is not None and fate == "arrives" and device.f_cnt <= 60:
                effects = hear(core, device.uplink())
                assert any(isinstance(effect, AppUplink) for effect in effects)
                lost = 0
        elif lost < 7:
            frame, join_req_type, nonce = device.request(kind)
            if fate != "request lost":
                effects = hear(core, frame)
                persist = next(i for i, e in enumerate(effects) if isinstance(e, ServerPersist))
                (at,) = [i for i, e in enumerate(effects) if isinstance(e, JoinAnswer)]
                assert persist < at
                answer = effects[at]
                assert isinstance(answer, JoinAnswer)
                lost += 1
                if fate == "arrives":
                    device.take(answer.phy_payload, join_req_type, nonce)
        if restarts:
            core = ServerCore(core.device, core.memory)
    if device.session is not None:
        assert any(isinstance(effect, AppUplink) for effect in hear(core, device.uplink()))
        assert core.session is not None
        own = core.session.settings.keys
        assert (own.f_nwk_s_int_key, own.s_nwk_s_int_key, own.nwk_s_enc_key, own.app_s_key) == device.session.keys


@settings(max_examples=40, deadline=None)
@given(versions, st.booleans(), st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=12))
def test_device_and_network_stay_together_whatever_is_lost_and_whenever_the_network_restarts(
    version: Version, personalised: bool, script: list[tuple[bool, bool, bool]]
) -> None:
    pair = Pair(abp_device(version) if personalised else otaa_device(version))
    if not personalised:
        pair.join()
    for k, (up, down, restarts) in enumerate(script):
        pair.up = (lambda _: (0,)) if up else (lambda _: ())
        pair.down = (lambda _: (0,)) if down else (lambda _: ())
        if k % 3 == 0:
            pair.ask(mac.RxTimingSetupReq(delay_s=1 + k % 15))
        pair.send(bytes([k]), confirmed=k % 2 == 0)
        if restarts:
            pair.restart_network()
    pair.up = pair.down = lambda _: (0,)
    pair.send(b"again", confirmed=True)
    assert pair.delivered[-1] == b"again"
    assert len(pair.delivered) == len(set(pair.delivered))
    assert pair.missed == []


rejoin_steps = st.tuples(
    st.sampled_from(("join", 0, 1, "send")), st.booleans(), st.booleans(), st.booleans()
)  # uplink and downlink arrive; the network restarts


@settings(max_examples=40, deadline=None)
@given(st.lists(rejoin_steps, max_size=8))
def test_our_own_device_and_network_have_the_same_keys_after_joins_and_rejoins(
    script: list[tuple[str | int, bool, bool, bool]],
) -> None:
    pair = Pair(otaa_device(Version.V1_1))
    pair.join()
    for kind, up, down, restarts in script:
        pair.now += 24 * US_PER_HOUR  # past the duty cycle of any rejoin
        pair.up = perfect if up or kind == "join" else silent
        pair.down = perfect if down or kind == "join" else silent
        match kind:
            case "join":
                pair.join()
            case 0 | 1:
                pair.feed(StartRejoin(kind))
                pair.run()
            case _:
                pair.send(b"x", confirmed=True)
        if restarts:
            pair.restart_network()
    pair.now += 24 * US_PER_HOUR
    pair.up = pair.down = perfect
    pair.send(b"last", confirmed=True)
    assert pair.delivered[-1] == b"last"
    assert pair.device.session is not None
    assert pair.server.session is not None
    assert pair.device.session.keys == pair.server.session.settings.keys
    assert pair.device.session.plan == pair.server.session.picture.plan
    assert pair.missed == []
