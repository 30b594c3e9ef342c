"""The peer scenarios in the batch engine beside ns-3's figures: delivery per spreading factor, and speed.

python tests/bench_speed/peers.py [--seeds 100]
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import sys
import time
from pathlib import Path

import numpy as np
from scipy.stats import chi2

CASES_FILE = Path(__file__).parents[1] / "unit" / "radio_sim" / "test_batch_peers.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    seeds = parser.parse_args().seeds
    spec = importlib.util.spec_from_file_location("peers", CASES_FILE)
    assert spec is not None
    assert spec.loader is not None
    peers = importlib.util.module_from_spec(spec)
    sys.modules["peers"] = peers
    spec.loader.exec_module(peers)
    print(f"{seeds} seeds here, 10 or 40 with ns-3; ± is one standard error of the mean; z: difference ÷ its error")
    print("| case | SF | here | ± | ns-3 | ± | z |\n| --- | --- | --- | --- | --- | --- | --- |")
    total = values = 0.0
    peers.delivered_by_sf(peers.CASES["A1200"], 1)  # compiles
    began, uplinks = time.process_time(), 0
    for name, case in (*peers.CASES.items(), ("C", peers.CASE_C)):
        delivered, sent = peers.delivered_by_sf(case, seeds)
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
