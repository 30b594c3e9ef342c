"""Frames built and verified per second on one core: `python tests/bench_speed/frames.py`.

One round is a sealed uplink of 20 bytes, parsed, its MIC checked and its payload opened. The same round runs with the
data-frame layout read and written by construct (interpreted and compiled), and as a plain script of `struct` and
pycryptodome with the same CMAC, which is the yardstick.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from Crypto.Cipher import AES

from lorawan.crypto import SessionKeys, aes_cmac, crypt_payload, mic_data_10
from lorawan.frames import DataUp, FCtrlUp, parse
from lorawan.frames.layouts import DATA_UP
from lorawan.ids import AesKey, DevAddr
from lorawan.secured import mic_up_ok, open_up, seal_up

PAYLOAD = bytes(range(20))
DEV_ADDR = DevAddr(0x26011234)
NWK_S_KEY, APP_S_KEY = AesKey(bytes(range(16))), AesKey(bytes(range(16, 32)))
KEYS_10 = SessionKeys.for_10(NWK_S_KEY, APP_S_KEY)
KEYS_11 = SessionKeys(NWK_S_KEY, AesKey(bytes(range(1, 17))), AesKey(bytes(range(2, 18))), APP_S_KEY)
F_CTRL = FCtrlUp(adr=True)

Round = Callable[[int], bytes]


def product(keys: SessionKeys, is_1_1: bool) -> Round:
    """The library as a device and a server use it."""

    def one(f_cnt: int) -> bytes:
        phy = seal_up(
            keys,
            is_1_1=is_1_1,
            confirmed=False,
            dev_addr=DEV_ADDR,
            f_ctrl=F_CTRL,
            f_cnt=f_cnt,
            f_port=2,
            payload=PAYLOAD,
        )
        frame = parse(phy, uplink=True)
        assert isinstance(frame, DataUp)
        assert mic_up_ok(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt)
        return open_up(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt).payload

    return one


def by_construct(layout: Any) -> Round:
    """The same 1.0 round with the frame's bytes read and written by construct."""
    f_ctrl = {"adr": True, "adr_ack_req": False, "ack": False, "class_b": False, "f_opts_len": 0}
    mhdr = {"f_type": 2, "rfu": 0, "major": 0}

    def one(f_cnt: int) -> bytes:
        body = b"\x02" + crypt_payload(APP_S_KEY, True, DEV_ADDR, f_cnt, PAYLOAD)
        message = layout.build(
            {"mhdr": mhdr, "dev_addr": DEV_ADDR, "f_ctrl": f_ctrl, "f_cnt": f_cnt, "f_opts": b"", "body": body}
        )
        phy = message + mic_data_10(NWK_S_KEY, True, DEV_ADDR, f_cnt, message)
        raw = layout.parse(phy[:-4])
        up = FCtrlUp(raw.f_ctrl.adr, raw.f_ctrl.adr_ack_req, raw.f_ctrl.ack, raw.f_ctrl.class_b)
        frame = DataUp(False, DevAddr(raw.dev_addr), up, raw.f_cnt, raw.f_opts, raw.body[0], raw.body[1:], phy[-4:])
        assert frame.mic == mic_data_10(NWK_S_KEY, True, frame.dev_addr, f_cnt, phy[:-4])
        return open_up(KEYS_10, is_1_1=False, frame=frame, f_cnt=f_cnt).payload

    return one


def yardstick() -> Round:
    """The plainest 1.0 round: no types, no checks, one frame shape."""
    encrypt = AES.new(APP_S_KEY, AES.MODE_ECB).encrypt

    def cipher(dev_addr: int, f_cnt: int, data: bytes) -> bytes:
        a = struct.pack("<B4xBIIx", 1, 0, dev_addr, f_cnt)
        stream = encrypt(b"".join([a + bytes((i,)) for i in range(1, (len(data) + 31) // 16)]))
        xored = int.from_bytes(data, "big") ^ int.from_bytes(stream[: len(data)], "big")
        return xored.to_bytes(len(data), "big")

    def mic(dev_addr: int, f_cnt: int, message: bytes) -> bytes:
        b0 = struct.pack("<B4xBIIxB", 0x49, 0, dev_addr, f_cnt, len(message))
        return aes_cmac(NWK_S_KEY, b0 + message)[:4]

    def one(f_cnt: int) -> bytes:
        message = struct.pack("<BIBHB", 0x40, 0x26011234, 0x80, f_cnt, 2) + cipher(0x26011234, f_cnt, PAYLOAD)
        phy = message + mic(0x26011234, f_cnt, message)
        _, dev_addr, f_ctrl, f_cnt_16 = struct.unpack_from("<BIBH", phy)
        port_at = 8 + (f_ctrl & 15)
        assert phy[-4:] == mic(dev_addr, f_cnt_16, phy[:-4])
        return cipher(dev_addr, f_cnt_16, phy[port_at + 1 : -4])

    return one


def rate(one: Round, rounds: int, repeats: int = 5) -> float:
    """Rounds per second, the best of several runs."""
    assert one(7) == PAYLOAD
    best = float("inf")
    for _ in range(repeats):
        start = perf_counter()
        for f_cnt in range(rounds):
            one(f_cnt)
        best = min(best, perf_counter() - start)
    return rounds / best


def main() -> None:
    """Print the table."""
    plain = rate(yardstick(), 10_000)
    rows = [
        ("plain struct + pycryptodome", plain),
        ("lorawan 1.0", rate(product(KEYS_10, False), 10_000)),
        ("lorawan 1.1", rate(product(KEYS_11, True), 10_000)),
        ("layout by construct, compiled", rate(by_construct(DATA_UP.compile()), 2_000)),
        ("layout by construct, interpreted", rate(by_construct(DATA_UP), 1_000)),
    ]
    for name, found in rows:
        print(f"{name:34}{found:10,.0f} frames/s{found / plain:8.2f} of plain")


if __name__ == "__main__":
    main()
