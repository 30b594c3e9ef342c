"""PHYPayloads as Basics Station sends them: taken apart into JSON fields by the gateway, put together by the server.

Source: Basics Station 2.0.6, lora.c, s2e_parse_lora_frame; "The LNS Protocol", jreq, updf and propdf.
"""

from __future__ import annotations

from typing import Any

from gateway_fw.errors import StationError
from gateway_fw.station.fields import MAX_PHY_PAYLOAD, Fields
from gateway_fw.station.identifiers import dashed
from lorawan.frames.header import (
    DEV_ADDR_OFFSET,
    F_CTRL_OFFSET,
    F_OPTS_OFFSET,
    JOIN_EUI_OFFSET,
    MIC_LENGTH,
    MIN_DATA_FRAME,
    FType,
    peek_f_type,
)
from lorawan.ids import Eui64

CLAUSE = "Basics Station 2.0.6, lora.c"
JOIN_REQUEST_LENGTH = 23  # MHDR, JoinEUI, DevEUI, DevNonce, MIC: TS001-1.0.4 §6.2.5
NO_F_PORT = -1
_RFU_AND_MAJOR = 0x1F
_F_OPTS_LENGTH = 0x0F

MSGTYPES: dict[FType, str] = {
    FType.JOIN_REQUEST: "jreq",
    FType.JOIN_ACCEPT: "jacc",
    FType.UNCONFIRMED_UP: "updf",
    FType.UNCONFIRMED_DOWN: "dndf",
    FType.CONFIRMED_UP: "updf",
    FType.CONFIRMED_DOWN: "dndf",
    FType.REJOIN_REQUEST: "rejoin",
    FType.PROPRIETARY: "propdf",
}
UPLINK_MSGTYPES = frozenset(MSGTYPES.values())


def frame_fields(payload: bytes) -> dict[str, Any]:
    """The message of a frame: msgtype and its fields. Raises StationError for what Station calls no LoRaWAN frame.

    That is: an empty frame, RFU or Major bits other than 0, fewer than 12 bytes unless proprietary, FOpts longer than
    the frame, a Join- or Rejoin-Request that has not 23 bytes. So a true Rejoin-Request (19 or 24 bytes) never passes.
    """
    if not payload or len(payload) > MAX_PHY_PAYLOAD:
        raise StationError(f"{len(payload)} bytes", field="PHYPayload", offset=0, clause=CLAUSE)
    f_type = peek_f_type(payload)
    msgtype = MSGTYPES[f_type]
    if payload[0] & _RFU_AND_MAJOR:
        raise StationError(f"{payload[0]:#04x}", field="MHDR", offset=0, clause=CLAUSE, hint="RFU and Major are 0")
    if f_type is FType.PROPRIETARY:
        return {"msgtype": msgtype, "FRMPayload": payload.hex().upper()}
    if len(payload) < MIN_DATA_FRAME:
        raise StationError(
            f"{len(payload)} bytes", field="PHYPayload", clause=CLAUSE, hint=f"at least {MIN_DATA_FRAME}"
        )
    if f_type is FType.JOIN_ACCEPT:
        return {"msgtype": msgtype, "FRMPayload": payload.hex().upper()}
    body, mic = payload[:-MIC_LENGTH], int.from_bytes(payload[-MIC_LENGTH:], "little", signed=True)
    if f_type in (FType.JOIN_REQUEST, FType.REJOIN_REQUEST):
        if len(payload) != JOIN_REQUEST_LENGTH:
            raise StationError(f"{len(payload)} bytes", field="PHYPayload", clause=CLAUSE, hint="a join request has 23")
        join_eui, dev_eui = (Eui64.from_wire(body[at : at + 8]) for at in (JOIN_EUI_OFFSET, JOIN_EUI_OFFSET + 8))
        return {
            "msgtype": msgtype,
            "MHdr": payload[0],
            "JoinEui": dashed(join_eui),
            "DevEui": dashed(dev_eui),
            "DevNonce": int.from_bytes(body[-2:], "little"),
            "MIC": mic,
        }
    f_ctrl = payload[F_CTRL_OFFSET]
    port_at = F_OPTS_OFFSET + (f_ctrl & _F_OPTS_LENGTH)
    if port_at > len(body):
        raise StationError("longer than the frame", field="FOpts", offset=F_OPTS_OFFSET, clause=CLAUSE)
    return {
        "msgtype": msgtype,
        "MHdr": payload[0],
        "DevAddr": int.from_bytes(payload[DEV_ADDR_OFFSET:F_CTRL_OFFSET], "little", signed=True),
        "FCtrl": f_ctrl,
        "FCnt": int.from_bytes(payload[F_CTRL_OFFSET + 1 : F_OPTS_OFFSET], "little"),
        "FOpts": payload[F_OPTS_OFFSET:port_at].hex().upper(),
        "FPort": body[port_at] if port_at < len(body) else NO_F_PORT,
        "FRMPayload": body[port_at + 1 :].hex().upper(),
        "MIC": mic,
    }


def frame_of(msgtype: str, fields: Fields) -> bytes:
    """The frame of a message, byte for byte. Raises StationError, also where fields disagree with one another."""
    if msgtype in ("propdf", "jacc"):
        return _checked(msgtype, fields.hex("FRMPayload"))
    head = bytes((fields.whole("MHdr", 0, 255),))
    mic = fields.u32("MIC").to_bytes(MIC_LENGTH, "little")
    if msgtype in ("jreq", "rejoin"):
        join_eui = fields.eui(fields.either("JoinEui", "JoinEUI"))
        dev_eui = fields.eui(fields.either("DevEui", "DevEUI"))
        nonce = fields.whole("DevNonce", 0, 0xFFFF).to_bytes(2, "little")
        return _checked(msgtype, head + join_eui.to_wire() + dev_eui.to_wire() + nonce + mic)
    f_ctrl, f_opts = fields.whole("FCtrl", 0, 255), fields.hex("FOpts")
    if len(f_opts) != f_ctrl & _F_OPTS_LENGTH:
        hint = f"FCtrl says {f_ctrl & _F_OPTS_LENGTH}"
        raise StationError(f"{len(f_opts)} bytes", field="FOpts", clause=CLAUSE, hint=hint)
    f_port, frm_payload = fields.whole("FPort", NO_F_PORT, 255), fields.hex("FRMPayload")
    if f_port == NO_F_PORT and frm_payload:
        raise StationError("-1, but there is an FRMPayload", field="FPort", clause=CLAUSE)
    parts = (
        head,
        fields.u32("DevAddr").to_bytes(4, "little"),
        bytes((f_ctrl,)),
        fields.whole("FCnt", 0, 0xFFFF).to_bytes(2, "little"),
        f_opts,
        b"" if f_port == NO_F_PORT else bytes((f_port,)),
        frm_payload,
        mic,
    )
    return _checked(msgtype, b"".join(parts))


def _checked(msgtype: str, payload: bytes) -> bytes:
    # the one test of what may be: it would be taken apart into the same message
    if frame_fields(payload)["msgtype"] != msgtype:
        raise StationError(f"{payload[0]:#04x} is no {msgtype}", field="MHdr", clause=CLAUSE)
    return payload
