"""`lorabench gateway provision`: what the files say is what the scenario says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.cli.app import app
from bench.errors import UsageError
from bench.gateways.provision import radio_setup
from bench.runner.identities import gateway_eui
from gateway_fw.settings import Server, load_settings
from scenarios.load import load

PLAN_HZ = (868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["gateway", "provision", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_site_of_the_last_stage_gets_its_file(tmp_path: Path) -> None:
    rows = json.loads(run("tev", "--out", str(tmp_path), "--server", "eu.example.org:1730", "--json"))
    loaded = load("tev")
    sites = {site.id: site for site in loaded.open_sites("2027")}
    assert len(rows) == len(sites) == 11
    for row in rows:
        settings = load_settings(Path(row["file"])).settings
        site = sites[row["site"]]
        assert settings.gateway_eui == gateway_eui(site.id)
        assert str(settings.gateway_eui) == row["eui"]
        assert settings.channels_hz == PLAN_HZ
        assert settings.servers == (Server("eu.example.org", 1730, 1730),)
        assert settings.antenna_gain_dbi == 2.0  # 3 dBi less 1 dB of cable
        assert (settings.latitude_deg, settings.longitude_deg) == (site.lat, site.lon)
        assert settings.altitude_m is not None
        assert 40 < settings.altitude_m - site.antenna_height_m < 130  # the Loire and its plateaus


@pytest.mark.parametrize("dialect", ["sx1301", "toml"])
def test_the_other_dialects_say_the_same(tmp_path: Path, dialect: str) -> None:
    run("tev", "--out", str(tmp_path), "--dialect", dialect, "--sites", "vouvray-water-tower", "--port", "/dev/ttyUSB3")
    (path,) = tmp_path.iterdir()
    settings = load_settings(path).settings
    assert settings.gateway_eui == gateway_eui("vouvray-water-tower")
    assert settings.channels_hz == PLAN_HZ
    assert settings.chip == ("SX1301" if dialect == "sx1301" else "SX1302")
    assert settings.port == ("/dev/ttyUSB3" if dialect == "toml" else "/dev/ttyACM0")  # sx1301 has no such key


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--dialect", "sx1300"], "no such dialect"),
        (["--sites", "vouvray"], "no such site"),
        (["--server", "a:b"], "is no port"),
        (["--stage", "2030"], "no stage"),
    ],
)
def test_what_cannot_be_made_says_why(tmp_path: Path, arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["gateway", "provision", "tev", "--out", str(tmp_path / "new"), *arguments])
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "new").exists()


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "azay-town.json").write_text("mine")
    result = CliRunner().invoke(app, ["gateway", "provision", "tev", "--out", str(tmp_path)])
    assert (result.exit_code, (tmp_path / "azay-town.json").read_text()) == (2, "mine")
    run("tev", "--out", str(tmp_path), "--sites", "azay-town", "--force")
    assert load_settings(tmp_path / "azay-town.json").settings.channels_hz == PLAN_HZ


def test_other_channel_plans_get_centres_that_reach_them() -> None:
    freqs_hz = (868_100_000, 868_300_000, 868_500_000, 864_100_000, 864_300_000, 864_500_000)
    setup = radio_setup(freqs_hz)
    assert tuple(setup.channel_hz(chain) for chain in range(8)) == (*freqs_hz, None, None)
    assert max(abs(channel.if_hz) for channel in setup.channels if channel is not None) <= 400_000
    assert setup.channel_hz(8) == 868_300_000
    with pytest.raises(UsageError, match="do not fit two radios"):
        radio_setup((868_100_000, 866_000_000, 864_100_000))
