"""Class B beacons against the specification's own examples, and their errors."""

from __future__ import annotations

import pytest

from lorawan.errors import FrameError
from lorawan.frames.beacon import Beacon, beacon_size, crc16_ccitt, decode_beacon, encode_beacon

EU868_EXAMPLE = bytes.fromhex("0000 000002CC A27E 00 012000 008103 DE55")  # TS001-1.0.4 §13.4, table 80
US915_EXAMPLE = bytes.fromhex(
    "000000 000002CC A27E 00 012000 008103 00 50D4"
)  # TS001-1.0.4 §13.4, as sent over the air


@pytest.mark.parametrize(("frame", "sf"), [(EU868_EXAMPLE, 9), (US915_EXAMPLE, 10)])
def test_examples_of_the_specification_are_read_and_written(frame: bytes, sf: int) -> None:
    beacon = decode_beacon(frame, sf)
    assert (beacon.gps_s, beacon.info_desc, beacon.lat, beacon.lng) == (0xCC020000, 0, 0x002001, 0x038100)
    assert beacon.specific_ok
    assert encode_beacon(beacon, sf) == frame
    assert encode_beacon(Beacon(0xCC020000, 0, 0x002001, 0x038100), sf) == frame


# what lora_pkt_fwd 2.1.0 (sx1302_hal) sent for ref_latitude 47.42028, ref_longitude 0.81167 and a period of 6 s
REFERENCE_BEACONS = {
    1479556722: "0000723e3058d1af00327143c2930074e3",
    1479556728: "0000783e30587ac700327143c2930074e3",
    1479556734: "00007e3e3058e3e000327143c2930074e3",
    1479556740: "0000843e3058051700327143c2930074e3",
}


def test_beacons_are_those_of_the_reference_forwarder() -> None:
    for gps_s, frame in REFERENCE_BEACONS.items():
        assert encode_beacon(Beacon.at(gps_s, 47.42028, 0.81167)).hex() == frame


def test_the_crc_is_that_of_the_specification() -> None:
    assert crc16_ccitt(b"123456789") == 0x31C3  # CRC-16/XMODEM of the catalogue of parametrised CRC algorithms


@pytest.mark.parametrize(("sf", "size"), [(8, 19), (9, 17), (10, 19), (12, 23)])
def test_sizes_are_those_of_the_reference_forwarder(sf: int, size: int) -> None:
    assert beacon_size(sf) == size == len(encode_beacon(Beacon(1), sf))


@pytest.mark.parametrize(
    ("degrees", "lat", "lng"), [(90.0, 0x7FFFFF, 0x400000), (-90.0, -0x800000, -0x400000), (45.0, 0x400000, 0x200000)]
)
def test_coordinates_are_fractions_of_a_quarter_and_of_half_a_turn(degrees: float, lat: int, lng: int) -> None:
    beacon = Beacon.at(0, degrees, degrees)
    assert (beacon.lat, beacon.lng) == (lat, lng)
    assert beacon.latitude_deg == pytest.approx(degrees, abs=2e-5)
    assert Beacon.at(0, 0, 180.0).lng == 0x7FFFFF


def test_damage_in_the_second_part_leaves_the_time() -> None:
    damaged = EU868_EXAMPLE[:-1] + b"\x00"
    assert decode_beacon(damaged).gps_s == 0xCC020000
    assert not decode_beacon(damaged).specific_ok


@pytest.mark.parametrize("frame", [b"", EU868_EXAMPLE[:-1], EU868_EXAMPLE + b"\0", b"\x01" + EU868_EXAMPLE[1:]])
def test_what_is_no_beacon_says_so(frame: bytes) -> None:
    with pytest.raises(FrameError, match=r"beacon|CRC"):
        decode_beacon(frame)
    with pytest.raises(FrameError, match="SF7"):
        decode_beacon(EU868_EXAMPLE, 7)
    with pytest.raises(FrameError, match="beacon"):
        encode_beacon(Beacon(1 << 32))
