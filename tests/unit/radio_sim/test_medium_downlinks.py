"""Downlinks: windows, floors, capture, and a radio that is busy with another frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lorawan.errors import MisuseError
from lorawan.phy import UNTIL_STOPPED, Listen, LoraModulation, Transmit, Window, lora_airtime_us
from lorawan.trace import DownlinkOutcome
from radio_sim.medium import CancelListen, DeviceListens, DownlinkEnded, DownlinkStarts, Medium, MediumEvent
from radio_sim.model import GatewaySite

RX1_HZ, RX2_HZ = 868_100_000, 869_525_000
SYMBOL_US = (1 << 9) * 8
AIRTIME_US = lora_airtime_us(20, LoraModulation(9), crc=False)


def sends(
    gateway: int, at: int, *, freq_hz: int = RX1_HZ, sf: int = 9, inverted_iq: bool = True, reference: int = 0
) -> DownlinkStarts:
    airtime = lora_airtime_us(20, LoraModulation(sf), crc=False)
    transmit = Transmit(at, bytes(20), freq_hz, LoraModulation(sf), 14.0, airtime, inverted_iq=inverted_iq, crc=False)
    return DownlinkStarts(gateway, reference, transmit)


def listens(device: int, opens_at: int, closes_at: int, *, freq_hz: int = RX1_HZ, sf: int = 9) -> DeviceListens:
    return DeviceListens(device, Listen(opens_at, closes_at, freq_hz, LoraModulation(sf), Window.RX1))


def medium(received_dbm: Sequence[Sequence[float]]) -> Medium:
    """[device][gateway], at 14 dBm; device noise −117 dBm."""
    gateways = [GatewaySite(f"g{i}", 0, 0) for i in range(len(received_dbm[0]))]
    return Medium(gateways, np.array(received_dbm) - 14.0, device_noise_dbm=-117.0)


def play(core: Medium, *timed: tuple[int, MediumEvent]) -> list[DownlinkEnded]:
    effects = []
    for now, event in timed:
        effects += core.handle(event, now)
    while (wake_at := core.wake_at) is not None:
        effects += core.wake(wake_at)
    return [effect for effect in effects if isinstance(effect, DownlinkEnded)]


def test_a_frame_in_an_open_window_is_delivered_at_its_last_symbol() -> None:
    (ended,) = play(medium([[-110.4]]), (0, listens(0, 1_000_000, 1_100_000)), (1_005_000, sends(0, 1_005_000)))
    ((device, outcome, heard),) = ended.receptions
    assert (device, outcome) == (0, DownlinkOutcome.DELIVERED)
    assert heard is not None
    assert heard.at == 1_005_000 + AIRTIME_US
    assert heard.snr_db == 6.5  # 6.6 dB in quarters
    assert heard.payload == bytes(20)


def test_a_window_may_be_told_after_it_opened() -> None:
    frame = sends(0, 1_000_000)
    (ended,) = play(medium([[-100.0]]), (1_000_000, frame), (1_000_000, listens(0, 999_000, 1_100_000)))
    assert ended.receptions[0][1] is DownlinkOutcome.DELIVERED


@pytest.mark.parametrize(
    ("opens_at", "closes_at", "caught"),
    [
        (1_000_000 + 3 * SYMBOL_US, 1_200_000, True),  # five preamble symbols are left
        (1_000_000 + 3 * SYMBOL_US + 1, 1_200_000, False),
        (900_000, 1_000_001, True),  # begun before the window closes
        (900_000, 1_000_000, False),
    ],
)
def test_a_window_catches_a_frame_with_five_preamble_symbols_inside(
    opens_at: int, closes_at: int, caught: bool
) -> None:
    (ended,) = play(medium([[-100.0]]), (0, listens(0, opens_at, closes_at)), (1_000_000, sends(0, 1_000_000)))
    assert bool(ended.receptions) is caught


@pytest.mark.parametrize(
    "frame",
    [
        sends(0, 1_000_000, freq_hz=RX2_HZ),
        sends(0, 1_000_000, sf=10),
        sends(0, 1_000_000, inverted_iq=False),
    ],
    ids=["frequency", "spreading factor", "IQ"],
)
def test_a_window_is_deaf_to_frames_it_is_not_set_for(frame: DownlinkStarts) -> None:
    (ended,) = play(medium([[-80.0]]), (0, listens(0, 0, 2_000_000)), (1_000_000, frame))
    assert ended.receptions == ()


def test_the_snr_floor_holds_at_the_device() -> None:
    core = medium([[-117 - 12.4], [-117 - 12.6]])
    (ended,) = play(core, *((0, listens(d, 0, 2_000_000)) for d in (0, 1)), (1_000_000, sends(0, 1_000_000)))
    assert [outcome for _, outcome, _ in ended.receptions] == [
        DownlinkOutcome.DELIVERED,
        DownlinkOutcome.BELOW_SENSITIVITY,
    ]
    assert ended.receptions[1][2] is None


@pytest.mark.parametrize(("stronger_db", "outcome"), [(6.1, "delivered"), (5.9, "collided")])
def test_of_two_downlinks_at_once_the_one_6_db_stronger_is_received(stronger_db: float, outcome: str) -> None:
    core = medium([[-100.0 + stronger_db, -100.0]])
    first, second = play(
        core,
        (0, listens(0, 0, 2_000_000)),
        (1_000_000, sends(0, 1_000_000, reference=1)),
        (1_000_000, sends(1, 1_000_000, reference=2)),
    )
    assert first.receptions[0][1] == outcome
    assert second.receptions[0][1] is DownlinkOutcome.COLLIDED


def test_a_late_stronger_downlink_destroys_the_frame_it_falls_into() -> None:
    (first, second) = play(
        medium([[-100.0, -90.0]]),
        (0, listens(0, 0, 2_000_000)),
        (1_000_000, sends(0, 1_000_000, reference=1)),
        (1_060_000, sends(1, 1_060_000, reference=2)),
    )
    assert first.receptions[0][1] is DownlinkOutcome.COLLIDED
    assert second.receptions[0][1] is DownlinkOutcome.COLLIDED  # the radio was locked to the first


def test_a_radio_locked_to_a_frame_misses_the_next_window() -> None:
    core = medium([[-100.0, -100.0]])
    first, second = play(
        core,
        (0, listens(0, 1_000_000, 1_050_000, sf=12)),
        (0, listens(0, 2_000_000, 2_050_000, freq_hz=RX2_HZ)),
        (1_000_000, sends(0, 1_000_000, sf=12)),
        (2_000_000, sends(1, 2_000_000, freq_hz=RX2_HZ)),
    )
    by_frequency = {e.transmit.freq_hz: e.receptions for e in (first, second)}
    assert by_frequency[RX1_HZ][0][1] is DownlinkOutcome.DELIVERED
    assert by_frequency[RX2_HZ] == ()


def test_a_cancelled_window_and_a_cancelled_reception_hear_nothing() -> None:
    core = medium([[-100.0]])
    (ended,) = play(core, (0, listens(0, 0, 2_000_000)), (10, CancelListen(0)), (1_000_000, sends(0, 1_000_000)))
    assert ended.receptions == ()
    core = medium([[-100.0]])
    during = 1_000_000 + AIRTIME_US - 1
    timed = (0, listens(0, 0, 2_000_000)), (1_000_000, sends(0, 1_000_000)), (during, CancelListen(0))
    assert play(core, *timed)[0].receptions == ()


def test_a_continuous_window_receives_one_frame_after_another() -> None:
    core = medium([[-100.0]])
    gap = AIRTIME_US
    timed = [(1_000_000 + k * gap, sends(0, 1_000_000 + k * gap, reference=k)) for k in range(5)]
    ended = play(core, (0, listens(0, 0, 1 << 60)), *timed)
    assert [e.receptions[0][1] for e in ended] == [DownlinkOutcome.DELIVERED] * 5


def test_every_listening_device_gets_a_multicast_frame() -> None:
    core = medium([[-100.0]] * 4)
    (ended,) = play(core, *((0, listens(d, 0, 2_000_000)) for d in (2, 0, 3)), (1_000_000, sends(0, 1_000_000)))
    assert [device for device, _, _ in ended.receptions] == [0, 2, 3]


def test_a_downlink_told_at_another_instant_than_its_start_is_misuse() -> None:
    with pytest.raises(MisuseError, match="starts at 5 was told at 6"):
        medium([[-90.0]]).handle(sends(0, 5), 6)


BEACON_AIRTIME_US = lora_airtime_us(17, LoraModulation(9), preamble_symbols=10, explicit_header=False, crc=False)


def beacon(at: int) -> DownlinkStarts:
    transmit = Transmit(
        at,
        bytes(17),
        RX2_HZ,
        LoraModulation(9),
        14.0,
        BEACON_AIRTIME_US,
        inverted_iq=False,
        crc=False,
        preamble_symbols=10,
        explicit_header=False,
    )
    return DownlinkStarts(0, 0, transmit)


def opens(window: Window, opens_at: int, closes_at: int, *, freq_hz: int = RX2_HZ, sf: int = 9) -> DeviceListens:
    return DeviceListens(0, Listen(opens_at, closes_at, freq_hz, LoraModulation(sf), window))


@pytest.mark.parametrize(("window", "heard"), [(Window.BEACON, True), (Window.PING, False), (Window.RXC, False)])
def test_beacons_are_heard_in_their_own_window_alone(window: Window, heard: bool) -> None:
    (ended,) = play(medium([[-100.0]]), (0, opens(window, 0, 2_000_000)), (1_000_000, beacon(1_000_000)))
    assert bool(ended.receptions) is heard
    if heard:
        assert ended.receptions[0][1] is DownlinkOutcome.DELIVERED


@pytest.mark.parametrize(("late_symbols", "heard"), [(5, True), (6, False)])
def test_of_a_beacon_s_ten_preamble_symbols_the_last_five_are_enough(late_symbols: int, heard: bool) -> None:
    opens_at = 1_000_000 + late_symbols * SYMBOL_US
    (ended,) = play(medium([[-100.0]]), (0, opens(Window.BEACON, opens_at, 2_000_000)), (1_000_000, beacon(1_000_000)))
    assert bool(ended.receptions) is heard


def test_a_window_that_is_open_until_it_is_stopped_hears_one_frame_after_the_other() -> None:
    times = [1_000_000, 50_000_000, 3_600_000_000]
    frames = [(at, sends(0, at, freq_hz=RX2_HZ, reference=n)) for n, at in enumerate(times)]
    core = medium([[-100.0]])
    ended = play(core, (0, opens(Window.RXC, 0, UNTIL_STOPPED)), *frames)
    assert [e.receptions[0][1] for e in ended] == [DownlinkOutcome.DELIVERED] * 3
    (after,) = play(core, (4 * 10**9, CancelListen(0)), (5 * 10**9, sends(0, 5 * 10**9, freq_hz=RX2_HZ)))
    assert after.receptions == ()


@pytest.mark.parametrize(("rx1_opens_us", "heard"), [(AIRTIME_US, True), (AIRTIME_US - 1, False)])
def test_a_frame_that_rx1_of_another_channel_would_cut_off_is_lost(rx1_opens_us: int, heard: bool) -> None:
    core = medium([[-100.0]])
    rx1 = 1_000_000 + rx1_opens_us
    (ended,) = play(
        core,
        (0, opens(Window.RXC, 0, UNTIL_STOPPED)),
        (0, opens(Window.RX1, rx1, rx1 + 20_000, freq_hz=RX1_HZ)),
        (1_000_000, sends(0, 1_000_000, freq_hz=RX2_HZ)),
    )
    assert bool(ended.receptions) is heard
