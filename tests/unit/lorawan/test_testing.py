"""The pair itself: what its documentation shows, and that its link does what it is told."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import lorawan.testing
from lorawan.device import Received, SendDone, SendRequest, StartJoin
from lorawan.device.events import SwitchClass
from lorawan.errors import MisuseError
from lorawan.ids import NetId
from lorawan.machine import Dropped
from lorawan.operating_class import OperatingClass
from lorawan.regions import REGIONS, Region
from lorawan.server import JoinSettings
from lorawan.testing import Pair, Script, otaa_device, silent
from lorawan.version import Version


def test_the_documentation_runs_as_printed() -> None:
    result = doctest.testmod(lorawan.testing)
    assert result.attempted > 10
    assert result.failed == 0


def test_the_page_runs_as_printed() -> None:
    page = Path(__file__).parents[3] / "docs/testing.md"
    result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted > 20
    assert result.failed == 0


def joined(version: Version = Version.V1_0_4, **changes: object) -> Pair:
    pair = Pair(otaa_device(version), **changes)  # type: ignore[arg-type]  # keyword pass-through
    pair.join()
    return pair


def test_an_uplink_that_arrives_after_a_later_one_is_refused() -> None:
    pair = joined()
    pair.up = Script([(20_000_000,), (0,)])
    pair.send(b"first", confirmed=True)
    # the first copy came 20 s late and the acknowledgement with it; NbTrans 1: the device gave up before
    pair.up = Script([(60_000_000,), (0,)])
    pair.feed(SendRequest(10, b"late"))
    pair.run(until=pair.now + 5_000_000)
    pair.feed(SendRequest(10, b"early"))
    pair.run()
    assert pair.delivered == [b"first", b"early"]
    assert [e.reason for e in pair.of(Dropped)] == ["f_cnt_replay"]


def test_a_downlink_replayed_in_a_later_window_is_refused() -> None:
    pair = joined()
    pair.down = Script([(0, 1)])
    pair.queue(b"open", 7)
    pair.send(b"a")
    pair.send(b"b")
    assert pair.received == [b"open"]
    assert [e.reason for e in pair.of(Dropped)] == ["f_cnt_replay"]


def test_an_answer_too_late_for_both_windows_is_not_sent() -> None:
    pair = joined()
    pair.up = Script([(2_500_000,)])
    pair.send(b"a", confirmed=True)
    assert pair.of(SendDone)[-1].acknowledged is False
    assert not pair.missed


@pytest.mark.parametrize("drift_ppm", [-150, 150])
def test_a_clock_that_drifts_within_its_bound_misses_no_window(drift_ppm: int) -> None:
    pair = joined(drift_ppm=drift_ppm)
    for _ in range(20):
        pair.send(b"x", confirmed=True)
    assert all(done.acknowledged for done in pair.of(SendDone))
    assert not pair.missed


def test_a_clock_far_off_misses_its_windows() -> None:
    pair = Pair(otaa_device(Version.V1_0_4), drift_ppm=50_000)
    pair.feed(StartJoin())
    pair.run(until=60_000_000)
    assert pair.missed
    assert pair.device.session is None


def test_a_power_cut_leaves_what_was_persisted() -> None:
    pair = joined()
    pair.send(b"a")
    pair.cut_power()
    assert pair.device.session is None
    assert pair.device.memory.next_dev_nonce == 1
    pair.join()
    pair.send(b"b")
    assert pair.delivered == [b"a", b"b"]
    assert not pair.of(Received)


def test_something_that_never_ends_is_said() -> None:
    pair = Pair(otaa_device(Version.V1_0_4), up=silent)
    with pytest.raises(MisuseError, match="not quiet"):
        pair.join()
    with pytest.raises(MisuseError, match="no session"):
        pair.queue(b"x")


@pytest.mark.parametrize("region", REGIONS.values(), ids=lambda region: region.name)
def test_a_pair_joins_in_any_region_as_it_comes(region: Region) -> None:
    pair = Pair(otaa_device(Version.V1_0_4, region=region, join_data_rates=()))
    pair.join()
    pair.send(b"x")
    assert pair.delivered == [b"x"]


def test_accepts_with_a_second_window_that_the_region_does_not_have_are_refused() -> None:
    with pytest.raises(MisuseError, match="RX2 DR0 of the accepts is no downlink rate of US915"):
        Pair(otaa_device(Version.V1_0_4, region=REGIONS["US915"], join_data_rates=()), JoinSettings(NetId(0x13)))


def test_a_class_c_device_hears_its_network_without_an_uplink() -> None:
    pair = joined(Version.V1_1)
    pair.feed(SwitchClass(OperatingClass.C))
    pair.send(b"a")
    pair.queue(b"now", 7)
    sent = len(pair.sent)
    pair.run(until=pair.now + 10_000_000)
    assert (pair.received, len(pair.sent)) == ([b"now"], sent)
