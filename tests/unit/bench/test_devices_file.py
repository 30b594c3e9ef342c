"""devices.toml: what is read, and where it says that something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.live.devices_file import DevicesFileError, devices_toml, read_devices
from bench.network import DeviceProfile, NetworkConfig
from lorawan.crypto import SessionKeys
from lorawan.frames import encode_cf_list
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.regions import EU868
from lorawan.server import AdrPolicy, JoinSettings
from lorawan.version import Version

KEY = "2b7e151628aed2a6abf7158809cf4f3c"
OTAA = f'[[device]]\ndev_eui = "0200000000000001"\nversion = "1.0.4"\napp_key = "{KEY}"\n'
ABP = (
    '[[device]]\ndev_eui = "0200000000000001"\nversion = "1.0.4"\ndev_addr = "26000001"\n'
    f'nwk_s_key = "{KEY}"\napp_s_key = "{KEY}"\n'
)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "devices.toml"
    path.write_text(text, encoding="utf-8")
    return path


def key(number: int) -> AesKey:
    return AesKey(bytes([number]) * 16)


SESSION_10 = SessionKeys.for_10(key(3), key(4))
SESSION_11 = SessionKeys(*map(key, range(4)))


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    extra = (867_100_000, 867_300_000)
    network = NetworkConfig(
        JoinSettings(NetId(0x13), 5, 2, 3, encode_cf_list(extra)),
        (*(channel.freq_hz for channel in EU868.default_channels), *extra),
        adr=AdrPolicy(margin_db=8),
        dedup_window_us=150_000,
    )
    devices = [
        ("otaa", DeviceProfile(Eui64(1), Version.V1_0_2, Eui64(9), app_key=key(1))),
        ("otaa 1.1", DeviceProfile(Eui64(2), Version.V1_1, Eui64(9), app_key=key(1), nwk_key=key(2))),
        (
            "abp",
            DeviceProfile(Eui64(3), Version.V1_0_4, dev_addr=DevAddr(7), session_keys=SESSION_10),
        ),
        (
            "abp relaxed",
            DeviceProfile(Eui64(5), Version.V1_0_3, dev_addr=DevAddr(9), session_keys=SESSION_10, relaxed_f_cnt=True),
        ),
        (
            "abp 1.1",
            DeviceProfile(Eui64(4), Version.V1_1, dev_addr=DevAddr(8), session_keys=SESSION_11),
        ),
    ]
    found = read_devices(written(tmp_path, devices_toml(network, devices, title="test")))
    assert found.network == network
    assert found.devices == tuple(device for _, device in devices)
    assert found.names == {device.dev_eui: name for name, device in devices}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (OTAA.replace("dev_eui", "deveui"), 2, 'did you mean "dev_eui"'),
        (OTAA.replace(KEY, KEY[:-2]), 4, "30 hex digits"),
        (OTAA.replace('"1.0.4"', '"1.0.5"'), 3, "one of 1.0.2, 1.0.3, 1.0.4, 1.1"),
        (OTAA.replace('"1.0.4"', "1.0"), 3, "in quotes"),
        (OTAA.replace('"1.0.4"', '"1.1"'), 1, "a 1.1 device has app_key and nwk_key"),
        (OTAA + OTAA, 6, "first on line 2"),
        (OTAA + '\n[network]\nrx_delay = "1500 ms"\n', 7, "whole number of seconds"),
        (OTAA + "\n[network]\nrx2_dr = 9\n", 7, "from 0 to 5"),
        (OTAA + '\n[network]\nextra_channels = ["867.1"]\n', 7, "has no unit"),
        (OTAA + '\n[network]\ndedup_window = "2 s"\n', 7, "no time for RX1"),
        (OTAA + 'dev_addr = "26000001"\n', 5, "either OTAA or ABP"),
        (OTAA + "relaxed_f_cnt = true\n", 5, "joining begins counters anew"),
        (ABP + "relaxed_f_cnt = true\n", 7, "1.0.2 and 1.0.3 only"),
        ('[[device]]\ndev_eui = "0200000000000001"\nversion = "1.0.4"\n', 1, "app_key: missing"),
        ("[[device]]\nversion = 1..0\n", 2, "not TOML"),
        ("", 1, "write a [[device]] table"),
        ("device = 3\n", 1, "with two brackets"),
        ("network = 3\n" + OTAA, 1, "a table is due"),
    ],
)
def test_an_error_names_its_line_and_never_a_key(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DevicesFileError) as caught:
        read_devices(path)
    messages = [str(error) for error in (caught.value, *caught.value.others)]
    assert any(message.startswith(f"{path}:{line}: ") and words in message for message in messages), messages
    assert not any(KEY[:-2] in message for message in messages)


def test_every_fault_is_told_in_file_order(tmp_path: Path) -> None:
    path = written(tmp_path, OTAA.replace("0200000000000001", "02").replace(KEY, "xyz"))
    with pytest.raises(DevicesFileError) as caught:
        read_devices(path)
    assert [error.line for error in (caught.value, *caught.value.others)] == [2, 4]


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "devices.toml"
    path.write_bytes(b"\n\n\xff")
    with pytest.raises(DevicesFileError, match=r":3: not UTF-8"):
        read_devices(path)
