"""What P.1812 refuses, and its closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from radio_sim.propagation.p1812 import P1812Error, P1812Parameters, Profile, p1812_loss

D = np.linspace(0.0, 10_000.0, 101)
FLAT = np.zeros(101)
MHZ_868 = P1812Parameters(868e6)


@pytest.mark.parametrize(
    ("change", "sample"),
    [
        ({"distance_m": np.where(np.arange(101) == 40, 3_900.0, D)}, 40),
        ({"distance_m": D + 1.0}, 0),
        ({"ground_m": np.where(np.arange(101) == 7, np.nan, FLAT)}, 7),
        ({"clutter_m": np.where(np.arange(101) == 9, -1.0, FLAT)}, 9),
        ({"zones": np.where(np.arange(101) == 3, 2, 4).astype(np.int8)}, 3),
    ],
)
def test_a_bad_sample_is_named(change: dict[str, np.ndarray], sample: int) -> None:
    given = {"distance_m": D, "ground_m": FLAT, "tx_height_m": 30.0, "rx_height_m": 1.5}
    with pytest.raises(P1812Error, match=f"sample {sample}:") as raised:
        Profile(**(given | change))  # type: ignore[arg-type]  # the point of the test is what it refuses
    assert raised.value.sample == sample


@pytest.mark.parametrize(
    "change",
    [{"freq_hz": 7e9}, {"time_percent": 51.0}, {"location_percent": 0.5}, {"delta_n": 157.0}, {"resolution_m": 0.0}],
)
def test_a_parameter_out_of_range_is_named(change: dict[str, float]) -> None:
    with pytest.raises(P1812Error, match=next(iter(change))):
        P1812Parameters(**({"freq_hz": 868e6} | change))  # type: ignore[arg-type]  # as above


def test_high_antennas_over_a_near_plain_see_free_space() -> None:
    """ITU-R P.525: 32.4 + 20·log10(f/MHz) + 20·log10(slant km); half of the time, nothing in the first Fresnel zone."""
    result = p1812_loss(Profile(D, FLAT, 500.0, 500.0), MHZ_868)
    assert result.l_b_db == pytest.approx(32.4 + 20.0 * math.log10(868.0 * 10.0), abs=1e-9)
    assert not result.trans_horizon


def test_one_knife_edge_on_high_ground_costs_what_p526_says() -> None:
    """Grazing incidence: J(0) = 6.03 dB, in Bullington's form 6.03 + (1 − e^(−6.03/6))·(10 + 0.02·10)."""
    ground = np.where(np.arange(101) == 50, 1_000.0 - 25e6 / (2 * 6371e3 * 157 / 112), -4_000.0)
    result = p1812_loss(Profile(D, ground, 5_000.0, 5_000.0), MHZ_868)
    edge = 6.9 + 20.0 * math.log10(math.sqrt(1.01) - 0.1)
    assert result.l_bulla_50_db == pytest.approx(edge + (1.0 - math.exp(-edge / 6.0)) * 10.2, abs=0.01)


def test_location_variability_is_normal_with_the_sigma_of_section_4_7() -> None:
    """σ_L = (0.024·0.868 + 0.52)·100^0.28 = 1.9635 dB, times u_h = 1 under clutter; Φ⁻¹(0.95) = 1.6449."""
    cover = np.full(101, 15.0)
    median, most = (
        p1812_loss(Profile(D, FLAT, 30.0, 1.5, cover), P1812Parameters(868e6, location_percent=p)).l_b_db
        for p in (50.0, 95.0)
    )
    assert most - median == pytest.approx(1.6449 * 1.9635, abs=2e-3)


def test_a_receiver_indoors_adds_median_and_spread_of_its_entry() -> None:
    profile = Profile(D, FLAT, 30.0, 1.5, np.full(101, 15.0))

    def loss(entry_db: float, entry_sigma_db: float, percent: float) -> float:
        return p1812_loss(
            profile,
            P1812Parameters(
                868e6, location_percent=percent, building_entry_db=entry_db, building_entry_sigma_db=entry_sigma_db
            ),
        ).l_b_db

    assert loss(14.2, 0.0, 50.0) - loss(0.0, 0.0, 50.0) == pytest.approx(14.2, abs=1e-9)
    spread = loss(14.2, 6.0, 95.0) - loss(14.2, 6.0, 50.0)
    assert spread == pytest.approx(1.6449 * math.hypot(1.9635, 6.0), abs=0.01)


def test_a_receiver_at_sea_has_no_location_variability() -> None:
    zones = np.where(np.arange(101) > 60, 1, 4).astype(np.int8)
    losses = {
        p1812_loss(Profile(D, FLAT, 30.0, 1.5, None, zones), P1812Parameters(868e6, location_percent=p)).l_b_db
        for p in (5.0, 50.0, 95.0)
    }
    assert len(losses) == 1


def test_links_shorter_than_the_recommendation_are_marked_and_continuous() -> None:
    losses = []
    for metres in (20.0, 100.0, 249.0, 251.0):
        result = p1812_loss(Profile(np.linspace(0.0, metres, 9), np.zeros(9), 10.0, 1.5), MHZ_868)
        assert result.extrapolated == (metres < 250.0)
        assert result.l_b_db >= result.l_bfs_db - 1e-9
        losses.append(result.l_b_db)
    assert losses == sorted(losses)
    assert losses[3] - losses[2] < 0.2


def test_two_samples_count_as_a_straight_slope() -> None:
    pair = p1812_loss(Profile(np.array([0.0, 800.0]), np.array([10.0, 30.0]), 10.0, 2.0), MHZ_868)
    three = p1812_loss(Profile(np.array([0.0, 400.0, 800.0]), np.array([10.0, 20.0, 30.0]), 10.0, 2.0), MHZ_868)
    assert pair == three
