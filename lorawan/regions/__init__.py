"""Regional parameters: one algorithm over a frozen table per region."""

from lorawan.regions.duty_cycle import DutyCycle
from lorawan.regions.eu868 import EU868
from lorawan.regions.plan import Channel, DataRate, Region, SubBand

__all__ = ["EU868", "Channel", "DataRate", "DutyCycle", "Region", "SubBand"]
