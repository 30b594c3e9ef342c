"""Make cases.json anew: `python tests/golden/lorawan/make.py`, after `make oracles`.

The inputs are random. Every answer is another implementation's, named in `by`: lora-packet (npm), pamoja-native and
liblora (PyPI), `cryptography`'s AES and CMAC where none of them has the thing, and the standard library's crc_hqx for
beacons. Of lorawan it uses only the types that carry the inputs.
"""

from __future__ import annotations

import binascii
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS.parent), str(TESTS / "common"), str(TESTS / "interop")]

import loramsg  # noqa: E402
from cryptography.hazmat.primitives.ciphers import Cipher  # noqa: E402
from cryptography.hazmat.primitives.ciphers.algorithms import AES  # noqa: E402
from cryptography.hazmat.primitives.ciphers.modes import ECB  # noqa: E402
from cryptography.hazmat.primitives.cmac import CMAC  # noqa: E402
from frame_cases import DataCase, data_cases, join_cases  # noqa: E402
from lora_packet import ask  # noqa: E402
from pamoja import raw  # noqa: E402
from test_oracle_lora_packet import accept_question, question  # noqa: E402

FILE = Path(__file__).with_name("cases.json")
JS = "lora-packet 0.9.3"
RUST = "pamoja-native 0.2.0"
PYTHON = "liblora 0.0.3"
PYCA = "cryptography"
Case = dict[str, Any]


def clear(case: DataCase) -> Case:
    """A data frame's inputs."""
    keys = case.keys
    return {
        "is_1_1": case.is_1_1, "uplink": case.uplink, "confirmed": case.confirmed, "dev_addr": str(case.dev_addr),
        "adr": case.adr, "bit_6": case.bit_6, "ack": case.ack, "bit_4": case.bit_4, "f_cnt": case.f_cnt,
        "f_opts": case.f_opts.hex(), "f_port": case.f_port, "payload": case.payload.hex(),
        "conf_f_cnt": case.conf_f_cnt, "tx_dr": case.tx_dr, "tx_ch": case.tx_ch,
        "keys": [keys.f_nwk_s_int_key.hex(), keys.s_nwk_s_int_key.hex(), keys.nwk_s_enc_key.hex(),
                 keys.app_s_key.hex()],
    }  # fmt: skip


def data_frames() -> Iterator[Case]:
    for is_1_1 in (False, True):
        cases = data_cases(101, 30, is_1_1=is_1_1)
        for case, answer in zip(cases, ask(question(case, op="build") for case in cases), strict=True):
            yield {"kind": "data", "by": JS, **clear(case), "phy": answer["phy"]}


def joins() -> Iterator[Case]:
    cases = join_cases(102, 8)
    named = [{"join_eui": str(c.join_eui), "dev_eui": str(c.dev_eui), "dev_nonce": f"{c.dev_nonce:04x}"} for c in cases]
    requests = ask({"op": "join_request", "key": c.nwk_key.hex(), **n} for c, n in zip(cases, named, strict=True))
    accepts = ask(accept_question(case, 0xFF, op="join_accept") for case in cases)
    for case, n, request, accept in zip(cases, named, requests, accepts, strict=True):
        asked = accept_question(case, 0xFF)
        root = {"nwk_key": case.nwk_key.hex(), "app_key": case.app_key.hex()}
        yield {"kind": "join_request", "by": JS, **n, **root, "phy": request["phy"]}
        numbers = {name: asked[name] for name in ("join_nonce", "net_id", "dev_addr", "dl_settings", "rx_delay")}
        answer = {"cf_list": asked["cf_list"], "phy": accept["phy"]}
        yield {"kind": "join_accept", "by": JS, **n, **root, **numbers, **answer}
        (old,) = ask([{"op": "keys_10", "key": root["nwk_key"], **numbers, **n}])
        yield {"kind": "keys_10", "by": JS, **n, **root, **numbers, "keys": old}
        (new,) = ask([{"op": "keys_11", **root, **numbers, **n}])
        yield {"kind": "keys_11", "by": JS, **n, **root, **numbers, "keys": new}
    for join_req_type, case, n in zip((0, 1, 2), cases[1::2], named[1::2], strict=False):
        asked = accept_question(case, join_req_type)
        (accept,) = ask([{"op": "join_accept", **asked}])
        numbers = {name: asked[name] for name in ("join_nonce", "net_id", "dev_addr", "dl_settings", "rx_delay")}
        wanted = {"cf_list": asked["cf_list"], "phy": accept["phy"], "join_req_type": join_req_type}
        yield {"kind": "join_accept", "by": JS, **n, "nwk_key": case.nwk_key.hex(), **numbers, **wanted}


def rejoins() -> Iterator[Case]:
    random = Random(103)
    for rejoin_type in (0, 1, 2):
        key, network, dev_eui, count = (random.randbytes(size) for size in (16, 8 if rejoin_type == 1 else 3, 8, 2))
        message = bytes((0xC0, rejoin_type)) + network[::-1] + dev_eui[::-1] + count[::-1]
        code = CMAC(AES(key))
        code.update(message)
        yield {
            "kind": "rejoin", "by": PYCA, "rejoin_type": rejoin_type, "network": network.hex(),
            "dev_eui": dev_eui.hex(), "rj_count": count.hex(), "key": key.hex(),
            "phy": (message + code.finalize()[:4]).hex(),
        }  # fmt: skip


def relays() -> Iterator[Case]:
    for case in data_cases(104, 2, is_1_1=True):
        key, dev_addr = case.keys.nwk_s_enc_key.hex(), str(case.dev_addr)
        (keys,) = ask([{"op": "wor_keys", "nwk_enc": key, "dev_addr": dev_addr}])
        yield {"kind": "keys_relay", "by": JS, "key": key, "dev_addr": dev_addr, "keys": keys}


def channel_lists() -> Iterator[Case]:
    for freqs_hz in ([867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000], [868_800_000, 0, 0, 0, 0]):
        cf_list = raw.LorawanCfList.from_frequencies(freqs_hz).bytes.hex()
        yield {"kind": "cf_list", "by": RUST, "freqs_hz": freqs_hz, "cf_list": cf_list}


def beacons() -> Iterator[Case]:
    random = Random(105)
    for rfu1, rfu2, sf in ((1, 0, 9), (2, 1, 10), (4, 3, 12), (0, 3, 8)):
        gps_s, info_desc = random.getrandbits(32), random.randrange(3)
        lat, lng = random.randrange(-(1 << 23), 1 << 23), random.randrange(-(1 << 23), 1 << 23)
        common = bytes(rfu1 + 1) + gps_s.to_bytes(4, "little")
        place = b"".join(each.to_bytes(3, "little", signed=True) for each in (lat, lng))
        specific = bytes((info_desc,)) + place + bytes(rfu2)
        phy = b"".join(part + binascii.crc_hqx(part, 0).to_bytes(2, "little") for part in (common, specific))
        named = {"gps_s": gps_s, "info_desc": info_desc, "lat": lat, "lng": lng}
        yield {"kind": "beacon", "by": "binascii.crc_hqx", "sf": sf, **named, "phy": phy.hex()}


def airtimes() -> Iterator[Case]:
    # liblora rounds a float up; these lengths come out whole
    for sf, bandwidth_khz, length, coding_rate in (
        (7, 125, 23, 1),
        (12, 125, 51, 1),
        (9, 250, 100, 4),
        (10, 500, 0, 2),
    ):
        us = loramsg.airtime(bandwidth_khz, sf, length, coding_rate)
        yield {
            "kind": "airtime", "by": PYTHON, "sf": sf, "bandwidth_khz": bandwidth_khz, "length": length,
            "coding_rate": coding_rate, "us": us,
        }  # fmt: skip


def multicast() -> Iterator[Case]:
    random = Random(106)
    root_key, mc_key, mc_addr = random.randbytes(16), random.randbytes(16), random.getrandbits(32)
    for is_1_1 in (False, True):
        mc_root = raw.lorawan_mc_root_key(root_key, is_1_1)
        mc_ke = raw.lorawan_mc_ke_key(mc_root)
        wrapped = raw.lorawan_wrap_mc_key(mc_ke, mc_key)
        encryptor = Cipher(AES(mc_ke), ECB()).encryptor()
        assert encryptor.update(wrapped) == mc_key, "a second opinion"
        yield {
            "kind": "keys_multicast", "by": RUST, "is_1_1": is_1_1, "root_key": root_key.hex(), "mc_key": mc_key.hex(),
            "mc_addr": f"{mc_addr:08x}", "mc_root_key": mc_root.hex(), "mc_ke_key": mc_ke.hex(),
            "mc_key_encrypted": wrapped.hex(), "mc_app_s_key": raw.lorawan_mc_app_s_key(mc_key, mc_addr).hex(),
            "mc_nwk_s_key": raw.lorawan_mc_nwk_s_key(mc_key, mc_addr).hex(),
        }  # fmt: skip


def data_blocks() -> Iterator[Case]:
    random = Random(107)
    for length in (1, 15, 300):
        root_key, block = random.randbytes(16), random.randbytes(length)
        session_cnt, frag_index, descriptor = random.getrandbits(16), random.randrange(4), random.getrandbits(32)
        int_key = raw.lorawan_data_block_int_key(root_key)
        code = raw.LorawanBlockMic(int_key, session_cnt, frag_index, descriptor.to_bytes(4, "little"), length)
        code.update(block)
        yield {
            "kind": "data_block", "by": RUST, "root_key": root_key.hex(), "block": block.hex(),
            "session_cnt": session_cnt, "frag_index": frag_index, "descriptor": descriptor,
            "int_key": int_key.hex(), "mic": code.finish().hex(),
        }  # fmt: skip


def main() -> None:
    """Write the file, a case a line."""
    makers = (data_frames, joins, rejoins, relays, channel_lists, beacons, airtimes, multicast, data_blocks)
    cases = [case for make in makers for case in make()]
    numbered = [{"id": f"{case['kind']}-{number:03}", **case} for number, case in enumerate(cases)]
    FILE.write_text("[\n" + ",\n".join(json.dumps(case) for case in numbered) + "\n]\n")


if __name__ == "__main__":
    main()
