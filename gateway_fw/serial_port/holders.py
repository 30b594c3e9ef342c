"""Who has a serial device open: what /proc and the lock files of UUCP tell on Linux."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")
LOCKS = (Path("/var/lock"), Path("/run/lock"))


def holders(device: str, *, proc: Path = PROC) -> tuple[str, ...]:
    """The other processes that have the device open, each as "program (pid n)"; empty where nobody, or nothing tells.

    Without root, the processes of other users stay unseen.
    """
    target = os.path.realpath(device)
    return tuple(
        f"{program(pid, proc=proc)} (pid {pid})"
        for pid in _pids(proc)
        if pid != os.getpid() and _has_open(proc / str(pid) / "fd", target)
    )


def lock_file_holder(device: str, *, folders: tuple[Path, ...] = LOCKS, proc: Path = PROC) -> str | None:
    """Who holds the UUCP lock file LCK..NAME of the device, or None. A lock of a process that ended does not count."""
    name = f"LCK..{Path(os.path.realpath(device)).name}"
    for folder in folders:
        try:
            words = (folder / name).read_bytes()[:64].split()
        except OSError:
            continue
        if words and words[0].isdigit() and (proc / words[0].decode()).exists():
            pid = int(words[0])
            if pid != os.getpid():
                return f"{program(pid, proc=proc)} (pid {pid}, {folder / name})"
    return None


def program(pid: int, *, proc: Path = PROC) -> str:
    """The name of a process, or "a program"."""
    try:
        return (proc / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip() or "a program"
    except OSError:
        return "a program"


def _pids(proc: Path) -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(proc) if name.isdigit())
    except OSError:
        return []


def _has_open(folder: Path, target: str) -> bool:
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    for name in names:
        try:
            if os.readlink(folder / name) == target:
                return True
        except OSError:
            continue
    return False
