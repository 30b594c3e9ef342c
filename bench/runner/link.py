"""How datagrams travel between simulated gateways and the network: in memory, or over real loopback sockets.

Either way they arrive at the simulated instant of arrival; with UDP simulated time stands still until the datagram has
been read from its socket.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from gateway_fw.gwmp import Address
from gateway_fw.io import LoopbackUdpLink

LinkKind: TypeAlias = Literal["memory", "udp"]


class Link(Protocol):
    """Carries one datagram and returns it as the other end received it. `LoopbackUdpLink` is one."""

    def carry_up(self, gateway_index: int, data: bytes, *, upstream: bool) -> tuple[bytes, Address]:
        """From a gateway's upstream or downstream socket to the server: the bytes and where they came from."""

    def carry_down(self, data: bytes, destination: Address) -> tuple[int, bytes]:
        """From the server to an address: which gateway got it, and the bytes."""

    def close(self) -> None:
        """Release what the link holds."""


class MemoryLink:
    """Hands the bytes over. An address is (gateway, whether it is the upstream socket)."""

    def carry_up(self, gateway_index: int, data: bytes, *, upstream: bool) -> tuple[bytes, Address]:
        """The bytes as they are."""
        return data, (gateway_index, upstream)

    def carry_down(self, data: bytes, destination: Address) -> tuple[int, bytes]:
        """The bytes as they are. Raises TypeError for an address that `carry_up` did not give."""
        if not isinstance(destination, tuple):
            raise TypeError(f"{destination!r} is no address of this link")
        return int(destination[0]), data

    def close(self) -> None:
        """Nothing to release."""


def make_link(kind: LinkKind, n_gateways: int) -> Link:
    """The link of a run."""
    return MemoryLink() if kind == "memory" else LoopbackUdpLink(n_gateways)
