"""Fuzz targets of what reads frames for people: explanations, and the scapy layers.

scapy is told to raise what it would otherwise hide behind raw bytes.
"""

from __future__ import annotations

import json

from scapy.config import conf

from bench.capture.loratap import LoraTap
from bench.capture.lorawan import PhyPayload
from bench.capture.mac_commands import command_layers
from bench.capture.semtech_udp import SemtechUDP
from bench.explain import Known, explain, explain_beacon
from lorawan.errors import FrameError
from lorawan.ids import AesKey
from lorawan.version import Version
from tests.fuzz.contract import Pieces, Target

_KEYS = (
    "f_nwk_s_int_key",
    "s_nwk_s_int_key",
    "nwk_s_enc_key",
    "app_s_key",
    "app_key",
    "nwk_key",
)


def _dissected(layer: type[PhyPayload | SemtechUDP | LoraTap], data: bytes) -> None:
    hides, conf.debug_dissector = conf.debug_dissector, True
    try:
        packet = layer(data)
        packet.show(dump=True)
        packet.mysummary()
        bytes(packet)
    finally:
        conf.debug_dissector = hides


def _commands(data: bytes) -> None:
    for uplink in (True, False):
        assert b"".join(bytes(layer) for layer in command_layers(data, uplink=uplink)) == data


def _explained(data: bytes) -> None:
    """A choice of version, then the frame; deciphered with keys of zeros, so that what is inside is read too."""
    pieces = Pieces(data)
    version = pieces.pick(list(Version))
    known = Known(version, multicast=bool(pieces.byte() & 1), **dict.fromkeys(_KEYS, AesKey(bytes(16))))
    json.dumps(explain(data[2:], known).as_dict())


TARGETS = {
    "beacon_explained": Target(lambda data: explain_beacon(data, 9, Version.V1_0_4), (FrameError,), max_bytes=40),
    "explanations": Target(_explained, (FrameError,), max_bytes=258),
    "scapy_commands": Target(_commands, max_bytes=255),
    "scapy_loratap": Target(lambda data: _dissected(LoraTap, data), max_bytes=300),
    "scapy_lorawan": Target(lambda data: _dissected(PhyPayload, data), max_bytes=255),
    "scapy_semtech_udp": Target(lambda data: _dissected(SemtechUDP, data)),
}
