"""The MIC of a data frame: whether it holds, and what was computed with which key."""

from __future__ import annotations

from typing import NamedTuple

from bench.explain.field import OK, WRONG
from bench.explain.known import Known
from lorawan.crypto import mic_up_11
from lorawan.frames import DataDown, DataUp
from lorawan.secured import mic_down_ok, mic_up_ok


class Mic(NamedTuple):
    """A verdict ("ok", "wrong" or "not checked: …") and how it came about."""

    verdict: str
    how: str


def data_mic(frame: DataUp | DataDown, f_cnt: int, known: Known) -> Mic:
    """The MIC of a data frame with this 32-bit counter."""
    if isinstance(frame, DataUp):
        return _up(frame, f_cnt, known)
    return _down(frame, f_cnt, known)


def _up(frame: DataUp, f_cnt: int, known: Known) -> Mic:
    if known.session_is_1_1:
        return _up_11(frame, f_cnt, known)
    if known.f_nwk_s_int_key is None:
        return Mic("not checked: the NwkSKey is not given", "")
    right = mic_up_ok(known.session(), is_1_1=False, frame=frame, f_cnt=f_cnt)
    return Mic(OK if right else WRONG, f"CMAC by NwkSKey over B0 (Dir 0, FCntUp {f_cnt}) and the message")


def _up_11(frame: DataUp, f_cnt: int, known: Known) -> Mic:
    forwarding, serving = known.f_nwk_s_int_key, known.s_nwk_s_int_key
    conf_f_cnt = known.conf_f_cnt if frame.f_ctrl.ack else 0
    if conf_f_cnt is None:
        serving, conf_f_cnt = None, 0
        unknown = "the ConfFCnt of what it acknowledges is not known"
    else:
        unknown = "the SNwkSIntKey is not given"
    b0 = f"B0 (Dir 0, FCntUp {f_cnt})"
    origin = f" ({known.tx_origin})" if known.tx_origin else ""
    b1 = f"B1 (ConfFCnt {conf_f_cnt & 0xFFFF}, TxDr {known.tx_dr}, TxCh {known.tx_ch}{origin}, FCntUp {f_cnt})"
    if forwarding is None and serving is None:
        return Mic("not checked: FNwkSIntKey and SNwkSIntKey are not given", "")
    keys = known.session()
    wanted = mic_up_11(
        keys.f_nwk_s_int_key,
        keys.s_nwk_s_int_key,
        frame.dev_addr,
        f_cnt,
        frame.message(),
        conf_f_cnt=conf_f_cnt,
        tx_dr=known.tx_dr,
        tx_ch=known.tx_ch,
    )
    halves = []
    if serving is not None:
        halves.append((wanted[:2] == frame.mic[:2], f"bytes 0–1: CMAC by SNwkSIntKey over {b1} and the message"))
    if forwarding is not None:
        halves.append((wanted[2:] == frame.mic[2:], f"bytes 2–3: CMAC by FNwkSIntKey over {b0} and the message"))
    how = "; ".join(f"{text}: {OK if right else WRONG}" for right, text in halves)
    if not all(right for right, _ in halves):
        return Mic(WRONG, how)
    if len(halves) < 2:
        missing = "the FNwkSIntKey is not given" if forwarding is None else unknown
        return Mic(f"not checked: one half holds, {missing}", how)
    return Mic(OK, how)


def _down(frame: DataDown, f_cnt: int, known: Known) -> Mic:
    is_1_1 = known.session_is_1_1
    key = "SNwkSIntKey" if is_1_1 else "McNwkSKey" if known.multicast else "NwkSKey"
    if known.s_nwk_s_int_key is None:
        return Mic(f"not checked: the {key} is not given", "")
    conf_f_cnt = known.conf_f_cnt if frame.f_ctrl.ack and is_1_1 else 0
    if conf_f_cnt is None:
        return Mic("not checked: the ConfFCnt of what it acknowledges is not known", "")
    right = mic_down_ok(known.session(), is_1_1=is_1_1, frame=frame, f_cnt=f_cnt, conf_f_cnt=conf_f_cnt)
    confirms = f"ConfFCnt {conf_f_cnt & 0xFFFF}, " if is_1_1 else ""
    how = f"CMAC by {key} over B0 ({confirms}Dir 1, FCnt {f_cnt}) and the message"
    return Mic(OK if right else WRONG, how)
