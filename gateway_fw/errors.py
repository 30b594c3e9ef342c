"""The error family of `gateway_fw`: each is also the builtin it means, and says who broke which rule and where."""

from __future__ import annotations

from lorawan.errors import WireError


class GatewayError(Exception):
    """Anything this package raises on purpose."""


class GwmpError(GatewayError, WireError):
    """Bytes that are not a Semtech UDP datagram, or a value that none can carry."""


class StationError(GatewayError, WireError):
    """Text that is not a Basics Station message, or a value that none can carry."""


class LinkDeadlineError(GatewayError, TimeoutError):
    """A datagram did not come out of a loopback link within its deadline."""


class LinkStateError(GatewayError, RuntimeError):
    """Our own side used a shell or link that is not started, or is closed (a defect, not bad input)."""


class PtyError(GatewayError, OSError):
    """A pseudo-terminal, or the link to it, that cannot be made. hint: what the person can do about it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.hint = hint
        super().__init__(f"{message}; {hint}" if hint else message)
