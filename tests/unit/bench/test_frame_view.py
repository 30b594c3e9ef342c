"""MAC commands in a decoded frame: every field can be written as JSON, and a key shows only when asked for."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.cli.frame_view import Known, describe
from lorawan import mac_commands as mac
from lorawan.crypto import SessionKeys
from lorawan.frames import FCtrlDown
from lorawan.ids import AesKey, DevAddr
from lorawan.secured import seal_down

NWK_S_KEY, APP_S_KEY = AesKey(b"n" * 16), AesKey(b"a" * 16)
KNOWN = Known(f_nwk_s_int_key=NWK_S_KEY, s_nwk_s_int_key=NWK_S_KEY, nwk_s_enc_key=NWK_S_KEY, app_s_key=APP_S_KEY)
WOR_KEY = AesKey(bytes(range(16)))


@pytest.mark.parametrize(("show_keys", "shown"), [(False, "hidden"), (True, bytes(range(16)).hex())], ids=str)
def test_relay_commands_are_plain_data(show_keys: bool, shown: str) -> None:
    commands = (
        mac.FilterListReq(filter_list_idx=1, filter_list_action=2, filter_list_eui=b"\x01\x02"),
        mac.UpdateUplinkListReq(7, 5, 2, DevAddr(0x01020304), 9, WOR_KEY),
    )
    frame = seal_down(
        SessionKeys.for_10(NWK_S_KEY, APP_S_KEY),
        is_1_1=False,
        confirmed=False,
        dev_addr=DevAddr(0x26000001),
        f_ctrl=FCtrlDown(adr=False, ack=False, f_pending=False),
        f_cnt=1,
        f_port=0,
        payload=mac.encode_commands(commands),
    )
    view = json.loads(json.dumps(describe(frame, replace(KNOWN, f_cnt=1, show_keys=show_keys))))
    assert view["mic"] == "ok"
    filters, update = view["payload_commands"]
    assert (filters["command"], filters["filter_list_eui"]) == ("FilterListReq", "0102")
    assert (update["dev_addr"], update["root_wor_s_key"]) == ("01020304", shown)
