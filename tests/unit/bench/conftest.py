"""A summary such as a run of the rollout leaves, made up: figures are plausible, none is a result."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from small_map import small_map

from bench.coverage.study import Map
from scenarios.load import LoadedScenario, load

COMMUNES = [
    ("Montlouis-sur-Loire", 47.3880, 0.8280, 24.6, 4900),
    ("Azay-sur-Cher", 47.3490, 0.8460, 23.0, 1300),
    ("Chançay", 47.4510, 0.8800, 15.0, 480),
    ("La Ville-aux-Dames", 47.3960, 0.7750, 7.5, 2300),
    ("Larçay", 47.3670, 0.7810, 11.1, 1050),
    ("Monnaie", 47.5020, 0.7880, 39.4, 1850),
    ("Reugny", 47.4810, 0.8850, 29.2, 720),
    ("Vernou-sur-Brenne", 47.4230, 0.8460, 25.8, 1200),
    ("Véretz", 47.3590, 0.8040, 13.9, 1900),
    ("Vouvray", 47.4110, 0.7980, 22.8, 1500),
]
OPEN = {
    "2025": ["Montlouis-sur-Loire"],
    "2026": [c[0] for c in COMMUNES if c[0] != "Véretz"],
    "2027": [c[0] for c in COMMUNES if c[0] != "Véretz"],
}
CLAUSES = [
    ("Annexe 4 §2.1", "target", "monthly sensor connectivity of at least 95 %", 0.95),
    ("Annexe 4 §2.4", "guarantee", "90 % of objects deliver at least once a day", 0.90),
    ("Annexe 4 §2.4", "guarantee", "95 % of objects deliver at least once in the last 14 days", 0.95),
]
PLACEMENTS = ["pit-plastic", "pit-concrete", "pit-cast-iron", "indoor", "municipal-indoor", "outdoor"]


def _clause(i: int, level: float, spread: float) -> dict[str, Any]:
    clause, kind, text, figure = CLAUSES[i]
    value = min(1.0, level + (0.0, -0.012, 0.021)[i])
    low, high = value - spread, min(1.0, value + spread)
    verdict = "PASS" if low >= figure else "FAIL" if high < figure else "INSUFFICIENT"
    return {
        "clause": clause,
        "measure": ("month", "each day", "14 days")[i],
        "kind": kind,
        "text": text,
        "value": value,
        "low": low,
        "high": high,
        "figure": figure,
        "verdict": verdict,
        "sensors_needed": 1450 if verdict == "INSUFFICIENT" else None,
        "mean": None if i == 0 else min(1.0, value + 0.006),
        "lenient": min(1.0, value + 0.03) if i == 0 else None,
        "expected": {"0": value - 0.004, "+5": min(1.0, value + 0.05), "-5": value - 0.09},
        "expected_sample": value - 0.002,
    }


def _histogram(low: int, high: int, step: int) -> dict[str, Any]:
    edges = [float(edge) for edge in range(low, high + 1, step)]
    middle, width = (low + high) / 2, (high - low) / 6
    return {"edges": edges, "counts": [round(9000 * math.exp(-(((e - middle) / width) ** 2))) for e in edges[:-1]]}


def _stage(name: str, level: float) -> dict[str, Any]:
    rng = random.Random(name)
    opened = OPEN[name]
    gateways = [
        {
            "id": f"gw-{c[0].lower().replace(' ', '-')}",
            "commune": c[0],
            "kind": "planned",
            "lat": c[1],
            "lon": c[2],
            "antenna_height_m": 20.0,
            "position_status": "assumed: town hall",
        }
        for c in COMMUNES
        if c[0] in opened
    ]
    if name == "2027":
        gateways += [
            {**gateways[1], "id": f"gw-option-{n}", "kind": "option", "lat": 47.36 + 0.1 * n, "lon": 0.80 + 0.05 * n}
            for n in (0, 1)
        ]
    sensors = []
    for i in range(400):
        commune = rng.choice(COMMUNES)
        radius, angle = math.sqrt(rng.random() * commune[3] / math.pi), rng.random() * 2 * math.pi
        margin = rng.gauss(14 if commune[0] in opened else -4, 9)
        sensors.append(
            {
                "id": f"{commune[0][:4].lower()}-{i:04d}",
                "commune": commune[0],
                "placement": rng.choice(PLACEMENTS),
                "lat": commune[1] + radius * math.sin(angle) / 111.2,
                "lon": commune[2] + radius * math.cos(angle) / 75.2,
                "margin_db": round(margin, 1),
                "sf": max(7, min(12, round(12 - margin / 3))),
                "heard_days": 0 if margin < -6 else 30 if margin > 2 else rng.randrange(4, 30),
                "days": 30,
                "best_gateway": gateways[i % len(gateways)]["id"] if margin > -6 else "",
                "joined": margin >= -6,
            }
        )
    sf_share = {str(sf): sum(s["sf"] == sf for s in sensors) / len(sensors) for sf in range(7, 13)}
    days = [f"2026-02-{d:02d}" for d in range(1, 29)] + ["2026-03-01", "2026-03-02"]
    share = [level + rng.gauss(0, 0.006) for _ in days]
    groups = [
        {"name": c[0], "n": 40, "connectivity": level - rng.random() * 0.2, "expected": level - rng.random() * 0.2}
        for c in COMMUNES
    ]
    return {
        "name": name,
        "gateways": gateways,
        "open_communes": opened,
        "n_sensors": 400,
        "n_population": 17000,
        "uplinks_sent": 70_412,
        "uplinks_delivered": 61_877,
        "uplinks_accepted": 61_020,
        "joins_sent": 913,
        "n_joined": 371,
        "downlinks_sent": 2_114,
        "downlinks_delivered": 1_990,
        "outcomes": {
            "delivered": 61_877,
            "collided": 1_204,
            "gateway transmitting": 63,
            "no demodulator": 0,
            "below sensitivity": 7_160,
            "gateway down": 0,
            "duty limited": 108,
        },
        "sf_share": sf_share,
        "median_rssi_dbm": -117.4,
        "median_snr_db": -3.25,
        "gateways_per_uplink": 1.84,
        "load": {
            "sampled_uplinks_per_day": 1600.0,
            "background_uplinks_per_day": 66_400.0,
            "airtime_s_per_hour": 1_240.5,
        },
        "clauses": {
            "territory": [_clause(i, level, 0.012) for i in range(3)],
            "open": [_clause(i, min(0.985, level + 0.03), 0.01) for i in range(3)],
        },
        "daily": {
            "days": days,
            "share": share,
            "share_14d": [min(1.0, level + 0.02 + rng.gauss(0, 0.002)) for _ in days],
            "expected_share": [level - 0.004] * len(days),
        },
        "sensors": sensors,
        "rssi_hist": _histogram(-140, -60, 4),
        "snr_hist": _histogram(-22, 14, 2),
        "by_commune": groups,
        "by_placement": [
            {"name": p, "n": 66, "connectivity": level - rng.random() * 0.15, "expected": level - 0.03}
            for p in PLACEMENTS
        ],
        "checks": [
            {
                "name": "frame counters only grow",
                "clause": "TS001-1.0.4 §4.3.1.5",
                "passed": True,
                "detail": "<371 devices>",
            },
            {"name": "duty cycle", "clause": "EN 300 220-2 §4.3.3", "passed": name != "2026", "detail": "worst 0.94 %"},
        ],
        "trace_sha256": "5f" * 32,
        "elapsed_s": 38.2,
    }


@pytest.fixture
def summary() -> dict[str, Any]:
    stages = [_stage("2025", 0.44), _stage("2026", 0.935), _stage("2027", 0.955)]
    return {
        "scenario": {
            "name": "tev",
            "title": "Touraine-Est Vallées: rollout 2025–2027",
            "sha256": "ab" * 32,
            "seed": 1,
            "sample_size": 400,
            "warmup_days": 14,
            "scored_days": 30,
            "start_date": "2026-01-18",
            "timezone": "Europe/Paris",
            "policy": "product",
        },
        "complete": True,
        "verdict": {
            "exit_code": 1,
            "holds": ["Annexe 4 §2.4, guarantee: 95 % in 14 days"],
            "misses": ["Annexe 4 §2.1, target: 95 % a month"],
            "lines": [
                "2027, whole territory: the target of Annexe 4 §2.1 is undecided with 400 sensors (95.2–97.6 %).",
                "2026, which Annexe 2 calls sufficient: the target is missed, the daily guarantee is held.",
            ],
        },
        "communes": [
            {"name": n, "lat": lat, "lon": lon, "area_km2": area, "households": homes}
            for n, lat, lon, area, homes in COMMUNES
        ],
        "stages": stages,
        "variants": [],
        "assumptions": [
            {"name": "cast-iron lid loss", "value": "25 dB", "source": "assumption, no measurement", "decides": True},
            {"name": "building entry", "value": "P.2109 median", "source": "ITU-R P.2109-2 §3", "decides": False},
            {"name": "path loss", "value": "Okumura-Hata suburban", "source": "Hata 1980", "decides": True},
        ],
        "command": "lorabench scenario run tev",
    }


@pytest.fixture(scope="session")
def loaded() -> LoadedScenario:
    return load("tev")


@pytest.fixture(scope="session")
def found(loaded: LoadedScenario) -> Map:
    return small_map(loaded)
