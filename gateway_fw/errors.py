"""The error family of `gateway_fw`: each is also the builtin it means, and says who broke which rule and where."""

from __future__ import annotations

from lorawan.errors import WireError


class GatewayError(Exception):
    """Anything this package raises on purpose."""


class GwmpError(GatewayError, WireError):
    """Bytes that are not a Semtech UDP datagram, or a value that none can carry."""


class StationError(GatewayError, WireError):
    """A message that is not of the LoRa Basics Station protocol."""


class LinkDeadlineError(GatewayError, TimeoutError):
    """A datagram did not come out of a loopback link within its deadline."""


class LinkStateError(GatewayError, RuntimeError):
    """Our own side used a shell or link that is not started, or is closed (a defect, not bad input)."""


class BridgeError(GatewayError, WireError):
    """Bytes that are not an answer of a concentrator's microcontroller, or an answer that reports a failure."""


class RecordError(GatewayError, WireError):
    """Bytes of a receive buffer that are not a record of a received frame."""


class ChipFirmwareError(GatewayError, ValueError):
    """A firmware image for a concentrator chip that is missing, of the wrong size or of another version."""


class PortError(GatewayError, OSError):
    """A serial port that cannot be opened, configured, read or written.

    port: its name; reason: what happened; hint: what to do about it; holders: who has it open, where that is known.
    """

    def __init__(self, reason: str, *, port: str = "", hint: str = "", holders: tuple[str, ...] = ()) -> None:
        self.reason, self.port, self.hint, self.holders = reason, port, hint, holders
        text = f"{port}: {reason}" if port else reason
        super().__init__(f"{text}; {hint}" if hint else text)


class PortMissingError(PortError):
    """No such port, or no port that answers the description."""


class PortBusyError(PortError):
    """Somebody else has the port; `holders` says who."""


class PortUnfitError(PortError):
    """The port cannot keep the settings asked for."""


class PortLostError(PortError):
    """The port went away while it was open."""


class PortTimeoutError(PortError, TimeoutError):
    """The other end did not send, or take, bytes in time."""


class TraceFormatError(GatewayError, ValueError):
    """A line that is not of a byte trace; the message says file and line."""


class ConcentratorError(GatewayError, OSError):
    """A concentrator that does not come up. stage: of its start-up; port: the line's name."""

    def __init__(self, why: str, *, stage: str, port: str = "", hint: str = "") -> None:
        self.why, self.stage, self.port, self.hint = why, stage, port, hint
        where = f"{port}: {stage}" if port else stage
        super().__init__(f"{where}: {why}" + (f"; {hint}" if hint else ""))


class ImageError(GatewayError, ValueError):
    """A firmware image that cannot be read, or does not fit the board.

    source: its file; line: 1-based, in text formats; offset: in bytes, in binary ones; hint: what would be right.
    """

    def __init__(
        self, reason: str, *, source: str = "", line: int | None = None, offset: int | None = None, hint: str = ""
    ) -> None:
        self.reason, self.source, self.line, self.offset, self.hint = reason, source, line, offset, hint
        where = source or "image"
        if line is not None:
            where += f":{line}"
        elif offset is not None:
            where += f", byte {offset} (0x{offset:x})"
        super().__init__(f"{where}: {reason}" + (f"; {hint}" if hint else ""))


class FlashError(GatewayError, OSError):
    """A board that could not be flashed, read, erased or verified. hint: what to do about it.

    standing: what is on the board now; recover: the command that brings it back. "" where nothing has changed.
    """

    def __init__(self, reason: str, *, hint: str = "", standing: str = "", recover: str = "") -> None:
        self.reason, self.hint, self.standing, self.recover = reason, hint, standing, recover
        super().__init__(f"{reason}; {hint}" if hint else reason)

    @property
    def others(self) -> tuple[str, ...]:
        """Further lines for a person."""
        lines = (("on the board now: ", self.standing), ("to recover: ", self.recover))
        return tuple(f"{lead}{text}" for lead, text in lines if text)


class UnknownBoardError(GatewayError, ValueError):
    """A board that the table does not have."""


class WrongBoardError(FlashError):
    """Another board, or chip, than the one asked for answered."""


class VerifyError(FlashError):
    """What the board holds is not the image. address: the first byte that differs."""

    def __init__(self, reason: str, *, address: int | None = None, hint: str = "", standing: str = "") -> None:
        self.address = address
        super().__init__(reason, hint=hint, standing=standing)


class PtyError(GatewayError, OSError):
    """A pseudo-terminal, or the link to it, that cannot be made. hint: what the person can do about it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.hint = hint
        super().__init__(f"{message}; {hint}" if hint else message)
