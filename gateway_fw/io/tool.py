"""Runs a flashing program of somebody else's: arguments as a list, never a shell; its output read line by line."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence

from gateway_fw.errors import FlashError

KEPT_LINES = 40


def find_tool(program: str, *, hint: str) -> str:
    """The path of a program. Raises FlashError with the hint where it is not installed."""
    path = shutil.which(program)
    if path is None:
        raise FlashError(f"{program} is not installed", hint=hint)
    return path


def run_tool(
    arguments: Sequence[str], on_line: Callable[[str], None] | None = None, *, timeout_s: float = 600.0
) -> str:
    """What the program printed (both streams, in their order). Lines end at CR too, as progress bars write them.

    Raises FlashError with its last lines where it fails, or takes longer than timeout_s. Ctrl-C ends it as well.
    """
    lines: list[str] = []
    with subprocess.Popen(
        list(arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        late = threading.Event()

        def expire() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(timeout_s, expire)
        timer.start()
        try:
            _follow(process, lines, on_line)
            code = process.wait()
        except BaseException:
            process.terminate()
            raise
        finally:
            timer.cancel()
    output = "\n".join(lines)
    if late.is_set():
        raise FlashError(f"{arguments[0]} took longer than {timeout_s:g} s", hint=_tail(lines))
    if code:
        raise FlashError(f"{arguments[0]} failed (exit code {code})", hint=_tail(lines))
    return output


def _follow(process: subprocess.Popen[bytes], lines: list[str], on_line: Callable[[str], None] | None) -> None:
    assert process.stdout is not None
    part = bytearray()
    while chunk := process.stdout.read1(4096):  # type: ignore[attr-defined]
        part += chunk
        *whole, rest = part.replace(b"\r", b"\n").split(b"\n")
        part = bytearray(rest[-4096:])
        for raw in whole:
            _line(bytes(raw), lines, on_line)
    _line(bytes(part), lines, on_line)


def _line(raw: bytes, lines: list[str], on_line: Callable[[str], None] | None) -> None:
    text = raw.decode("utf-8", "replace").rstrip()
    if not text:
        return
    lines.append(text)
    del lines[:-2_000]
    if on_line is not None:
        on_line(text)


def _tail(lines: list[str]) -> str:
    return "it said: " + (" | ".join(lines[-4:]) or "nothing")
