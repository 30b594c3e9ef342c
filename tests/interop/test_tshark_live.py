"""A live capture opens in Wireshark: tshark reads back every frame with its channel, level and header."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.live.lora_pcap import LivePcap
from bench.live.network_capture import capture_rxpk, capture_txpk
from gateway_fw.gwmp import Rxpk, Txpk
from lorawan.phy import CodingRate, LoraModulation

pytestmark = pytest.mark.tshark
AT_US = 1_795_520_000_123_456
FRAME = bytes.fromhex("400c0000268004000107b62f2c1c")


def test_frames_of_each_bandwidth_are_read_with_their_metadata(
    tmp_path: Path, dissect: Callable[[Path], list[dict[str, str]]]
) -> None:
    path = tmp_path / "live.pcap"
    with LivePcap(path) as pcap:
        for number, bw_hz in enumerate((125_000, 250_000, 500_000)):
            rxpk = Rxpk(1, 868_300_000, LoraModulation(7, bw_hz), CodingRate.CR_4_5, -97.0, 5.2, FRAME)
            capture_rxpk(rxpk, pcap, AT_US + number)
        capture_rxpk(Rxpk(1, 868_800_000, 50_000, None, -97.0, None, FRAME), pcap, AT_US)  # FSK: LoRaTap has no place
        down = b"\x60" + FRAME[1:]
        capture_txpk(Txpk(freq_hz=869_525_000, modulation=LoraModulation(12), payload=down, tmst=1), pcap, AT_US + 9)
        assert pcap.packets == 4
        packets = dissect(path)  # while it is still being written
    assert [packet["loratap.channel.bandwidth"] for packet in packets] == ["1", "2", "4", "1"]
    assert [packet["lorawan.mhdr.mtype"] for packet in packets] == ["2", "2", "2", "3"]
    assert {packet["lorawan.fhdr.devaddr"] for packet in packets} == {"0x2600000c"}
    assert packets[0]["loratap.channel.frequency"] == "868300000"
    assert (packets[0]["loratap.rssi.packet"], packets[0]["loratap.rssi.snr"]) == ("42", "21")
    assert packets[0]["frame.time_epoch"].startswith("1795520000.123456")
    assert packets[3]["loratap.channel.sf"] == "12"


def test_a_capture_never_takes_the_place_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "there.pcap"
    path.write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists"):
        LivePcap(path)
    assert path.read_bytes() == b"mine"


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in the file system")
def test_a_named_pipe_is_written_into(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with LivePcap(path):
            assert len(os.read(reader, 100)) == 24
    finally:
        os.close(reader)
