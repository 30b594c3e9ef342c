"""MAC commands beside pamoja (Rust; class A of 1.0.x, relays) and liblora (Python; 1.1, class B), both ways."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import loraopts
import pytest
from hypothesis import given, settings
from pamoja import raw

from lorawan.ids import DevAddr
from lorawan.mac_commands import COMMANDS, MacCommand, encode_commands, parse_commands
from lorawan.strategies import commands_of, mac_commands

EACH = settings(max_examples=100, deadline=None, derandomize=True)

# Our field: pamoja's, where it has another name
PAMOJA_NAMES = {
    "margin_db": "margin", "gw_cnt": "gateways", "ch_mask": "channel_mask", "ch_mask_cntl": "mask_control",
    "nb_trans": "transmissions", "max_d_cycle": "max_duty_cycle", "rx1_dr_offset": "rx1_offset",
    "rx2_dr": "rx2_data_rate", "freq_hz": "frequency_hz", "ch_index": "index", "max_dr": "max_data_rate",
    "min_dr": "min_data_rate", "delay_s": "delay", "max_eirp_index": "max_eirp", "gps_seconds": "seconds",
    "fraction_256": "fraction", "power_ok": "power_ack", "data_rate_ok": "data_rate_ack",
    "channel_mask_ok": "channel_mask_ack", "rx1_dr_offset_ok": "rx1_offset_ack", "rx2_dr_ok": "rx2_data_rate_ack",
    "channel_ok": "channel_ack", "freq_ok": "frequency_ok", "uplink_freq_exists": "uplink_frequency_exists",
    "start_stop": "enabled", "default_ch_idx": "default_channel_index", "second_ch_idx": "second_channel_index",
    "second_ch_dr": "second_channel_data_rate", "second_ch_ack_offset": "second_channel_ack_offset",
    "second_ch_freq_hz": "frequency_hz", "relay_mode_activation": "relay_mode", "filter_list_idx": "index",
    "filter_list_action": "action", "filter_list_eui": "eui", "uplink_list_idx": "index", "w_f_cnt": "wfcnt",
    "ctrl_uplink_action": "action", "reset_limit_counter": "reset_limit_counters",
    "join_req_reload_rate": "join_request_reload_rate", "join_req_limit_size": "join_request_bucket_size",
    "notify_limit_size": "notify_bucket_size", "global_uplink_limit_size": "global_uplink_bucket_size",
    "overall_limit_size": "overall_bucket_size", "cad_periodicity_ok": "cad_periodicity_ack",
    "default_ch_idx_ok": "default_channel_index_ack", "second_ch_idx_ok": "second_channel_index_ack",
    "second_ch_dr_ok": "second_channel_data_rate_ack", "second_ch_ack_offset_ok": "second_channel_ack_offset_ack",
    "second_ch_freq_ok": "second_channel_frequency_ack", "combined_rules_ok": "combined_rules_ack",
    "filter_list_len_ok": "eui_len_ack", "filter_list_action_ok": "action_ack", "uplink_list_idx_ok": "index_ack",
    "wor_snr_db": "snr_db", "wor_rssi_dbm": "rssi_dbm",
}  # fmt: skip
PAMOJA_OF = {
    ("DevStatusAns", "margin_db"): "snr_margin",
}

# Command: its fields in liblora, in the order of ours. liblora keeps frequencies in 100 Hz, delays of beacons in 30 ms.
LIBLORA = {
    "ResetInd": ("Minor",), "ResetConf": ("Minor",), "LinkCheckReq": (), "LinkCheckAns": ("Margin", "GwCnt"),
    "LinkAdrReq": ("DR", "TXPow", "ChMask", "ChMaskCntl", "NbTrans"), "LinkAdrAns": ("TXPowAck", "DRAck", "ChAck"),
    "DutyCycleAns": (), "RxParamSetupReq": ("RX1DRoff", "RX2DR", "Freq"),
    "RxParamSetupAns": ("RX1DRoffAck", "RX2DRAck", "FreqAck"), "DevStatusReq": (), "DevStatusAns": ("Batt", "Margin"),
    "NewChannelReq": ("Chnl", "Freq", "MaxDR", "MinDR"), "NewChannelAns": ("DRAck", "ChnlAck"),
    "RxTimingSetupReq": ("Delay",), "RxTimingSetupAns": (), "TxParamSetupReq": ("DnDwell", "UpDwell", "MaxEIRP"),
    "TxParamSetupAns": (), "DlChannelReq": ("Chnl", "Freq"), "DlChannelAns": ("ChnlAck", "FreqAck"),
    "RekeyInd": ("Minor",), "RekeyConf": ("Minor",), "AdrParamSetupReq": ("Limit", "Delay"), "AdrParamSetupAns": (),
    "DeviceTimeReq": (), "DeviceTimeAns": ("epoch_secs", "frac"),
    "ForceRejoinReq": ("Period", "MaxRetries", "RejoinType", "DR"), "RejoinParamSetupReq": ("MaxTimeN", "MaxCountN"),
    "RejoinParamSetupAns": ("TimeAck",), "PingSlotInfoReq": ("Intv",), "PingSlotInfoAns": (),
    "PingSlotChannelReq": ("Freq", "DR"), "PingSlotChannelAns": ("DRAck", "FreqAck"), "BeaconTimingReq": (),
    "BeaconTimingAns": ("Delay", "Chnl"), "BeaconFreqReq": ("Freq",), "BeaconFreqAns": ("FreqAck",),
    "DeviceModeInd": ("DevClass",), "DeviceModeConf": ("DevClass",),
}  # fmt: skip


def both_know(command: MacCommand) -> bool:
    """pamoja refuses a FilterListEUI longer than a JoinEUI and a DevEUI; here the length's five bits all count."""
    return type(command) in PAMOJA_COMMANDS and len(getattr(command, "filter_list_eui", b"")) <= 16


def direction(command: MacCommand) -> str:
    return "Uplink" if command.uplink else "Downlink"


def by_pamoja(name: str, field: str, value: Any) -> tuple[str, Any]:
    """pamoja's name and form of a field."""
    theirs = PAMOJA_OF.get((name, field)) or PAMOJA_NAMES.get(field, field)
    if field == "filter_list_eui":  # most significant byte first there, in a room of 16
        return theirs, value[::-1].ljust(16, b"\x00")
    return theirs, int(value) if isinstance(value, DevAddr) else value


PAMOJA_COMMANDS = [
    command
    for command in COMMANDS
    if raw.lorawan_mac_parse("Uplink" if command.uplink else "Downlink", bytes((command.cid, *bytes(26))))
]


def names_of(commands: list[type[MacCommand]]) -> list[str]:
    return [command.__name__ for command in commands]


@pytest.mark.parametrize("kind", PAMOJA_COMMANDS, ids=names_of(PAMOJA_COMMANDS))
def test_pamoja_reads_and_writes_the_same_commands(kind: type[MacCommand]) -> None:
    @EACH
    @given(command=commands_of(kind).filter(both_know))
    def agree(command: MacCommand) -> None:
        wire = command.encode()
        (found,) = raw.lorawan_mac_parse(direction(command), wire)
        assert found.encode() == wire
        wanted = dict(by_pamoja(kind.__name__, f.name, getattr(command, f.name)) for f in fields(command))
        assert {name: getattr(found, name) for name in wanted} == wanted

    agree()


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(command=mac_commands(uplink=False).filter(both_know))
def test_pamoja_reads_two_commands_in_a_row(command: MacCommand) -> None:
    wire = encode_commands([command, command])
    assert b"".join(found.encode() for found in raw.lorawan_mac_parse("Downlink", wire)) == wire
    assert parse_commands(wire, uplink=False).commands == (command, command)


LIBLORA_COMMANDS = [command for command in COMMANDS if command.__name__ in LIBLORA]


@pytest.mark.parametrize("kind", LIBLORA_COMMANDS, ids=names_of(LIBLORA_COMMANDS))
def test_liblora_reads_and_writes_the_same_commands(kind: type[MacCommand]) -> None:
    theirs = (loraopts.OPTSUP if kind.uplink else loraopts.OPTSDN)[kind.cid]

    @EACH
    @given(command=commands_of(kind))
    def agree(command: MacCommand) -> None:
        wire, found = command.encode(), theirs()
        assert found.decode(wire, 0) == len(wire)
        for field, name in zip(fields(command), LIBLORA[kind.__name__], strict=True):
            value = getattr(command, field.name)
            scale = 100 if field.name == "freq_hz" else 30 if field.name == "delay_ms" else 1
            assert getattr(found, name).value * scale == value, name
        written = bytearray(len(wire))
        found.encode(written, 0)
        assert written == wire

    agree()
