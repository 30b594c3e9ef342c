"""The head of a LoRaWAN PHYPayload as a scapy layer: what can be read without keys, and the MIC.

Source: TS001-1.0.4 §4.1–4.3 and §6.2; LoRaWAN 1.1 §6.2.4 for Rejoin-Requests.
"""

from __future__ import annotations

import struct
from typing import Any

from scapy.fields import (
    BitEnumField,
    BitField,
    ConditionalField,
    LELongField,
    LEShortField,
    StrField,
    StrLenField,
    XByteField,
    XLEIntField,
    XStrFixedLenField,
)
from scapy.packet import Packet

F_TYPES = {
    0: "JOIN_REQUEST",
    1: "JOIN_ACCEPT",
    2: "UNCONFIRMED_UP",
    3: "UNCONFIRMED_DOWN",
    4: "CONFIRMED_UP",
    5: "CONFIRMED_DOWN",
    6: "REJOIN_REQUEST",
    7: "PROPRIETARY",
}
_JOIN_REQUEST = 0
_DATA = (2, 3, 4, 5)
_UP = (2, 4)
_DOWN = (3, 5)
_MIC_BYTES = 4


def _is_data(packet: Any) -> bool:
    return packet.f_type in _DATA


class PhyPayload(Packet):
    """A frame. FRMPayload, FOpts of 1.1 and the whole of an accept stay enciphered. rest: what has no field here."""

    name = "LoRaWAN PHYPayload"
    fields_desc = [  # noqa: RUF012 - scapy asks for a list
        BitEnumField("f_type", 2, 3, F_TYPES),
        BitField("rfu", 0, 3),
        BitField("major", 0, 2),
        ConditionalField(LELongField("join_eui", 0), lambda p: p.f_type == _JOIN_REQUEST),
        ConditionalField(LELongField("dev_eui", 0), lambda p: p.f_type == _JOIN_REQUEST),
        ConditionalField(LEShortField("dev_nonce", 0), lambda p: p.f_type == _JOIN_REQUEST),
        ConditionalField(XLEIntField("dev_addr", 0), _is_data),
        ConditionalField(BitField("adr", 0, 1), _is_data),
        ConditionalField(BitField("adr_ack_req", 0, 1), lambda p: p.f_type in _UP),
        ConditionalField(BitField("rfu_down", 0, 1), lambda p: p.f_type in _DOWN),
        ConditionalField(BitField("ack", 0, 1), _is_data),
        ConditionalField(BitField("class_b", 0, 1), lambda p: p.f_type in _UP),
        ConditionalField(BitField("f_pending", 0, 1), lambda p: p.f_type in _DOWN),
        ConditionalField(BitField("f_opts_len", 0, 4), _is_data),
        ConditionalField(LEShortField("f_cnt", 0), _is_data),
        ConditionalField(StrLenField("f_opts", b"", length_from=lambda p: p.f_opts_len), _is_data),
        ConditionalField(XByteField("f_port", None), lambda p: _is_data(p) and (p.has_f_port or "f_port" in p.fields)),
        StrField("rest", b""),
        XStrFixedLenField("mic", bytes(_MIC_BYTES), _MIC_BYTES),
    ]

    has_f_port = False

    def pre_dissect(self, s: bytes) -> bytes:
        """Whether there is an FPort hangs on what is left before the MIC."""
        if s and s[0] >> 5 in _DATA and len(s) > 5:
            self.has_f_port = len(s) - _MIC_BYTES > 8 + (s[5] & 0x0F)
        return s

    def do_dissect(self, s: bytes) -> bytes:
        """The fields before `rest` take what they are long; the MIC is the last four bytes."""
        self.raw_packet_cache = s
        body, mic = (s[:-_MIC_BYTES], s[-_MIC_BYTES:]) if len(s) > _MIC_BYTES else (s, b"")
        for field in self.fields_desc[:-2]:
            if not body:
                break
            try:
                body, value = field.getfield(self, body)
            except struct.error:  # the frame is cut short: what is left of it is the rest
                break
            if value is not None:
                self.fields[field.name] = value
        self.fields["rest"], self.fields["mic"] = body, mic
        return b""

    def mysummary(self) -> str:
        """One line, as scapy prints it."""
        kind = F_TYPES[self.f_type]
        if _is_data(self) and "f_cnt" in self.fields:
            return f"{kind} {self.dev_addr:08x} FCnt {self.f_cnt}"
        if self.f_type == _JOIN_REQUEST and "dev_nonce" in self.fields:
            return f"{kind} {self.dev_eui:016x} DevNonce {self.dev_nonce}"
        return kind
