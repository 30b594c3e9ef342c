"""Measured uplinks from three formats, errors that name the place, and what the fit and the verdict make of them."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.imports import MeasuredUplink, MeasurementError, Reception, parse_measurements, read_measurements
from bench.imports.kpi import measured_verdict, month_of, uplink_columns
from bench.imports.observations import observe
from bench.imports.places import MeasuredDevice, devices_of, parse_devices, parse_gateways
from lorawan.draws import Draws
from lorawan.trace import UplinkRecord, columns_of
from scenarios.kpi import Verdict
from scenarios.schema import Clause

HEADER = "time,device,f_cnt,sf,gateway,rssi_dbm,snr_db\n"
EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "measurements.csv"

CHIRPSTACK = {
    "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
    "time": "2022-07-18T09:34:15.775023242+00:00",
    "deviceInfo": {"deviceName": "meter", "devEui": "0101010101010101", "tags": {"key": "value"}},
    "devAddr": "00189440",
    "dr": 1,
    "fPort": 1,
    "data": "qg==",
    "rxInfo": [
        {"gatewayId": "0016C001F153A14C", "uplinkId": 4217106255, "rssi": -36, "snr": 10.5, "context": "E3OWOQ=="},
        {"gatewayId": "0016c001f153a14d", "uplinkId": 1, "rssi": -118},
    ],
    "txInfo": {
        "frequency": 867100000,
        "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 11, "codeRate": "CR_4_5"}},
    },
}
"""The members of ChirpStack's documentation of `up` events; zero values (fCnt, snr) are left out by the mapping."""

THINGS_STACK = {
    "end_device_ids": {"device_id": "dev1", "dev_eui": "0004A30B001C0530", "dev_addr": "00BCB929"},
    "received_at": "2020-02-12T15:15:46.000Z",
    "uplink_message": {
        "f_port": 1,
        "f_cnt": 42,
        "frm_payload": "gkHe",
        "rx_metadata": [
            {"gateway_ids": {"gateway_id": "gtw1", "eui": "9C5C8E00001A05C4"}, "rssi": -35, "snr": 5.2},
            {"gateway_ids": {"eui": "9C5C8E00001A05C5"}, "rssi": -110, "channel_rssi": -110},
        ],
        "settings": {
            "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}},
            "frequency": "868300000",
        },
        "received_at": "2020-02-12T15:15:45.787Z",
        "locations": {"user": {"latitude": 47.4, "longitude": 0.8}},
    },
}
"""The members of The Things Industries' documentation of uplink messages."""


def test_a_chirpstack_event_is_read_with_the_zeros_it_leaves_out() -> None:
    (uplink,) = parse_measurements(json.dumps(CHIRPSTACK, indent=1), "events.json")
    assert uplink == MeasuredUplink(
        t_us=1_658_136_855_775_023,
        device="0101010101010101",
        f_cnt=0,
        f_port=1,
        sf=11,
        freq_hz=867_100_000,
        receptions=(Reception("0016c001f153a14c", -36.0, 10.5), Reception("0016c001f153a14d", -118.0, 0.0)),
        line=1,
    )


def test_a_message_of_the_things_stack_is_read_bare_and_as_stored() -> None:
    bare = parse_measurements(json.dumps([THINGS_STACK]), "up.json")
    stored = parse_measurements(json.dumps({"result": THINGS_STACK}) + "\n\n", "up.json")
    assert bare == stored
    (uplink,) = bare
    assert (uplink.device, uplink.f_cnt, uplink.sf, uplink.freq_hz) == ("0004a30b001c0530", 42, 7, 868_300_000)
    assert uplink.receptions == (Reception("gtw1", -35.0, 5.2), Reception("9c5c8e00001a05c5", -110.0, 0.0))
    assert (uplink.lat, uplink.lon, uplink.t_us) == (47.4, 0.8, 1_581_520_545_787_000)


def test_events_that_are_no_uplinks_are_passed_over_and_times_put_in_order() -> None:
    join = {"time": "2022-07-18T09:33:28+00:00", "deviceInfo": {"devEui": "0101010101010101"}}
    earlier = {**CHIRPSTACK, "time": "2022-07-18T09:00:00+02:00", "fCnt": 7}
    text = "\n".join(json.dumps(event) for event in (join, CHIRPSTACK, earlier))
    assert [uplink.f_cnt for uplink in parse_measurements(text, "x")] == [7, 0]


def test_rows_of_one_frame_become_one_uplink_and_repeats_add_nothing() -> None:
    text = (
        "# invented\n" + HEADER + "2026-10-01T06:00:00Z,m,5,9,a,-110,-3\n"
        "2026-10-01T06:00:00Z,m,5,9,b,-114,-9.5\n"
        "2026-10-01T06:00:02Z,m,5,9,a,-109,-2\n"
        "2026-10-02T06:00:00Z,m,5,9,a,-111,-4\n"
        "2026-10-02T07:00:00Z,m,6,12,,,\n"
    )
    first, rejoined, unheard = parse_measurements(text, "x.csv")
    assert first.receptions == (Reception("a", -110.0, -3.0), Reception("b", -114.0, -9.5))
    assert (rejoined.f_cnt, len(rejoined.receptions)) == (5, 1)
    assert (unheard.sf, unheard.receptions, unheard.f_port) == (12, (), 1)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (HEADER + "2026-10-01T06:00:00Z,m,5,9,a,loud,-3\n", 'f:2: rssi_dbm: "loud" is not a number'),
        (HEADER + "\n2026-10-01T06:00:00Z,m,5,13,a,-110,-3\n", "f:3: sf: 13 is not within 5 … 12"),
        (HEADER + "2026-10-01T06:00:00,m,5,9,a,-110,-3\n", 'f:2: time: "2026-10-01T06:00:00" has no offset from UTC'),
        (HEADER + "2026-10-01T06:00:00Z,m,5.5,9,a,-110,-3\n", "f:2: f_cnt: "),
        (HEADER + "2026-10-01T06:00:00Z,m,5,9,,-110,\n", "f:2: rssi_dbm: given without a gateway"),
        (HEADER + "2026-10-01T06:00:00Z,m,5,9,a,nan,-3\n", "f:2: rssi_dbm: "),
        (HEADER + "2026-10-01T06:00:00Z,m,5,9,a,-110\n", "f:2: 6 cells"),
        ("# a\ntime,device\n", "f:2: f_cnt: column missing"),
        ("colour,time\n", "f:1: colour: unknown column"),
        (json.dumps({**CHIRPSTACK, "fPort": 300}), "f:1: record 1: fPort: 300 is not within 0 … 255"),
        (
            json.dumps(CHIRPSTACK) + "\n" + json.dumps({**CHIRPSTACK, "rxInfo": [{"gatewayId": "a"}]}),
            "f:2: record 2: rxInfo[0].rssi: missing",
        ),
        ("[" + json.dumps(CHIRPSTACK) + ",\n{]", "f:2: record 2: not JSON"),
        ("[" + json.dumps(CHIRPSTACK), "f:1: not JSON: the list is not closed"),
        (json.dumps({"devEUI": "AQ==", "rxInfo": []}), "f:1: record 1: devEUI: an event of ChirpStack 3"),
        (
            json.dumps({**THINGS_STACK, "uplink_message": {"settings": 3}}),
            "f:1: record 1: uplink_message.settings: an object is due, not a number",
        ),
        (json.dumps({"colour": "red"}), "f:1: record 1: neither a ChirpStack event nor"),
        ('{"deviceInfo": NaN}', "f:1: record 1: not JSON: NaN"),
    ],
)
def test_an_error_names_the_file_the_line_the_record_and_the_field(text: str, place: str) -> None:
    with pytest.raises(MeasurementError) as caught:
        parse_measurements(text, "f")
    assert str(caught.value).startswith(place)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
MEMBERS = st.sampled_from(
    [
        "deviceInfo",
        "rxInfo",
        "txInfo",
        "time",
        "devEui",
        "fCnt",
        "end_device_ids",
        "uplink_message",
        "settings",
        "result",
    ]
)
TREES = st.recursive(
    SCALARS, lambda t: st.lists(t, max_size=3) | st.dictionaries(MEMBERS, t, max_size=4), max_leaves=12
)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | TREES.map(json.dumps) | st.text(max_size=40).map(lambda tail: HEADER + tail))
def test_no_text_raises_anything_but_the_error_of_measurements(text: str) -> None:
    for parse in (parse_measurements, parse_devices, parse_gateways):
        with suppress(MeasurementError):
            parse(text, "f")


def test_deep_nesting_and_endless_numbers_are_refused() -> None:
    for text in ('{"deviceInfo":' * 100_000, '{"deviceInfo": ' + "9" * 5_000 + "}"):
        with pytest.raises(MeasurementError):
            parse_measurements(text, "f")


def test_the_example_says_that_it_is_synthetic_and_can_be_read() -> None:
    assert EXAMPLE.read_text(encoding="utf-8").startswith("# Synthetic example")
    uplinks = read_measurements(EXAMPLE)
    assert len({uplink.device for uplink in uplinks}) == 40
    assert {uplink.placement for uplink in uplinks} == {"outdoor", "indoor", "pit-plastic", "pit-cast-iron"}


def uplink(device: str, f_cnt: int, hours: float, receptions: tuple[Reception, ...], sf: int = 10) -> MeasuredUplink:
    """hours: since 1 October 2026, 00:00 in Paris."""
    return MeasuredUplink(
        t_us=1_790_805_600_000_000 + round(hours * 3.6e9),
        device=device,
        f_cnt=f_cnt,
        f_port=1,
        sf=sf,
        freq_hz=0,
        receptions=receptions,
    )


def test_a_frame_counts_as_missed_where_others_heard_it_and_where_the_counter_jumps() -> None:
    a, b = Reception("A", -114.0, -3.0), Reception("b", -116.0, -8.0)
    uplinks = [
        uplink("m", 10, 1, (a, b)),
        uplink("m", 11, 2, (a,), sf=9),
        uplink("m", 14, 5, (a,), sf=12),
        uplink("m", 2, 6, (a, b)),
        uplink("m", 3, 7, (a,)),
    ]
    found = observe(
        uplinks,
        ["m", "mute"],
        ["site-a", "b", "idle"],
        np.array([[-120.0, -125.0, -130.0], [-150.0, -150.0, -150.0]]),
        np.array([-114.0, -113.0, -114.0]),
        classes=["outdoor", "indoor"],
        tx_power_dbm=14.0,
        site_of={"a": "site-a"},
    )
    rows = found.observations
    assert (found.frames, found.gap_frames, found.silent_devices) == (5, 2, 1)
    assert rows.classes == ("indoor", "outdoor")
    heard = rows.received
    # Site a heard five frames; b two, and missed those of hours 2 and 5 and the two of the gap, at SF9, the lower SF.
    outdoor = rows.kind == 1
    at_a, at_b = (outdoor & (rows.predicted_dbm == power) for power in (-106.0, -111.0))
    assert rows.frames[at_a & heard].sum() == 5
    assert rows.frames[at_a & ~heard].tolist() == [2]
    assert rows.floor_dbm[at_a & ~heard].tolist() == [-114.0 - 12.5]
    assert rows.frames[at_b & heard].sum() == 2
    missed_b = dict(zip(rows.floor_dbm[at_b & ~heard].tolist(), rows.frames[at_b & ~heard].tolist(), strict=True))
    assert missed_b == {-113.0 - 12.5: 3, -113.0 - 20.0: 1}
    # The silent device is one missed frame at each site, at SF12.
    assert sorted(rows.floor_dbm[~outdoor].tolist()) == [-134.0, -133.0]
    assert rows.signal_dbm[at_a & heard][0] == pytest.approx(-114.0 - 10 * np.log10(1 + 10**0.3))
    assert [rows.weight[at_a].sum(), rows.weight[at_b].sum()] == pytest.approx([1.0, 1.0])
    assert any("idle" in warning for warning in found.warnings)


def test_paths_without_a_loss_are_left_out() -> None:
    found = observe(
        [uplink("m", 1, 1, (Reception("a", -110.0, 0.0), Reception("b", -110.0, 0.0)))],
        ["m"],
        ["a", "b"],
        np.array([[-120.0, -np.inf]]),
        np.array([-114.0, -114.0]),
        classes=["outdoor"],
        tx_power_dbm=14.0,
    )
    assert len(found.observations.kind) == 1
    assert any("holes" in warning for warning in found.warnings)


CLAUSE = Clause(
    id="c", kind="target", measure="monthly-connectivity", figure="50 %", clause="Annexe 4 §2.1", text="half of them"
)


def test_the_verdict_counts_civil_days_on_which_a_device_was_heard() -> None:
    heard = (Reception("a", -110.0, 0.0),)
    uplinks = sorted(
        [
            *(uplink("daily", day, 24 * day + 23.5, heard) for day in range(16)),  # 21:30 UTC: still the same day
            *(uplink("odd", day, 24 * day + 12, heard) for day in range(0, 16, 2)),
            uplink("odd", 14, 24 * 15 + 1, heard),  # a repeat of a counter value does not count
            uplink("odd", 90, 24 * 15 + 2, ()),  # nor does a frame nobody received
        ],
        key=lambda frame: frame.t_us,
    )
    month = month_of(uplinks, "Europe/Paris", scored_days=4)
    assert (month.start, month.warmup_days, month.scored_days) == (date(2026, 10, 1), 12, 4)
    devices = [MeasuredDevice(name, None, None, "") for name in ("daily", "odd", "mute")]
    found = measured_verdict(uplinks, devices, [CLAUSE], month, "Europe/Paris", Draws.of_seed(1), devices_complete=True)
    assert found.matrix.scored.tolist() == [[True] * 4, [True, False, True, False], [False] * 4]
    assert found.results[0].value == pytest.approx((4 + 2 + 0) / 12)
    assert found.never_heard == 1
    assert found.results[0].verdict is Verdict.INSUFFICIENT


def test_columns_have_the_names_and_types_of_the_trace() -> None:
    port_0 = MeasuredUplink(0, "m", 1, 0, 10, 0, (Reception("a", -110.0, 0.0), Reception("b", -100.0, 5.0)))
    columns = uplink_columns([port_0, uplink("m", 2, 1, ())], 0)
    assert list(columns) == list(columns_of(UplinkRecord))
    assert columns["accepted"].tolist() == [False, False]
    assert columns["best_gateway"].tolist() == ["b", ""]
    assert columns["outcome"].tolist() == ["delivered", "below sensitivity"]


def test_a_device_that_moves_is_refused_and_the_table_fills_in_what_uplinks_lack() -> None:
    listed = {d.device: d for d in parse_devices("device,placement,commune\nm,indoor,Reugny\nmute,outdoor,\n", "d")}
    assert parse_devices("id,lat,lon,note\nm,47.4,0.8,by the church\n", "d") == (MeasuredDevice("m", 47.4, 0.8, ""),)
    here = MeasuredUplink(0, "m", 1, 1, 10, 0, (), lat=47.4, lon=0.8, line=2)
    there = MeasuredUplink(9, "m", 2, 1, 10, 0, (), lat=47.5, lon=0.8, line=3)
    assert devices_of([here], listed, "x") == (
        MeasuredDevice("m", 47.4, 0.8, "indoor", "Reugny"),
        MeasuredDevice("mute", None, None, "outdoor"),
    )
    with pytest.raises(MeasurementError, match=r"x:3: lat: .m. has moved"):
        devices_of([here, there], {}, "x")
