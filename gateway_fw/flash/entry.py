"""How a board is brought into its bootloader: the bytes its own firmware wants.

Source: sx1302_hal 2.1.0 inc/loragw_mcu.h (order 0x02, BOOTLOADER_MODE); picoGW_hal 0.2.3 util_boot (command 'n');
RAKwireless RUI3 documentation (AT+BOOT).
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway_fw.flash.procedure import Exchange, Procedure

ANSWER_US = 1_000_000
RESET_S = 0.5  # picoGW_mcu resets 200 ms after its answer; USB takes a moment more


@dataclass(frozen=True, slots=True)
class EntryOrder:
    """send: at 115200 8N1; answer: how its answer begins, "" where there is none that is sure."""

    send: bytes
    answer: bytes


ORDERS = {
    "corecell-order": EntryOrder(b"\x00\x00\x00\x02", b"\x00\x00\x00\x42"),
    "picogw-order": EntryOrder(b"n\x00\x00\x00", b"n"),
    "at-boot": EntryOrder(b"AT+BOOT\r\n", b""),
}


def enter(order: EntryOrder) -> Procedure[bool]:
    """Send the order. True where the board confirmed it, or nothing was to be confirmed."""
    answer = yield Exchange(order.send, want=max(4, len(order.answer)), timeout_us=ANSWER_US, fresh=True)
    return answer.startswith(order.answer)
