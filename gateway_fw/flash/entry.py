"""How a board is brought into its bootloader: the bytes its own firmware wants.

Source: sx1302_hal 2.1.0 inc/loragw_mcu.h (order 0x02, BOOTLOADER_MODE); picoGW_hal 0.2.3 util_boot and picoGW_mcu 0.2.1
cmdUSB.cpp (command 'n', status 1);
RAKwireless RUI3 documentation (AT+BOOT).
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway_fw.errors import WrongBoardError
from gateway_fw.flash.procedure import Exchange, Procedure

ANSWER_US = 1_000_000
RESET_S = 0.5  # picoGW_mcu resets 200 ms after its answer; USB takes a moment more


@dataclass(frozen=True, slots=True)
class EntryOrder:
    """send: at 115200 8N1; answer: how its answer begins, empty where there is none that is sure.

    ask, reply, reply_bytes: a question first that changes nothing, how the right firmware's answer begins, and how long
    it is; no question where ask is empty.
    """

    send: bytes
    answer: bytes
    ask: bytes = b""
    reply: bytes = b""
    reply_bytes: int = 0


ORDERS = {
    "corecell-order": EntryOrder(
        b"\x00\x00\x00\x02",
        b"\x00\x00\x00\x42",
        ask=b"\x00\x00\x00\x00",  # PING
        reply=b"\x00\x00\x15\x40",
        reply_bytes=25,
    ),
    "picogw-order": EntryOrder(
        b"n\x00\x00\x00",
        b"n\x00\x00\x01",
        ask=b"l\x00\x04\x00\x01\x0a\x00\x06",  # is it firmware 0x010A0006? Any answer tells a picoGW
        reply=b"l\x00\x08",
        reply_bytes=12,
    ),
    "at-boot": EntryOrder(b"AT+BOOT\r\n", b""),
}


def enter(order: EntryOrder, name: str) -> Procedure[bool]:
    """Ask who is there, then send the order. True where the board confirmed it, or nothing was to be confirmed.

    Raises WrongBoardError where something else answers, or nothing: an order may mean anything to another board.
    """
    if order.ask:
        found = yield Exchange(order.ask, want=order.reply_bytes, timeout_us=ANSWER_US, fresh=True)
        if not found.startswith(order.reply):
            what = f"answers {found[:8].hex()}" if found else "does not answer"
            raise WrongBoardError(
                f"what is on this port {what}: it is no {name} with its firmware running",
                hint="the right port? Where its firmware is broken: enter the bootloader by hand and add --entered",
            )
    answer = yield Exchange(order.send, want=max(4, len(order.answer)), timeout_us=ANSWER_US, fresh=True)
    return answer.startswith(order.answer)
