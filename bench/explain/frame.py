"""Any PHYPayload explained: MHDR here, the rest by type."""

from __future__ import annotations

from bench.explain.clauses import clause
from bench.explain.data import explain_data
from bench.explain.field import Explanation, Field, of_bits, of_bytes
from bench.explain.join import explain_join_accept, explain_join_request, explain_rejoin
from bench.explain.known import Known
from lorawan.frames import (
    DataDown,
    DataUp,
    EncryptedJoinAccept,
    Frame,
    FType,
    JoinRequest,
    Proprietary,
    RejoinRequest02,
    RejoinRequest1,
    parse,
)
from lorawan.version import Version

_F_TYPES = {
    FType.JOIN_REQUEST: "Join-Request, up",
    FType.JOIN_ACCEPT: "Join-Accept, down",
    FType.UNCONFIRMED_UP: "unconfirmed data, up",
    FType.UNCONFIRMED_DOWN: "unconfirmed data, down",
    FType.CONFIRMED_UP: "confirmed data, up: an ACK is due",
    FType.CONFIRMED_DOWN: "confirmed data, down: an ACK is due",
    FType.REJOIN_REQUEST: "Rejoin-Request, up",
    FType.PROPRIETARY: "proprietary",
}


def explain(payload: bytes, known: Known) -> Explanation:
    """Every field of a frame. Raises FrameError, with offset and clause, for what is no frame, and nothing else."""
    frame = parse(payload)
    facts = {"type": FType(payload[0] >> 5).name, "size_bytes": len(payload), "version": known.version.value}
    body = _body(frame, payload, known)
    return Explanation(facts | body.facts, (_mhdr(payload, known.version), *body.fields), body.keys)


def _body(frame: Frame, payload: bytes, known: Known) -> Explanation:
    if isinstance(frame, DataUp | DataDown):
        return explain_data(frame, payload, known)
    if isinstance(frame, JoinRequest):
        return explain_join_request(frame, payload, known)
    if isinstance(frame, EncryptedJoinAccept):
        return explain_join_accept(payload, known)
    if isinstance(frame, RejoinRequest02 | RejoinRequest1):
        return explain_rejoin(frame, payload, known)
    return _proprietary(frame, known.version)


def _mhdr(payload: bytes, version: Version) -> Field:
    byte = payload[0]
    f_type = FType(byte >> 5)
    meaning = _F_TYPES[f_type]
    if f_type is FType.REJOIN_REQUEST and not version.is_1_1:
        meaning += f"; RFU in {version}"
    name = "FType" if version is Version.V1_0_4 else "MType"
    inner = (
        of_bits(name, clause("FType", version), byte, 0, (7, 5), f_type.name, meaning),
        of_bits("RFU", clause("MHDR", version), byte, 0, (4, 2)),
        of_bits("Major", clause("Major", version), byte, 0, (1, 0), meaning="LoRaWAN R1"),
    )
    return of_bytes("MHDR", clause("MHDR", version), payload[:1], 0, inner=inner)


def _proprietary(frame: Proprietary, version: Version) -> Explanation:
    meaning = "LoRaWAN says nothing of what is inside, a MIC included"
    field = of_bytes("MACPayload", clause("FType", version), frame.payload, 1, meaning=meaning)
    facts = {"payload": frame.payload.hex(), "mic": "not checked: a proprietary frame has no MIC that LoRaWAN defines"}
    return Explanation(facts, (field,))
