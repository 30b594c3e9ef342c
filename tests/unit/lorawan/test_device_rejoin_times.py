"""When a 1.1 device rejoins: at ForceRejoinReq, at the limits of RejoinParamSetupReq, by itself (LoRaWAN 1.1)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from mac_pairs import clear_f_opts, downlink, frame_of, hear_commands, otaa
from rejoin_network import accept_for, hear_in, joined_1_1, next_out, rejoin_of

from lorawan import mac_commands as mac
from lorawan.device import (
    SendRequest,
)
from lorawan.frames import RejoinRequest02, RejoinRequest1
from lorawan.ids import NetId
from lorawan.server import JoinSettings
from lorawan.testing import Pair, silent
from lorawan.version import Version

S = 1_000_000


class TestForceRejoinReq:
    """§5.13: at once, then MaxRetries times more, 32 s · 2^Period + 0…32 s apart."""

    def test_is_carried_out_at_its_data_rate_as_often_as_it_says(self) -> None:
        pair = joined_1_1()
        hear_commands(pair, mac.ForceRejoinReq(period=4, max_retries=2, rejoin_type=0, data_rate=3))
        heard_at = pair.now
        sent = []
        while pair.device.wake_at is not None:
            sent.append(next_out(pair)[0])
            pair._carry_out(pair.device.wake(pair.device.wake_at))
        assert [(s.transmit.modulation.sf, rejoin_of(s).rj_count) for s in sent] == [(9, 0), (9, 1), (9, 2)]
        assert sent[0].transmit.at == heard_at
        for a, b in pairwise(s.transmit.at for s in sent):
            assert 512 * S <= b - a <= 544 * S

    def test_ends_with_an_accept(self) -> None:
        pair = joined_1_1()
        hear_commands(pair, mac.ForceRejoinReq(period=0, max_retries=7, rejoin_type=2, data_rate=5))
        sent, (rx1, _) = next_out(pair)
        hear_in(pair, rx1, accept_for(pair, sent, join_nonce=2))
        assert pair.device.wake_at is None

    @pytest.mark.parametrize(("asked", "sent"), [(0, 0), (1, 0), (2, 2), *((rfu, None) for rfu in range(3, 8))])
    def test_asks_for_type_0_or_2(self, asked: int, sent: int | None) -> None:
        """§6.2.4.3: type 1 never follows the command."""
        pair = joined_1_1()
        hear_commands(pair, mac.ForceRejoinReq(period=0, max_retries=0, rejoin_type=asked, data_rate=5))
        if sent is None:
            assert pair.device.wake_at is None
        else:
            frame = rejoin_of(next_out(pair)[0])
            assert isinstance(frame, RejoinRequest02)
            assert frame.rejoin_type == sent

    def test_a_second_command_replaces_the_first(self) -> None:
        pair = joined_1_1()
        hear_commands(pair, mac.ForceRejoinReq(period=0, max_retries=7, rejoin_type=0, data_rate=5))
        _, (rx1, _) = next_out(pair)
        hear_in(pair, rx1, downlink(pair, mac.ForceRejoinReq(period=0, max_retries=0, rejoin_type=2, data_rate=4)))
        frame = rejoin_of(next_out(pair)[0])
        assert isinstance(frame, RejoinRequest02)
        assert frame.rejoin_type == 2
        pair.run()


class TestByItself:
    def test_after_the_number_of_uplinks_that_the_network_set(self) -> None:
        """§5.14: every 2^(MaxCountN + 4) uplinks."""
        pair = joined_1_1()
        hear_commands(pair, mac.RejoinParamSetupReq(max_time_n=15, max_count_n=0))
        pair.down = silent
        kinds = []
        for _ in range(40):
            pair.now += 100 * S
            pair.feed(SendRequest(10, b"x"))
            for _ in range(2):
                kinds.append(next_out(pair)[0].kind)
                pair._carry_out(pair.device.wake(pair.device.wake_at or 0))
                if pair.device.phase.name == "IDLE":
                    break
        # two uplinks went before: the first, and the one whose downlink brought the command
        assert kinds.index("rejoin") == 14
        assert kinds[15:].index("rejoin") == 16

    def test_after_the_time_that_the_network_set_without_any_data(self) -> None:
        """§5.14: every 2^(MaxTimeN + 10) s."""
        pair = joined_1_1()
        since = pair.now
        hear_commands(pair, mac.RejoinParamSetupReq(max_time_n=2, max_count_n=15))
        pair.send(b"the answer")
        assert clear_f_opts(pair, frame_of(pair.sent[-1].transmit.payload), pair.sent[-1].f_cnt) == b"\x0f\x01"
        at = []
        for _ in range(3):
            sent, _ = next_out(pair)
            assert isinstance(rejoin_of(sent), RejoinRequest02)
            at.append(sent.transmit.at)
            pair._carry_out(pair.device.wake(pair.device.wake_at or 0))
        assert at[0] <= since + 4096 * S
        assert [b - a for a, b in pairwise(at)] == [4096 * S] * 2

    def test_type_1_at_the_devices_own_period(self) -> None:
        """§6.2.4.2 recommends one a month at least."""
        month = 30 * 86_400 * S
        pair = joined_1_1(rejoin1_period_us=month)
        first, _ = next_out(pair)
        pair._carry_out(pair.device.wake(pair.device.wake_at or 0))
        second, _ = next_out(pair)
        assert isinstance(rejoin_of(first), RejoinRequest1)
        assert second.transmit.at - first.transmit.at == month

    def test_a_device_on_a_1_0_network_never_rejoins(self) -> None:
        """§6.2.3: OptNeg 0, nothing of 1.1 is left."""
        config = otaa(Version.V1_1, rejoin1_period_us=1000 * S)
        pair = Pair(config, settings=JoinSettings(NetId(0x13), speaks_1_1=False))
        pair.join()
        assert pair.device.session is not None
        assert not pair.device.session.is_1_1
        assert pair.device.wake_at is None
