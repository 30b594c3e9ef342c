"""NMEA, UBX, the receiver's line and the pairing with a counter, against figures from outside."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_fw.gps.line import GpsCore, ReadPulse
from gateway_fw.gps.nmea import Gga, NmeaError, Rmc, parse_sentence
from gateway_fw.gps.pairing import Pairing
from gateway_fw.gps.reference import Position, TimeLost, TimeReference
from gateway_fw.gps.ubx import NavTimeGps, UbxError, enable_nav_timegps, message, parse_message
from gateway_fw.stream import BytesReceived, LineLost
from lorawan.machine import Dropped
from lorawan.units import US_PER_S

# u-blox M8 Receiver Description, UBX-13003221, §31.2.4 and §31.2.14: the examples of its GGA and RMC sections
GGA = b"$GPGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*5B\r\n"
RMC = b"$GPRMC,083559.00,A,4717.11437,N,00833.91522,E,0.004,77.52,091202,,,A*57\r\n"
WEEK_S = 604_800


def time_gps(tow_ms: int, week: int, *, valid: int = 7, leap_s: int = 18, f_tow_ns: int = 0) -> bytes:
    fields = (tow_ms.to_bytes(4, "little"), f_tow_ns.to_bytes(4, "little", signed=True), week.to_bytes(2, "little"))
    return message((0x01, 0x20), b"".join(fields) + bytes((leap_s, valid)) + (50).to_bytes(4, "little"))


def test_the_receiver_makers_own_examples_are_read() -> None:
    gga = parse_sentence(GGA)
    assert isinstance(gga, Gga)
    assert gga.latitude_deg == pytest.approx(47 + 17.11399 / 60)
    assert gga.longitude_deg == pytest.approx(8 + 33.91590 / 60)
    assert (gga.altitude_m, gga.satellites) == (499.6, 8)
    assert parse_sentence(RMC) == Rmc(datetime(2002, 12, 9, 8, 35, 59, tzinfo=UTC), True)


def test_a_receiver_of_several_systems_and_the_south_west_are_read() -> None:
    sentence = b"GNGGA,235959.50,3351.5000,S,15112.9000,W,2,12,0.9,-3.5,M,22.0,M,,"
    checksum = 0
    for byte in sentence:
        checksum ^= byte
    gga = parse_sentence(b"$" + sentence + f"*{checksum:02X}".encode())
    assert isinstance(gga, Gga)
    assert gga.latitude_deg == pytest.approx(-33.858333, abs=1e-6)
    assert gga.longitude_deg == pytest.approx(-151.215, abs=1e-6)
    assert gga.altitude_m == -3.5


def test_a_receiver_without_a_fix_knows_neither_time_nor_place() -> None:
    assert parse_sentence(b"$GPRMC,,V,,,,,,,,,,N*53") == Rmc(None, False)
    gga = parse_sentence(b"$GPGGA,,,,,,0,00,99.99,,,,,,*48")
    assert isinstance(gga, Gga)
    assert not gga.has_position
    assert parse_sentence(b"$GPGSV,1,1,00*79") is None


@pytest.mark.parametrize("line", [b"", b"$", b"GPRMC", GGA.replace(b"5B", b"5C"), GGA.replace(b"4717", b"4777")])
def test_a_damaged_sentence_says_what_is_wrong(line: bytes) -> None:
    with pytest.raises(NmeaError):
        parse_sentence(line)


def test_the_order_that_switches_time_on_is_the_reference_forwarders() -> None:
    # loragw_gps.c (sx1302_hal 2.1.0) sends these bytes, checksum 32 94; ours asks for USB as well
    assert message((0x06, 0x01), bytes.fromhex("01 20 00 01 01 00 00 00")).hex(" ") == (
        "b5 62 06 01 08 00 01 20 00 01 01 00 00 00 32 94"
    )
    assert enable_nav_timegps()[6:14] == bytes.fromhex("01 20 00 01 01 01 00 00")


def test_gps_time_is_read_with_its_leap_seconds() -> None:
    # 1 January 2017 00:00:00 UTC: GPS week 1930, second 18 of the day after 0 days (the date is a Sunday)
    parsed = parse_message(time_gps(18_000, 1930))
    assert parsed == NavTimeGps((1930 * WEEK_S + 18) * US_PER_S, 18, 50)
    assert parsed.gps_us is not None
    reference = TimeReference(0, parsed.gps_us, 18)
    assert reference.unix_us_at(0) == 1_483_228_800 * US_PER_S
    assert parse_message(time_gps(18_000, 1930, valid=1)) == NavTimeGps(None, None, 50)
    assert parse_message(time_gps(18_000, 1930, valid=3)) == NavTimeGps((1930 * WEEK_S + 18) * US_PER_S, None, 50)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    for parse, error in ((parse_message, UbxError), (parse_sentence, NmeaError)):
        with suppress(error):
            parse(data)  # type: ignore[operator]


def feed(core: GpsCore, data: bytes) -> list[object]:
    return [effect for effect in core.handle(BytesReceived(data), 0) if not isinstance(effect, Dropped)]


@given(st.lists(st.integers(1, 40), max_size=20), st.binary(max_size=30))
def test_the_line_may_be_cut_anywhere_and_hold_noise(cuts: list[int], noise: bytes) -> None:
    core = GpsCore()
    clean = noise.replace(b"$", b"").replace(b"\xb5", b"")
    stream = clean + GGA + clean + time_gps(18_000, 1930) + b"$GPTXT,01,01\r\n" + clean + RMC
    found: list[object] = []
    for cut in cuts:
        found += feed(core, stream[:cut])
        stream = stream[cut:]
    found += feed(core, stream)
    assert [type(effect) for effect in found] == [Position, ReadPulse]


@given(st.lists(st.binary(max_size=64), max_size=20))
def test_no_bytes_stop_the_line_or_fill_the_memory(pieces: list[bytes]) -> None:
    core = GpsCore()
    for piece in pieces:
        core.handle(BytesReceived(piece), 0)
        assert len(core._buffer) < 2_000
    core.handle(LineLost("unplugged"), 0)
    # a sentence that comes later is read
    assert any(isinstance(effect, Position) for effect in feed(core, b"\r\n" + GGA))


def test_a_pulse_is_paired_with_the_second_that_it_began() -> None:
    core = GpsCore()
    assert feed(core, time_gps(18_000, 1930, f_tow_ns=-120_000)) == [ReadPulse()]
    (reference,) = core.pulse(5_000_000, 5_100_000)
    assert reference == TimeReference(5_000_000, (1930 * WEEK_S + 18) * US_PER_S, 18)
    assert core.pulse(5_000_000, 5_100_000) == ()  # each time once
    feed(core, time_gps(19_000, 1930))
    (missing,) = core.pulse(None, 6_100_000)
    assert isinstance(missing, Dropped)
    assert feed(core, time_gps(19_250, 1930)) == []  # an epoch between two pulses


def test_leap_seconds_come_from_utc_while_the_satellites_have_not_told_them() -> None:
    core = GpsCore()
    # 9 December 2002 08:35:59 UTC was 13 s behind GPS: week 1196, Monday
    feed(core, RMC + time_gps((86_400 + 8 * 3_600 + 35 * 60 + 59 + 13) * 1_000, 1196, valid=3))
    (reference,) = core.pulse(5_000_000, 5_100_000)
    assert isinstance(reference, TimeReference)
    assert reference.leap_s == 13
    assert reference.unix_us_at(5_000_000) == 1_039_422_959 * US_PER_S


def test_a_lost_fix_is_told_once() -> None:
    core = GpsCore()
    assert feed(core, time_gps(0, 0, valid=0)) == []
    feed(core, time_gps(18_000, 1930))
    assert [type(effect) for effect in feed(core, time_gps(0, 0, valid=0) * 2)] == [TimeLost]


def test_a_pairing_out_of_step_is_refused_and_the_third_begins_anew() -> None:
    pairing = Pairing()
    second = US_PER_S
    assert pairing.pair(0, 100 * second, 18) == TimeReference(0, 100 * second, 18)
    # 5 ppm fast is a crystal, 11 ppm is not
    assert pairing.pair(1_000_005, 101 * second, 18) == TimeReference(1_000_005, 101 * second, 18, 1.000005)
    assert isinstance(pairing.pair(2_000_016, 102 * second, 18), Dropped)
    # the pulse of the second before, as when bytes were stuck in a buffer
    assert isinstance(pairing.pair(2_000_010, 103 * second, 18), Dropped)
    anew = pairing.pair(3_000_015, 104 * second, 18)
    assert isinstance(anew, TimeReference)
    assert (anew.at, anew.rate, pairing.resynchronised) == (3_000_015, 1.000005, 1)


def test_a_reference_converts_both_ways_with_the_crystals_error() -> None:
    reference = TimeReference(1_000_000, 5_000 * US_PER_S, 18, 1.00001)
    assert reference.gps_us_at(1_000_000 + 10_000_100) == 5_010 * US_PER_S
    assert reference.instant_of_gps(5_010 * US_PER_S) == 11_000_100
    assert reference.is_valid(31_000_000)
    assert not reference.is_valid(31_000_001)
