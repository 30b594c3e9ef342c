"""Each fault of a scenario file is told with file, line, key and what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.errors import ScenarioError
from scenarios.load import LIBRARY, load, loads

TEV = (LIBRARY / "tev.toml").read_text(encoding="utf-8")
BESIDE = TEV.replace("bundled:", "../")  # a copy whose tables stand beside it
VERSIONS = (LIBRARY / "four-versions.toml").read_text(encoding="utf-8")


def _line(text: str, piece: str) -> int:
    return text[: text.index(piece)].count("\n") + 1


def _fault(text: str, old: str, new: str, name: str) -> tuple[ScenarioError, int]:
    assert old in text
    changed = text.replace(old, new, 1)
    with pytest.raises(ScenarioError) as caught:
        loads(changed, LIBRARY / name)
    return caught.value, text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "key", "message", "hint"),
    [
        (
            "gateway_cable_loss",
            "gateway_cabel_loss",
            "radio.gateway_cabel_loss",
            "unknown key",
            '"gateway_cable_loss"?',
        ),
        ("seed = ", "sead = ", "sead", "unknown key", '"seed"?'),
        ('adr_margin = "10 dB"', "adr_margin = 10", "network.adr_margin", "10 has no unit", 'write "10 dB"'),
        ('"3 dBi"', '"3 dB"', "radio.gateway_antenna_gain", '"dB" is not a unit', "accepted: dBi"),
        ('"200 ms"', '"200"', "network.dedup_window", "no unit", "ms"),
        ('pits = "65 %"', 'pits = "60 %"', "population.pits", "sum to 95 %", "100 %"),
        ('pits = "65 %"', 'pits = "165 %"', "population.pits", "too high", "100 %"),
        ('plastic = "50 %"', 'plastic = "51 %"', "population.lids", "sum to 101 %", "100 %"),
        ('"p1812"', '"p1821"', "radio.path_loss.model", "not one of", '"p1812"?'),
        ('"reugny-town"', '"reugny-twon"', "variant[1].replace.reugny-mast", "no site", '"reugny-town"?'),
        ('model = "okumura-hata"', 'model = "hata"', "variant[2].path_loss.model", "not one of", "okumura-hata"),
        ("entry_loss.indoor]", "entry_loss.indor]", "radio.entry_loss.indor", "no such placement", '"indoor"?'),
        ("867.1 MHz", "862.1 MHz", "network.extra_channels[1]", "no channel may stand at 862.1 MHz", "863 to 870"),
        ("867.3 MHz", "867.30005 MHz", "network.extra_channels[2]", "between two steps", "multiple of 100 Hz"),
        ("Europe/Paris", "Europe/Pari", "timezone", "not a time zone", "Europe/Paris"),
        ('members = "TEV"', 'members = "TEW"', "territory.members", "no commune is a member", '"TEV"?'),
        ("sites.csv", "site.csv", "territory.sites", "cannot be read", ""),
        ("2026-10-01", '"2026-10-01"', "start", "a date is due", "without quotes"),
    ],
)
def test_a_fault_of_the_tev_scenario_is_told_at_its_line(old: str, new: str, key: str, message: str, hint: str) -> None:
    error, line = _fault(TEV, old, new, "tev.toml")
    assert error.key == key
    assert message in error.message
    assert hint in error.hint
    if key not in {"population.lids"}:  # that one points at its table's header
        assert error.line == line
    assert str(error).startswith(f"{LIBRARY / 'tev.toml'}:{error.line}: {key}: ")


def test_a_site_that_a_stage_does_not_find_is_suggested() -> None:
    error, line = _fault(TEV, '    "azay-east",', '    "azay-est",', "tev.toml")
    assert (error.line, error.column, error.key) == (line, 5, "stage[3].sites[11]")
    assert error.hint == 'did you mean "azay-east"?'


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ("ccddee03", "ccddee0", "device[2].app_key", "31 digits"),
        (
            "00112233445566778899aabbccddee03",
            "00112233445566778899aabbccddee0g",
            "device[2].app_key",
            "not a hex digit",
        ),
        ("lat = 47.3931", "lat = 97.3931", "device[2].lat", "less than or equal to 90"),
        ("lon = 0.8526", "lon = -180.5", "device[1].lon", "greater than or equal to -180"),
        ('"1.0.4"', '"1.0.5"', "device[3].version", "not a LoRaWAN version"),
        ('activation = "abp"', 'activation = "apb"', "device[5].activation", "not one of otaa, abp"),
        ('payload = "12 bytes"', 'payload = "300 bytes"', "device[1].payload", "too high"),
    ],
)
def test_a_fault_of_a_device_is_told_at_its_line(old: str, new: str, key: str, message: str) -> None:
    error, line = _fault(VERSIONS, old, new, "four-versions.toml")
    assert (error.line, error.key) == (line, key)
    assert message in error.message


def test_a_bad_key_is_never_repeated() -> None:
    error, _ = _fault(VERSIONS, "00112233445566778899aabbccddee03", "00112233445566778899aabbccddee0", "x.toml")
    assert "0011223344" not in str(error)
    assert "32 hex digits" in error.hint


def test_keys_do_not_show_in_a_loaded_scenario() -> None:
    assert "00112233" not in repr(load("four-versions").scenario)


def test_a_duplicate_deveui_names_both_lines() -> None:
    error, line = _fault(VERSIONS, 'dev_eui = "0200000000000104"', 'dev_eui = "02-00-00-00-00-00-01-02"', "v.toml")
    assert error.line == line
    assert f"first on line {_line(VERSIONS, '0200000000000102')}" in error.message


def test_a_key_that_the_version_needs_or_refuses_is_named() -> None:
    missing, _ = _fault(VERSIONS, 'nwk_key = "ffeeddccbbaa99887766554433221111"\n', "", "v.toml")
    assert (missing.key, "needs it" in missing.message) == ("device[4].nwk_key", True)
    app_key = 'app_key = "00112233445566778899aabbccddee02"'
    extra, _ = _fault(VERSIONS, app_key, app_key + "\nnwk_key = " + '"' + "0" * 32 + '"', "v.toml")
    assert (extra.key, "one root key" in extra.message) == ("device[1].nwk_key", True)
    joined, _ = _fault(VERSIONS, 'activation = "abp"', 'activation = "abp"\n' + app_key, "v.toml")
    assert "does not join" in joined.message


def test_an_entry_loss_is_a_building_or_a_mean() -> None:
    error, line = _fault(TEV, 'building = "traditional"', 'building = "traditional"\nmean = "3 dB"', "tev.toml")
    assert (error.line, error.key) == (line, "radio.entry_loss.indoor.building")


def test_all_faults_of_a_file_are_told_at_once_in_file_order() -> None:
    changed = VERSIONS.replace("lat = 47.3921", "lat = 200.0").replace('"1.0.4"', '"1.0.5"').replace("seed", "sed")
    with pytest.raises(ScenarioError) as caught:
        loads(changed)
    found = [caught.value, *caught.value.others]
    assert [error.key for error in found] == ["sed", "device[1].lat", "device[3].version"]


def test_a_syntax_error_is_told_at_its_line() -> None:
    error, line = _fault(VERSIONS, 'id = "roof"', 'id = = "roof"', "v.toml")
    assert error.line == line
    assert error.message.startswith("not TOML")
    with pytest.raises(ScenarioError, match=r"scenario\.toml:2: not TOML"):
        loads('name = "x"\ntitle = """open')


def test_a_file_that_is_not_utf8_or_not_there_is_an_error_of_the_family(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'name = "x"\ntitle = "V\xe9retz"\n')
    with pytest.raises(ScenarioError, match=r"latin\.toml:2: not UTF-8"):
        load(latin)
    with pytest.raises(ScenarioError, match="cannot be read"):
        load(tmp_path / "none.toml")
    with pytest.raises(ScenarioError, match='did you mean "tev"'):
        load("tew")


def _tables(tmp_path: Path) -> Path:
    for name in ("communes.csv", "sites.csv"):
        (tmp_path / "tev").mkdir(exist_ok=True)
        (tmp_path / "tev" / name).write_bytes((LIBRARY.parent / "tev" / name).read_bytes())
    (tmp_path / "library").mkdir()
    scenario = tmp_path / "library" / "tev.toml"
    scenario.write_text(BESIDE, encoding="utf-8")
    return scenario


@pytest.mark.parametrize(
    ("table", "old", "new", "line", "column", "key", "message"),
    [
        ("sites", "0.84562", "east", 3, 5, "lon", '"east" is not a number'),
        ("sites", "47.34966", "147.34966", 3, 4, "lat", "less than or equal to 90"),
        ("sites", "47.34966", "47,34966", 3, 10, "", "10 cells"),
        ("sites", ",22,", ",9999,", 3, 6, "antenna_height_m", "too high"),
        ("sites", "azay-town,Azay-sur-Cher", "azay-town,Azay-sur-Chér", 3, 0, "commune", "no commune"),
        ("sites", "larcay-town,", "azay-town,", 25, 0, "id", "first on sites.csv:3"),
        ("communes", ",1205,", ",1205.5,", 2, 10, "households", "not a whole number"),
        ("communes", "households", "house_holds", 1, 10, "house_holds", "unknown column"),
        ("communes", ",0.84757,", ",,", 2, 0, "lat_town", "half a town position"),
        ("communes", "37270", "3727", 2, 1, "insee", "pattern"),
    ],
)
def test_a_fault_in_a_table_is_told_at_its_cell(
    tmp_path: Path, table: str, old: str, new: str, line: int, column: int, key: str, message: str
) -> None:
    scenario = _tables(tmp_path)
    path = tmp_path / "tev" / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(scenario)
    error = caught.value
    assert (error.path, error.line, error.column, error.key) == (str(path), line, column, key)
    assert message in error.message


def test_the_content_hash_follows_every_file_read(tmp_path: Path) -> None:
    scenario = _tables(tmp_path)
    before = load(scenario)
    assert before.sha256 == load(scenario).sha256
    sites = tmp_path / "tev" / "sites.csv"
    sites.write_text(sites.read_text(encoding="utf-8").replace(",22,", ",23,", 1), encoding="utf-8")
    after = load(scenario)
    assert after.sha256 != before.sha256
    assert [path.name for path in after.files] == ["tev.toml", "communes.csv", "sites.csv"]


def test_two_stages_whose_results_would_share_a_folder_are_refused() -> None:
    changed = TEV.replace('name = "2026"', 'name = "Phase 1"').replace('name = "2027"', 'name = "phase-1"')
    with pytest.raises(ScenarioError, match='"phase-1" and "Phase 1" would share a folder') as caught:
        loads(changed, LIBRARY / "tev.toml")
    assert caught.value.line == _line(changed, 'name = "phase-1"')
