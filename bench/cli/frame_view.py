"""What is in a frame, as plain data: the reading side of `lorabench frame`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from lorawan.crypto import SessionKeys, derive_join_keys, derive_keys_10, derive_keys_11, mic_rejoin_request
from lorawan.errors import FrameError
from lorawan.frames import (
    DataDown,
    DataUp,
    EncryptedJoinAccept,
    Frame,
    FType,
    JoinRequest,
    Proprietary,
    RejoinRequest02,
    RejoinRequest1,
    parse,
    parse_cf_list,
)
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.mac_commands import MacCommand, parse_commands
from lorawan.secured import (
    join_accept_mic_ok_10,
    join_accept_mic_ok_11,
    join_request_mic_ok,
    mic_down_ok,
    mic_up_ok,
    open_down,
    open_join_accept,
    open_up,
)
from lorawan.version import Version

View: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What the reader knows beside the bytes. Keys that are None are not there.

    f_cnt: the 32-bit counter, None for "the 16 bits on the wire are all". conf_f_cnt, tx_dr, tx_ch: as the 1.1 MIC
    wants them. dev_eui, join_eui, dev_nonce: of the join a JoinAccept answers.
    """

    version: Version = Version.V1_0_4
    f_nwk_s_int_key: AesKey | None = None
    s_nwk_s_int_key: AesKey | None = None
    nwk_s_enc_key: AesKey | None = None
    app_s_key: AesKey | None = None
    app_key: AesKey | None = None
    nwk_key: AesKey | None = None
    f_cnt: int | None = None
    conf_f_cnt: int = 0
    tx_dr: int = 0
    tx_ch: int = 0
    dev_eui: Eui64 | None = None
    join_eui: Eui64 | None = None
    dev_nonce: int | None = None
    show_keys: bool = False

    @property
    def root_key(self) -> AesKey | None:
        """The key of joins: AppKey, in 1.1 NwkKey."""
        return self.nwk_key if self.version.is_1_1 else self.app_key


def describe(payload: bytes, known: Known) -> View:
    """The frame's fields by name, and "mic": "ok", "wrong", or why it was not checked. Raises FrameError."""
    frame = parse(payload)
    view: View = {"type": _type_of(frame), "size_bytes": len(payload)}
    if isinstance(frame, DataUp | DataDown):
        return view | _data(frame, known)
    if isinstance(frame, JoinRequest):
        return view | _join_request(frame, known)
    if isinstance(frame, EncryptedJoinAccept):
        return view | _join_accept(payload, known)
    if isinstance(frame, RejoinRequest02 | RejoinRequest1):
        return view | _rejoin(frame, known)
    return view | {"payload": frame.payload.hex(), "mic": "a proprietary frame has none"}


def _type_of(frame: Frame) -> str:
    if isinstance(frame, DataUp | DataDown):
        return frame.f_type.name
    if isinstance(frame, Proprietary):
        return FType.PROPRIETARY.name
    if isinstance(frame, JoinRequest):
        return FType.JOIN_REQUEST.name
    return (FType.JOIN_ACCEPT if isinstance(frame, EncryptedJoinAccept) else FType.REJOIN_REQUEST).name


def _data(frame: DataUp | DataDown, known: Known) -> View:
    uplink = isinstance(frame, DataUp)
    f_cnt = frame.f_cnt if known.f_cnt is None else known.f_cnt
    if f_cnt & 0xFFFF != frame.f_cnt:
        raise FrameError(
            f"{f_cnt} has other low bits than the frame's {frame.f_cnt}",
            field="FCnt",
            clause="TS001-1.0.4 §4.3.1.5",
            hint=f"such as {frame.f_cnt} or {frame.f_cnt + 0x10000}",
        )
    view: View = {
        "direction": "up" if uplink else "down",
        "confirmed": frame.confirmed,
        "dev_addr": str(frame.dev_addr),
        "f_ctrl": {f.name: getattr(frame.f_ctrl, f.name) for f in fields(frame.f_ctrl)},
        "f_cnt": f_cnt,
        "f_opts": frame.f_opts.hex(),
        "f_port": frame.f_port,
        "frm_payload": frame.frm_payload.hex(),
        "mic_bytes": frame.mic.hex(),
        "mic": _data_mic(frame, f_cnt, known),
    }
    # 1.1 encrypts FOpts with a key of the network; before, they are in clear.
    if frame.f_opts and not known.version.is_1_1:
        view["f_opts_commands"] = _commands(frame.f_opts, known, uplink=uplink)
    opened = _opened(frame, f_cnt, known)
    if frame.f_opts and known.version.is_1_1 and known.nwk_s_enc_key is not None and opened is not None:
        view["f_opts_clear"] = opened[0].hex()
        view["f_opts_commands"] = _commands(opened[0], known, uplink=uplink)
    key = known.app_s_key if frame.f_port else known.nwk_s_enc_key
    if frame.frm_payload and key is not None and opened is not None:
        view["payload"] = opened[1].hex()
        if frame.f_port == 0:
            view["payload_commands"] = _commands(opened[1], known, uplink=uplink)
    return view


def _session(known: Known) -> SessionKeys:
    """The session keys with zeros where one is not known: whoever reads a result checks that its key was there."""
    none = AesKey(bytes(16))
    return SessionKeys(
        known.f_nwk_s_int_key or none,
        known.s_nwk_s_int_key or none,
        known.nwk_s_enc_key or none,
        known.app_s_key or none,
    )


def _opened(frame: DataUp | DataDown, f_cnt: int, known: Known) -> tuple[bytes, bytes] | None:
    if known.nwk_s_enc_key is None and known.app_s_key is None:
        return None
    keys, is_1_1 = _session(known), known.version.is_1_1
    if isinstance(frame, DataUp):
        opened = open_up(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt)
    else:
        opened = open_down(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt)
    return opened.f_opts, opened.payload


def _data_mic(frame: DataUp | DataDown, f_cnt: int, known: Known) -> str:
    is_1_1, keys = known.version.is_1_1, _session(known)
    if known.s_nwk_s_int_key is None or (isinstance(frame, DataUp) and known.f_nwk_s_int_key is None):
        return "not checked: " + ("FNwkSIntKey and SNwkSIntKey are" if is_1_1 else "the NwkSKey is") + " not given"
    if isinstance(frame, DataUp):
        right = mic_up_ok(
            keys,
            is_1_1=is_1_1,
            frame=frame,
            f_cnt=f_cnt,
            conf_f_cnt=known.conf_f_cnt,
            tx_dr=known.tx_dr,
            tx_ch=known.tx_ch,
        )
    else:
        right = mic_down_ok(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt, conf_f_cnt=known.conf_f_cnt)
    return _word(right)


def _join_request(frame: JoinRequest, known: Known) -> View:
    key = known.root_key
    return {
        "direction": "up",
        "join_eui": str(frame.join_eui),
        "dev_eui": str(frame.dev_eui),
        "dev_nonce": frame.dev_nonce,
        "mic_bytes": frame.mic.hex(),
        "mic": _no_root_key(known) if key is None else _word(join_request_mic_ok(key, frame)),
    }


def _join_accept(payload: bytes, known: Known) -> View:
    key = known.root_key
    if key is None:
        return {"direction": "down", "encrypted": payload[1:].hex(), "mic": _no_root_key(known)}
    accept, mic, message = open_join_accept(key, payload)
    view: View = {
        "direction": "down",
        "join_nonce": accept.join_nonce,
        "net_id": str(accept.net_id),
        "dev_addr": str(accept.dev_addr),
        "opt_neg": accept.opt_neg,
        "rx1_dr_offset": accept.rx1_dr_offset,
        "rx2_dr": accept.rx2_dr,
        "rx_delay_s": accept.rx_delay_s or 1,
        "cf_list": accept.cf_list.hex(),
    }
    if accept.cf_list and accept.cf_list[-1] == 0:  # type 0: frequencies; with a wrong key it is noise
        view["cf_list_freq_hz"] = list(parse_cf_list(accept.cf_list))
    view["mic_bytes"] = mic.hex()
    if not (known.version.is_1_1 and accept.opt_neg):
        view["mic"] = _word(join_accept_mic_ok_10(key, message, mic))
        if known.dev_nonce is not None:
            keys = derive_keys_10(key, accept.join_nonce, accept.net_id, known.dev_nonce)
            view["session_keys"] = _shown(keys, known)
        return view
    if known.dev_eui is None or known.join_eui is None or known.dev_nonce is None:
        view["mic"] = "not checked: DevEUI, JoinEUI and DevNonce of the join are not given"
        return view
    right = join_accept_mic_ok_11(
        derive_join_keys(key, known.dev_eui).js_int_key,
        message,
        mic,
        join_eui=known.join_eui,
        dev_nonce=known.dev_nonce,
    )
    view["mic"] = _word(right)
    if known.app_key is not None:
        keys = derive_keys_11(key, known.app_key, accept.join_nonce, known.join_eui, known.dev_nonce)
        view["session_keys"] = _shown(keys, known)
    return view


def _rejoin(frame: RejoinRequest02 | RejoinRequest1, known: Known) -> View:
    if isinstance(frame, RejoinRequest02):
        key = known.s_nwk_s_int_key
        view: View = {"rejoin_type": frame.rejoin_type, "net_id": str(frame.net_id)}
        missing = "the SNwkSIntKey is"
    else:
        key = None if known.nwk_key is None else derive_join_keys(known.nwk_key, frame.dev_eui).js_int_key
        view = {"rejoin_type": 1, "join_eui": str(frame.join_eui)}
        missing = "the NwkKey is"
    right = "not checked: " + missing + " not given"
    if key is not None:
        right = _word(frame.mic == mic_rejoin_request(key, frame.message()))
    return (
        {"direction": "up"}
        | view
        | {"dev_eui": str(frame.dev_eui), "rj_count": frame.rj_count, "mic_bytes": frame.mic.hex(), "mic": right}
    )


def _commands(block: bytes, known: Known, *, uplink: bool) -> list[View]:
    parsed = parse_commands(block, uplink=uplink)
    views = [_command(command, known) for command in parsed.commands]
    if parsed.rest:
        views.append({"unknown": parsed.rest.hex()})
    return views


def _command(command: MacCommand, known: Known) -> View:
    return {"command": type(command).__name__} | {
        f.name: _plain(getattr(command, f.name), known) for f in fields(command)
    }


def _plain(value: object, known: Known) -> object:
    if isinstance(value, AesKey) and not known.show_keys:
        return "hidden"
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, DevAddr) else value


def _shown(keys: SessionKeys, known: Known) -> View:
    return {f.name: getattr(keys, f.name).hex() if known.show_keys else "hidden" for f in fields(keys)}


def _no_root_key(known: Known) -> str:
    return f"not checked: the {'NwkKey' if known.version.is_1_1 else 'AppKey'} is not given"


def _word(right: bool) -> str:
    return "ok" if right else "wrong"
