"""The month engine: arrays in, arrays out; one exact forward sweep over everybody."""

from radio_sim.batch.engine import Batch, Counters, Records
from radio_sim.batch.records import OUTCOME_NAMES, downlink_columns, uplink_columns
from radio_sim.batch.schedules import Schedules
from radio_sim.batch.world import BatchDevices, BatchGateways, BatchNetwork, BatchWorld, DrawKeys, ForeignTraffic

__all__ = [
    "OUTCOME_NAMES",
    "Batch",
    "BatchDevices",
    "BatchGateways",
    "BatchNetwork",
    "BatchWorld",
    "Counters",
    "DrawKeys",
    "ForeignTraffic",
    "Records",
    "Schedules",
    "downlink_columns",
    "uplink_columns",
]
