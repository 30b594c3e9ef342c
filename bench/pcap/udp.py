"""UDP datagrams out of captured packets, by link type.

Sources: the tcpdump.org list of link-layer header types; IEEE 802.1Q for tags; RFC 791, RFC 8200, RFC 768.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_IPV4, _IPV6 = 0x0800, 0x86DD
_VLAN_TAGS: Final = (0x8100, 0x88A8, 0x9100)
_UDP: Final = 17
_EXTENSIONS: Final = (0, 43, 60)  # hop-by-hop, routing, destination options: next header, then length in 8 bytes − 1

LINKTYPE_NULL, LINKTYPE_ETHERNET, LINKTYPE_RAW, LINKTYPE_LOOP, LINKTYPE_SLL = 0, 1, 101, 108, 113
LINKTYPE_IPV4, LINKTYPE_IPV6, LINKTYPE_SLL2 = 228, 229, 276
_IP_AT: Final[Mapping[int, int]] = {
    LINKTYPE_NULL: 4,
    LINKTYPE_LOOP: 4,
    LINKTYPE_RAW: 0,
    LINKTYPE_IPV4: 0,
    LINKTYPE_IPV6: 0,
}
_ETHER_TYPE_AT: Final[Mapping[int, tuple[int, int]]] = {  # where the protocol stands, and where it begins
    LINKTYPE_ETHERNET: (12, 14),
    LINKTYPE_SLL: (14, 16),
    LINKTYPE_SLL2: (0, 20),
}
UDP_LINK_TYPES: Final = frozenset(_IP_AT) | frozenset(_ETHER_TYPE_AT)


@dataclass(frozen=True, slots=True)
class Datagram:
    """A UDP datagram. offset: of its payload in the packet."""

    source_port: int
    target_port: int
    payload: bytes
    offset: int


def datagram_of(link_type: int, data: bytes) -> Datagram | None:
    """The datagram in a packet; None for everything else, a fragment of a datagram included."""
    at = _ip_offset(link_type, data)
    if at is None or at >= len(data):
        return None
    version = data[at] >> 4
    start = _udp_v4(data, at) if version == 4 else _udp_v6(data, at) if version == 6 else None
    if start is None or start + 8 > len(data):
        return None
    length = _u16(data, start + 4)
    if length < 8:
        return None
    payload = data[start + 8 : start + length]
    return Datagram(_u16(data, start), _u16(data, start + 2), payload, start + 8)


def _ip_offset(link_type: int, data: bytes) -> int | None:
    if link_type in _IP_AT:
        return _IP_AT[link_type]
    if link_type not in _ETHER_TYPE_AT:
        return None
    type_at, at = _ETHER_TYPE_AT[link_type]
    while len(data) >= at:
        ether_type = _u16(data, type_at)
        if ether_type not in _VLAN_TAGS:
            return at if ether_type in (_IPV4, _IPV6) else None
        type_at, at = at + 2, at + 4
    return None


def _udp_v4(data: bytes, at: int) -> int | None:
    header = 4 * (data[at] & 0x0F)
    if len(data) < at + 20 or header < 20 or data[at + 9] != _UDP:
        return None
    fragment = _u16(data, at + 6) & 0x3FFF  # more-fragments flag and offset
    return None if fragment else at + header


def _udp_v6(data: bytes, at: int) -> int | None:
    if len(data) < at + 40:
        return None
    kind, place = data[at + 6], at + 40
    while kind in _EXTENSIONS and len(data) >= place + 2:
        kind, place = data[place], place + 8 * (data[place + 1] + 1)
    return place if kind == _UDP else None


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")
