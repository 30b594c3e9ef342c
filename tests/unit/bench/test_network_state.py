"""A live network's state file: what was appended comes back, and a cut line is passed over."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from join_oracle import Oracle

from bench.errors import UsageError
from bench.live.network_state import NetworkState
from bench.network import (
    AskDevice,
    DataAccepted,
    DeviceJoined,
    DeviceProfile,
    NetworkConfig,
    NetworkCore,
    NetworkDropped,
    PersistDevice,
)
from bench.network.events import NetworkEffect
from gateway_fw.gwmp import Rxpk, SendDownlink, UplinkReceived
from lorawan import mac_commands as mac
from lorawan.crypto import SessionKeys
from lorawan.frames import DataDown, FCtrlUp, encode_cf_list, parse
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.phy import CodingRate, LoraModulation
from lorawan.secured import open_down, seal_up
from lorawan.server import JoinSettings
from lorawan.version import Version

DEV_EUI, JOIN_EUI = Eui64(1), Eui64(2)
ORACLE = Oracle(b"n" * 16, b"a" * 16, JOIN_EUI.to_wire(), DEV_EUI.to_wire())
CONFIG = NetworkConfig(
    JoinSettings(NetId(0x13), cf_list=encode_cf_list([867_100_000])),
    channels_hz=(868_100_000, 868_300_000, 868_500_000, 867_100_000),
)
PROFILES = [DeviceProfile(DEV_EUI, Version.V1_1, JOIN_EUI, AesKey(ORACLE.app_key), AesKey(ORACLE.nwk_key))]


def hear(core: NetworkCore, payload: bytes, now: int, *, freq_hz: int = 868_100_000) -> list[NetworkEffect]:
    rxpk = Rxpk(now & 0xFFFFFFFF, freq_hz, LoraModulation(7), CodingRate.CR_4_5, -100.0, 5.0, payload)
    core.handle(UplinkReceived(Eui64(0xA0), rxpk), now)
    return list(core.wake(now + CONFIG.dedup_window_us))


def sent(effects: list[NetworkEffect]) -> bytes:
    (request,) = [effect for effect in effects if isinstance(effect, SendDownlink)]
    return request.txpk.payload


def uplink(keys: tuple[bytes, bytes, bytes, bytes], f_cnt: int, *, tx_ch: int = 0, f_opts: bytes = b"") -> bytes:
    return seal_up(
        SessionKeys(*map(AesKey, keys)),
        is_1_1=True,
        confirmed=True,
        dev_addr=ADDR,
        f_ctrl=FCtrlUp(),
        f_cnt=f_cnt,
        f_opts=f_opts or mac.RekeyInd(1).encode(),
        f_port=1,
        payload=b"x",
        tx_dr=5,
        tx_ch=tx_ch,
    )


ADDR: DevAddr = NetId(0x13).dev_addr(0)


class TestNetworkCore:
    def test_rejoins_are_answered_as_joins_are(self) -> None:
        """LoRaWAN 1.1 §6.2.4: JOIN_ACCEPT_DELAY1, and what must be kept comes before the accept."""
        core = NetworkCore(CONFIG, PROFILES)
        keys = ORACLE.accept_11(sent(hear(core, ORACLE.join_request(0), 0)), 0xFF, 0).keys
        hear(core, uplink(keys, 0), 20_000_000)
        effects = hear(core, ORACLE.rejoin_02(0, 0x13, 0, keys[1]), 40_000_000)
        assert [type(e) for e in effects] == [PersistDevice, DeviceJoined, SendDownlink]
        joined, request = effects[1:]
        assert isinstance(joined, DeviceJoined)
        assert isinstance(request, SendDownlink)
        assert (joined.dev_nonce, joined.rejoin_type, request.txpk.tmst) == (0, 0, 45_000_000)
        new = ORACLE.accept_11(request.txpk.payload, 0, 0).keys
        assert any(isinstance(e, DataAccepted) for e in hear(core, uplink(new, 0), 60_000_000))

    def test_the_channel_of_an_uplink_is_found_also_before_its_answer(self) -> None:
        """The 1.1 MIC is over the channel's index; a device may answer NewChannelReq on the new channel itself."""
        core = NetworkCore(CONFIG, PROFILES)
        keys = ORACLE.accept_11(sent(hear(core, ORACLE.join_request(0), 0)), 0xFF, 0).keys
        assert any(isinstance(e, DataAccepted) for e in hear(core, uplink(keys, 0, tx_ch=3), 1, freq_hz=867_100_000))
        core.handle(AskDevice(DEV_EUI, (mac.NewChannelReq(7, 867_900_000, 5, 0),)), 2)
        answer = parse(sent(hear(core, uplink(keys, 1), 10_000_000)), uplink=False)
        assert isinstance(answer, DataDown)
        opened = open_down(SessionKeys(*map(AesKey, keys)), is_1_1=True, frame=answer, f_cnt=answer.f_cnt)
        asked = mac.NewChannelReq(7, 867_900_000, 5, 0)
        assert asked in mac.parse_commands(opened.f_opts, uplink=False).commands
        told = mac.NewChannelAns(data_rate_range_ok=True, freq_ok=True).encode()
        effects = hear(core, uplink(keys, 2, tx_ch=7, f_opts=told), 20_000_000, freq_hz=867_900_000)
        assert any(isinstance(e, DataAccepted) for e in effects)


class TestStateFile:
    def run(self, path: Path, payloads: list[tuple[bytes, int]]) -> list[list[NetworkEffect]]:
        with NetworkState(path) as state:
            core, told = NetworkCore(CONFIG, PROFILES, state.memories), []
            for payload, now in payloads:
                effects = hear(core, payload, now)
                for effect in effects:
                    if isinstance(effect, PersistDevice):
                        state.keep(effect)
                told.append(effects)
        return told

    def test_a_network_that_starts_again_goes_on(self, tmp_path: Path) -> None:
        path = tmp_path / "state.jsonl"
        (effects,) = self.run(path, [(ORACLE.join_request(5), 0)])
        keys = ORACLE.accept_11(sent(effects), 0xFF, 5).keys
        (effects,) = self.run(path, [(uplink(keys, 0), 0)])
        assert any(isinstance(e, DataAccepted) for e in effects)
        again, fresh, join = self.run(
            path, [(uplink(keys, 0), 0), (uplink(keys, 1), 10_000_000), (ORACLE.join_request(5), 20_000_000)]
        )
        assert not any(isinstance(e, DataAccepted) for e in again)
        assert any(isinstance(e, DataAccepted) for e in fresh)
        assert [e.reason for e in join if isinstance(e, NetworkDropped)] == ["dev_nonce_replay"]

    def test_every_memory_comes_back_as_it_was(self, tmp_path: Path) -> None:
        path = tmp_path / "state.jsonl"
        (effects,) = self.run(path, [(ORACLE.join_request(5), 0)])
        keys = ORACLE.accept_11(sent(effects), 0xFF, 5).keys
        with NetworkState(path) as state:
            core = NetworkCore(CONFIG, PROFILES, state.memories)
            events = hear(core, uplink(keys, 0), 0)
            events += core.handle(AskDevice(DEV_EUI, (mac.DevStatusReq(),)), 1)
            events += hear(core, uplink(keys, 1), 10_000_000)
            events += hear(core, ORACLE.rejoin_02(2, 0x13, 0, keys[1]), 20_000_000)
            events += core.handle(AskDevice(DEV_EUI, (mac.RxTimingSetupReq(3),)), 30_000_000)
            persists = [event for event in events if isinstance(event, PersistDevice)]
            assert len(persists) == 5
            for persist in persists:
                state.keep(persist)
        assert NetworkState(path).memories == {DEV_EUI: persists[-1].memory}

    def test_an_unfinished_line_is_passed_over(self, tmp_path: Path) -> None:
        path = tmp_path / "state.jsonl"
        self.run(path, [(ORACLE.join_request(5), 0)])
        before = NetworkState(path).memories
        with path.open("a") as file:
            file.write('{"dev_eui":"00000000000')
        assert NetworkState(path).memories == before

    def test_only_its_owner_reads_the_keys_in_it(self, tmp_path: Path) -> None:
        path = tmp_path / "state.jsonl"
        self.run(path, [(ORACLE.join_request(5), 0)])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    @pytest.mark.parametrize("text", ["[]", "{}", '{"dev_eui":"xx"}', "no json", '{"dev_eui":"0000000000000001"}'])
    def test_another_file_is_refused_by_line(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "other"
        path.write_text(text + "\n")
        with pytest.raises(UsageError, match=":1:"):
            NetworkState(path)
