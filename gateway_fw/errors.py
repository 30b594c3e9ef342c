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
