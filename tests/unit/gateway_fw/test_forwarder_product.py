"""The forwarder as its owner needs it: several servers, spool, clock, GPS time, what its radio tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from forwarder_requests import CONFIG, ask, txpk

from gateway_fw.concentrator.events import FskReception, Reception, Started, StatusRead
from gateway_fw.forwarder import (
    DatagramReceived,
    ForwarderCore,
    LinkConfig,
    SendDatagram,
    SpoolConfig,
    UplinkFilter,
    WallClock,
)
from gateway_fw.forwarder.core import ForwarderEffect
from gateway_fw.forwarder.spool import Persist, PersistAll, PersistFailed, PersistRecovered, SpoolRestored
from gateway_fw.forwarder.spool_records import SpooledUplink
from gateway_fw.gps import Position, TimeReference
from gateway_fw.gwmp import PullAck, PullData, PushAck, PushData, TxError, decode, encode
from lorawan.machine import Dropped
from lorawan.phy import Heard, LoraModulation
from lorawan.units import US_PER_HOUR, US_PER_S

WRAP = 1 << 32
SPOOLED = replace(CONFIG, spool=SpoolConfig(), links=(LinkConfig(),))
TWO = replace(SPOOLED, links=(LinkConfig(), LinkConfig()))


def heard(at: int, number: int = 0) -> Heard:
    return Heard(at, b"\x40" + number.to_bytes(11, "big"), 868_300_000, LoraModulation(9), -101.0, -3.5, 185_344)


class Server:
    """Acknowledges while it is there, and remembers what it got."""

    def __init__(self, core: ForwarderCore, index: int = 0) -> None:
        self.core, self.index, self.is_there = core, index, True
        self.got: list[tuple[int, object]] = []  # instant, rxpk
        self.datagrams = 0

    def take(self, effects: Sequence[ForwarderEffect], now: int) -> None:
        for effect in effects:
            if not isinstance(effect, SendDatagram) or effect.server != self.index or not self.is_there:
                continue
            packet = decode(effect.data)
            self.datagrams += 1
            assert len(effect.data) < 1_472, "one piece on Ethernet"
            if isinstance(packet, PushData):
                self.got += [(now, rxpk) for rxpk in packet.rxpks]
                self.take(
                    self.core.handle(DatagramReceived(encode(PushAck(2, packet.token)), "", self.index), now), now
                )
            elif isinstance(packet, PullData):
                self.take(
                    self.core.handle(DatagramReceived(encode(PullAck(2, packet.token)), "", self.index), now), now
                )

    def run(self, start: int, until: int, others: Sequence[Server] = ()) -> None:
        now = start
        while self.core.wake_at <= until:
            now = max(now, self.core.wake_at)
            effects = self.core.wake(now)
            for server in (self, *others):
                server.take(effects, now)


def test_a_server_that_is_away_for_an_hour_gets_everything_with_its_time_and_no_window() -> None:
    core = ForwarderCore(SPOOLED)
    server = Server(core)
    server.is_there = False
    for minute in range(60):
        at = (60 * minute + 1) * US_PER_S
        server.take(core.handle(heard(at, minute), at), at)
        server.run(at, at + 59 * US_PER_S)
    assert core.waiting == (60,)
    assert server.got == []
    server.is_there = True
    back = 3_600 * US_PER_S
    server.run(back, back + 120 * US_PER_S)
    assert core.waiting == (0,)
    assert sorted(rxpk.payload for _, rxpk in server.got) == sorted(heard(0, n).payload for n in range(60))
    for at, rxpk in server.got:
        age_us = (core._clock.counter(at) - rxpk.tmst) % WRAP
        assert 20 * US_PER_S <= age_us <= 1 << 30  # a downlink placed after it is TOO_LATE, and not of the future
        assert rxpk.time is not None
        assert rxpk.time.startswith("2023-11-14T22:") or rxpk.time.startswith("2023-11-14T23:")
        late = txpk(imme=False, tmst=(rxpk.tmst + 5 * US_PER_S) % WRAP)
        assert ask(core, at, late)[0].error is TxError.TOO_LATE
    first = next(rxpk for _, rxpk in server.got if rxpk.payload == heard(0, 0).payload)
    assert first.time == "2023-11-14T22:13:21.000000Z"


def test_an_acknowledgement_that_was_lost_costs_one_repetition_after_all_windows() -> None:
    core = ForwarderCore(SPOOLED)
    server = Server(core)
    server.run(0, 0)
    core.handle(heard(US_PER_S), US_PER_S)  # its PUSH_DATA or PUSH_ACK is lost
    server.run(US_PER_S, 60 * US_PER_S)
    ((at, rxpk),) = server.got
    assert at == 21 * US_PER_S
    assert rxpk.tmst == US_PER_S
    assert core.waiting == (0,)


def test_two_servers_that_disagree_are_kept_apart() -> None:
    core = ForwarderCore(TWO)
    one, two = Server(core, 0), Server(core, 1)
    two.is_there = False
    for number in range(10):
        effects = core.handle(heard(US_PER_S, number), US_PER_S)
        one.take(effects, US_PER_S)
        two.take(effects, US_PER_S)
    assert core.waiting == (0, 10)
    one.run(US_PER_S, 100 * US_PER_S, [two])
    assert len(one.got) == 10  # the other's silence repeats nothing here
    # both ask for the same moment: the second is told, and not the first
    when = txpk(imme=False, tmst=102 * US_PER_S)
    assert ask(core, 100 * US_PER_S, when, server=1)[0].error is TxError.NONE
    assert ask(core, 100 * US_PER_S, when, server=0)[0].error is TxError.COLLISION_PACKET
    two.is_there = True
    one.run(100 * US_PER_S, 160 * US_PER_S, [two])
    assert core.waiting == (0, 0)
    assert len(two.got) == 10


def test_a_thousand_uplinks_a_second_are_all_acknowledged_or_counted() -> None:
    core = ForwarderCore(replace(SPOOLED, spool=SpoolConfig(max_bytes=4 << 20)))
    server = Server(core)
    in_flight: list[Sequence[ForwarderEffect]] = []
    for number in range(60_000):
        at = number * 1_000
        effects = core.handle(heard(at, number), at)
        server.is_there = not 10_000 <= number < 50_000
        in_flight.append(effects)
        if core.wake_at <= at:
            in_flight.append(core.wake(at))
        while len(in_flight) > 100:  # some 100 ms there and back
            server.take(in_flight.pop(0), at)
    spool = core._uplinks.spools[0]
    received = {rxpk.payload for _, rxpk in server.got}
    # what is not acknowledged waits, or was let go and counted: nothing is unaccounted for
    assert len(received) + core.waiting[0] + spool.let_go == 60_000 + len(
        received & {uplink_payload(number) for number in spool._waiting}
    )
    assert spool.waiting_bytes <= 4 << 20
    assert spool.let_go > 0
    assert len(spool._due) <= 2 * core.waiting[0] + 2_000
    assert len(spool._tokens) <= 4_096
    for effects in in_flight:
        server.take(effects, 60 * US_PER_S)
    server.run(60 * US_PER_S, 120 * US_PER_S)
    assert core.waiting == (0,)


def uplink_payload(number: int) -> bytes:
    return heard(0, number - 1).payload


def test_a_spool_that_runs_over_lets_the_oldest_go_and_says_so_once_a_minute() -> None:
    core = ForwarderCore(replace(SPOOLED, spool=SpoolConfig(max_bytes=2_000)))
    told = []
    for number in range(1_000):
        now = number * US_PER_S // 10
        told += [e for e in core.handle(heard(now, number), now) if isinstance(e, Dropped)]
    spool = core._uplinks.spools[0]
    assert len(told) == 2
    assert core.waiting[0] + spool.let_go == 1_000
    assert spool.waiting_bytes <= 2_000
    assert list(spool._waiting) == list(range(1_001 - core.waiting[0], 1_001))


def test_what_is_older_than_the_spool_keeps_is_let_go() -> None:
    core = ForwarderCore(replace(SPOOLED, spool=SpoolConfig(max_age_us=24 * US_PER_HOUR)))
    core.handle(heard(0, 0), 0)
    core.handle(heard(0, 1), 24 * US_PER_HOUR)
    assert core.waiting == (2,)  # a day is kept
    core.handle(heard(0, 2), 24 * US_PER_HOUR + 1)
    assert core.waiting == (2,)


def test_a_disk_that_is_full_is_told_and_does_not_stop_the_forwarding() -> None:
    core = ForwarderCore(SPOOLED)
    server = Server(core)
    server.is_there = False
    core.handle(heard(0), 0)
    (told,) = core.handle(PersistFailed(0, "No space left on device"), 0)
    assert told == Dropped("spool_write", "spool", "No space left on device")
    core.handle(heard(1, 1), 1)
    (everything,) = core.handle(PersistRecovered(0), 2)
    assert isinstance(everything, PersistAll)
    assert [uplink.number for uplink in everything.uplinks] == [1, 2]
    server.is_there = True
    server.run(2, 60 * US_PER_S)
    assert core.waiting == (0,)


def test_a_clock_that_is_set_late_sets_right_what_waits_and_lets_nothing_go() -> None:
    core = ForwarderCore(replace(SPOOLED, origin_unix_us=0))  # no battery: it is 1970
    server = Server(core)
    server.is_there = False
    before = SpooledUplink(7, 1_699_999_000 * US_PER_S, body_of(heard(0, 7)))
    core.handle(SpoolRestored(0, (before,), 9), 0)  # of yesterday, when the time was known
    core.handle(heard(US_PER_S, 1), US_PER_S)
    now = 30 * US_PER_S
    core.wake(now)
    told, everything = core.handle(WallClock(1_700_000_030 * US_PER_S), now)
    assert isinstance(told, Dropped)
    assert told.reason == "clock_step"
    assert isinstance(everything, PersistAll)
    assert [(u.number, u.unix_us // US_PER_S) for u in everything.uplinks] == [(7, 1_699_999_000), (10, 1_700_000_001)]
    assert core.handle(WallClock(1_700_000_031 * US_PER_S + 200), now + US_PER_S) == ()  # a drift is no step
    server.is_there = True
    server.take(core.handle(heard(now, 2), now), now)
    server.run(now, now + 60 * US_PER_S)
    times = {rxpk.payload: rxpk.time for _, rxpk in server.got}
    assert times[heard(0, 7).payload] == "2023-11-14T21:56:40.000000Z"
    assert times[heard(0, 1).payload] == "2023-11-14T22:13:21.000000Z"
    assert core.waiting == (0,)


def body_of(frame: Heard) -> bytes:
    core = ForwarderCore(SPOOLED)
    (persist, *_) = core.handle(frame, frame.at)
    assert isinstance(persist, Persist)
    return persist.uplink.body


def test_gps_gives_uplinks_their_time_and_the_report_its_place() -> None:
    core = ForwarderCore(replace(CONFIG, stat_interval_us=30 * US_PER_S))
    core.handle(Started(None, "", "", "", 1_000_000), 0)
    core.handle(TimeReference(0, (1930 * 604_800 + 18) * US_PER_S, 18), 0)
    core.handle(Position(47.5, 0.5, 101.0, 8), 0)
    core.handle(StatusRead(0, 21.5, 0), 0)
    (effect,) = core.handle(heard(3_000_000), 3_000_000)
    assert isinstance(effect, SendDatagram)
    packet = decode(effect.data)
    assert isinstance(packet, PushData)
    (rxpk,) = packet.rxpks
    assert (rxpk.time, rxpk.tmms) == ("2017-01-01T00:00:03.000000Z", (1930 * 604_800 + 21) * 1_000)
    assert rxpk.tmst == 2_000_000  # the counter was 0 at instant 1,000,000
    sent = [e for e in core.wake(30 * US_PER_S) if isinstance(e, SendDatagram) and e.upstream]
    report = decode(sent[0].data)
    assert isinstance(report, PushData)
    assert report.stat is not None
    assert (report.stat.time, report.stat.latitude_deg, report.stat.temperature_c) == (
        "2017-01-01 00:00:30 GMT", 47.5, 21.5,
    )  # fmt: skip


def test_what_a_concentrator_says_of_a_frame_is_passed_on() -> None:
    core = ForwarderCore(replace(CONFIG, uplink_filter=UplinkFilter(no_crc=True)))
    reception = Reception(heard(5), 3, 1, 77, -100.5, -293, False, 4)
    (effect,) = core.handle(reception, 5)
    assert isinstance(effect, SendDatagram)
    packet = decode(effect.data)
    assert isinstance(packet, PushData)
    (rxpk,) = packet.rxpks
    assert (rxpk.tmst, rxpk.channel, rxpk.rf_chain, rxpk.crc_status, rxpk.foff_hz) == (77, 3, 1, 0, -293)
    (effect,) = core.handle(FskReception(6, b"\x40" * 12, 868_800_000, 50_000, -80.0, 9, 1, 78), 6)
    assert isinstance(effect, SendDatagram)
    packet = decode(effect.data)
    assert isinstance(packet, PushData)
    assert (packet.rxpks[0].modulation, packet.rxpks[0].snr_db) == (50_000, None)
