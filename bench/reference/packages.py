"""The tables of package commands: every one of each package, with its versions, both sides and the tests."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from bench.reference.cells import first_sentence, table
from bench.reference.packages_held import ASKED_TEST, DEVICE_TESTS, SERVER_TESTS, VERSION_TESTS
from bench.reference.sides import Half, Held, Side, half, places
from bench.reference.sources import Role, Use, uses_of
from lorawan.mac_commands import MacCommand
from lorawan.packages import PACKAGES, Package
from lorawan.packages.commands import PackageVersionAns, PackageVersionReq

WHERE: Final = "bench/reference/packages_held.py"
_EVERY: Final = (PackageVersionReq, PackageVersionAns)
_ASK: Final = Use(Role.MAKES, "", "lorawan/packages/asking.py", "Asking.ask")
_HEARD: Final = Use(Role.TAKES, "", "lorawan/packages/asking.py", "Asking.heard")
# By PackageIdentifier: the module of the other side; None where `AskingServer` is all of it
_FOLDERS: Final[dict[int, tuple[str, str | None]]] = {
    1: ("clock", "server"),
    2: ("multicast", "server"),
    3: ("fragmentation", "server"),
    4: ("firmware", None),
    6: ("certification", "bench"),
}


def device_half(package: Package, command: type[MacCommand]) -> Half:
    """What the device side of a package does with a command. Raises MissingCell."""
    folder, _ = _FOLDERS[package.identifier]
    role = Role.MAKES if command.uplink else Role.TAKES
    uses = uses_of(command, f"lorawan/packages/{folder}/device.py", role)
    if command is PackageVersionAns:
        uses = uses_of(command, "lorawan/packages/commands.py", role)
    does = _told(uses, command, "device")
    tests = {**DEVICE_TESTS, **dict.fromkeys(_EVERY, VERSION_TESTS[package.identifier])}
    return half(Held(command, "device", "makes" if command.uplink else "reads", ()), does, tests, {}, WHERE)


def server_half(package: Package, command: type[MacCommand]) -> Half:
    """What the server side does with one. Raises MissingCell."""
    folder, module = _FOLDERS[package.identifier]
    role = Role.TAKES if command.uplink else Role.MAKES
    uses = uses_of(command, f"lorawan/packages/{folder}/{module}.py", role) if module else []
    does, tests = _told(uses, command, "server"), dict(SERVER_TESTS)
    paired = (not command.uplink, command.cid) in package.registry
    if not does and not command.uplink:
        until = ", until it is answered" if paired else ""
        does = f"sent where it is asked for{until} ({places([_ASK])})"
    elif not does and paired:
        does = f"ends the request ({places([_HEARD])})"
    if command not in tests and (paired or not command.uplink):
        tests[command] = (ASKED_TEST,)
    return half(Held(command, "server", "reads" if command.uplink else "sends", ()), does, tests, {}, WHERE)


def held() -> Iterator[Held]:
    """What the tests that the tables name must be seen to do."""
    for package in PACKAGES:
        for command in package.commands:
            for side in (device_half(package, command), server_half(package, command)):
                if side.held is not None:
                    yield side.held


def tables() -> list[str]:
    """The lines of the page. Raises MissingCell."""
    lines: list[str] = []
    for name, group in groupby(PACKAGES, lambda package: package.name):
        packages = list(group)
        commands = list(dict.fromkeys(command for package in packages for command in package.commands))
        title = f"{name.capitalize()}, FPort {packages[0].f_port}"
        versions = [f"v{package.version} ({package.clause.split()[0]})" for package in packages]
        head = ["CID", "command", "what it says", *versions, "clause", "device", "its test", "server", "its test"]
        lines += ["", f"### {title}", "", *table(head, [_row(packages, command) for command in commands])]
    return lines


def _row(packages: list[Package], command: type[MacCommand]) -> list[str]:
    having = [package for package in packages if command in package.commands]
    device, server = device_half(having[-1], command), server_half(having[-1], command)
    return [
        f"{command.cid:02X} {'↑' if command.uplink else '↓'}",
        f"`{command.__name__}`",
        first_sentence(command.__doc__),
        *("yes" if package in having else "no" for package in packages),
        command.clause,
        device.does,
        device.tests,
        server.does,
        server.tests,
    ]


def _told(uses: list[Use], command: type[MacCommand], side: Side) -> str:
    """Where; what it does there is what the command says."""
    verb = "sent" if command.uplink is (side == "device") else "taken"
    return f"{verb} by {places(uses)}" if uses else ""
