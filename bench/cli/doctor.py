"""`lorabench doctor`: is this machine ready?"""

from __future__ import annotations

import json
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.cli.exits import NOT_HELD
from bench.executors import cpus

GWMP_PORT = 1700  # the usual port of Semtech UDP, as in the reference packet forwarder's global_conf.json
FREE_DISK_OK_GB = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. hint: what to do where it is not ok."""

    name: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    hint: str = ""


def doctor(
    out: Annotated[Path, typer.Option(help="Where run folders would go.")] = Path("out"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at Python, packages, tools, disk and network. Exit code 1 where something fails."""
    found = list(findings(out))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found]))
    else:
        width = max(len(finding.name) for finding in found)
        for finding in found:
            colour = {"ok": typer.colors.GREEN, "warn": typer.colors.YELLOW, "fail": typer.colors.RED}[finding.status]
            tail = f"; {finding.hint}" if finding.hint else ""
            typer.echo(
                f"{typer.style(f'{finding.status:<4}', fg=colour)}  {finding.name:<{width}}  {finding.detail}{tail}"
            )
    if any(finding.status == "fail" for finding in found):
        raise typer.Exit(NOT_HELD)


def findings(out: Path) -> Iterator[Finding]:
    """Everything that is looked at, in the order it is printed."""
    yield _python(sys.version_info[:2])
    yield _packages()
    yield _tshark()
    yield _writable(out)
    yield _writable(Path(tempfile.gettempdir()), "temporary folder")
    yield _disk(out)
    yield Finding("CPUs", "ok", f"{cpus()} for --jobs")
    yield udp_port(GWMP_PORT)


def _python(running: tuple[int, ...]) -> Finding:
    if running < (3, 11):
        return Finding("Python", "fail", platform.python_version(), "3.11 or newer is needed")
    return Finding("Python", "ok", f"{platform.python_version()} ({sys.executable})")


def _packages() -> Finding:
    try:
        needed = requires("lorabench") or []
    except PackageNotFoundError:
        return Finding("packages", "warn", "lorabench itself is not installed", "pip install . in its folder")
    missing, present = [], []
    for requirement in needed:
        if "extra ==" in requirement:
            continue
        name = re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0]
        try:
            present.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("packages", "fail", f"missing: {', '.join(missing)}", "pip install lorabench brings them")
    return Finding("packages", "ok", ", ".join(present))


def _tshark() -> Finding:
    path = shutil.which("tshark")
    if path is None:
        return Finding("tshark", "warn", "not found", "only tests need it; Debian: apt-get install tshark")
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("tshark", "warn", f"does not start: {error}", "only tests need it")
    return Finding("tshark", "ok", told.stdout.partition("\n")[0])


def _writable(folder: Path, name: str = "run folder") -> Finding:
    existing = next(p for p in (folder, *folder.resolve().parents) if p.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            return Finding(name, "ok", f"{folder} is writable")
    except OSError as error:
        return Finding(name, "fail", f"{folder}: {error.strerror}", "choose another one with --out")


def _disk(folder: Path) -> Finding:
    existing = next(p for p in (folder, *folder.resolve().parents) if p.exists())
    free_gb = shutil.disk_usage(existing).free / 1e9
    if free_gb < FREE_DISK_OK_GB:
        return Finding("disk", "warn", f"{free_gb:.1f} GB free", "traces of long runs may not fit")
    return Finding("disk", "ok", f"{free_gb:.1f} GB free")


def udp_port(port: int) -> Finding:
    """Whether a UDP port of the loopback interface is free."""
    name = f"UDP port {port}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding(name, "warn", f"taken: {error.strerror}", "stop what listens there")
    return Finding(name, "ok", "free")
