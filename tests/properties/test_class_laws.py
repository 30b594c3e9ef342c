"""Laws of classes B and C: drift within its bound loses nothing, and a listening device hears whatever begins then."""

from __future__ import annotations

from dataclasses import replace

import pytest
from class_bench import GPS_AT_ORIGIN_US, ClassBench, S, fast
from hypothesis import given, settings
from hypothesis import strategies as st
from mac_pairs import abp

from lorawan.device import AddMulticast, BeaconLost, BeaconReceived, ClassChanged, Received, SendRequest, SwitchClass
from lorawan.device.beacon_clock import BeaconClock
from lorawan.frames import FCtrlDown
from lorawan.ids import AesKey, DevAddr
from lorawan.multicast import MulticastGroup
from lorawan.operating_class import OperatingClass
from lorawan.phy import LoraModulation, Window, lora_airtime_us, lora_symbol_us
from lorawan.ping_slots import next_ping_slot
from lorawan.secured import seal_down
from lorawan.version import Version

A, B, C = OperatingClass
BOUND_PPM = 100
RX2 = LoraModulation(12)


def beaconless(crystal_ppm: float, periods: int, periodicity: int = 7) -> ClassBench:
    """A device that locked on one beacon, and had none for so many periods when the next one comes."""
    silent_until = [0]
    bench = ClassBench(
        fast(replace(abp(Version.V1_0_4), crystal_ppm=BOUND_PPM)),
        crystal_ppm=crystal_ppm,
        beacons=lambda gps_s: gps_s >= silent_until[0],
    )
    bench.feed(SwitchClass(B, periodicity))
    while not bench.of(ClassChanged):
        bench.run(1)
    heard = bench.of(BeaconReceived)[-1]
    assert isinstance(heard, BeaconReceived)
    silent_until[0] = heard.beacon.gps_s + 128 * periods
    bench.effects.clear()
    bench.run((silent_until[0] * S - GPS_AT_ORIGIN_US - bench.now) / S)
    return bench


@settings(max_examples=25, deadline=None)
@given(st.floats(-BOUND_PPM, BOUND_PPM), st.integers(1, 56))
def test_a_crystal_within_its_bound_loses_no_beacon_in_two_hours_without_one(ppm: float, periods: int) -> None:
    bench = beaconless(ppm, periods)
    bench.run(1)
    assert len(bench.of(BeaconReceived)) == 1  # TS001-1.0.4 §10.1
    assert not bench.of(BeaconLost)


@pytest.mark.parametrize("ppm", [-3 * BOUND_PPM, 3 * BOUND_PPM])
def test_a_crystal_beyond_its_bound_does(ppm: int) -> None:
    bench = beaconless(ppm, 50)
    bench.run(1)
    assert not bench.of(BeaconReceived)


@settings(max_examples=15, deadline=None)
@given(st.floats(-BOUND_PPM, BOUND_PPM), st.integers(1, 50), st.integers(0, 7))  # 200 s and a slot later: within 2 h
def test_nor_a_downlink_in_a_ping_slot(ppm: float, periods: int, periodicity: int) -> None:
    bench = beaconless(ppm, periods, periodicity)
    bench.beacons = lambda _: False
    bench.run(200)  # the last uplink, which tells class B, is long over
    addr = bench.session.settings.dev_addr
    session = bench.device.session
    assert session is not None
    slot = next_ping_slot(addr, periodicity, GPS_AT_ORIGIN_US + bench.now + S) - GPS_AT_ORIGIN_US
    payload = seal_down(
        session.keys,
        is_1_1=False,
        confirmed=False,
        dev_addr=addr,
        f_ctrl=FCtrlDown(),
        f_cnt=100,
        f_port=10,
        payload=b"ping",
    )
    bench.transmit_down(payload, slot, 869_525_000, 3)
    bench.run((slot - bench.now) / S + 2)
    assert (slot, Window.PING) in bench.heard
    assert [e.payload for e in bench.of(Received) if isinstance(e, Received)] == [b"ping"]


@given(
    st.integers(0, 10**12),
    st.integers(0, 10**15),
    st.integers(0, 10**6),
    st.integers(0, 500),
    st.integers(0, 7200 * S),
    st.floats(-1, 1),
)
def test_a_clock_s_error_bounds_what_its_crystal_may_do(
    at: int, gps_us: int, error_us: int, ppm: int, later_us: int, share: float
) -> None:
    clock = BeaconClock(at, gps_us, error_us, ppm)
    rate = 1 + share * ppm * 1e-6
    start = error_us * share
    instant = at + round((later_us - start) * rate)  # of the device's clock, `later_us` of true time after
    assert abs(clock.instant_of(gps_us + later_us) - instant) <= clock.error_at(instant) + 2


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5 * S), st.integers(1, 40), st.sampled_from([Version.V1_0_3, Version.V1_0_4]))
def test_a_class_c_device_hears_what_begins_while_it_neither_sends_nor_has_rx1_open(
    after_us: int, length: int, version: Version
) -> None:
    """TS001-1.0.4 §15: RXC is open wherever the device does not send and RX1 and RX2 are not."""
    bench = ClassBench(fast(abp(version)), operating_class=C)
    bench.feed(SwitchClass(C))
    session = bench.device.session
    assert session is not None
    payload = seal_down(
        session.keys,
        is_1_1=False,
        confirmed=False,
        dev_addr=session.dev_addr,
        f_ctrl=FCtrlDown(),
        f_cnt=100,
        f_port=10,
        payload=bytes(length),
    )
    bench.run(10)
    bench.listened.clear()
    bench.lose_up = lambda _: True  # no answer of the network in between
    bench.feed(SendRequest(10, b"x"))
    sent_at, start = bench.now, bench.now + after_us
    bench.transmit_down(payload, start, 869_525_000, 0)
    bench.run(12)
    tx_ends = sent_at + lora_airtime_us(14, LoraModulation(7))
    rx1 = next(w for w in bench.listened if w.window is Window.RX1)
    end = start + lora_airtime_us(len(payload), RX2, crc=False)
    critical = start + 3 * lora_symbol_us(RX2)
    in_the_way = start < rx1.closes_at and end > rx1.opens_at  # it cannot be finished before, or began during, RX1
    heard = [window for at, window in bench.heard if at == start]
    if critical >= tx_ends and not in_the_way:
        assert len(heard) == 1
        assert bench.of(Received)
    elif critical < sent_at or rx1.opens_at <= critical < rx1.closes_at:
        assert not heard


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 0xFFFFFFFF).map(DevAddr), st.integers(0, 7), st.integers(0, 127))
def test_a_group_s_sender_and_its_devices_mean_the_same_slots(mc_addr: DevAddr, periodicity: int, wait_s: int) -> None:
    config = fast(abp(Version.V1_0_4))
    if mc_addr == config.dev_addr:
        return
    bench = ClassBench(config, crystal_ppm=50.0)
    group = MulticastGroup(mc_addr, AesKey(b"N" * 16), AesKey(b"A" * 16), B, periodicity=periodicity)
    bench.feed(AddMulticast(group))
    bench.feed(SwitchClass(B))
    bench.run(300 + wait_s)
    sender = bench.group(group)
    for number in range(3):
        bench.multicast(sender, bytes((number,)))
    bench.run(900)
    got = [e for e in bench.of(Received) if isinstance(e, Received)]
    assert [(e.multicast, e.payload) for e in got] == [(mc_addr, bytes((n,))) for n in range(3)]
