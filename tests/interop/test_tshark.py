"""Captures open in Wireshark: its LoRaTap and LoRaWAN dissectors read out what the frames and the radio said."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.store.pcap import write_pcap
from lorawan.trace import DownlinkRecord, UplinkRecord

pytestmark = pytest.mark.tshark

ORIGIN_UTC_US = 1_790_805_600_000_000  # 2026-09-30T22:00Z, midnight in Paris
MIC = b"\x01\x02\x03\x04"


def data_frame(mhdr: int, dev_addr: int, f_ctrl: int, f_cnt: int, f_opts: bytes, port: bytes, payload: bytes) -> bytes:
    head = struct.pack("<BIBH", mhdr, dev_addr, f_ctrl | len(f_opts), f_cnt)
    return head + f_opts + port + payload + MIC


def uplink(
    t_us: int, frame: bytes, *, sf: int = 7, rssi_dbm: float = -97.0, snr_db: float = 5.5, **of: Any
) -> UplinkRecord:
    defaults = {
        "kind": "data",
        "dev_addr": 0x260B1A2C,
        "f_cnt": 0,
        "f_port": -1,
        "freq_hz": 868_100_000,
        "confirmed": False,
    }
    return UplinkRecord(
        t_us=t_us,
        device="meter",
        repeat=0,
        sf=sf,
        tx_power_dbm=14.0,
        airtime_us=61_696,
        outcome="below sensitivity" if math.isnan(rssi_dbm) else "delivered",
        n_gateways=0 if math.isnan(rssi_dbm) else 1,
        best_gateway="",
        best_rssi_dbm=rssi_dbm,
        best_snr_db=snr_db,
        accepted=True,
        payload_ok=True,
        phy_payload=frame,
        **{**defaults, **of},
    )


def downlink(t_us: int, frame: bytes, *, sf: int, rssi_dbm: float, snr_db: float) -> DownlinkRecord:
    return DownlinkRecord(
        t_us=t_us,
        gateway="roof",
        device="meter",
        kind="data",
        window=2,
        sf=sf,
        freq_hz=869_525_000,
        tx_power_dbm=27.0,
        airtime_us=1_318_912,
        outcome="delivered",
        rssi_dbm=rssi_dbm,
        snr_db=snr_db,
        phy_payload=frame,
    )


def records() -> list[UplinkRecord | DownlinkRecord]:
    address = 0x260B1A2C
    link_adr_ans, link_check_ans = b"\x03\x07", b"\x02\x0a\x02"
    return [
        # Out of order on purpose: a capture is in time order.
        downlink(
            9_000_000,
            data_frame(0x60, address, 0x20, 7, link_check_ans, b"", b""),
            sf=12,
            rssi_dbm=-128.25,
            snr_db=-11.75,
        ),
        uplink(
            1_000_000,
            b"\x00" + bytes(range(8)) + bytes(range(8, 16)) + b"\x2a\x00" + MIC,
            kind="join",
            dev_addr=0,
            sf=12,
            rssi_dbm=-131.0,
            snr_db=-14.25,
        ),
        uplink(2_000_001, data_frame(0x40, address, 0x80, 0, b"", b"\x02", b"\xaa" * 12), f_port=2),
        uplink(
            3_000_000,
            data_frame(0x80, address, 0x80, 1, link_adr_ans, b"\xdf", b"\x01"),
            f_cnt=1,
            f_port=223,
            confirmed=True,
            sf=9,
            freq_hz=867_900_000,
            rssi_dbm=-118.5,
            snr_db=-0.25,
        ),
        uplink(4_000_000, data_frame(0x40, address, 0x00, 2, link_adr_ans, b"", b""), f_cnt=2, snr_db=0.0),
        uplink(5_000_000, data_frame(0x40, address, 0x00, 0xFFFF, b"", b"\x00", b"\x55" * 3), f_cnt=0x1FFFF, f_port=0),
        uplink(
            6_000_000,
            data_frame(0x40, address, 0, 9, b"", b"\x01", b""),
            f_cnt=9,
            f_port=1,
            rssi_dbm=math.nan,
            snr_db=math.nan,
        ),
        downlink(
            7_000_000, data_frame(0xA0, address, 0x90, 5, b"", b"\x0a", b"hello"), sf=9, rssi_dbm=-60.0, snr_db=9.0
        ),
    ]


def test_tshark_reads_every_frame_and_what_the_radio_said(tmp_path: Path, agrees: Callable[..., int]) -> None:
    pcap = tmp_path / "frames.pcap"
    write_pcap(pcap, records(), origin_utc_us=ORIGIN_UTC_US)
    assert agrees(pcap, records(), origin_utc_us=ORIGIN_UTC_US) == 7


def test_the_comparison_notices_a_wrong_address(tmp_path: Path, agrees: Callable[..., int]) -> None:
    pcap = tmp_path / "frames.pcap"
    address = 0x01020304
    wrong = uplink(0, data_frame(0x40, address, 0, 0, b"", b"\x01", b"x"), dev_addr=address + 1, f_port=1)
    write_pcap(pcap, [wrong])
    with pytest.raises(AssertionError):
        agrees(pcap, [wrong])


def test_a_frame_nobody_received_stands_at_the_bottom_of_the_scales(
    tmp_path: Path, dissect: Callable[[Path], list[dict[str, str]]]
) -> None:
    pcap = tmp_path / "frames.pcap"
    frame = data_frame(0x40, 1, 0, 0, b"", b"\x01", b"x")
    write_pcap(pcap, [uplink(0, frame, dev_addr=1, f_port=1, rssi_dbm=math.nan, snr_db=math.nan)])
    (packet,) = dissect(pcap)
    assert (packet["loratap.rssi.packet"], packet["loratap.rssi.snr"]) == ("0", "128")


def test_a_capture_without_frames_still_opens(tmp_path: Path, dissect: Callable[[Path], list[dict[str, str]]]) -> None:
    write_pcap(tmp_path / "empty.pcap", [])
    assert dissect(tmp_path / "empty.pcap") == []
