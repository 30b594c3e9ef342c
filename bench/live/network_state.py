"""What a network must remember of its devices between runs: nonces, sessions with their keys, counters.

A file of JSON lines, one a change: a device's last line is what holds. What is appended is on the disk before the
downlink that depends on it; a line that a power cut left unfinished is passed over. Opening the file writes it anew,
aside and renamed, with one line a device.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from bench.errors import UsageError
from bench.network import PersistDevice
from bench.store.atomic import aside
from lorawan import mac_commands as mac
from lorawan.crypto import SessionKeys
from lorawan.errors import FrameError
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.operating_class import OperatingClass
from lorawan.regions import REGIONS, Channel, ChannelPlan
from lorawan.server import (
    ClassMemory,
    JoinMemory,
    KeptSession,
    LinkSettings,
    Picture,
    ServerMemory,
    SessionMemory,
    Windows,
)

_PLAIN = ("f_cnt_up", "n_f_cnt_down", "a_f_cnt_down", "rj_count0", "conf_f_cnt_down", "last_conf_f_cnt", "begun")

_PLAN = ("ch_mask", "uplink_dwell", "downlink_dwell", "max_eirp_dbm")


class NetworkState:
    """The file of one network. memories: what it held, by DevEUI. Use as a context manager.

    Raises UsageError for a file that is something else; StoreError or OSError where the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._memories = _read(path)
        self._file: IO[str] | None = None

    @property
    def memories(self) -> Mapping[Eui64, ServerMemory]:
        """By DevEUI, as they are now."""
        return self._memories

    def __enter__(self) -> Self:
        self._write_anew()
        self._file = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def keep(self, persist: PersistDevice) -> None:
        """On the disk when this returns."""
        self._memories[persist.dev_eui] = persist.memory
        if self._file is None:
            raise ValueError("the state file is not open")
        self._file.write(_line(persist.dev_eui, persist.memory))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _write_anew(self) -> None:
        with aside(self._path) as partial:
            partial.touch(0o600)  # session keys stand in it
            lines = [_line(dev_eui, memory) for dev_eui, memory in sorted(self._memories.items())]
            partial.write_text("".join(lines), encoding="utf-8")


def _read(path: Path) -> dict[Eui64, ServerMemory]:
    if not path.exists():
        return {}
    found: dict[Eui64, ServerMemory] = {}
    whole, _, _cut = path.read_bytes().rpartition(b"\n")
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            entry = json.loads(line)
            found[Eui64.from_hex(entry["dev_eui"])] = _server_memory(entry)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            hint = "it is no network's state; take another file"
            raise UsageError(f"{path}:{number}: {type(error).__name__}: {error}", hint=hint) from None
    return found


def _line(dev_eui: Eui64, memory: ServerMemory) -> str:
    join = memory.join
    entry = {
        "dev_eui": str(dev_eui),
        "join": {
            "dev_nonces": sorted(join.dev_nonces),
            "last_dev_nonce": join.last_dev_nonce,
            "join_nonce": join.join_nonce,
            "rj_count1": join.rj_count1,
            "join_eui": None if join.join_eui is None else str(join.join_eui),
        },
        "session": None if memory.session is None else _session_entry(memory.session),
        "offered": [_session_entry(offered) for offered in memory.offered],
    }
    return json.dumps(entry, separators=(",", ":")) + "\n"


def _session_entry(session: KeptSession) -> dict[str, Any]:
    keys, memory, picture = session.keys, session.memory, session.memory.picture
    return {
        "dev_addr": str(session.dev_addr),
        "is_1_1": session.is_1_1,
        "keys": [key.hex() for key in (keys.f_nwk_s_int_key, keys.s_nwk_s_int_key, keys.nwk_s_enc_key, keys.app_s_key)],
        "windows": asdict(picture.windows),
        "region": picture.plan.region.name,
        "channels": [None if channel is None else asdict(channel) for channel in picture.plan.channels],
        **{name: getattr(picture.plan, name) for name in _PLAN},
        "adr_ack_limit": picture.adr_ack_limit,
        "link": None if memory.link is None else asdict(memory.link),
        "waiting": [mac.encode_commands(request).hex() for request in memory.waiting],
        "sent": [mac.encode_commands(request).hex() for request in memory.sent],
        "classes": asdict(memory.classes),
        **{name: getattr(memory, name) for name in _PLAIN},
    }


def _server_memory(entry: dict[str, Any]) -> ServerMemory:
    join = entry["join"]
    return ServerMemory(
        JoinMemory(
            frozenset(map(int, join["dev_nonces"])),
            int(join["last_dev_nonce"]),
            int(join["join_nonce"]),
            int(join["rj_count1"]),
            None if join["join_eui"] is None else Eui64.from_hex(join["join_eui"]),
        ),
        None if entry["session"] is None else _session(entry["session"]),
        tuple(_session(offered) for offered in entry["offered"]),
    )


def _session(entry: dict[str, Any]) -> KeptSession:
    plain = {name: entry[name] for name in _PLAIN}
    for name, value in plain.items():
        if type(value) is not (bool if name == "begun" else int) and not (value is None and name in _MAY_BE_NONE):
            raise ValueError(f"{name} is {value!r}")
    picture = Picture(
        Windows(**entry["windows"]),
        ChannelPlan(
            REGIONS[entry["region"]],
            tuple(None if channel is None else Channel(**channel) for channel in entry["channels"]),
            **{name: entry[name] for name in _PLAN},
        ),
        int(entry["adr_ack_limit"]),
    )
    memory = SessionMemory(
        picture=picture,
        link=None if entry["link"] is None else LinkSettings(**entry["link"]),
        waiting=_requests(entry["waiting"]),
        sent=_requests(entry["sent"]),
        classes=_classes(entry["classes"]),
        **plain,
    )
    keys = SessionKeys(*map(AesKey.from_hex, entry["keys"]))
    return KeptSession(DevAddr.from_hex(entry["dev_addr"]), keys, bool(entry["is_1_1"]), memory)


def _classes(entry: dict[str, Any]) -> ClassMemory:
    return replace(ClassMemory(**entry), operating_class=OperatingClass(entry["operating_class"]))


_MAY_BE_NONE = ("f_cnt_up", "conf_f_cnt_down")


def _requests(entries: list[str]) -> tuple[tuple[mac.MacCommand, ...], ...]:
    parsed = [mac.parse_commands(bytes.fromhex(entry), uplink=False) for entry in entries]
    if any(block.rest or not block.commands for block in parsed):
        raise FrameError("not whole MAC commands", field="request")
    return tuple(block.commands for block in parsed)
