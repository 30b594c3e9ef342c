"""What a JoinAccept's CFList makes of a channel plan.

Source: RP002-1.0.5 §3.3.1 (page 30): type 0 for dynamic plans alone; type 1, channel masks, in fixed ones (1.0.4 §2.5.4
from memory). Type 1 for dynamic plans, new in RP002-1.0.5, is left out.
"""

from __future__ import annotations

from lorawan.frames.cf_list import parse_cf_list
from lorawan.regions.channel_plan import ChannelPlan

_BYTES = 16
_MASKS = 5  # two bytes each; ten are what 72 channels need, the rest is RFU


def with_cf_list(plan: ChannelPlan, cf_list: bytes) -> ChannelPlan:
    """The plan after an accept with this CFList (empty: none). A list of another type or length is passed over."""
    kind = cf_list[_BYTES - 1] if len(cf_list) == _BYTES else None
    if kind == 0 and not plan.region.fixed:
        return plan.with_frequencies(parse_cf_list(cf_list))
    if kind == 1 and plan.region.fixed:
        return plan.with_ch_masks([int.from_bytes(cf_list[2 * k : 2 * k + 2], "little") for k in range(_MASKS)])
    return plan
