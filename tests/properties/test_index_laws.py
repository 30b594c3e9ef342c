"""Laws of the indices that a 1.1 uplink's MIC is made with and a capture does not hold."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.explain.follow import Followed, Follower
from bench.network import DeviceProfile
from lorawan.crypto import SessionKeys
from lorawan.frames import FCtrlUp
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.phy import LoraModulation
from lorawan.secured import seal_up
from lorawan.strategies import session_keys
from lorawan.version import Version

ADDRESS = DevAddr(0x26000001)
CHANNEL_HZ, SFS = (867_100_000, 867_300_000, 867_500_000), (7, 9)


def uplink(keys: SessionKeys, f_cnt: int, at: int, sf: int, table: list[int]) -> bytes:
    """On a frequency and at an SF, both by index; table: TxCh of the frequencies, then TxDr of the SFs."""
    return seal_up(
        keys,
        is_1_1=True,
        confirmed=False,
        dev_addr=ADDRESS,
        f_ctrl=FCtrlUp(),
        f_cnt=f_cnt,
        f_port=1,
        payload=b"hi",
        tx_ch=table[at],
        tx_dr=table[len(CHANNEL_HZ) + sf],
    )


def follow_all(read_with: SessionKeys, sent: list[tuple[int, int]], frames: list[bytes]) -> list[Followed]:
    follower = Follower([DeviceProfile(Eui64(1), Version.V1_1, dev_addr=ADDRESS, session_keys=read_with)])
    return [
        follower.follow(frame, freq_hz=CHANNEL_HZ[at], modulation=LoraModulation(SFS[sf]))
        for frame, (at, sf) in zip(frames, sent, strict=True)
    ]


def with_wrong_serving_key(keys: SessionKeys) -> SessionKeys:
    return replace(keys, s_nwk_s_int_key=AesKey(bytes(byte ^ 1 for byte in keys.s_nwk_s_int_key)))


TABLES = st.tuples(
    st.lists(st.integers(0, 95), min_size=3, max_size=3, unique=True),
    st.lists(st.integers(0, 15), min_size=2, max_size=2, unique=True),
).map(lambda both: [*both[0], *both[1]])
SENT = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=12)


@settings(max_examples=15, deadline=None)
@given(session_keys(), SENT, TABLES)
def test_under_the_right_keys_every_frame_of_any_region_holds(
    keys: SessionKeys, sent: list[tuple[int, int]], table: list[int]
) -> None:
    frames = [uplink(keys, f_cnt, at, sf, table) for f_cnt, (at, sf) in enumerate(sent)]
    assert {followed.explanation.mic for followed in follow_all(keys, sent, frames)} == {"ok"}


# Which frames fit by chance follows from the keys alone: derandomized, so that the one in 65,536 is the same every time
@settings(max_examples=3, deadline=None, derandomize=True)
@given(session_keys(), TABLES)
def test_under_a_wrong_serving_key_a_long_capture_ends_with_wrong_mics(keys: SessionKeys, table: list[int]) -> None:
    sent = [(n % 3, n // 3 % 2) for n in range(24)]
    frames = [uplink(keys, f_cnt, at, sf, table) for f_cnt, (at, sf) in enumerate(sent)]
    found = follow_all(with_wrong_serving_key(keys), sent, frames)
    for at in range(3):
        right = [one for one, (where, _) in zip(found, sent, strict=True) if where == at and not one.wrong]
        assert len(right) <= 1
        assert all("(found by trying), " in one.explanation.facts["mic_check"] for one in right)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(session_keys(), TABLES)
def test_what_fits_by_chance_once_does_not_fit_again(keys: SessionKeys, table: list[int]) -> None:
    wrong = with_wrong_serving_key(keys)
    sent = [(n % 3, n // 3 % 2) for n in range(150)]
    # the first frame on each frequency is one that the wrong key fits too
    frames = [uplink(wrong if n < 3 else keys, n, at, sf, table) for n, (at, sf) in enumerate(sent)]
    found = follow_all(wrong, sent, frames)
    assert not any(followed.wrong for followed in found[:3])
    assert all("(found by trying), " in followed.explanation.facts["mic_check"] for followed in found[:3])
    assert all(followed.wrong for followed in found[3:])
