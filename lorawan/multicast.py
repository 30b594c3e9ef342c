"""Multicast groups: an address that several devices share, with its keys, its counters and where it is heard.

Source: LoRaWAN 1.1 §11.2.2 and §17.2; that TS001-1.0.4 §9.3.2 and §15 say the same is from memory. TS005-2.0.0 §4.3
(page 11) for the lower end of the counters; the upper one, TS005-1.0.0 §4.3, as implementations quote it.
"""

from __future__ import annotations

from dataclasses import dataclass

from lorawan.crypto import SessionKeys
from lorawan.errors import MisuseError
from lorawan.ids import AesKey, DevAddr
from lorawan.operating_class import OperatingClass
from lorawan.ping_slots import DEFAULT_PERIODICITY, MAX_PERIODICITY

F_CNT_END = 1 << 32


@dataclass(frozen=True, slots=True)
class MulticastGroup:
    """A group as both ends know it.

    f_cnt_min, f_cnt_max: a frame is taken where f_cnt_min ≤ its counter < f_cnt_max. freq_hz 0, data_rate None: as for
    unicast downlinks of the class. periodicity: of class B ping slots.
    """

    mc_addr: DevAddr
    mc_nwk_s_key: AesKey
    mc_app_s_key: AesKey
    operating_class: OperatingClass
    f_cnt_min: int = 0
    f_cnt_max: int = F_CNT_END
    freq_hz: int = 0
    data_rate: int | None = None
    periodicity: int = DEFAULT_PERIODICITY

    def __post_init__(self) -> None:
        if self.operating_class is OperatingClass.A:
            raise MisuseError("multicast is for classes B and C")
        if not 0 <= self.f_cnt_min <= self.f_cnt_max <= F_CNT_END:
            raise MisuseError(f"counters from {self.f_cnt_min} to {self.f_cnt_max}: 0 to 2^32, in this order")
        if not 0 <= self.periodicity <= MAX_PERIODICITY:
            raise MisuseError(f"periodicity {self.periodicity}: 0 to {MAX_PERIODICITY}")

    @property
    def keys(self) -> SessionKeys:
        """Its keys in the 1.0 form, which sessions of every version use for multicast [as LoRaMac-node does]."""
        return SessionKeys.for_10(self.mc_nwk_s_key, self.mc_app_s_key)
