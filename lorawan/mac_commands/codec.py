"""The registry of commands, and blocks of commands as FOpts and FPort 0 carry them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lorawan.mac_commands import link, radio, session
from lorawan.mac_commands.base import MacCommand

COMMANDS: Final[tuple[type[MacCommand], ...]] = (
    session.ResetInd,
    session.ResetConf,
    link.LinkCheckReq,
    link.LinkCheckAns,
    link.LinkAdrReq,
    link.LinkAdrAns,
    link.DutyCycleReq,
    link.DutyCycleAns,
    radio.RxParamSetupReq,
    radio.RxParamSetupAns,
    link.DevStatusReq,
    link.DevStatusAns,
    radio.NewChannelReq,
    radio.NewChannelAns,
    radio.RxTimingSetupReq,
    radio.RxTimingSetupAns,
    radio.TxParamSetupReq,
    radio.TxParamSetupAns,
    radio.DlChannelReq,
    radio.DlChannelAns,
    session.RekeyInd,
    session.RekeyConf,
    link.AdrParamSetupReq,
    link.AdrParamSetupAns,
    link.DeviceTimeReq,
    link.DeviceTimeAns,
    session.ForceRejoinReq,
    session.RejoinParamSetupReq,
    session.RejoinParamSetupAns,
)

# By direction and CID: a request and its answer share the number
REGISTRY: Final[Mapping[tuple[bool, int], type[MacCommand]]] = MappingProxyType(
    {(command.uplink, command.cid): command for command in COMMANDS}
)


@dataclass(frozen=True, slots=True)
class ParsedCommands:
    """The commands understood, in order, and the bytes after them that were not."""

    commands: tuple[MacCommand, ...]
    rest: bytes


def parse_commands(data: bytes, *, uplink: bool) -> ParsedCommands:
    """The commands of a block in clear. Never raises.

    No length stands on the wire, so an unknown CID or a command cut short ends the reading there; `rest` begins with
    its CID. Source: TS001-1.0.4 §5.
    """
    commands: list[MacCommand] = []
    at = 0
    while at < len(data):
        command = REGISTRY.get((uplink, data[at]))
        if command is None or at + 1 + command.length > len(data):
            break
        end = at + 1 + command.length
        commands.append(command.of_payload(data[at + 1 : end]))
        at = end
    return ParsedCommands(tuple(commands), data[at:])


def encode_commands(commands: Iterable[MacCommand]) -> bytes:
    """A block of commands, in order."""
    return b"".join([command.encode() for command in commands])


F_OPTS_MAX_BYTES = 15  # TS001-1.0.4 §4.3.1.6


def whole_commands(f_opts: bytes, limit: int = F_OPTS_MAX_BYTES, *, uplink: bool) -> bytes:
    """At most `limit` bytes, cut between commands: what does not fit is asked for again (LoRaWAN 1.0.4 §5)."""
    if len(f_opts) <= limit:
        return f_opts
    kept = b""
    for command in parse_commands(f_opts, uplink=uplink).commands:
        encoded = command.encode()
        if len(kept) + len(encoded) > limit:
            break
        kept += encoded
    return kept
