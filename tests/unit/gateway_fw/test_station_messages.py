"""Basics Station messages against what its documentation, its sources' self-tests and the program itself say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway_fw.errors import StationError
from gateway_fw.station import (
    DeviceClass,
    DnMsg,
    DnTxed,
    RemoteCommand,
    RouterConfig,
    RouterInfo,
    StationDataRate,
    TimeSync,
    Uplink,
    Version,
    Window,
    discovery_of,
    encode,
    encode_discovery,
    eu868_config,
    eui_of,
    id6,
    parse,
    router_info_of,
    share_out,
)
from gateway_fw.station.frames import frame_fields
from gateway_fw.station.limits import DutyCycleGuard, eirp_dbm
from lorawan.ids import Eui64
from lorawan.phy import LoraModulation


@pytest.mark.parametrize(
    ("value", "text"),
    [  # Basics Station 2.0.6, selftest_ujenc.c
        (0x0000000000000000, "::0"),
        (0x0000000000000001, "::1"),
        (0x0000000000020001, "::2:1"),
        (0x0004000000000001, "4::1"),
        (0x0004000300000000, "4:3::"),
        (0x0004000000000000, "4::"),
        (0x0000000300020000, "0:3:2:0"),
    ],
)
def test_id6_is_written_and_read_as_station_does(value: int, text: str) -> None:
    assert id6(Eui64(value)) == text
    assert eui_of(text, "router") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [  # Basics Station 2.0.6, selftest_rt.c and selftest_ujdec.c
        ("12-34-56-78-9a-bc-de-f0", 0x123456789ABCDEF0),
        ("12::34", 0x0012000000000034),
        ("::12:34", 0x0000000000120034),
        ("12:34::", 0x0012003400000000),
        ("1:2:3:4", 0x0001000200030004),
        (7654321, 7654321),
        (-7654321, (1 << 64) - 7654321),
        ("91-A2-B3-C4-D5-E6-F7-08", 0x91A2B3C4D5E6F708),
        ("::", 0),
    ],
)
def test_other_forms_of_an_eui_are_read_as_station_does(text: Any, value: int) -> None:
    assert eui_of(text, "router") == value


@pytest.mark.parametrize("text", ["12:::34", "1:2:3:4:5:6:7:8:9:0", ":12:34", "", "123456", "1:2:3", None, 1 << 64])
def test_what_is_no_eui_is_refused(text: Any) -> None:
    with pytest.raises(StationError, match="router"):
        eui_of(text, "router")


def test_discovery_speaks_id6() -> None:
    assert encode_discovery(Eui64(0x58A0CBFFFE800019)) == '{"router":"58a0:cbff:fe80:19"}'
    assert discovery_of('{"router":1}') == 1
    answer = '{"router":"::1","muxs":"muxs-::0","uri":"ws://localhost:6039/router"}'  # pysys/tcutils.py
    assert router_info_of(answer) == RouterInfo(Eui64(1), "muxs-::0", "ws://localhost:6039/router")
    assert router_info_of('{"error":"Unknown router"}') == RouterInfo(None, error="Unknown router")
    with pytest.raises(StationError, match="uri"):
        router_info_of('{"router":"::1"}')


JOIN = (  # as the program sent it of the frame below
    '{"msgtype":"jreq","MHdr":0,"JoinEui":"F0-3D-29-AC-71-00-00-01","DevEui":"00-11-22-33-44-55-66-77",'
    '"DevNonce":51966,"MIC":-559038737,"RefTime":1795520748.210758,"DR":5,"Freq":868300000,"upinfo":{"rctx":0,'
    '"xtime":2533275062603629,"gpstime":0,"fts":-1,"rssi":-50,"snr":9,"rxtime":1795520748.210759}}'
)
UPLINKS = (  # likewise
    (
        "4001000080820201030701000000",
        '{"msgtype":"updf","MHdr":64,"DevAddr":-2147483647,"FCtrl":130,"FCnt":258,"FOpts":"0307","FPort":-1,'
        '"FRMPayload":"","MIC":1,"RefTime":1795520748.210773,"DR":5,"Freq":868100000,"upinfo":{"rctx":0,'
        '"xtime":2533275062603722,"gpstime":0,"fts":-1,"rssi":-50,"snr":9,"rxtime":1795520748.210773}}',
    ),
    (
        "600100008082020103070100000000",
        '{"msgtype":"dndf","MHdr":96,"DevAddr":-2147483647,"FCtrl":130,"FCnt":258,"FOpts":"0307","FPort":1,'
        '"FRMPayload":"","MIC":0,"RefTime":1795520748.210779,"DR":0,"Freq":868100000,"upinfo":{"rctx":0,'
        '"xtime":2533275062603730,"gpstime":0,"fts":-1,"rssi":-50,"snr":9,"rxtime":1795520748.21078}}',
    ),
    (
        "e0",
        '{"msgtype":"propdf","FRMPayload":"E0","RefTime":1795520748.210784,"DR":5,"Freq":868500000,"upinfo":{"rctx":0,'
        '"xtime":2533275062603735,"gpstime":0,"fts":-1,"rssi":-50,"snr":9,"rxtime":1795520748.210784}}',
    ),
)


@pytest.mark.parametrize(("frame", "text"), UPLINKS)
def test_what_the_program_sent_of_a_frame_is_read_and_written_the_same(frame: str, text: str) -> None:
    uplink = parse(text)
    assert isinstance(uplink, Uplink)
    assert uplink.payload.hex() == frame
    assert encode(uplink) == text


def test_a_join_request_is_put_together_from_its_fields() -> None:
    uplink = parse(JOIN)
    assert isinstance(uplink, Uplink)
    assert uplink.payload.hex() == "00" + "01000071ac293df0" + "7766554433221100" + "feca" + "efbeadde"
    assert (uplink.dr, uplink.freq_hz, uplink.upinfo.snr_db, uplink.upinfo.fine_ns) == (5, 868_300_000, 9.0, None)
    assert encode(uplink) == JOIN
    assert parse(JOIN.replace("JoinEui", "JoinEUI").replace("DevEui", "DevEUI")) == uplink
    assert parse(JOIN.replace("-559038737", "3735928559")) == uplink  # some write it unsigned


def updf(**changes: Any) -> str:
    fields: dict[str, Any] = {
        "msgtype": "updf",
        "MHdr": 64,
        "DevAddr": -2_147_483_647,
        "FCtrl": 0x82,
        "FCnt": 258,
        "FOpts": "0307",
        "FPort": 10,
        "FRMPayload": "CAFE",
        "MIC": 1,
        "DR": 5,
        "Freq": 868_100_000,
        "upinfo": {"rctx": 0, "xtime": 1 << 48 | 5, "rssi": -50, "snr": 9},
    }
    return msgspec.json.encode(fields | changes).decode()


def test_a_data_frame_is_put_together_from_its_fields() -> None:
    uplink = parse(updf())
    assert isinstance(uplink, Uplink)
    assert uplink.payload.hex() == "40" + "01000080" + "82" + "0201" + "0307" + "0a" + "cafe" + "01000000"
    without_port = parse(updf(FPort=-1, FRMPayload=""))
    assert isinstance(without_port, Uplink)
    assert without_port.payload.hex() == "40010000808202010307" + "01000000"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"FOpts": "03"}, "FOpts"),
        ({"FOpts": "030"}, "FOpts"),
        ({"FPort": -1}, "FPort"),
        ({"FPort": 256}, "FPort"),
        ({"MHdr": 0}, "PHYPayload"),  # a join request of 17 bytes
        ({"MHdr": 0xE0}, "MHdr"),
        ({"MHdr": 0x41}, "MHDR"),
        ({"FCnt": 65_536}, "FCnt"),
        ({"FCnt": True}, "FCnt"),
        ({"DevAddr": 1 << 32}, "DevAddr"),
        ({"FRMPayload": "00" * 256}, "FRMPayload"),
        ({"FRMPayload": "00" * 241}, "PHYPayload"),
        ({"DR": 16}, "DR"),
        ({"upinfo": {}}, "upinfo.rctx"),
        ({"upinfo": []}, "upinfo"),
        ({"msgtype": "upgrade"}, "msgtype"),
        ({"msgtype": None}, "msgtype"),
    ],
)
def test_fields_that_make_no_frame_are_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(StationError) as raised:
        parse(updf(**changes))
    assert raised.value.field == field


@pytest.mark.parametrize("length", [19, 24])
def test_true_rejoin_requests_have_no_message_as_station_takes_them_for_23_bytes(length: int) -> None:
    with pytest.raises(StationError, match="23"):
        frame_fields(b"\xc0" + bytes(length - 1))


def test_a_class_a_downlink_is_read_and_written() -> None:
    text = (
        '{"msgtype":"dnmsg","DevEui":"00-00-00-00-11-00-00-01","dC":0,"diid":7,"pdu":"0A0B0C","RxDelay":0,"RX1DR":5,'
        '"RX1Freq":868100000,"RX2DR":0,"RX2Freq":869525000,"priority":3,"xtime":281474976710661,"rctx":0,"MuxTime":1.5}'
    )
    message = parse(text)
    assert message == DnMsg(
        dev_eui=Eui64(0x11000001),
        device_class=DeviceClass.A,
        diid=7,
        pdu=b"\x0a\x0b\x0c",
        rx_delay_s=1,
        rx1=Window(5, 868_100_000),
        rx2=Window(0, 869_525_000),
        priority=3,
        xtime=1 << 48 | 5,
        rctx=0,
        mux_time_s=1.5,
    )
    assert msgspec.json.decode(encode(message)) == msgspec.json.decode(text) | {"RxDelay": 1}


@pytest.mark.parametrize(
    ("fields", "lacking"),
    [
        ({"dC": 0, "RX1DR": 5, "RX1Freq": 1}, "xtime"),
        ({"dC": 0, "xtime": 5}, "RX1Freq"),
        ({"dC": 0, "xtime": 5, "RX1DR": 5}, "RX1Freq"),
        ({"dC": 1, "DR": 5, "Freq": 1}, "gpstime"),
        ({"dC": 1, "gpstime": 5}, "Freq"),
        ({"dC": 2, "RX1DR": 5, "RX1Freq": 1}, "RX2Freq"),
        ({"dC": 3}, "dC"),
        ({}, "dC"),
    ],
)
def test_a_downlink_that_lacks_what_its_class_needs_is_refused(fields: dict[str, Any], lacking: str) -> None:
    wire = {"msgtype": "dnmsg", "DevEui": "::1", "diid": 1, "pdu": "00"} | fields
    with pytest.raises(StationError) as raised:
        parse(msgspec.json.encode(wire))
    assert raised.value.field == lacking


def test_what_the_program_reports_of_a_transmission_is_read_and_written_the_same() -> None:
    text = (  # as the program sent it
        '{"msgtype":"dntxed","seqno":1,"diid":1,"DR":5,"Freq":868100000,"DevEui":"00-00-00-00-11-00-00-01","rctx":0,'
        '"xtime":2533275063603629,"txtime":18560.828258,"gpstime":0}'
    )
    assert parse(text) == DnTxed(1, Eui64(0x11000001), Window(5, 868_100_000), 0, 2_533_275_063_603_629, 18_560.828258)
    assert encode(parse(text)) == text


def test_what_the_program_says_of_itself_is_read() -> None:
    text = (  # as the program sent it
        '{"msgtype":"version","station":"2.0.6(linux/testsim)","firmware":null,"package":null,"model":"linux",'
        '"protocol":2,"features":"rmtsh"}'
    )
    assert parse(text) == Version("2.0.6(linux/testsim)", 2, "", "", "linux", "rmtsh")


def test_time_sync_has_three_forms_and_no_other() -> None:
    assert parse('{"msgtype":"timesync","txtime":5}') == TimeSync(5)
    assert parse('{"msgtype":"timesync","txtime":5,"gpstime":7,"MuxTime":1.5}') == TimeSync(5, 7, None, 1.5)
    assert parse('{"msgtype":"timesync","xtime":5,"gpstime":7}') == TimeSync(None, 7, 5)
    for text in ('{"msgtype":"timesync"}', '{"msgtype":"timesync","xtime":5}', '{"msgtype":"timesync","gpstime":5}'):
        with pytest.raises(StationError):
            parse(text)


def test_a_remote_command_is_read_and_nothing_made_of_it() -> None:
    assert parse('{"msgtype":"runcmd","command":"ls","arguments":["-l"]}') == RemoteCommand("ls", ("-l",))


EU863 = {  # Basics Station 2.0.6, pysys/tcutils.py
    "msgtype": "router_config",
    "region": "EU868",
    "DRs": [[12, 125, 0], [11, 125, 0], [10, 125, 0], [9, 125, 0], [8, 125, 0], [7, 125, 0], [7, 250, 0], [0, 0, 0]]
    + [[-1, 0, 0]] * 8,
    "max_eirp": 16.0,
    "protocol": 1,
    "freq_range": [863_000_000, 870_000_000],
    "JoinEui": None,
    "NetID": None,
    "bcning": None,
    "config": {},
    "hwspec": "sx1301/1",
    "sx1301_conf": [
        {
            "chan_FSK": {"enable": False},
            "chan_Lora_std": {"enable": False},
            "chan_multiSF_0": {"enable": True, "if": -375_000, "radio": 0},
            "chan_multiSF_4": {"enable": True, "if": -237_500, "radio": 1},
            "radio_0": {"enable": True, "freq": 868_475_000},
            "radio_1": {"enable": True, "freq": 869_287_500},
        }
    ],
    "upchannels": [[868_100_000, 0, 5], [869_050_000, 0, 5]],
}


def test_a_router_config_is_read() -> None:
    config = parse(msgspec.json.encode(EU863))
    assert isinstance(config, RouterConfig)
    assert config.concentrators[0].frequencies_hz() == (868_100_000, 869_050_000)
    assert [config.dr_of(LoraModulation(sf)) for sf in range(12, 6, -1)] == [0, 1, 2, 3, 4, 5]
    assert config.dr_of(LoraModulation(7, 250_000)) == 6
    assert config.data_rates[7] == StationDataRate(0, 0)
    assert (config.net_ids, config.join_euis, config.no_duty_cycle) == (None, None, None)
    for key in ("SX1301_conf", "sx1302_conf", "radio_conf"):
        renamed = {key if name == "sx1301_conf" else name: value for name, value in EU863.items()}
        assert parse(msgspec.json.encode(renamed)) == config


@pytest.mark.parametrize("key", ["region", "DRs", "freq_range", "hwspec", "sx1301_conf"])
def test_a_router_config_without_what_a_gateway_needs_is_refused(key: str) -> None:
    with pytest.raises(StationError) as raised:
        parse(msgspec.json.encode({name: value for name, value in EU863.items() if name != key}))
    assert raised.value.field == key


def test_our_eu868_listens_where_station_listens_by_either_reading() -> None:
    config = eu868_config()
    chip = config.concentrators[0]
    assert chip.radio_freqs_hz == (867_500_000, 868_300_000)  # as the program's log says of its own sharing out
    assert sorted(chip.frequencies_hz()[:8]) == sorted(channel.freq_hz for channel in config.up_channels)
    assert chip.lora_std is not None
    assert (chip.lora_std.radio, chip.lora_std.if_hz, chip.lora_std.bw_hz, chip.lora_std.sf) == (1, 0, 250_000, 7)


def test_channels_that_two_radios_cannot_reach_are_refused() -> None:
    with pytest.raises(StationError, match="869525000"):
        share_out([863_100_000, 868_100_000, 869_525_000])
    with pytest.raises(StationError):
        share_out(range(868_100_000, 868_100_009))


def test_power_is_the_regions_and_only_ever_lowered() -> None:
    assert eirp_dbm("EU868", 868_100_000, None) == 16.0
    assert eirp_dbm("EU868", 869_525_000, None) == 27.0
    assert eirp_dbm("EU868", 869_525_000, 16.0) == 16.0
    assert eirp_dbm("EU868", 868_100_000, 30.0) == 16.0
    assert eirp_dbm("nowhere", 868_100_000, 30.0) == 30.0
    assert eirp_dbm("nowhere", 868_100_000, None) == 14.0


def test_a_band_is_closed_for_its_divisor_times_the_airtime() -> None:
    guard = DutyCycleGuard()
    guard.spend(869_525_000, 1_000_000, 50_000)
    assert not guard.allows(869_400_000, 1_499_999)
    assert guard.allows(869_650_000, 1_500_000)
    assert guard.allows(868_100_000, 1_000_000)
    guard.spend(867_100_000, 0, 50_000)
    assert not guard.allows(866_000_000, 49_999_999)
    assert guard.allows(867_100_000, 50_000_000)
