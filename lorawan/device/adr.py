"""The device side of ADR: when it asks for a sign of life, and how it backs off without one.

Source: LoRaWAN 1.0.4 §4.3.1.1 with table 9; 1.0.2, 1.0.3 and 1.1 §4.3.1.1. The last step takes NbTrans back in every
version: 1.0.4 demands it, the erratum TC23-00017 asks it of 1.0.3, and the others do not forbid it.
"""

from __future__ import annotations

from lorawan.device.session import DeviceSession
from lorawan.version import AdrAckReqUntil, VersionRules


def most_robust(session: DeviceSession) -> bool:
    """Whether data rate, power and channels are the default ones (LoRaWAN 1.1 §4.3.1.1)."""
    plan = session.plan
    return plan.next_lower_dr(session.dr) is None and session.tx_power_index == 0 and plan.defaults_enabled


def adr_ack_req(session: DeviceSession, rules: VersionRules) -> bool:
    """Whether the next uplink sets ADRACKReq."""
    if session.adr_ack_cnt < session.adr_ack_limit:
        return False
    match rules.adr_ack_req_until:
        case AdrAckReqUntil.LOWEST_DR:
            return session.plan.next_lower_dr(session.dr) is not None
        case AdrAckReqUntil.MOST_ROBUST:
            return not most_robust(session)
        case AdrAckReqUntil.DOWNLINK:
            return True


def back_off(session: DeviceSession, rules: VersionRules) -> None:
    """Take one step where the counter has come to one: at LIMIT + DELAY, then every DELAY. Called once per new FCnt."""
    over = session.adr_ack_cnt - session.adr_ack_limit
    if over < session.adr_ack_delay or over % session.adr_ack_delay:
        return
    lower_dr = session.plan.next_lower_dr(session.dr)
    if rules.backoff_power_first and session.tx_power_index:
        session.tx_power_index = 0
    elif lower_dr is not None:
        session.tx_power_index = 0
        session.dr = lower_dr
    else:
        session.tx_power_index = 0
        session.nb_trans = 1
        session.plan = session.plan.with_defaults_enabled()
