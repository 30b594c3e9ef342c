"""A LoRaWAN PHYPayload as a scapy layer, of every frame type: what can be read without keys, and the MIC.

PhyPayload(f_type="UNCONFIRMED_UP", dev_addr=0x26000001, f_cnt=1, f_opts=[BY_NAME["LinkCheckReq"]()], f_port=1)

Source: TS001-1.0.4 §4.1–4.3 and §6.2; LoRaWAN 1.1 §6.2.4 for Rejoin-Requests.
"""

from __future__ import annotations

import struct
from typing import Any

from scapy.fields import (
    BitEnumField,
    BitField,
    BitFieldLenField,
    ByteField,
    ConditionalField,
    LELongField,
    LEShortField,
    StrField,
    StrLenField,
    XByteField,
    XLE3BytesField,
    XLEIntField,
    XStrField,
    XStrFixedLenField,
)
from scapy.packet import Packet

from bench.capture.mac_commands import command_layers

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
_JOIN_REQUEST, _JOIN_ACCEPT, _REJOIN_REQUEST, _PROPRIETARY = 0, 1, 6, 7
_DATA = (2, 3, 4, 5)
_UP = (2, 4)
_DOWN = (3, 5)
_WITHOUT_MIC = (_JOIN_ACCEPT, _PROPRIETARY)  # an accept's is enciphered with the rest of it
_MIC_BYTES = 4


def _is_data(packet: Any) -> bool:
    return bool(packet.f_type in _DATA)


def _is_join(packet: Any) -> bool:
    return bool(packet.f_type == _JOIN_REQUEST)


def _is_rejoin(packet: Any) -> bool:
    return bool(packet.f_type == _REJOIN_REQUEST)


def _is_rejoin_1(packet: Any) -> bool:
    return bool(_is_rejoin(packet) and packet.rejoin_type == 1)


def _has_mic(packet: Any) -> bool:
    return bool(packet.f_type not in _WITHOUT_MIC)


class CommandsField(StrLenField):
    """FOpts: bytes, or a list of command layers to build from. `show` spells out what stands there in clear."""

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        """Layers become bytes."""
        if isinstance(x, list | tuple):
            return b"".join(bytes(layer) for layer in x)
        return super().any2i(pkt, x)

    def i2repr(self, pkt: Any, x: Any) -> str:
        """How `show` and `repr` print it."""
        if not x or pkt is None or pkt.f_type not in _DATA:
            return repr(x)
        names = [str(layer.name) for layer in command_layers(bytes(x), uplink=pkt.f_type in _UP)]
        return f"{bytes(x).hex()} (in clear: {', '.join(names)})"


class PhyPayload(Packet):
    """A frame. FRMPayload, FOpts of 1.1 and the whole of an accept stay enciphered. rest: what no field holds."""

    name = "LoRaWAN PHYPayload"
    fields_desc = [  # noqa: RUF012 - scapy asks for a list
        BitEnumField("f_type", 2, 3, F_TYPES),
        BitField("rfu", 0, 3),
        BitField("major", 0, 2),
        ConditionalField(ByteField("rejoin_type", 0), _is_rejoin),
        ConditionalField(XLE3BytesField("net_id", 0), lambda p: _is_rejoin(p) and p.rejoin_type != 1),
        ConditionalField(LELongField("join_eui", 0), lambda p: _is_join(p) or _is_rejoin_1(p)),
        ConditionalField(LELongField("dev_eui", 0), lambda p: _is_join(p) or _is_rejoin(p)),
        ConditionalField(LEShortField("dev_nonce", 0), _is_join),
        ConditionalField(LEShortField("rj_count", 0), _is_rejoin),
        ConditionalField(XLEIntField("dev_addr", 0), _is_data),
        ConditionalField(BitField("adr", 0, 1), _is_data),
        ConditionalField(BitField("adr_ack_req", 0, 1), lambda p: p.f_type in _UP),
        ConditionalField(BitField("rfu_down", 0, 1), lambda p: p.f_type in _DOWN),
        ConditionalField(BitField("ack", 0, 1), _is_data),
        ConditionalField(BitField("class_b", 0, 1), lambda p: p.f_type in _UP),
        ConditionalField(BitField("f_pending", 0, 1), lambda p: p.f_type in _DOWN),
        ConditionalField(BitFieldLenField("f_opts_len", None, 4, length_of="f_opts"), _is_data),
        ConditionalField(LEShortField("f_cnt", 0), _is_data),
        ConditionalField(CommandsField("f_opts", b"", length_from=lambda p: p.f_opts_len), _is_data),
        ConditionalField(XByteField("f_port", None), lambda p: _is_data(p) and (p.has_f_port or "f_port" in p.fields)),
        ConditionalField(XStrField("frm_payload", b""), _is_data),
        ConditionalField(XStrField("encrypted", b""), lambda p: p.f_type == _JOIN_ACCEPT),
        StrField("rest", b""),
        ConditionalField(XStrFixedLenField("mic", bytes(_MIC_BYTES), _MIC_BYTES), _has_mic),
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
        with_mic = bool(s) and s[0] >> 5 not in _WITHOUT_MIC and len(s) > _MIC_BYTES
        body, mic = (s[:-_MIC_BYTES], s[-_MIC_BYTES:]) if with_mic else (s, b"")
        for field in self.fields_desc[:-2]:
            if not body:
                break
            try:
                body, value = field.getfield(self, body)
            except struct.error:  # the frame is cut short: what is left of it is the rest
                break
            if value is not None:
                self.fields[field.name] = value
        self.fields["rest"] = body
        if mic:
            self.fields["mic"] = mic
        return b""

    @property
    def commands(self) -> list[Packet]:
        """FOpts taken as clear, one layer a command, as they are before 1.1."""
        return command_layers(bytes(self.f_opts or b""), uplink=self.f_type in _UP) if _is_data(self) else []

    def mysummary(self) -> str:
        """One line, as scapy prints it."""
        kind = F_TYPES[self.f_type]
        if _is_data(self) and "f_cnt" in self.fields:
            return f"{kind} {self.dev_addr:08x} FCnt {self.f_cnt}"
        if self.f_type == _JOIN_REQUEST and "dev_nonce" in self.fields:
            return f"{kind} {self.dev_eui:016x} DevNonce {self.dev_nonce}"
        if self.f_type == _REJOIN_REQUEST and "rj_count" in self.fields:
            return f"{kind} {self.rejoin_type} {self.dev_eui:016x} RJcount {self.rj_count}"
        return kind
