"""Real UDP under a simulation: every datagram goes through the kernel before simulated time goes on."""

from __future__ import annotations

import socket
from time import monotonic

from gateway_fw.errors import LinkDeadlineError, LinkStateError
from gateway_fw.gwmp.events import Address

LOOPBACK = "127.0.0.1"
DEADLINE_S = 2.0  # assumption: a loopback takes microseconds; this is for a machine that is very busy
_MAX_DATAGRAM = 65_535


class LoopbackUdpLink:
    """Sockets on 127.0.0.1: one for the server, one up and one down for each of n gateways.

    Send, then receive at the other end: the very datagram comes back, in the order sent. Nothing sleeps; what does not
    come within deadline_s seconds raises LinkDeadlineError. Datagrams of strangers are passed over. Gateways are
    numbered from 0. Use as a context manager, or close.
    """

    def __init__(self, n_gateways: int, *, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._sockets: list[socket.socket] = []
        self._closed = False
        try:
            self._server = self._bound()
            self.server_address: tuple[str, int] = self._server.getsockname()
            self._ends = tuple((self._bound(), self._bound()) for _ in range(n_gateways))  # [gateway][upstream]
        except OSError:
            self.close()
            raise
        self._owners: dict[Address, tuple[int, bool]] = {
            end.getsockname(): (index, upstream == 1)
            for index, pair in enumerate(self._ends)
            for upstream, end in enumerate(pair)
        }

    def send_up(self, gateway_index: int, data: bytes, *, upstream: bool = True) -> None:
        """Send from a gateway: from its up socket (PUSH_DATA), or its down socket (PULL_DATA, TX_ACK)."""
        self._open(self._ends[gateway_index][upstream]).sendto(data, self.server_address)

    def receive_at_server(self) -> tuple[bytes, tuple[str, int]]:
        """The next datagram at the server, and its source address. Raises LinkDeadlineError."""
        return self._receive(self._open(self._server), "server", self._owners)

    def send_down(self, data: bytes, destination: Address) -> None:
        """Send from the server to a gateway's socket. Raises LinkStateError for an address that is none of ours."""
        if not isinstance(destination, tuple) or destination not in self._owners:
            raise LinkStateError(f"{destination} is no gateway's socket")
        self._open(self._server).sendto(data, destination)

    def receive_at_gateway(self, gateway_index: int, *, upstream: bool = False) -> bytes:
        """The next datagram at a gateway's down socket (PULL_ACK, PULL_RESP) or up socket (PUSH_ACK).

        Raises LinkDeadlineError.
        """
        end = self._open(self._ends[gateway_index][upstream])
        return self._receive(end, f"gateway {gateway_index}", (self.server_address,))[0]

    def carry_up(self, gateway_index: int, data: bytes, *, upstream: bool) -> tuple[bytes, tuple[str, int]]:
        """send_up and receive_at_server in one."""
        self.send_up(gateway_index, data, upstream=upstream)
        return self.receive_at_server()

    def carry_down(self, data: bytes, destination: Address) -> tuple[int, bytes]:
        """send_down and receive_at_gateway in one: which gateway, and the datagram."""
        gateway_index, upstream = self.owner(destination)
        self.send_down(data, destination)
        return gateway_index, self.receive_at_gateway(gateway_index, upstream=upstream)

    def owner(self, address: Address) -> tuple[int, bool]:
        """Whose socket an address is: the gateway's number, and whether it is its up socket."""
        try:
            return self._owners[address]
        except KeyError:
            raise LinkStateError(f"{address} is no gateway's socket") from None

    def close(self) -> None:
        """Close every socket."""
        self._closed = True
        for end in self._sockets:
            end.close()

    def __enter__(self) -> LoopbackUdpLink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _bound(self) -> socket.socket:
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sockets.append(end)
        end.bind((LOOPBACK, 0))
        return end

    def _open(self, end: socket.socket) -> socket.socket:
        if self._closed:
            raise LinkStateError("the link is closed")
        return end

    def _receive(
        self, end: socket.socket, who: str, senders: dict[Address, tuple[int, bool]] | tuple[Address, ...]
    ) -> tuple[bytes, tuple[str, int]]:
        deadline = monotonic() + self._deadline_s
        while (left := deadline - monotonic()) > 0:
            end.settimeout(left)
            try:
                data, source = end.recvfrom(_MAX_DATAGRAM)
            except TimeoutError:
                break
            if source in senders:
                return data, source
        raise LinkDeadlineError(f"no datagram reached {who} within {self._deadline_s} s")
