"""A payload on the port of an application package, command by command."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from bench.explain.commands import explain_command, plain
from bench.explain.field import Field, of_bytes
from lorawan.packages import PACKAGES, Package, PackageCommand, ParsedPackage
from lorawan.packages.commands import PackageVersionAns, PackageVersionReq


@dataclass(frozen=True, slots=True)
class PackagePayload:
    """A payload read as a package's."""

    package: Package
    parsed: ParsedPackage

    @property
    def title(self) -> str:
        """The package and its version."""
        return f"{self.package.name}, version {self.package.version}"

    def facts(self, *, show_keys: bool) -> list[dict[str, Any]]:
        """The commands as plain data; what could not be read is the last, under "unknown"."""
        views = [
            {"command": type(c).__name__} | {f.name: plain(getattr(c, f.name), show_keys) for f in fields(c)}
            for c in self.parsed.commands
        ]
        return [*views, {"unknown": self.parsed.rest.hex()}] if self.parsed.rest else views

    def explained(self, clear: bytes, offset: int, *, show_keys: bool) -> tuple[Field, ...]:
        """One field for each command."""
        found: list[Field] = []
        at = 0
        for command in self.parsed.commands:
            data = clear[at : at + len(command.encode())]
            title, where = type(command).__name__, self._clause(command)
            found.append(explain_command(command, title, data, offset + at, where, show_keys=show_keys))
            at += len(data)
        if self.parsed.rest:
            why = f"no command of {self.title}, or cut short: the reading ends here"
            rest = self.parsed.rest
            found.append(of_bytes("not read", self.package.clause, rest, offset + at, rest.hex(), why))
        return tuple(found)

    def _clause(self, command: PackageCommand) -> str:
        # Every package has these two in a document of its own.
        return self.package.clause if isinstance(command, PackageVersionReq | PackageVersionAns) else command.clause


def package_payload(f_port: int, clear: bytes, *, uplink: bool) -> PackagePayload | None:
    """The payload read by the newest version that reads all of it, else by the newest; None: no package's port.

    The port is only the packages' default, and no version stands in a frame, so this is a reading and not a fact.
    """
    versions = sorted((one for one in PACKAGES if one.f_port == f_port), key=lambda one: -one.version)
    read = [PackagePayload(one, one.parse(clear, uplink=uplink)) for one in versions]
    return next((one for one in read if not one.parsed.rest), read[0] if read else None)
