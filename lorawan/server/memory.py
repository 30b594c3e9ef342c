"""What a network must remember of a device through a restart. A new core is given the last memory that was persisted.

A memory is persisted before what depends on it goes out: the accept of a nonce, the downlink of a counter.

Source: LoRaWAN 1.0.4 §6.2.5 and 1.1 §6.2.2 to §6.2.4 (nonces), 1.0.4 §4.3.1.5 (counters).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from lorawan.crypto import SessionKeys
from lorawan.ids import DevAddr, Eui64
from lorawan.mac_commands import MacCommand
from lorawan.operating_class import OperatingClass
from lorawan.ping_slots import DEFAULT_PERIODICITY
from lorawan.server.picture import LinkSettings, Picture

Request: TypeAlias = tuple[MacCommand, ...]
"""What is asked as one: a command, or a block of LinkADRReqs."""


@dataclass(frozen=True, slots=True)
class JoinMemory:
    """The join server's memory of a device.

    dev_nonces: all that were taken, where they are random (1.0.2, 1.0.3). last_dev_nonce: where they count, −1 before
    the first. join_nonce: of the last accept, 0 before the first. rj_count1: the last taken, −1 before the first.
    join_eui: of the last join, for the accepts that answer rejoins.
    """

    dev_nonces: frozenset[int] = frozenset()
    last_dev_nonce: int = -1
    join_nonce: int = 0
    rj_count1: int = -1
    join_eui: Eui64 | None = None


@dataclass(frozen=True, slots=True)
class ClassMemory:
    """A device's class and where it listens between uplinks. Frequencies 0 and data rate None: the region's."""

    operating_class: OperatingClass = OperatingClass.A
    periodicity: int = DEFAULT_PERIODICITY
    ping_slot_freq_hz: int = 0
    ping_slot_dr: int | None = None
    beacon_freq_hz: int = 0


@dataclass(frozen=True, slots=True)
class SessionMemory:
    """A session's memory.

    f_cnt_up: the last accepted, None before the first. n_f_cnt_down, a_f_cnt_down: the next to use (1.0 has only the
    first). rj_count0: the last taken, −1 before the first. conf_f_cnt_down: of the last confirmed downlink, None
    before the first or once it was acknowledged; last_conf_f_cnt: what the last accepted uplink acknowledged.
    begun: whether the device has shown that it has the session. waiting, sent: requests not yet sent, and not answered.
    """

    picture: Picture
    link: LinkSettings | None = None
    f_cnt_up: int | None = None
    n_f_cnt_down: int = 0
    a_f_cnt_down: int = 0
    rj_count0: int = -1
    conf_f_cnt_down: int | None = None
    last_conf_f_cnt: int = 0
    begun: bool = False
    waiting: tuple[Request, ...] = ()
    sent: tuple[Request, ...] = ()
    classes: ClassMemory = ClassMemory()


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session over the air or by personalisation, with its keys. is_1_1: in the 1.1 form."""

    dev_addr: DevAddr
    keys: SessionKeys
    is_1_1: bool
    memory: SessionMemory


@dataclass(frozen=True, slots=True)
class ServerMemory:
    """All of a device. session: the one in use. offered: accepts that no uplink has answered yet, newest first."""

    join: JoinMemory = JoinMemory()
    session: KeptSession | None = None
    offered: tuple[KeptSession, ...] = ()
