"""Taking a downlink in: address, counter, MIC, keys. Pure functions over a session."""

from __future__ import annotations

from dataclasses import dataclass

from lorawan.device.session import DeviceSession
from lorawan.frames import DataDown
from lorawan.machine import Dropped
from lorawan.secured import mic_down_ok, open_down, recover_f_cnt
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class Accepted:
    """A downlink that is genuine and new. commands: MAC commands in the clear; payload: for FPort ≥ 1."""

    f_cnt: int
    commands: bytes
    payload: bytes
    f_port: int | None
    confirmed: bool
    ack: bool
    f_pending: bool


def accept(frame: DataDown, session: DeviceSession, version: Version) -> Accepted | Dropped:
    """Check a data downlink against the session and advance its counter.

    Source: LoRaWAN 1.0.4 §4.3.1.5 (counters), §4.4 (MIC); 1.1 §4.3.1.5 (NFCntDown and AFCntDown).
    """
    if frame.dev_addr != session.dev_addr:
        return Dropped("dev_addr", "LoRaWAN 1.0.4 §4.3.1.1", f"addressed to {frame.dev_addr}")
    application = session.is_1_1 and frame.f_port is not None and frame.f_port > 0
    last = session.a_f_cnt_down if application else session.n_f_cnt_down
    f_cnt = recover_f_cnt(last, frame.f_cnt)
    gap = version.rules.max_f_cnt_gap
    if gap is not None and last is not None and f_cnt - last >= gap:
        return Dropped("f_cnt_gap", "LoRaWAN 1.0.2 §4.3.1.5", f"{f_cnt} after {last}")
    repeated = last is not None and f_cnt == last
    if repeated and (version.rules.equal_f_cnt_down_refused or not frame.confirmed):
        return Dropped("f_cnt_replay", "LoRaWAN 1.0.4 §4.3.1.5", f"{last} again")
    if last is not None and f_cnt < last:
        return Dropped("f_cnt_exhausted", "LoRaWAN 1.0.4 §4.3.1.5", f"{f_cnt} after {last}")
    conf_f_cnt = session.last_conf_f_cnt_up if frame.f_ctrl.ack else 0
    if not mic_down_ok(session.keys, is_1_1=session.is_1_1, frame=frame, f_cnt=f_cnt, conf_f_cnt=conf_f_cnt):
        return Dropped("mic", "LoRaWAN 1.0.4 §4.4")
    if application:
        session.a_f_cnt_down = f_cnt
    else:
        session.n_f_cnt_down = f_cnt
    opened = open_down(session.keys, is_1_1=session.is_1_1, frame=frame, f_cnt=f_cnt)
    on_port_0 = frame.f_port == 0
    return Accepted(
        f_cnt=f_cnt,
        commands=opened.payload if on_port_0 else opened.f_opts,
        payload=b"" if on_port_0 or repeated else opened.payload,
        f_port=None if repeated else frame.f_port,
        confirmed=frame.confirmed,
        ack=frame.f_ctrl.ack,
        f_pending=frame.f_ctrl.f_pending,
    )
