"""The device side of ADR: when it asks for a sign of life, and how it backs off without one.

Source: LoRaWAN 1.0.4 §4.3.1.1 with table 9; 1.0.2, 1.0.3 and 1.1 §4.3.1.1. The last step takes NbTrans back in every
version: 1.0.4 demands it, the erratum TC23-00017 asks it of 1.0.3, and the others do not forbid it.
"""

from __future__ import annotations

from lorawan.device.session import DeviceSession
from lorawan.regions import Region
from lorawan.version import AdrAckReqUntil, VersionRules


def most_robust(session: DeviceSession, region: Region) -> bool:
    """Whether data rate, power and channels are the default ones (LoRaWAN 1.1 §4.3.1.1)."""
    default_mask = region.default_ch_mask
    return (
        session.dr == region.min_dr and session.tx_power_index == 0 and session.ch_mask & default_mask == default_mask
    )


def adr_ack_req(session: DeviceSession, region: Region, rules: VersionRules) -> bool:
    """Whether the next uplink sets ADRACKReq."""
    if session.adr_ack_cnt < session.adr_ack_limit:
        return False
    match rules.adr_ack_req_until:
        case AdrAckReqUntil.LOWEST_DR:
            return session.dr > region.min_dr
        case AdrAckReqUntil.MOST_ROBUST:
            return not most_robust(session, region)
        case AdrAckReqUntil.DOWNLINK:
            return True


def back_off(session: DeviceSession, region: Region, rules: VersionRules) -> None:
    """Take one step where the counter has come to one: at LIMIT + DELAY, then every DELAY. Called once per new FCnt."""
    over = session.adr_ack_cnt - session.adr_ack_limit
    if over < session.adr_ack_delay or over % session.adr_ack_delay:
        return
    if rules.backoff_power_first and session.tx_power_index:
        session.tx_power_index = 0
    elif session.dr > region.min_dr:
        session.tx_power_index = 0
        session.dr -= 1
    else:
        session.tx_power_index = 0
        session.nb_trans = 1
        session.ch_mask |= region.default_ch_mask
