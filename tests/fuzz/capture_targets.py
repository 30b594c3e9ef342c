"""Fuzz targets of the scapy layers, with scapy told to raise what it would otherwise hide behind raw bytes."""

from __future__ import annotations

from scapy.config import conf

from bench.capture.lorawan import PhyPayload
from bench.capture.semtech_udp import SemtechUDP
from tests.fuzz.contract import Target


def _dissected(layer: type[PhyPayload | SemtechUDP], data: bytes) -> None:
    hides, conf.debug_dissector = conf.debug_dissector, True
    try:
        packet = layer(data)
        packet.show(dump=True)
        packet.mysummary()
        bytes(packet)
    finally:
        conf.debug_dissector = hides


TARGETS = {
    "scapy_lorawan": Target(lambda data: _dissected(PhyPayload, data), max_bytes=255),
    "scapy_semtech_udp": Target(lambda data: _dissected(SemtechUDP, data)),
}
