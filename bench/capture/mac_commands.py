"""MAC commands as scapy layers, one class for each of `lorawan.mac_commands`: LinkADRReq, NewChannelAns and so on.

Field names and values are those of the dataclasses (freq_hz in Hz, flags as 0 and 1). RFU bits are kept in `rfu`, so a
layer builds the bytes it came from. Keys in relay commands are bytes here as everywhere in scapy, and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from scapy.fields import Field, XByteField
from scapy.packet import NoPayload, Packet

from lorawan.ids import AesKey
from lorawan.mac_commands import COMMANDS, MacCommand, parse_commands
from lorawan.mac_commands.base import Place, places


class CommandLayer(Packet):
    """A command: its CID, its fields and its RFU bits in place. More commands may follow as its payload."""

    command_type: ClassVar[type[MacCommand]]

    def do_dissect(self, s: bytes) -> bytes:
        """Read the fields out of the payload word; what is after the command is left."""
        size = 1 + self.command_type.length_of(s[1:])
        if len(s) < size:  # cut short: nothing of it can be read
            return s
        self.raw_packet_cache = s[:size]
        word_end = 1 + self.command_type.length
        word = int.from_bytes(s[1:word_end], "little")
        self.fields["cid"] = s[0]
        for name, place in places(self.command_type):
            self.fields[name] = s[word_end:size] if place.octets else _plain(place.value(place.read(word)))
            word &= ~(((1 << place.width) - 1) << place.low)
        self.fields["rfu"] = word
        return s[size:]

    def self_build(self) -> bytes:
        """CID, the word and the octets after it."""
        if self.raw_packet_cache is not None:
            return self.raw_packet_cache
        word, tail = int(self.getfieldval("rfu")), b""
        for name, place in places(self.command_type):
            value = self.getfieldval(name)
            count = place.count(value)
            if count is None:
                raise ValueError(f"{type(self).__name__}.{name}: {value} falls between two values")
            word |= (count & (1 << place.width) - 1) << place.low
            if place.octets:
                tail += value
        return bytes((self.getfieldval("cid"),)) + word.to_bytes(self.command_type.length, "little") + tail

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        """The next command of the same direction."""
        found: type[Packet] = layer_of(payload, uplink=self.command_type.uplink)
        return found


def command_layers(block: bytes, *, uplink: bool) -> list[Packet]:
    """The commands of a block in clear, one layer each; bytes that none can be read from are the last, as `Raw`."""
    found: list[Packet] = []
    commands = parse_commands(block, uplink=uplink)
    at = 0
    for command in commands.commands:
        size = len(command.encode())
        found.append(LAYERS[type(command)](block[at : at + size]))
        at += size
    if commands.rest:
        from scapy.packet import Raw  # noqa: PLC0415 - beside its only use

        found.append(Raw(commands.rest))
    return found


def layer_of(block: bytes, *, uplink: bool) -> type[Packet]:
    """The class of the command that a block begins with; scapy's default for what is none."""
    commands = parse_commands(block, uplink=uplink).commands
    if commands:
        return LAYERS[type(commands[0])]
    from scapy.config import conf  # noqa: PLC0415 - beside its only use

    default: type[Packet] = conf.raw_layer if block else NoPayload
    return default


def _plain(value: Any) -> Any:
    if isinstance(value, AesKey):
        return bytes(value)
    return int(value) if isinstance(value, int) else value


def _default(place: Place) -> Any:
    if place.octets:
        return b""
    return _plain(place.value(0))


def _layer(command: type[MacCommand]) -> type[CommandLayer]:
    name = command.__name__.replace("Adr", "ADR").replace("Rx", "RX")
    described: list[Field[Any, Any]] = [XByteField("cid", command.cid)]
    described += [Field(field, _default(place)) for field, place in places(command)]
    described.append(Field("rfu", 0))
    return type(name, (CommandLayer,), {"name": name, "command_type": command, "fields_desc": described})


LAYERS: Final[Mapping[type[MacCommand], type[CommandLayer]]] = {command: _layer(command) for command in COMMANDS}
BY_NAME: Final[Mapping[str, type[CommandLayer]]] = {layer.__name__: layer for layer in LAYERS.values()}
