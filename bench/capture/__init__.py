"""Layers for scapy, which is an optional GPL library: nothing else imports this package.

from bench.capture import COMMANDS, LoraTap, PhyPayload, SemtechUDP
from scapy.utils import rdpcap

for packet in rdpcap("gateway.pcap"):  # LoRaTap, or Semtech UDP on port 1700
    if SemtechUDP in packet:
        print(packet[SemtechUDP].summary())
    elif PhyPayload in packet:
        print(packet[LoraTap].rssi_dbm, packet[PhyPayload].summary())

link_adr = COMMANDS["LinkADRReq"](data_rate=5, ch_mask=7, nb_trans=1)
frame = LoraTap() / PhyPayload(f_type="UNCONFIRMED_DOWN", dev_addr=0x26000001, f_opts=[link_adr])
"""

try:
    import scapy  # noqa: F401
except ImportError as error:
    raise ImportError(
        "bench.capture needs scapy, which is optional (GPL-2.0): pip install 'lorabench[capture]'"
    ) from error

from bench.capture.loratap import LoraTap
from bench.capture.lorawan import PhyPayload
from bench.capture.mac_commands import BY_NAME as COMMANDS
from bench.capture.mac_commands import CommandLayer, command_layers
from bench.capture.semtech_udp import SemtechUDP, bind_port

__all__ = ["COMMANDS", "CommandLayer", "LoraTap", "PhyPayload", "SemtechUDP", "bind_port", "command_layers"]
