"""YMODEM, and XMODEM below it: a file over a line in blocks of 128 or 1024 bytes with CRC-16.

Source: Chuck Forsberg, XMODEM/YMODEM Protocol Reference, 1988-10-14, chapters 4 to 8. EOT is answered NAK once and
sent again, as its chapter 7 advises and as boards' loaders expect.
"""

from __future__ import annotations

from binascii import crc_hqx
from dataclasses import dataclass

from gateway_fw.errors import FlashError
from gateway_fw.flash.procedure import Exchange, Procedure, Progress

SOH, STX, EOT, ACK, NAK, CAN, ASK_CRC = 0x01, 0x02, 0x04, 0x06, 0x15, 0x18, 0x43
PAD = 0x1A
SMALL, LARGE = 128, 1024
MAX_FILE_BYTES = 64 << 20  # [assumption] see read_image.MAX_FILE_BYTES
MAX_NAME_BYTES = 100  # [assumption] with the size, inside the 128 bytes of a small block 0

START_US = 60_000_000  # chapter 5: a receiver asks about every 3 s; a board may erase first
ANSWER_US = 10_000_000  # chapter 5: the sender waits 10 s or more
BETWEEN_US = 1_000_000  # chapter 5: one second between characters
TRIES = 10  # [assumption] in a row, before a transfer is given up


class TransferError(FlashError):
    """The other end cancelled, went silent, or answered what the protocol has not."""


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """size: as block 0 says, or None (XMODEM, and then data ends with padding)."""

    name: str
    data: bytes
    size: int | None


def crc16(data: bytes) -> int:
    """CRC-16 with polynomial 0x1021, from 0."""
    return crc_hqx(data, 0)


def block(number: int, data: bytes, *, size: int) -> bytes:
    """One block on the wire; data is padded to size, which is 128 or 1024. Block 0 is padded with NUL."""
    body = data.ljust(size, b"\0" if number == 0 and size == SMALL else bytes([PAD]))
    head = bytes([SOH if size == SMALL else STX, number & 0xFF, ~number & 0xFF])
    return head + body + crc16(body).to_bytes(2, "big")


def _answer(send: bytes, allowed: bytes, timeout_us: int, what: str) -> Procedure[int]:
    """Send until one of the allowed answers comes. NAK repeats; two CAN end it."""
    for _ in range(TRIES):
        # what waits may be the C that came with the last ACK: only a block of ours makes it stale
        heard = yield Exchange(send, want=1, timeout_us=timeout_us, fresh=bool(send))
        while heard and heard[0] not in allowed:
            if heard[0] == CAN:
                second = yield Exchange(want=1, timeout_us=BETWEEN_US)
                if second == bytes([CAN]):
                    raise TransferError(f"the receiver cancelled at {what}", hint="does the image fit the board?")
            if heard[0] == NAK:
                break
            heard = yield Exchange(want=1, timeout_us=timeout_us)  # noise, or a C that crossed our block
        if heard and heard[0] in allowed:
            return heard[0]
    yield Exchange(bytes([CAN, CAN]))
    raise TransferError(f"no good answer to {what} in {TRIES} tries", hint="is the board's loader waiting?")


def _send_blocks(data: bytes, *, large: bool) -> Procedure[None]:
    at, number = 0, 1
    while at < len(data):
        size = LARGE if large and len(data) - at > SMALL else SMALL
        yield from _answer(
            block(number, data[at : at + size], size=size), bytes([ACK]), ANSWER_US, f"block {number} (byte {at})"
        )
        at, number = min(at + size, len(data)), number + 1
        yield Progress("send", at, len(data))
    for _ in range(TRIES):
        heard = yield from _answer(bytes([EOT]), bytes([ACK, NAK]), ANSWER_US, "the end of the file")
        if heard == ACK:
            return
    raise TransferError("the receiver does not take the end of the file")


def send_xmodem(data: bytes, *, large: bool = True) -> Procedure[None]:
    """XMODEM-1K (or with blocks of 128 bytes): no name, no size; the last block is padded with 0x1A."""
    yield from _answer(b"", bytes([ASK_CRC]), START_US, "the start")
    yield from _send_blocks(data, large=large)


def send_ymodem(name: str, data: bytes, *, large: bool = True) -> Procedure[None]:
    """One file in a batch. name: ASCII, at most 100 bytes, without a path."""
    encoded = name.encode("ascii", "replace")
    if not encoded or len(encoded) > MAX_NAME_BYTES or b"\0" in encoded:
        raise TransferError(f"'{name}' cannot stand in a YMODEM header", hint="1 to 100 ASCII characters")
    yield from _answer(b"", bytes([ASK_CRC]), START_US, "the start")
    header = encoded + b"\0" + str(len(data)).encode()
    yield from _answer(block(0, header, size=SMALL), bytes([ACK]), ANSWER_US, "the header")
    yield from _answer(b"", bytes([ASK_CRC]), ANSWER_US, "the start of the data")
    yield from _send_blocks(data, large=large)
    yield from _answer(b"", bytes([ASK_CRC]), ANSWER_US, "the end of the batch")
    yield from _answer(block(0, b"", size=SMALL), bytes([ACK]), ANSWER_US, "the empty header")


def receive_ymodem(*, batch: bool = True) -> Procedure[list[ReceivedFile]]:
    """What a loader does: every file of a batch, or one XMODEM file (batch=False). For tests and virtual boards."""
    files: list[ReceivedFile] = []
    while True:
        ask = bytes([ASK_CRC])
        name, size = "", None
        if batch:
            header = yield from _receive_block(ask, 0)
            if header is None or header[0] == 0:  # an empty name, whatever follows it
                yield Exchange(bytes([ACK]))
                return files
            name, size = _header(header)
            ask = bytes([ACK, ASK_CRC])
        data = yield from _receive_data(ask, size)
        files.append(ReceivedFile(name, data if size is None else data[:size], size))
        if not batch:
            return files


def _header(body: bytes) -> tuple[str, int | None]:
    name, _, rest = body.partition(b"\0")
    digits = rest.split(b"\0")[0].split(b" ")[0]
    # the digits are from outside: int() refuses more than 4300 of them
    size = int(digits) if digits.isdigit() and len(digits) <= 12 else None
    return name.decode("ascii", "replace"), size


def _receive_data(ask: bytes, size: int | None) -> Procedure[bytes]:
    limit = MAX_FILE_BYTES if size is None else min(size + LARGE, MAX_FILE_BYTES)
    data = bytearray()
    number = 1
    while True:
        body = yield from _receive_block(ask, number)
        if body is None:
            yield Exchange(bytes([ACK]))
            return bytes(data)
        if len(data) + len(body) > limit:
            yield Exchange(bytes([CAN, CAN]))
            raise TransferError(f"more than the {limit} bytes that were announced")
        data += body
        number += 1
        ask = bytes([ACK])


def _receive_block(ask: bytes, number: int) -> Procedure[bytes | None]:
    """The next block's body, or None for the end of the file. A block that comes again is acknowledged again."""
    first = True
    eot_seen = False
    for _ in range(TRIES):
        head = yield Exchange(ask, want=1, timeout_us=3 * BETWEEN_US if first else ANSWER_US)
        if not head:
            ask = ask[-1:] if ask[-1] == ASK_CRC else bytes([NAK])
            continue
        match head[0]:
            case 0x04:
                if eot_seen:
                    return None
                eot_seen, ask = True, bytes([NAK])
            case 0x18:
                second = yield Exchange(want=1, timeout_us=BETWEEN_US)
                if second == bytes([CAN]):
                    raise TransferError("the sender cancelled")
                ask = bytes([NAK])
            case 0x01 | 0x02:
                size = SMALL if head[0] == SOH else LARGE
                rest = yield Exchange(want=size + 4, timeout_us=BETWEEN_US)
                body = rest[2:-2]
                right = len(rest) == size + 4 and rest[0] ^ rest[1] == 0xFF
                right = right and crc16(body) == int.from_bytes(rest[-2:], "big")
                if right and rest[0] == number & 0xFF:
                    return body
                if right and rest[0] == (number - 1) & 0xFF:
                    ask = bytes([ACK])
                    continue
                yield Exchange(want=LARGE + 5, timeout_us=BETWEEN_US, fresh=True)
                ask = bytes([NAK])
            case _:
                yield Exchange(want=LARGE + 5, timeout_us=BETWEEN_US, fresh=True)
                ask = bytes([NAK])
        first = False
    yield Exchange(bytes([CAN, CAN]))
    raise TransferError(f"no good block {number} in {TRIES} tries")
