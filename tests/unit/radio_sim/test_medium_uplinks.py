"""What the medium lets through: sensitivity, capture, preamble lock, demodulators, half duplex, down times, ALOHA."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from lorawan.errors import MisuseError
from lorawan.phy import LoraModulation, Transmit, lora_airtime_us
from lorawan.trace import Outcome
from radio_sim.medium import (
    ALOHA,
    ENERGY,
    PRODUCT,
    DownlinkStarts,
    InterferencePolicy,
    Medium,
    UplinkEnded,
    UplinkStarts,
)
from radio_sim.model import SX1301, SX1302, UNLIMITED, Demodulators, GatewaySite

FREQ_HZ = 868_100_000
POWER_DBM = 14.0


def airtime_us(sf: int) -> int:
    return lora_airtime_us(33, LoraModulation(sf))


def symbol_us(sf: int) -> int:
    return (1 << sf) * 8


def uplink(device: int, at: int, sf: int, *, freq_hz: int = FREQ_HZ, frame_index: int = 0) -> UplinkStarts:
    transmit = Transmit(at, bytes(33), freq_hz, LoraModulation(sf), POWER_DBM, airtime_us(sf))
    return UplinkStarts(device, frame_index, transmit)


def downlink(gateway: int, at: int, sf: int) -> DownlinkStarts:
    transmit = Transmit(at, bytes(20), FREQ_HZ, LoraModulation(sf), 14.0, airtime_us(sf), inverted_iq=True, crc=False)
    return DownlinkStarts(gateway, at, transmit)


def medium(
    received_dbm: Sequence[Sequence[float]],
    *,
    policy: InterferencePolicy = PRODUCT,
    demodulators: Demodulators = UNLIMITED,
    gateway_down: Sequence[tuple[int, int, int]] = (),
) -> Medium:
    """A medium of which each device is received with the given powers, noise −117 dBm."""
    gateways = [GatewaySite(f"g{i}", 0, 0, demodulators=demodulators) for i in range(len(received_dbm[0]))]
    return Medium(gateways, np.array(received_dbm) - POWER_DBM, policy=policy, gateway_down=gateway_down)


def play(core: Medium, events: Sequence[UplinkStarts | DownlinkStarts]) -> dict[tuple[int, int], UplinkEnded]:
    """Every uplink's end, by (device, frame index)."""
    effects = []
    for event in sorted(events, key=lambda e: e.transmit.at):
        effects += core.handle(event, event.transmit.at)
    while (wake_at := core.wake_at) is not None:
        effects += core.wake(wake_at)
    return {(e.device, e.frame_index): e for e in effects if isinstance(e, UplinkEnded)}


def outcomes(core: Medium, events: Sequence[UplinkStarts | DownlinkStarts]) -> list[Outcome]:
    return [ended.outcome for _, ended in sorted(play(core, events).items())]


@pytest.mark.parametrize(("sf", "floor_db"), [(7, -7.5), (8, -10.0), (9, -12.5), (10, -15.0), (11, -17.5), (12, -20.0)])
def test_a_frame_is_received_from_the_snr_floor_of_its_sf_up(sf: int, floor_db: float) -> None:
    noise = -174 + 10 * math.log10(125_000) + 6
    core = medium([[noise + floor_db + 0.01], [noise + floor_db - 0.01]])
    apart = 10_000_000
    assert outcomes(core, [uplink(0, 0, sf), uplink(1, apart, sf)]) == [Outcome.DELIVERED, Outcome.BELOW_SENSITIVITY]


def test_what_is_heard_comes_at_the_last_symbol_with_rssi_and_snr_of_each_gateway() -> None:
    core = medium([[-100.2, -140.0, -119.6]])
    ended = play(core, [uplink(0, 5_000, 9)])[0, 0]
    assert [gateway for gateway, _ in ended.heard] == [0, 2]
    first, second = (heard for _, heard in ended.heard)
    assert first.at == 5_000 + airtime_us(9)
    assert (first.rssi_dbm, first.snr_db) == (-100.0, 10.0)
    # −119.6 dBm is 2.57 dB below the noise of −117.03 dBm; the chip sees signal and noise together.
    assert (second.rssi_dbm, second.snr_db) == (-115.0, -2.5)
    assert first.payload == bytes(33)
    assert first.airtime_us == airtime_us(9)


@pytest.mark.parametrize("policy", [ENERGY, PRODUCT])
@pytest.mark.parametrize(("stronger_db", "captured"), [(5.9, False), (6.1, True)])
def test_of_two_frames_at_once_the_one_6_db_stronger_survives(
    policy: InterferencePolicy, stronger_db: float, captured: bool
) -> None:
    core = medium([[-100.0 + stronger_db], [-100.0]], policy=policy)
    strong, weak = outcomes(core, [uplink(0, 0, 8), uplink(1, 0, 8)])
    assert strong is (Outcome.DELIVERED if captured else Outcome.COLLIDED)
    assert weak is Outcome.COLLIDED


def test_under_aloha_even_a_frame_below_sensitivity_kills() -> None:
    core = medium([[-60.0], [-150.0]], policy=ALOHA)
    last_us = airtime_us(7) - 1
    assert outcomes(core, [uplink(0, 0, 7), uplink(1, last_us, 7)]) == [Outcome.COLLIDED, Outcome.BELOW_SENSITIVITY]


@pytest.mark.parametrize("policy", [ALOHA, ENERGY, PRODUCT])
def test_frames_that_only_touch_do_not_disturb_each_other(policy: InterferencePolicy) -> None:
    core = medium([[-100.0], [-60.0], [-60.0]], policy=policy)
    events = [uplink(0, airtime_us(7), 7), uplink(1, 0, 7), uplink(2, 2 * airtime_us(7), 7)]
    assert outcomes(core, events) == [Outcome.DELIVERED] * 3


@pytest.mark.parametrize("policy", [ALOHA, ENERGY, PRODUCT])
def test_channels_do_not_disturb_each_other(policy: InterferencePolicy) -> None:
    core = medium([[-110.0], [-50.0]], policy=policy)
    events = [uplink(0, 0, 7), uplink(1, 0, 7, freq_hz=868_300_000)]
    assert outcomes(core, events) == [Outcome.DELIVERED, Outcome.DELIVERED]


@pytest.mark.parametrize(("sir_db", "survives"), [(-15.5, False), (-14.5, True)])
def test_croces_threshold_holds_between_spreading_factors(sir_db: float, survives: bool) -> None:
    # Own SF9 against SF12: −15 dB (Croce et al. 2018). The SF12 frame covers all of the SF9 frame.
    core = medium([[-100.0], [-100.0 - sir_db]])
    ended = play(core, [uplink(1, 0, 12), uplink(0, 500_000, 9)])
    assert (ended[0, 0].outcome is Outcome.DELIVERED) is survives


def test_an_interferer_within_the_first_three_preamble_symbols_does_not_kill_under_product() -> None:
    first_three = 3 * symbol_us(9)
    events = [uplink(1, 0, 9), uplink(0, airtime_us(9) - first_three, 9)]
    assert outcomes(medium([[-100.0], [-90.0]]), events)[0] is Outcome.DELIVERED
    # One symbol longer, at a power that one of five symbols carries past 6 dB, and it does.
    later = [uplink(1, 0, 9), uplink(0, airtime_us(9) - first_three - symbol_us(9), 9)]
    assert outcomes(medium([[-100.0], [-90.0]]), later)[0] is Outcome.COLLIDED


def test_a_clear_preamble_lets_a_long_frame_survive_a_weaker_tail_under_product() -> None:
    # The tail overlaps an eighth of the frame at 3 dB more power: by energy 6 dB are kept, at the preamble nothing is.
    begin = airtime_us(9) - airtime_us(9) // 9
    assert outcomes(medium([[-100.0], [-97.5]]), [uplink(0, 0, 9), uplink(1, begin, 9)])[0] is Outcome.DELIVERED


def test_sx1302_refuses_the_17th_sf7_frame_and_the_9th_sf12_frame() -> None:
    for sf, places in ((7, 16), (10, 16), (11, 8), (12, 8)):
        core = medium([[-90.0]] * (places + 1), demodulators=SX1302)
        events = [uplink(d, 10 * d, sf, freq_hz=FREQ_HZ + 200_000 * d) for d in range(places + 1)]
        assert outcomes(core, events) == [Outcome.DELIVERED] * places + [Outcome.NO_DEMODULATOR]


def test_sx1302_keeps_its_eight_universal_demodulators_for_high_spreading_factors() -> None:
    core = medium([[-90.0]] * 17, demodulators=SX1302)
    slow = [uplink(d, 0, 12, freq_hz=FREQ_HZ + 200_000 * d) for d in range(8)]
    fast = [uplink(d, 400_000, 7, freq_hz=FREQ_HZ + 200_000 * d) for d in range(8, 17)]
    assert outcomes(core, slow + fast) == [Outcome.DELIVERED] * 16 + [Outcome.NO_DEMODULATOR]


def test_a_demodulator_stays_taken_by_a_destroyed_frame_and_is_free_again_at_its_end() -> None:
    core = medium([[-90.0]] * 11, demodulators=SX1301, policy=ENERGY)
    destroyed = [uplink(d, 0, 9) for d in range(8)]
    events = [*destroyed, uplink(8, 1, 7, freq_hz=868_300_000), uplink(9, airtime_us(9), 7)]
    result = outcomes(core, events)
    assert result == [Outcome.COLLIDED] * 8 + [Outcome.NO_DEMODULATOR, Outcome.DELIVERED]


def test_frames_below_sensitivity_take_no_demodulator() -> None:
    core = medium([[-150.0]] * 8 + [[-90.0]], demodulators=SX1301)
    events = [uplink(d, d, 7, freq_hz=FREQ_HZ + 200_000 * d) for d in range(9)]
    assert outcomes(core, events) == [Outcome.BELOW_SENSITIVITY] * 8 + [Outcome.DELIVERED]


def test_under_product_a_frame_that_cannot_lock_takes_no_demodulator() -> None:
    one = Demodulators("one", any_sf=1)
    core = medium([[-100.0], [-100.0], [-90.0]], demodulators=one)
    events = [uplink(0, 0, 9), uplink(1, 0, 9), uplink(2, 5 * symbol_us(9), 9, freq_hz=868_300_000)]
    assert outcomes(core, events) == [Outcome.COLLIDED, Outcome.COLLIDED, Outcome.DELIVERED]


def test_a_demodulator_freed_at_an_instant_serves_the_frame_that_locks_then() -> None:
    core = medium([[-90.0], [-90.0]], demodulators=Demodulators("one", any_sf=1))
    locks_at_its_end = airtime_us(7) - 8 * symbol_us(7)
    events = [uplink(0, 0, 7), uplink(1, locks_at_its_end, 7, freq_hz=868_300_000)]
    assert outcomes(core, events) == [Outcome.DELIVERED, Outcome.DELIVERED]
    core = medium([[-90.0], [-90.0]], demodulators=Demodulators("one", any_sf=1))
    events = [uplink(0, 0, 7), uplink(1, locks_at_its_end - 1, 7, freq_hz=868_300_000)]
    assert outcomes(core, events) == [Outcome.DELIVERED, Outcome.NO_DEMODULATOR]


@pytest.mark.parametrize("policy", [ENERGY, PRODUCT])
def test_a_gateway_hears_nothing_that_touches_its_own_transmission(policy: InterferencePolicy) -> None:
    # Devices 0 … 3: ends as the downlink starts; runs when it starts; starts within; starts as it ends.
    begin = airtime_us(9)
    end = begin + airtime_us(8)
    core = medium([[-100.0, -160.0]] * 4, policy=policy)
    events = [
        uplink(0, 0, 9),
        uplink(1, begin - 1000, 9, freq_hz=868_300_000),
        uplink(2, end - 1, 9, freq_hz=868_500_000),
        uplink(3, end, 9),
        downlink(0, begin, 8),
    ]
    assert outcomes(core, events) == [
        Outcome.DELIVERED,
        Outcome.GATEWAY_TRANSMITTING,
        Outcome.GATEWAY_TRANSMITTING,
        Outcome.DELIVERED,
    ]


def test_another_gateway_goes_on_hearing_while_one_transmits() -> None:
    core = medium([[-100.0, -100.0]])
    ended = play(core, [uplink(0, 0, 9), downlink(0, 1000, 12)])[0, 0]
    assert [gateway for gateway, _ in ended.heard] == [1]


def test_sending_frees_the_demodulators_of_what_it_drowns() -> None:
    core = medium([[-90.0]] * 9, demodulators=SX1301)
    drowned = [uplink(d, 0, 12, freq_hz=FREQ_HZ + 200_000 * d) for d in range(8)]
    sent = 8 * symbol_us(12) + 10_000
    events = [*drowned, downlink(0, sent, 7), uplink(8, sent + airtime_us(7), 7, freq_hz=868_900_000)]
    assert outcomes(core, events) == [Outcome.GATEWAY_TRANSMITTING] * 8 + [Outcome.DELIVERED]


def test_a_gateway_that_is_down_receives_nothing() -> None:
    core = medium([[-90.0]] * 3, gateway_down=[(0, 1_000_000, 2_000_000)])
    events = [uplink(0, 0, 7), uplink(1, 1_000_000 - 1000, 7), uplink(2, 2_000_000, 7)]
    assert outcomes(core, events) == [Outcome.DELIVERED, Outcome.GATEWAY_DOWN, Outcome.DELIVERED]


def test_the_outcome_is_the_furthest_stage_of_any_gateway() -> None:
    # Gateway 0 is down, 1 hears nothing of it, 2 is drowned in interference.
    core = medium([[-90.0, -160.0, -100.0], [-160.0, -160.0, -90.0]], gateway_down=[(0, 0, 10_000_000)])
    assert play(core, [uplink(0, 0, 9), uplink(1, 0, 9)])[0, 0].outcome is Outcome.COLLIDED
    # Gateway 0 is down and would hear it, 1 is sending while it could.
    core = medium([[-90.0, -100.0]], gateway_down=[(0, 0, 10_000_000)])
    assert outcomes(core, [uplink(0, 0, 9), downlink(1, 1000, 12)]) == [Outcome.GATEWAY_TRANSMITTING]


def test_without_gateways_nobody_is_heard() -> None:
    core = Medium([], np.zeros((1, 0)))
    assert outcomes(core, [uplink(0, 0, 7)]) == [Outcome.BELOW_SENSITIVITY]


def test_a_frame_told_at_another_instant_than_its_start_is_misuse() -> None:
    with pytest.raises(MisuseError, match="starts at 5 was told at 6"):
        medium([[-90.0]]).handle(uplink(0, 5, 7), 6)


@pytest.mark.parametrize("load", [0.1, 0.5, 1.0])
def test_poisson_traffic_reaches_the_throughput_of_pure_aloha(load: float) -> None:
    # Abramson 1970: S = G·exp(−2G) for frames of one length on one channel.
    frames, batches = 12_000, 40
    rng = np.random.default_rng(7)
    starts = np.cumsum(rng.exponential(airtime_us(7) / load, frames)).astype(int).tolist()
    core = medium([[-90.0]], policy=ALOHA)
    ended = play(core, [uplink(0, at, 7, frame_index=i) for i, at in enumerate(starts)])
    delivered = np.array([ended[0, i].outcome is Outcome.DELIVERED for i in range(frames)])
    means = delivered.reshape(batches, -1).mean(axis=1)
    error = means.std(ddof=1) / math.sqrt(batches)
    assert abs(means.mean() - math.exp(-2 * load)) < 3.5 * error
