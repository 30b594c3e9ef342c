"""What a device must remember through a power cut. A restarted core is given the last memory that was persisted.

Source: TR007-1.1.0 §4.13 and §4.14 (values that OTAA and ABP devices shall persist); LoRaWAN 1.1 §6.1.2.6 and §6.2.4.
"""

from __future__ import annotations

from dataclasses import dataclass

from lorawan.crypto import SessionKeys
from lorawan.ids import DevAddr, NetId
from lorawan.multicast import MulticastGroup
from lorawan.regions import Channel


@dataclass(frozen=True, slots=True)
class RadioParameters:
    """What the network has set. Units as in `DeviceSession`, `ChannelPlan` and `ClassBSettings`."""

    channels: tuple[Channel | None, ...]
    ch_mask: int
    uplink_dwell: bool
    downlink_dwell: bool
    max_eirp_dbm: float
    rx1_delay_us: int
    rx1_dr_offset: int
    rx2_dr: int
    rx2_freq_hz: int
    dr: int
    tx_power_index: int
    nb_trans: int
    adr_ack_limit: int
    adr_ack_delay: int
    max_d_cycle: int
    rejoin_max_count: int | None
    rejoin_max_time_us: int | None
    ping_slot_freq_hz: int
    ping_slot_dr: int | None
    beacon_freq_hz: int
    ping_periodicity: int | None


@dataclass(frozen=True, slots=True)
class SessionMemory:
    """A session at rest.

    f_cnt_up_reserved: counters below this may have been used; a restart goes on from here. n_f_cnt_down, a_f_cnt_down:
    the last accepted. rj_count0: the next to use. announce: the RekeyInd or ResetInd that is not confirmed yet.
    maybe_class_c: the network of a 1.1 device may take it for one of class C.
    """

    dev_addr: DevAddr
    net_id: NetId
    keys: SessionKeys
    is_1_1: bool
    f_cnt_up_reserved: int
    n_f_cnt_down: int | None
    a_f_cnt_down: int | None
    rj_count0: int
    announce: bytes
    maybe_class_c: bool
    parameters: RadioParameters


@dataclass(frozen=True, slots=True)
class GroupMemory:
    """A multicast group at rest. last_f_cnt: the last counter accepted, None for none yet."""

    group: MulticastGroup
    last_f_cnt: int | None


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """What survives a power cut.

    next_dev_nonce: the next counter value (1.0.4 and 1.1). last_join_nonce: −1 before the first accept. next_rj_count1:
    RJcount1 of the next Rejoin-Request of type 1. session: None where a restart joins anew, or begins anew. groups: of
    multicast, which outlive sessions.
    """

    next_dev_nonce: int = 0
    last_join_nonce: int = -1
    next_rj_count1: int = 0
    session: SessionMemory | None = None
    groups: tuple[GroupMemory, ...] = ()
