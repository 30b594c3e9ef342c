"""A device that no longer reaches its network finds it again after LIMIT + n · DELAY uplinks at most.

n: a step for the power where the version has it, one for each data rate, one for the channels.
Source: LoRaWAN 1.0.2, 1.0.3, 1.0.4 and 1.1, §4.3.1.1.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from mac_pairs import hear_commands, joined

from lorawan import mac_commands as mac
from lorawan.device.session import DeviceSession
from lorawan.testing import Pair, losing, silent
from lorawan.version import Version

HOUR_US = 3_600_000_000
DEFAULT_MASK, MOVED_MASK = 0b111, 0b1000


def reaches_the_network(session: DeviceSession) -> bool:
    return session.dr == 0 and session.tx_power_index == 0 and session.plan.ch_mask & DEFAULT_MASK == DEFAULT_MASK


def lost(version: Version, dr: int, power: int, mask: int, limit: int, delay: int) -> Pair:
    """A device that the network moved somewhere from where it cannot be heard any more."""
    pair = joined(version)
    pair.send(b"confirms the keys of 1.1")
    hear_commands(pair, mac.NewChannelReq(ch_index=3, freq_hz=867_100_000, max_dr=5, min_dr=0))
    session = pair.device.session
    assert session is not None
    session.answers, session.adr_ack_cnt = (), 0
    session.dr, session.tx_power_index, session.plan = dr, power, replace(session.plan, ch_mask=mask)
    session.adr_ack_limit, session.adr_ack_delay = limit, delay  # other than 64 and 32 only in 1.1; the law is the same
    pair.server_effects.clear()
    pair.up = losing(lambda _: not reaches_the_network(session))
    return pair


@settings(max_examples=40, deadline=None)
@given(
    version=st.sampled_from(list(Version)),
    dr=st.integers(0, 5),
    power=st.integers(0, 7),
    mask=st.sampled_from((DEFAULT_MASK, MOVED_MASK, 0b0001, 0b1011)),
    limit=st.sampled_from((2, 4, 16)),
    delay=st.sampled_from((1, 2, 8)),
)
def test_a_lost_device_is_heard_again_within_the_bound(
    version: Version, dr: int, power: int, mask: int, limit: int, delay: int
) -> None:
    pair = lost(version, dr, power, mask, limit, delay)
    steps = dr + 1 + (power > 0 and version in (Version.V1_0_4, Version.V1_1))
    needed = 0
    while not pair.app_uplinks:
        pair.now += HOUR_US
        pair.send(b"x")
        needed += 1
        assert needed <= limit + steps * delay + 1  # the uplink after the last step is the one that is heard


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(list(Version)), st.integers(0, 200))
def test_nothing_changes_while_downlinks_come(version: Version, lost_at_first: int) -> None:
    """Any class A downlink sets the counter back: a device that is heard before LIMIT + DELAY keeps its settings."""
    pair = joined(version)
    pair.send(b"confirms the keys of 1.1")
    session = pair.device.session
    assert session is not None
    session.dr, session.tx_power_index = 3, 4
    for number in range(3 * 95):
        if number % 95 == lost_at_first % 95:
            hear_commands(pair)
            continue
        pair.up = silent
        pair.now += HOUR_US
        pair.send(b"x")
        assert (session.dr, session.tx_power_index) == (3, 4)
