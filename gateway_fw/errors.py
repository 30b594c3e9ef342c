"""The error family of `gateway_fw`: each is also the builtin it means, and says who broke which rule and where."""

from __future__ import annotations


class GatewayError(Exception):
    """Anything this package raises on purpose."""


class GwmpError(GatewayError, ValueError):
    """Bytes that are not a Semtech UDP datagram, or a value that none can carry.

    field: the field at fault, as the protocol names it; offset: its byte offset, or None; clause: the rule; hint: what
    would be right.
    """

    def __init__(
        self, message: str, *, field: str, offset: int | None = None, clause: str = "", hint: str = ""
    ) -> None:
        self.field, self.offset, self.clause, self.hint = field, offset, clause, hint
        where = field if offset is None else f"{field} at byte {offset}"
        tail = "".join((f" [{clause}]" if clause else "", f"; {hint}" if hint else ""))
        super().__init__(f"{where}: {message}{tail}")

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (self.args[0], self.field, self.offset, self.clause, self.hint))


def _rebuild(message: str, field: str, offset: int | None, clause: str, hint: str) -> GwmpError:
    error = GwmpError("", field=field, offset=offset, clause=clause, hint=hint)
    error.args = (message,)
    return error


class LinkDeadlineError(GatewayError, TimeoutError):
    """A datagram did not come out of a loopback link within its deadline."""


class LinkStateError(GatewayError, RuntimeError):
    """Our own side used a shell or link that is not started, or is closed (a defect, not bad input)."""
