"""Gateway configurations as Semtech's programs write them, and what is said where one is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_fw.concentrator.setup import EU868_TX_GAINS, Channel, TxGain
from gateway_fw.settings import Server, SettingsError, load_settings, read_semtech, read_toml
from lorawan.ids import Eui64

SX1302 = """{
  "SX130x_conf": {
    "com_type": "USB", "com_path": "/dev/ttyACM0", "lorawan_public": true, "clksrc": 0,
    "antenna_gain": 2, /* in dBi */
    // two radios
    "radio_0": {"enable": true, "type": "SX1250", "freq": 867500000, "rssi_offset": -215.4,
      "rssi_tcomp": {"coeff_a": 0, "coeff_b": 0, "coeff_c": 20.41, "coeff_d": 2162.56, "coeff_e": 0},
      "tx_enable": true, "tx_freq_min": 863000000, "tx_freq_max": 870000000,
      "tx_gain_lut": [{"rf_power": 12, "pa_gain": 0, "pwr_idx": 15}, {"rf_power": 27, "pa_gain": 1, "pwr_idx": 14}]},
    "radio_1": {"enable": true, "type": "SX1250", "freq": 868500000, "rssi_offset": -215.4, "tx_enable": false},
    "chan_multiSF_0": {"enable": true, "radio": 1, "if": -400000},
    "chan_multiSF_7": {"enable": false},
    "chan_Lora_std": {"enable": true, "radio": 1, "if": -200000, "bandwidth": 250000, "spread_factor": 7}
  },
  "gateway_conf": {
    "gateway_ID": "AA555A0000000101",
    "server_address": "localhost", "serv_port_up": 1730, "serv_port_down": 1731,
    "keepalive_interval": 10, "ref_latitude": 47.4, "ref_longitude": 0.8, "ref_altitude": 120,
    "beacon_period": 0, "fake_gps": true
  }
}
"""
SX1301 = """{
    "SX1301_conf": {
        "lorawan_public": true,
        "clksrc": 1, /* radio_1 provides clock to concentrator */
        "radio_0": {"enable": true, "type": "SX1257", "freq": 867500000, "rssi_offset": -166.0, "tx_enable": true,
                    "tx_freq_min": 863000000, "tx_freq_max": 870000000},
        "radio_1": {"enable": true, "type": "SX1257", "freq": 868500000, "rssi_offset": -166.0, "tx_enable": false},
        "chan_multiSF_3": {
            /* Lora MAC channel, 125kHz, all SF, 867.1 MHz */
            "enable": true, "radio": 0, "if": -400000
        },
        "tx_lut_0": {
            /* TX gain table, index 0 */
            "pa_gain": 0, "mix_gain": 8, "rf_power": -6, "dig_gain": 0
        },
        "tx_lut_1": {"pa_gain": 3, "mix_gain": 9, "rf_power": 20, "dig_gain": 1}
    },
    "gateway_conf": {"gateway_ID": "aa555a0000000101", "server_address": "localhost",
        "serv_port_up": 1680, "serv_port_down": 1680}
}
"""
TOML = """gateway_eui = "AA555A0000000101"
antenna_gain = "2.15 dBi"

[[server]]
host = "a.example"

[[server]]
host = "b.example"
port = 1730

[concentrator]
chip = "SX1302"
"""


def refused(text: str, *, toml: bool = False) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        read_toml(text, "gateway.toml") if toml else read_semtech([("global_conf.json", text)])
    return caught.value


def test_the_dialect_of_the_sx1302_is_read() -> None:
    read = read_semtech([("global_conf.json", SX1302)])
    settings = read.settings
    assert (settings.gateway_eui, settings.chip, settings.port) == (Eui64(0xAA555A0000000101), "SX1302", "/dev/ttyACM0")
    assert settings.servers == (Server("localhost", 1730, 1731),)
    assert settings.channels_hz == (868_100_000, 0, 0, 0, 0, 0, 0, 0)
    assert settings.radio.service is not None
    assert settings.radio.fsk is None
    assert settings.radio.tx_gains == (EU868_TX_GAINS[0], EU868_TX_GAINS[-1])
    assert (settings.latitude_deg, settings.altitude_m, settings.beacon) == (47.4, 120, None)
    # what nothing reads is told, with its line
    assert [(error.line, error.key) for error in read.unread] == [(19, "gateway_conf.fake_gps")]


def test_the_dialect_of_the_sx1301_is_read() -> None:
    settings = read_semtech([("global_conf.json", SX1301)]).settings
    assert (settings.chip, settings.radio_type, settings.connection) == ("SX1301", "SX1257", "SPI")
    assert settings.radio.clock_source == 1
    assert settings.radio.channels[3] == Channel(0, -400_000)
    assert settings.radio.tx_gains == (TxGain(-6, 0, mix=8), TxGain(20, 3, digital=1, mix=9))


def test_it_becomes_what_the_forwarder_needs() -> None:
    config = read_semtech([("global_conf.json", SX1302)]).settings.forwarder()
    assert [(chain.enabled, chain.powers_dbm) for chain in config.tx_chains] == [(True, (12, 27)), (False, (12, 27))]
    assert config.all_links[0].keepalive_us == 10_000_000
    assert (config.antenna_gain_dbi, config.latitude_deg, config.gateway_eui) == (2.0, 47.4, Eui64(0xAA555A0000000101))
    assert config.duty_cycle
    american = SX1302.replace("863000000", "902000000").replace("870000000", "928000000")
    assert read_semtech([("global_conf.json", american)]).settings.forwarder().duty_cycle == ()


def test_a_local_file_lies_over_the_global_one(tmp_path: Path) -> None:
    (tmp_path / "global_conf.json").write_text(SX1302)
    (tmp_path / "local_conf.json").write_text(
        '{"gateway_conf": {"gateway_ID": "0102030405060708", "server_address": "10.0.0.1"},\n'
        '"SX130x_conf": {"chan_multiSF_0": {"enable": true, "radio": 0, "if": 0}}}'
    )
    settings = load_settings(tmp_path / "global_conf.json").settings
    assert settings.gateway_eui == Eui64(0x0102030405060708)
    assert settings.servers == (Server("10.0.0.1", 1730, 1731),)
    assert settings.channels_hz[0] == 867_500_000
    # and an error in it names it
    (tmp_path / "local_conf.json").write_text('{"gateway_conf":\n{"gateway_ID": "01"}}')
    with pytest.raises(SettingsError, match=r"local_conf\.json:2: gateway_conf\.gateway_ID"):
        load_settings(tmp_path / "global_conf.json")


def test_several_servers_are_read() -> None:
    more = SX1302.replace(
        '"fake_gps": true',
        '"servers": [{"server_address": "b.example", "serv_port_up": 1, "serv_port_down": 2, "serv_enabled": true},\n'
        '{"server_address": "c.example", "serv_port_up": 1, "serv_port_down": 2, "serv_enabled": false}]',
    )
    servers = read_semtech([("x", more)]).settings.servers
    assert servers == (Server("localhost", 1730, 1731), Server("b.example", 1, 2))


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ('"AA555A0000000101"', '"AA555A"', 16, "gateway_conf.gateway_ID: \"AA555A\" is no EUI; 16 hexadecimal digits"),
        ("1730", "173000", 17, "gateway_conf.serv_port_up: 173000 is out of range; a number from 1 to 65535"),
        ('"antenna_gain": 2', '"antenna_gain": "2"', 4, "SX130x_conf.antenna_gain: '2' is no number"),
        ('"SX1250", "freq": 867', '"SX1251", "freq": 867', 6, '"SX1251" is not known; did you mean'),
        ("870000000", "86000000", 8, "863000000 Hz is above tx_freq_max"),
        ('"radio": 1, "if": -4', '"radio": 2, "if": -4', 11, "SX130x_conf.chan_multiSF_0.radio: 2 is out of range"),
        ("250000", "200000", 13, "200000 Hz; 125000, 250000 or 500000"),
        ('"beacon_period": 0', '"beacon_period": 7', 19, "a beacon every 7 s"),
        ('"lorawan_public": true', '"lorawan_public": 1', 3, "neither true nor false; write true or false"),
        ("/* in dBi */", "/* in dBi", 4, "a comment does not end"),
        ('"clksrc": 0,', '"clksrc": 0', 4, '"," or "}" is due'),
        ('"clksrc": 0,', '"clksrc": 0, "clksrc": 1,', 3, '"clksrc" stands here twice, at \'1,\'; first on line 3'),
        ('"SX130x_conf"', '"SX130_conf"', 1, "has neither SX130x_conf nor SX1301_conf"),
        ('"server_address": "localhost"', '"server_address": "a b"', 17, '"a b" is no name'),
    ],
)  # fmt: skip
def test_an_error_names_line_and_key_and_what_to_write(before: str, after: str, line: int, said: str) -> None:
    assert before in SX1302
    error = refused(SX1302.replace(before, after, 1))
    assert str(error).startswith(f"global_conf.json:{line}: ")
    assert said in str(error)


def test_our_own_dialect_is_read_with_defaults() -> None:
    settings = read_toml(TOML, "gateway.toml")
    assert settings.antenna_gain_dbi == 2.15
    assert settings.servers == (Server("a.example", 1700, 1700), Server("b.example", 1730, 1730))
    assert settings.channels_hz[:3] == (868_100_000, 868_300_000, 868_500_000)


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ('"2.15 dBi"', "2.15", 2, 'antenna_gain: 2.15 is no antenna gain with a unit; write it as "2 dBi"'),
        ('"2.15 dBi"', '"2.15 dBm"', 2, '"dBm" is no unit of antenna gain; accepted: dBi'),
        ("1730", "0", 9, "server[1].port: 0 is out of range"),
        ("port = 1730", "prot = 1730", 9, 'server[1].prot: is not known; did you mean "port"?'),
        ("chip", "chips", 12, 'concentrator.chips: is not known; did you mean "chip"?'),
        ("[concentrator]", "[link]\nkeepalive = \"10\"\n[concentrator]", 12, "link.keepalive"),
        ('host = "a.example"', "host = 1", 5, "server[0].host: 1 is no text"),
        ('gateway_eui = "AA555A0000000101"', "", 1, "gateway_eui: is missing"),
        ("[concentrator]", "[concentrator", 11, "not TOML"),
    ],
)  # fmt: skip
def test_an_error_in_our_own_dialect_names_its_line_too(before: str, after: str, line: int, said: str) -> None:
    assert before in TOML
    error = refused(TOML.replace(before, after, 1), toml=True)
    assert str(error).startswith(f"gateway.toml:{line}: ")
    assert said in str(error)


def test_a_file_in_another_encoding_says_so(tmp_path: Path) -> None:
    path = tmp_path / "global_conf.json"
    path.write_bytes(b'{\n"desc": "\xe9"}')
    with pytest.raises(SettingsError, match=r"global_conf\.json:2: is not UTF-8; save the file as UTF-8"):
        load_settings(path)
