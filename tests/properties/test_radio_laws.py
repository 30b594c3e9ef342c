"""Laws of the radio world that hold for any draw, any site and any traffic."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lorawan.draws import Draws, word_of
from lorawan.phy import LoraModulation, Transmit, lora_airtime_us
from lorawan.trace import Outcome
from radio_sim import draws as arrays
from radio_sim.background import BackgroundPopulation, draw_background_day
from radio_sim.links import Links, build_links
from radio_sim.medium import (
    ALOHA,
    ENERGY,
    PRODUCT,
    BackgroundDay,
    DownlinkEnded,
    DownlinkStarts,
    InterferencePolicy,
    Medium,
    MediumEffect,
    UplinkEnded,
    UplinkStarts,
)
from radio_sim.model import SX1302, UNLIMITED, Demodulators, DeviceSite, GatewaySite, RadioModel
from radio_sim.propagation.placement import PLACEMENTS

u64s = st.integers(0, 2**64 - 1)
indices = st.integers(-(2**63), 2**63 - 1)
policies = st.sampled_from([ALOHA, ENERGY, PRODUCT])
FREQS_HZ = (868_100_000, 868_300_000)


@given(st.lists(u64s, min_size=1, max_size=5), st.lists(st.tuples(u64s, indices), min_size=1, max_size=5))
def test_array_draws_are_those_of_lorawan_draws_bit_for_bit(keys: list[int], steps: list[tuple[int, int]]) -> None:
    words = np.array([word for word, _ in steps], np.uint64)
    index = np.array([i for _, i in steps], np.int64)
    folded = arrays.fold(np.array(keys, np.uint64)[:, None], words[None, :])
    drawn = arrays.u64(folded, index[None, :])
    uniform = arrays.uniform(folded, index[None, :])
    for row, key in enumerate(keys):
        for column, (word, i) in enumerate(steps):
            place = Draws(key).at(word)
            assert int(folded[row, column]) == place.key
            assert int(drawn[row, column]) == place.u64(i)
            assert float(uniform[row, column]) == place.uniform(i)


@given(
    st.integers(0, 2**70), st.lists(st.one_of(st.text(max_size=9), st.binary(max_size=9), st.integers()), max_size=4)
)
def test_keys_and_words_are_those_of_lorawan_draws(seed: int, entities: list[Any]) -> None:
    root = Draws.of_seed(seed)
    assert arrays.keys_at(root, *entities).tolist() == [root.at(*entities).key]
    assert arrays.words_of(entities).tolist() == [word_of(entity) for entity in entities]


@given(u64s, indices)
def test_normal_draws_invert_the_normal_distribution_function(key: int, index: int) -> None:
    deviate = float(arrays.normal(np.array([key], np.uint64), index)[0])
    cell = Draws(key).u64(index) >> 11
    assert math.isclose(0.5 * math.erfc(-deviate / math.sqrt(2)), (cell + 0.5) * 2.0**-53, rel_tol=1e-9)


@st.composite
def sites(draw: st.DrawFn) -> tuple[list[GatewaySite], list[DeviceSite]]:
    place = st.tuples(st.floats(47.3, 47.6), st.floats(0.7, 1.1), st.floats(1.0, 60.0))
    gateways = [GatewaySite(f"g{i}", *draw(place)) for i in range(draw(st.integers(1, 4)))]
    kinds = st.sampled_from(sorted(PLACEMENTS))
    devices = [DeviceSite(f"d{i}", *draw(place), placement=draw(kinds)) for i in range(draw(st.integers(1, 5)))]
    return gateways, devices


def values(links: Links, device: str, gateway: str) -> list[float]:
    d, g = links.device_ids.index(device), links.gateway_ids.index(gateway)
    return [
        float(links.gain_db[d, g]),
        float(links.shadowing_db[d, g]),
        float(links.placement_loss_db[d]),
        float(links.slow_keys[d, g]),
        float(links.frame_keys[d, g]),
    ]


@settings(max_examples=40)
@given(sites(), st.integers(0, 2**32), st.data())
def test_adding_or_reordering_sites_changes_no_other_link(
    world: tuple[list[GatewaySite], list[DeviceSite]], seed: int, data: st.DataObject
) -> None:
    gateways, devices = world
    model = RadioModel()
    alone = build_links(Draws.of_seed(seed), gateways, devices, model)
    more_gateways = data.draw(st.permutations([*gateways, GatewaySite("new", 47.5, 0.9)]))
    more_devices = data.draw(st.permutations([*devices, DeviceSite("new", 47.5, 0.9, placement="pit_concrete")]))
    grown = build_links(Draws.of_seed(seed), more_gateways, more_devices, model)
    for device in alone.device_ids:
        for gateway in alone.gateway_ids:
            assert values(grown, device, gateway) == values(alone, device, gateway)
    fade_alone, fade_grown = alone.fading(model), grown.fading(model)
    device, gateway = alone.device_ids[0], alone.gateway_ids[-1]
    at = data.draw(st.integers(0, 40 * 86_400_000_000))
    before = fade_alone.uplink_db(0, 9, at)[alone.gateway_ids.index(gateway)]
    after = fade_grown.uplink_db(grown.device_ids.index(device), 9, at)[grown.gateway_ids.index(gateway)]
    assert before == after


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(2, 12))
def test_a_background_sensor_sends_the_same_frames_whoever_else_is_there(seed: int, day: int, sensors: int) -> None:
    def population(n: int) -> BackgroundPopulation:
        return BackgroundPopulation(
            arrays.words_of([f"s{i}" for i in range(n)]),
            np.full((n, 1), -100.0),
            (7 + np.arange(n) % 6).astype(np.int8),
            2.0 + np.arange(n) / 3,
            20 + np.arange(n),
            np.full(n, 14.0) - np.arange(n),
            FREQS_HZ,
        )

    begin, end = day * 86_400_000_000, (day + 1) * 86_400_000_000
    few = draw_background_day(Draws.of_seed(seed), day, begin, end, population(sensors - 1))
    many = draw_background_day(Draws.of_seed(seed), day, begin, end, population(sensors))
    own = many.power_dbm[:, 0] != np.float32(-100.0 + 14.0 - (sensors - 1))
    assert (many.start_us[own] == few.start_us).all()
    assert (many.channel[own] == few.channel).all()
    assert (many.airtime_us[own] == few.airtime_us).all()


def frame(device: int, index: int, at: int, sf: int, channel: int, payload: int = 20) -> UplinkStarts:
    modulation = LoraModulation(sf)
    airtime = lora_airtime_us(payload, modulation)
    return UplinkStarts(device, index, Transmit(at, b"", FREQS_HZ[channel], modulation, 0.0, airtime))


def play(core: Medium, events: list[UplinkStarts | DownlinkStarts], waking: bool = True) -> list[MediumEffect]:
    effects: list[MediumEffect] = []
    for event in sorted(events, key=lambda e: e.transmit.at):
        at = event.transmit.at
        while waking and core.wake_at is not None and core.wake_at <= at:
            effects += core.wake(core.wake_at)
        effects += core.handle(event, at)
    while core.wake_at is not None:
        effects += core.wake(core.wake_at)
    return effects


times = st.integers(0, 4_000_000)
spreading = st.integers(7, 12)
# Uneven powers, so that no comparison hangs on the last bit of a sum.
powers = st.integers(-1500, -800).map(lambda tenth: tenth / 10 + 0.0123)


@st.composite
def traffic(draw: st.DrawFn) -> tuple[np.ndarray, list[UplinkStarts], list[DownlinkStarts]]:
    gateways = draw(st.integers(1, 3))
    n = draw(st.integers(1, 14))
    gain = np.array(draw(st.lists(st.lists(powers, min_size=gateways, max_size=gateways), min_size=n, max_size=n)))
    ups = [frame(i, 0, draw(times), draw(spreading), draw(st.integers(0, 1))) for i in range(n)]
    downs = []
    for reference in range(draw(st.integers(0, 3))):
        modulation = LoraModulation(draw(spreading))
        at = draw(times)
        transmit = Transmit(at, b"", FREQS_HZ[0], modulation, 14.0, 50_000, inverted_iq=True, crc=False)
        downs.append(DownlinkStarts(draw(st.integers(0, gateways - 1)), reference, transmit))
    return gain, ups, downs


few_demodulators = st.sampled_from([SX1302, Demodulators("few", any_sf=1, low_sf=1), Demodulators("one", any_sf=1)])


@settings(max_examples=150)
@given(traffic(), policies, few_demodulators, st.booleans())
def test_every_frame_ends_once_with_one_outcome(
    world: tuple[np.ndarray, list[UplinkStarts], list[DownlinkStarts]],
    policy: InterferencePolicy,
    demodulators: Demodulators,
    down: bool,
) -> None:
    gain, ups, downs = world
    gateways = [GatewaySite(f"g{i}", 0, 0, demodulators=demodulators) for i in range(gain.shape[1])]
    intervals = [(0, 1_000_000, 2_000_000)] if down else []

    def medium() -> Medium:
        return Medium(gateways, gain, policy=policy, gateway_down=intervals)

    core = medium()
    effects = play(core, [*ups, *downs])
    ended = [e for e in effects if isinstance(e, UplinkEnded)]
    assert sorted(e.device for e in ended) == [u.device for u in ups]
    assert sorted(e.reference for e in effects if isinstance(e, DownlinkEnded)) == [d.reference for d in downs]
    for e in ended:
        assert bool(e.heard) is (e.outcome is Outcome.DELIVERED)
        assert len({gateway for gateway, _ in e.heard}) == len(e.heard)
        assert e.outcome is not Outcome.DUTY_LIMITED
        assert e.outcome is not Outcome.GATEWAY_DOWN or down
        assert e.outcome is not Outcome.GATEWAY_TRANSMITTING or downs
    assert effects == play(medium(), [*ups, *downs])
    # A shell that wakes late gets the same answers, in the same order.
    assert effects == play(medium(), [*ups, *downs], waking=False)
    # Afterwards every demodulator is free again.
    spare = [frame(0, 1, 20_000_000, 12, 0)]
    alone = [e for e in play(core, spare) if isinstance(e, UplinkEnded)]
    fresh = [e for e in play(medium(), spare) if isinstance(e, UplinkEnded)]
    assert alone == fresh


@st.composite
def background(draw: st.DrawFn, channels: int) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
    """Received powers [frame, gateway] in float32, and (start, SF, channel, payload) in rising order of start."""
    gateways = draw(st.integers(1, 3))
    rows = st.tuples(times, spreading, st.integers(0, channels - 1), st.integers(12, 60))
    listed = sorted(draw(st.lists(rows, max_size=14)))
    shape = st.lists(st.lists(powers, min_size=gateways, max_size=gateways), min_size=len(listed), max_size=len(listed))
    return np.array(draw(shape), np.float32).reshape(len(listed), gateways), listed


def as_day(power: np.ndarray, listed: list[tuple[int, int, int, int]]) -> BackgroundDay:
    return BackgroundDay(
        0,
        86_400_000_000,
        FREQS_HZ,
        np.array([at for at, _, _, _ in listed], np.int64),
        np.array([lora_airtime_us(size, LoraModulation(sf)) for _, sf, _, size in listed], np.int64),
        np.array([sf for _, sf, _, _ in listed], np.int8),
        np.array([channel for _, _, channel, _ in listed], np.int8),
        power,
    )


def both_ways(
    power: np.ndarray,
    listed: list[tuple[int, int, int, int]],
    sampled_gain: np.ndarray,
    sampled: list[UplinkStarts],
    policy: InterferencePolicy,
    demodulators: Demodulators,
) -> tuple[list[UplinkEnded], list[UplinkEnded]]:
    """The sampled frames' ends with the background as arrays, and with its frames played as events."""
    gateways = [GatewaySite(f"g{i}", 0, 0, demodulators=demodulators) for i in range(power.shape[1])]
    with_arrays = Medium(gateways, sampled_gain, policy=policy)
    with_arrays.set_background(as_day(power, listed))
    with_events = Medium(gateways, np.vstack([sampled_gain, power.astype(np.float64)]), policy=policy)
    played = [frame(len(sampled) + i, 0, *row) for i, row in enumerate(listed)]

    def ends(effects: list[MediumEffect]) -> list[UplinkEnded]:
        return [e for e in effects if isinstance(e, UplinkEnded) and e.device < len(sampled)]

    return ends(play(with_arrays, list(sampled))), ends(play(with_events, [*played, *sampled]))


@settings(max_examples=150)
@given(background(channels=2), policies, st.data())
def test_background_arrays_interfere_as_the_same_frames_played_as_events(
    traffic: tuple[np.ndarray, list[tuple[int, int, int, int]]], policy: InterferencePolicy, data: st.DataObject
) -> None:
    power, listed = traffic
    gateways = power.shape[1]
    n = data.draw(st.integers(1, 4))
    gain = np.array(data.draw(st.lists(st.lists(powers, min_size=gateways, max_size=gateways), min_size=n, max_size=n)))
    sampled = [frame(i, 0, data.draw(times), data.draw(spreading), data.draw(st.integers(0, 1))) for i in range(n)]
    arrays_say, events_say = both_ways(power, listed, gain, sampled, policy, UNLIMITED)
    assert arrays_say == events_say


@settings(max_examples=150)
@given(background(channels=1), policies, few_demodulators, st.data())
def test_background_arrays_hold_demodulators_as_the_same_frames_played_as_events(
    traffic: tuple[np.ndarray, list[tuple[int, int, int, int]]],
    policy: InterferencePolicy,
    demodulators: Demodulators,
    data: st.DataObject,
) -> None:
    # One sampled frame on a channel of its own: it changes nothing for the background before it locks.
    power, listed = traffic
    gateways = power.shape[1]
    gain = np.array([data.draw(st.lists(powers, min_size=gateways, max_size=gateways))])
    at = data.draw(times.filter(lambda t: all(t != row[0] for row in listed)))
    sampled = [frame(0, 0, at, data.draw(spreading), 1)]
    arrays_say, events_say = both_ways(power, listed, gain, sampled, policy, demodulators)
    assert arrays_say == events_say


@settings(max_examples=200)
@given(st.integers(0, 2**32), policies, st.integers(1, 4), st.integers(0, 2))
def test_a_crowded_background_settles_as_its_frames_played_as_events(
    seed: int, policy: InterferencePolicy, any_sf: int, low_sf: int
) -> None:
    # Two SFs on one channel in 1.5 s: nearly every preamble is disputed and demodulators run out.
    rng = np.random.default_rng(seed)
    n = 30
    listed = [
        (int(at), int(rng.integers(10, 12)), 0, int(rng.integers(12, 40)))
        for at in np.sort(rng.choice(1_500_000, n, replace=False))
    ]
    power = (rng.uniform(-118.0, -100.0, (n, 2))).astype(np.float32)
    sampled = [frame(0, 0, int(rng.integers(0, 2_500_000)), int(rng.integers(7, 13)), 1)]
    demodulators = Demodulators("few", any_sf=any_sf, low_sf=low_sf)
    arrays_say, events_say = both_ways(power, listed, np.full((1, 2), -90.0), sampled, policy, demodulators)
    assert arrays_say == events_say
