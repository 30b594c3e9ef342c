"""MAC commands against bytes laid out by hand from the tables of TS001-1.0.4 §5 and §12, LoRaWAN 1.1 §5 and §18.

Relay commands after ChirpStack lrwn and Semtech's LoRa Basics Modem, which agree on these.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lorawan import mac_commands as mac
from lorawan.errors import FrameError
from lorawan.ids import AesKey, DevAddr
from lorawan.mac_commands import (
    COMMANDS,
    AdrParamSetupAns,
    AdrParamSetupReq,
    DeviceTimeAns,
    DeviceTimeReq,
    DevStatusAns,
    DevStatusReq,
    DlChannelAns,
    DlChannelReq,
    DutyCycleAns,
    DutyCycleReq,
    ForceRejoinReq,
    LinkAdrAns,
    LinkAdrReq,
    LinkCheckAns,
    LinkCheckReq,
    MacCommand,
    NewChannelAns,
    NewChannelReq,
    ParsedCommands,
    RejoinParamSetupAns,
    RejoinParamSetupReq,
    RekeyConf,
    RekeyInd,
    ResetConf,
    ResetInd,
    RxParamSetupAns,
    RxParamSetupReq,
    RxTimingSetupAns,
    RxTimingSetupReq,
    TxParamSetupAns,
    TxParamSetupReq,
    encode_commands,
    parse_commands,
)

UP, DOWN = True, False
TABLE: list[tuple[bool, str, MacCommand]] = [
    (UP, "01 01", ResetInd(minor=1)),
    (DOWN, "01 01", ResetConf(minor=1)),
    (UP, "02", LinkCheckReq()),
    (DOWN, "02 14 03", LinkCheckAns(margin_db=20, gw_cnt=3)),
    (DOWN, "03 52 07f0 61", LinkAdrReq(data_rate=5, tx_power=2, ch_mask=0xF007, ch_mask_cntl=6, nb_trans=1)),
    (UP, "03 04", LinkAdrAns(power_ok=True, data_rate_ok=False, channel_mask_ok=False)),
    (UP, "03 01", LinkAdrAns(power_ok=False, data_rate_ok=False, channel_mask_ok=True)),
    (DOWN, "04 0a", DutyCycleReq(max_d_cycle=10)),
    (UP, "04", DutyCycleAns()),
    (DOWN, "05 53 d2ad84", RxParamSetupReq(rx1_dr_offset=5, rx2_dr=3, freq_hz=869_525_000)),
    (UP, "05 04", RxParamSetupAns(rx1_dr_offset_ok=True, rx2_dr_ok=False, channel_ok=False)),
    (UP, "05 02", RxParamSetupAns(rx1_dr_offset_ok=False, rx2_dr_ok=True, channel_ok=False)),
    (DOWN, "06", DevStatusReq()),
    (UP, "06 fe 20", DevStatusAns(battery=254, margin_db=-32)),
    (UP, "06 00 1f", DevStatusAns(battery=0, margin_db=31)),
    (DOWN, "07 03 184f84 50", NewChannelReq(ch_index=3, freq_hz=867_100_000, max_dr=5, min_dr=0)),
    (UP, "07 02", NewChannelAns(data_rate_range_ok=True, freq_ok=False)),
    (DOWN, "08 0f", RxTimingSetupReq(delay_s=15)),
    (UP, "08", RxTimingSetupAns()),
    (DOWN, "09 25", TxParamSetupReq(downlink_dwell=True, uplink_dwell=False, max_eirp_index=5)),
    (UP, "09", TxParamSetupAns()),
    (DOWN, "0a 02 d2ad84", DlChannelReq(ch_index=2, freq_hz=869_525_000)),
    (UP, "0a 02", DlChannelAns(uplink_freq_exists=True, freq_ok=False)),
    (UP, "0b 01", RekeyInd(minor=1)),
    (DOWN, "0b 01", RekeyConf(minor=1)),
    (DOWN, "0c 65", AdrParamSetupReq(limit_exp=6, delay_exp=5)),
    (UP, "0c", AdrParamSetupAns()),
    (UP, "0d", DeviceTimeReq()),
    (DOWN, "0d 78563412 80", DeviceTimeAns(gps_seconds=0x12345678, fraction_256=128)),
    (DOWN, "0e 23 2b", ForceRejoinReq(period=5, max_retries=3, rejoin_type=2, data_rate=3)),
    (DOWN, "0f a4", RejoinParamSetupReq(max_time_n=10, max_count_n=4)),
    (UP, "0f 01", RejoinParamSetupAns(time_ok=True)),
    (UP, "10 05", mac.PingSlotInfoReq(periodicity=5)),
    (DOWN, "10", mac.PingSlotInfoAns()),
    (DOWN, "11 d2ad84 03", mac.PingSlotChannelReq(freq_hz=869_525_000, data_rate=3)),
    (UP, "11 02", mac.PingSlotChannelAns(data_rate_ok=True, freq_ok=False)),
    (UP, "12", mac.BeaconTimingReq()),
    (DOWN, "12 0201 03", mac.BeaconTimingAns(delay_ms=258 * 30, channel=3)),
    (DOWN, "13 d2ad84", mac.BeaconFreqReq(freq_hz=869_525_000)),
    (UP, "13 01", mac.BeaconFreqAns(freq_ok=True)),
    (UP, "20 02", mac.DeviceModeInd(operating_class=2)),
    (DOWN, "20 00", mac.DeviceModeConf(operating_class=0)),
    (
        DOWN,
        "40 9a32 287684",  # settings 1 100 1 01 0011 010
        mac.RelayConfReq(
            start_stop=1,
            cad_periodicity=4,
            default_ch_idx=1,
            second_ch_idx=1,
            second_ch_dr=3,
            second_ch_ack_offset=2,
            second_ch_freq_hz=868_100_000,
        ),
    ),
    (UP, "40 15", mac.RelayConfAns(False, True, False, True, False, True)),
    (
        DOWN,
        "41 0b a57e 287684",
        mac.EndDeviceConfReq(
            relay_mode_activation=2,
            smart_enable_level=3,
            back_off=63,
            second_ch_idx=1,
            second_ch_dr=4,
            second_ch_ack_offset=5,
            second_ch_freq_hz=868_100_000,
        ),
    ),
    (UP, "41 08", mac.EndDeviceConfAns(True, False, False, False)),
    (UP, "41 02", mac.EndDeviceConfAns(False, False, True, False)),
    (DOWN, "42 2000", mac.FilterListReq(filter_list_idx=0, filter_list_action=1, filter_list_eui=b"")),
    (
        DOWN,
        "42 c804 0102030405060708",  # index 1001, action 10, length 01000
        mac.FilterListReq(filter_list_idx=9, filter_list_action=2, filter_list_eui=bytes(range(1, 9))),
    ),
    (
        DOWN,
        "42 d000 000102030405060708090a0b0c0d0e0f",  # the longest list there may be
        mac.FilterListReq(filter_list_idx=1, filter_list_action=2, filter_list_eui=bytes(range(16))),
    ),
    (UP, "42 02", mac.FilterListAns(combined_rules_ok=False, filter_list_len_ok=True, filter_list_action_ok=False)),
    (
        DOWN,
        "43 07 85 04030201 44332211 000102030405060708090a0b0c0d0e0f",
        mac.UpdateUplinkListReq(
            uplink_list_idx=7,
            reload_rate=5,
            bucket_size=2,
            dev_addr=DevAddr(0x01020304),
            w_f_cnt=0x11223344,
            root_wor_s_key=AesKey(bytes(range(16))),
        ),
    ),
    (UP, "43", mac.UpdateUplinkListAns()),
    (DOWN, "44 13", mac.CtrlUplinkListReq(uplink_list_idx=3, ctrl_uplink_action=1)),
    (UP, "44 01 44332211", mac.CtrlUplinkListAns(uplink_list_idx_ok=True, w_f_cnt=0x11223344)),
    (
        DOWN,
        "45 642dd438 da",
        mac.ConfigureFwdLimitReq(
            reset_limit_counter=3,
            join_req_reload_rate=70,
            notify_reload_rate=80,
            global_uplink_reload_rate=90,
            overall_reload_rate=100,
            join_req_limit_size=3,
            notify_limit_size=1,
            global_uplink_limit_size=2,
            overall_limit_size=2,
        ),
    ),
    (UP, "45", mac.ConfigureFwdLimitAns()),
    (
        UP,
        "46 04030201 2a0d",
        mac.NotifyNewEndDeviceReq(dev_addr=DevAddr(0x01020304), wor_snr_db=-10, wor_rssi_dbm=-120),
    ),
]


@pytest.mark.parametrize(("uplink", "wire", "command"), TABLE, ids=str)
def test_a_command_is_the_bytes_of_its_table(uplink: bool, wire: str, command: MacCommand) -> None:
    assert command.encode() == bytes.fromhex(wire)
    assert parse_commands(bytes.fromhex(wire), uplink=uplink) == ParsedCommands((command,), b"")


def test_every_registered_command_stands_in_the_table() -> None:
    assert {type(command) for _, _, command in TABLE} == set(COMMANDS)


@pytest.mark.parametrize(("uplink", "wire", "command"), TABLE, ids=str)
def test_a_command_cut_at_any_byte_ends_the_block(uplink: bool, wire: str, command: MacCommand) -> None:
    whole, before = bytes.fromhex(wire), (LinkCheckReq() if uplink else DevStatusReq())
    for cut in range(1, len(whole)):
        parsed = parse_commands(before.encode() + whole[:cut], uplink=uplink)
        assert parsed == ParsedCommands((before,), whole[:cut])
    assert parse_commands(before.encode() + whole, uplink=uplink).commands == (before, command)


def test_a_filter_list_says_its_own_length() -> None:
    wire = bytes.fromhex("42c8040102030405060708" + "06")
    commands = parse_commands(wire, uplink=False).commands
    assert [type(command) for command in commands] == [mac.FilterListReq, DevStatusReq]
    with pytest.raises(FrameError, match="its payload has 10"):
        mac.FilterListReq.of_payload(wire[1:-2])


def test_a_key_in_a_command_does_not_show() -> None:
    command = mac.UpdateUplinkListReq(7, 5, 2, DevAddr(1), 2, AesKey(b"\x5a" * 16))
    assert "5a5a" not in repr(command)
    assert "ZZZZ" not in repr(command)


def test_reserved_bits_are_passed_over_and_sent_as_zero() -> None:
    parsed = parse_commands(bytes.fromhex("03ff03ffffff0fff"), uplink=True)
    assert parsed.commands[0] == LinkAdrAns(power_ok=True, data_rate_ok=True, channel_mask_ok=True)
    assert parsed.commands[0].encode() == b"\x03\x07"


def test_a_block_is_read_in_order() -> None:
    wire = bytes.fromhex("03500700010320ff000106")
    parsed = parse_commands(wire, uplink=False)
    assert [type(command) for command in parsed.commands] == [LinkAdrReq, LinkAdrReq, DevStatusReq]
    assert encode_commands(parsed.commands) == wire


@pytest.mark.parametrize(
    ("wire", "rest"),
    [
        pytest.param("0680ff06", "80ff06", id="proprietary"),
        pytest.param("060350", "0350", id="cut-short"),
        pytest.param("0600", "00", id="cid-0"),
        pytest.param("0603", "03", id="cid-alone"),
    ],
)
def test_what_is_not_understood_ends_the_block_and_is_kept(wire: str, rest: str) -> None:
    parsed = parse_commands(bytes.fromhex(wire), uplink=False)
    assert parsed == ParsedCommands((DevStatusReq(),), bytes.fromhex(rest))


def test_one_number_means_two_commands_by_direction() -> None:
    assert parse_commands(b"\x02\x01\x02", uplink=False).commands == (LinkCheckAns(1, 2),)
    assert parse_commands(b"\x02\x02", uplink=True).commands == (LinkCheckReq(), LinkCheckReq())


def test_a_command_of_the_other_direction_alone_is_unknown() -> None:
    assert parse_commands(b"\x0e\x00\x00", uplink=True) == ParsedCommands((), b"\x0e\x00\x00")


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: LinkAdrReq(16, 0, 0, 0, 0), "LinkAdrReq.data_rate"),
        (lambda: LinkAdrReq(0, -1, 0, 0, 0), "LinkAdrReq.tx_power"),
        (lambda: LinkAdrReq(0, 0, 0x10000, 0, 0), "LinkAdrReq.ch_mask"),
        (lambda: LinkAdrReq(0, 0, 0, 8, 0), "LinkAdrReq.ch_mask_cntl"),
        (lambda: DevStatusAns(256, 0), "DevStatusAns.battery"),
        (lambda: DevStatusAns(0, 32), "DevStatusAns.margin_db"),
        (lambda: DevStatusAns(0, -33), "DevStatusAns.margin_db"),
        (lambda: NewChannelReq(3, 867_100_050, 5, 0), "NewChannelReq.freq_hz"),
        (lambda: RxParamSetupReq(0, 0, 1_677_721_600), "RxParamSetupReq.freq_hz"),
        (lambda: RxTimingSetupReq(16), "RxTimingSetupReq.delay_s"),
        (lambda: DeviceTimeAns(1 << 32, 0), "DeviceTimeAns.gps_seconds"),
        (lambda: mac.BeaconTimingAns(31, 0), "BeaconTimingAns.delay_ms"),
        (lambda: mac.FilterListReq(0, 0, bytes(32)), "FilterListReq.filter_list_eui"),
        (lambda: mac.NotifyNewEndDeviceReq(DevAddr(0), 12, -15), "NotifyNewEndDeviceReq.wor_snr_db"),
        (lambda: mac.NotifyNewEndDeviceReq(DevAddr(0), -21, -15), "NotifyNewEndDeviceReq.wor_snr_db"),
        (lambda: mac.NotifyNewEndDeviceReq(DevAddr(0), 0, -143), "NotifyNewEndDeviceReq.wor_rssi_dbm"),
        (lambda: mac.NotifyNewEndDeviceReq(DevAddr(0), 0, -14), "NotifyNewEndDeviceReq.wor_rssi_dbm"),
    ],
    ids=[str(number) for number in range(17)],
)
def test_a_value_beyond_its_field_makes_no_command(make: Callable[[], MacCommand], field: str) -> None:
    with pytest.raises(FrameError) as refused:
        make()
    assert refused.value.field == field


def test_a_payload_of_another_length_is_refused() -> None:
    with pytest.raises(FrameError, match="LinkAdrReq: 3 bytes; its payload has 4"):
        LinkAdrReq.of_payload(b"\x00\x00\x00")
