"""Random frames, the same for the same seed, for comparisons with other implementations."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from lorawan.crypto import SessionKeys
from lorawan.frames import DataDown, DataUp, FCtrlDown, FCtrlUp, JoinAccept, encode_cf_list, parse
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.secured import mic_down_ok, mic_up_ok, open_down, open_up, seal_down, seal_up

EDGES = (0, 1, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


@dataclass(frozen=True)
class DataCase:
    """A data frame in clear. Of f_ctrl, bit_6 is ADRACKReq (up), bit_4 class B (up) or FPending (down)."""

    keys: SessionKeys
    is_1_1: bool
    uplink: bool
    confirmed: bool
    dev_addr: DevAddr
    adr: bool
    bit_6: bool
    ack: bool
    bit_4: bool
    f_cnt: int
    f_opts: bytes
    f_port: int | None
    payload: bytes
    conf_f_cnt: int
    tx_dr: int
    tx_ch: int

    @property
    def f_type(self) -> int:
        """2 … 5."""
        return 2 + (not self.uplink) + 2 * self.confirmed

    def sealed(self) -> bytes:
        """The PHYPayload as lorawan makes it."""
        named = {
            "is_1_1": self.is_1_1, "confirmed": self.confirmed, "dev_addr": self.dev_addr, "f_cnt": self.f_cnt,
            "f_opts": self.f_opts, "f_port": self.f_port, "payload": self.payload, "conf_f_cnt": self.conf_f_cnt,
        }  # fmt: skip
        if self.uplink:
            f_ctrl = FCtrlUp(self.adr, self.bit_6, self.ack, self.bit_4)
            return seal_up(self.keys, f_ctrl=f_ctrl, tx_dr=self.tx_dr, tx_ch=self.tx_ch, **named)  # type: ignore[arg-type]
        return seal_down(self.keys, f_ctrl=FCtrlDown(self.adr, self.ack, self.bit_4), **named)  # type: ignore[arg-type]

    def read(self, phy: bytes) -> tuple[DataUp | DataDown, bool, bytes, bytes]:
        """What lorawan reads: the frame, whether its MIC is right, FOpts and FRMPayload in clear."""
        frame = parse(phy, uplink=self.uplink)
        named = {"is_1_1": self.is_1_1, "f_cnt": self.f_cnt}
        if isinstance(frame, DataUp):
            seen = {"conf_f_cnt": self.conf_f_cnt, "tx_dr": self.tx_dr, "tx_ch": self.tx_ch}
            ok = mic_up_ok(self.keys, frame=frame, **named, **seen)
            opened = open_up(self.keys, frame=frame, **named)
        else:
            assert isinstance(frame, DataDown)
            ok = mic_down_ok(self.keys, frame=frame, conf_f_cnt=self.conf_f_cnt, **named)
            opened = open_down(self.keys, frame=frame, **named)
        return frame, ok, opened.f_opts, opened.payload


def data_cases(seed: int, count: int, *, is_1_1: bool) -> list[DataCase]:
    """Half of them uplinks; counters and lengths often at their edges."""
    random = Random(seed)
    return [_data_case(random, is_1_1, uplink=bool(number % 2)) for number in range(count)]


def _data_case(random: Random, is_1_1: bool, *, uplink: bool) -> DataCase:
    def flag() -> bool:
        return random.random() < 0.5

    f_opts = random.randbytes(random.choice((0, 0, 1, 5, 14, 15)))
    f_port = random.choice((None, 0, 1, 2, 200, 223, 224, 255, random.randrange(1, 256)))
    longest = 242 - len(f_opts)
    length = random.choice((0, 1, 15, 16, 17, 31, 32, 33, longest, random.randrange(longest + 1)))
    if f_port is None or (f_port == 0 and f_opts):
        length = 0
    keys = SessionKeys(key(random), key(random), key(random), key(random))
    f_cnt, conf_f_cnt = (random.choice((random.choice(EDGES), random.getrandbits(32))) for _ in range(2))
    return DataCase(
        keys=keys if is_1_1 else SessionKeys.for_10(keys.f_nwk_s_int_key, keys.app_s_key),
        is_1_1=is_1_1,
        uplink=uplink,
        confirmed=flag(),
        dev_addr=DevAddr(random.choice((random.choice(EDGES), random.getrandbits(32)))),
        adr=flag(),
        bit_6=uplink and flag(),
        ack=flag(),
        bit_4=flag(),
        f_cnt=f_cnt,
        f_opts=f_opts,
        f_port=f_port,
        payload=random.randbytes(length),
        conf_f_cnt=conf_f_cnt,
        tx_dr=random.randrange(16),
        tx_ch=random.randrange(96),
    )


@dataclass(frozen=True)
class JoinCase:
    """A join: both root keys, the numbers of its request, and the accept in clear."""

    nwk_key: AesKey
    app_key: AesKey
    join_eui: Eui64
    dev_eui: Eui64
    dev_nonce: int
    accept: JoinAccept


def join_cases(seed: int, count: int) -> list[JoinCase]:
    """Joins of either OptNeg, half of the accepts with a CFList."""
    random = Random(seed)
    return [_join_case(random, opt_neg=bool(number % 2)) for number in range(count)]


def _join_case(random: Random, *, opt_neg: bool) -> JoinCase:
    freqs_hz = [random.randrange(1 << 24) * 100 for _ in range(random.randrange(6))]
    accept = JoinAccept(
        join_nonce=random.choice((0, 0xFFFFFF, random.getrandbits(24))),
        net_id=NetId(random.choice((0, 0xFFFFFF, random.getrandbits(24)))),
        dev_addr=DevAddr(random.getrandbits(32)),
        opt_neg=opt_neg,
        rx1_dr_offset=random.randrange(8),
        rx2_dr=random.randrange(16),
        rx_delay_s=random.randrange(16),
        cf_list=random.choice((b"", encode_cf_list(freqs_hz))),
    )
    join_eui, dev_eui = Eui64(random.getrandbits(64)), Eui64(random.getrandbits(64))
    return JoinCase(key(random), key(random), join_eui, dev_eui, random.getrandbits(16), accept)


def key(random: Random) -> AesKey:
    """A key."""
    return AesKey(random.randbytes(16))


def damaged(random: Random, phy: bytes) -> bytes:
    """The frame with one bit of its FCnt, FRMPayload or MIC flipped, so that it still has the same shape."""
    at = random.choice((6, 7, len(phy) - 1, len(phy) - 2, len(phy) - 3, len(phy) - 4))
    return phy[:at] + bytes((phy[at] ^ 1 << random.randrange(8),)) + phy[at + 1 :]
