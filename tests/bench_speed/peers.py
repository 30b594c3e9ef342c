"""The peer scenarios in the batch engine beside ns-3's figures: delivery per spreading factor, and speed.

python tests/bench_speed/peers.py [--seeds 100]
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "radio_sim"))

import numpy as np
from peer_cases import CASE_C, CASES
from scipy.stats import chi2
from test_batch_peers import delivered_by_sf


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    seeds = parser.parse_args().seeds
    print(f"{seeds} seeds here, 10 or 40 with ns-3; ± is one standard error of the mean; z: difference ÷ its error")
    print("| case | SF | here | ± | ns-3 | ± | z |\n| --- | --- | --- | --- | --- | --- | --- |")
    total = values = 0.0
    delivered_by_sf(CASES["A1200"], 1)  # compiles
    began, uplinks = time.process_time(), 0
    for name, case in (*CASES.items(), ("C", CASE_C)):
        delivered, sent = delivered_by_sf(case, seeds)
        uplinks += int(sent.sum())
        share = delivered / np.maximum(sent, 1)
        error = share.std(axis=0, ddof=1) / math.sqrt(seeds)
        if not case.delivered:  # eleven gateways: counted frame by frame by another algorithm in the tests
            for i in np.flatnonzero(sent.sum(axis=0)):
                print(f"| {name} | {7 + i} | {share[:, i].mean():.5f} | {error[i]:.5f} | – | – | – |")
            continue
        z = (share.mean(axis=0) - np.array(case.delivered)) / np.hypot(error, case.error)
        for i in range(6):
            print(
                f"| {name} | {7 + i} | {share[:, i].mean():.5f} | {error[i]:.5f} "
                f"| {case.delivered[i]:.5f} | {case.error[i]:.5f} | {z[i]:+.1f} |"
            )
        total += float((z * z).sum())
        values += 6
    spent = time.process_time() - began
    print(f"χ² {total:.1f} for {values:.0f} values, p {chi2.sf(total, values):.2f}")
    print(f"{uplinks:,} uplinks in {spent:.1f} CPU-s: {uplinks / spent:,.0f} a CPU-second, world building included")


if __name__ == "__main__":
    main()
