"""Regional parameters: one algorithm (`ChannelPlan`) over a frozen table per region.

Every region of RP002-1.0.4 is a table; the SF5 and SF6 data rates of RP002-1.0.5 and its CFList type 1 for dynamic
plans are left out.
"""

from lorawan.regions.as923 import AS923_1, AS923_2, AS923_3, AS923_4
from lorawan.regions.au915 import AU915
from lorawan.regions.cf_list import with_cf_list
from lorawan.regions.channel_plan import ChannelPlan
from lorawan.regions.cn470 import CN470_20A, CN470_20B, CN470_26A, CN470_26B
from lorawan.regions.duty_cycle import DutyCycle
from lorawan.regions.eu868 import EU868
from lorawan.regions.join_channels import JoinPlace, join_place, join_places
from lorawan.regions.masks import mask_requests
from lorawan.regions.others import CN779, EU433, IN865, KR920, RU864
from lorawan.regions.region import Channel, ClassB, DataRate, Region, SubBand
from lorawan.regions.us915 import US915

REGIONS: dict[str, Region] = {
    region.name: region
    for region in (
        EU868,
        US915,
        AU915,
        AS923_1,
        AS923_2,
        AS923_3,
        AS923_4,
        CN470_20A,
        CN470_20B,
        CN470_26A,
        CN470_26B,
        EU433,
        CN779,
        KR920,
        IN865,
        RU864,
    )
}
"""Every region by its name."""

__all__ = [
    "AS923_1",
    "AS923_2",
    "AS923_3",
    "AS923_4",
    "AU915",
    "CN470_20A",
    "CN470_20B",
    "CN470_26A",
    "CN470_26B",
    "CN779",
    "EU433",
    "EU868",
    "IN865",
    "KR920",
    "REGIONS",
    "RU864",
    "US915",
    "Channel",
    "ChannelPlan",
    "ClassB",
    "DataRate",
    "DutyCycle",
    "JoinPlace",
    "Region",
    "SubBand",
    "join_place",
    "join_places",
    "mask_requests",
    "with_cf_list",
]
