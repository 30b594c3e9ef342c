"""Laws of the just-in-time queue, whatever is asked of it and in whatever order."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway_fw.forwarder import JitQueue, Kind
from gateway_fw.gwmp import TxError
from lorawan.phy import LoraModulation, Transmit

AIRTIMES_US = st.sampled_from([25_856, 41_216, 370_688, 1_482_752])
GAPS_US = st.one_of(
    st.integers(-100_000, 3_000_000), st.sampled_from([42_500, 42_501, 80_000]), st.integers(500_000_000, 520_000_000)
)


class QueueMachine(RuleBasedStateMachine):
    """A queue woken just when it asks to be, and one counted account of what went in and came out."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = JitQueue()
        self.now = 0
        self.number = 0
        self.accepted: dict[bytes, Kind] = {}
        self.sent: dict[bytes, Transmit] = {}

    def offer(self, at: int, airtime_us: int, kind: Kind) -> TxError:
        self.number += 1
        payload = self.number.to_bytes(4, "big")
        frame = Transmit(at, payload, 868_100_000, LoraModulation(7), 14.0, airtime_us)
        before = len(self.queue)
        verdict = self.queue.enqueue(frame, self.now, kind)
        assert len(self.queue) == before + (verdict is TxError.NONE)
        if verdict is TxError.NONE:
            self.accepted[payload] = kind
        return verdict

    @rule(gap=GAPS_US, airtime_us=AIRTIMES_US, kind=st.sampled_from([Kind.CLASS_A, Kind.CLASS_B]))
    def ask_for_a_time(self, gap: int, airtime_us: int, kind: Kind) -> None:
        verdict = self.offer(self.now + gap, airtime_us, kind)
        if len(self.queue) < 32:
            assert (verdict is TxError.TOO_LATE) == (gap <= 42_500)
            assert (verdict is TxError.TOO_EARLY) == (gap > 512_000_000)

    @rule(airtime_us=AIRTIMES_US)
    def ask_for_now(self, airtime_us: int) -> None:
        full = len(self.queue) == 32
        assert self.offer(0, airtime_us, Kind.CLASS_C) is (TxError.COLLISION_PACKET if full else TxError.NONE)

    @rule(ahead=st.integers(1_000_000, 20_000_000))
    def reserve_a_beacon(self, ahead: int) -> None:
        self.offer(self.now + ahead, 152_576, Kind.BEACON)

    @rule(gap=GAPS_US, airtime_us=AIRTIMES_US, kind=st.sampled_from(list(Kind)))
    def ask_where_it_would_go(self, gap: int, airtime_us: int, kind: Kind) -> None:
        """Asking takes nothing in, and taking in at once says the same."""
        frame = Transmit(self.now + gap, b"asked", 868_100_000, LoraModulation(7), 14.0, airtime_us)
        before = len(self.queue)
        first, placed = self.queue.place(frame, self.now, kind)
        assert len(self.queue) == before
        second, again = self.queue.place(frame, self.now, kind)
        assert (first, placed.at) == (second, again.at)

    @rule(ahead=st.integers(0, 10_000_000))
    def forget_what_comes_later(self, ahead: int) -> None:
        before = len(self.queue)
        gone = self.queue.let_go(self.now + ahead)
        assert all(transmit.at > self.now + ahead for transmit in gone)
        assert len(self.queue) == before - len(gone)
        for transmit in gone:
            del self.accepted[transmit.payload]

    @rule(by=st.integers(0, 4_000_000))
    def let_time_pass(self, by: int) -> None:
        until = self.now + by
        while (at := self.queue.program_at) is not None and at <= until:
            self.now = max(self.now, at)
            due, missed = self.queue.pop_due(self.now)
            assert not missed
            for transmit in due:
                # never late: the concentrator needs 1.5 ms; never earlier than 40 ms ahead
                assert 1_500 <= transmit.at - self.now <= 40_000
                self.sent[transmit.payload] = transmit
        self.now = until

    @invariant()
    def nothing_is_lost_or_sent_twice(self) -> None:
        assert len(self.accepted) == len(self.sent) + len(self.queue)
        assert self.sent.keys() <= self.accepted.keys()

    @invariant()
    def no_two_transmissions_overlap(self) -> None:
        on_air = sorted((transmit.at, transmit.at + transmit.airtime_us) for transmit in self.sent.values())
        for (_, end), (start, _) in pairwise(on_air):
            assert start - end > 1_000  # the margin

    def teardown(self) -> None:
        self.let_time_pass(600_000_000)
        self.nothing_is_lost_or_sent_twice()
        self.no_two_transmissions_overlap()
        assert len(self.queue) == 0
        super().teardown()


QueueMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestJitQueue = QueueMachine.TestCase
