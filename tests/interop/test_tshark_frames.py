"""tshark and `frame decode` read some hundred random frames of 1.0 alike: headers, MAC commands, MICs, payloads.

Not compared, because Debian's tshark (seen in 4.0.17) has no place for it: keys, MIC and FOpts of 1.1; commands from
TXParamSetup (09) on, classes B and C and relays; Join-Accepts in clear; counters beyond 16 bits, for which it calls a
right MIC wrong; a frame without FPort, where it takes a byte of the MIC for one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.explain import Known, explain
from bench.pcap import loratap_header, pcap_file_header, pcap_packet
from lorawan import mac_commands as mac
from lorawan.crypto import SessionKeys
from lorawan.frames import FCtrlDown, FCtrlUp
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.mac_commands import MacCommand
from lorawan.mac_commands.base import places
from lorawan.secured import seal_down, seal_join_request, seal_up
from lorawan.version import Version

pytestmark = pytest.mark.tshark

NWK_S_KEY, APP_S_KEY, APP_KEY = AesKey(b"network session!"), AesKey(b"application ses!"), AesKey(b"the root of all!")
ADDRESS, JOIN_EUI, DEV_EUI = DevAddr(0x260B1A2C), Eui64(0x0102030405060708), Eui64(0x0A0B0C0D0E0F1011)
# tshark deciphers FPort 0 with the AppSKey, where TS001-1.0.4 §4.3.3 says NwkSKey: this device has one key for both.
ONE_KEY_ADDRESS = DevAddr(0x260B1A2D)
KNOWN = Known(
    f_nwk_s_int_key=NWK_S_KEY, s_nwk_s_int_key=NWK_S_KEY, nwk_s_enc_key=NWK_S_KEY, app_s_key=APP_S_KEY, app_key=APP_KEY
)
MIC_STATUS = {"ok": "1", "wrong": "0"}

# Our field of a command, and tshark's, which shows the number on the wire
COMMAND_FIELDS: dict[type[MacCommand], dict[str, str]] = {
    mac.LinkCheckAns: {"margin_db": "link_check_answer.margin", "gw_cnt": "link_check_answer.gwcnt"},
    mac.LinkAdrReq: {
        "data_rate": "link_adr_request.datarate",
        "tx_power": "link_adr_request.txpower",
        "ch_mask_cntl": "link_adr_request.chmaskctl",
        "nb_trans": "link_adr_request.nbrep",
    },
    mac.LinkAdrAns: {
        "power_ok": "link_adr_response.txpower",
        "data_rate_ok": "link_adr_response.datarate",
        "channel_mask_ok": "link_adr_response.channelmask",
    },
    mac.DutyCycleReq: {"max_d_cycle": "dutycycle_request.dutycycle"},
    mac.RxParamSetupReq: {
        "rx1_dr_offset": "rx_setup_request.rx1droffset",
        "rx2_dr": "rx_setup_request.rx2datarate",
        "freq_hz": "rx_setup_request.frequency",
    },
    mac.RxParamSetupAns: {
        "rx1_dr_offset_ok": "rx_setup_response.rx1droffset",
        "rx2_dr_ok": "rx_setup_response.rx2datarate",
        "channel_ok": "rx_setup_response.frequency",
    },
    mac.DevStatusAns: {"battery": "device_status_response.battery", "margin_db": "device_status_response.margin"},
    mac.NewChannelReq: {
        "ch_index": "new_channel_request.index",
        "freq_hz": "new_channel_request.frequency",
        "max_dr": "new_channel_request.drrange_max",
        "min_dr": "new_channel_request.drrange_min",
    },
    mac.NewChannelAns: {
        "data_rate_range_ok": "new_channel_response.datarate",
        "freq_ok": "new_channel_response.frequency",
    },
    mac.RxTimingSetupReq: {"delay_s": "rx_timing_request.delay"},
    mac.LinkCheckReq: {},
    mac.DutyCycleAns: {},
    mac.DevStatusReq: {},
    mac.RxTimingSetupAns: {},
}
HEADER = (
    "lorawan.mhdr.mtype",
    "lorawan.fhdr.devaddr",
    "lorawan.fhdr.fctrl.adr",
    "lorawan.fhdr.fctrl.ack",
    "lorawan.fhdr.fcnt",
    "lorawan.fport",
    "lorawan.mic.status",
    "lorawan.frmpayload_decrypted",
    "lorawan.mac_command_uplink",
    "lorawan.mac_command_downlink",
    "lorawan.join_request.appeui",
    "lorawan.join_request.deveui",
    "lorawan.join_request.devnonce",
    "_ws.malformed",
)
FIELDS = (*HEADER, *sorted(f"lorawan.{name}" for names in COMMAND_FIELDS.values() for name in names.values()))


def random_command(rng: random.Random, *, uplink: bool) -> MacCommand:
    kind = rng.choice([command for command in COMMAND_FIELDS if command.uplink is uplink])
    values = []
    for _, place in places(kind):
        low, high = place.counts
        values.append(place.value(rng.randint(low, high)))
    return kind(*values)


def random_block(rng: random.Random, limit: int, *, uplink: bool) -> bytes:
    block = b""
    while (more := random_command(rng, uplink=uplink).encode()) and len(block) + len(more) <= limit:
        block += more
    return block


def random_frame(rng: random.Random) -> tuple[bytes, Known]:
    """A frame whose MIC is right nine times in ten, and what a reader knows of it."""
    kind = rng.choice(("join", "up", "up", "up", "down", "down", "down"))
    if kind == "join":
        frame = seal_join_request(APP_KEY, JOIN_EUI, DEV_EUI, rng.randrange(1 << 16))
        return damaged(rng, frame), KNOWN
    on_port_0 = rng.random() < 0.25
    uplink = kind == "up"
    # No payload at all leaves tshark with an FPort and nothing behind it, which it reads well.
    payload = random_block(rng, 40, uplink=uplink) if on_port_0 else rng.randbytes(rng.randrange(50))
    common: dict[str, Any] = {
        "is_1_1": False,
        "confirmed": rng.random() < 0.5,
        "dev_addr": ONE_KEY_ADDRESS if on_port_0 else ADDRESS,
        "f_cnt": rng.randrange(1 << 16),
        "f_opts": b"" if on_port_0 else random_block(rng, rng.randrange(16), uplink=uplink),
        "f_port": 0 if on_port_0 else rng.randint(1, 255),
        "payload": payload,
    }
    keys = SessionKeys.for_10(NWK_S_KEY, NWK_S_KEY if on_port_0 else APP_S_KEY)
    flags = [rng.random() < 0.5 for _ in range(4)]
    if uplink:
        return damaged(rng, seal_up(keys, f_ctrl=FCtrlUp(*flags), **common)), KNOWN
    return damaged(rng, seal_down(keys, f_ctrl=FCtrlDown(*flags[:3]), **common)), KNOWN


def damaged(rng: random.Random, frame: bytes) -> bytes:
    return frame if rng.random() < 0.9 else frame[:-1] + bytes((frame[-1] ^ 1,))


def capture(path: Path, frames: Sequence[bytes]) -> Path:
    header = loratap_header(868_100_000, 7, -90.0, 5.0)
    path.write_bytes(pcap_file_header() + b"".join(pcap_packet(n, 0, header + frame) for n, frame in enumerate(frames)))
    return path


def key_options() -> list[str]:
    """Its table: address and EUI in the order of the wire; joins are checked with what stands for the AppSKey."""
    rows = (
        (ADDRESS, NWK_S_KEY, APP_S_KEY, Eui64(0)),
        (ONE_KEY_ADDRESS, NWK_S_KEY, NWK_S_KEY, Eui64(0)),
        (DevAddr(0), NWK_S_KEY, APP_KEY, JOIN_EUI),
    )
    return [
        f'uat:encryption_keys_lorawan:"{a.to_wire().hex()}","{n.hex()}","{p.hex()}","{e.to_wire().hex()}"'
        for a, n, p, e in rows
    ]


def test_tshark_and_our_explanation_agree_on_random_frames(
    tmp_path: Path, dissect: Callable[..., list[dict[str, str]]]
) -> None:
    rng = random.Random(20_261_124)
    cases = [random_frame(rng) for _ in range(400)]
    packets = dissect(capture(tmp_path / "random.pcap", [frame for frame, _ in cases]), FIELDS, key_options())
    assert len(packets) == len(cases)
    seen: set[str] = set()
    verdicts: list[str] = []
    for (frame, known), packet in zip(cases, packets, strict=True):
        facts = explain(frame, known).facts
        verdicts.append(facts["mic"])
        assert packet["lorawan.mic.status"] == MIC_STATUS[facts["mic"]], facts
        assert packet["_ws.malformed"] == ""
        assert int(packet["lorawan.mhdr.mtype"]) == frame[0] >> 5
        if facts["type"] == "JOIN_REQUEST":
            compare_join(facts, packet)
        else:
            compare_data(facts, packet)
            seen |= {command["command"] for command in commands_of(facts)}
    assert seen == {kind.__name__.replace("Adr", "ADR").replace("Rx", "RX") for kind in COMMAND_FIELDS}
    assert 20 < verdicts.count("wrong") < 80


def compare_join(facts: dict[str, Any], packet: dict[str, str]) -> None:
    assert packet["lorawan.join_request.appeui"].replace(":", "") == facts["join_eui"]
    assert packet["lorawan.join_request.deveui"].replace(":", "") == facts["dev_eui"]
    nonce = packet["lorawan.join_request.devnonce"].replace(":", "")
    assert int.from_bytes(bytes.fromhex(nonce), "little") == facts["dev_nonce"]


def compare_data(facts: dict[str, Any], packet: dict[str, str]) -> None:
    assert int(packet["lorawan.fhdr.devaddr"], 0) == int(facts["dev_addr"], 16)
    assert int(packet["lorawan.fhdr.fcnt"]) == facts["f_cnt"]
    assert int(packet["lorawan.fport"], 0) == facts["f_port"]
    assert as_bool(packet["lorawan.fhdr.fctrl.adr"]) is facts["f_ctrl"]["adr"]
    assert as_bool(packet["lorawan.fhdr.fctrl.ack"]) is facts["f_ctrl"]["ack"]
    uplink = facts["direction"] == "up"
    commands = commands_of(facts)
    block = bytes.fromhex(facts["f_opts"] if facts["f_port"] else facts.get("payload", ""))
    meant = mac.parse_commands(block, uplink=uplink).commands
    assert len(meant) == len(commands)
    cids = packet["lorawan.mac_command_uplink" if uplink else "lorawan.mac_command_downlink"]
    right = facts["mic"] == "ok"
    if facts["f_port"] == 0 and not right:
        return  # tshark deciphers only what its MIC check let through
    assert numbers(cids) == [command.cid for command in meant]
    for kind, names in COMMAND_FIELDS.items():
        if kind.uplink is not uplink:
            continue
        for name, theirs in names.items():
            place = dict(places(kind))[name]
            wanted = [(place.count(getattr(c, name)) or 0) % (1 << place.width) for c in meant if type(c) is kind]
            assert numbers(packet[f"lorawan.{theirs}"]) == wanted, (kind.__name__, name)
    if facts["f_port"] and right:
        shown = packet["lorawan.frmpayload_decrypted"].replace("<MISSING>", "")  # for no bytes
        assert shown.replace(":", "") == facts.get("payload", "")


def commands_of(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """MAC commands, which the payloads of application packages are not."""
    on_port_0 = facts.get("payload_commands", []) if facts["f_port"] == 0 else []
    return [*facts.get("f_opts_commands", []), *on_port_0]


def as_bool(text: str) -> bool:
    return text in ("1", "True")


def numbers(text: str) -> list[int]:
    return [int(as_bool(part)) if part in ("True", "False") else int(part, 0) for part in text.split(",") if part]


def test_tshark_opens_every_frame_type(tmp_path: Path, dissect: Callable[..., list[dict[str, str]]]) -> None:
    sizes = (22, 16, 23, 23, 23, 23, 18, 23)  # behind MHDR; a Rejoin-Request of type 0
    frames = [bytes((f_type << 5,)) + bytes((0, *range(2, size + 1))) for f_type, size in enumerate(sizes)]
    packets = dissect(capture(tmp_path / "types.pcap", frames), HEADER)
    assert [int(packet["lorawan.mhdr.mtype"]) for packet in packets] == list(range(8))
    assert [explain(frame, Known(Version.V1_1)).facts["type"] for frame in frames] == [
        "JOIN_REQUEST",
        "JOIN_ACCEPT",
        "UNCONFIRMED_UP",
        "UNCONFIRMED_DOWN",
        "CONFIRMED_UP",
        "CONFIRMED_DOWN",
        "REJOIN_REQUEST",
        "PROPRIETARY",
    ]
