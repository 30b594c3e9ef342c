"""Taking a multicast downlink in: a group's keys, its range of counters, and what such a frame may not carry."""

from __future__ import annotations

from lorawan.device.class_state import Subscription
from lorawan.device.downlink import Accepted
from lorawan.frames import DataDown
from lorawan.machine import Dropped
from lorawan.secured import mic_down_ok, open_down, recover_f_cnt

_CLAUSE = "LoRaWAN 1.1 §11.2.2, §17.2"


def accept(frame: DataDown, subscription: Subscription) -> Accepted | Dropped:
    """Check a multicast frame against its group and advance the group's counter.

    It is never confirmed, acknowledges nothing and carries no MAC command; its counter only rises and stays in the
    group's range. Source: as `lorawan.multicast`.
    """
    group, last = subscription.group, subscription.last_f_cnt
    if frame.confirmed or frame.f_ctrl.ack:
        return Dropped("multicast_confirmed", _CLAUSE, "a multicast frame is unconfirmed and acknowledges nothing")
    if frame.f_opts or not frame.f_port:
        return Dropped("multicast_commands", _CLAUSE, "FOpts, or no application FPort")
    lowest = group.f_cnt_min if last is None else max(last, group.f_cnt_min)
    f_cnt = recover_f_cnt(lowest, frame.f_cnt)
    if f_cnt == last:
        return Dropped("f_cnt_replay", "TS001-1.0.4 §4.3.1.5", f"{last} again")
    if not lowest <= f_cnt < group.f_cnt_max:
        return Dropped("f_cnt_range", "TS005-2.0.0 §4.3", f"{f_cnt} of {group.f_cnt_min} to {group.f_cnt_max}")
    if not mic_down_ok(group.keys, is_1_1=False, frame=frame, f_cnt=f_cnt):
        return Dropped("mic", "TS001-1.0.4 §4.4")
    subscription.last_f_cnt = f_cnt
    opened = open_down(group.keys, is_1_1=False, frame=frame, f_cnt=f_cnt)
    return Accepted(f_cnt, b"", opened.payload, frame.f_port, False, False, frame.f_ctrl.f_pending)
