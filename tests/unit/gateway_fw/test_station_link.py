"""The gateway's way to its server: how long it waits after what, and what it takes for an answer.

The waits are those of Basics Station 2.0.6, tc.c, tc_continue.
"""

from __future__ import annotations

from typing import Any

import pytest

from gateway_fw.errors import StationError
from gateway_fw.station.events import Close, Closed, Connect, Connected, SendText, TextReceived
from gateway_fw.station.link import Down, LinkEffect, Phase, StationLink, Up
from lorawan.ids import Eui64
from lorawan.machine import Dropped

S = 1_000_000
ANSWER = '{"router":"::1","muxs":"::0","uri":"ws://lns:1/router-1"}'


def link() -> StationLink:
    return StationLink(Eui64(1), "ws://lns:1")


def connected(way: StationLink, now: int) -> None:
    """From waiting to the data connection, at once."""
    (connect,) = way.wake(now)
    if isinstance(connect, Connect) and connect.uri.endswith("/router-info"):
        way.handle(Connected(connect.connection), now)
        way.handle(TextReceived(connect.connection, ANSWER), now)
    assert list(way.handle(Connected(way.connection), now)) == [Up()]


def only(effects: Any) -> LinkEffect:
    (effect,) = effects
    return effect


def test_it_asks_where_to_go_and_goes_there() -> None:
    way = link()
    assert only(way.wake(0)) == Connect(1, "ws://lns:1/router-info")
    assert only(way.handle(Connected(1), 5)) == SendText(1, '{"router":"::1"}')
    assert list(way.handle(TextReceived(1, ANSWER), 9)) == [Close(1), Connect(2, "ws://lns:1/router-1")]
    assert not way.handle(Closed(1), 10)
    assert only(way.handle(Connected(2), 11)) == Up()
    assert way.wake_at is None


def test_a_lost_data_connection_is_tried_again_after_1_2_4_8_16_s_and_then_discovery() -> None:
    way = link()
    connected(way, 0)
    now, waits = 0, []
    for _ in range(5):
        assert only(way.handle(Closed(way.connection, "gone"), now)) == Down("gone")
        assert way.wake_at is not None
        waits.append(way.wake_at - now)
        now = way.wake_at
        connected(way, now)
    assert waits == [1 * S, 2 * S, 4 * S, 8 * S, 16 * S]
    way.handle(Closed(way.connection), now)
    assert way.wake_at == now + 10 * S
    assert only(way.wake(now + 10 * S)) == Connect(way.connection, "ws://lns:1/router-info")


def test_a_router_config_starts_the_waits_over() -> None:
    way = link()
    connected(way, 0)
    for now in (0, 10 * S, 20 * S):
        way.configured()
        way.handle(Closed(way.connection), now)
        assert way.wake_at == now + 1 * S
        connected(way, now + 1 * S)


def test_a_server_that_is_away_is_asked_after_0_10_up_to_60_s() -> None:
    way, now, waits = link(), 0, []
    for _ in range(9):
        way.wake(now)
        dropped = only(way.handle(Closed(way.connection, "refused"), now))
        assert isinstance(dropped, Dropped)
        assert way.wake_at is not None
        waits.append((way.wake_at - now) // S)
        now = way.wake_at
    assert waits == [0, 10, 20, 30, 40, 50, 60, 60, 60]


def test_a_data_connection_that_cannot_be_opened_leads_back_to_discovery() -> None:
    way = link()
    connected(way, 0)
    way.handle(Closed(2), 0)
    assert only(way.wake(1 * S)) == Connect(3, "ws://lns:1/router-1")
    way.handle(Closed(3, "refused"), 1 * S)
    assert way.wake_at == 11 * S
    assert only(way.wake(11 * S)) == Connect(4, "ws://lns:1/router-info")


@pytest.mark.parametrize("phase", [Phase.DISCOVERY_CONNECTING, Phase.DISCOVERY, Phase.DATA_CONNECTING])
def test_silence_of_60_s_ends_an_attempt(phase: Phase) -> None:
    way = link()
    way.wake(0)
    if phase is not Phase.DISCOVERY_CONNECTING:
        way.handle(Connected(1), 0)
    if phase is Phase.DATA_CONNECTING:
        way.handle(TextReceived(1, ANSWER), 0)
    assert way.phase is phase
    assert way.wake_at == 60 * S
    assert not way.wake(60 * S - 1)
    closing, dropped = way.wake(60 * S)
    assert closing == Close(way.connection)
    assert isinstance(dropped, Dropped)
    assert dropped.reason == "timeout"
    assert way.phase is Phase.WAITING


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("nothing of sense", "malformed"),
        ('{"router":"::1"}', "malformed"),
        ('{"router":"::1","uri":"ws://lns"}', "malformed"),
        ('{"router":"::1","uri":"http://lns:1/"}', "malformed"),
        ('{"error":"not today"}', "refused"),
        ('{"error":"not today","uri":"ws://lns:1/router"}', "refused"),
    ],
)
def test_an_answer_that_leads_nowhere_is_dropped(answer: str, reason: str) -> None:
    way = link()
    way.wake(0)
    way.handle(Connected(1), 0)
    closing, dropped = way.handle(TextReceived(1, answer), 0)
    assert closing == Close(1)
    assert isinstance(dropped, Dropped)
    assert dropped.reason == reason


def test_events_of_an_attempt_that_was_given_up_count_for_nothing() -> None:
    way = link()
    connected(way, 0)
    for event in (Connected(1), TextReceived(1, ANSWER), Closed(1), Closed(99)):
        assert not way.handle(event, 0)
    assert way.phase is Phase.DATA


@pytest.mark.parametrize("uri", ["lns:1", "ws://lns", "http://lns:1", "ws://lns:99999", "ws://lns:1/a path"])
def test_a_server_address_that_is_none_is_refused_at_once(uri: str) -> None:
    with pytest.raises(StationError, match=r"tc\.uri"):
        StationLink(Eui64(1), uri)
