"""The tables of MAC commands: every one of the registry, by class, with versions, both sides and the tests."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import lorawan
from bench.reference.cells import MissingCell, file_link, first_sentence, table
from bench.reference.mac_held import (
    DEVICE_REASONS,
    DEVICE_SENDS,
    DEVICE_TESTS,
    SERVER_REASONS,
    SERVER_SENDS,
    SERVER_TESTS,
)
from bench.reference.sides import Half, Held, half, places
from bench.reference.sources import Role, Use, uses_of
from lorawan.device.commands import BLOCK_HANDLERS
from lorawan.device.commands import HANDLERS as DEVICE_HANDLERS
from lorawan.mac_commands import COMMANDS, REGISTRY, MacCommand
from lorawan.mac_commands.base import DeviceClass
from lorawan.server.commands import HANDLERS as SERVER_HANDLERS
from lorawan.version import Version

WHERE: Final = "bench/reference/mac_held.py"
TITLES: Final[dict[DeviceClass, str]] = {
    "A": "Class A, which every device has",
    "B": "Class B",
    "C": "Class C",
    "relay": "Relays (TS011)",
}


def device_half(command: type[MacCommand]) -> Half:
    """What a device does with a command, or why nothing. Raises MissingCell."""
    if command.uplink:
        does = _sent(command, uses_of(command, "lorawan/device", Role.MAKES), DEVICE_SENDS)
        return half(Held(command, "device", "sends", ()), does, DEVICE_TESTS, DEVICE_REASONS, WHERE)
    handler = DEVICE_HANDLERS.get(command) or BLOCK_HANDLERS.get(command)
    does = _handled(handler)
    return half(Held(command, "device", "handles", ()), does, DEVICE_TESTS, DEVICE_REASONS, WHERE)


def server_half(command: type[MacCommand]) -> Half:
    """What the network does with a command, or why nothing. Raises MissingCell."""
    if command.uplink:
        does = _handled(SERVER_HANDLERS.get(command))
        return half(Held(command, "server", "handles", ()), does, SERVER_TESTS, SERVER_REASONS, WHERE)
    senders = uses_of(command, "lorawan/server", Role.MAKES)
    asked = [use for use in uses_of(command, "lorawan/server", Role.LISTS) if use.function == "ANSWERS"]
    does = _sent(command, senders, SERVER_SENDS)
    if asked:
        operator = f"sent where the operator asks for it ({places(asked)})"
        does = f"{does}; {operator}" if does else operator
    return half(Held(command, "server", "sends", ()), does, SERVER_TESTS, SERVER_REASONS, WHERE)


def held() -> Iterator[Held]:
    """What the tests that the tables name must be seen to do."""
    for command in COMMANDS:
        for side in (device_half(command), server_half(command)):
            if side.held is not None:
                yield side.held


def tables() -> list[str]:
    """The lines of the page. Raises MissingCell."""
    lines: list[str] = []
    for device_class, title in TITLES.items():
        rows = [_row(command) for command in COMMANDS if command.device_class == device_class]
        head = ["CID", "command", *map(str, Version), "clause", "device", "its test", "network", "its test"]
        lines += ["", f"### {title}", "", *table(head, rows)]
    return lines


def _row(command: type[MacCommand]) -> list[str]:
    device, server = device_half(command), server_half(command)
    way = "↑" if command.uplink else "↓"
    return [
        f"{command.cid:02X} {way}",
        file_link(_path(command), f"`{command.__name__}`"),
        *("yes" if version in command.versions else "no" for version in Version),
        command.clause,
        device.does,
        device.tests,
        server.does,
        server.tests,
    ]


def _sent(command: type[MacCommand], senders: list[Use], texts: Mapping[type[MacCommand], str]) -> str:
    """When it is sent, and where that is; an answer says whose it is."""
    if not senders:
        return ""
    request = REGISTRY.get((not command.uplink, command.cid))
    handlers: dict[type[MacCommand], Callable[..., None]] = {**DEVICE_HANDLERS, **BLOCK_HANDLERS, **SERVER_HANDLERS}
    handler = handlers.get(request) if request is not None else None
    if command in texts:
        when = texts[command]
    elif request is not None and handler is not None and {use.path for use in senders} == {_path(handler)}:
        when = f"sent in answer to `{request.__name__}`"
    else:
        raise MissingCell(f"nothing says when {command.__name__} is sent", hint=f"add that to {WHERE}")
    return f"{when} ({places(senders)})"


def _handled(handler: Callable[..., None] | None) -> str:
    if handler is None:
        return ""
    return f"{first_sentence(handler.__doc__)} ({file_link(_path(handler), f'`{handler.__name__}`')})"


def _path(thing: type | Callable[..., None]) -> str:
    source = inspect.getsourcefile(thing)
    assert source is not None
    return Path(source).relative_to(Path(lorawan.__file__).parents[1]).as_posix()


__all__ = ["WHERE", "device_half", "held", "server_half", "tables"]
