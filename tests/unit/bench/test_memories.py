"""The file that simulated devices remember in: what is written comes back, and nothing else is taken for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from mac_pairs import abp, joined

from bench.errors import UsageError
from bench.live.memories import read_memories, write_memories
from lorawan.device import DeviceMemory
from lorawan.device.memory import GroupMemory
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.multicast import MulticastGroup
from lorawan.operating_class import OperatingClass
from lorawan.testing import Pair
from lorawan.version import Version

EUI = Eui64(0x0200000000000001)


@pytest.mark.parametrize("version", Version, ids=str)
def test_a_device_with_a_session_comes_back_as_it_was(version: Version, tmp_path: Path) -> None:
    personalised, over_the_air = Pair(abp(version)), joined(version, session_persists=True)
    for pair in (personalised, over_the_air):
        pair.send(b"x")
        assert pair.device.memory.session is not None
        path = tmp_path / "memory.json"
        write_memories(path, {EUI: pair.device.memory})
        assert read_memories(path) == {EUI: pair.device.memory}
        assert path.stat().st_mode & 0o077 == 0  # it holds keys


GROUP = MulticastGroup(DevAddr(0x26FFFFF0), AesKey(b"N" * 16), AesKey(b"A" * 16), OperatingClass.B, 5, 9)


def test_multicast_groups_come_back_with_their_counters(tmp_path: Path) -> None:
    memory = DeviceMemory(groups=(GroupMemory(GROUP, None), GroupMemory(replace(GROUP, data_rate=3), 7)))
    write_memories(tmp_path / "memory.json", {EUI: memory})
    assert read_memories(tmp_path / "memory.json") == {EUI: memory}


@pytest.mark.parametrize(("name", "value"), [("operating_class", "X"), ("operating_class", 2), ("f_cnt_min", 10)])
def test_a_group_that_cannot_be_is_refused_by_name(name: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    write_memories(path, {EUI: DeviceMemory(groups=(GroupMemory(GROUP, None),))})
    data = json.loads(path.read_text())
    data[str(EUI)]["groups"][0]["group"][name] = value
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError, match=r"memory\.json"):
        read_memories(path)


def test_a_device_without_one_comes_back_too_and_a_new_file_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    assert read_memories(path) == {}
    memory = DeviceMemory(next_dev_nonce=7, last_join_nonce=3, next_rj_count1=2)
    write_memories(path, {EUI: memory})
    assert read_memories(path) == {EUI: memory}


@pytest.mark.parametrize(
    "entry",
    [
        [],
        {"next_dev_nonce": "7"},
        {"next_dev_nonce": True},
        {"next_dev_nonce": None},
        {"f_cnt_up_reserved": 64},
        {"session": {"dev_addr": 1}},
        {"session": 5},
    ],
)
def test_something_else_is_refused_by_name(entry: object, tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    path.write_text(json.dumps({str(EUI): entry}))
    with pytest.raises(UsageError, match=r"memory\.json"):
        read_memories(path)
