"""What a virtual board shall hear: scripts and captures, and what is said of bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.live.air_replay import load_replay
from bench.live.air_script import ChangeFaults, Unplug, changed_faults, load_script
from bench.store.pcap import write_pcap
from gateway_fw.virtual.faults import Faults
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import CodingRate, LoraModulation
from lorawan.phy.radio import Heard
from lorawan.trace import UplinkRecord


def script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "air.jsonl"
    path.write_text(text)
    return path


def test_a_script_gives_frames_faults_and_pulled_cables_in_time_order(tmp_path: Path) -> None:
    entries = load_script(
        script(
            tmp_path,
            """# a comment

            {"at_s": 9, "unplug_s": 2.5}
            {"at_s": 1.5, "every_s": 2, "count": 2, "freq_mhz": 868.1, "datr": "SF9BW125", "codr": "4/6","data": "QAEC"}
            {"at_s": 3, "fault": {"temperature_c": 40, "drift_ppb": -20000}}
            {"at_s": 0.25, "freq_mhz": 868.3, "datr": "SF7BW250", "rssi": -120, "snr": -7.5, "hex":"00","crc_ok":false}
            """,
        )
    )
    modulation = LoraModulation(9)
    airtime_us = lora_airtime_us(3, modulation, coding_rate=CodingRate.CR_4_6)
    frame = Heard(1_500_000, b"\x40\x01\x02", 868_100_000, modulation, -80, 8, airtime_us, True, CodingRate.CR_4_6)
    assert entries[0] == Heard(
        250_000,
        b"\0",
        868_300_000,
        LoraModulation(7, 250_000),
        -120,
        -7.5,
        lora_airtime_us(1, LoraModulation(7, 250_000)),
        False,
    )
    assert entries[1] == frame
    assert entries[2] == ChangeFaults(3_000_000, {"temperature_c": 40, "drift_ppb": -20000})
    assert entries[3].at == 3_500_000
    assert entries[4] == Unplug(9_000_000, 2_500_000)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "column 2"),
        ("[]", "a JSON object"),
        ('{"freq_mhz": 868.1}', "at_s is needed"),
        ('{"at_s": -1, "unplug_s": 1}', "at_s: -1"),
        ('{"at_s": 1, "freq_mhz": 868100000, "datr": "SF7BW125", "hex": ""}', "freq_mhz: 868100000"),
        ('{"at_s": 1, "freq_mhz": 868.1, "datr": "SF99BW125", "hex": ""}', "SF99"),
        ('{"at_s": 1, "freq_mhz": 868.1, "datr": "SF7BW125"}', "one of hex"),
        ('{"at_s": 1, "freq_mhz": 868.1, "datr": "SF7BW125", "hex": "4"}', "hex: "),
        ('{"at_s": 1, "freq_mhz": 868.1, "datr": "SF7BW125", "data": "?"}', "data: "),
        ('{"at_s": 1, "freq_mhz": 868.1, "datr": "SF7BW125", "hex": "' + "00" * 256 + '"}', "at most 255"),
        ('{"at_s": 1, "freq_mhz": 868.1, "datr": "SF7BW125", "hex": "", "power": 3}', "'power' is unknown"),
        ('{"at_s": 1, "freq_mhz": 868.1, "datr": "SF7BW125", "hex": "", "codr": "5/4"}', "codr"),
        ('{"at_s": 1, "freq_mhz": 868.1, "datr": 7, "hex": ""}', "datr: 7"),
        ('{"at_s": 1, "count": 2, "freq_mhz": 868.1, "datr": "SF7BW125", "hex": ""}', "every_s is needed"),
        ('{"at_s": 1, "count": 1e9, "freq_mhz": 868.1, "datr": "SF7BW125", "hex": ""}', "count"),
        ('{"at_s": 1, "fault": {"temprature_c": 3}}', "'temprature_c' is unknown; one of"),
        ('{"at_s": 1, "fault": {"mute": 1}}', "true or false"),
        ('{"at_s": 1, "fault": 3}', "an object"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_bad_line_is_named_with_its_field(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(UsageError) as raised:
        load_script(script(tmp_path, "\n" + line + "\n"))
    assert ":2: " in str(raised.value)
    assert complaint in str(raised.value)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load_script(tmp_path / "none")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="byte 0"):
        load_script(tmp_path / "bytes")
    with pytest.raises(UsageError, match="neither PCAP nor pcapng"):
        load_replay(tmp_path / "bytes")


def test_negative_settings_other_than_the_drift_are_refused() -> None:
    assert changed_faults(Faults(), {"drift_ppb": -5}).drift_ppb == -5
    with pytest.raises(UsageError, match="within 1000000"):
        changed_faults(Faults(), {"drift_ppb": 10**7})
    with pytest.raises(UsageError, match="whole number"):
        changed_faults(Faults(), {"stall_us": -5})


def uplink(t_us: int, payload: bytes, *, sf: int = 7, rssi_dbm: float = -90.0, snr_db: float = 7.5) -> UplinkRecord:
    return UplinkRecord(
        t_us, "d", "data", 1, 1, 1, 0, False, sf, 868_100_000, 14.0, 50_000, "received", 1, "g", rssi_dbm, snr_db,
        True, True, payload,
    )  # fmt: skip


def test_a_capture_is_heard_again_at_its_own_pace(tmp_path: Path) -> None:
    path = tmp_path / "air.pcap"
    records = [
        uplink(7_000_000, b"\x40" + bytes(12), sf=9, rssi_dbm=-110.0, snr_db=-5.25),
        uplink(5_000_000, b"\x00" + bytes(22), rssi_dbm=-90.0, snr_db=7.5),
        uplink(6_000_000, b"\x60" + bytes(12)),  # a downlink
        uplink(6_500_000, b"\x40" + bytes(12), rssi_dbm=float("nan"), snr_db=float("nan")),
    ]
    write_pcap(path, records)
    join, data = load_replay(path)
    assert join.at - join.airtime_us == 1_000_000
    assert data.at - data.airtime_us == 3_000_000
    assert (join.payload[0], join.rssi_dbm, join.snr_db) == (0x00, -90.0, 7.5)
    assert (data.modulation, data.rssi_dbm, data.snr_db) == (LoraModulation(9), -110.0, -5.25)


def test_a_cut_capture_is_refused_with_the_offset(tmp_path: Path) -> None:
    path = tmp_path / "air.pcap"
    write_pcap(path, [uplink(0, b"\x40" + bytes(12))])
    whole = path.read_bytes()
    for size in range(25, len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(UsageError, match=r"byte \d+"):
            load_replay(path)
    path.write_bytes(whole[:20] + b"\x01\0\0\0" + whole[24:])
    with pytest.raises(UsageError, match="link type 1"):
        load_replay(path)
    path.write_bytes(whole[:24])
    with pytest.raises(UsageError, match="no uplink"):
        load_replay(path)
