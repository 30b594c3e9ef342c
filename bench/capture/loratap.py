"""LoRaTap as a scapy layer, bound to link type 270: `rdpcap` of a capture gives LoRaTap / PhyPayload.

Source: LoRaTap (E. de Jong, `loratap.h`); version 0 whole, of version 1 the bytes after the common ones as they are.
"""

from __future__ import annotations

from typing import Any

from scapy.config import conf
from scapy.fields import ByteField, IntField, LenField, SignedByteField, StrLenField, XByteField
from scapy.packet import Packet, Raw, bind_layers

from bench.capture.lorawan import PhyPayload

LINKTYPE_LORATAP = 270
LORAWAN_SYNC_WORD = 0x34
_COMMON_BYTES = 15


class LoraTap(Packet):
    """What the radio said. bandwidth: steps of 125 kHz; rssi: −139 dBm + n, + n/4 where snr is negative; snr: dB/4."""

    name = "LoRaTap"
    fields_desc = [  # noqa: RUF012 - scapy asks for a list
        ByteField("version", 0),
        ByteField("padding", 0),
        LenField("length", None, fmt="H", adjust=lambda _: _COMMON_BYTES),
        IntField("freq_hz", 868_100_000),
        ByteField("bandwidth", 1),
        ByteField("sf", 7),
        ByteField("rssi_packet", 0),
        ByteField("rssi_max", 0),
        ByteField("rssi_current", 0),
        SignedByteField("snr", -128),
        XByteField("sync_word", LORAWAN_SYNC_WORD),
        StrLenField("extension", b"", length_from=lambda packet: max(0, packet.length - _COMMON_BYTES)),
    ]

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **_named: Any) -> type[Packet]:
        """What is too short for a header stays bytes."""
        return Raw if _pkt is not None and len(_pkt) < _COMMON_BYTES else cls

    @property
    def rssi_dbm(self) -> float:
        """RSSI of the packet on the scale that the SNR chooses."""
        return float(-139 + (self.rssi_packet / 4 if self.snr < 0 else self.rssi_packet))

    @property
    def snr_db(self) -> float:
        """SNR in dB."""
        return float(self.snr) / 4


bind_layers(LoraTap, PhyPayload, sync_word=LORAWAN_SYNC_WORD)
conf.l2types.register(LINKTYPE_LORATAP, LoraTap)
