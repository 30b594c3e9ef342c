"""PHYPayloads to frozen dataclasses and back. No keys: see `lorawan.secured`."""

from lorawan.frames.cf_list import encode_cf_list, parse_cf_list
from lorawan.frames.data import MAX_F_OPTS, DataDown, DataFrame, DataUp, FCtrlDown, FCtrlUp
from lorawan.frames.header import (
    MAX_PHY_PAYLOAD,
    MIN_DATA_FRAME,
    FType,
    Mhdr,
    peek_dev_addr,
    peek_f_type,
    peek_join_eui,
)
from lorawan.frames.join import (
    EncryptedJoinAccept,
    JoinAccept,
    JoinRequest,
    Proprietary,
    RejoinRequest,
    RejoinRequest02,
    RejoinRequest1,
)
from lorawan.frames.parser import Frame, parse

__all__ = [
    "MAX_F_OPTS",
    "MAX_PHY_PAYLOAD",
    "MIN_DATA_FRAME",
    "DataDown",
    "DataFrame",
    "DataUp",
    "EncryptedJoinAccept",
    "FCtrlDown",
    "FCtrlUp",
    "FType",
    "Frame",
    "JoinAccept",
    "JoinRequest",
    "Mhdr",
    "Proprietary",
    "RejoinRequest",
    "RejoinRequest02",
    "RejoinRequest1",
    "encode_cf_list",
    "parse",
    "parse_cf_list",
    "peek_dev_addr",
    "peek_f_type",
    "peek_join_eui",
]
