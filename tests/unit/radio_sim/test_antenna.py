"""Antennas against textbook patterns, makers' figures and geometry done by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from radio_sim.antennas import (
    CABLES,
    Antenna,
    Collinear,
    Cut,
    Directional,
    HalfWaveDipole,
    Isotropic,
    Mounted,
    MsiError,
    MsiPattern,
    cable_loss_db,
    parse_msi,
    polarisation_mismatch_db,
)


def sector_text(gain: str = "15 dBi", newline: str = "\n") -> str:
    """A sector of 65 by 10 degrees, 25 dB front to back, in the parabolic form of 3GPP TR 36.814 table A.2.1.1-2."""
    lines = ["NAME Sector 65", "MAKE Somebody", "FREQUENCY 868", f"GAIN {gain}", "TILT ELECTRICAL", "ELECTRICAL_TILT 4"]
    lines += ["HORIZONTAL 360"]
    lines += [f"{a}\t{min(12 * (min(a, 360 - a) / 65) ** 2, 25):.2f}" for a in range(360)]
    lines += ["VERTICAL 360"]
    lines += [f"{a}.0 {min(12 * (((a - 4 + 180) % 360 - 180) / 10) ** 2, 25):.2f}" for a in range(360)]
    return newline.join(lines) + newline


def test_a_makers_file_is_read_with_its_gain_frequency_and_tilt() -> None:
    pattern = parse_msi(sector_text(newline="\r\n").encode(), "sector.msi")
    assert (pattern.name, pattern.gain_dbi, pattern.freq_hz) == ("Sector 65", 15.0, 868_000_000)
    assert pattern.electrical_tilt_deg == 4.0
    assert pattern.headers == (("MAKE", "Somebody"), ("TILT", "ELECTRICAL"), ("ELECTRICAL_TILT", "4"))
    assert len(pattern.horizontal.angles_deg) == len(pattern.vertical.angles_deg) == 360
    assert pattern.horizontal.losses_db[65] == 12.0


@pytest.mark.parametrize(
    ("written", "dbi"), [("10", 12.15), ("10 dBd", 12.15), ("10.0dBi", 10.0), ("7,5 DBI", 7.5), ("-3 dbi", -3.0)]
)
def test_a_gain_is_in_dbd_unless_it_says_otherwise(written: str, dbi: float) -> None:
    assert parse_msi(sector_text(written)).gain_dbi == pytest.approx(dbi)


@pytest.mark.parametrize(
    ("written", "freq_hz"),
    [
        ("868", 868_000_000),
        ("868.1 MHz", 868_100_000),
        ("0.868 GHz", 868_000_000),
        ("824-960", 892_000_000),
        ("", None),
    ],
)
def test_a_frequency_is_in_mhz_unless_it_says_otherwise(written: str, freq_hz: int | None) -> None:
    assert parse_msi(sector_text().replace("FREQUENCY 868", f"FREQUENCY {written}")).freq_hz == freq_hz


def test_a_bare_first_line_is_the_name_and_a_minus_before_a_loss_is_dropped() -> None:
    pattern = parse_msi("K 736 350\nGAIN 2 dBi\nHORIZONTAL 2\n0 0\n180 -3,5\nVERTICAL 1\n0 0\n")
    assert pattern.name == "K 736 350"
    assert pattern.horizontal.losses_db == (0.0, 3.5)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "ends without GAIN and HORIZONTAL and VERTICAL"),
        ("NAME x\nGAIN loud\n", 2, "GAIN is 'loud'"),
        ("NAME x\nFREQUENCY many\n", 2, "FREQUENCY is 'many'"),
        ("NAME x\nFREQUENCY 0\n", 2, "no radio frequency"),
        ("NAME x\nHORIZONTAL\n", 2, "not by a number of points"),
        ("NAME x\nHORIZONTAL 0\n", 2, "not by a number of points"),
        ("NAME x\n\nHORIZONTAL 3\n0 0\n1 x\n", 5, "'1 x' is not an angle and a loss"),
        ("NAME x\nHORIZONTAL 3\n0 0\n1 0\nVERTICAL 1\n", 5, "HORIZONTAL announced 3 points"),
        ("NAME x\nHORIZONTAL 2\n1 0\n1 0\n", 4, "does not rise"),
        ("NAME x\nHORIZONTAL 2\n0 0\n361 0\n", 4, "span 360 degrees at most"),
        ("NAME x\nHORIZONTAL 1\n0 1e999\n", 3, "finite"),
        ("NAME x\nHORIZONTAL 1\n0 0\nHORIZONTAL 1\n0 0\n", 4, "a second HORIZONTAL"),
        ("NAME x\n?! 3\n", 2, "no keyword"),
        ("NAME x\nHORIZONTAL 3\n0 0\n", 4, "announced 3 points"),
    ],
)
def test_an_error_says_the_file_the_line_and_what_is_wrong(text: str, line: int, problem: str) -> None:
    with pytest.raises(MsiError) as caught:
        parse_msi(text, "roof.msi")
    assert str(caught.value).startswith(f"roof.msi:{line}: ")
    assert problem in str(caught.value)


def test_the_combined_pattern_gives_back_both_cuts() -> None:
    antenna = Directional(parse_msi(sector_text().replace("ELECTRICAL_TILT 4", "")))
    shifted = MsiPattern("level", 15.0, antenna.pattern.horizontal, antenna.pattern.horizontal)
    level = Directional(shifted)
    azimuth = np.arange(-180.0, 180.0)
    losses = np.array(shifted.horizontal.losses_db)
    assert level.gain_dbi(azimuth, 0.0) == pytest.approx(15.0 - losses[azimuth.astype(int) % 360])
    depression = np.arange(-90.0, 91.0)
    assert level.gain_dbi(0.0, depression) == pytest.approx(15.0 - losses[depression.astype(int) % 360])
    assert level.gain_dbi(180.0, depression) == pytest.approx(15.0 - losses[(180 - depression).astype(int) % 360])


def test_behind_an_antenna_its_front_to_back_ratio_counts_once() -> None:
    antenna = Directional(parse_msi(sector_text()))
    assert float(antenna.gain_dbi(180.0, 0.0)) == pytest.approx(15.0 - 25.0, abs=1.0)


def test_electrical_tilt_lowers_front_sides_and_back_alike() -> None:
    plain, tilted = Directional(parse_msi(sector_text())), Directional(parse_msi(sector_text()), extra_tilt_deg=3.0)
    for azimuth in (0.0, 60.0, 90.0, 180.0):
        assert tilted.gain_dbi(azimuth, 8.0) == pytest.approx(plain.gain_dbi(azimuth, 5.0))
    depression = np.linspace(-20, 20, 81)
    assert depression[np.argmax(tilted.gain_dbi(0.0, depression))] == 7.0


def test_mechanical_tilt_lowers_the_front_lifts_the_back_and_leaves_the_sides() -> None:
    antenna = Directional(parse_msi(sector_text()))
    mast = Mounted(antenna, azimuth_deg=120.0, downtilt_deg=6.0)
    assert mast.gain_dbi(120.0, -10.0) == pytest.approx(antenna.gain_dbi(0.0, 4.0))
    assert mast.gain_dbi(300.0, 10.0) == pytest.approx(antenna.gain_dbi(180.0, -4.0))
    assert mast.gain_dbi(210.0, 0.0) == pytest.approx(antenna.gain_dbi(90.0, 0.0))


@pytest.mark.parametrize("antenna", [HalfWaveDipole(), Collinear(5.15, k=0.0), Collinear(8.15, k=0.0)])
def test_a_pattern_radiates_what_it_is_fed(antenna: Antenna) -> None:
    depression = np.linspace(-90.0, 90.0, 4001)
    weight = np.cos(np.radians(depression))
    mean = np.sum(10 ** (antenna.gain_dbi(0.0, depression) / 10) * weight) / np.sum(weight)
    tolerance = 0.01 if isinstance(antenna, HalfWaveDipole) else 0.5  # ITU-R F.1336 is an envelope
    assert 10 * math.log10(mean) == pytest.approx(0.0, abs=tolerance)


def test_a_half_wave_dipole_is_half_as_strong_39_degrees_off_and_silent_at_its_ends() -> None:
    gain = HalfWaveDipole().gain_dbi(0.0, [0.0, 39.0, -39.0, 90.0])
    assert gain[0] == 2.15
    assert gain[1:3] == pytest.approx(2.15 - 3.0, abs=0.02)
    assert gain[3] < -50.0


@pytest.mark.parametrize(("peak_dbi", "width_deg"), [(5.0, 34.0), (8.0, 17.1), (10.0, 10.8)])
def test_a_collinear_is_three_db_down_at_half_its_beam_width(peak_dbi: float, width_deg: float) -> None:
    antenna = Collinear(peak_dbi)
    assert antenna.width_deg == pytest.approx(width_deg, abs=0.05)
    assert float(antenna.gain_dbi(77.0, antenna.width_deg / 2)) == pytest.approx(peak_dbi - 3.0)
    assert float(Collinear(peak_dbi, beam_width_deg=20.0).gain_dbi(0.0, -10.0)) == pytest.approx(peak_dbi - 3.0)


def test_a_collinear_has_typical_side_lobes_about_ten_db_down() -> None:
    # −12 + 10·log10(0.7 + 1) at θ₃: ITU-R F.1336-5, recommends 2.1, with k = 0.7.
    antenna = Collinear(8.0)
    assert float(antenna.gain_dbi(0.0, antenna.width_deg)) == pytest.approx(8.0 - 9.70, abs=0.01)


def test_an_unknown_antenna_radiates_alike_in_every_direction() -> None:
    assert Mounted(Isotropic(-1.5), 30.0, 5.0).gain_dbi([0.0, 90.0], [[-5.0], [60.0]]).tolist() == [[-1.5, -1.5]] * 2


@pytest.mark.parametrize("beam", [0.0, -3.0, 181.0])
def test_a_collinear_without_a_beam_is_refused(beam: float) -> None:
    with pytest.raises(ValueError, match="collinear"):
        Collinear(5.0, beam_width_deg=beam)


@pytest.mark.parametrize(
    ("cable", "db_per_100_m"),
    [("LMR-195", 36.5), ("LMR-200", 32.6), ("LMR-240", 24.8), ("LMR-400", 12.8), ("LMR-600", 8.2)],
)
def test_cables_lose_what_their_data_sheets_say_at_900_mhz(cable: str, db_per_100_m: float) -> None:
    assert cable_loss_db(cable, 100.0, 900e6) == pytest.approx(db_per_100_m, abs=0.05)


def test_a_run_of_cable_adds_up_and_every_cable_says_its_source() -> None:
    assert cable_loss_db("LMR-400", 20.0, connectors=2) == pytest.approx(2 * cable_loss_db("LMR-400", 10.0) + 0.2)
    assert all(cable.source and 3.0 < cable.loss_db_per_100_m() < 100.0 for cable in CABLES.values())
    with pytest.raises(ValueError, match="wet string"):
        cable_loss_db("wet string", 1.0)
    with pytest.raises(ValueError, match="below zero"):
        cable_loss_db("LMR-400", -1.0)


def test_a_polarisation_off_by_45_degrees_costs_three_db_and_crossed_ones_what_crosses_over() -> None:
    assert polarisation_mismatch_db([0.0, 45.0, 60.0], math.inf) == pytest.approx([0.0, 3.01, 6.02], abs=0.005)
    assert float(polarisation_mismatch_db(90.0, 18.0)) == pytest.approx(18.0)


@pytest.mark.parametrize(
    ("angles", "losses"),
    [((), ()), ((0.0,), (0.0, 1.0)), ((0.0, 0.0), (1.0, 1.0)), ((0.0,), (-1.0,)), ((0.0,), (math.nan,))],
)
def test_a_cut_that_is_none_is_refused(angles: tuple[float, ...], losses: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="cut"):
        Cut(angles, losses)
