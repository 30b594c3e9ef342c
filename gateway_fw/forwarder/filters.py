"""Which received frames are forwarded: by CRC, by NetID, by JoinEUI. No keys are needed for that."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway_fw.gwmp.rxpk import CRC_BAD, CRC_OK, NO_CRC, Rxpk
from lorawan.errors import FrameError
from lorawan.frames.header import FType, peek_dev_addr, peek_f_type, peek_join_eui
from lorawan.ids import DevAddr, Eui64, NetId
from lorawan.machine import Dropped

_CRC_CLAUSE = "lora_pkt_fwd.c: forward_crc_valid, forward_crc_error, forward_crc_disabled"
_FILTER_CLAUSE = "gateway filter"


def dev_addr_block(net_id: NetId) -> tuple[DevAddr, DevAddr]:
    """First and last address of a NetID."""
    return net_id.dev_addr(0), net_id.dev_addr(0xFFFF_FFFF)


@dataclass(frozen=True, slots=True)
class UplinkFilter:
    """What a gateway lets through.

    crc_ok, crc_bad, no_crc: by CRC status; only good frames by default, as in the reference. net_ids: data frames of
    these networks, by DevAddr. join_euis: join requests (and rejoins of type 1) with a JoinEUI in one of these
    inclusive ranges. An empty tuple lets all pass. Frames that carry neither field (proprietary ones, rejoins of types
    0 and 2) pass, and so does what has no good CRC and is let through for that: its fields mean nothing.
    """

    crc_ok: bool = True
    crc_bad: bool = False
    no_crc: bool = False
    net_ids: tuple[NetId, ...] = ()
    join_euis: tuple[tuple[Eui64, Eui64], ...] = ()
    _blocks: tuple[tuple[DevAddr, DevAddr], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_blocks", tuple(dev_addr_block(net_id) for net_id in self.net_ids))

    def refusal(self, rxpk: Rxpk) -> Dropped | None:
        """Why this frame is not forwarded, or None where it is."""
        if not {CRC_OK: self.crc_ok, CRC_BAD: self.crc_bad, NO_CRC: self.no_crc}[rxpk.crc_status]:
            return Dropped("crc", _CRC_CLAUSE, f"status {rxpk.crc_status}")
        if rxpk.crc_status != CRC_OK or not (self.net_ids or self.join_euis):
            return None
        try:
            return self._by_address(rxpk.payload)
        except FrameError as error:
            return Dropped("malformed", error.clause, str(error))

    def _by_address(self, payload: bytes) -> Dropped | None:
        f_type = peek_f_type(payload)
        if f_type.is_data:
            dev_addr = peek_dev_addr(payload)
            if self._blocks and not self._is_ours(dev_addr):
                return Dropped("net_id_filter", _FILTER_CLAUSE, f"DevAddr {dev_addr}")
        elif self.join_euis and (f_type is FType.JOIN_REQUEST or _is_rejoin_1(f_type, payload)):
            join_eui = peek_join_eui(payload)
            if not any(low <= join_eui <= high for low, high in self.join_euis):
                return Dropped("join_eui_filter", _FILTER_CLAUSE, f"JoinEUI {join_eui}")
        return None

    def _is_ours(self, dev_addr: DevAddr) -> bool:
        return any(first <= dev_addr <= last for first, last in self._blocks)


def _is_rejoin_1(f_type: FType, payload: bytes) -> bool:
    return f_type is FType.REJOIN_REQUEST and payload[1:2] == b"\x01"
