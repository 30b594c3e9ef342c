"""scapy layers: datagrams of our codec and of the real packet forwarder dissect, and build back to the same bytes."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.pcap import loratap_header, parse_loratap, pcap_file_header, pcap_packet, read_capture
from gateway_fw import gwmp
from lorawan.frames import (
    DataUp,
    EncryptedJoinAccept,
    Frame,
    JoinRequest,
    Proprietary,
    RejoinRequest02,
    RejoinRequest1,
    parse,
)
from lorawan.ids import Eui64
from lorawan.mac_commands import MacCommand
from lorawan.phy import LoraModulation
from lorawan.strategies import data_downs, data_ups, frames, join_requests, mac_commands

pytest.importorskip("scapy")

from scapy.layers.inet import IP, UDP
from scapy.packet import Packet
from scapy.utils import rdpcap, wrpcap

from bench.capture import COMMANDS, LoraTap, PhyPayload, SemtechUDP, command_layers
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
    assert layer.frm_payload == ours.frm_payload  # type: ignore[union-attr]
    assert layer.adr == ours.f_ctrl.adr  # type: ignore[union-attr]
    if isinstance(ours, DataUp):
        assert (layer.adr_ack_req, layer.ack) == (ours.f_ctrl.adr_ack_req, ours.f_ctrl.ack)
    rebuilt = PhyPayload(**{name: value for name, value in layer.fields.items() if value is not None})
    assert bytes(rebuilt) == payload


def fields_of(layer: Packet) -> dict[str, object]:
    return {name: value for name, value in layer.fields.items() if value is not None}


@given(frames(), st.integers(0, 7), st.integers(0, 3))
def test_every_frame_is_built_again_from_its_fields(frame: Frame, rfu: int, major: int) -> None:
    payload = frame.encode()
    payload = bytes((payload[0] | rfu << 2 | major,)) + payload[1:]
    layer = PhyPayload(payload)
    assert bytes(layer) == payload
    assert layer.rest == (frame.payload if isinstance(frame, Proprietary) else b"")
    assert bytes(PhyPayload(**fields_of(layer))) == payload


@given(frames())
def test_rejoins_and_accepts_read_as_our_parser_reads_them(frame: Frame) -> None:
    layer = PhyPayload(frame.encode())
    if isinstance(frame, EncryptedJoinAccept):
        assert (layer.encrypted, "mic" in layer.fields) == (frame.encrypted, False)
    if isinstance(frame, RejoinRequest02 | RejoinRequest1):
        assert (layer.dev_eui, layer.rj_count, layer.mic) == (frame.dev_eui, frame.rj_count, frame.mic)
    if isinstance(frame, RejoinRequest02):
        assert (layer.rejoin_type, layer.net_id) == (frame.rejoin_type, frame.net_id)
    if isinstance(frame, RejoinRequest1):
        assert (layer.rejoin_type, layer.join_eui) == (1, frame.join_eui)


@given(mac_commands())
def test_every_command_reads_and_is_built_again_from_its_fields(command: MacCommand) -> None:
    (layer,) = command_layers(command.encode(), uplink=command.uplink)
    assert layer.cid == command.cid
    for field in dataclasses.fields(command):
        assert getattr(layer, field.name) == getattr(command, field.name)
    assert bytes(layer) == command.encode()
    assert bytes(type(layer)(**layer.fields)) == command.encode()


@given(st.booleans(), st.binary(max_size=40))
def test_any_block_of_commands_comes_back_bit_for_bit(uplink: bool, block: bytes) -> None:
    layers = command_layers(block, uplink=uplink)
    assert b"".join(bytes(layer) for layer in layers) == block
    rebuilt = [type(layer)(**layer.fields) for layer in layers]
    assert b"".join(bytes(layer) for layer in rebuilt) == block


def test_commands_are_put_into_f_opts_and_read_out_again() -> None:
    f_opts = [COMMANDS["LinkADRReq"](data_rate=5, tx_power=2, ch_mask=7, nb_trans=1), COMMANDS["DevStatusReq"]()]
    layer = PhyPayload(f_type="UNCONFIRMED_DOWN", dev_addr=0x26000001, adr=1, f_cnt=4, f_opts=f_opts)
    # TS001-1.0.4 §5.2 and §5.5 by hand: FCtrl 80 | 6 bytes, DR5 TXPower 2, mask 0007, NbTrans 1; DevStatusReq 06
    assert bytes(layer) == bytes.fromhex("60010000268604000352070001" + "06" + "00000000")
    read = PhyPayload(bytes(layer))
    assert [command.name for command in read.commands] == ["LinkADRReq", "DevStatusReq"]
    assert "LinkADRReq, DevStatusReq" in read.show(dump=True)


def test_loratap_is_what_link_type_270_holds(tmp_path: Path) -> None:
    frame = bytes.fromhex("400c0000268004000107b62f2c1c")
    header = loratap_header(868_300_000, 9, -131.25, -14.5)
    path = tmp_path / "air.pcap"
    path.write_bytes(pcap_file_header() + pcap_packet(1, 2, header + frame))
    (packet,) = rdpcap(str(path))
    assert (packet[LoraTap].freq_hz, packet[LoraTap].sf) == (868_300_000, 9)
    assert (packet[LoraTap].rssi_dbm, packet[LoraTap].snr_db) == (-131.25, -14.5)
    assert packet[PhyPayload].dev_addr == 0x2600000C
    fields = packet[LoraTap].fields
    assert bytes(LoraTap(**fields) / PhyPayload(frame)) == header + frame
    assert parse_loratap(bytes(LoraTap(freq_hz=1, sf=12) / b"x"))[1] == b"x"
    wrpcap(str(tmp_path / "again.pcap"), [packet], linktype=270)
    assert next(read_capture(tmp_path / "again.pcap")).data == header + frame


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
