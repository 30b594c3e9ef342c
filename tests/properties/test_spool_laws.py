"""Laws of the spool: nothing is lost before its acknowledgement, nothing sent after it, whatever befalls the files."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway_fw.forwarder.spool import Persist, PersistDone, Spool, SpoolConfig, SpoolRestored
from gateway_fw.forwarder.spool_records import (
    Damage,
    SpooledDone,
    SpooledUplink,
    encode_done,
    encode_uplink,
    scan,
    waiting_of,
)
from gateway_fw.io.spool import SpoolFiles
from lorawan.units import US_PER_S

RETRY_US = 20 * US_PER_S  # every receive window has closed by then
uplinks = st.builds(
    SpooledUplink, st.integers(0, (1 << 64) - 1), st.integers(-(1 << 63), (1 << 63) - 1), st.binary(max_size=300)
)
done = st.builds(SpooledDone, st.lists(st.integers(0, (1 << 64) - 1), max_size=50).map(tuple))


def encoded(record: SpooledUplink | SpooledDone) -> bytes:
    return encode_uplink(record) if isinstance(record, SpooledUplink) else encode_done(record.numbers)


@given(st.lists(st.one_of(uplinks, done.filter(lambda record: record.numbers)), max_size=8), st.data())
def test_a_file_cut_at_any_byte_keeps_every_whole_record(
    records: list[SpooledUplink | SpooledDone], data: st.DataObject
) -> None:
    pieces = [encoded(record) for record in records]
    file = b"".join(pieces)
    cut = data.draw(st.integers(0, len(file)))
    whole, end = 0, 0
    while whole < len(pieces) and end + len(pieces[whole]) <= cut:
        end += len(pieces[whole])
        whole += 1
    found = list(scan(file[:cut]))
    assert found[:whole] == records[:whole]
    assert found[whole:] == ([Damage(end, cut - end)] if cut > end else [])


@given(st.lists(uplinks, min_size=1, max_size=6), st.data())
def test_a_changed_byte_costs_one_record(records: list[SpooledUplink], data: st.DataObject) -> None:
    pieces = [encode_uplink(record) for record in records]
    file = bytearray(b"".join(pieces))
    at = data.draw(st.integers(0, len(file) - 1))
    file[at] ^= data.draw(st.integers(1, 255))
    hit = next(i for i in range(len(pieces)) if at < sum(map(len, pieces[: i + 1])))
    found = [record for record in scan(bytes(file)) if not isinstance(record, Damage)]
    assert found == records[:hit] + records[hit + 1 :]


@given(st.binary(max_size=500))
def test_any_bytes_can_be_scanned(data: bytes) -> None:
    covered = sum(record.length for record in scan(data) if isinstance(record, Damage))
    assert covered <= len(data)


class SpoolMachine(RuleBasedStateMachine):
    """A spool, a file that keeps what it says, and a server that may be silent, forget or acknowledge late."""

    def __init__(self) -> None:
        super().__init__()
        self.spool = Spool(0, SpoolConfig(), alive_for_us=25 * US_PER_S)
        self.now = 0
        self.unix = 1_700_000_000 * US_PER_S
        self.token = 0
        self.file = bytearray()
        self.received_at: dict[int, int] = {}
        self.in_flight: dict[int, tuple[int, ...]] = {}
        self.acknowledged: set[int] = set()

    def keep(self, effects: object) -> None:
        for effect in effects:  # type: ignore[attr-defined]
            if isinstance(effect, Persist):
                self.file += encode_uplink(effect.uplink)
            elif isinstance(effect, PersistDone):
                self.file += encode_done(effect.numbers)

    def next_token(self) -> int:
        self.token = (self.token + 1) & 0xFFFF
        return self.token

    @rule(body=st.binary(min_size=1, max_size=300))
    def hear(self, body: bytes) -> None:
        number, effects = self.spool.add(body, self.unix + self.now, self.now)
        self.keep(effects)
        assert number not in self.received_at
        self.received_at[number] = self.now
        token = self.next_token()
        self.spool.sent(token, (number,), self.now)
        self.in_flight[token] = (number,)

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(sorted(self.in_flight)))
        self.keep(self.spool.acknowledged(token, self.now))
        self.acknowledged.update(self.in_flight.pop(token))

    @rule()
    def show_that_it_is_there(self) -> None:
        self.spool.heard(self.now)

    @rule(by=st.integers(0, 40 * US_PER_S))
    def let_time_pass(self, by: int) -> None:
        until = self.now + by
        while (at := self.spool.wake_at) is not None and at <= until:
            self.now = max(self.now, at)
            self.send_again()
            if (again := self.spool.wake_at) is not None and again <= self.now:
                assert len(self.in_flight) > 0
                break
        self.now = until

    def send_again(self) -> None:
        while taken := self.spool.take_due(self.now):
            numbers = tuple(uplink.number for uplink in taken)
            assert self.acknowledged.isdisjoint(numbers), "sent after its acknowledgement"
            assert all(self.now - self.received_at[number] >= RETRY_US for number in numbers), (
                "early enough for a window"
            )
            token = self.next_token()
            self.spool.sent(token, numbers, self.now, resent=True)
            self.in_flight[token] = numbers

    @rule(away_us=st.integers(0, 100 * US_PER_S))
    def lose_power(self, away_us: int) -> None:
        waiting, highest = waiting_of(scan(bytes(self.file)))
        assert {uplink.number for uplink in waiting} == self.received_at.keys() - self.acknowledged
        self.now += away_us
        self.spool = Spool(0, SpoolConfig(), alive_for_us=25 * US_PER_S)
        self.keep(self.spool.restore(SpoolRestored(0, tuple(waiting), highest), self.unix + self.now, self.now))
        self.in_flight.clear()

    @invariant()
    def everything_waits_or_is_acknowledged(self) -> None:
        assert len(self.spool) == len(self.received_at) - len(self.acknowledged)

    def teardown(self) -> None:
        for _ in range(2 * len(self.received_at) + 3):
            self.now += RETRY_US + 1
            self.show_that_it_is_there()
            self.send_again()
            for token in list(self.in_flight):
                self.keep(self.spool.acknowledged(token, self.now))
                self.acknowledged.update(self.in_flight.pop(token))
        assert len(self.spool) == 0
        assert waiting_of(scan(bytes(self.file)))[0] == []
        super().teardown()


SpoolMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestSpool = SpoolMachine.TestCase

STEPS = st.lists(st.one_of(st.just(0), st.integers(1, 40)), max_size=60)


@settings(max_examples=40, deadline=None)
@given(STEPS, st.data())
def test_files_give_back_what_waits_wherever_the_last_one_is_cut(steps: list[int], data: st.DataObject) -> None:
    """0 writes a new uplink, n acknowledges the n-th oldest that waits. Segments of 300 bytes: one holds five."""
    with TemporaryDirectory() as folder:
        files = SpoolFiles(Path(folder), segment_bytes=300)
        files.open()
        number, waiting = 0, {}
        last: SpooledUplink | SpooledDone | None = None
        before: dict[int, SpooledUplink] = {}
        for step in steps:
            before = dict(waiting)
            if step == 0 or not waiting:
                number += 1
                last = SpooledUplink(number, number * US_PER_S, bytes([number % 256]) * 30)
                waiting[number] = last
            else:
                gone = sorted(waiting)[step % len(waiting)]
                last = SpooledDone((gone,))
                del waiting[gone]
            files.write([last])
        files.close()
        # bounded: twice what waits, and a few segments
        assert files.size_bytes <= 2 * 55 * len(waiting) + 6 * 300
        paths = sorted(Path(folder).glob("*.spool"))
        size = len(encoded(last)) if last is not None else 0
        content = paths[-1].read_bytes() if paths else b""
        if last is not None and content.endswith(encoded(last)):  # else an older one was copied forward, and is safe
            cut = data.draw(st.integers(0, size))
            paths[-1].write_bytes(content[: len(content) - cut])
            allowed = [waiting] if cut == 0 else [before]
            if isinstance(last, SpooledDone):
                allowed.append(waiting)  # the segment of what it acknowledges may have been deleted since
        else:
            allowed = [waiting]
        again = SpoolFiles(Path(folder), segment_bytes=300)
        opened = again.open()
        assert {uplink.number: uplink for uplink in opened.waiting} in allowed
        # and writing goes on
        again.write([SpooledUplink(opened.highest + 1, 0, b"more")])
        again.close()
        third = SpoolFiles(Path(folder), segment_bytes=300)
        assert len(third.open().waiting) == len(opened.waiting) + 1
        third.close()


def test_one_uplink_that_waits_for_long_does_not_hold_the_disk(tmp_path: Path) -> None:
    files = SpoolFiles(tmp_path, segment_bytes=300)
    files.open()
    files.write([SpooledUplink(1, 0, b"waits")])
    for number in range(2, 500):
        files.write([SpooledUplink(number, 0, bytes(30)), SpooledDone((number,))])
        assert files.size_bytes <= 6 * 300
    files.close()
    again = SpoolFiles(tmp_path)
    assert [uplink.number for uplink in again.open().waiting] == [1]
    again.close()
