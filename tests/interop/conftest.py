"""tshark as a second opinion on captures: what it says of every packet, and whether that agrees with the records."""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tools import required

from lorawan.trace import DownlinkRecord, Record, UplinkRecord

FIELDS = (
    "frame.time_epoch",
    "loratap.channel.frequency",
    "loratap.channel.bandwidth",
    "loratap.channel.sf",
    "loratap.rssi.packet",
    "loratap.rssi.snr",
    "loratap.syncword",
    "lorawan.mhdr.mtype",
    "lorawan.fhdr.devaddr",
    "lorawan.fhdr.fcnt",
    "lorawan.fport",
    "_ws.malformed",
)
Packet = dict[str, str]


@pytest.fixture(scope="session")
def tshark() -> str:
    """The path of tshark. Absent: a skip with its reason, or a failure where LORABENCH_REQUIRE_TOOLS is set."""
    return required("tshark")


@pytest.fixture(scope="session")
def dissect(tshark: str) -> Callable[..., list[Packet]]:
    """A function from a capture to its packets, field name to text; other fields and `-o` options may be given."""

    def run(pcap: Path, fields: Sequence[str] = FIELDS, options: Sequence[str] = ()) -> list[Packet]:
        # Unprivileged preferences: nobody's ~/.config/wireshark changes the result.
        done = subprocess.run(
            [
                tshark, "-r", str(pcap), "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a",
                *(f"-o{option}" for option in options), *(f"-e{field}" for field in fields),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
            env={**os.environ, "HOME": str(pcap.parent), "XDG_CONFIG_HOME": str(pcap.parent)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [dict(zip(fields, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]

    return run


@pytest.fixture(scope="session")
def agrees(dissect: Callable[..., list[Packet]]) -> Callable[..., int]:
    """Check that tshark reads every frame of the records out of a capture; returns how many were data frames.

    Called with the capture, the records and, by keyword, origin_utc_us.
    """

    def check(pcap: Path, records: Sequence[Record], *, origin_utc_us: int = 0) -> int:
        frames = sorted((r for r in records if isinstance(r, UplinkRecord | DownlinkRecord)), key=lambda r: r.t_us)
        packets = dissect(pcap)
        assert len(packets) == len(frames)
        return sum(_compare(frame, packet, origin_utc_us) for frame, packet in zip(frames, packets, strict=True))

    return check


def _compare(frame: UplinkRecord | DownlinkRecord, packet: Packet, origin_utc_us: int) -> bool:
    seconds, _, fraction = packet["frame.time_epoch"].partition(".")
    assert int(seconds) * 10**6 + int(fraction.ljust(9, "0")[:6]) == origin_utc_us + frame.t_us
    assert int(packet["loratap.channel.frequency"]) == frame.freq_hz
    assert packet["loratap.channel.bandwidth"] == "1"
    assert int(packet["loratap.channel.sf"]) == frame.sf
    assert int(packet["loratap.syncword"], 0) == 0x34
    uplink = isinstance(frame, UplinkRecord)
    rssi_dbm, snr_db = (frame.best_rssi_dbm, frame.best_snr_db) if uplink else (frame.rssi_dbm, frame.snr_db)
    if not math.isnan(rssi_dbm):
        snr_byte, rssi_byte = int(packet["loratap.rssi.snr"]), int(packet["loratap.rssi.packet"])
        snr_read = (snr_byte - 256 if snr_byte > 127 else snr_byte) / 4
        step_db = 0.25 if snr_read < 0 else 1.0
        assert abs(snr_read - snr_db) <= 0.125
        assert abs(-139 + rssi_byte * step_db - rssi_dbm) <= step_db / 2 or rssi_byte in (0, 255)
    m_type = frame.phy_payload[0] >> 5
    assert int(packet["lorawan.mhdr.mtype"]) == m_type
    if m_type not in (2, 3, 4, 5):
        assert packet["_ws.malformed"] == ""
        return False
    # What the frame says is read off its bytes here, so that neither side of the comparison is ours to get wrong.
    f_opts_len = frame.phy_payload[5] & 0x0F
    rest = frame.phy_payload[8 + f_opts_len : -4]
    assert int(packet["lorawan.fhdr.devaddr"], 0) == int.from_bytes(frame.phy_payload[1:5], "little")
    assert int(packet["lorawan.fhdr.fcnt"]) == int.from_bytes(frame.phy_payload[6:8], "little")
    if rest:
        assert packet["_ws.malformed"] == ""
        assert int(packet["lorawan.fport"], 0) == rest[0]
    else:
        # Wireshark's dissector (seen in 4.0.17) takes the first byte of the MIC for an FPort where there is none.
        assert packet["lorawan.fport"] == "" or int(packet["lorawan.fport"], 0) == frame.phy_payload[-4]
    if uplink:
        assert int(packet["lorawan.fhdr.fcnt"]) == frame.f_cnt & 0xFFFF
        assert int(packet["lorawan.fhdr.devaddr"], 0) == frame.dev_addr
        assert frame.f_port == (rest[0] if rest else -1)
    return True
