"""Answers after which the network has nothing to do but to know: the request is done, and asked no more."""

from __future__ import annotations

import pytest
from mac_pairs import clear_f_opts, data_up, joined

from lorawan import mac_commands as mac
from lorawan.server import RequestDone
from lorawan.testing import Pair
from lorawan.version import Version


def asked(version: Version, request: mac.MacCommand) -> Pair:
    """What a join leads to is over, and two uplinks have followed the request."""
    pair = joined(version)
    pair.send(b"first")
    pair.ask(request)
    pair.send(b"asks")
    pair.send(b"answers")
    return pair


@pytest.mark.parametrize("version", Version, ids=str)
def test_a_duty_cycle_is_asked_for_until_it_is_answered(version: Version) -> None:
    """LoRaWAN 1.0.4 §5.3: DutyCycleAns has no payload, so it cannot refuse."""
    request = mac.DutyCycleReq(max_d_cycle=3)
    pair = asked(version, request)
    assert pair.of(RequestDone) == [RequestDone((request,), mac.DutyCycleAns())]
    assert pair.device.session is not None
    assert pair.device.session.max_d_cycle == 3
    downlinks = len(pair.answers)
    pair.send(b"more")
    assert len(pair.answers) == downlinks


def test_a_network_hears_which_rejoin_parameters_are_kept() -> None:
    """LoRaWAN 1.1 §5.14: TimeOK says that MaxTimeN is kept, and MaxCountN always is."""
    request = mac.RejoinParamSetupReq(max_time_n=2, max_count_n=5)
    pair = asked(Version.V1_1, request)
    frame = data_up(pair)[-1]
    assert clear_f_opts(pair, frame, frame.f_cnt) == b"\x0f\x01"
    assert pair.of(RequestDone) == [RequestDone((request,), mac.RejoinParamSetupAns(time_ok=True))]
