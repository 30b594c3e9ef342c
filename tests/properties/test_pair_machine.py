"""Laws of a device and its network over any link: replays, counters, keys, nonces, airtime, power cuts.

The machine plays the world: it loses, delays, repeats and reorders frames of both directions, records and replays them,
cuts the device's power between any two of its effects, lets it join again and moves its counter towards 16 bits' end.
What 1.0.2 and 1.0.3 cannot survive is left out and held by itself at the end.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lorawan import mac_commands as mac
from lorawan.device import Activation, Joined, Received, RequestLinkCheck, SendRequest, StartJoin, Transmission
from lorawan.testing import Copies, Link, Pair, Script, abp_device, otaa_device, perfect
from lorawan.trace import FrameKind
from lorawan.units import US_PER_HOUR, US_PER_S
from lorawan.version import Version

# late for RX1, for both windows, for the next uplink too
UP_COPIES: st.SearchStrategy[Copies] = st.lists(
    st.sampled_from((0, 0, 0, 400_000, 1_500_000, 5_000_000, 30_000_000)), max_size=2
)
DOWN_COPIES: st.SearchStrategy[Copies] = st.lists(st.sampled_from((0, 0, 0, 1, 2, 5)), max_size=2)
JOIN_ACCEPT = 0x20
ASKED: tuple[mac.MacCommand, ...] = (
    mac.DevStatusReq(),
    mac.LinkAdrReq(data_rate=3, tx_power=2, ch_mask=7, ch_mask_cntl=0, nb_trans=2),
    mac.LinkAdrReq(data_rate=0, tx_power=0, ch_mask=2, ch_mask_cntl=0, nb_trans=1),
    mac.RxParamSetupReq(rx1_dr_offset=2, rx2_dr=3, freq_hz=869_525_000),
    mac.RxTimingSetupReq(delay_s=5),
    mac.NewChannelReq(ch_index=4, freq_hz=867_100_000, max_dr=5, min_dr=0),
    mac.DlChannelReq(ch_index=1, freq_hz=868_500_000),
    mac.DutyCycleReq(max_d_cycle=7),
    mac.AdrParamSetupReq(limit_exp=3, delay_exp=2),
    mac.ForceRejoinReq(period=0, max_retries=1, rejoin_type=0, data_rate=4),
    mac.RejoinParamSetupReq(max_time_n=0, max_count_n=0),
)
ON_THE_WAY = (10_000, 20_000, 35_000, 50_000, 65_533)  # steps that 1.0.2's MAX_FCNT_GAP of 16384 lets through


class PairMachine(RuleBasedStateMachine):
    """One device of any version, joined or personalised, its network, and a hostile world between them."""

    pair: Pair
    version: Version
    queued: list[bytes]
    number: int

    @initialize(
        version=st.sampled_from(Version),
        activation=st.sampled_from(Activation),
        drift_ppm=st.sampled_from((-100, 0, 100)),
        seed=st.integers(0, 1000),
    )
    def begin(self, version: Version, activation: Activation, drift_ppm: int, seed: int) -> None:
        self.version, self.number, self.queued, self.submitted = version, 0, [], list[bytes]()
        config = (otaa_device if activation is Activation.OTAA else abp_device)(version)
        self.pair = Pair(config, drift_ppm=drift_ppm, seed=seed * 1000)
        self.join()

    @property
    def joins(self) -> bool:
        return self.pair.config.activation is Activation.OTAA

    def payload(self) -> bytes:
        self.number += 1
        return self.number.to_bytes(4, "big")

    # -- what happens ----------------------------------------------------------------------------------------------

    @rule(up=st.lists(UP_COPIES, max_size=6), down=st.lists(DOWN_COPIES, max_size=6))
    def break_the_link(self, up: list[Copies], down: list[Copies]) -> None:
        self.pair.up, self.pair.down = Script(up), self.without_old_accepts(Script(down))

    def without_old_accepts(self, link: Link) -> Link:
        """Before 1.1 nothing ties an accept to its request: a late one makes the keys of both ends differ."""
        if self.version.is_1_1:
            return link
        return lambda payload: [late for late in link(payload) if not late or payload[0] != JOIN_ACCEPT]

    @rule(confirmed=st.booleans(), link_check=st.booleans())
    def send(self, confirmed: bool, link_check: bool) -> None:
        if link_check:
            self.pair.feed(RequestLinkCheck())
        payload = self.payload()
        self.submitted.append(payload)
        self.pair.feed(SendRequest(10, payload, confirmed))
        self.pair.run(until=self.pair.now + 20 * US_PER_S)

    @precondition(lambda self: self.pair.session is not None)
    @rule(confirmed=st.booleans())
    def queue(self, confirmed: bool) -> None:
        payload = self.payload()
        self.queued.append(payload)
        self.pair.queue(payload, 7, confirmed=confirmed)

    @rule(seconds=st.sampled_from((1, 30, 600, 4_000)))
    def wait(self, seconds: int) -> None:
        self.pair.run(until=self.pair.now + seconds * US_PER_S)

    @rule(effects=st.integers(0, 8))
    def cut_power_in_a_while(self, effects: int) -> None:
        self.pair.cut_power_after(effects)

    @rule()
    def restart_the_network(self) -> None:
        self.pair.restart_network()

    @rule(command=st.sampled_from(ASKED))
    def ask(self, command: mac.MacCommand) -> None:
        if self.version in command.versions:
            self.pair.ask(command)

    @precondition(lambda self: self.pair.config.activation is Activation.OTAA)
    @rule()
    def join(self) -> None:
        if self.joins:
            self.pair.feed(StartJoin())
            self.pair.run(until=self.pair.now + 60 * US_PER_S)

    @precondition(lambda self: self.pair.device.session is not None and self.pair.device.session.f_cnt_up < 9_000)
    @rule()
    def use_the_counter_up(self) -> None:
        self.pair.up = self.pair.down = perfect
        self.pair.cut_power_after(None)
        self.send(confirmed=False, link_check=False)  # in 1.1 the keys are confirmed first
        for f_cnt in ON_THE_WAY:
            session = self.pair.device.session
            if session is None or session.announce:
                return
            session.f_cnt_up = max(f_cnt, session.f_cnt_up)
            self.send(confirmed=False, link_check=False)
            self.wait(600)

    # -- what always holds -----------------------------------------------------------------------------------------

    @invariant()
    def each_payload_arrives_once_at_most_and_as_it_was_sent(self) -> None:
        delivered, received = self.pair.delivered, self.pair.received
        assert len(set(delivered)) == len(delivered)
        assert set(delivered) <= set(self.submitted)
        assert len(set(received)) == len(received)
        assert set(received) <= set(self.queued)

    @invariant()
    def a_counter_value_carries_one_frame(self) -> None:
        for frames in self._by_session():
            seen: dict[int, bytes] = {}
            for sent in frames:
                message = sent.transmit.payload[:-4]  # the MIC of 1.1 depends on data rate and channel
                assert seen.setdefault(sent.f_cnt, message) == message

    def _by_session(self) -> list[list[Transmission]]:
        sessions: list[list[Transmission]] = [[]]
        for effect in self.pair.device_effects:
            if isinstance(effect, Joined):
                sessions.append([])
            elif isinstance(effect, Transmission) and effect.kind is FrameKind.DATA:
                sessions[-1].append(effect)
        return sessions

    @invariant()
    def no_dev_nonce_is_used_twice(self) -> None:
        if self.version.rules.dev_nonce_is_counter:
            nonces = [sent.f_cnt for sent in self.pair.sent if sent.kind is FrameKind.JOIN]
            assert len(set(nonces)) == len(nonces)

    @invariant()
    def downlink_counters_rise(self) -> None:
        sessions: list[list[int]] = [[]]
        for effect in self.pair.device_effects:
            if isinstance(effect, Joined):
                sessions.append([])
            elif isinstance(effect, Received):
                sessions[-1].append(effect.f_cnt)
        assert all(a < b for counters in sessions for a, b in pairwise(counters))

    @invariant()
    def no_hour_holds_more_airtime_than_its_sub_band_allows(self) -> None:
        region = self.pair.config.region
        bands: dict[str, list[tuple[int, int]]] = {}
        for sent in self.pair.sent:
            band = region.sub_band(sent.transmit.freq_hz)
            assert band is not None
            bands.setdefault(band.name, []).append((sent.transmit.at, sent.transmit.airtime_us))
        if self.pair.boots > 1:
            return  # a device that lost power knows nothing of its past hour
        limits = {band.name: US_PER_HOUR // band.duty_divisor for band in region.sub_bands}
        for name, frames in bands.items():
            for at, _ in frames:
                inside = sum(airtime for start, airtime in frames if at <= start < at + US_PER_HOUR - airtime)
                assert inside <= limits[name]

    def teardown(self) -> None:
        """Once the link is whole again, both ends agree."""
        if not hasattr(self, "pair"):
            return
        pair = self.pair
        pair.up = pair.down = perfect
        pair.cut_power_after(None)
        pair.run(until=pair.now + 8 * US_PER_HOUR)
        if pair.device.session is None:
            pair.join()
        # one may be refused: in 1.1 the MIC of an acknowledgement names a downlink that the network may have dropped
        for _ in range(3):
            self.send(confirmed=True, link_check=False)
            pair.run(until=pair.now + 2 * US_PER_HOUR)
        assert pair.delivered[-1:] == self.submitted[-1:]
        assert pair.device.session is not None
        assert pair.device.session.keys in [session.settings.keys for session in pair.server.sessions]
        self.each_payload_arrives_once_at_most_and_as_it_was_sent()
        self.no_hour_holds_more_airtime_than_its_sub_band_allows()


@pytest.mark.parametrize(
    ("version", "survives_replay", "survives_delay"),
    [
        (Version.V1_0_2, False, False),  # §6.2.5: AppNonce need not rise, and the accept's MIC covers no DevNonce
        (Version.V1_0_3, False, False),
        (Version.V1_0_4, True, False),  # §6.2.6: JoinNonce rises, so one taken before is refused
        (Version.V1_1, True, True),  # §6.2.3: the MIC covers DevNonce
    ],
    ids=str,
)
def test_what_an_accept_that_answers_an_earlier_request_does_to_the_keys(
    version: Version, survives_replay: bool, survives_delay: bool
) -> None:
    replayed = Pair(otaa_device(version), down=Script([(0, 1), ()]))
    replayed.join()
    replayed.join()
    held_back = Pair(otaa_device(version), down=Script([(1,), ()]))
    held_back.join()
    for pair, survives in ((replayed, survives_replay), (held_back, survives_delay)):
        pair.send(b"after")
        assert (pair.delivered == [b"after"]) is survives


PairMachine.TestCase.settings = settings(
    max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestPair = PairMachine.TestCase
