"""Laws of the MAC command codec."""

from __future__ import annotations

from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorawan.mac_commands import COMMANDS, MacCommand, ParsedCommands, encode_commands, parse_commands
from lorawan.strategies import commands_of, mac_commands
from lorawan.version import Version


@given(data=st.binary(max_size=60), uplink=st.booleans())
def test_any_bytes_are_read_as_far_as_they_are_understood(data: bytes, uplink: bool) -> None:
    parsed = parse_commands(data, uplink=uplink)
    again = encode_commands(parsed.commands)
    assert len(again) + len(parsed.rest) == len(data)
    assert data.endswith(parsed.rest)
    assert parse_commands(again, uplink=uplink).commands == parsed.commands


@given(uplink=st.booleans(), data=st.data())
def test_commands_come_back_as_they_were_sent(uplink: bool, data: st.DataObject) -> None:
    commands: list[MacCommand] = data.draw(st.lists(mac_commands(uplink=uplink), max_size=6))
    parsed = parse_commands(encode_commands(commands), uplink=uplink)
    assert parsed.commands == tuple(commands)
    assert parsed.rest == b""


@given(command=mac_commands())
def test_a_command_has_its_cid_first_and_the_length_it_says(command: MacCommand) -> None:
    wire = command.encode()
    assert (wire[0], len(wire)) == (command.cid, 1 + command.length_of(wire[1:]))
    assert type(command).of_payload(wire[1:]) == command


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_command_comes_back_and_cut_at_any_byte_does_not(kind: type[MacCommand], data: st.DataObject) -> None:
    command = data.draw(commands_of(kind))
    wire = command.encode()
    assert parse_commands(wire, uplink=kind.uplink).commands == (command,)
    cut = data.draw(st.integers(0, len(wire) - 1))
    assert parse_commands(wire[:cut], uplink=kind.uplink) == ParsedCommands((), wire[:cut])


@given(uplink=st.booleans(), version=st.sampled_from(Version), data=st.data())
def test_a_version_ends_the_reading_at_the_first_command_it_lacks(
    uplink: bool, version: Version, data: st.DataObject
) -> None:
    commands: list[MacCommand] = data.draw(st.lists(mac_commands(uplink=uplink), max_size=6))
    known = tuple(takewhile(lambda command: version in command.versions, commands))
    parsed = parse_commands(encode_commands(commands), uplink=uplink, version=version)
    assert parsed == ParsedCommands(known, encode_commands(commands[len(known) :]))


@given(uplink=st.booleans(), data=st.data(), cid=st.integers(0x80, 0xFF))
def test_a_proprietary_command_in_the_middle_ends_the_block(uplink: bool, data: st.DataObject, cid: int) -> None:
    before: list[MacCommand] = data.draw(st.lists(mac_commands(uplink=uplink), max_size=3))
    after = data.draw(st.binary(max_size=10))
    parsed = parse_commands(encode_commands(before) + bytes((cid,)) + after, uplink=uplink)
    assert parsed == ParsedCommands(tuple(before), bytes((cid,)) + after)


@given(version=st.sampled_from(Version), data=st.data())
def test_commands_of_a_version_are_known_to_it(version: Version, data: st.DataObject) -> None:
    command = data.draw(mac_commands(version=version))
    assert parse_commands(command.encode(), uplink=command.uplink, version=version).commands == (command,)
