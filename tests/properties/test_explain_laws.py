"""Laws of explanations: every bit of a frame is told once, everything is JSON, no bytes stop the telling."""

from __future__ import annotations

import contextlib
import json
from binascii import crc_hqx
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bench.explain import Explanation, Known, explain, explain_beacon
from lorawan.crypto import SessionKeys
from lorawan.errors import FrameError
from lorawan.frames import DataUp, FCtrlDown, FCtrlUp, Frame, JoinAccept
from lorawan.frames.beacon import Beacon, encode_beacon
from lorawan.ids import AesKey, DevAddr
from lorawan.mac_commands import MacCommand, encode_commands
from lorawan.packages import PACKAGES
from lorawan.secured import seal_down, seal_join_accept_10, seal_up
from lorawan.strategies import aes_keys, f_cnts, frames, join_accepts, mac_commands, package_commands, session_keys
from lorawan.version import Version

VERSIONS = st.sampled_from(Version)


def known_of(version: Version, keys: SessionKeys, root: AesKey) -> Known:
    session = (keys.f_nwk_s_int_key, keys.s_nwk_s_int_key, keys.nwk_s_enc_key, keys.app_s_key)
    return Known(version, *session, app_key=root, nwk_key=root)


def bits_told(explanation: Explanation) -> list[int]:
    """The bits of the frame that the innermost fields are about, byte × 8 + bit."""
    found: list[int] = []
    for top in explanation.fields:
        for leaf in top.leaves():
            if leaf.offset is None:
                continue
            low, high = (0, 8 * leaf.size - 1) if leaf.bits is None else (leaf.bits[1], leaf.bits[0])
            found += range(8 * leaf.offset + low, 8 * leaf.offset + high + 1)
    return found


@given(frames(), VERSIONS, session_keys(), aes_keys())
def test_every_bit_is_told_exactly_once(frame: Frame, version: Version, keys: SessionKeys, root: AesKey) -> None:
    payload = frame.encode()
    explanation = explain(payload, known_of(version, keys, root))
    assert sorted(bits_told(explanation)) == list(range(8 * len(payload)))


@given(st.lists(mac_commands(uplink=False), max_size=8), VERSIONS, f_cnts())
def test_every_bit_of_every_command_is_told_and_read_as_it_was_meant(
    commands: list[MacCommand], version: Version, f_cnt: int
) -> None:
    block = encode_commands(commands)[:200]
    keys = SessionKeys.for_10(AesKey(b"n" * 16), AesKey(b"a" * 16))
    frame = seal_down(
        keys,
        is_1_1=version.is_1_1,
        confirmed=False,
        dev_addr=DevAddr(7),
        f_ctrl=FCtrlDown(),
        f_cnt=f_cnt,
        f_port=0,
        payload=block,
    )
    explanation = explain(frame, replace(known_of(version, keys, AesKey(bytes(16))), f_cnt=f_cnt))
    assert explanation.mic == "ok"
    assert sorted(bits_told(explanation)) == list(range(8 * len(frame)))


@given(VERSIONS, session_keys(), f_cnts(), st.binary(max_size=15), st.binary(max_size=30), st.integers(1, 255))
def test_what_was_sealed_is_found_in_clear(
    version: Version, keys: SessionKeys, f_cnt: int, f_opts: bytes, payload: bytes, f_port: int
) -> None:
    keys = keys if version.is_1_1 else SessionKeys.for_10(keys.nwk_s_enc_key, keys.app_s_key)
    frame = seal_up(
        keys,
        is_1_1=version.is_1_1,
        confirmed=True,
        dev_addr=DevAddr(7),
        f_ctrl=FCtrlUp(),
        f_cnt=f_cnt,
        f_opts=f_opts,
        f_port=f_port,
        payload=payload,
    )
    facts = explain(frame, replace(known_of(version, keys, AesKey(bytes(16))), f_cnt=f_cnt)).facts
    assert facts["mic"] == "ok"
    assert facts.get("payload", "") == payload.hex()
    assert facts.get("f_opts_clear", facts["f_opts"]) == f_opts.hex()


@given(st.sampled_from((200, 201, 202, 203, 224)), st.booleans(), st.binary(max_size=60), st.data())
def test_every_bit_of_a_package_payload_is_told_once(
    f_port: int, uplink: bool, tail: bytes, data: st.DataObject
) -> None:
    package = data.draw(st.sampled_from([one for one in PACKAGES if one.f_port == f_port]))
    commands = data.draw(st.lists(package_commands(package, uplink=uplink), max_size=3))
    block = (b"".join(command.encode() for command in commands) + tail)[:200]
    keys = SessionKeys.for_10(AesKey(b"n" * 16), AesKey(b"a" * 16))
    common = {"is_1_1": False, "confirmed": False, "dev_addr": DevAddr(7), "f_cnt": 1, "f_port": f_port}
    if uplink:
        frame = seal_up(keys, f_ctrl=FCtrlUp(), payload=block, **common)  # type: ignore[arg-type]
    else:
        frame = seal_down(keys, f_ctrl=FCtrlDown(), payload=block, **common)  # type: ignore[arg-type]
    explanation = explain(frame, known_of(Version.V1_0_4, keys, AesKey(bytes(16))))
    assert sorted(bits_told(explanation)) == list(range(8 * len(frame)))
    json.dumps(explanation.as_dict())


@given(join_accepts(), aes_keys(), VERSIONS)
def test_every_bit_of_an_accept_is_told_once(accept: JoinAccept, key: AesKey, version: Version) -> None:
    frame = seal_join_accept_10(key, replace(accept, opt_neg=False))
    explanation = explain(frame, Known(version, app_key=key, nwk_key=key))
    assert explanation.mic == "ok"
    assert sorted(bits_told(explanation)) == list(range(8 * len(frame)))


@given(
    st.integers(0, 2**32 - 1), st.integers(0, 255), st.integers(0, 255), st.sampled_from((8, 9, 10, 12)),
    st.sampled_from((Version.V1_0_3, Version.V1_0_4, Version.V1_1)),
)  # fmt: skip
def test_every_bit_of_a_beacon_is_told_once(gps_s: int, info: int, param: int, sf: int, version: Version) -> None:
    data = encode_beacon(Beacon(gps_s, info, param=param), sf)
    explanation = explain_beacon(data, sf, version)
    assert sorted(bits_told(explanation)) == list(range(8 * len(data)))
    json.dumps(explanation.as_dict())


@given(st.binary(min_size=7, max_size=7), st.binary(min_size=7, max_size=7), st.sampled_from((9, 10)))
def test_every_bit_of_a_1_0_2_beacon_is_told_once(common: bytes, specific: bytes, sf: int) -> None:
    # sizes by LoRaWAN 1.0.2 §15.1; the CRC by Python's own CRC-CCITT
    specific += bytes(sf - 9)
    first = crc_hqx(common, 0).to_bytes(2, "little")[: sf - 8]
    data = common + first + specific + crc_hqx(specific, 0).to_bytes(2, "little")
    explanation = explain_beacon(data, sf, Version.V1_0_2)
    assert sorted(bits_told(explanation)) == list(range(8 * len(data)))
    assert (explanation.facts["crc"], explanation.facts["specific_crc"]) == ("ok", "ok")
    json.dumps(explanation.as_dict())


@given(st.binary(max_size=24), VERSIONS, st.integers(5, 12))
def test_no_bytes_stop_the_telling_of_a_beacon(data: bytes, version: Version, sf: int) -> None:
    with contextlib.suppress(FrameError):
        json.dumps(explain_beacon(data, sf, version).as_dict())


@given(st.binary(max_size=260), VERSIONS, session_keys(), aes_keys())
def test_no_bytes_stop_the_telling_and_all_of_it_is_json(
    data: bytes, version: Version, keys: SessionKeys, root: AesKey
) -> None:
    try:
        explanation = explain(data, known_of(version, keys, root))
    except FrameError:
        return
    view = json.loads(json.dumps(explanation.as_dict()))
    assert all(field["clause"] for field in view["fields"])
    text = json.dumps(view)
    for key in (root, *(getattr(keys, name) for name in SessionKeys.__slots__)):
        assert key.hex() not in text or key.hex() in data.hex()


@given(frames())
def test_the_facts_of_a_data_frame_are_the_parsers(frame: Frame) -> None:
    if isinstance(frame, DataUp):
        facts = explain(frame.encode(), Known()).facts
        assert (facts["dev_addr"], facts["f_cnt"], facts["f_port"]) == (str(frame.dev_addr), frame.f_cnt, frame.f_port)
