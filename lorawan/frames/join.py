"""Join-Request, Join-Accept (as on air and in clear), Rejoin-Requests, and proprietary frames.

Source: TS001-1.0.4 §6.2.5, §6.2.6; LoRaWAN 1.1 §6.2.3, §6.2.4.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeAlias

import construct

from lorawan.errors import FrameError
from lorawan.frames import layouts
from lorawan.frames.data import checked_mic
from lorawan.frames.header import MAX_PHY_PAYLOAD, MIC_LENGTH, FType
from lorawan.ids import DevAddr, Eui64, NetId

JOIN_REQUEST_LENGTH: Final = 23
JOIN_ACCEPT_LENGTHS: Final = (17, 33)
CF_LIST_LENGTH: Final = 16
JOIN_ACCEPT_MHDR: Final = bytes((FType.JOIN_ACCEPT << 5,))
_REJOIN_LENGTHS: Final = {0: 19, 1: 24, 2: 19}

_JOIN_CLAUSE: Final = "TS001-1.0.4 §6.2.5"
_ACCEPT_CLAUSE: Final = "TS001-1.0.4 §6.2.6"
_REJOIN_CLAUSE: Final = "LoRaWAN 1.1 §6.2.4"


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A device asks to join. dev_nonce: 16 bits. Values out of range raise FrameError when encoded."""

    join_eui: Eui64
    dev_eui: Eui64
    dev_nonce: int
    mic: bytes = bytes(MIC_LENGTH)
    _wire: bytes = field(default=b"", init=False, repr=False, compare=False)

    def message(self) -> bytes:
        """MHDR to DevNonce: what the MIC is over. Raises FrameError."""
        if self._wire:
            return self._wire[:-MIC_LENGTH]
        return _build(
            layouts.JOIN_REQUEST,
            {"mhdr": 0x00, "join_eui": self.join_eui, "dev_eui": self.dev_eui, "dev_nonce": self.dev_nonce},
            "Join-Request",
        )

    def encode(self) -> bytes:
        """The PHYPayload. Raises FrameError."""
        return self._wire or self.message() + checked_mic(self.mic)


@dataclass(frozen=True, slots=True)
class EncryptedJoinAccept:
    """A Join-Accept as on air: 16 or 32 enciphered bytes after MHDR, the MIC among them."""

    encrypted: bytes

    def encode(self) -> bytes:
        """The PHYPayload. Raises FrameError."""
        if len(self.encrypted) + 1 not in JOIN_ACCEPT_LENGTHS:
            raise FrameError(
                f"{len(self.encrypted)} bytes", field="Join-Accept", clause=_ACCEPT_CLAUSE, hint="16 or 32"
            )
        return JOIN_ACCEPT_MHDR + self.encrypted


@dataclass(frozen=True, slots=True)
class JoinAccept:
    """A Join-Accept in clear. join_nonce: 24 bits; rx_delay_s: 0–15 as on the wire, where 0 means 1 s.

    opt_neg: the network speaks 1.1 (RFU before 1.1). cf_list: empty or 16 bytes. Values out of range raise FrameError
    when encoded.
    """

    join_nonce: int
    net_id: NetId
    dev_addr: DevAddr
    opt_neg: bool = False
    rx1_dr_offset: int = 0
    rx2_dr: int = 0
    rx_delay_s: int = 1
    cf_list: bytes = b""

    @classmethod
    def parse(cls, clear: bytes) -> Self:
        """From the deciphered bytes between MHDR and MIC (12 or 28). Raises FrameError."""
        if len(clear) not in (12, 12 + CF_LIST_LENGTH):
            raise FrameError(f"{len(clear)} bytes", field="Join-Accept", clause=_ACCEPT_CLAUSE, hint="12 or 28")
        raw = layouts.JOIN_ACCEPT.parse(clear)
        return cls(
            join_nonce=raw.join_nonce,
            net_id=NetId(raw.net_id),
            dev_addr=DevAddr(raw.dev_addr),
            opt_neg=raw.dl_settings.opt_neg,
            rx1_dr_offset=raw.dl_settings.rx1_dr_offset,
            rx2_dr=raw.dl_settings.rx2_dr,
            rx_delay_s=raw.rx_delay["del"],
            cf_list=raw.cf_list,
        )

    def message(self) -> bytes:
        """The cleartext after MHDR, without MIC: 12 or 28 bytes. Raises FrameError."""
        if len(self.cf_list) not in (0, CF_LIST_LENGTH):
            raise FrameError(f"{len(self.cf_list)} bytes", field="CFList", clause=_ACCEPT_CLAUSE, hint="none or 16")
        settings = {"opt_neg": self.opt_neg, "rx1_dr_offset": self.rx1_dr_offset, "rx2_dr": self.rx2_dr}
        return _build(
            layouts.JOIN_ACCEPT,
            {
                "join_nonce": self.join_nonce,
                "net_id": self.net_id,
                "dev_addr": self.dev_addr,
                "dl_settings": settings,
                "rx_delay": {"del": self.rx_delay_s},
                "cf_list": self.cf_list,
            },
            "Join-Accept",
        )


@dataclass(frozen=True, slots=True)
class RejoinRequest02:
    """A Rejoin-Request of type 0 or 2. rj_count: RJcount0, 16 bits. Bad values raise FrameError when encoded."""

    rejoin_type: int
    net_id: NetId
    dev_eui: Eui64
    rj_count: int
    mic: bytes = bytes(MIC_LENGTH)
    _wire: bytes = field(default=b"", init=False, repr=False, compare=False)

    def message(self) -> bytes:
        """MHDR to RJcount0: what the MIC (SNwkSIntKey) is over. Raises FrameError."""
        if self._wire:
            return self._wire[:-MIC_LENGTH]
        if self.rejoin_type not in (0, 2):
            raise FrameError(f"{self.rejoin_type}", field="RejoinType", clause=_REJOIN_CLAUSE, hint="0 or 2")
        fields = {"net_id": self.net_id, "dev_eui": self.dev_eui, "rj_count": self.rj_count}
        layout = layouts.REJOIN_REQUEST_02
        return _build(layout, {"mhdr": 0xC0, "rejoin_type": self.rejoin_type, **fields}, "Rejoin-Request")

    def encode(self) -> bytes:
        """The PHYPayload. Raises FrameError."""
        return self._wire or self.message() + checked_mic(self.mic)


@dataclass(frozen=True, slots=True)
class RejoinRequest1:
    """A Rejoin-Request of type 1. rj_count: RJcount1, 16 bits. Bad values raise FrameError when encoded."""

    join_eui: Eui64
    dev_eui: Eui64
    rj_count: int
    mic: bytes = bytes(MIC_LENGTH)
    _wire: bytes = field(default=b"", init=False, repr=False, compare=False)

    def message(self) -> bytes:
        """MHDR to RJcount1: what the MIC (JSIntKey) is over. Raises FrameError."""
        if self._wire:
            return self._wire[:-MIC_LENGTH]
        fields = {"join_eui": self.join_eui, "dev_eui": self.dev_eui, "rj_count": self.rj_count}
        return _build(layouts.REJOIN_REQUEST_1, {"mhdr": 0xC0, "rejoin_type": 1, **fields}, "Rejoin-Request")

    def encode(self) -> bytes:
        """The PHYPayload. Raises FrameError."""
        return self._wire or self.message() + checked_mic(self.mic)


RejoinRequest: TypeAlias = RejoinRequest02 | RejoinRequest1


@dataclass(frozen=True, slots=True)
class Proprietary:
    """A proprietary frame: whatever follows MHDR. LoRaWAN says nothing of its inside, so no MIC is split off."""

    payload: bytes

    def encode(self) -> bytes:
        """The PHYPayload. Raises FrameError above 255 bytes."""
        if len(self.payload) >= MAX_PHY_PAYLOAD:
            raise FrameError(f"{len(self.payload)} bytes make the frame longer than 255", field="PHYPayload")
        return bytes((FType.PROPRIETARY << 5,)) + self.payload


def parse_join_request(payload: bytes) -> JoinRequest:
    """From a PHYPayload of this type. Raises FrameError."""
    _check_length(payload, JOIN_REQUEST_LENGTH, "a Join-Request", _JOIN_CLAUSE)
    raw = layouts.JOIN_REQUEST.parse(payload)
    frame = JoinRequest(Eui64(raw.join_eui), Eui64(raw.dev_eui), raw.dev_nonce, payload[-MIC_LENGTH:])
    object.__setattr__(frame, "_wire", payload)
    return frame


def parse_join_accept(payload: bytes) -> EncryptedJoinAccept:
    """From a PHYPayload of this type. Raises FrameError."""
    if len(payload) not in JOIN_ACCEPT_LENGTHS:
        raise FrameError(
            f"a Join-Accept of {len(payload)} bytes",
            field="PHYPayload",
            offset=min(len(payload), max(JOIN_ACCEPT_LENGTHS)),
            clause=_ACCEPT_CLAUSE,
            hint="it has 17 or 33",
        )
    return EncryptedJoinAccept(payload[1:])


def parse_rejoin_request(payload: bytes) -> RejoinRequest:
    """From a PHYPayload of this type. Raises FrameError."""
    if len(payload) < 2 or payload[1] not in _REJOIN_LENGTHS:
        found = f"type {payload[1]}" if len(payload) > 1 else "no type"
        raise FrameError(found, field="RejoinType", offset=1, clause=_REJOIN_CLAUSE, hint="there are 0, 1 and 2")
    _check_length(payload, _REJOIN_LENGTHS[payload[1]], f"a Rejoin-Request of type {payload[1]}", _REJOIN_CLAUSE)
    mic = payload[-MIC_LENGTH:]
    frame: RejoinRequest
    if payload[1] == 1:
        raw = layouts.REJOIN_REQUEST_1.parse(payload)
        frame = RejoinRequest1(Eui64(raw.join_eui), Eui64(raw.dev_eui), raw.rj_count, mic)
    else:
        raw = layouts.REJOIN_REQUEST_02.parse(payload)
        frame = RejoinRequest02(raw.rejoin_type, NetId(raw.net_id), Eui64(raw.dev_eui), raw.rj_count, mic)
    object.__setattr__(frame, "_wire", payload)
    return frame


def _check_length(payload: bytes, length: int, what: str, clause: str) -> None:
    if len(payload) != length:
        offset = min(len(payload), length)
        message = f"{what} of {len(payload)} bytes"
        raise FrameError(message, field="PHYPayload", offset=offset, clause=clause, hint=f"it has {length}")


def _build(layout: construct.Construct[Any, Any], values: dict[str, Any], what: str) -> bytes:
    try:
        return layout.build(values)
    except construct.ConstructError as error:
        raise FrameError(f"a value does not fit its field ({error})".replace("\n", " "), field=what) from error
