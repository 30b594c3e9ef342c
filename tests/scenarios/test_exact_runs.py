"""Whole runs of the exact tier: bytes from a device's MAC to the network's session and back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.runner.exact import ExactStage
from bench.runner.link import LinkKind, make_link
from bench.runner.plan import StageWorld, stage_plan
from bench.store import trace_sha256
from lorawan.trace import DownlinkRecord, JoinedRecord, Record, UplinkRecord
from scenarios.load import LoadedScenario, load, loads


def run(
    loaded: LoadedScenario, *, seed: int = 1, days: int = 1, link: LinkKind = "memory", sample: int = 20
) -> list[Record]:
    stage = loaded.scenario.stages[-1].name
    world = StageWorld(loaded, stage, seed, sample, days - 1, 1)
    plan = stage_plan(world)
    wire = make_link(link, len(plan.gateways))
    try:
        exact = ExactStage(plan, wire)
        for day in range(days):
            exact.run_day(day)
    finally:
        wire.close()
    return exact.recorder.records(plan.bounds_us[days])


def uplinks(records: Sequence[Record]) -> list[UplinkRecord]:
    return [record for record in records if isinstance(record, UplinkRecord)]


@pytest.mark.parametrize("link", ["memory", "udp"])
class TestFourVersions:
    def test_every_device_joins_or_is_personalised_and_all_its_data_arrive_decrypted(self, link: LinkKind) -> None:
        records = run(load("four-versions"), days=2, link=link)
        joined = {record.device for record in records if isinstance(record, JoinedRecord)}
        assert joined == {"otaa-1.0.2", "otaa-1.0.3", "otaa-1.0.4", "otaa-1.1"}
        data = [u for u in uplinks(records) if u.kind == "data" and u.repeat == 0 and u.f_port > 0]
        by_device: dict[str, list[UplinkRecord]] = {}
        for uplink in data:
            by_device.setdefault(uplink.device, []).append(uplink)
        assert set(by_device) == joined | {"abp-1.0.3", "abp-1.1"}
        for name, sent in by_device.items():
            assert all(u.accepted and u.payload_ok for u in sent), name
            assert [u.f_cnt for u in sent] == sorted({u.f_cnt for u in sent})
            assert len(sent) >= 24

    def test_strong_devices_end_at_sf7(self, link: LinkKind) -> None:
        records = run(load("four-versions"), days=2, link=link)
        last = {u.device: u.sf for u in uplinks(records) if u.kind == "data"}
        assert set(last.values()) == {7}

    def test_downlinks_are_heard_in_the_windows_they_are_meant_for(self, link: LinkKind) -> None:
        records = run(load("four-versions"), link=link)
        downlinks = [record for record in records if isinstance(record, DownlinkRecord)]
        assert downlinks
        assert {d.outcome for d in downlinks} == {"delivered"}
        ends = {(u.t_us + u.airtime_us) for u in uplinks(records)}
        for d in downlinks:
            delay = (5_000_000 if d.kind == "join" else 1_000_000) + (d.window - 1) * 1_000_000
            assert d.t_us - delay in ends  # to the microsecond


def test_udp_over_loopback_delivers_the_same_as_memory() -> None:
    loaded = load("tev")
    assert trace_sha256(run(loaded, link="udp")) == trace_sha256(run(loaded, link="memory"))


class TestReproducibility:
    def test_the_same_seed_gives_the_same_trace_in_another_process(self) -> None:
        code = (
            "from pathlib import Path; import sys; sys.path.insert(0, str(Path(sys.argv[1])));"
            "from test_exact_runs import run, load; from bench.store import trace_sha256;"
            "print(trace_sha256(run(load('tev'))))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parent)], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == trace_sha256(run(load("tev")))

    def test_another_seed_gives_another_trace(self) -> None:
        assert trace_sha256(run(load("tev"))) != trace_sha256(run(load("tev"), seed=2))


def test_adding_a_sensor_moves_no_other_sensors_place_shadowing_or_fading() -> None:
    text = load("four-versions").path.read_text(encoding="utf-8")
    text = text.replace('shadowing_sigma = "0 dB"', 'shadowing_sigma = "8 dB"')
    text = text.replace('[radio.slow_fading]\nsigma = "0 dB"', '[radio.slow_fading]\nsigma = "3 dB"')
    text = text.replace('law = "none"', 'law = "lognormal"')
    more = (
        '\n[[device]]\nname = "newcomer"\ndev_eui = "0200000000000999"\nversion = "1.0.3"\nactivation = "abp"\n'
        "lat = 47.39\nlon = 0.853\n"
    )
    fewer, all_ = loads(text), loads(text + more)
    worlds = [StageWorld(loaded, "lab", 1, 50, 0, 2) for loaded in (fewer, all_)]
    assert [len(world.sensors) for world in worlds] == [6, 7]
    before, after = worlds
    index = [after.links.device_ids.index(name) for name in before.links.device_ids]
    np.testing.assert_array_equal(after.links.gain_db[index], before.links.gain_db)
    fades = [world.links.fading(world.model) for world in worlds]
    for old, new in enumerate(index):
        for frame in range(5):
            np.testing.assert_array_equal(
                fades[0].uplink_db(old, frame, frame * 10**9), fades[1].uplink_db(new, frame, frame * 10**9)
            )
    where = {sensor.id: (sensor.lat, sensor.lon, sensor.phase) for sensor in after.sensors}
    assert all(where[s.id] == (s.lat, s.lon, s.phase) for s in before.sensors)


def test_background_and_sample_together_are_the_whole_population() -> None:
    world = StageWorld(load("tev"), "2026", 1, 300, 0, 1)
    background, links = world.background
    assert len(world.sample) == 300
    assert len(background.words) + len(world.sample) == 17_000
    assert not set(links.device_ids) & {sensor.id for sensor in world.sensors}
    assert 3.2 < background.uplinks_per_day.mean() < 3.5  # the mix of the data's README: 3.35 a day


def variant(old: str, new: str) -> LoadedScenario:
    text = load("four-versions").path.read_text(encoding="utf-8")
    assert old in text
    return loads(text.replace(old, new, 1))


def test_the_devices_power_of_the_scenario_is_what_they_send_with() -> None:
    records = run(variant("[radio]\n", '[radio]\ndevice_power = "3 dBm"\n'))
    assert max(u.tx_power_dbm for u in uplinks(records)) == 3.0


@pytest.mark.parametrize("network", ['rx_delay = "3 s"', "rx1_dr_offset = 2", "rx2_dr = 3"])
def test_downlinks_find_every_device_whatever_the_accept_says(network: str) -> None:
    records = run(variant("[radio]\n", f"[network]\n{network}\n[radio]\n"), days=2)
    downlinks = [record for record in records if isinstance(record, DownlinkRecord)]
    assert {d.outcome for d in downlinks} == {"delivered"}
    last = {u.device: u.sf for u in uplinks(records) if u.kind == "data"}
    assert set(last.values()) == {7}
