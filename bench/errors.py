"""The error families of `bench`. Each is also the builtin it means; the command line maps them to exit codes."""

from __future__ import annotations


class BenchError(Exception):
    """Anything this package raises on purpose. hint: what the person can do about it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.hint = hint
        super().__init__(f"{message}; {hint}" if hint else message)


class UsageError(BenchError, ValueError):
    """A request that cannot be carried out as asked: a wrong option, file or run folder. Exit code 2."""


class LinkError(BenchError, OSError):
    """A port, network or device that cannot be reached. Exit code 3."""


class StoreError(BenchError, OSError):
    """A run folder that cannot be written or read. Exit code 2."""
