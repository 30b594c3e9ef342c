"""Uplinks sealed and read per second on one core, beside other implementations: `python tests/bench_speed/frames.py`.

Two jobs on 20 bytes of payload, for 1.0 and 1.1: build and encrypt; parse, verify the MIC and decrypt. Beside lorawan
stand a plain script of `struct` and pycryptodome with the same CMAC and the same AES calls (the yardstick: no types, no
checks, one frame shape), liblora in Python, pamoja in Rust behind Python (both 1.0), lora-packet in JavaScript, timed
inside node, and lorawan's own layout read and written by construct. All take turns in one run; each figure is the best
of its turns. A ratio that misses its aim is said in red, and so in the exit code with --strict.
"""

from __future__ import annotations

import argparse
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))

import lora_packet
import loramsg
from Crypto.Cipher import AES
from pamoja import raw

from lorawan.crypto import SessionKeys, aes_cmac, crypt_payload, mic_data_10
from lorawan.frames import DataUp, FCtrlUp, parse
from lorawan.frames.layouts import DATA_UP
from lorawan.ids import AesKey, DevAddr
from lorawan.secured import mic_up_ok, open_up, seal_up

PAYLOAD = bytes(range(20))
DEV_ADDR = DevAddr(0x26011234)
NWK_S_KEY, APP_S_KEY = AesKey(bytes(range(16))), AesKey(bytes(range(16, 32)))
KEYS = {
    False: SessionKeys.for_10(NWK_S_KEY, APP_S_KEY),
    True: SessionKeys(NWK_S_KEY, AesKey(bytes(range(1, 17))), AesKey(bytes(range(2, 18))), APP_S_KEY),
}
F_CTRL = FCtrlUp(adr=True)
TX_DR, TX_CH = 5, 2
FRAMES, TURNS = 256, 120  # short turns: one in a quiet moment is enough
AIM_PER_S, AIM_JS, AIM_PLAIN = 50_000, 3.0, 0.8

Build, Read = Callable[[int], bytes], Callable[[int, bytes], bytes]
Pair = tuple[Build, Read]


def product(is_1_1: bool) -> Pair:
    """The library as a device and a server use it."""
    keys = KEYS[is_1_1]

    def build(f_cnt: int) -> bytes:
        return seal_up(
            keys,
            is_1_1=is_1_1,
            confirmed=False,
            dev_addr=DEV_ADDR,
            f_ctrl=F_CTRL,
            f_cnt=f_cnt,
            f_port=2,
            payload=PAYLOAD,
            tx_dr=TX_DR,
            tx_ch=TX_CH,
        )

    def read(f_cnt: int, phy: bytes) -> bytes:
        frame = parse(phy, uplink=True)
        assert isinstance(frame, DataUp)
        assert mic_up_ok(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt, tx_dr=TX_DR, tx_ch=TX_CH)
        return open_up(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt).payload

    return build, read


def plain(is_1_1: bool) -> Pair:
    """The yardstick."""
    encrypt = AES.new(APP_S_KEY, AES.MODE_ECB).encrypt
    forwarding, serving = KEYS[is_1_1].f_nwk_s_int_key, KEYS[is_1_1].s_nwk_s_int_key

    def cipher(dev_addr: int, f_cnt: int, data: bytes) -> bytes:
        a = struct.pack("<B4xBIIx", 1, 0, dev_addr, f_cnt)
        blocks = b"".join([a + bytes((i,)) for i in range(1, (len(data) + 31) // 16)])
        stream = bytearray(len(blocks))
        encrypt(blocks, stream)
        xored = int.from_bytes(data, "big") ^ int.from_bytes(stream[: len(data)], "big")
        return xored.to_bytes(len(data), "big")

    def mic(dev_addr: int, f_cnt: int, message: bytes) -> bytes:
        b0 = struct.pack("<B4xBIIxB", 0x49, 0, dev_addr, f_cnt, len(message))
        if not is_1_1:
            return aes_cmac(forwarding, b0 + message)[:4]
        b1 = struct.pack("<BHBBxIIxB", 0x49, 0, TX_DR, TX_CH, dev_addr, f_cnt, len(message))
        return aes_cmac(serving, b1 + message)[:2] + aes_cmac(forwarding, b0 + message)[:2]

    def build(f_cnt: int) -> bytes:
        message = struct.pack("<BIBHB", 0x40, 0x26011234, 0x80, f_cnt, 2) + cipher(0x26011234, f_cnt, PAYLOAD)
        return message + mic(0x26011234, f_cnt, message)

    def read(_f_cnt: int, phy: bytes) -> bytes:
        _, dev_addr, f_ctrl, f_cnt_16 = struct.unpack_from("<BIBH", phy)
        port_at = 8 + (f_ctrl & 15)
        assert phy[-4:] == mic(dev_addr, f_cnt_16, phy[:-4])
        return cipher(dev_addr, f_cnt_16, phy[port_at + 1 : -4])

    return build, read


def by_liblora() -> Pair:
    """liblora, 1.0."""

    def build(f_cnt: int) -> bytes:
        phy: bytes = loramsg.pack_dataframe(
            mhdr=0x40, devaddr=0x26011234, fctrl=0x80, fcnt=f_cnt, port=2, payload=PAYLOAD, nwkskey=NWK_S_KEY,
            appskey=APP_S_KEY,
        )  # fmt: skip
        return phy

    def read(f_cnt: int, phy: bytes) -> bytes:
        payload: bytes = loramsg.unpack_dataframe(phy, f_cnt, NWK_S_KEY, APP_S_KEY)["FRMPayload"]
        return payload

    return build, read


def by_pamoja() -> Pair:
    """pamoja's Rust core through its Python binding, 1.0."""
    session = raw.LorawanSession(0x26011234, NWK_S_KEY, APP_S_KEY)

    def build(f_cnt: int) -> bytes:
        phy: bytes = session.encode_uplink(f_cnt, 2, PAYLOAD, adr=True)
        return phy

    def read(f_cnt: int, phy: bytes) -> bytes:
        payload: bytes = session.decode(phy, f_cnt).payload
        return payload

    return build, read


def by_construct(layout: Any) -> Pair:
    """lorawan 1.0 with the frame's bytes read and written by construct."""
    f_ctrl = {"adr": True, "adr_ack_req": False, "ack": False, "class_b": False, "f_opts_len": 0}
    mhdr = {"f_type": 2, "rfu": 0, "major": 0}

    def build(f_cnt: int) -> bytes:
        body = b"\x02" + crypt_payload(APP_S_KEY, True, DEV_ADDR, f_cnt, PAYLOAD)
        message: bytes = layout.build(
            {"mhdr": mhdr, "dev_addr": DEV_ADDR, "f_ctrl": f_ctrl, "f_cnt": f_cnt, "f_opts": b"", "body": body}
        )
        return message + mic_data_10(NWK_S_KEY, True, DEV_ADDR, f_cnt, message)

    def read(f_cnt: int, phy: bytes) -> bytes:
        fields = layout.parse(phy[:-4])
        up = FCtrlUp(fields.f_ctrl.adr, fields.f_ctrl.adr_ack_req, fields.f_ctrl.ack, fields.f_ctrl.class_b)
        frame = DataUp(
            False, DevAddr(fields.dev_addr), up, fields.f_cnt, fields.f_opts, fields.body[0], fields.body[1:], phy[-4:]
        )
        assert frame.mic == mic_data_10(NWK_S_KEY, True, frame.dev_addr, f_cnt, phy[:-4])
        return open_up(KEYS[False], is_1_1=False, frame=frame, f_cnt=f_cnt).payload

    return build, read


def turns(pairs: dict[str, Pair], frames: list[bytes]) -> dict[str, list[float]]:
    """Frames a second, [build, read] of each pair, whose frames must be these."""
    best = {name: [float("inf"), float("inf")] for name in pairs}
    for name, (build, read) in pairs.items():
        assert build(7) == frames[7], name
        assert read(7, frames[7]) == PAYLOAD, name
    for _ in range(TURNS):
        for name, (build, read) in pairs.items():
            start = perf_counter()
            for f_cnt in range(FRAMES):
                build(f_cnt)
            half = perf_counter()
            for f_cnt in range(FRAMES):
                read(f_cnt, frames[f_cnt])
            found = (half - start, perf_counter() - half)
            best[name] = [min(pair) for pair in zip(best[name], found, strict=True)]
    return {name: [FRAMES / seconds for seconds in pair] for name, pair in best.items()}


def javascript(is_1_1: bool, frames: list[bytes]) -> list[float]:
    """The same two jobs by lora-packet, in one node process."""
    keys = KEYS[is_1_1]
    common = {
        "is_1_1": is_1_1, "uplink": True, "f_type": 2, "dev_addr": str(DEV_ADDR), "adr": True, "bit_6": False,
        "ack": False, "bit_4": False, "f_opts": "", "f_port": 2, "payload": PAYLOAD.hex(), "conf_f_cnt": 0,
        "tx_dr": TX_DR, "tx_ch": TX_CH, "f_nwk": keys.f_nwk_s_int_key.hex(), "s_nwk": keys.s_nwk_s_int_key.hex(),
        "nwk_enc": keys.nwk_s_enc_key.hex(), "app": keys.app_s_key.hex(),
    }  # fmt: skip
    each = [common | {"f_cnt": f_cnt, "phy": phy.hex()} for f_cnt, phy in enumerate(frames)]
    questions = [{"op": "build", **each[7]}, {"op": "open", **each[7]}]
    timed = [{"op": "speed", "build": build, "repeats": TURNS, "frames": each} for build in (True, False)]
    built, opened, *speeds = lora_packet.ask(questions + timed, timeout_s=600)
    assert built["phy"] == frames[7].hex()
    assert (opened["mic_ok"], opened["payload"]) == (True, PAYLOAD.hex())
    return [speed["per_s"] for speed in speeds]


def report(job: str, version: str, found: dict[str, float], missed: list[str]) -> None:
    """One table; adds what misses its aim to `missed`."""
    ours, plain_per_s, js = found["lorawan"], found["plain struct"], found.get("lora-packet (JavaScript)")
    print(f"\n{version}, {job}")
    for name, per_s in found.items():
        print(f"  {name:34}{per_s:10,.0f} frames/s{per_s / plain_per_s:8.2f} of plain{ours / per_s:8.1f} x ours")
    aims = [("frames/s", ours, AIM_PER_S), ("of plain struct", ours / plain_per_s, AIM_PLAIN)]
    aims += [] if js is None else [("times JavaScript", ours / js, AIM_JS)]
    for what, value, aim in aims:
        line = f"{version}, {job}: {value:,.2f} {what}, aim {aim:,}"
        print(f"  {'holds' if value >= aim else 'MISSES'}: {line}")
        if value < aim:
            missed.append(line)


def main() -> int:
    """Print the tables; 1 with --strict where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strict", action="store_true", help="exit code 1 where an aim is missed")
    strict = parser.parse_args().strict
    missed: list[str] = []
    for is_1_1, version in ((False, "1.0"), (True, "1.1")):
        pairs = {"lorawan": product(is_1_1), "plain struct": plain(is_1_1)}
        if not is_1_1:
            pairs |= {"liblora (Python)": by_liblora(), "pamoja (Rust)": by_pamoja()}
            pairs |= {"construct, compiled": by_construct(DATA_UP.compile())}
            pairs |= {"construct, interpreted": by_construct(DATA_UP)}
        frames = [pairs["lorawan"][0](f_cnt) for f_cnt in range(FRAMES)]
        found = turns(pairs, frames)
        if lora_packet.available():
            found["lora-packet (JavaScript)"] = javascript(is_1_1, frames)
        else:
            print("lora-packet is not installed (make oracles): no JavaScript figures")
        for at, job in enumerate(("build and encrypt", "verify and decrypt")):
            report(job, version, {name: pair[at] for name, pair in found.items()}, missed)
    for line in missed:
        print(f"\033[31mMISSES {line}\033[0m")
    return 1 if missed and strict else 0


if __name__ == "__main__":
    sys.exit(main())
