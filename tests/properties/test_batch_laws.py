"""The batch engine against the medium, frame by frame, on worlds that Hypothesis draws; and laws of its sweep."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lorawan.draws import Draws, word_of
from lorawan.phy import Listen, LoraModulation, Transmit, Window, lora_symbol_us, snr_floor_db
from lorawan.regions import EU868, DutyCycle
from lorawan.version import Version
from radio_sim.batch import (
    OUTCOME_NAMES,
    Batch,
    BatchDevices,
    BatchGateways,
    BatchNetwork,
    BatchWorld,
    DrawKeys,
    ForeignTraffic,
    Schedules,
)
from radio_sim.batch.hashing import u64
from radio_sim.batch.quantiles import Table, fade_table, quantile
from radio_sim.compiled import kernel
from radio_sim.draws import Floats, fold
from radio_sim.medium import (
    POLICIES,
    DeviceListens,
    DownlinkEnded,
    DownlinkStarts,
    Medium,
    MediumEffect,
    MediumEvent,
    UplinkEnded,
    UplinkStarts,
)
from radio_sim.model import SX1301, SX1302, Demodulators, GatewaySite, RadioModel
from radio_sim.propagation.fading import SlowFading
from scenarios.calendar import uplink_instants_us

MINUTE = 60_000_000
LENGTH = 12 * MINUTE
CHANNELS = (868_100_000, 868_300_000, 867_100_000)
ONE = Demodulators("one of each", any_sf=1, low_sf=1)


@kernel
def deviate(table: Table, key: np.uint64, index: int) -> np.float32:
    return quantile(table, u64(key, index))


class SameFading:
    """The fading of a batch world, link by link, in the form the medium asks for."""

    def __init__(self, world: BatchWorld) -> None:
        model, keys = world.model, world.keys
        self.frame_keys = fold(keys.frame[:, None], keys.gateway_words[None, :])
        self.table = fade_table(model.frame_fading_law, model.frame_fading_sigma_db, model.frame_fading_k_db)
        slow_keys = fold(keys.slow[:, None], keys.gateway_words[None, :])
        self.slow = (
            SlowFading(
                slow_keys,
                sigma_db=model.slow_fading_sigma_db,
                correlation_s=model.slow_fading_correlation_s,
                block_s=model.slow_fading_block_s,
            )
            if model.slow_fading_sigma_db
            else None
        )

    def draw(self, key: int, index: int) -> float:
        return 10.0 * math.log10(float(deviate(self.table, np.uint64(key), index)))

    def uplink_db(self, device: int, frame_index: int, now: int) -> Floats:
        fade = np.array([self.draw(int(key), frame_index) for key in self.frame_keys[device]])
        return fade + self.slow.row(device, now) if self.slow else fade

    def downlink_db(self, gateway: int, device: int, reference: int, now: int) -> float:
        key = fold(self.frame_keys[device, gateway : gateway + 1], word_of("downlink"))
        fade = self.draw(int(key[0]), reference)
        return fade + float(self.slow.row(device, now)[gateway]) if self.slow else fade


@st.composite
def worlds(draw: st.DrawFn, *, downlinks: bool) -> BatchWorld:
    n, g = draw(st.integers(1, 14)), draw(st.integers(1, 3))
    seed = draw(st.integers(0, 2**32))
    rng = np.random.default_rng(seed)
    gain = rng.uniform(-152, -100, (n, g))  # no power lies on a threshold, where doubles and floats may disagree
    law = draw(st.sampled_from(["none", "lognormal", "rice"]))
    model = RadioModel(
        interference_policy=draw(st.sampled_from(sorted(POLICIES))),
        slow_fading_sigma_db=draw(st.sampled_from([0.0, 3.0])),
        slow_fading_block_s=120.0,
        slow_fading_correlation_s=240.0,
        frame_fading_law=law,  # type: ignore[arg-type]  # one of the literals
        frame_fading_k_db=3.0,
    )
    kinds = [
        Schedules.periodic(rng.integers(0, MINUTE, n), draw(st.integers(4, 60)) * 1_000_000, jitter_us=1_000_000),
        Schedules.poisson(rng.integers(5_000_000, 60_000_000, n)),
        Schedules.bursts(rng.integers(20_000_000, 90_000_000, n), 4, 3_000_000),
        Schedules.herd(n, 30_000_000, spread_us=2_000_000, period_us=30_000_000),
        Schedules.civil_days(rng.random(n), 20),
    ]
    schedules = Schedules.concatenate([kinds[k].rows([i]) for i, k in enumerate(rng.integers(0, len(kinds), n))])
    devices = BatchDevices.of(
        schedules,
        payload_bytes=rng.integers(0, 51, n),
        dr=rng.integers(0, 6, n),
        confirmed=downlinks & (rng.random(n) < 0.6),
        adr=downlinks & (rng.random(n) < 0.7),
        versions=[list(Version)[k] for k in rng.integers(0, 4, n)],
        joins=downlinks & (rng.random(n) < 0.4),
        join_at_us=rng.integers(0, 3 * MINUTE, n),
        restart_at_us=np.where(rng.random(n) < 0.2, 5 * MINUTE, -1) if downlinks else -1,
    )
    down = [(int(rng.integers(g)), 2 * MINUTE, 4 * MINUTE)] if draw(st.booleans()) else []
    pool = draw(st.sampled_from([SX1301, SX1302, ONE]))
    gateways = BatchGateways.of(g, demodulators=pool, down=down, noise_dbm=GatewaySite("g", 0, 0).noise_dbm())
    keys = DrawKeys.of(Draws.of_seed(seed), devices.ids, gateways.ids)
    network = BatchNetwork(channels_hz=CHANNELS, downlinks=downlinks, duty_cycle=draw(st.booleans()), accept_bytes=33)
    return BatchWorld(devices, gateways, gain, keys, model, network, bounds_us=(0, LENGTH // 2, LENGTH))


def medium_of(world: BatchWorld) -> Medium:
    sites = [
        GatewaySite(name, 0, 0, demodulators=pool)
        for name, pool in zip(world.gateways.ids, world.gateways.demodulators, strict=True)
    ]
    return Medium(
        sites,
        world.gain_db.astype(np.float32).astype(float),
        policy=POLICIES[world.model.interference_policy],
        fading=SameFading(world),  # type: ignore[arg-type]  # it answers the same questions
        device_noise_dbm=world.devices.noise_dbm,
        gateway_down=world.gateways.down,
    )


def play(world: BatchWorld, ups: dict[str, Any], downs: dict[str, Any]) -> list[MediumEffect]:
    """The recorded frames through the medium, starts of one instant in the engine's order."""
    device_of = {name: i for i, name in enumerate(world.devices.ids)}
    gateway_of = {name: i for i, name in enumerate(world.gateways.ids)}
    timed: list[tuple[int, int, int, MediumEvent]] = []
    frames: Counter[int] = Counter()
    for k, (at, name) in enumerate(zip(ups["t_us"].tolist(), ups["device"].tolist(), strict=True)):
        device = device_of[name]
        transmit = Transmit(
            at,
            bytes(1),
            int(ups["freq_hz"][k]),
            LoraModulation(int(ups["sf"][k])),
            float(ups["tx_power_dbm"][k]),
            int(ups["airtime_us"][k]),
        )
        timed.append((at, 1, device, UplinkStarts(device, frames[device], transmit)))
        frames[device] += 1
    for k, at in enumerate(downs["t_us"].tolist()):
        modulation = LoraModulation(int(downs["sf"][k]))
        freq_hz, airtime = int(downs["freq_hz"][k]), int(downs["airtime_us"][k])
        power = float(downs["tx_power_dbm"][k])
        transmit = Transmit(at, bytes(1), freq_hz, modulation, power, airtime, inverted_iq=True, crc=False)
        timed.append((at, 0, k, DownlinkStarts(gateway_of[downs["gateway"][k]], k + 1, transmit)))
        # only a frame that begins with this one fits into a window from its critical section to its first µs
        window = Listen(at + 3 * lora_symbol_us(modulation), at + 1, freq_hz, modulation, Window.RX1)
        timed.append((at, 0, k, DeviceListens(device_of[downs["device"][k]], window)))
    core, effects = medium_of(world), []
    for at, _, _, event in sorted(timed, key=lambda entry: entry[:3]):
        effects += core.handle(event, at)
    while (wake_at := core.wake_at) is not None:
        effects += core.wake(wake_at)
    return effects


def best_of(ended: UplinkEnded, names: tuple[str, ...]) -> tuple[int, str, float, float]:
    if not ended.heard:
        return 0, "", 0.0, 0.0
    gateway, heard = max(ended.heard, key=lambda entry: (entry[1].snr_db, entry[1].rssi_dbm))
    return len(ended.heard), names[gateway], heard.rssi_dbm, heard.snr_db


def compare(world: BatchWorld) -> None:
    batch = Batch(world, records="all")
    batch.run(LENGTH + MINUTE)  # what is in the air at the end has no record yet and is not compared
    ups, downs = batch.take()
    effects = play(world, ups, downs)
    ended = {(e.transmit.at, e.device): e for e in effects if isinstance(e, UplinkEnded)}
    for k, (at, name) in enumerate(zip(ups["t_us"].tolist(), ups["device"].tolist(), strict=True)):
        if at >= LENGTH:
            break
        found = ended[at, world.devices.ids.index(name)]
        n, gateway, rssi, snr = best_of(found, world.gateways.ids)
        assert ups["outcome"][k] == found.outcome.value
        assert int(ups["n_gateways"][k]) == n
        if n and not world.model.slow_fading_sigma_db:
            assert str(ups["best_gateway"][k]) == gateway
        if n:
            # tabulated slow fading is within 10⁻⁴ dB, so a report may fall on the other side of a rounding
            steps = 1 if world.model.slow_fading_sigma_db else 0
            assert abs(float(ups["best_rssi_dbm"][k]) - rssi) <= steps
            assert abs(float(ups["best_snr_db"][k]) - snr) <= 0.25 * steps
    heard_down = {e.reference: e for e in effects if isinstance(e, DownlinkEnded)}
    for k, outcome in enumerate(downs["outcome"].tolist()):
        if outcome != "not listening" and downs["t_us"][k] < LENGTH:
            device = world.devices.ids.index(str(downs["device"][k]))
            (said,) = [what.value for who, what, _ in heard_down[k + 1].receptions if who == device]
            assert outcome == said


@settings(max_examples=80, deadline=None, derandomize=True)
@given(worlds(downlinks=False))
def test_the_same_uplinks_are_received_as_in_the_medium(world: BatchWorld) -> None:
    compare(world)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(worlds(downlinks=True))
def test_with_gateways_that_send_both_directions_are_received_as_in_the_medium(world: BatchWorld) -> None:
    compare(world)


@settings(max_examples=40, deadline=None)
@given(worlds(downlinks=True), st.lists(st.integers(1, LENGTH), max_size=12), st.integers(1, 40))
def test_no_cut_and_no_size_of_a_buffer_changes_anything(world: BatchWorld, cuts: list[int], capacity: int) -> None:
    straight, cut = Batch(world, records="all"), Batch(world, records="all", record_capacity=capacity)
    straight.run(LENGTH)
    pieces: list[tuple[Any, Any]] = []
    for at in [*sorted(cuts), LENGTH]:
        cut.run(at, lambda up, down: pieces.append((up, down)))
    assert cut.digest() == straight.digest()
    whole: list[tuple[Any, Any]] = []
    straight.run(LENGTH, lambda up, down: whole.append((up, down)))
    for part in (0, 1):
        assert b"".join(p[part].tobytes() for p in pieces) == whole[0][part].tobytes()


@settings(max_examples=40, deadline=None)
@given(worlds(downlinks=True))
def test_every_uplink_and_downlink_is_in_exactly_one_class(world: BatchWorld) -> None:
    batch = Batch(world, records="all")
    batch.run(LENGTH)
    ups, _ = batch.take()
    counters = batch.counters
    assert counters.uplinks == len(ups["t_us"])
    assert counters.by_gateway.sum(axis=1).tolist() == [counters.uplinks] * len(world.gateways)
    assert int(counters.outcomes[0]) == int((ups["n_gateways"] > 0).sum())
    assert counters.totals["accepted"] == int(ups["accepted"].sum())
    total = counters.totals
    sent = total["downlinks_rx1"] + total["downlinks_rx2"]
    waiting = total["downlinks_wanted"] - sent - total["downlinks_unsent"]
    fates = ("delivered", "collided", "below_sensitivity", "not_listening", "gateway_down")
    under_way = sent - sum(total[f"downlinks_{fate}"] for fate in fates)
    assert 0 <= waiting + under_way <= len(world.devices)
    open_frames = total["confirmed_opened"] - total["confirmed_acknowledged"] - total["confirmed_failed"]
    assert 0 <= open_frames <= int(world.devices.confirmed.sum())


@settings(max_examples=40, deadline=None)
@given(worlds(downlinks=True), st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6)), min_size=1, max_size=4))
def test_an_outage_is_the_cause_where_a_frame_would_have_reached_the_gateway(
    drawn: BatchWorld, outages: list[tuple[int, int]]
) -> None:
    """Counted again from the records: steady links, so a frame's power at each gateway is known."""
    g = len(drawn.gateways)
    quarter = MINUTE // 4
    begins = [(12 * k + begin) * quarter for k, (begin, _) in enumerate(outages)]
    down = [(k % g, begins[k], begins[k] + long * quarter) for k, (_, long) in enumerate(outages)]
    model = replace(drawn.model, slow_fading_sigma_db=0.0, frame_fading_law="none")
    world = replace(drawn, model=model, gateways=replace(drawn.gateways, down=tuple(sorted(down))))
    batch = Batch(world, records="uplinks")
    batch.run(LENGTH)
    ups, _ = batch.take()
    device = [world.devices.ids.index(name) for name in ups["device"].tolist()]
    floor = np.array([snr_floor_db(sf) for sf in ups["sf"].tolist()])[:, None]
    reaches = ups["tx_power_dbm"][:, None] + world.gain_db[device] >= world.gateways.noise_dbm + floor
    begin, end = ups["t_us"], ups["t_us"] + ups["airtime_us"]
    out = np.zeros_like(reaches)
    for gateway, from_, to in world.gateways.down:
        out[:, gateway] |= (begin < to) & (end > from_)
    cost = reaches & out
    heard_somewhere = (reaches & ~out).any(axis=1)
    assert ((ups["outcome"] == "gateway down") == (cost.any(axis=1) & ~heard_somewhere)).all()
    assert ((ups["outcome"] == "below sensitivity") == ~reaches.any(axis=1)).all()
    by_gateway = batch.counters.by_gateway
    names = OUTCOME_NAMES.tolist()
    assert by_gateway[:, names.index("gateway down")].tolist() == cost.sum(axis=0).tolist()
    assert by_gateway[:, names.index("below sensitivity")].tolist() == (~reaches).sum(axis=0).tolist()
    assert by_gateway.sum(axis=1).tolist() == [len(begin)] * g


@settings(max_examples=40, deadline=None)
@given(worlds(downlinks=True))
def test_downlinks_keep_their_delays_and_nobody_exceeds_a_duty_cycle(world: BatchWorld) -> None:
    batch = Batch(world, records="all")
    batch.run(LENGTH)
    ups, downs = batch.take()
    delays = set((downs["t_us"] - downs["up_end_us"]).tolist())
    assert delays <= {1_000_000, 2_000_000, 5_000_000, 6_000_000}
    joins = downs["kind"] == "join"
    assert ((downs["t_us"] - downs["up_end_us"] >= 5_000_000) == joins).all()
    for name in world.gateways.ids:
        mine = downs["gateway"] == name
        begins, ends = downs["t_us"][mine], (downs["t_us"] + downs["airtime_us"])[mine]
        assert (begins[1:] - ends[:-1] > 42_500).all()
    if world.network.duty_cycle:
        for table, who in ((ups, "device"), (downs, "gateway")):
            for name in set(table[who].tolist()):
                allowed_throughout(table, table[who] == name)


def allowed_throughout(table: dict[str, Any], mine: Any) -> None:
    """Each of the frames may start when it does, says the exact tier's account of them."""
    duty = DutyCycle(EU868)
    for at, freq_hz, airtime in zip(
        table["t_us"][mine].tolist(), table["freq_hz"][mine].tolist(), table["airtime_us"][mine].tolist(), strict=True
    ):
        assert duty.earliest(freq_hz, airtime, at) == at
        duty.spend(freq_hz, airtime, at)


@settings(max_examples=30, deadline=None)
@given(worlds(downlinks=False), st.integers(1, 3))
def test_another_network_out_of_range_changes_nothing(world: BatchWorld, sources: int) -> None:
    g = len(world.gateways)
    far = ForeignTraffic(
        channel=np.zeros(sources, np.int64),
        sf=np.full(sources, 9),
        mean_interval_us=np.full(sources, 20_000_000),
        phy_bytes=np.full(sources, 20),
        power_dbm=np.full((sources, g), -np.inf),
    )
    alone = Batch(world)
    beside = Batch(
        BatchWorld(
            world.devices, world.gateways, world.gain_db, world.keys, world.model, world.network, world.bounds_us, far
        )
    )
    for batch in (alone, beside):
        batch.run(LENGTH)
    assert alone.counters.by_gateway.tolist() == beside.counters.by_gateway.tolist()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**53 - 1), st.integers(1, 300), st.sampled_from([23, 24, 25]))
def test_civil_slots_are_those_of_the_calendar_to_the_microsecond(part: int, per_day: int, hours: int) -> None:
    phase, bounds = part * 2.0**-53, (0, hours * 3_600_000_000)
    devices = BatchDevices.of(Schedules.civil_days([phase], [per_day]), payload_bytes=0, dr=5)
    gateways = BatchGateways.of(1)
    keys = DrawKeys.of(Draws.of_seed(1), devices.ids, gateways.ids)
    model = RadioModel(slow_fading_sigma_db=0.0, frame_fading_law="none")
    network = BatchNetwork(duty_cycle=False, downlinks=False)
    batch = Batch(BatchWorld(devices, gateways, np.array([[-100.0]]), keys, model, network, bounds), records="uplinks")
    batch.run(bounds[1] + 1_000_000)
    assert batch.take()[0]["t_us"].tolist() == list(uplink_instants_us(phase, per_day, bounds))
