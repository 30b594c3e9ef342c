"""The bytes of a serial line as events and effects: what every core on either end of one takes and gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BytesReceived:
    """Event: bytes came in, cut anywhere."""

    data: bytes


@dataclass(frozen=True, slots=True)
class SendBytes:
    """Effect: write these in one piece."""

    data: bytes


@dataclass(frozen=True, slots=True)
class LineLost:
    """Event: the other end is gone, or the port is."""

    why: str = ""
