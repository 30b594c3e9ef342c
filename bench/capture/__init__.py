"""Layers for scapy, which is an optional GPL library: nothing else imports this package.

from bench.capture import SemtechUDP
from scapy.utils import rdpcap

for packet in rdpcap("gateway.pcap"):
    if SemtechUDP in packet:
        print(packet[SemtechUDP].summary())
"""

try:
    import scapy  # noqa: F401
except ImportError as error:
    raise ImportError(
        "bench.capture needs scapy, which is optional (GPL-2.0): pip install 'lorabench[capture]'"
    ) from error

from bench.capture.lorawan import PhyPayload
from bench.capture.semtech_udp import SemtechUDP, bind_port

__all__ = ["PhyPayload", "SemtechUDP", "bind_port"]
