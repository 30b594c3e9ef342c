"""What the device does with a block of LinkADRReqs. Source: LoRaWAN 1.0.4 §5.2, RP002-1.0.4 §2.4.5 (ChMaskCntl)."""

from __future__ import annotations

from collections.abc import Sequence

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import LinkAdrAns, LinkAdrReq


def link_adr(block: Sequence[LinkAdrReq], device: CommandContext) -> None:
    """One atomic block: masks applied in order, the rest from the last command; all three must be acceptable.

    Each request of the block is answered, all alike.
    """
    session, rules = device.session, device.rules
    mask, mask_ok = session.ch_mask, True
    defined = sum(1 << i for i, channel in enumerate(session.channels) if channel is not None)
    for request in block:
        if request.ch_mask_cntl == 0:
            mask = request.ch_mask
        elif request.ch_mask_cntl == 6:
            mask = defined
        else:
            mask_ok = False
    mask_ok = mask_ok and mask != 0 and mask & ~defined == 0
    last = block[-1]
    keep = rules.adr_index_15_keeps
    dr = session.dr if last.data_rate == 15 and keep else last.data_rate
    power = session.tx_power_index if last.tx_power == 15 and keep else last.tx_power
    used = [ch for i, ch in enumerate(session.channels) if ch is not None and (mask >> i & 1 or not mask_ok)]
    dr_ok = any(channel.min_dr <= dr <= channel.max_dr for channel in used)
    power_ok = 0 <= power <= device.region.max_tx_power_index
    if mask_ok and dr_ok and power_ok:
        session.ch_mask, session.dr, session.tx_power_index = mask, dr, power
        if last.nb_trans:
            session.nb_trans = last.nb_trans
        elif rules.nb_trans_zero_is_default:
            session.nb_trans = 1
    answer = LinkAdrAns(power_ok=power_ok, data_rate_ok=dr_ok, channel_mask_ok=mask_ok)
    device.out.add(answer, times=len(block))
