"""Wireshark's editcap turns a capture into every format we read; the packets stay what they were."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tools import required

from bench.pcap import loratap_header, pcap_file_header, pcap_packet, read_capture

pytestmark = pytest.mark.tshark


@pytest.mark.parametrize("kind", ["pcapng", "nsecpcap", "pcap"])
def test_editcaps_formats_read_alike(tmp_path: Path, kind: str) -> None:
    editcap = required("editcap")
    header = loratap_header(868_100_000, 7, -90.0, 5.0)
    source = tmp_path / "source.pcap"
    packets = [pcap_packet(1_795_520_000 + n, 7 * n, header + bytes(n)) for n in range(50)]
    source.write_bytes(pcap_file_header() + b"".join(packets))
    target = tmp_path / f"target.{kind}"
    subprocess.run([editcap, "-F", kind, str(source), str(target)], check=True, timeout=60)
    wanted = [(p.number, p.at_ns, p.link_type, p.data) for p in read_capture(source)]
    assert [(p.number, p.at_ns, p.link_type, p.data) for p in read_capture(target)] == wanted
    assert target.read_bytes()[:4] != source.read_bytes()[:4] or kind == "pcap"
