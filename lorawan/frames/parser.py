"""Any PHYPayload to the frame it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from lorawan.errors import FrameError
from lorawan.frames.data import DataDown, DataUp, parse_data
from lorawan.frames.header import MAJOR_R1, MAX_PHY_PAYLOAD, UPLINK, peek_f_type
from lorawan.frames.join import (
    EncryptedJoinAccept,
    JoinRequest,
    Proprietary,
    RejoinRequest,
    parse_join_accept,
    parse_join_request,
    parse_rejoin_request,
)

Frame: TypeAlias = DataUp | DataDown | JoinRequest | EncryptedJoinAccept | RejoinRequest | Proprietary


def parse(payload: bytes, *, uplink: bool | None = None) -> Frame:
    """The frame in a PHYPayload. Nothing is deciphered and no MIC is checked.

    uplink: the direction it was heard in; a frame of the other direction is refused. None takes both. RFU bits are
    passed over. Raises FrameError, and nothing else, whatever the bytes.

    Source: TS001-1.0.4 §4.1–4.3, §6.2; LoRaWAN 1.1 §6.2.4.
    """
    f_type = peek_f_type(payload)
    if len(payload) > MAX_PHY_PAYLOAD:
        raise FrameError(
            f"{len(payload)} bytes",
            field="PHYPayload",
            offset=MAX_PHY_PAYLOAD,
            clause="TS001-1.0.4 §4.1",
            hint="LoRa carries 255",
        )
    if payload[0] & 3 != MAJOR_R1:
        raise FrameError(
            f"version {payload[0] & 3} is unknown", field="Major", offset=0, clause="TS001-1.0.4 §4.2.2", hint="R1 is 0"
        )
    if uplink is not None and UPLINK[f_type] is (not uplink):
        heard = "an uplink" if uplink else "a downlink"
        raise FrameError(f"{f_type.name} came as {heard}", field="FType", offset=0, clause="TS001-1.0.4 §4.2.1")
    return _READERS[f_type](payload)


def _proprietary(payload: bytes) -> Proprietary:
    return Proprietary(payload[1:])


_READERS: tuple[Callable[[bytes], Frame], ...] = (
    parse_join_request,
    parse_join_accept,
    parse_data,
    parse_data,
    parse_data,
    parse_data,
    parse_rejoin_request,
    _proprietary,
)  # by FType
