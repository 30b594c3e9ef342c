"""Data frames: FHDR with its bits, FOpts and FPort 0 as MAC commands, the payload in clear, the MIC and its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from bench.explain.clauses import clause
from bench.explain.commands import HIDDEN, carries_key, command_facts, explain_commands
from bench.explain.data_mic import data_mic
from bench.explain.field import Explanation, Field, of_bits, of_bytes
from bench.explain.known import Known
from bench.explain.packages import package_payload
from lorawan.errors import FrameError
from lorawan.frames import DataDown, DataUp
from lorawan.packages import PACKAGES
from lorawan.secured import open_down, open_up
from lorawan.version import Version

_F_CTRL_OFFSET: Final = 5
_F_OPTS_OFFSET: Final = 8
_MIC_BYTES: Final = 4

# The ports that packages use unless they are told another one
_PACKAGE_PORTS: Final[Mapping[int, tuple[str, str]]] = {
    **{package.f_port: (package.name, package.clause) for package in PACKAGES},  # the newest version comes last
    226: ("relay protocol", "TS011-1.0.0"),
}


def explain_data(frame: DataUp | DataDown, payload: bytes, known: Known) -> Explanation:
    """FHDR to MIC. Raises FrameError where known.f_cnt cannot be the frame's counter."""
    uplink = isinstance(frame, DataUp)
    version = known.version
    f_cnt = _counter(frame, known)
    mic = data_mic(frame, f_cnt, known)
    f_opts, clear = _opened(frame, f_cnt, known)
    facts: dict[str, Any] = {
        "direction": "up" if uplink else "down",
        "confirmed": frame.confirmed,
        "dev_addr": str(frame.dev_addr),
        "f_ctrl": {f.name: getattr(frame.f_ctrl, f.name) for f in fields(frame.f_ctrl)},
        "f_cnt": f_cnt,
        "counter": _counter_name(frame, known),
        "f_opts": frame.f_opts.hex(),
        "f_port": frame.f_port,
        "frm_payload": frame.frm_payload.hex(),
        "mic_bytes": frame.mic.hex(),
        "mic": mic.verdict,
        "mic_check": mic.how,
    }
    if frame.f_opts and f_opts is not None:
        if known.session_is_1_1:
            facts["f_opts_clear"] = f_opts.hex()
        facts["f_opts_commands"] = command_facts(f_opts, version, uplink=uplink, show_keys=known.show_keys)
    if frame.frm_payload and clear is not None:
        facts["payload"] = clear.hex()
        if frame.f_port == 0:
            if carries_key(clear, version, uplink=uplink) and not known.show_keys:
                facts["payload"] = HIDDEN
            facts["payload_commands"] = command_facts(clear, version, uplink=uplink, show_keys=known.show_keys)
        elif (package := package_payload(frame.f_port or 0, clear, uplink=uplink)) is not None:
            facts["package"] = package.title
            facts["payload_commands"] = package.facts(show_keys=known.show_keys)
    f_port_offset = _F_OPTS_OFFSET + len(frame.f_opts)
    body: list[Field] = [_fhdr(frame, payload, f_cnt, f_opts, known)]
    if frame.f_port is not None:
        body.append(_f_port(frame, f_port_offset, known))
        body.append(_frm_payload(frame, f_port_offset + 1, clear, known))
    mic_clause = clause("MIC up" if uplink else "MIC down", version)
    body.append(of_bytes("MIC", mic_clause, frame.mic, len(payload) - _MIC_BYTES, mic.verdict, mic.how))
    return Explanation(facts, tuple(body))


def _counter(frame: DataUp | DataDown, known: Known) -> int:
    f_cnt = frame.f_cnt if known.f_cnt is None else known.f_cnt
    if f_cnt & 0xFFFF != frame.f_cnt:
        raise FrameError(
            f"{f_cnt} has other low bits than the frame's {frame.f_cnt}",
            field="FCnt",
            clause=clause("FCnt", known.version),
            hint=f"such as {frame.f_cnt} or {frame.f_cnt + 0x10000}",
        )
    return f_cnt


def _fhdr(frame: DataUp | DataDown, payload: bytes, f_cnt: int, f_opts: bytes | None, known: Known) -> Field:
    version = known.version
    address = frame.dev_addr
    inner: list[Field] = [
        of_bytes("DevAddr", clause("FHDR", version), payload[1:5], 1, str(address), _address(address, known)),
        _f_ctrl(frame, payload[_F_CTRL_OFFSET], known),
        of_bytes("FCnt", clause("FCnt", version), payload[6:8], 6, frame.f_cnt, "the low 16 bits"),
        Field(_counter_name(frame, known), clause("FCnt", version), f_cnt, _counter_meaning(known)),
    ]
    if frame.f_opts:
        inner.append(_f_opts(frame, f_opts, known))
    length = _F_OPTS_OFFSET - 1 + len(frame.f_opts)
    return of_bytes("FHDR", clause("FHDR", version), payload[1 : 1 + length], 1, inner=tuple(inner))


def _address(address: int, known: Known) -> str:
    if known.multicast:
        return "address of a multicast group"
    ones = 32 - ((address ^ 0xFFFFFFFF).bit_length())  # as many as the network's type says: TS002-1.1 §13
    return f"of a network of type {ones}" if ones < 8 else "of no network: no type has this prefix"


def _f_ctrl(frame: DataUp | DataDown, byte: int, known: Known) -> Field:
    version = known.version
    ctrl = frame.f_ctrl
    adr = of_bits("ADR", clause("ADR", version), byte, _F_CTRL_OFFSET, (7, 7), ctrl.adr, _adr(frame))
    ack_meaning = "acknowledges a confirmed frame" if ctrl.ack else "acknowledges nothing"
    if ctrl.ack and known.multicast:
        ack_meaning = "not allowed to a multicast frame"
    ack = of_bits("ACK", clause("ACK", version), byte, _F_CTRL_OFFSET, (5, 5), ctrl.ack, ack_meaning)
    if isinstance(frame, DataUp):
        asks = (
            "an answer within ADR_ACK_DELAY is asked for" if frame.f_ctrl.adr_ack_req else "no sign of life asked for"
        )
        listens = "class B: ping slots are open" if frame.f_ctrl.class_b else "not in class B"
        request = frame.f_ctrl.adr_ack_req
        bit_6 = of_bits("ADRACKReq", clause("ADR", version), byte, _F_CTRL_OFFSET, (6, 6), request, asks)
        class_b = frame.f_ctrl.class_b
        bit_4 = of_bits("ClassB", clause("ClassB", version), byte, _F_CTRL_OFFSET, (4, 4), class_b, listens)
    else:
        more = "more is waiting: send soon" if frame.f_ctrl.f_pending else "nothing more is waiting"
        bit_6 = of_bits("RFU", clause("FHDR", version), byte, _F_CTRL_OFFSET, (6, 6))
        pending = frame.f_ctrl.f_pending
        bit_4 = of_bits("FPending", clause("FPending", version), byte, _F_CTRL_OFFSET, (4, 4), pending, more)
    length = of_bits(
        "FOptsLen", clause("FOpts", version), byte, _F_CTRL_OFFSET, (3, 0), meaning=f"{byte & 0x0F} bytes of FOpts"
    )
    inner = (adr, bit_6, ack, bit_4, length)
    return of_bytes("FCtrl", clause("FHDR", version), bytes((byte,)), _F_CTRL_OFFSET, inner=inner)


def _adr(frame: DataUp | DataDown) -> str:
    if isinstance(frame, DataDown):
        return "the network controls the data rate" if frame.f_ctrl.adr else "the network leaves the data rate alone"
    return "the network may set data rate and power" if frame.f_ctrl.adr else "the device sets its own data rate"


def _counter_name(frame: DataUp | DataDown, known: Known) -> str:
    if isinstance(frame, DataUp):
        return "FCntUp"
    if not known.session_is_1_1:
        return "FCntDown"
    return "AFCntDown" if frame.f_port else "NFCntDown"


def _counter_meaning(known: Known) -> str:
    return "all 32 bits, the high 16 taken as 0" if known.f_cnt is None else "all 32 bits"


def _f_opts(frame: DataUp | DataDown, clear: bytes | None, known: Known) -> Field:
    version, uplink = known.version, isinstance(frame, DataUp)
    where = clause("FOpts", version)
    if clear is None:
        return of_bytes("FOpts", where, frame.f_opts, _F_OPTS_OFFSET, meaning="enciphered; the NwkSEncKey is not given")
    meaning = "MAC commands, enciphered with the NwkSEncKey" if known.session_is_1_1 else "MAC commands in clear"
    if known.multicast:
        meaning = "not allowed to a multicast frame"
    inner = explain_commands(clear, _F_OPTS_OFFSET, version, uplink=uplink, show_keys=known.show_keys)
    return of_bytes("FOpts", where, frame.f_opts, _F_OPTS_OFFSET, meaning=meaning, inner=inner)


def _f_port(frame: DataUp | DataDown, offset: int, known: Known) -> Field:
    port = frame.f_port or 0
    meaning, where = _port_meaning(port, known.version)
    if port == 0 and known.multicast:
        meaning = "not allowed to a multicast frame"
    return of_bytes("FPort", where, bytes((port,)), offset, port, meaning)


def _port_meaning(port: int, version: Version) -> tuple[str, str]:
    where = clause("FPort", version)
    if port in _PACKAGE_PORTS:
        what, document = _PACKAGE_PORTS[port]
        return (what if port == 224 else f"{what}, by default"), document
    if port == 0:
        return "MAC commands", where
    return ("the application's" if port < 224 else "RFU"), where


def _frm_payload(frame: DataUp | DataDown, offset: int, clear: bytes | None, known: Known) -> Field:
    version = known.version
    where = clause("FRMPayload", version)
    name = "FRMPayload"
    if not frame.frm_payload:
        return Field(name, where, meaning="empty", offset=offset)
    key = _payload_key_name(frame, known)
    if clear is None:
        return of_bytes(name, where, frame.frm_payload, offset, meaning=f"enciphered; the {key} is not given")
    meaning = f"enciphered with the {key}"
    if frame.f_port == 0:
        uplink = isinstance(frame, DataUp)
        inner = explain_commands(clear, offset, version, uplink=uplink, show_keys=known.show_keys)
        return of_bytes(name, where, frame.frm_payload, offset, meaning=meaning, inner=inner)
    package = package_payload(frame.f_port or 0, clear, uplink=isinstance(frame, DataUp))
    if package is not None:
        meaning += f"; read as {package.title}"
        inner = package.explained(clear, offset, show_keys=known.show_keys)
        return of_bytes(name, where, frame.frm_payload, offset, meaning=meaning, inner=inner)
    inner = (of_bytes("in clear", where, clear, offset, clear.hex(), _text(clear)),)
    return of_bytes(name, where, frame.frm_payload, offset, meaning=meaning, inner=inner)


def _payload_key_name(frame: DataUp | DataDown, known: Known) -> str:
    if frame.f_port:
        return "McAppSKey" if known.multicast else "AppSKey"
    return "NwkSEncKey" if known.session_is_1_1 else "NwkSKey"


def _text(clear: bytes) -> str:
    """The bytes as text where they are some."""
    shown = clear.decode("ascii", errors="replace")
    return f'as text "{shown}"' if shown.isprintable() and shown.isascii() else ""


def _opened(frame: DataUp | DataDown, f_cnt: int, known: Known) -> tuple[bytes | None, bytes | None]:
    """FOpts and FRMPayload in clear; None for what no key was given for."""
    keys, is_1_1 = known.session(), known.session_is_1_1
    if isinstance(frame, DataUp):
        opened = open_up(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt)
    else:
        opened = open_down(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt)
    f_opts_known = not is_1_1 or known.nwk_s_enc_key is not None
    payload_key = known.app_s_key if frame.f_port else known.nwk_s_enc_key
    return (opened.f_opts if f_opts_known else None), (opened.payload if payload_key is not None else None)
