"""What both ends of Semtech UDP take in."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TypeAlias

Address: TypeAlias = Hashable
"""Where a datagram came from or goes to: whatever the link beneath uses, such as (host, port)."""


@dataclass(frozen=True, slots=True)
class DatagramReceived:
    """Event: a datagram came in. server: at a gateway with several, from which of them."""

    data: bytes
    source: Address = ""
    server: int = 0
