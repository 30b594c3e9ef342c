"""The packet forwarder: filters, just-in-time downlink queue, statistics and configuration on Semtech UDP."""

from gateway_fw.forwarder.clock import GatewayClock
from gateway_fw.forwarder.config import EU868_POWERS_DBM, ForwarderConfig, TxChain
from gateway_fw.forwarder.core import ForwarderCore, QueueBeacon
from gateway_fw.forwarder.filters import UplinkFilter, dev_addr_block
from gateway_fw.forwarder.jit_queue import JitQueue, Kind
from gateway_fw.forwarder.statistics import IntervalCounters
from gateway_fw.gwmp.events import DatagramReceived
from gateway_fw.gwmp.gateway import SendDatagram

__all__ = [
    "EU868_POWERS_DBM",
    "DatagramReceived",
    "ForwarderConfig",
    "ForwarderCore",
    "GatewayClock",
    "IntervalCounters",
    "JitQueue",
    "Kind",
    "QueueBeacon",
    "SendDatagram",
    "TxChain",
    "UplinkFilter",
    "dev_addr_block",
]
