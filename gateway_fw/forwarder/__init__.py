"""The packet forwarder: filters, just-in-time downlink queue, statistics and configuration on Semtech UDP."""

from gateway_fw.forwarder.clock import GatewayClock
from gateway_fw.forwarder.config import EU868_POWERS_DBM, BeaconConfig, ForwarderConfig, LinkConfig, TxChain
from gateway_fw.forwarder.core import ForwarderCore, QueueBeacon, Shutdown
from gateway_fw.forwarder.duty_cycle import EU868_SUB_BANDS, DutyCycleGuard, SubBand
from gateway_fw.forwarder.filters import UplinkFilter, dev_addr_block
from gateway_fw.forwarder.jit_queue import JitQueue, Kind
from gateway_fw.forwarder.spool import SpoolConfig
from gateway_fw.forwarder.statistics import IntervalCounters, Totals
from gateway_fw.gwmp.events import DatagramReceived
from gateway_fw.gwmp.gateway import SendDatagram

__all__ = [
    "EU868_POWERS_DBM",
    "EU868_SUB_BANDS",
    "BeaconConfig",
    "DatagramReceived",
    "DutyCycleGuard",
    "ForwarderConfig",
    "ForwarderCore",
    "GatewayClock",
    "IntervalCounters",
    "JitQueue",
    "Kind",
    "LinkConfig",
    "QueueBeacon",
    "SendDatagram",
    "Shutdown",
    "SpoolConfig",
    "SubBand",
    "Totals",
    "TxChain",
    "UplinkFilter",
    "dev_addr_block",
]
