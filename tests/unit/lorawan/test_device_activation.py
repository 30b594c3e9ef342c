"""How a session begins, is confirmed, and goes on after a power cut, version by version."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mac_pairs import abp, clear_f_opts, data_up, downlink, frame_of, hear, hear_commands, joined, otaa
from rejoin_network import hear_in, next_out

from lorawan import mac_commands as mac
from lorawan.crypto import SessionKeys
from lorawan.device import DeviceCore, DeviceMemory, Persist, Received, SendDone, SendRequest, StartJoin, Transmission
from lorawan.draws import Draws
from lorawan.errors import MisuseError
from lorawan.frames import DataUp, FCtrlDown, parse
from lorawan.ids import AesKey, NetId
from lorawan.machine import Dropped
from lorawan.secured import seal_down
from lorawan.server import JoinSettings
from lorawan.testing import Pair, losing, perfect, silent
from lorawan.version import Version

OLD, NEW = (Version.V1_0_2, Version.V1_0_3), (Version.V1_0_4, Version.V1_1)
HOUR_US = 3_600_000_000


def restart(pair: Pair, seed: int = 77) -> None:
    """A power cut: the last memory that was persisted is all that is left."""
    pair.device = DeviceCore(pair.config, Draws.of_seed(seed), pair.device.memory)


def kinds(pair: Pair) -> list[str]:
    return [str(t.kind) for t in pair.sent]


def test_a_region_whose_join_channels_lie_in_no_sub_band_ends_the_wish_to_join() -> None:
    config = otaa(Version.V1_0_4)
    device = DeviceCore(replace(config, region=replace(config.region, sub_bands=())), Draws.of_seed(1))
    for _ in range(2):  # the second wish is answered like the first: the phase is in order
        dropped = [effect for effect in device.handle(StartJoin(), 0) if isinstance(effect, Dropped)]
        assert [effect.reason for effect in dropped] == ["duty_limited"]
        assert device.wake_at is None
        assert not any(isinstance(effect, Transmission) for effect in device.wake(HOUR_US))


class TestDevNonce:
    @pytest.mark.parametrize("version", NEW, ids=str)
    def test_unanswered_joins_and_power_cuts_use_up_one_value_each(self, version: Version) -> None:
        """TS001-1.0.4 §6.2.5, LoRaWAN 1.1 §6.2.2: never reused, and durable before it is sent."""
        pair, nonces = Pair(otaa(version)), []
        pair.up = silent
        for seed in range(4):
            pair.feed(StartJoin())
            for _ in range(2):
                sent, _ = next_out(pair)
                nonces.append(sent.f_cnt)
                assert pair.device.memory.next_dev_nonce == sent.f_cnt + 1
                pair._carry_out(pair.device.wake(pair.device.wake_at or 0))
            restart(pair, seed)
        assert nonces == list(range(8))

    @pytest.mark.parametrize("version", OLD, ids=str)
    def test_is_random_before_1_0_4(self, version: Version) -> None:
        """LoRaWAN 1.0.3 §6.2.4: "DevNonce is a random value"."""
        nonces = set()
        for seed in range(50):
            device = DeviceCore(otaa(version), Draws.of_seed(seed))
            device.handle(StartJoin(), 0)
            sent = next(e for e in device.wake(0) if isinstance(e, Transmission))
            nonces.add(sent.f_cnt)
        assert len(nonces) > 45
        assert max(nonces) > 0x8000


class TestRekeyInd:
    def test_a_device_that_is_never_confirmed_joins_again_after_adr_ack_limit_uplinks(self) -> None:
        """LoRaWAN 1.1 §5.10: no RekeyConf within the first ADR_ACK_LIMIT uplinks, back to the Join state."""
        pair = joined(Version.V1_1)
        pair.down = losing(lambda _: pair.sent[-1].kind != "join")
        for _ in range(64):
            pair.now += HOUR_US
            pair.send(b"x")
        assert kinds(pair) == ["join"] + ["data"] * 64 + ["join"]
        assert "rekey_unconfirmed" in [e.reason for e in pair.of(Dropped)]  # type: ignore[union-attr]
        pair.send(b"in the new session")
        assert pair.sent[-1].f_cnt == 0

    def test_the_network_moves_the_limit(self) -> None:
        """LoRaWAN 1.1 §5.11: ADRParamSetupReq sets ADR_ACK_LIMIT."""
        pair = joined(Version.V1_1)
        hear_commands(pair, mac.AdrParamSetupReq(limit_exp=2, delay_exp=2))
        pair.down = losing(lambda _: pair.sent[-1].kind != "join")
        for _ in range(3):
            pair.send(b"x")
        assert kinds(pair)[-1] == "join"

    @pytest.mark.parametrize(
        ("answer", "confirms"),
        [
            (mac.RekeyConf(minor=1), True),
            (mac.RekeyConf(minor=0), False),
            (mac.RekeyConf(minor=2), False),
            (mac.ResetConf(minor=1), False),
        ],
        ids=str,
    )
    def test_only_a_rekey_conf_of_its_own_version_confirms_the_keys(
        self, answer: mac.MacCommand, confirms: bool
    ) -> None:
        pair = joined(Version.V1_1)
        hear_commands(pair, answer)
        pair.send(b"x")
        announced = clear_f_opts(pair, data_up(pair)[-1], pair.sent[-1].f_cnt).startswith(b"\x0b\x01")
        assert announced is not confirms

    def test_a_1_1_device_on_a_1_0_network_announces_nothing(self) -> None:
        """LoRaWAN 1.1 §6.2.3: OptNeg unset; the session is one of 1.0."""
        pair = Pair(otaa(Version.V1_1), settings=JoinSettings(NetId(0x13), speaks_1_1=False))
        pair.join()
        pair.sent.clear()
        for _ in range(70):
            pair.now += HOUR_US
            pair.send(b"x")
        assert {frame.f_opts for frame in data_up(pair)} == {b""}
        assert "join" not in kinds(pair)


class TestResetInd:
    def test_goes_with_every_uplink_until_reset_conf_and_again_after_a_restart(self) -> None:
        """LoRaWAN 1.1 §5.1, §6.3."""
        pair = Pair(replace(abp(Version.V1_1), adr=False))
        announced = []

        def send() -> None:
            pair.send(b"x")
            announced.append(clear_f_opts(pair, data_up(pair)[-1], pair.sent[-1].f_cnt))

        pair.down = silent
        send()
        send()
        pair.down = perfect
        send()
        send()
        restart(pair)
        send()
        send()
        assert announced == [b"\x01\x01"] * 3 + [b""] + [b"\x01\x01"] + [b""]
        assert [u.f_cnt for u in pair.app_uplinks] == [0, 1, 2, 3, 64, 65]

    def test_a_device_that_is_never_confirmed_goes_on(self) -> None:
        """It has no way to join."""
        pair = Pair(abp(Version.V1_1))
        pair.down = silent
        for _ in range(70):
            pair.now += HOUR_US
            pair.send(b"x")
        assert kinds(pair) == ["data"] * 70


class TestAfterAPowerCut:
    @pytest.mark.parametrize("version", Version, ids=str)
    def test_an_abp_device_keeps_what_the_network_set_unless_it_can_say_that_it_was_reset(
        self, version: Version
    ) -> None:
        """TR007-1.1.0 §4.14.2; LoRaWAN 1.1 §5.1: with ResetInd it is back at its defaults."""
        pair = Pair(abp(version))
        hear_commands(pair, mac.NewChannelReq(ch_index=4, freq_hz=867_300_000, max_dr=5, min_dr=0))
        hear_commands(pair, mac.LinkAdrReq(data_rate=4, tx_power=3, ch_mask=0x17, ch_mask_cntl=0, nb_trans=2))
        hear_commands(pair, mac.RxParamSetupReq(rx1_dr_offset=2, rx2_dr=3, freq_hz=869_100_000))
        hear_commands(pair, mac.RxTimingSetupReq(delay_s=6), mac.DutyCycleReq(max_d_cycle=7))
        restart(pair)
        session = pair.device.session
        assert session is not None
        found = (session.dr, session.tx_power_index, session.plan.ch_mask, session.nb_trans, session.rx1_dr_offset)
        found += (session.rx2_dr, session.rx2_freq_hz, session.rx1_delay_us, session.max_d_cycle)
        if version.is_1_1:
            assert found == (0, 0, 0b111, 1, 0, 0, 869_525_000, 1_000_000, 0)
        else:
            assert found == (4, 3, 0x17, 2, 2, 3, 869_100_000, 6_000_000, 7)
            assert session.plan.channels[4] is not None

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_an_abp_device_takes_no_downlink_again(self, version: Version) -> None:
        pair = Pair(abp(version))
        old = downlink(pair, f_cnt=5)
        hear(pair, old)
        restart(pair)
        assert [e.reason for e in hear(pair, old) if isinstance(e, Dropped)] == ["f_cnt_replay"]

    @pytest.mark.parametrize("version", OLD, ids=str)
    def test_before_1_0_4_counters_may_begin_again(self, version: Version) -> None:
        """LoRaWAN 1.0.3 §4.3.1.5: "a reset for a personalized end-device" resets them."""
        pair = Pair(replace(abp(version), abp_counters_persist=False))
        pair.send(b"x")
        assert not pair.of(Persist)  # type: ignore[arg-type]  # nothing is worth keeping
        pair.device = DeviceCore(pair.config, Draws.of_seed(2), DeviceMemory())
        pair.send(b"y")
        assert [t.f_cnt for t in pair.sent] == [0, 0]

    @pytest.mark.parametrize("version", NEW, ids=str)
    def test_from_1_0_4_on_they_may_not(self, version: Version) -> None:
        """TS001-1.0.4 §4.3.1.5: ABP devices SHALL NOT reset the frame counters."""
        with pytest.raises(MisuseError, match="never resets"):
            replace(abp(version), abp_counters_persist=False)

    def test_new_keys_are_a_new_session(self) -> None:
        pair = Pair(abp(Version.V1_0_4))
        pair.send(b"x")
        other = replace(pair.config, session_keys=SessionKeys.for_10(AesKey(b"N" * 16), AesKey(b"A" * 16)))
        device = DeviceCore(other, Draws.of_seed(2), pair.device.memory)
        assert device.session is not None
        assert device.session.f_cnt_up == 0

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_an_otaa_session_goes_on_where_the_device_keeps_it(self, version: Version) -> None:
        """LoRaWAN 1.1 §6.1.2.6 recommends it; RekeyInd that was not confirmed goes on too."""
        pair = joined(version, session_persists=True)
        pair.down = silent
        pair.send(b"before")
        restart(pair)
        pair.send(b"after")
        assert [u.payload for u in pair.app_uplinks] == [b"before", b"after"]
        assert kinds(pair) == ["join", "data", "data"]
        announced = clear_f_opts(pair, frame_of(pair.sent[-1].transmit.payload), pair.sent[-1].f_cnt)
        assert announced == (b"\x0b\x01" if version.is_1_1 else b"")

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_else_it_joins_anew(self, version: Version) -> None:
        pair = joined(version)
        pair.send(b"x")
        assert pair.device.memory.session is None
        device = DeviceCore(pair.config, Draws.of_seed(2), pair.device.memory)
        assert device.session is None


class TestAcknowledgement:
    @pytest.mark.parametrize("version", OLD, ids=str)
    def test_a_repeated_uplink_stays_as_it_was_and_the_next_one_acknowledges(self, version: Version) -> None:
        """One counter value, one frame: a confirmed downlink between two tries is acknowledged by the next new one."""
        pair = joined(version)
        session = pair.device.session
        assert session is not None
        confirmed_down = seal_down(
            session.keys,
            is_1_1=False,
            confirmed=True,
            dev_addr=session.dev_addr,
            f_ctrl=FCtrlDown(),
            f_cnt=3,
            f_port=7,
            payload=b"not the acknowledgement",
        )
        pair.up = silent
        pair.feed(SendRequest(10, b"alarm", True))
        first, (rx1, _) = next_out(pair)
        assert [type(e) for e in hear_in(pair, rx1, confirmed_down) if isinstance(e, Received)] == [Received]
        second, _ = next_out(pair)
        assert (second.repeat, second.transmit.payload) == (1, first.transmit.payload)
        pair.run()
        pair.send(b"next")
        assert pair.of(SendDone)[-2] == SendDone(0, 8, False)
        last = parse(pair.sent[-1].transmit.payload, uplink=True)
        assert isinstance(last, DataUp)
        assert last.f_ctrl.ack
