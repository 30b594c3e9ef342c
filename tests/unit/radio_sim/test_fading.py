"""Fading against the statistics its laws promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lorawan.draws import Draws
from radio_sim.draws import fold, keys_at, normal, uniform
from radio_sim.propagation.fading import FrameFading, SlowFading

HOUR_S = 3600.0


def link_keys(devices: int, gateways: int, seed: int = 5) -> np.ndarray:
    return fold(fold(keys_at(Draws.of_seed(seed), "link"), np.arange(devices))[:, None], np.arange(gateways)[None, :])


def test_vectorised_draws_are_uniform_and_normal() -> None:
    keys = keys_at(Draws.of_seed(1), "ks")
    assert stats.kstest(uniform(keys, np.arange(20_000)), "uniform").pvalue > 0.01
    assert stats.kstest(normal(keys, np.arange(20_000)), "norm").pvalue > 0.01


def test_normal_draws_are_finite_at_both_ends_of_the_cells() -> None:
    # The SplitMix64 finaliser is a bijection with mix(0) = 0: this key and index give the lowest cell.
    lowest = normal(np.array([0], np.uint64), -1)
    assert np.isfinite(lowest).all()
    assert lowest[0] < -8.0


def test_slow_fading_is_stationary_and_forgets_at_its_correlation_time() -> None:
    slow = SlowFading(link_keys(200, 10), sigma_db=3.0, correlation_s=6 * HOUR_S, block_s=HOUR_S)
    states = slow.all_blocks(0, 48).reshape(48, -1)
    n = states.shape[1]
    deviation = states.std(axis=1)
    # The standard error of a standard deviation is σ / √(2 n).
    assert np.abs(deviation - 3.0).max() < 4.0 * 3.0 / np.sqrt(2 * n)
    for lag in (1, 6, 12):
        correlation = np.corrcoef(states[20], states[20 + lag])[0, 1]
        expected = np.exp(-lag / 6)
        assert correlation == pytest.approx(expected, abs=4 * (1 - expected**2) / np.sqrt(n))
    assert stats.kstest(states[30] / 3.0, "norm").pvalue > 0.01


def test_links_fade_independently_of_each_other() -> None:
    slow = SlowFading(link_keys(40, 2), sigma_db=3.0, correlation_s=HOUR_S, block_s=HOUR_S)
    states = slow.all_blocks(0, 400)
    correlations = [np.corrcoef(states[:, d, 0], states[:, d, 1])[0, 1] for d in range(40)]
    assert abs(np.mean(correlations)) < 4 / np.sqrt(40 * 400)


def test_slow_fading_is_the_same_whatever_is_asked_first() -> None:
    keys = link_keys(3, 4)
    parameters = {"sigma_db": 2.0, "correlation_s": 5 * HOUR_S, "block_s": HOUR_S}
    reference = SlowFading(keys, **parameters).all_blocks(0, 120)
    asked = SlowFading(keys, **parameters)
    for block in (100, 3, 3, 64, 31, 32, 119, 0):
        at = int(block * HOUR_S * 1e6) + 1234
        for device in (2, 0):
            assert (asked.row(device, at) == reference[block, device]).all()
    pieces = SlowFading(keys, **parameters)
    for first, count in ((7, 5), (12, 40), (90, 2), (1, 3)):
        assert (pieces.all_blocks(first, count) == reference[first : first + count]).all()


def test_log_normal_frames_have_their_spread_and_success() -> None:
    fading = FrameFading("lognormal", sigma_db=2.5)
    fades = fading.draw_db(link_keys(1, 1), np.arange(20_000))
    assert stats.kstest(fades.ravel() / 2.5, "norm").pvalue > 0.01
    margin = np.array([-3.0, 0.0, 1.7])
    assert fading.success(margin) == pytest.approx(stats.norm.cdf(margin / 2.5))
    assert np.exp(fading.log_miss(margin)) == pytest.approx(stats.norm.sf(margin / 2.5), rel=1e-4)


def test_rice_frames_follow_the_rice_law() -> None:
    k = 10.0**0.6
    fading = FrameFading("rice", k_db=6.0)
    amplitude = 10 ** (fading.draw_db(link_keys(1, 1), np.arange(20_000)).ravel() / 20)
    scale = np.sqrt(1 / (2 * (k + 1)))
    law = stats.rice(np.sqrt(2 * k), scale=scale)
    assert stats.kstest(amplitude, law.cdf).pvalue > 0.01
    assert np.mean(amplitude**2) == pytest.approx(1.0, abs=0.02)
    margin = np.array([-4.0, 0.0, 3.0, 6.0])
    assert fading.success(margin) == pytest.approx(law.sf(10 ** (-margin / 20)), abs=1e-5)


def test_a_frame_without_fading_is_received_exactly_from_the_floor_up() -> None:
    fading = FrameFading("none")
    assert fading.success(np.array([-0.05, 0.0, 5.0])).tolist() == [0.0, 1.0, 1.0]
    assert (fading.draw_db(link_keys(2, 2), 7) == 0).all()
