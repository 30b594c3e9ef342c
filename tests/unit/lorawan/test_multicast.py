"""Multicast at both ends: what a frame may carry, its range of counters, and that counters only rise.

Source: LoRaWAN 1.1 §11.2.2 and §17.2; for the range as `lorawan.multicast`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorawan.crypto import SessionKeys
from lorawan.device.class_state import Subscription
from lorawan.device.downlink import Accepted
from lorawan.device.multicast import accept
from lorawan.errors import MisuseError
from lorawan.frames import DataDown, FCtrlDown, parse
from lorawan.ids import AesKey, DevAddr
from lorawan.machine import Dropped
from lorawan.multicast import MulticastGroup
from lorawan.operating_class import OperatingClass
from lorawan.ping_slots import BEACON_PERIOD_US, next_ping_slot
from lorawan.regions import EU868
from lorawan.secured import seal_down
from lorawan.server import MulticastSender, QueueDownlink, Send

S = 1_000_000
KEYS = (AesKey(b"N" * 16), AesKey(b"A" * 16))
GROUP = MulticastGroup(DevAddr(0x26FFFFF0), *KEYS, OperatingClass.C)


def frame(f_cnt: int, **changes: object) -> DataDown:
    """A group's frame, sealed without the code under test's `MulticastSender`."""
    values: dict[str, object] = {
        "is_1_1": False,
        "confirmed": False,
        "dev_addr": GROUP.mc_addr,
        "f_ctrl": FCtrlDown(),
        "f_port": 10,
        "payload": b"all",
    }
    parsed = parse(seal_down(SessionKeys.for_10(*KEYS), f_cnt=f_cnt, **(values | changes)), uplink=False)  # type: ignore[arg-type]
    assert isinstance(parsed, DataDown)
    return parsed


def reason(frame_: DataDown, subscription: Subscription) -> str:
    refused = accept(frame_, subscription)
    assert isinstance(refused, Dropped)
    return refused.reason


class TestFrames:
    def test_a_genuine_one_is_opened_with_the_group_s_keys(self) -> None:
        accepted = accept(frame(7), Subscription(GROUP))
        assert isinstance(accepted, Accepted)
        assert (accepted.payload, accepted.f_cnt, accepted.f_port) == (b"all", 7, 10)

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"confirmed": True}, "multicast_confirmed"),  # FType is unconfirmed data down
            ({"f_ctrl": FCtrlDown(ack=True)}, "multicast_confirmed"),
            ({"f_opts": b"\x06"}, "multicast_commands"),
            ({"f_port": 0, "payload": b"\x06"}, "multicast_commands"),
            ({"f_port": None, "payload": b""}, "multicast_commands"),
        ],
    )
    def test_what_it_may_not_carry_is_dropped_and_uses_no_counter_up(
        self, changes: dict[str, object], why: str
    ) -> None:
        subscription = Subscription(GROUP)
        assert reason(frame(7, **changes), subscription) == why
        assert subscription.last_f_cnt is None

    def test_other_keys_are_refused(self) -> None:
        other = replace(GROUP, mc_nwk_s_key=AesKey(b"X" * 16))
        assert reason(frame(7), Subscription(other)) == "mic"


class TestCounters:
    @pytest.mark.parametrize(
        ("f_cnt", "taken"), [(99, False), (100, True), (150, True), (199, True), (200, False), (201, False)]
    )
    def test_the_range_has_its_lower_end_and_not_its_upper(self, f_cnt: int, taken: bool) -> None:
        subscription = Subscription(replace(GROUP, f_cnt_min=100, f_cnt_max=200))
        assert isinstance(accept(frame(f_cnt), subscription), Accepted) is taken

    def test_a_counter_beyond_16_bits_is_rebuilt_from_the_lower_end(self) -> None:
        subscription = Subscription(replace(GROUP, f_cnt_min=0x5FFF0))
        accepted = accept(frame(0x60002), subscription)
        assert isinstance(accepted, Accepted)
        assert accepted.f_cnt == 0x60002

    def test_a_range_that_begins_above_the_last_counter_is_kept_to(self) -> None:
        subscription = Subscription(replace(GROUP, f_cnt_min=1000), last_f_cnt=5)
        assert reason(frame(999), subscription) == "mic"  # taken for 999 + 2^16, the next within the range
        assert isinstance(accept(frame(1000), subscription), Accepted)

    @given(st.lists(st.integers(0, 3000), min_size=1, max_size=40))
    def test_whatever_the_order_accepted_counters_only_rise(self, order: list[int]) -> None:
        subscription = Subscription(replace(GROUP, f_cnt_min=10, f_cnt_max=2000))
        taken = [f_cnt for f_cnt in order if isinstance(accept(frame(f_cnt), subscription), Accepted)]
        expected: list[int] = []
        for f_cnt in order:
            if 10 <= f_cnt < 2000 and (not expected or f_cnt > expected[-1]):
                expected.append(f_cnt)
        assert taken == expected


class TestSender:
    @given(st.lists(st.tuples(st.integers(0, 40 * S), st.integers(0, 3)), max_size=12), st.booleans())
    def test_its_counters_never_go_back_and_its_frames_never_overlap(
        self, steps: list[tuple[int, int]], class_b: bool
    ) -> None:
        group = replace(GROUP, operating_class=OperatingClass.B if class_b else OperatingClass.C, periodicity=2)
        origin = 1_400_000_000 * S
        sender = MulticastSender(group, EU868, gps_at_origin_us=origin)
        now, sends = 0, []
        for pause_us, queued in steps:
            end = now + pause_us
            while (due := sender.wake_at) is not None and due <= end:
                now = max(now, due)
                sends += [(now, e) for e in sender.wake(now) if isinstance(e, Send)]
            now = end
            for _ in range(queued):
                sends += [(now, e) for e in sender.handle(QueueDownlink(10, b"x"), now) if isinstance(e, Send)]
        frames = [parse(send.phy_payload, uplink=False) for _, send in sends]
        assert [f.f_cnt for f in frames if isinstance(f, DataDown)] == list(range(len(sends)))
        starts = [at if send.at is None else send.at for at, send in sends]
        assert starts == sorted(starts)
        if class_b:  # each in a slot of the group, handed over before it
            assert all(next_ping_slot(group.mc_addr, 2, origin + at) == origin + at for at in starts)
            assert all(send.at is not None and send.at > at for at, send in sends)

    def test_it_ends_with_its_range(self) -> None:
        sender = MulticastSender(replace(GROUP, f_cnt_min=5, f_cnt_max=6), EU868)
        assert [type(e) for e in sender.handle(QueueDownlink(10, b"x"), 0)] == [Send]
        (refused,) = sender.handle(QueueDownlink(10, b"y"), 10 * S)
        assert isinstance(refused, Dropped)
        assert refused.reason == "f_cnt_exhausted"
        assert sender.wake_at is None

    @pytest.mark.parametrize(
        ("event", "why"),
        [
            (QueueDownlink(10, b"x", confirmed=True), "multicast_confirmed"),
            (QueueDownlink(0, b"x"), "f_port"),
            (QueueDownlink(10, bytes(52)), "payload_too_long"),  # N of DR0 is 51: RP002-1.0.4 §2.4.7
        ],
    )
    def test_what_no_group_may_be_sent_is_refused(self, event: QueueDownlink, why: str) -> None:
        (refused,) = MulticastSender(GROUP, EU868).handle(event, 0)
        assert isinstance(refused, Dropped)
        assert refused.reason == why

    def test_a_slot_that_was_slept_through_is_not_used(self) -> None:
        group = replace(GROUP, operating_class=OperatingClass.B)
        sender = MulticastSender(group, EU868, gps_at_origin_us=0)
        assert sender.handle(QueueDownlink(10, b"x"), 0) == ()
        late = 3 * BEACON_PERIOD_US
        assert sender.wake(late) == ()
        assert sender.wake_at is not None
        assert sender.wake_at > late - BEACON_PERIOD_US


class TestGroups:
    @pytest.mark.parametrize(
        "changes",
        [
            {"operating_class": OperatingClass.A},
            {"f_cnt_min": 2, "f_cnt_max": 1},
            {"f_cnt_max": (1 << 32) + 1},
            {"periodicity": 8},
        ],
    )
    def test_what_makes_no_sense_is_refused(self, changes: dict[str, object]) -> None:
        with pytest.raises(MisuseError):
            replace(GROUP, **changes)  # type: ignore[arg-type]

    def test_class_b_needs_gps_time(self) -> None:
        with pytest.raises(MisuseError, match="GPS"):
            MulticastSender(replace(GROUP, operating_class=OperatingClass.B), EU868)
