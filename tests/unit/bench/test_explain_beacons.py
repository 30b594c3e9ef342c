"""Beacons explained, of both layouts: values and CRCs as the specifications print them."""

from __future__ import annotations

import pytest
from explained import field

from bench.explain import explain_beacon
from lorawan.errors import FrameError
from lorawan.version import Version

# TS001-1.0.4 §13.4, the example of an EU868 beacon
BEACON = bytes.fromhex("0000000002cca27e00012000008103de55")


def test_the_beacon_of_the_specification_is_read_as_it_says() -> None:
    explanation = explain_beacon(BEACON, 9, Version.V1_0_4)
    shown = [(f.name, f.raw) for f in explanation.fields]
    assert shown == [
        ("RFU", "00"),
        ("Param", "00"),
        ("Time", "000002cc"),
        ("CRC", "a27e"),
        ("InfoDesc", "00"),
        ("Info", "012000008103"),
        ("CRC", "de55"),
    ]
    assert field(explanation, "Time").value == 0xCC020000
    assert (field(explanation, "Info", "Lat").value, field(explanation, "Info", "Lng").value) == (0x002001, 0x038100)
    assert (explanation.facts["crc"], explanation.facts["specific_crc"]) == ("ok", "ok")
    assert [f.name for f in explain_beacon(BEACON, 9, Version.V1_0_3).fields][:2] == ["RFU", "Time"]


def test_a_beacon_with_a_wrong_crc_is_refused() -> None:
    with pytest.raises(FrameError, match="CRC at byte 6"):
        explain_beacon(BEACON[:7] + b"\0" + BEACON[8:], 9, Version.V1_0_4)
    assert explain_beacon(BEACON[:-1] + b"\0", 9, Version.V1_0_4).facts["specific_crc"] == "wrong"


# LoRaWAN 1.0.2 §15.2: its EU868 example, and its US900 example with the bytes in the order of the first one
BEACONS_102 = {9: "aabbcc000002cc7e00012000008103de55", 10: "aabbcc000002cc7ec80001200000810300" + "50d4"}


@pytest.mark.parametrize(("sf", "crc", "names"), [(9, "7e", ()), (10, "7ec8", ("RFU",))])
def test_the_beacons_of_1_0_2_are_read_as_it_says(sf: int, crc: str, names: tuple[str, ...]) -> None:
    explanation = explain_beacon(bytes.fromhex(BEACONS_102[sf]), sf, Version.V1_0_2)
    expected = ["NetID", "Time", "CRC", "InfoDesc", "Info", *names, "CRC"]
    assert [f.name for f in explanation.fields] == expected
    assert (field(explanation, "NetID").value, field(explanation, "Time").value) == ("ccbbaa", 0xCC020000)
    assert field(explanation, "CRC").raw == crc
    assert (field(explanation, "Info", "Lat").value, field(explanation, "Info", "Lng").value) == (0x002001, 0x038100)
    assert (explanation.facts["crc"], explanation.facts["specific_crc"]) == ("ok", "ok")
    # 0xCC020000 s after 1970, by GNU date; the clauses by the document's table of contents
    assert field(explanation, "Time").meaning == "2078-06-17 09:18:56 UTC"
    assert {f.clause for f in explanation.fields} == {"LoRaWAN 1.0.2 §15.2", "LoRaWAN 1.0.2 §15.3"}


def test_a_1_0_2_beacon_with_a_wrong_crc_is_refused_and_only_its_own_spreading_factors_have_one() -> None:
    beacon = bytes.fromhex(BEACONS_102[9])
    with pytest.raises(FrameError, match=r"CRC at byte 7: .*LoRaWAN 1\.0\.2 §15\.2"):
        explain_beacon(beacon[:7] + b"\x7f" + beacon[8:], 9, Version.V1_0_2)
    assert explain_beacon(beacon[:-1] + b"\0", 9, Version.V1_0_2).facts["specific_crc"] == "wrong"
    with pytest.raises(FrameError, match="16 bytes"):
        explain_beacon(beacon[:-1], 9, Version.V1_0_2)
    with pytest.raises(FrameError, match="SF11"):
        explain_beacon(beacon, 11, Version.V1_0_2)


def test_a_1_0_2_device_hears_beacons_of_the_later_layout_too() -> None:
    explanation = explain_beacon(BEACON, 9, Version.V1_0_2)
    assert [f.name for f in explanation.fields][:3] == ["RFU", "Time", "CRC"]
    assert explanation.facts["version"] == "1.0.3"


def test_what_1_0_2_keeps_for_later_is_not_read_as_a_network() -> None:
    data = bytes.fromhex(BEACONS_102[9])
    assert not field(explain_beacon(data[:8] + b"\x03" + data[9:], 9, Version.V1_0_2), "Info").inner
