"""A device whose power is cut at any step repeats no counter and no nonce, and takes no downlink a second time.

What it did is carried out effect by effect; the cut comes between two of them; the next life gets the last memory that
was carried out. Source: TS001-1.0.4 §4.3.1.5 and §6.2.5; LoRaWAN 1.1 §4.3.1.5, §6.2.2 and §6.2.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mac_pairs import APP_KEY, NWK_KEY, abp, otaa

from lorawan import mac_commands as mac
from lorawan.crypto import derive_join_keys
from lorawan.device import (
    DeviceConfig,
    DeviceCore,
    DeviceMemory,
    Persist,
    Received,
    SendRequest,
    StartJoin,
    StartRejoin,
    Transmission,
)
from lorawan.device.events import DeviceEffect, DeviceEvent
from lorawan.draws import Draws
from lorawan.frames import FCtrlDown, JoinAccept, RejoinRequest02, RejoinRequest1, parse
from lorawan.ids import DevAddr, NetId
from lorawan.phy import Heard, Listen
from lorawan.secured import seal_down, seal_join_accept_10, seal_join_accept_11
from lorawan.trace import FrameKind
from lorawan.version import Version

COMMANDS = (
    (),
    (mac.LinkAdrReq(data_rate=3, tx_power=1, ch_mask=3, ch_mask_cntl=0, nb_trans=2),),
    (mac.RekeyConf(minor=1), mac.RejoinParamSetupReq(max_time_n=0, max_count_n=0)),
    (mac.ForceRejoinReq(period=0, max_retries=1, rejoin_type=0, data_rate=5),),
)


class PowerCut(Exception):
    """No further effect is carried out."""


@dataclass
class Bench:
    """One device through its lives, and a network that answers each of its sessions."""

    config: DeviceConfig
    cuts: list[int]  # effects carried out in each life but the last
    durable: DeviceMemory = field(default_factory=DeviceMemory)
    now: int = 0
    lives: int = 0
    left: int = 0
    join_nonce: int = 0
    down_cnt: int = 0
    used: set[tuple[object, ...]] = field(default_factory=set)
    taken: set[tuple[object, ...]] = field(default_factory=set)
    old_downlinks: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Power comes back."""
        self.left = self.cuts[self.lives] if self.lives < len(self.cuts) else 1 << 30
        self.device = DeviceCore(self.config, Draws.of_seed(self.lives), self.durable)
        self.lives += 1

    def play(self, event: DeviceEvent, answers: Sequence[int]) -> None:
        """One event, and the wake-ups after it; the network answers the n-th transmission as answers[n] says."""
        try:
            self.carry_out(self.device.handle(event, self.now))
            for answer in answers:
                windows = self.next_out()
                if windows is None:
                    return
                self.answer(answer, windows)
        except PowerCut:
            self.begin()

    def next_out(self) -> tuple[Transmission, Listen] | None:
        for _ in range(20):
            due = self.device.wake_at
            if due is None or due > self.now + 7_200_000_000:
                return None
            self.now = max(self.now, due)
            effects = self.device.wake(self.now)
            self.carry_out(effects)
            sent = [e for e in effects if isinstance(e, Transmission)]
            if sent:
                return sent[0], next(e for e in effects if isinstance(e, Listen))
        return None

    def carry_out(self, effects: Sequence[DeviceEffect]) -> None:
        for effect in effects:
            if self.left == 0:
                raise PowerCut
            self.left -= 1
            if isinstance(effect, Persist):
                self.durable = effect.memory
            elif isinstance(effect, Transmission):
                self.check_transmission(effect)
            elif isinstance(effect, Received):
                session = self.device.session
                assert session is not None
                key = (session.keys, effect.f_cnt)
                assert key not in self.taken
                self.taken.add(key)

    def check_transmission(self, sent: Transmission) -> None:
        session = self.device.session
        if sent.kind is FrameKind.JOIN:
            if not self.config.version.rules.dev_nonce_is_counter:
                return  # random: 1.0.2 and 1.0.3 live with a repeat in 65,536
            key: tuple[object, ...] = ("DevNonce", sent.f_cnt)
        else:
            assert session is not None
            frame = parse(sent.transmit.payload, uplink=True)
            if isinstance(frame, RejoinRequest1):
                key = ("RJcount1", frame.rj_count)
            elif isinstance(frame, RejoinRequest02):
                key = ("RJcount0", session.keys, frame.rj_count)
            else:
                if sent.repeat:
                    return
                key = ("FCntUp", session.keys, sent.f_cnt)
        assert key not in self.used
        self.used.add(key)

    def answer(self, how: int, sent_and_window: tuple[Transmission, Listen]) -> None:
        """0: silence; 1: an old downlink again; from 2: a genuine answer, data with COMMANDS[how − 2]."""
        sent, listen = sent_and_window
        if how == 0:
            return
        replayed = how == 1
        if replayed:
            if not self.old_downlinks:
                return
            payload = self.old_downlinks[-1 - sent.f_cnt % len(self.old_downlinks)]
        else:
            payload = self.genuine(how - 2, sent)
        self.now = max(self.now, listen.closes_at - 1)
        before = len(self.taken)
        self.carry_out(
            self.device.handle(Heard(self.now, payload, listen.freq_hz, listen.modulation, -90.0, 5.0, 0), self.now)
        )
        if replayed:
            assert len(self.taken) == before
        elif sent.kind is FrameKind.DATA:
            self.old_downlinks.append(payload)

    def genuine(self, commands: int, sent: Transmission) -> bytes:
        config = self.config
        if sent.kind is FrameKind.DATA:
            session = self.device.session
            assert session is not None
            self.down_cnt += 1
            return seal_down(
                session.keys,
                is_1_1=session.is_1_1,
                confirmed=False,
                dev_addr=session.dev_addr,
                f_ctrl=FCtrlDown(),
                f_cnt=self.down_cnt,
                f_opts=mac.encode_commands(COMMANDS[commands]),
                f_port=7,
                payload=b"data",
            )
        self.join_nonce += 1
        accept = JoinAccept(self.join_nonce, NetId(0x13), DevAddr(0x26000000 + self.join_nonce))
        if not config.version.is_1_1:
            return seal_join_accept_10(APP_KEY, accept)
        keys = derive_join_keys(NWK_KEY, config.dev_eui)
        if sent.kind is FrameKind.JOIN:
            return seal_join_accept_11(NWK_KEY, keys.js_int_key, accept, config.join_eui, sent.f_cnt)
        rejoin_type = sent.transmit.payload[1]
        return seal_join_accept_11(
            keys.js_enc_key, keys.js_int_key, accept, config.join_eui, sent.f_cnt, join_req_type=rejoin_type
        )


CONFIGS = {
    **{f"ABP {version}": abp(version) for version in Version},
    **{f"OTAA {version}": otaa(version, session_persists=True) for version in Version},
    **{f"OTAA {version}, joins anew": otaa(version) for version in (Version.V1_0_4, Version.V1_1)},
}
EVENTS = st.one_of(
    st.builds(SendRequest, st.just(10), st.just(b"x"), st.booleans()),
    st.builds(StartRejoin, st.integers(0, 2)),
    st.just(StartJoin()),
)
ANSWERS = st.lists(st.sampled_from((0, 0, 1, 2, 3, 4, 5)), min_size=1, max_size=4)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=list(CONFIGS))
@settings(max_examples=60, deadline=None)
@given(
    script=st.lists(st.tuples(EVENTS, ANSWERS), min_size=3, max_size=12),
    cuts=st.lists(st.integers(0, 40), max_size=4),
)
def test_no_cut_makes_a_device_repeat_itself(
    config: DeviceConfig, script: list[tuple[DeviceEvent, list[int]]], cuts: list[int]
) -> None:
    bench = Bench(config, cuts)
    bench.play(StartJoin(), [2])
    for event, answers in script:
        if bench.device.session is None:
            bench.play(StartJoin(), [2])
        bench.play(event, answers)
        bench.now += 1_000_000_000


SCRIPT: tuple[tuple[DeviceEvent, list[int]], ...] = (
    (SendRequest(10, b"x"), [4]),
    (SendRequest(10, b"x"), [1]),
    (SendRequest(10, b"x", confirmed=True), [0, 3]),
    (SendRequest(10, b"x"), [1]),
    (StartRejoin(0), [0]),
    (StartRejoin(2), [0]),
    (StartRejoin(1), [0]),
    (SendRequest(10, b"x"), [0]),
    (StartRejoin(1), [2]),
    (SendRequest(10, b"x"), [2]),
    (StartRejoin(2), [2]),
    (SendRequest(10, b"x"), [1]),
)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=list(CONFIGS))
def test_a_cut_after_any_single_effect_is_survived(config: DeviceConfig) -> None:
    """The same long day with the cut after its first effect, its second, and so on; then the same day once more."""
    after = 0
    while True:
        bench = Bench(config, [after])
        for event, answers in (*SCRIPT, *SCRIPT):
            if bench.device.session is None:
                bench.play(StartJoin(), [0, 2])
            bench.play(event, answers)
            bench.now += 20_000_000_000
        if bench.lives == 1:
            break
        after += 1
    assert after > 60
