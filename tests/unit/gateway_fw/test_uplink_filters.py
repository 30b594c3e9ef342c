"""Filters of a forwarder: CRC, NetID, JoinEUI.

The address blocks are the public ones of the LoRa Alliance's list: NetID 000013 owns 26000000/7, 00003C 78000000/7,
C00053 FC014C00/22, and the experimental NetIDs 000000 and 000001 own 00000000/7 and 02000000/7.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from gateway_fw.forwarder import UplinkFilter, dev_addr_block
from gateway_fw.gwmp import CRC_BAD, CRC_OK, NO_CRC, Rxpk
from lorawan.ids import Eui64, NetId
from lorawan.phy import CodingRate, LoraModulation


def rxpk(payload: bytes, crc_status: int = CRC_OK) -> Rxpk:
    return Rxpk(0, 868_100_000, LoraModulation(7), CodingRate.CR_4_5, -90, 5, payload, crc_status)


def data_frame(dev_addr: int, mhdr: int = 0x40) -> bytes:
    return bytes([mhdr]) + dev_addr.to_bytes(4, "little") + bytes(7)


def join_request(join_eui: int) -> bytes:
    return b"\x00" + join_eui.to_bytes(8, "little") + bytes(14)


def reason(uplink_filter: UplinkFilter, payload: bytes, crc_status: int = CRC_OK) -> str | None:
    refusal = uplink_filter.refusal(rxpk(payload, crc_status))
    return None if refusal is None else refusal.reason


@pytest.mark.parametrize(
    ("net_id", "first", "last"),
    [
        (0x000000, 0x00000000, 0x01FFFFFF),
        (0x000001, 0x02000000, 0x03FFFFFF),
        (0x000013, 0x26000000, 0x27FFFFFF),
        (0x00003C, 0x78000000, 0x79FFFFFF),
        (0xC00053, 0xFC014C00, 0xFC014FFF),
    ],
)
def test_a_net_id_owns_its_published_block(net_id: int, first: int, last: int) -> None:
    assert dev_addr_block(NetId(net_id)) == (first, last)
    ours = UplinkFilter(net_ids=(NetId(net_id),))
    for dev_addr in (first, last):
        assert reason(ours, data_frame(dev_addr)) is None
    for dev_addr in ((first - 1) % (1 << 32), last + 1):
        assert reason(ours, data_frame(dev_addr)) == "net_id_filter"


def test_blocks_of_all_types_keep_apart() -> None:
    blocks = sorted(dev_addr_block(NetId(kind << 21 | 5)) for kind in range(8))
    assert all(last < first for (_, last), (first, _) in pairwise(blocks))


@pytest.mark.parametrize(
    ("status", "ok", "bad", "none", "passes"),
    [
        (CRC_OK, True, False, False, True),
        (CRC_BAD, True, False, False, False),
        (NO_CRC, True, False, False, False),
        (CRC_OK, False, True, True, False),
        (CRC_BAD, False, True, False, True),
        (NO_CRC, False, False, True, True),
    ],
)
def test_crc_policy(status: int, ok: bool, bad: bool, none: bool, passes: bool) -> None:
    policy = UplinkFilter(crc_ok=ok, crc_bad=bad, no_crc=none)
    assert (reason(policy, b"\x40", status) is None) is passes


def test_by_default_whatever_has_a_good_crc_passes() -> None:
    for payload in (b"", b"\xff", data_frame(0xFFFFFFFF), join_request(0)):
        assert reason(UplinkFilter(), payload) is None


def test_join_requests_pass_within_the_ranges_and_data_frames_are_none_of_their_business() -> None:
    ranges = ((Eui64(0x10), Eui64(0x1F)), (Eui64(0x70B3D57ED0000000), Eui64(0x70B3D57ED0FFFFFF)))
    joins = UplinkFilter(join_euis=ranges)
    for join_eui in (0x10, 0x1F, 0x70B3D57ED0000000, 0x70B3D57ED0FFFFFF):
        assert reason(joins, join_request(join_eui)) is None
    for join_eui in (0x0F, 0x20, 0x70B3D57ED1000000):
        assert reason(joins, join_request(join_eui)) == "join_eui_filter"
    assert reason(joins, data_frame(0x12345678)) is None


def test_a_rejoin_of_type_1_carries_a_join_eui_and_one_of_type_0_does_not() -> None:
    joins = UplinkFilter(join_euis=((Eui64(1), Eui64(1)),))
    assert reason(joins, b"\xc0\x01" + (2).to_bytes(8, "little") + bytes(14)) == "join_eui_filter"
    assert reason(joins, b"\xc0\x01" + (1).to_bytes(8, "little") + bytes(14)) is None
    assert reason(joins, b"\xc0\x00" + bytes(17)) is None


def test_confirmed_and_downlink_data_frames_have_an_address_too_and_proprietary_ones_none() -> None:
    ours = UplinkFilter(net_ids=(NetId(0x13),))
    for mhdr in (0x40, 0x60, 0x80, 0xA0):
        assert reason(ours, data_frame(0x78000000, mhdr)) == "net_id_filter"
    assert reason(ours, b"\xe0") is None


@pytest.mark.parametrize("payload", [b"", b"\x40", b"\x40\x01\x02\x03", b"\x00\x01"])
def test_a_frame_cut_short_is_dropped_where_a_filter_would_have_looked(payload: bytes) -> None:
    strict = UplinkFilter(net_ids=(NetId(0x13),), join_euis=((Eui64(1), Eui64(1)),))
    assert reason(strict, payload) == "malformed"


def test_frames_with_a_bad_crc_are_not_judged_by_fields_that_mean_nothing() -> None:
    bad = UplinkFilter(crc_bad=True, net_ids=(NetId(0x13),))
    assert reason(bad, data_frame(0x78000000), CRC_BAD) is None
