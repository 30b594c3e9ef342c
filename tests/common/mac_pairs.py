"""Devices back to back with their network, for tests of the MAC: configurations, joins, downlinks."""

from __future__ import annotations

from lorawan import mac_commands as mac
from lorawan.device import SendRequest, Transmission
from lorawan.device.events import DeviceEffect
from lorawan.frames import DataUp, FCtrlDown, parse
from lorawan.phy import Heard, Listen
from lorawan.secured import open_up, seal_down
from lorawan.testing import APP_KEY, NWK_KEY, Pair, silent
from lorawan.testing import abp_device as abp
from lorawan.testing import otaa_device as otaa
from lorawan.version import Version

__all__ = [
    "APP_KEY",
    "NWK_KEY",
    "abp",
    "channel_index",
    "clear_f_opts",
    "data_up",
    "downlink",
    "frame_of",
    "hear",
    "hear_commands",
    "joined",
    "otaa",
]


def joined(version: Version, **changes: object) -> Pair:
    pair = Pair(otaa(version, **changes))
    pair.join()
    return pair


def data_up(pair: Pair) -> list[DataUp]:
    frames = [parse(t.transmit.payload, uplink=True) for t in pair.sent if t.kind == "data"]
    return [frame for frame in frames if isinstance(frame, DataUp)]


def clear_f_opts(pair: Pair, frame: DataUp, f_cnt: int) -> bytes:
    session = pair.device.session
    assert session is not None
    return open_up(session.keys, is_1_1=session.is_1_1, frame=frame, f_cnt=f_cnt).f_opts


def channel_index(pair: Pair, transmission: int) -> int:
    session = pair.device.session
    assert session is not None
    freq_hz = pair.sent[transmission].transmit.freq_hz
    return next(i for i, ch in enumerate(session.plan.channels) if ch is not None and ch.freq_hz == freq_hz)


def frame_of(payload: bytes) -> DataUp:
    frame = parse(payload, uplink=True)
    assert isinstance(frame, DataUp)
    return frame


def downlink(pair: Pair, *commands: mac.MacCommand, f_cnt: int | None = None, f_port: int | None = None) -> bytes:
    """A genuine downlink of the pair's session."""
    session = pair.device.session
    assert session is not None
    last = session.n_f_cnt_down
    return seal_down(
        session.keys,
        is_1_1=session.is_1_1,
        confirmed=False,
        dev_addr=session.dev_addr,
        f_ctrl=FCtrlDown(adr=True, ack=False, f_pending=False),
        f_cnt=(0 if last is None else last + 1) if f_cnt is None else f_cnt,
        f_opts=mac.encode_commands(commands),
        f_port=f_port,
    )


def hear(pair: Pair, payload: bytes) -> list[DeviceEffect]:
    """One uplink, and `payload` in its RX1."""
    link, pair.up = pair.up, silent
    pair.feed(SendRequest(10, b"x"))
    assert pair.device.wake_at is not None
    pair.now = max(pair.now, pair.device.wake_at)
    effects = list(pair.device.wake(pair.now))
    pair.sent += [e for e in effects if isinstance(e, Transmission)]
    listen = next(e for e in effects if isinstance(e, Listen))
    pair.now = listen.closes_at
    pair.up = link
    heard = Heard(pair.now, payload, listen.freq_hz, listen.modulation, -90.0, 5.0, 0)
    return list(pair.device.handle(heard, pair.now))


def hear_commands(pair: Pair, *commands: mac.MacCommand) -> list[DeviceEffect]:
    """One uplink, and a genuine downlink with these MAC commands in its RX1."""
    return hear(pair, downlink(pair, *commands))
