"""Semtech UDP as a scapy layer: the six types, their JSON as fields, PHYPayloads as LoRaWAN headers.

`import bench.capture` binds it to UDP port 1700; `bind_port(port)` adds others. Building is scapy's: a layer made from
fields writes the same datagram.

Source: Semtech PROTOCOL.md (sx1302_hal 2.1.0, protocol 1.6) §3 and §5.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any

from scapy.fields import ByteEnumField, ByteField, ConditionalField, StrField, XLongField, XShortField
from scapy.layers.inet import UDP
from scapy.packet import Packet, Raw, bind_layers

from bench.capture.lorawan import PhyPayload

GWMP_PORT = 1700  # of the reference forwarder's global_conf.json (sx1302_hal 2.1.0)
TYPES = {0: "PUSH_DATA", 1: "PUSH_ACK", 2: "PULL_DATA", 3: "PULL_RESP", 4: "PULL_ACK", 5: "TX_ACK"}
_WITH_EUI = (0, 2, 5)


class JsonField(StrField):
    """Text that `show` spells out, a line for each value: rxpk[0].freq = 868.1."""

    def i2repr(self, pkt: Packet | None, x: Any) -> str:  # noqa: ARG002 - scapy's signature
        """How `show` and `repr` print it."""
        text = bytes(x or b"").rstrip(b"\0").strip()
        try:
            lines = list(_flat("", json.loads(text))) if text else []
        except (ValueError, RecursionError):
            return repr(x)
        return "\n    ".join(["", *lines]) if lines else repr(x)


def _flat(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{path}.{name}" if path else str(name), inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _flat(f"{path}[{number}]", inner)
    else:
        yield f"{path} = {value!r}"


class SemtechUDP(Packet):
    """One datagram. `body` is the JSON text as it came; `objects`, `rxpks` and `txpk` are what it says."""

    name = "Semtech UDP"
    fields_desc = [  # noqa: RUF012 - scapy asks for a list
        ByteField("version", 2),
        XShortField("token", 0),
        ByteEnumField("kind", 0, TYPES),
        ConditionalField(XLongField("gateway_eui", 0), lambda packet: packet.kind in _WITH_EUI),
        JsonField("body", b""),
    ]

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **_named: Any) -> type[Packet]:
        """What is too short for its own header stays bytes."""
        if _pkt and (len(_pkt) < 4 or (_pkt[3] in _WITH_EUI and len(_pkt) < 12)):
            return Raw
        return cls

    @property
    def objects(self) -> dict[str, Any]:
        """The JSON's root object; empty where there is none that can be read."""
        text = bytes(self.body).rstrip(b"\0").strip()
        if not text:
            return {}
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def rxpks(self) -> list[dict[str, Any]]:
        """The frames of a PUSH_DATA, as their JSON objects."""
        found = self.objects.get("rxpk")
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []

    @property
    def stat(self) -> dict[str, Any]:
        """The status report of a PUSH_DATA."""
        return self._object("stat")

    @property
    def txpk(self) -> dict[str, Any]:
        """The frame that a PULL_RESP asks for."""
        return self._object("txpk")

    @property
    def txpk_ack(self) -> dict[str, Any]:
        """What a TX_ACK says."""
        return self._object("txpk_ack")

    @property
    def frames(self) -> list[PhyPayload]:
        """The LoRaWAN frames in it, dissected: of every rxpk whose data is base64, or of the txpk."""
        found = []
        for item in (*self.rxpks, self.txpk):
            payload = payload_of(item)
            if payload:
                found.append(PhyPayload(payload))
        return found

    def mysummary(self) -> str:
        """One line, as scapy prints it."""
        eui = f" {self.gateway_eui:016x}" if self.kind in _WITH_EUI and self.gateway_eui is not None else ""
        inside = ", ".join(frame.mysummary() for frame in self.frames)
        error = self.txpk_ack.get("error")
        tail = f" ({inside})" if inside else f" {error!r}" if error else " stat" if self.stat else ""
        return f"{TYPES.get(self.kind, self.kind)} {self.token:04x}{eui}{tail}"

    def _object(self, name: str) -> dict[str, Any]:
        found = self.objects.get(name)
        return found if isinstance(found, dict) else {}


def payload_of(item: dict[str, Any]) -> bytes:
    """The PHYPayload of an rxpk or txpk object; empty where data is missing or is not base64."""
    text = item.get("data")
    if not isinstance(text, str):
        return b""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=None, validate=True)
    except (binascii.Error, ValueError):
        return b""


def bind_port(port: int) -> None:
    """Dissect UDP to or from this port as Semtech UDP."""
    bind_layers(UDP, SemtechUDP, dport=port)
    bind_layers(UDP, SemtechUDP, sport=port)


bind_port(GWMP_PORT)
