"""The back-off tables of the specifications, row by row: ADRACKReq, data rate, power, NbTrans and channels."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mac_pairs import data_up, otaa

from lorawan.ids import NetId
from lorawan.server import JoinSettings
from lorawan.testing import Pair, silent
from lorawan.version import Version

HOUR_US = 3_600_000_000
Row = tuple[bool, int, int, int, int]  # ADRACKReq, DR, TXPower index, NbTrans, channel mask


def rows(
    version: Version, dr: int, power: int, nb_trans: int, mask: int, uplinks: int, *, network_1_1: bool = True
) -> list[Row]:
    """What each of so many uplinks without any downlink looks like; the first has ADR_ACK_CNT 0."""
    pair = Pair(otaa(version), settings=JoinSettings(NetId(0x13), speaks_1_1=network_1_1))
    pair.join()
    session = pair.device.session
    assert session is not None
    session.announce = b""
    session.dr, session.tx_power_index, session.nb_trans = dr, power, nb_trans
    session.plan = replace(session.plan, ch_mask=mask)
    pair.up = silent
    found = []
    for _ in range(uplinks):
        pair.now += HOUR_US
        pair.send(b"x")
        asks = data_up(pair)[-1].f_ctrl.adr_ack_req
        found.append((asks, session.dr, session.tx_power_index, session.nb_trans, session.plan.ch_mask))
    return found


def runs(found: list[Row]) -> list[tuple[int, Row]]:
    """Where the rows change."""
    return [(i, row) for i, row in enumerate(found) if i == 0 or row != found[i - 1]]


def test_1_0_4_goes_through_its_table_9() -> None:
    """TS001-1.0.4 §4.3.1.1, table 9: from DR1, 9 dB below the maximum, NbTrans 3, a mask of its own.

    The table's last row still asks: nothing but a downlink ends it.
    """
    assert runs(rows(Version.V1_0_4, dr=1, power=4, nb_trans=3, mask=0b001, uplinks=200)) == [
        (0, (False, 1, 4, 3, 0b001)),
        (64, (True, 1, 4, 3, 0b001)),
        (96, (True, 1, 0, 3, 0b001)),
        (128, (True, 0, 0, 3, 0b001)),
        (160, (True, 0, 0, 1, 0b111)),
    ]


def test_1_1_goes_through_its_table() -> None:
    """LoRaWAN 1.1 §4.3.1.1: SF11, 9 dB below the maximum, a single channel; asking ends with all channels enabled."""
    assert runs(rows(Version.V1_1, dr=1, power=4, nb_trans=1, mask=0b001, uplinks=200)) == [
        (0, (False, 1, 4, 1, 0b001)),
        (64, (True, 1, 4, 1, 0b001)),
        (96, (True, 1, 0, 1, 0b001)),
        (128, (True, 0, 0, 1, 0b001)),
        (160, (False, 0, 0, 1, 0b111)),
    ]


@pytest.mark.parametrize("version", [Version.V1_0_2, Version.V1_0_3], ids=str)
def test_before_1_0_4_asking_ends_at_the_lowest_data_rate(version: Version) -> None:
    """LoRaWAN 1.0.3 §4.3.1.1: "ADRACKReq SHALL not be set if the device uses its lowest available data rate"."""
    assert runs(rows(version, dr=2, power=0, nb_trans=1, mask=0b111, uplinks=170)) == [
        (0, (False, 2, 0, 1, 0b111)),
        (64, (True, 2, 0, 1, 0b111)),
        (96, (True, 1, 0, 1, 0b111)),
        (128, (False, 0, 0, 1, 0b111)),
    ]


@pytest.mark.parametrize("version", Version, ids=str)
def test_repeats_are_not_counted(version: Version) -> None:
    """§4.3.1.1 of every version: the counter counts uplink frames, not their transmissions."""
    found = rows(version, dr=3, power=0, nb_trans=3, mask=0b111, uplinks=66)
    assert [i for i, row in enumerate(found) if row[0]] == [64, 65]


def test_a_1_1_device_on_a_1_0_network_backs_off_as_one_of_1_0_4() -> None:
    """LoRaWAN 1.1 §6.2.3: it falls back; `Version.in_session` says to which version."""
    start = {"dr": 0, "power": 0, "nb_trans": 1, "mask": 0b111, "uplinks": 70}
    fallen_back = rows(Version.V1_1, **start, network_1_1=False)
    assert fallen_back == rows(Version.V1_0_4, **start)
    assert fallen_back != rows(Version.V1_1, **start)
