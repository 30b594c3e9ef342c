"""The STM32 UART bootloader, host side: each command as a procedure.

8 data bits, even parity, 1 stop bit. The host sends 0x7F first, from which the chip takes the speed. A command is its
code and the complement; ACK is 0x79, NACK 0x1F.
Source: ST AN3155, "USART protocol used in the STM32 bootloader", rev 17, §2 and §3; AN2606 for chip ids.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import xor
from typing import TypeVar

from gateway_fw.errors import FlashError
from gateway_fw.flash.procedure import Exchange, LineGoneError, Procedure

ACK, NACK, SYNC = 0x79, 0x1F, 0x7F
GET, GET_VERSION, GET_ID, READ, GO, WRITE = 0x00, 0x01, 0x02, 0x11, 0x21, 0x31
ERASE, EXTENDED_ERASE = 0x43, 0x44
WRITE_PROTECT, WRITE_UNPROTECT, READOUT_PROTECT, READOUT_UNPROTECT = 0x63, 0x73, 0x82, 0x92
NAMES = {
    GET: "get",
    GET_VERSION: "get version",
    GET_ID: "get id",
    READ: "read",
    GO: "go",
    WRITE: "write",
    ERASE: "erase",
    EXTENDED_ERASE: "extended erase",
    WRITE_PROTECT: "write protect",
    WRITE_UNPROTECT: "write unprotect",
    READOUT_PROTECT: "readout protect",
    READOUT_UNPROTECT: "readout unprotect",
}

ANSWER_US = 500_000  # [assumption] 256 bytes take 28 ms at 115200 baud; a USB adapter adds 16 ms each way
PROGRAM_US = 2_000_000  # [assumption] 256 bytes program in under 20 ms on every chip here
MASS_ERASE_US = 40_000_000  # 512 kB of an STM32F401: 16 s at most, its data sheet; the largest chips about twice
QUIET_US = 60_000  # [assumption] a bootloader that has said nothing for six byte times at 1200 baud has no more to say
TRIES = 4  # [assumption] a line that fails one command four times is not worth a fifth
SYNC_US = (100_000, 100_000, 200_000, 400_000, 800_000, 1_600_000)  # [assumption] 3.2 s for a board to be reset by hand
PAGES_A_COMMAND = 64  # small enough to show progress, below the 512 that the smallest bootloader buffer holds

_XORS = [0, *(0x80 | (0x1D * place & 0x7F) for place in range(1, 321))]
FILLER = bytes(before ^ after for before, after in pairwise(_XORS))
"""More than the 257 bytes that a write can wait for."""

AnswerT = TypeVar("AnswerT")


class BootloaderError(FlashError):
    """The bootloader did not answer as AN3155 says."""


class RefusedError(BootloaderError):
    """NACK. stage: "command", "address" or "data"."""

    def __init__(self, command: int, stage: str) -> None:
        self.command, self.stage = command, stage
        hint = ""
        if stage == "command" and command in (READ, WRITE, ERASE, EXTENDED_ERASE, GO):
            hint = (
                "is the chip read-protected? `lorabench flash erase --unprotect --force` lifts that, and erases it all"
            )
        super().__init__(f"the bootloader refused '{NAMES[command]}' at its {stage}", hint=hint)


class SilentError(BootloaderError):
    """No answer, or a part of one."""


class GarbledError(BootloaderError):
    """An answer that is neither ACK nor NACK, or makes no sense."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Answer to Get: version as 0x31 for 3.1, and the codes of its commands."""

    version: int
    commands: frozenset[int]

    @property
    def erase_command(self) -> int | None:
        """The erase it has: a chip has one or the other."""
        return next((code for code in (EXTENDED_ERASE, ERASE) if code in self.commands), None)


def checksum(data: bytes) -> int:
    """XOR of all bytes."""
    return reduce(xor, data, 0)


def _acknowledged(send: bytes, command: int, stage: str, timeout_us: int = ANSWER_US) -> Procedure[None]:
    answer = yield Exchange(send, want=1, timeout_us=timeout_us)
    if not answer:
        raise SilentError(f"no answer to '{NAMES[command]}' at its {stage}", hint="is the board in its bootloader?")
    if answer[0] == NACK:
        raise RefusedError(command, stage)
    if answer[0] != ACK:
        raise GarbledError(f"0x{answer[0]:02X} instead of ACK to '{NAMES[command]}' at its {stage}")


def _command(command: int, timeout_us: int = ANSWER_US) -> Procedure[None]:
    # what came late belongs to no question of ours
    yield Exchange(fresh=True)
    yield from _acknowledged(bytes([command, command ^ 0xFF]), command, "command", timeout_us)


def _bytes(count: int, command: int, timeout_us: int = ANSWER_US) -> Procedure[bytes]:
    answer = yield Exchange(want=count, timeout_us=timeout_us)
    if len(answer) < count:
        raise SilentError(f"{len(answer)} of {count} bytes of the answer to '{NAMES[command]}'")
    return answer


def _last_ack(command: int) -> Procedure[None]:
    (last,) = yield from _bytes(1, command)
    if last != ACK:
        raise GarbledError(f"0x{last:02X} instead of the last ACK to '{NAMES[command]}'")


def synchronise() -> Procedure[bool]:
    """Begin to talk. True where the bootloader took the speed now, False where it had it already (a NACK says so)."""
    for timeout_us in SYNC_US:
        answer = yield Exchange(bytes([SYNC]), want=1, timeout_us=timeout_us, fresh=True)
        if answer == bytes([ACK]):
            return True
        if answer == bytes([NACK]):
            return False
    raise SilentError(
        "nothing answers as an STM32 bootloader",
        hint="enter it first (BOOT0 high, then reset); check TX, RX and ground; AN3155 wants even parity",
    )


def resynchronise() -> Procedure[None]:
    """Get to where the next byte begins a command, wherever the bootloader is.

    What waits for more bytes is fed to its end, with bytes that no command can be made of: no two neighbours are
    complements, and their XOR is at no place 0, so that an erase whose first byte was lost is refused, not obeyed.
    """
    for at in range(0, len(FILLER), 32):
        answer = yield Exchange(FILLER[at : at + 32], want=4096, timeout_us=QUIET_US, fresh=True)
        if answer:
            break
    for timeout_us in SYNC_US:
        answer = yield Exchange(b"\xff", want=1, timeout_us=timeout_us, fresh=True)
        if answer == bytes([NACK]):
            more = yield Exchange(want=4096, timeout_us=QUIET_US)
            if not more:
                return
    raise SilentError("the bootloader does not answer any more", hint="reset the board into its bootloader, begin anew")


def retried(make: Callable[[], Procedure[AnswerT]], tries: int = TRIES) -> Procedure[AnswerT]:
    """Run a command again after a wrong or missing answer. Raises the last error."""
    for left in range(tries - 1, -1, -1):
        try:
            return (yield from make())
        except LineGoneError:
            raise
        except BootloaderError as error:
            if not left:
                raise
            # a refused command leaves the bootloader at the next one, unless what was refused was half of two
            in_step = left == tries - 1 and isinstance(error, RefusedError) and error.stage == "command"
        if not in_step:
            yield from resynchronise()
    raise AssertionError("unreachable")  # the loop returns or raises


def get() -> Procedure[Capabilities]:
    """Version and commands."""
    yield from _command(GET)
    (count,) = yield from _bytes(1, GET)
    body = yield from _bytes(count + 1, GET)
    yield from _last_ack(GET)
    return Capabilities(body[0], frozenset(body[1:]))


def get_id() -> Procedure[int]:
    """The chip id, 12 bits."""
    yield from _command(GET_ID)
    (count,) = yield from _bytes(1, GET_ID)
    body = yield from _bytes(count + 1, GET_ID)
    yield from _last_ack(GET_ID)
    return int.from_bytes(body[:2], "big")


def _address(command: int, address: int) -> Procedure[None]:
    field = address.to_bytes(4, "big")
    yield from _acknowledged(field + bytes([checksum(field)]), command, "address")


def read(address: int, count: int) -> Procedure[bytes]:
    """1 to 256 bytes of memory. The answer has no checksum."""
    yield from _command(READ)
    yield from _address(READ, address)
    yield from _acknowledged(bytes([count - 1, (count - 1) ^ 0xFF]), READ, "data")
    return (yield from _bytes(count, READ))


def write(address: int, data: bytes) -> Procedure[None]:
    """4 to 256 bytes, in fours."""
    yield from _command(WRITE)
    yield from _address(WRITE, address)
    field = bytes([len(data) - 1]) + data
    yield from _acknowledged(field + bytes([checksum(field)]), WRITE, "data", PROGRAM_US)


def erase_pages(numbers: tuple[int, ...], command: int, timeout_us: int) -> Procedure[None]:
    """1 to 255 pages by number, with the erase the chip has; timeout_us: for all of them."""
    yield from _command(command)
    if command == ERASE:
        field = bytes([len(numbers) - 1, *numbers])
    else:
        field = b"".join(value.to_bytes(2, "big") for value in (len(numbers) - 1, *numbers))
    yield from _acknowledged(field + bytes([checksum(field)]), command, "data", timeout_us)


def erase_all(command: int) -> Procedure[None]:
    """The whole flash. Small chips (STM32L0, L1) refuse it."""
    yield from _command(command)
    field = b"\xff\x00" if command == ERASE else b"\xff\xff\x00"
    yield from _acknowledged(field, command, "data", MASS_ERASE_US)


def go(address: int) -> Procedure[None]:
    """Start the program whose vector table is at address."""
    yield from _command(GO)
    yield from _address(GO, address)


def change_protection(command: int) -> Procedure[None]:
    """WRITE_UNPROTECT, READOUT_PROTECT or READOUT_UNPROTECT (which erases the chip). The chip resets after it."""
    yield from _command(command)
    (last,) = yield from _bytes(1, command, MASS_ERASE_US)
    if last != ACK:
        raise RefusedError(command, "data")
