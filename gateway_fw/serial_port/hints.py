"""What to do about a port that does not open."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

BRLTTY_VICTIMS = ("1a86:7523", "10c4:ea60", "0403:6001")
"""Identities that Debian's and Ubuntu's brltty takes for Braille terminals and unbinds from their driver."""


def open_hint(code: int | None, device: str) -> str:
    """A hint for an errno of open(2) on a device; "" where there is nothing to say."""
    if code in (errno.EACCES, errno.EPERM):
        return permission_hint(device)
    if code in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return missing_hint(device)
    if code in (errno.EBUSY, errno.EAGAIN):
        return "close the program that has it; ModemManager probes new modems for about 30 s after they are plugged in"
    if code in (errno.ENOTTY, errno.EINVAL):
        return "it is not a serial device, or its driver refuses these settings"
    if code == errno.EIO:
        return "the device is there and does not answer: unplug it and plug it in again"
    return ""


def permission_hint(device: str) -> str:
    """Which group would be let in."""
    group = "dialout"
    try:
        import grp  # noqa: PLC0415 - POSIX only

        info = os.stat(device)
        if info.st_mode & stat.S_IRGRP and info.st_gid != 0:
            group = grp.getgrgid(info.st_gid).gr_name
    except (ImportError, OSError, KeyError):
        pass
    return f"you need the group '{group}': sudo usermod -aG {group} $USER, then log in again"


def missing_hint(device: str) -> str:
    """Where the device may have gone."""
    folder, name = Path(device).parent, Path(device).name
    stem = name.rstrip("0123456789")
    try:
        others = sorted(str(path) for path in folder.glob(f"{stem}*") if path.name != name) if stem else []
    except (OSError, ValueError):
        others = []
    if others:
        return f"is it one of {', '.join(others[:4])}? See `lorabench gateway list`"
    return (
        "see `lorabench gateway list`; an adapter that is plugged in and has no port may have been taken by brltty "
        "(sudo apt-get remove brltty) or lacks its driver (dmesg says)"
    )
