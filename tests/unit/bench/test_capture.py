"""scapy layers: datagrams of our codec and of the real packet forwarder dissect, and build back to the same bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_fw import gwmp
from lorawan.frames import DataUp, JoinRequest, parse
from lorawan.ids import Eui64
from lorawan.phy import LoraModulation
from lorawan.strategies import data_downs, data_ups, join_requests

pytest.importorskip("scapy")

from scapy.layers.inet import IP, UDP
from scapy.utils import rdpcap, wrpcap

from bench.capture import PhyPayload, SemtechUDP
from bench.capture.semtech_udp import payload_of

EUI = Eui64(0xDEADBEEF)
# lora_pkt_fwd 2.1.0 (sx1302_hal, unmodified) on a virtual CoreCell, captured on the loopback of a live scenario
REAL_PUSH_DATA = bytes.fromhex("0252d10000000000deadbeef") + (
    b'{"rxpk":[{"jver":1,"tmst":526994833,"chan":6,"rfch":0,"freq":867.700000,"mid": 6,"stat":1,"modu":"LORA",'
    b'"datr":"SF7BW125","codr":"4/5","rssis":-114,"lsnr":-2.0,"foff":0,"rssi":-112,"size":43,'
    b'"data":"QCAAACaACAABjvDMbN+iQ8kU7dg5v9iivlJp2Uc1eNkBzDhVJBaZYitbyw=="}]}'
)
REAL_STAT = bytes.fromhex("0243f50000000000deadbeef") + (
    b'{"stat":{"time":"2026-11-24 11:44:04 GMT","rxnb":5,"rxok":5,"rxfw":5,"ackr":100.0,"dwnb":0,"txnb":0,"temp":25.0}}'
)
REAL_PULL_DATA = bytes.fromhex("023f9c0200000000deadbeef")
REAL_ACKS = (bytes.fromhex("0252d101"), bytes.fromhex("023f9c04"))


def test_what_the_real_forwarder_sends_dissects() -> None:
    packet = SemtechUDP(REAL_PUSH_DATA)
    assert (packet.version, packet.token, packet.kind, packet.gateway_eui) == (2, 0x52D1, 0, 0xDEADBEEF)
    (rxpk,) = packet.rxpks
    assert (rxpk["tmst"], rxpk["freq"], rxpk["datr"]) == (526994833, 867.7, "SF7BW125")
    (frame,) = packet.frames
    assert (frame.f_type, frame.dev_addr, frame.f_cnt, frame.f_port) == (2, 0x26000020, 8, 1)
    assert packet.summary() == "PUSH_DATA 52d1 00000000deadbeef (UNCONFIRMED_UP 26000020 FCnt 8)"
    assert "rxpk[0].datr = 'SF7BW125'" in packet.show(dump=True)
    assert SemtechUDP(REAL_STAT).stat["temp"] == 25.0
    assert SemtechUDP(REAL_PULL_DATA).summary() == "PULL_DATA 3f9c 00000000deadbeef"
    assert [SemtechUDP(ack).summary() for ack in REAL_ACKS] == ["PUSH_ACK 52d1", "PULL_ACK 3f9c"]
    for datagram in (REAL_PUSH_DATA, REAL_STAT, REAL_PULL_DATA, *REAL_ACKS):
        assert bytes(SemtechUDP(datagram)) == datagram


TXPK = gwmp.Txpk(freq_hz=868_100_000, modulation=LoraModulation(7), payload=b"\x20" + bytes(16), tmst=9)
OURS: list[tuple[gwmp.Packet, str]] = [
    (gwmp.PushData(2, 1, EUI), "PUSH_DATA"),
    (gwmp.PushAck(1, 2), "PUSH_ACK"),
    (gwmp.PullData(2, 3, EUI), "PULL_DATA"),
    (gwmp.PullResp(2, 4, TXPK), "PULL_RESP"),
    (gwmp.PullAck(2, 5), "PULL_ACK"),
    (gwmp.TxAck(2, 6, EUI, gwmp.TxError.TOO_LATE), "TX_ACK"),
    (gwmp.TxAck(2, 7, EUI), "TX_ACK"),
]


@pytest.mark.parametrize(("packet", "kind"), OURS)
def test_all_six_types_of_our_codec_dissect_and_build(packet: gwmp.Packet, kind: str) -> None:
    datagram = gwmp.encode(packet)
    layer = SemtechUDP(datagram)
    assert layer.sprintf("%SemtechUDP.kind%") == kind
    assert (layer.version, layer.token) == (packet.version, packet.token)
    fields = {"version": layer.version, "token": layer.token, "kind": layer.kind, "body": layer.body}
    if layer.gateway_eui is not None:
        assert layer.gateway_eui == EUI
        fields["gateway_eui"] = layer.gateway_eui
    assert bytes(SemtechUDP(**fields)) == datagram
    assert layer.txpk.get("freq") == (868.1 if kind == "PULL_RESP" else None)
    assert layer.txpk_ack.get("error") == ("TOO_LATE" if packet.token == 6 else None)


def test_captures_on_the_usual_port_dissect_by_themselves(tmp_path: Path) -> None:
    path = tmp_path / "gateway.pcap"
    base = IP(src="192.0.2.1", dst="192.0.2.2")
    wrpcap(str(path), [base / UDP(sport=4000, dport=1700) / REAL_PUSH_DATA, base / UDP(sport=1700) / REAL_ACKS[0]])
    read = rdpcap(str(path))
    assert [packet[SemtechUDP].token for packet in read] == [0x52D1, 0x52D1]


@given(st.one_of(data_ups(), data_downs(), join_requests()))
def test_every_frame_reads_as_our_parser_reads_it(frame: object) -> None:
    payload = frame.encode()  # type: ignore[attr-defined]
    layer, ours = PhyPayload(payload), parse(payload)
    assert bytes(layer) == payload
    if isinstance(ours, JoinRequest):
        assert (layer.join_eui, layer.dev_eui, layer.dev_nonce) == (ours.join_eui, ours.dev_eui, ours.dev_nonce)
        return
    assert (layer.dev_addr, layer.f_cnt, layer.mic) == (ours.dev_addr, ours.f_cnt, ours.mic)  # type: ignore[union-attr]
    assert (layer.f_opts, layer.f_port) == (ours.f_opts, ours.f_port)  # type: ignore[union-attr]
    assert layer.rest == ours.frm_payload  # type: ignore[union-attr]
    assert layer.adr == ours.f_ctrl.adr  # type: ignore[union-attr]
    if isinstance(ours, DataUp):
        assert (layer.adr_ack_req, layer.ack) == (ours.f_ctrl.adr_ack_req, ours.f_ctrl.ack)
    rebuilt = PhyPayload(**{name: value for name, value in layer.fields.items() if value is not None})
    assert bytes(rebuilt) == payload


@given(st.binary(max_size=80))
def test_no_bytes_stop_the_dissection(data: bytes) -> None:
    layer = SemtechUDP(data)
    assert layer.summary()
    assert not isinstance(layer, SemtechUDP) or isinstance(layer.frames, list)
    assert PhyPayload(data).summary()


@pytest.mark.parametrize(
    "text", [b"[" * 50_000, b"{" * 9, b'{"rxpk":7,"txpk":[]}', b'{"rxpk":[{"data":"A"},3]}', b"\xff"]
)
def test_json_that_is_none_leaves_a_datagram_without_objects(text: bytes) -> None:
    layer = SemtechUDP(REAL_PULL_DATA[:3] + b"\x00" + REAL_PULL_DATA[4:] + text)
    assert layer.frames == []
    assert layer.show(dump=True)


def test_a_payload_that_is_no_text_is_empty() -> None:
    assert payload_of({"data": 7}) == b""


def test_without_scapy_the_error_says_what_to_install() -> None:
    code = "import sys; sys.modules['scapy'] = None\nimport bench.capture"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=Path.cwd())
    assert "lorabench[capture]" in done.stderr
