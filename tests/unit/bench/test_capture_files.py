"""Capture files of both kinds, written by scapy or by hand from their specifications, read back packet by packet."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.pcap import CaptureError, LoraTap, Packet, frames_of, loratap_header, parse_loratap, read_capture
from bench.pcap.udp import LINKTYPE_ETHERNET, LINKTYPE_SLL, LINKTYPE_SLL2, datagram_of
from gateway_fw import gwmp
from lorawan.errors import FrameError
from lorawan.ids import Eui64
from lorawan.phy import CodingRate, LoraModulation

AT_NS = 1_795_520_000_123_456_789
PACKETS = [b"one", b"", b"three" * 100]


def classic(order: str, magic: int, unit_ns: int, link_type: int = 270) -> bytes:
    """By pcap-savefile(5)."""
    data = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65_535, link_type)
    for packet in PACKETS:
        seconds, rest = divmod(AT_NS, 10**9)
        data += struct.pack(order + "IIII", seconds, rest // unit_ns, len(packet), len(packet) + 1) + packet
    return data


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def pcapng(order: str, *, ticks_option: bytes = b"", per_s: int = 10**6) -> bytes:
    """By draft-ietf-opsawg-pcapng: a section, an interface, an unknown block, enhanced and simple packets."""
    data = block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    data += block(order, 1, struct.pack(order + "HHI", 270, 0, 0) + ticks_option)
    data += block(order, 0xBAD, b"somebody else's")
    for packet in PACKETS:
        ticks = AT_NS * per_s // 10**9
        body = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet)) + packet
        data += block(order, 6, body)
    return data + block(order, 3, struct.pack(order + "I", 4) + b"last")


@pytest.mark.parametrize(
    ("order", "magic", "unit_ns"),
    [("<", 0xA1B2C3D4, 1000), (">", 0xA1B2C3D4, 1000), ("<", 0xA1B23C4D, 1), (">", 0xA1B23C4D, 1)],
)
def test_a_classic_file_of_either_order_and_resolution(tmp_path: Path, order: str, magic: int, unit_ns: int) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(classic(order, magic, unit_ns))
    found = list(read_capture(path))
    assert [packet.data for packet in found] == PACKETS
    assert [(packet.number, packet.link_type, packet.cut) for packet in found] == [(n, 270, True) for n in (1, 2, 3)]
    assert {packet.at_ns for packet in found} == {AT_NS // unit_ns * unit_ns}
    assert all(path.read_bytes()[p.offset : p.offset + len(p.data)] == p.data for p in found)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_pcapng_file_of_either_order(tmp_path: Path, order: str) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(pcapng(order))
    found = list(read_capture(path))
    assert [packet.data for packet in found] == [*PACKETS, b"last"]
    assert [packet.at_ns for packet in found] == [AT_NS // 1000 * 1000] * 3 + [None]
    assert all(path.read_bytes()[p.offset : p.offset + len(p.data)] == p.data for p in found)


@pytest.mark.parametrize(("code", "per_s"), [(9, 10**9), (0x80 | 20, 1 << 20)], ids=["ns", "2^-20 s"])
def test_a_pcapng_clock_of_its_own(tmp_path: Path, code: int, per_s: int) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(pcapng("<", ticks_option=struct.pack("<HHBxxxHH", 9, 1, code, 0, 0), per_s=per_s))
    first = next(read_capture(path))
    assert first.at_ns is not None
    assert abs(first.at_ns - AT_NS) <= 10**9 // per_s


def read_to_the_end(path: Path) -> tuple[list[bytes], CaptureError | None]:
    found: list[bytes] = []
    packets = read_capture(path)
    try:
        found.extend(packet.data for packet in packets)
    except CaptureError as error:
        return found, error
    return found, None


@pytest.mark.parametrize("data", [classic("<", 0xA1B2C3D4, 1000), pcapng("<"), pcapng(">")], ids=["pcap", "ng", "NG"])
def test_a_file_cut_anywhere_gives_what_was_whole_and_the_offset(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "cut"
    path.write_bytes(data)
    whole = [packet.data for packet in read_capture(path)]
    ends = 0
    for size in range(len(data)):
        path.write_bytes(data[:size])
        found, error = read_to_the_end(path)
        assert found == whole[: len(found)]
        if error is None:
            ends += 1
        else:
            assert 0 <= error.offset <= size
            assert f"byte {error.offset}: " in str(error)
    assert ends < 10  # only where a packet or block ends


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xd4\xc3\xb2\xa1", pcapng("<")[:28], pcapng(">")[:28]]))
def test_no_bytes_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, data: bytes, head: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(head + data)
    try:
        for packet in read_capture(path):
            frames_of(packet)
    except (CaptureError, FrameError):
        pass


def test_loratap_comes_back_as_it_was_written() -> None:
    header = loratap_header(868_100_000, 7, -97.0, 5.25, bw_hz=250_000)
    assert parse_loratap(header + b"frame") == (LoraTap(868_100_000, 250_000, 7, -97.0, 5.25), b"frame")
    weak = loratap_header(868_100_000, 12, -131.25, -14.5)
    assert parse_loratap(weak)[0] == LoraTap(868_100_000, 125_000, 12, -131.25, -14.5)
    nobody = loratap_header(868_100_000, 12, float("nan"), float("nan"))
    assert parse_loratap(nobody)[0].rssi_dbm is None


def test_a_longer_header_of_version_1_is_passed_over() -> None:
    # 15 common bytes, then gateway 8, time stamp 4, flags, code rate, data rate 2, IF channel, RF chain, tag 2
    header = bytearray(loratap_header(868_100_000, 7, -97.0, 5.25)) + bytes(20)
    header[0], header[2:4] = 1, len(header).to_bytes(2, "big")
    assert parse_loratap(bytes(header) + b"frame") == (LoraTap(868_100_000, 125_000, 7, -97.0, 5.25), b"frame")
    header[0] = 2
    with pytest.raises(FrameError, match="version 2"):
        parse_loratap(bytes(header))


@given(st.binary(max_size=80), st.sampled_from((0, 1, 101, 108, 113, 228, 229, 276)))
def test_no_packet_raises(data: bytes, link_type: int) -> None:
    datagram_of(link_type, data)


PUSH = gwmp.encode(
    gwmp.PushData(
        2,
        7,
        Eui64(0xDEADBEEF),
        (gwmp.Rxpk(1, 868_300_000, LoraModulation(9), CodingRate.CR_4_5, -101.0, 3.5, b"\x40" + bytes(11)),),
    )
)
TXPK = gwmp.Txpk(freq_hz=869_525_000, modulation=LoraModulation(12), payload=b"\x60" + bytes(11), tmst=9)
PULL = gwmp.encode(gwmp.PullResp(2, 4, TXPK))


def test_semtech_udp_is_found_on_every_link(tmp_path: Path) -> None:
    pytest.importorskip("scapy")
    from scapy.layers.inet import IP, UDP  # noqa: PLC0415
    from scapy.layers.inet6 import IPv6, IPv6ExtHdrHopByHop  # noqa: PLC0415
    from scapy.layers.l2 import CookedLinux, Dot1Q, Ether, Loopback  # noqa: PLC0415
    from scapy.utils import wrpcap, wrpcapng  # noqa: PLC0415

    udp = UDP(sport=4711, dport=1701)  # any port
    ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    v4, v6 = IP(src="192.0.2.1", dst="192.0.2.2"), IPv6(src="2001:db8::1", dst="2001:db8::2")
    cases = [
        ether / v4 / udp,
        ether / Dot1Q(vlan=5) / Dot1Q(vlan=6) / v4 / udp,
        ether / v6 / udp,
        ether / v6 / IPv6ExtHdrHopByHop() / udp,
        v4 / udp,
        v6 / udp,
        CookedLinux(proto=0x0800) / v4 / udp,
        Loopback(type=2) / v4 / udp,
    ]
    for number, case in enumerate(cases):
        for suffix, write in (("pcap", wrpcap), ("pcapng", wrpcapng)):
            path = tmp_path / f"{number}.{suffix}"
            write(str(path), [case / PUSH, case / PULL])
            up, down = [frames_of(packet).frames for packet in read_capture(path)]
            assert [(f.source, f.freq_hz, f.modulation) for f in (*up, *down)] == [
                ("rxpk", 868_300_000, LoraModulation(9)),
                ("txpk", 869_525_000, LoraModulation(12)),
            ], case.summary()
            assert (up[0].gateway, up[0].rssi_dbm, up[0].snr_db) == (Eui64(0xDEADBEEF), -101.0, 3.5)


def test_what_is_no_semtech_udp_is_passed_over_but_on_its_port() -> None:
    def packet(port: int, payload: bytes) -> Packet:
        udp = struct.pack(">HHHH", 9, port, 8 + len(payload), 0) + payload
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), bytes(4))
        return Packet(1, 0, 101, ip + udp, 0)

    assert frames_of(packet(5353, b"\x02\x00\x00\x00")).frames == ()
    with pytest.raises(FrameError) as raised:
        frames_of(packet(1700, b"\x09\x00\x00\x00"))
    assert raised.value.offset == 28
    good = PUSH[:-2] + b',{"tmst":1}]}'
    assert len(frames_of(packet(1700, good)).frames) == 1
    assert len(frames_of(packet(1700, good)).refused) == 1


@pytest.mark.parametrize("link_type", [LINKTYPE_ETHERNET, LINKTYPE_SLL, LINKTYPE_SLL2])
def test_short_packets_hold_nothing(link_type: int) -> None:
    assert datagram_of(link_type, b"") is None
