"""The network's downlink queue, confirmed downlinks, acknowledgements, and the counters of both directions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mac_pairs import abp, frame_of, joined, otaa

from lorawan import mac_commands as mac
from lorawan.crypto import SessionKeys
from lorawan.errors import MisuseError
from lorawan.frames import DataDown, FCtrlUp, parse
from lorawan.ids import AesKey, DevAddr
from lorawan.machine import Dropped
from lorawan.regions import EU868
from lorawan.secured import seal_up
from lorawan.server import (
    Answer,
    AppUplink,
    Ask,
    DownlinkAcknowledged,
    DownlinkUnacknowledged,
    Operation,
    Picture,
    QueueDownlink,
    Repeated,
    ServerCore,
    ServerPersist,
    ServerSession,
    SessionSettings,
    UplinkHeard,
)
from lorawan.server.downlinks import MAX_QUEUED
from lorawan.testing import Pair, Script, silent
from lorawan.version import Version

OLD, NEW = (Version.V1_0_2, Version.V1_0_3), (Version.V1_0_4, Version.V1_1)
KEYS = SessionKeys.for_10(AesKey(b"n" * 16), AesKey(b"a" * 16))
ADDR = DevAddr(0x26000001)


def data_down(pair: Pair) -> list[DataDown]:
    frames = [parse(answer.payload, uplink=False) for answer in pair.answers]
    return [frame for frame in frames if isinstance(frame, DataDown)]


def settled(version: Version) -> Pair:
    pair = joined(version)
    pair.send(b"first")
    pair.answers.clear()
    return pair


def session(version: Version = Version.V1_0_3, *, relaxed: bool = False, over_the_air: bool = False) -> ServerSession:
    operation = Operation(relaxed_f_cnt=relaxed)
    picture = Picture.of(EU868)
    return ServerSession(SessionSettings(version, EU868, ADDR, KEYS, False, over_the_air, picture, operation=operation))


def heard(f_cnt: int, *, confirmed: bool = False, f_opts: bytes = b"") -> UplinkHeard:
    payload = seal_up(
        KEYS,
        is_1_1=False,
        confirmed=confirmed,
        dev_addr=ADDR,
        f_ctrl=FCtrlUp(),
        f_cnt=f_cnt,
        f_opts=f_opts,
        f_port=1,
        payload=b"reading",
    )
    return UplinkHeard(frame_of(payload), 5.0, 5, 0, 1)


def outcome(core: ServerSession, f_cnt: int, *, confirmed: bool = False) -> str:
    """How the frame with this counter is taken."""
    first = core.handle(heard(f_cnt, confirmed=confirmed), 0)[0]
    return first.reason if isinstance(first, Dropped) else type(first).__name__


class TestQueue:
    def test_higher_priorities_first_then_the_order_of_coming(self) -> None:
        pair = settled(Version.V1_0_4)
        for payload, priority in ((b"a", 0), (b"b", 5), (b"c", 0), (b"d", 5), (b"e", 9)):
            pair.server.handle(QueueDownlink(7, payload, priority=priority), pair.now)
        for _ in range(5):
            pair.send(b"x")
        assert pair.received == [b"e", b"b", b"d", b"a", b"c"]

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_f_pending_tells_that_more_waits(self, version: Version) -> None:
        """LoRaWAN 1.0.4 §4.3.1.4."""
        pair = settled(version)
        pair.queue(b"a")
        pair.queue(b"b")
        pair.send(b"x")
        pair.send(b"x")
        assert [frame.f_ctrl.f_pending for frame in data_down(pair)] == [True, False]

    def test_a_full_queue_takes_no_more(self) -> None:
        pair = settled(Version.V1_0_4)
        for _ in range(MAX_QUEUED):
            assert pair.server.handle(QueueDownlink(7, b"x"), pair.now) == []
        (refused,) = pair.server.handle(QueueDownlink(7, b"x"), pair.now)
        assert isinstance(refused, Dropped)
        assert refused.reason == "queue_full"

    def test_what_is_queued_outlives_a_new_session(self) -> None:
        pair = settled(Version.V1_0_4)
        pair.queue(b"valve")
        pair.join()
        pair.send(b"x")
        assert pair.received == [b"valve"]


class TestConfirmed:
    @pytest.mark.parametrize("version", Version, ids=str)
    def test_an_acknowledgement_is_told(self, version: Version) -> None:
        pair = settled(version)
        pair.queue(b"valve", confirmed=True)
        pair.send(b"x")
        pair.send(b"x")
        assert [e.downlink.payload for e in pair.of(DownlinkAcknowledged)] == [b"valve"]
        assert pair.of(DownlinkUnacknowledged) == []

    @pytest.mark.parametrize("version", OLD, ids=str)
    def test_before_1_0_4_it_is_repeated_with_its_counter_until_it_is_acknowledged(self, version: Version) -> None:
        """1.0.3 §4.3.1.3: the number of retransmissions is the sender's choice."""
        pair = settled(version)
        pair.queue(b"valve", confirmed=True)
        pair.queue(b"next")
        pair.down = Script([(), (), ()])
        for _ in range(5):
            pair.send(b"x")
        down = data_down(pair)
        assert [(frame.f_cnt, frame.confirmed) for frame in down[:4]] == [(down[0].f_cnt, True)] * 4
        assert len({frame.frm_payload for frame in down[:4]}) == 1
        assert pair.received == [b"valve", b"next"]
        assert len(pair.of(DownlinkAcknowledged)) == 1

    @pytest.mark.parametrize("version", OLD, ids=str)
    def test_before_1_0_4_it_is_given_up_after_eight(self, version: Version) -> None:
        pair = settled(version)
        pair.queue(b"valve", confirmed=True)
        pair.down = silent
        for _ in range(12):
            pair.send(b"x")
        assert [e.tries for e in pair.of(DownlinkUnacknowledged)] == [8]
        assert len(data_down(pair)) == 8

    @pytest.mark.parametrize("version", NEW, ids=str)
    def test_from_1_0_4_on_it_is_never_repeated_and_the_application_is_told(self, version: Version) -> None:
        """1.0.4 §4.3.1.3, 1.1 §4.3.1.3."""
        pair = settled(version)
        pair.queue(b"valve", confirmed=True)
        pair.down = Script([()])
        for _ in range(3):
            pair.send(b"x")
        assert [(e.downlink.payload, e.tries) for e in pair.of(DownlinkUnacknowledged)] == [(b"valve", 1)]
        assert len(data_down(pair)) == 1

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_one_at_a_time_awaits_its_acknowledgement(self, version: Version) -> None:
        """Also where copies of one uplink are answered each: an ACK bit cannot say which of two it means."""
        pair = settled(version)
        pair.ask(mac.LinkAdrReq(data_rate=5, tx_power=0, ch_mask=7, ch_mask_cntl=0, nb_trans=3))
        pair.send(b"asks")
        pair.send(b"answers", confirmed=True)
        pair.answers.clear()
        pair.queue(b"one", confirmed=True)
        pair.queue(b"two", confirmed=True)
        pair.up, pair.down = Script([(0, 400_000)]), silent
        pair.send(b"alarm", confirmed=True)
        first, second = data_down(pair)[:2]
        assert first.confirmed
        assert (second.f_cnt, second.frm_payload) == (first.f_cnt, first.frm_payload) or not second.confirmed

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_no_downlink_counter_is_used_for_two_payloads(self, version: Version) -> None:
        pair = settled(version)
        pair.down = Script([(), (0,), ()] * 10)
        for k in range(10):
            pair.queue(bytes([k]), confirmed=k % 2 == 0)
        for _ in range(25):
            pair.send(b"x", confirmed=True)
        used = {}
        for frame in data_down(pair):
            application = version.is_1_1 and bool(frame.f_port)
            key = (application, frame.f_cnt)
            assert used.setdefault(key, frame.frm_payload) == frame.frm_payload


class TestAcknowledging:
    @pytest.mark.parametrize("version", Version, ids=str)
    def test_a_copy_of_a_confirmed_uplink_is_acknowledged_again(self, version: Version) -> None:
        """1.0.4 §4.3.1.2: the acknowledgement was lost, so the device sends again."""
        pair = settled(version)
        pair.up = Script([(0, 400_000)])
        pair.send(b"alarm", confirmed=True)
        assert len(pair.of(Repeated)) == 1
        wanted = 2 if version in OLD else 1  # one copy is all that NbTrans 1 allows
        assert len(data_down(pair)) == wanted

    def test_more_copies_than_nb_trans_are_not_answered(self) -> None:
        """1.1 §4.3.1.3: the network shall not process the extra frames."""
        core = session(Version.V1_0_4)
        core.handle(heard(0, confirmed=True), 0)
        answered = [any(isinstance(e, Answer) for e in core.handle(heard(0, confirmed=True), 0)) for _ in range(3)]
        assert answered == [False] * 3
        assert outcome(core, 0, confirmed=True) == "Repeated"


class TestImpossibleAnswers:
    @pytest.mark.parametrize(
        ("request_", "answer"),
        [
            (mac.RxParamSetupReq(7, 0, 869_525_000), mac.RxParamSetupAns(True, True, True)),
            (mac.RxParamSetupReq(0, 15, 869_525_000), mac.RxParamSetupAns(True, True, True)),
            (mac.RxParamSetupReq(0, 8, 869_525_000), mac.RxParamSetupAns(True, True, True)),
            (mac.PingSlotChannelReq(0, 15), mac.PingSlotChannelAns(True, True)),
            (mac.NewChannelReq(40, 867_100_000, 5, 0), mac.NewChannelAns(True, True)),
            (mac.NewChannelReq(3, 915_000_000, 15, 14), mac.NewChannelAns(True, True)),
            (mac.DlChannelReq(200, 867_100_000), mac.DlChannelAns(True, True)),
            (mac.LinkAdrReq(14, 14, 0, 7, 0), mac.LinkAdrAns(True, True, True)),
        ],
        ids=str,
    )
    def test_a_device_that_accepts_what_cannot_be_is_still_answered(
        self, request_: mac.MacCommand, answer: mac.MacCommand
    ) -> None:
        """A bench asks for such things on purpose (TS009 does), and firmware under test may say yes."""
        core = session(Version.V1_0_4)
        before = core.picture
        core.handle(Ask((request_,)), 0)
        core.handle(heard(0), 0)
        core.handle(heard(1, f_opts=answer.encode()), 0)
        effects = core.handle(heard(2, confirmed=True), 0)
        assert any(isinstance(effect, Answer) for effect in effects)
        core.handle(QueueDownlink(7, b"x"), 0)
        assert any(isinstance(effect, Answer) for effect in core.handle(heard(3, confirmed=True), 0))
        assert core.picture == before


class TestCounters:
    @pytest.mark.parametrize("version", OLD, ids=str)
    def test_a_gap_of_16384_ends_the_reception_before_1_0_4(self, version: Version) -> None:
        """1.0.3 §4.3.1.5, MAX_FCNT_GAP 16384 (RP002-1.0.4 §2.4)."""
        core = session(version)
        assert [outcome(core, f_cnt) for f_cnt in (10, 10 + 16_383, 10 + 16_383 + 16_384)] == [
            "AppUplink",
            "AppUplink",
            "f_cnt_gap",
        ]

    def test_the_counter_is_recovered_over_a_loss_of_65535(self) -> None:
        core = session(Version.V1_0_4)
        f_cnts = (0, 65_535, 131_070, 131_071, 196_000)
        assert [outcome(core, f_cnt) for f_cnt in f_cnts] == ["AppUplink"] * 5
        assert core.memory.f_cnt_up == 196_000
        assert outcome(core, 195_999) == "f_cnt_replay"

    def test_it_ends_at_32_bits(self) -> None:
        kept = replace(session().memory, f_cnt_up=0xFFFFFFFE)
        core = ServerSession(session(Version.V1_0_4).settings, kept)
        assert outcome(core, 0xFFFFFFFF) == "AppUplink"
        assert outcome(core, 0) == "f_cnt_exhausted"

    @pytest.mark.parametrize("version", OLD, ids=str)
    def test_a_reset_counter_is_taken_only_when_asked(self, version: Version) -> None:
        """1.0.3 §4.3.1.5: after a reset of a personalised device the counters of both ends are 0."""
        strict, relaxed = session(version), session(version, relaxed=True)
        for core in (strict, relaxed):
            for f_cnt in (0, 100, 101):
                core.handle(heard(f_cnt, confirmed=True), 0)
        assert outcome(strict, 0) == "f_cnt_replay"
        assert relaxed.memory.n_f_cnt_down == 3
        assert outcome(relaxed, 0, confirmed=True) == "AppUplink"
        assert relaxed.memory.n_f_cnt_down == 1
        assert [outcome(relaxed, f_cnt) for f_cnt in (0, 1, 2)] == ["Repeated", "AppUplink", "AppUplink"]

    def test_relaxed_counters_are_refused_where_devices_never_reset_them(self) -> None:
        for version, over_the_air in ((Version.V1_0_3, True), (Version.V1_0_4, False), (Version.V1_1, False)):
            with pytest.raises(MisuseError, match="relaxed counters"):
                session(version, relaxed=True, over_the_air=over_the_air)


class TestMemory:
    @pytest.mark.parametrize("version", Version, ids=str)
    @pytest.mark.parametrize("personalised", [False, True])
    def test_a_restarted_network_goes_on_and_takes_no_replay(self, version: Version, personalised: bool) -> None:
        pair = Pair(abp(version) if personalised else otaa(version))
        if not personalised:
            pair.join()
        pair.queue(b"a", confirmed=True)
        for k in range(3):
            pair.send(bytes([k]), confirmed=True)
        old = [frame_of(t.transmit.payload) for t in pair.sent if t.kind == "data"]
        pair.restart_network()
        assert pair.session is not None
        for k, frame in enumerate(old):
            effects = pair.server.handle(UplinkHeard(frame, 5.0, 5, 0, 1), pair.now)
            assert not any(isinstance(effect, AppUplink) for effect in effects), k
        pair.queue(b"b")
        pair.send(b"after", confirmed=True)
        assert pair.delivered[-1] == b"after"
        assert pair.received == [b"a", b"b"]

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_what_a_downlink_depends_on_is_persisted_before_it(self, version: Version) -> None:
        """A network cut after any downlink uses no downlink counter twice."""
        pair = joined(version)
        seen: set[tuple[bool, int]] = set()
        for k in range(6):
            pair.queue(bytes([k]))
            before = len(pair.answers)
            pair.send(b"x", confirmed=True)
            persists = [i for i, e in enumerate(pair.server_effects) if isinstance(e, ServerPersist)]
            answers = [i for i, e in enumerate(pair.server_effects) if isinstance(e, Answer)]
            assert persists[-1] < answers[-1]
            for answer in pair.answers[before:]:
                frame = parse(answer.payload, uplink=False)
                assert isinstance(frame, DataDown)
                key = (version.is_1_1 and bool(frame.f_port), frame.f_cnt)
                assert key not in seen
                seen.add(key)
            pair.restart_network()

    def test_requests_and_windows_outlive_a_restart(self) -> None:
        pair = settled(Version.V1_0_4)
        pair.ask(mac.RxTimingSetupReq(delay_s=4))
        pair.restart_network()
        pair.send(b"asks")
        pair.restart_network()
        pair.send(b"answers", confirmed=True)
        pair.restart_network()
        pair.send(b"x", confirmed=True)
        assert pair.missed == []
        assert pair.session is not None
        assert pair.session.windows.rx1_delay_us == 4_000_000


def test_a_device_without_session_is_told_of() -> None:
    pair = Pair(otaa(Version.V1_0_4))
    assert isinstance(pair.server, ServerCore)
    (refused,) = pair.server.handle(QueueDownlink(7, b"x"), 0)
    assert isinstance(refused, Dropped)
    assert refused.reason == "no_session"
