"""P.1812 against the reference results of ITU-R working party 3K/3M: every intermediate value of 63 cases.

Source: the validation profiles and results distributed with the reference implementations (`p1812/` in the shared
vectors); the values are printed there with ten significant digits.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from radio_sim.propagation.p1812 import P1812Parameters, Profile, p1812_loss, path_centre_latitude_deg

VECTORS = Path(__file__).resolve().parents[4] / "shared" / "vectors" / "p1812"
CASES = sorted(path.name.removesuffix("_log.csv") for path in VECTORS.glob("results/*_log.csv"))

# Rows of a result file, in order after the blank row, and the field they are.
PATH_FIELDS = [
    "distance_km",
    "dlt_km",
    "dlr_km",
    "theta_t_mrad",
    "theta_r_mrad",
    "theta_mrad",
    "hts_m",
    "hrs_m",
    ".",
    ".",
    "omega",
    "dtm_km",
    "dlm_km",
    ".",
    "beta0_percent",
    "ae_km",
    "hst_raw_m",
    "hsr_raw_m",
    "hst_m",
    "hsr_m",
    "hstd_m",
    "hsrd_m",
    ".",
    ".",
    "hte_m",
    "hre_m",
    "hm_m",
]
# The files print the three parts of delta-Bullington at the β0 radius, and L_bda where they say L_bd.
LOSS_FIELDS = [
    "f_i",
    "f_j",
    "f_k",
    "l_bfs_db",
    "l_b0p_db",
    "l_b0beta_db",
    "l_bulla_beta_db",
    "l_bulls_beta_db",
    "l_dsph_beta_db",
    "l_d50_db",
    "l_dbeta_db",
    "l_dp_db",
    "l_bd50_db",
    "l_bda_db",
    "l_minb0p_db",
    "l_ba_db",
    "l_minbap_db",
    "l_bda_db",
    "l_bam_db",
    "l_bs_db",
    "l_bc_db",
    "l_b_db",
]


def read_profile(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rows = list(csv.reader((VECTORS / "profiles" / f"{name}.csv").read_text().splitlines()))
    begin = next(i for i, row in enumerate(rows) if row[0] == "Number of Points:")
    samples = rows[begin + 1 : begin + 1 + int(rows[begin][1])]
    columns = np.array([[float(row[i]) for i in (0, 1, 3, 4)] for row in samples]).T
    return columns[0] * 1000.0, columns[1], columns[2], columns[3].astype(np.int8)


def test_all_the_cases_are_here() -> None:
    if not VECTORS.exists():
        pytest.skip("the shared vectors are not beside this checkout")
    assert len(CASES) == 63


@pytest.mark.parametrize("case", CASES)
def test_every_value_agrees_with_the_reference(case: str) -> None:
    rows = list(csv.reader((VECTORS / "results" / f"{case}_log.csv").read_text().splitlines()))
    given = {row[0].strip(): float(row[3]) for row in rows[1:21]}
    d, h, clutter, zones = read_profile(case.rpartition("_")[0])
    ends = [given[f"{name} (deg)"] for name in ("phi_t", "lam_t", "phi_r", "lam_r")]
    latitude = path_centre_latitude_deg(*ends, d[-1])
    result = p1812_loss(
        Profile(d, h, given["htg (m)"], given["hrg (m)"], clutter, zones),
        P1812Parameters(
            freq_hz=given["f (GHz)"] * 1e9,
            time_percent=given["p (%)"],
            location_percent=given["pL (%)"],
            location_sigma_db=given["sigmaL (dB)"],
            polarisation="horizontal" if given["pol"] == 1 else "vertical",
            delta_n=given["DN"],
            n0=given["N0"],
            latitude_deg=latitude,
            tx_coast_m=given["dct (km)"] * 1000.0,
            rx_coast_m=given["dcr (km)"] * 1000.0,
        ),
    )
    blank = next(i for i, row in enumerate(rows) if i > 5 and not any(row))
    values = [float([cell for cell in row if cell][-1]) for row in rows[blank + 1 :] if any(row)]
    assert latitude == pytest.approx(float(next(r for r in rows if r[0].startswith("phi (deg)"))[3]), abs=1e-6)
    for field, expected in zip((*PATH_FIELDS, *LOSS_FIELDS), values[:-2], strict=True):
        if field != ".":
            found = getattr(result, field)
            assert found == pytest.approx(expected, rel=2e-9, abs=1e-6), field
    assert result.l_bd_db == pytest.approx(result.l_b0p_db + result.l_dp_db, abs=1e-12)
    assert 199.36 + 20.0 * math.log10(given["f (GHz)"]) - result.l_b_db == pytest.approx(values[-2], abs=1e-6)
