"""What the device does with a block of LinkADRReqs. Source: LoRaWAN 1.0.4 §5.2, RP002-1.0.4 §2.4.5 (ChMaskCntl)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import LinkAdrAns, LinkAdrReq


def link_adr(block: Sequence[LinkAdrReq], device: CommandContext) -> None:
    """One atomic block: masks applied in order, the rest from the last command; all three must be acceptable.

    Each request of the block is answered, all alike; in 1.1 one answer stands for them all (1.1 §5.3).
    """
    session, rules = device.session, device.rules
    if session.is_1_1 and any(answer.encoded[0] == LinkAdrAns.cid for answer in device.out.given):
        # 1.1 §5.3: only the first block of a downlink is carried out, the others are refused
        device.out.add(LinkAdrAns(power_ok=False, data_rate_ok=False, channel_mask_ok=False))
        return
    masked = session.plan.with_masks((request.ch_mask_cntl, request.ch_mask) for request in block)
    last = block[-1]
    keep = rules.adr_index_15_keeps
    dr = session.dr if last.data_rate == 15 and keep else last.data_rate
    power = session.tx_power_index if last.tx_power == 15 and keep else last.tx_power
    # a refused mask says nothing of the data rate: then any defined channel may carry it
    carriers = masked or replace(session.plan, ch_mask=session.plan.defined_mask)
    dr_ok = bool(carriers.usable(dr)) and carriers.answerable(dr, session.rx1_dr_offset)
    power_ok = 0 <= power <= device.region.max_tx_power_index
    if masked is not None and dr_ok and power_ok:
        session.plan, session.dr, session.tx_power_index = masked, dr, power
        if last.nb_trans or not rules.nb_trans_zero_keeps:
            session.nb_trans = last.nb_trans or 1
    answer = LinkAdrAns(power_ok=power_ok, data_rate_ok=dr_ok, channel_mask_ok=masked is not None)
    device.out.add(answer, times=1 if session.is_1_1 else len(block))
