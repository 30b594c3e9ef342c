"""The error families of `lorawan`: each is also the builtin it means, and says who broke which rule and where."""

from __future__ import annotations


class LorawanError(Exception):
    """Anything this package raises on purpose."""


class WireError(LorawanError, ValueError):
    """Bytes or fields that break a rule of what is on the wire.

    field: the field at fault; offset: its byte offset, or None; clause: the rule; hint: what would be right.
    """

    def __init__(
        self, message: str, *, field: str, offset: int | None = None, clause: str = "", hint: str = ""
    ) -> None:
        self.field, self.offset, self.clause, self.hint = field, offset, clause, hint
        where = field if offset is None else f"{field} at byte {offset}"
        tail = "".join((f" [{clause}]" if clause else "", f"; {hint}" if hint else ""))
        super().__init__(f"{where}: {message}{tail}")

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args[0], self.field, self.offset, self.clause, self.hint))


def _rebuild(kind: type[WireError], message: str, field: str, offset: int | None, clause: str, hint: str) -> WireError:
    error = kind("", field=field, offset=offset, clause=clause, hint=hint)
    error.args = (message,)
    return error


class FrameError(WireError):
    """Bytes or fields that are not a LoRaWAN frame, command or key."""


class MisuseError(LorawanError, RuntimeError):
    """Our own side called a core in a way its contract forbids (a defect, not bad input)."""
