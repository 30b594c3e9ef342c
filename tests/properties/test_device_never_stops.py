"""Whatever bytes come in, device and server cores answer with Dropped at worst."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rejoin_network import accept_for, hear_in, joined_1_1, next_out

from lorawan.device import DeviceConfig, DeviceCore, SendRequest, StartJoin, StartRejoin, StopListening, Transmission
from lorawan.draws import Draws
from lorawan.errors import FrameError
from lorawan.frames import DataUp, FCtrlDown, JoinRequest, parse
from lorawan.ids import AesKey, Eui64
from lorawan.machine import Dropped
from lorawan.phy import Heard, LoraModulation
from lorawan.secured import seal_down
from lorawan.server import JoinHeard, UplinkHeard
from lorawan.testing import Pair, silent
from lorawan.version import Version

VERSIONS = st.sampled_from(list(Version))


def config(version: Version) -> DeviceConfig:
    return DeviceConfig(version, Eui64(1), Eui64(2), AesKey(bytes(16)), AesKey(bytes([1] * 16)))


def listening(version: Version, *, joined: bool) -> tuple[DeviceCore, int]:
    """A device with its windows open, after a join request or a data uplink."""
    pair = Pair(config(version))
    if joined:
        pair.join()
        pair.feed(SendRequest(10, b"x"))
    else:
        pair.feed(StartJoin())
    assert pair.device.wake_at is not None
    now = pair.device.wake_at
    pair.device.wake(now)
    return pair.device, now + 2_000_000


@settings(max_examples=150)
@given(VERSIONS, st.booleans(), st.binary(max_size=80))
def test_random_bytes_are_dropped_by_a_listening_device(version: Version, joined: bool, payload: bytes) -> None:
    device, now = listening(version, joined=joined)
    effects = device.handle(Heard(now, payload, 868_100_000, LoraModulation(7), -100.0, 0.0, 0), now)
    assert [type(effect) for effect in effects] == [Dropped]


@settings(max_examples=150)
@given(VERSIONS, st.data())
def test_mutated_downlinks_are_dropped_by_a_listening_device(version: Version, data: st.DataObject) -> None:
    pair = Pair(config(version))
    pair.join()
    pair.send(b"alarm", confirmed=True)
    genuine = bytearray(pair.answers[data.draw(st.integers(0, len(pair.answers) - 1))].payload)
    position = data.draw(st.integers(0, len(genuine) - 1))
    genuine[position] ^= data.draw(st.integers(1, 255))
    device, now = listening(version, joined=data.draw(st.booleans()))
    effects = device.handle(Heard(now, bytes(genuine), 868_100_000, LoraModulation(7), -100.0, 0.0, 0), now)
    assert [type(effect) for effect in effects] == [Dropped]


@settings(max_examples=150)
@given(VERSIONS, st.data())
def test_mutated_uplinks_are_dropped_by_the_server(version: Version, data: st.DataObject) -> None:
    pair = Pair(config(version))
    pair.join()
    pair.up = silent
    pair.send(b"payload")
    payload = bytearray(pair.sent[data.draw(st.sampled_from([0, -1]))].transmit.payload)
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    assert pair.session is not None
    assert pair.joins is not None
    try:
        frame = parse(bytes(payload), uplink=True)
    except FrameError:
        return
    if isinstance(frame, DataUp):
        effects = pair.session.handle(UplinkHeard(frame, 0.0, 5, 0, 1), pair.now)
    elif isinstance(frame, JoinRequest):
        effects = pair.joins.handle(JoinHeard(frame), pair.now)
    else:
        return
    assert [type(effect) for effect in effects] == [Dropped]


def test_two_devices_of_one_seed_and_different_draws_choose_differently() -> None:
    frequencies = set()
    for seed in range(40):
        device = DeviceCore(config(Version.V1_0_3), Draws.of_seed(seed))
        device.handle(StartJoin(), 0)
        transmission = device.wake(0)[0]
        frequencies.add(transmission.transmit.freq_hz)  # type: ignore[union-attr]  # the first effect of 1.0.3
    assert frequencies == {868_100_000, 868_300_000, 868_500_000}


@settings(max_examples=200)
@given(
    VERSIONS,
    st.binary(max_size=15),
    st.one_of(st.none(), st.integers(0, 255)),
    st.binary(max_size=50),
    st.booleans(),
    st.booleans(),
)
def test_no_genuine_downlink_stops_a_device(
    version: Version, f_opts: bytes, f_port: int | None, payload: bytes, confirmed: bool, ack: bool
) -> None:
    pair = Pair(config(version))
    pair.join()
    session = pair.device.session
    assert session is not None
    sealed = seal_down(
        session.keys,
        is_1_1=session.is_1_1,
        confirmed=confirmed,
        dev_addr=session.dev_addr,
        f_ctrl=FCtrlDown(adr=True, ack=ack, f_pending=True),
        f_cnt=0,
        f_opts=b"" if f_port == 0 else f_opts,
        f_port=f_port,
        payload=b"" if f_port is None else payload,
    )
    pair.up = silent
    pair.feed(SendRequest(10, b"x"))
    assert pair.device.wake_at is not None
    now = pair.device.wake_at
    pair.device.wake(now)
    effects = pair.device.handle(Heard(now, sealed, 868_100_000, LoraModulation(7), -100.0, 0.0, 0), now)
    assert any(isinstance(effect, StopListening) for effect in effects)
    pair.now = now + 3_600_000_000
    pair.feed(SendRequest(10, b"afterwards"))
    due = pair.device.wake_at
    assert due is not None
    assert any(isinstance(effect, Transmission) for effect in pair.device.wake(due))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from((0, 1, 2)), st.binary(max_size=80), st.data())
def test_a_rejoining_device_drops_random_bytes_and_mutated_accepts(
    rejoin_type: int, noise: bytes, data: st.DataObject
) -> None:
    pair = joined_1_1()
    session = pair.device.session
    pair.feed(StartRejoin(rejoin_type))
    sent, (rx1, _) = next_out(pair)
    accept = bytearray(accept_for(pair, sent, join_nonce=2))
    accept[data.draw(st.integers(0, len(accept) - 1))] ^= data.draw(st.integers(1, 255))
    for payload in (noise, bytes(accept)):
        assert [type(effect) for effect in hear_in(pair, rx1, payload)] == [Dropped]
    assert pair.device.session is session
