"""The report's figures as plain Plotly JSON.

Colours are names of CSS variables ("--blue"): the page resolves them, so that one figure serves light, dark and print.
The palette is Okabe and Ito's, which colour-blind readers tell apart (jfly.uni-koeln.de/color, 2008).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, TypeAlias

from bench.report.summary import Commune, Histogram, Sensor, Stage, Summary
from bench.report.words import five_db, interval, is_number, number, percent

Figure: TypeAlias = dict[str, Any]

KM_PER_DEGREE = 111.195  # of a great circle of the mean Earth radius, 6371.0 km
MARGIN_SCALE = [[0.0, "#b5430a"], [0.35, "#eaa06f"], [0.5, "#e9e4d4"], [0.65, "#7fb2d9"], [1.0, "#00538f"]]
MARGIN_RANGE_DB = 20.0


def stage_figures(summary: Summary, stage: Stage) -> dict[str, Figure]:
    """A stage's figures by the id of their place in the page."""
    return {
        "map": _map(summary["communes"], stage),
        "daily": _daily(stage),
        "sf": _spreading_factors(stage),
        "rssi": _histogram(stage["rssi_hist"], "RSSI at the best gateway (dBm)"),
        "snr": _histogram(stage["snr_hist"], "SNR at the best gateway (dB)"),
    }


def run_figures(summary: Summary) -> dict[str, Figure]:
    """The figures over all stages."""
    return {"doubt": _doubt(summary)}


def _map(communes: list[Commune], stage: Stage) -> Figure:
    points = [(c["lat"], c["lon"]) for c in communes] or [(g["lat"], g["lon"]) for g in stage["gateways"]]
    lat0 = sum(p[0] for p in points) / max(1, len(points))
    lon0 = sum(p[1] for p in points) / max(1, len(points))
    km_per_lon = KM_PER_DEGREE * math.cos(math.radians(lat0))

    def east(lon: float) -> float:
        return round((lon - lon0) * km_per_lon, 3)

    def north(lat: float) -> float:
        return round((lat - lat0) * KM_PER_DEGREE, 3)

    shapes, labels = [], []
    for commune in communes:
        x, y, radius = east(commune["lon"]), north(commune["lat"]), math.sqrt(commune["area_km2"] / math.pi)
        is_open = commune["name"] in stage["open_communes"]
        shapes.append(
            {
                "type": "circle",
                "layer": "below",
                "x0": x - radius,
                "x1": x + radius,
                "y0": y - radius,
                "y1": y + radius,
                "line": {"color": "--line-strong", "width": 1, "dash": "solid" if is_open else "dot"},
                "fillcolor": "--tint" if is_open else "rgba(0,0,0,0)",
            }
        )
        labels.append(
            {
                "x": x,
                "y": y + radius,
                "text": commune["name"],
                "showarrow": False,
                "yanchor": "bottom",
                "font": {"size": 11, "color": "--ink"},
                "bgcolor": "--veil",
            }
        )
    heard = [s for s in stage["sensors"] if s["heard_days"] > 0]
    silent = [s for s in stage["sensors"] if s["heard_days"] == 0]
    gateways = stage["gateways"]
    data = [
        _sensors(heard, "sensor heard", "circle", 7, east, north, colour_bar=True),
        _sensors(silent, "sensor never heard", "x-thin", 8, east, north, colour_bar=not heard),
        {
            "type": "scatter",
            "mode": "markers",
            "name": "gateway",
            "x": [east(g["lon"]) for g in gateways],
            "y": [north(g["lat"]) for g in gateways],
            "marker": {
                "symbol": "triangle-up",
                "size": 16,
                "color": "--ink",
                "line": {"color": "--paper", "width": 2},
            },
            "text": [
                f"<b>{g['id']}</b><br>{g['commune']} ({g['kind']})<br>antenna {number(g['antenna_height_m'], 0, 'm')}"
                f"<br>position: {g['position_status']}<br>{g['lat']:.5f}, {g['lon']:.5f}"
                for g in gateways
            ],
            "hovertemplate": "%{text}<extra></extra>",
        },
    ]
    return {
        "data": data,
        "layout": {
            "height": 640,
            "margin": {"l": 50, "r": 10, "t": 10, "b": 45},
            "shapes": shapes,
            "annotations": labels,
            "xaxis": {"title": {"text": "km east"}, "zeroline": False, "constrain": "domain"},
            "yaxis": {"title": {"text": "km north"}, "zeroline": False, "scaleanchor": "x", "constrain": "domain"},
            "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
            "hovermode": "closest",
        },
    }


def _sensors(
    sensors: list[Sensor], name: str, symbol: str, size: int, east: Any, north: Any, *, colour_bar: bool
) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [east(s["lon"]) for s in sensors],
        "y": [north(s["lat"]) for s in sensors],
        "marker": {
            "symbol": symbol,
            "size": size,
            "color": [s["margin_db"] for s in sensors],
            "cmin": -MARGIN_RANGE_DB,
            "cmax": MARGIN_RANGE_DB,
            "colorscale": MARGIN_SCALE,
            "showscale": colour_bar,
            "colorbar": {"title": {"text": "margin (dB)"}, "thickness": 12, "len": 0.7, "outlinewidth": 0},
            "line": {"width": 0.6, "color": "--line-strong"} if symbol == "circle" else {"width": 2, "color": "--fail"},
        },
        "text": [
            f"<b>{s['id']}</b><br>{s['commune']}, {s['placement']}<br>margin {number(s['margin_db'], 1, 'dB')}, "
            f"SF{s['sf']}<br>heard on {s['heard_days']} of {s['days']} days"
            f"<br>{'best gateway ' + s['best_gateway'] if s['best_gateway'] else 'no gateway'}"
            f"{'' if s['joined'] else '<br>never joined'}"
            for s in sensors
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _daily(stage: Stage) -> Figure:
    daily = stage["daily"]
    figures = sorted({row["figure"] for row in stage["clauses"]["territory"]})
    floor = _axis_floor([*daily["share"], *daily["share_14d"], *daily["expected_share"], *figures])

    def line(name: str, values: list[float | None], colour: str, dash: str) -> Figure:
        return {
            "type": "scatter",
            "mode": "lines+markers" if dash == "solid" else "lines",
            "name": name,
            "x": daily["days"],
            "y": _percents(values),
            "line": {"color": colour, "width": 2.5 if dash == "solid" else 2, "dash": dash},
            "marker": {"size": 5},
            "hovertemplate": "%{y:.1f} %",
        }

    return {
        "data": [
            line("heard in the last 14 days", daily["share_14d"], "--blue", "solid"),
            line("heard that day", daily["share"], "--orange", "solid"),
            line("expected that day, all sensors", daily["expected_share"], "--purple", "dash"),
        ],
        "layout": {
            "height": 380,
            "margin": {"l": 55, "r": 60, "t": 10, "b": 40},
            "shapes": [_level(figure) for figure in figures],
            "annotations": [
                {
                    "xref": "paper",
                    "x": 1.005,
                    "xanchor": "left",
                    "y": 100 * figure,
                    "text": percent(figure, 0),
                    "showarrow": False,
                    "font": {"color": "--ink", "size": 12},
                }
                for figure in figures
            ],
            "xaxis": {"type": "date", "tickformat": "%-d %b"},
            "yaxis": {"title": {"text": "sensors (%)"}, "rangemode": "normal", "range": [floor, 100.8]},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "hovermode": "x unified",
        },
    }


def _axis_floor(shares: Iterable[float | None]) -> float:
    """The ten per cent below the least share."""
    return max(0.0, 10 * math.floor(10 * min((s for s in shares if is_number(s)), default=0.0) - 0.3))


def _level(share: float) -> Figure:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": 100 * share,
        "y1": 100 * share,
        "line": {"color": "--ink", "width": 1, "dash": "dot"},
    }


def _spreading_factors(stage: Stage) -> Figure:
    names = sorted(stage["sf_share"], key=int)
    shares = [stage["sf_share"][name] for name in names]
    return {
        "data": [
            {
                "type": "bar",
                "x": [f"SF{name}" for name in names],
                "y": _percents(list(shares)),
                "text": [percent(share) for share in shares],
                "textposition": "outside",
                "cliponaxis": False,
                "marker": {"color": "--blue"},
                "hovertemplate": "%{x}: %{y:.1f} %<extra></extra>",
            }
        ],
        "layout": {
            "height": 300,
            "margin": {"l": 50, "r": 10, "t": 24, "b": 45},
            "yaxis": {"title": {"text": "sensors (%)"}, "rangemode": "tozero"},
            "xaxis": {"title": {"text": "spreading factor at the end of the month"}, "type": "category"},
            "bargap": 0.25,
        },
    }


def _histogram(histogram: Histogram, title: str) -> Figure:
    edges, counts = histogram["edges"], histogram["counts"]
    widths = [high - low for low, high in pairwise(edges)]
    return {
        "data": [
            {
                "type": "bar",
                "x": [low + width / 2 for low, width in zip(edges, widths, strict=False)],
                "width": widths,
                "y": counts,
                "marker": {"color": "--blue", "line": {"color": "--paper", "width": 0.5}},
                "customdata": [list(pair) for pair in pairwise(edges)],
                "hovertemplate": "%{customdata[0]:.1f} to %{customdata[1]:.1f}: %{y} uplinks<extra></extra>",
            }
        ],
        "layout": {
            "height": 300,
            "margin": {"l": 60, "r": 10, "t": 24, "b": 45},
            "bargap": 0,
            "xaxis": {"title": {"text": title}, "zeroline": False},
            "yaxis": {"title": {"text": "uplinks received"}, "rangemode": "tozero"},
        },
    }


def _doubt(summary: Summary) -> Figure:
    """Sampled value with its interval beside the expectation with its ±5 dB range, a panel a clause."""
    stages = summary["stages"]
    clauses = stages[-1]["clauses"]["territory"] if stages else []
    data: list[Figure] = []
    layout: Figure = {
        "height": 380,
        "margin": {"l": 55, "r": 10, "t": 70, "b": 40},
        "scattermode": "group",
        "scattergap": 0.7,
        "grid": {"rows": 1, "columns": max(1, len(clauses)), "pattern": "independent", "xgap": 0.08},
        "legend": {"orientation": "h", "x": 0, "y": 1.16, "yanchor": "bottom"},
        "shapes": [],
        "annotations": [],
    }
    shown = [row for s in stages for row in s["clauses"]["territory"]]
    lows = [row["low"] for row in shown] + [row["expected"]["-5"] for row in shown if row["expected"] is not None]
    floor = _axis_floor(lows)
    for i, clause in enumerate(clauses):
        suffix = "" if i == 0 else str(i + 1)
        rows = [(s["name"], s["clauses"]["territory"][i]) for s in stages if i < len(s["clauses"]["territory"])]
        sampled = [(name, row) for name, row in rows if row["value"] is not None]
        expected = [(name, row["expected"]) for name, row in rows if row["expected"] is not None]
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        data.append(
            {
                **axes,
                "type": "scatter",
                "mode": "markers",
                "name": "expected over all sensors, −5 … +5 dB on every link",
                "legendgroup": "expected",
                "showlegend": i == 0,
                "x": [name for name, _ in expected],
                "y": _percents([e["0"] for _, e in expected]),
                "error_y": _bars([(e["0"], e["-5"], e["+5"]) for _, e in expected], "--soft", width=0, thickness=9),
                "marker": {
                    "symbol": "diamond",
                    "size": 11,
                    "color": "--purple",
                    "line": {"color": "--paper", "width": 1.5},
                },
                "text": [five_db(e) for _, e in expected],
                "hovertemplate": "expected %{y:.1f} %<br>−5 … +5 dB: %{text}<extra></extra>",
            }
        )
        data.append(
            {
                **axes,
                "type": "scatter",
                "mode": "markers",
                "name": "sampled, with its interval",
                "legendgroup": "sampled",
                "showlegend": i == 0,
                "x": [name for name, _ in sampled],
                "y": _percents([row["value"] for _, row in sampled]),
                "error_y": _bars(
                    [(row["value"], row["low"], row["high"]) for _, row in sampled], "--blue", width=7, thickness=2
                ),
                "marker": {"size": 9, "color": "--blue", "line": {"color": "--paper", "width": 1.5}},
                "text": [interval(row) for _, row in sampled],
                "hovertemplate": "sampled %{y:.1f} %<br>interval %{text}<extra></extra>",
            }
        )
        layout[f"xaxis{suffix}"] = {"type": "category", "categoryarray": [s["name"] for s in stages]}
        layout[f"yaxis{suffix}"] = {"range": [floor, 102], "title": {"text": "sensors (%)" if i == 0 else ""}}
        layout["shapes"].append({**_level(clause["figure"]), "xref": f"x{suffix} domain", "yref": f"y{suffix}"})
        layout["annotations"].append(
            {
                "xref": f"x{suffix} domain",
                "yref": f"y{suffix} domain",
                "x": 0,
                "y": 1.02,
                "yanchor": "bottom",
                "xanchor": "left",
                "showarrow": False,
                "align": "left",
                "text": f"<b>{clause['clause']}</b>, {clause['kind']}: {percent(clause['figure'], 0)}",
                "font": {"color": "--ink", "size": 12},
            }
        )
    return {"data": data, "layout": layout}


def _bars(
    triples: list[tuple[float | None, float | None, float | None]], colour: str, *, width: int, thickness: int
) -> Figure:
    def reach(value: float | None, end: float | None) -> float:
        return 0.0 if value is None or end is None else abs(100 * (end - value))

    return {
        "type": "data",
        "symmetric": False,
        "array": [reach(value, high) for value, _, high in triples],
        "arrayminus": [reach(value, low) for value, low, _ in triples],
        "color": colour,
        "width": width,
        "thickness": thickness,
    }


def _percents(values: list[float | None]) -> list[float | None]:
    return [None if value is None else round(100 * value, 2) for value in values]
