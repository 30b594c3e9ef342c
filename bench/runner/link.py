"""How datagrams travel between simulated gateways and the network: in memory, or over real loopback sockets.

Either way they arrive at the simulated instant of arrival; with UDP simulated time stands still until the datagram has
been read from its socket.
"""

from __future__ import annotations

from typing import Protocol

from gateway_fw.gwmp import Address


class Link(Protocol):
    """Carries one datagram and returns it as the other end received it."""

    def up(self, gateway: int, data: bytes, *, upstream: bool) -> tuple[bytes, Address]:
        """From a gateway's upstream or downstream socket to the server: the bytes and where they came from."""

    def down(self, destination: Address, data: bytes) -> tuple[int, bytes]:
        """From the server to an address: which gateway got it, and the bytes."""

    def close(self) -> None:
        """Release what the link holds."""


class MemoryLink:
    """Hands the bytes over. An address is (gateway, whether it is the upstream socket)."""

    def up(self, gateway: int, data: bytes, *, upstream: bool) -> tuple[bytes, Address]:
        """The bytes as they are."""
        return data, (gateway, upstream)

    def down(self, destination: Address, data: bytes) -> tuple[int, bytes]:
        """The bytes as they are."""
        assert isinstance(destination, tuple)
        return int(destination[0]), data

    def close(self) -> None:
        """Nothing to release."""
