"""Laws of the Irregular Terrain Model and of antennas that hold over any terrain and in any direction."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from radio_sim.antennas import Cut, Directional, Mounted, MsiError, MsiPattern, parse_msi, write_msi
from radio_sim.propagation.itm import (
    Climate,
    ItmParameters,
    Variability,
    VariabilityMode,
    itm_area,
    itm_constants,
    itm_p2p,
    p2p_loss_db,
)

percentages = st.floats(0.1, 99.9)
variabilities = st.builds(
    Variability,
    percentages,
    percentages,
    percentages,
    st.sampled_from(VariabilityMode),
    no_location=st.booleans(),
    no_situation=st.booleans(),
)
links = st.builds(
    ItmParameters,
    tx_height_m=st.floats(0.5, 200.0),
    rx_height_m=st.floats(0.5, 200.0),
    freq_hz=st.floats(20e6, 20e9),
    polarisation=st.sampled_from(["horizontal", "vertical"]),
    climate=st.sampled_from(Climate),
    refractivity=st.floats(250.0, 380.0),
    relative_permittivity=st.floats(3.0, 81.0),
    conductivity_s_per_m=st.floats(1e-4, 5.0),
    variability=variabilities,
)


@st.composite
def terrains(draw: st.DrawFn) -> np.ndarray:
    """A walk of 2–300 points, from flat to alpine."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    walk = np.cumsum(generator.normal(0.0, draw(st.floats(0.0, 60.0)), draw(st.integers(2, 300))))
    return walk - walk.min()


steps = st.floats(2.0, 1000.0)


@settings(max_examples=150, deadline=None)
@given(terrains(), steps, links)
def test_every_terrain_has_a_finite_loss_and_the_kernel_agrees_with_its_face(
    heights: np.ndarray, step: float, link: ItmParameters
) -> None:
    result = itm_p2p(heights, step, link)
    assert math.isfinite(result.loss_db)
    assert result.reference_attenuation_db >= 0.0
    assert p2p_loss_db(heights, step, itm_constants(link)) == result.loss_db


@settings(max_examples=100, deadline=None)
@given(terrains(), steps, links, st.floats(0.1, 90.0))
def test_asking_for_more_of_the_time_places_or_situations_never_gives_less_loss(
    heights: np.ndarray, step: float, link: ItmParameters, more: float
) -> None:
    for name in ("time_pct", "location_pct", "situation_pct"):
        # From the median up: below it, the spread of situations bends the curves of time and place back.
        low = replace(Variability(mode=link.variability.mode), **{name: 50.0})
        high = replace(low, **{name: 50.0 + more / 2})
        losses = [itm_p2p(heights, step, replace(link, variability=quantiles)).loss_db for quantiles in (low, high)]
        assert losses[1] >= losses[0] - 1e-9


@settings(max_examples=100, deadline=None)
@given(terrains(), steps, links, st.floats(-50.0, 400.0))
def test_a_higher_plateau_under_the_same_air_changes_nothing(
    heights: np.ndarray, step: float, link: ItmParameters, rise: float
) -> None:
    denser = link.refractivity * math.exp(rise / 9460.0)
    assume(250.0 <= denser <= 400.0)
    low = itm_p2p(heights, step, link)
    high = itm_p2p(heights + rise, step, replace(link, refractivity=denser))
    assert high.surface_refractivity == pytest.approx(low.surface_refractivity)
    # A last bit may choose between two samples for the horizon of flat ground.
    if high.horizon_distances_m == pytest.approx(low.horizon_distances_m, rel=1e-9):
        assert high.loss_db == pytest.approx(low.loss_db, abs=1e-3)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(terrains(), st.floats(20.0, 300.0), st.floats(1.0, 60.0), st.floats(1.0, 60.0))
def test_a_path_loses_the_same_both_ways(heights: np.ndarray, step: float, here: float, there: float) -> None:
    # Whole profile points are dropped at the ends, and a last bit may drop another one on the way back.
    heights = heights / 4.0
    out = itm_p2p(heights, step, ItmParameters(here, there, 868e6)).loss_db
    back = itm_p2p(heights[::-1], step, ItmParameters(there, here, 868e6)).loss_db
    assert out == pytest.approx(back, abs=2.0)


@settings(max_examples=60, deadline=None)
@given(st.floats(100.0, 2e6), st.floats(0.0, 500.0), links)
def test_every_area_has_a_finite_loss(distance_m: float, irregularity_m: float, link: ItmParameters) -> None:
    assert math.isfinite(itm_area(distance_m, irregularity_m, link).loss_db)


losses_db = st.floats(0.0, 60.0)


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    angles = sorted(draw(st.sets(st.floats(0.0, 359.5), min_size=1, max_size=12)))
    return Cut(tuple(angles), tuple(draw(losses_db) for _ in angles))


words = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=8)
values = st.lists(words, max_size=3).map(lambda parts: " ".join(parts).strip())
keywords = st.sampled_from(["MAKE", "TILT", "POLARIZATION", "COMMENT", "H_WIDTH", "ELECTRICAL_TILT"])
patterns = st.builds(
    MsiPattern,
    name=values,
    gain_dbi=st.floats(-10.0, 30.0),
    horizontal=cuts(),
    vertical=cuts(),
    freq_hz=st.none() | st.integers(1_000, 100_000_000_000),
    headers=st.lists(st.tuples(keywords, values), max_size=4).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(patterns)
def test_a_pattern_written_is_read_back_the_same(pattern: MsiPattern) -> None:
    assert parse_msi(write_msi(pattern)) == pattern


pieces = ["GAIN", "HORIZONTAL", "VERTICAL", "FREQUENCY", "1", "0 0", "-1", "nan", "1e999", "\n", " ", "é"]


@settings(max_examples=200, deadline=None)
@given(st.text() | st.binary() | st.lists(st.sampled_from(pieces)).map("".join))
def test_a_text_from_outside_is_a_pattern_or_a_pattern_error(data: str | bytes) -> None:
    problem = None
    try:
        parse_msi(data)
    except MsiError as error:
        problem = error
    assert problem is None or problem.line >= 1


bearings = st.floats(-720.0, 720.0)


@settings(max_examples=100, deadline=None)
@given(patterns, st.floats(-10.0, 10.0), bearings, st.floats(-20.0, 20.0), bearings, st.floats(-90.0, 90.0))
def test_no_direction_exceeds_the_peak_and_turning_mast_and_bearing_together_changes_nothing(
    pattern: MsiPattern, tilt: float, azimuth: float, downtilt: float, bearing: float, elevation: float
) -> None:
    antenna = Directional(pattern, extra_tilt_deg=tilt)
    level = Mounted(antenna, 0.0, downtilt).gain_dbi(bearing, elevation)
    turned = Mounted(antenna, azimuth, downtilt).gain_dbi(bearing + azimuth, elevation)
    assert level <= antenna.peak_dbi
    # A cut may fall 60 dB within one hundred-thousandth of a degree: compare where both sides are smooth.
    nearby = Mounted(antenna, 0.0, downtilt).gain_dbi(bearing + np.array([-1e-6, 1e-6]), elevation)
    if np.ptp(nearby) < 1e-3:
        assert turned == pytest.approx(level, abs=1e-2)
