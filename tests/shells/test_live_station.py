"""The live network core behind Basics Station: a device's frame in, its answer at the right microsecond."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from waiting import until

from bench.cli.app import app
from bench.errors import UsageError
from bench.live.air import Pace
from bench.live.clock import monotonic_us
from bench.live.network import LiveNetwork, Told
from bench.live.network_lines import facts, line
from bench.live.scenario import LiveScenario, live_plan
from bench.live.simulation import LiveSimulation
from bench.live.station_front import StationOptions, read_tokens, station_options
from bench.network import DataAccepted, DeviceProfile, NetworkConfig, NetworkCore
from gateway_fw.gwmp import DownlinkAnswered, TxError
from gateway_fw.io.station_credentials import StationCredentials
from gateway_fw.io.station_gateway import StationGateway
from gateway_fw.station import Configured, GatewayConnected, GatewayGone, StationGatewayConfig, StationGatewayCore
from lorawan.crypto import SessionKeys
from lorawan.frames import FCtrlUp
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.phy import Heard, LoraModulation, Transmit
from lorawan.secured import seal_up
from lorawan.server import JoinSettings
from lorawan.version import Version

GATEWAY, DEVICE, ADDR = Eui64(0x58A0CBFFFE800019), Eui64(0x70B3D57ED0000001), DevAddr(0x26000001)
KEYS = SessionKeys.for_10(AesKey(b"n" * 16), AesKey(b"a" * 16))


def uplink() -> bytes:
    f_ctrl = FCtrlUp(adr=False, adr_ack_req=False, ack=False, class_b=False)
    return seal_up(
        KEYS, is_1_1=False, confirmed=True, dev_addr=ADDR, f_ctrl=f_ctrl, f_cnt=1, f_port=5, payload=b"reading"
    )


def test_an_uplink_through_station_is_decrypted_and_answered_a_second_later() -> None:
    told: list[Told] = []
    at_gateway: list[Any] = []
    network = NetworkConfig(JoinSettings(NetId(0x13)), (868_100_000, 868_300_000, 868_500_000), dedup_window_us=20_000)

    async def run() -> int:
        core = NetworkCore(network, [DeviceProfile(DEVICE, Version.V1_0_3, dev_addr=ADDR, session_keys=KEYS)])
        tokens = {"Bearer abc": frozenset({GATEWAY})}
        options = StationOptions("127.0.0.1", 0, None, tokens)
        async with LiveNetwork(
            core, told.append, host="127.0.0.1", port=0, station=options, network=network
        ) as service:
            assert service.station_address is not None
            station = StationGatewayCore(StationGatewayConfig(GATEWAY, f"ws://127.0.0.1:{service.station_address[1]}"))
            async with StationGateway(station, at_gateway.append, headers={"Authorization": "Bearer abc"}) as gateway:
                await until(lambda: any(isinstance(effect, Configured) for effect in at_gateway))
                at = gateway.now
                gateway.submit(Heard(at, uplink(), 868_100_000, LoraModulation(7), -80.0, 9.0, 60_000))
                await until(lambda: any(isinstance(event, DownlinkAnswered) for event in told))
                return at

    at = asyncio.run(run())
    (accepted,) = [event for event in told if isinstance(event, DataAccepted)]
    assert (accepted.payload, accepted.receptions[0].gateway_eui) == (b"reading", GATEWAY)
    (answered,) = [event for event in told if isinstance(event, DownlinkAnswered)]
    assert answered.error is TxError.NONE
    (transmit,) = [effect for effect in at_gateway if isinstance(effect, Transmit)]
    assert transmit.at == at + 1_000_000
    for kind, word in ((GatewayConnected, "gateway"), (GatewayGone, "gone")):
        (event,) = [event for event in told if isinstance(event, kind)]
        assert (line(event, {}) or "").startswith(word)
        assert (facts(event, {}) or {})["gateway"] == str(GATEWAY)


def test_tokens_are_read_and_faults_named_without_showing_them(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"# ours\n{GATEWAY} Bearer abc\n\n::1 Bearer abc\n* Bearer any\n")
    assert read_tokens(path) == {"Bearer abc": frozenset({GATEWAY, Eui64(1)}), "Bearer any": None}
    for text, where in (("x Bearer secret\n", ":1:"), (f"\n{GATEWAY}\n", ":2:")):
        path.write_text(text)
        with pytest.raises(UsageError) as raised:
            read_tokens(path)
        assert where in str(raised.value)
        assert "secret" not in str(raised.value)
    with pytest.raises(UsageError):
        read_tokens(tmp_path / "missing")


def test_half_a_tls_set_up_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="go together"):
        station_options(("127.0.0.1", 1), tmp_path / "a.crt", None, None, None)
    with pytest.raises(UsageError, match="needs"):
        station_options(("127.0.0.1", 1), None, None, tmp_path / "ca.crt", None)
    with pytest.raises(UsageError, match=r"a\.crt"):
        station_options(("127.0.0.1", 1), tmp_path / "a.crt", tmp_path / "a.key", None, None)


def test_a_scenario_joins_and_is_answered_over_station_at_its_microsecond() -> None:
    plan = live_plan(LiveScenario("lab-one-device", sample=1, join_data_rates=(5,)))[1]
    network = replace(plan.network, dedup_window_us=20_000)
    told: list[Told] = []

    async def run() -> LiveSimulation:
        core = NetworkCore(network, plan.profiles)
        options = StationOptions("127.0.0.1", 0)
        async with LiveNetwork(
            core, told.append, host="127.0.0.1", port=0, station=options, network=network
        ) as service:
            assert service.station_address is not None
            simulation = LiveSimulation(
                plan,
                lambda _: None,
                service.station_address,
                pace=Pace(3_000_000, 0),
                station=StationCredentials(f"ws://127.0.0.1:{service.station_address[1]}", None),
                clock=lambda: monotonic_us() * 5,
            )
            async with simulation:
                await until(lambda: sum(isinstance(event, DataAccepted) for event in told) >= 2)
            return simulation

    totals = asyncio.run(run()).totals
    assert len(totals.joined) == 1
    assert totals.answer_delays_us  # the accept at least
    assert set(totals.answer_delays_us) <= {1_000_000, 2_000_000, 5_000_000, 6_000_000}  # RX1, or RX2 by the gateway


def test_a_folder_without_credentials_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["gateway", "simulate", "--scenario", "lab-one-device", "--station", str(tmp_path)]
    )
    assert result.exit_code == 2
