"""Every frame's bytes, declared once. Joins and rejoins are read and written by these; data frames agree with them.

Source: TS001-1.0.4 §4.1–4.3, §6.2.5, §6.2.6; LoRaWAN 1.1 §6.2.3, §6.2.4.
"""

from __future__ import annotations

from typing import Any, Final

import construct as c

_mhdr = c.BitStruct("f_type" / c.BitsInteger(3), "rfu" / c.BitsInteger(3), "major" / c.BitsInteger(2))


def _f_ctrl(bit_6: str, bit_4: str) -> c.Construct[Any, Any]:
    return c.BitStruct("adr" / c.Flag, bit_6 / c.Flag, "ack" / c.Flag, bit_4 / c.Flag, "f_opts_len" / c.Nibble)


def _data(f_ctrl: c.Construct[Any, Any]) -> c.Construct[Any, Any]:
    return c.Struct(
        "mhdr" / _mhdr,
        "dev_addr" / c.Int32ul,
        "f_ctrl" / f_ctrl,
        "f_cnt" / c.Int16ul,
        "f_opts" / c.Bytes(c.this.f_ctrl.f_opts_len),
        "body" / c.GreedyBytes,  # FPort and FRMPayload, or nothing; the MIC is cut off before
    )


DATA_UP: Final = _data(_f_ctrl("adr_ack_req", "class_b"))
DATA_DOWN: Final = _data(_f_ctrl("rfu", "f_pending"))

JOIN_REQUEST: Final[c.Construct[Any, Any]] = c.Struct(
    "mhdr" / c.Int8ub,
    "join_eui" / c.Int64ul,
    "dev_eui" / c.Int64ul,
    "dev_nonce" / c.Int16ul,
)

JOIN_ACCEPT: Final[c.Construct[Any, Any]] = c.Struct(
    "join_nonce" / c.Int24ul,
    "net_id" / c.Int24ul,
    "dev_addr" / c.Int32ul,
    "dl_settings" / c.BitStruct("opt_neg" / c.Flag, "rx1_dr_offset" / c.BitsInteger(3), "rx2_dr" / c.Nibble),
    "rx_delay" / c.BitStruct("rfu" / c.Padding(4), "del" / c.Nibble),
    "cf_list" / c.GreedyBytes,
)

REJOIN_REQUEST_02: Final[c.Construct[Any, Any]] = c.Struct(
    "mhdr" / c.Int8ub,
    "rejoin_type" / c.Int8ub,
    "net_id" / c.Int24ul,
    "dev_eui" / c.Int64ul,
    "rj_count" / c.Int16ul,
)

REJOIN_REQUEST_1: Final[c.Construct[Any, Any]] = c.Struct(
    "mhdr" / c.Int8ub,
    "rejoin_type" / c.Const(1, c.Int8ub),
    "join_eui" / c.Int64ul,
    "dev_eui" / c.Int64ul,
    "rj_count" / c.Int16ul,
)
