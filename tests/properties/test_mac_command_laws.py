"""Laws of the MAC command codec."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lorawan.mac_commands import MacCommand, encode_commands, parse_commands
from lorawan.strategies import mac_commands


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
def test_a_command_has_its_cid_first_and_its_declared_length(command: MacCommand) -> None:
    wire = command.encode()
    assert (wire[0], len(wire)) == (command.cid, 1 + command.length)
