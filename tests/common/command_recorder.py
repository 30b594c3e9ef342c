"""A pytest plugin that writes down which commands each test brings to which side: `-p command_recorder`.

A command counts for a side where a core of that side makes it, reads it, carries it out or puts it on the wire, never
where a test does so itself. The file named in COMMANDS_SEEN gets a JSON object: test id -> ["side verb command", …].
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import lorawan
import lorawan.device.commands
import lorawan.packages
import lorawan.server.commands
from lorawan.mac_commands.base import MacCommand

_PACKAGE = Path(lorawan.__file__).parent
_SEEN: dict[str, set[str]] = defaultdict(set)
_test = ""


def _side() -> str:
    """Which side's core stands nearest on the call stack; empty where none does. bench is TS009's other side."""
    frame = sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(_PACKAGE):
            parts = path.relative_to(_PACKAGE).with_suffix("").parts
            if parts[0] in ("device", "server"):
                return parts[0]
            if parts[0] == "packages" and parts[-1] in ("device", "server", "bench", "asking"):
                return "device" if parts[-1] == "device" else "server"
        frame = frame.f_back
    return ""


def _note(side: str, verb: str, command: type) -> None:
    if side and _test:
        _SEEN[_test].add(f"{side} {verb} {command.__name__}")


def _subclasses(kind: type) -> Iterator[type]:
    yield kind
    for inner in kind.__subclasses__():
        yield from _subclasses(inner)


def _watch_handlers(module: Any, side: str, table: str) -> None:
    def watched(kind: type, handler: Callable[..., None]) -> Callable[..., None]:
        def call(command: Any, context: Any) -> None:
            _note(side, "handles", kind)
            handler(command, context)

        return call

    handlers = getattr(module, table)
    setattr(module, table, MappingProxyType({kind: watched(kind, handler) for kind, handler in handlers.items()}))


def _watch_wire(kind: Any) -> None:
    if "__post_init__" in vars(kind):
        post_init = kind.__post_init__

        def made(self: Any) -> None:
            _note(_side(), "makes", type(self))
            post_init(self)

        kind.__post_init__ = made
    if "encode" in vars(kind):
        encode = kind.encode

        def encoded(self: Any) -> bytes:
            if type(self).encode is encoded:  # a package command's __post_init__ reckons with MacCommand.encode
                _note(_side(), "sends", type(self))
            return bytes(encode(self))

        kind.encode = encoded
    if "of_payload" in vars(kind):
        of_payload = vars(kind)["of_payload"].__func__

        def read(cls: Any, payload: bytes) -> Any:
            _note(_side(), "reads", cls)
            return of_payload(cls, payload)

        kind.of_payload = classmethod(read)


def pytest_configure() -> None:
    for kind in _subclasses(MacCommand):  # those of lorawan.packages, too
        _watch_wire(kind)
    _watch_handlers(lorawan.device.commands, "device", "HANDLERS")
    _watch_handlers(lorawan.device.commands, "device", "BLOCK_HANDLERS")
    _watch_handlers(lorawan.server.commands, "server", "HANDLERS")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    global _test  # noqa: PLW0603 - pytest runs one test at a time
    _test = item.nodeid
    try:
        return (yield)
    finally:
        _test = ""


def pytest_sessionfinish() -> None:
    found = {test: sorted(seen) for test, seen in sorted(_SEEN.items())}
    Path(os.environ["COMMANDS_SEEN"]).write_text(json.dumps(found))
