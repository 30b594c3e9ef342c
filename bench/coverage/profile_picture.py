"""One link as a picture: the ground over the curved earth, the line of sight with its Fresnel zone, the budgets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.coverage.link_text import sf_words
from bench.coverage.picture import receivers
from bench.coverage.terrain_for import Ground
from bench.store.atomic import aside
from radio_sim.coverage.path import FREE_SHARE
from radio_sim.coverage.study import LinkProfile
from radio_sim.model import BudgetLine

_INK, _PAPER, _MUTED, _WARN = "#1d2327", "#ffffff", "#5b666d", "#a8330c"
_GROUND, _BULGE, _SIGHT, _ZONE = "#a58a62", "#d9cbb0", "#0072b2", "#56b4e9"


def write_profile(link: LinkProfile, ground: Ground, path: Path) -> None:
    """The picture as PNG. Raises StoreError where it cannot be written."""
    figure = Figure(figsize=(12.0, 7.4), dpi=110, facecolor=_PAPER)
    axes = figure.add_axes((0.062, 0.42, 0.918, 0.44))
    _draw(link, ground, axes)
    _head(figure, link, ground)
    _budgets(figure, link)
    FigureCanvasAgg(figure)
    with aside(path) as partial:
        figure.savefig(partial, format="png", metadata={"Software": "lorabench"})


def _draw(link: LinkProfile, ground: Ground, axes: Axes) -> None:
    view = link.view
    km = view.distance_m / 1000
    top, bottom = view.sight_m + view.fresnel_m, view.sight_m - view.fresnel_m
    low = float(min(view.ground_m.min(), bottom.min())) - 8
    bulge = view.raised_m - view.ground_m
    axes.fill_between(km, low, low + bulge, color=_BULGE, linewidth=0, zorder=1, label="earth's curve")
    axes.fill_between(km, low + bulge, view.raised_m, color=_GROUND, alpha=0.85, linewidth=0, zorder=1, label="ground")
    axes.plot(km, view.raised_m, color="#5f4a2a", linewidth=1.3, zorder=3)
    if ground.clutter_grid is not None:
        share = view.distance_m / view.distance_m[-1]
        lat = link.gateway.lat + share * (link.device.lat - link.gateway.lat)
        lon = link.gateway.lon + share * (link.device.lon - link.gateway.lon)
        cover = np.nan_to_num(ground.clutter_grid.height_at(lat, lon))
        axes.fill_between(
            km, view.raised_m, view.raised_m + cover, color="#4f8a4c", alpha=0.8, linewidth=0, zorder=2, label="clutter"
        )
    axes.fill_between(km, bottom, top, color=_ZONE, alpha=0.25, linewidth=0, zorder=2, label="first Fresnel zone")
    inner = FREE_SHARE * view.fresnel_m
    axes.plot(km, view.sight_m - inner, color=_SIGHT, linewidth=0.8, linestyle=(0, (4, 3)), zorder=4, label="0.6 of it")
    axes.plot(km, view.sight_m, color=_SIGHT, linewidth=1.6, zorder=4, label="line of sight")
    for o in view.obstructions:
        inside = (view.distance_m >= o.from_m) & (view.distance_m <= o.to_m)
        axes.plot(km[inside], view.raised_m[inside], color=_WARN, linewidth=3.2, zorder=5, solid_capstyle="round")
    worst = min(view.obstructions, key=lambda o: o.share, default=None)
    if worst is not None:
        at = int(np.argmin(np.abs(view.distance_m - worst.worst_m)))
        word = f"{-worst.clearance_m:.0f} m too high" if worst.blocks else f"{worst.clearance_m:.0f} m clear"
        axes.annotate(
            f"{word} at {worst.worst_m / 1000:.2f} km",
            (float(km[at]), float(view.raised_m[at])),
            xytext=(0, 26),
            textcoords="offset points",
            ha=_side(worst.worst_m / float(view.distance_m[-1])),
            fontsize=9,
            color=_WARN,
            fontweight="bold",
            arrowprops={"arrowstyle": "-", "color": _WARN, "lw": 1},
            zorder=7,
        )
    ends: tuple[tuple[int, str, Literal["left", "right"]], ...] = (
        (0, link.gateway.id, "left"),
        (-1, link.device.id, "right"),
    )
    for at, name, align in ends:
        axes.plot([km[at]] * 2, [view.raised_m[at], view.sight_m[at]], color=_INK, linewidth=2.4, zorder=6)
        axes.plot(km[at], view.sight_m[at], "o", ms=5, color=_INK, zorder=6)
        axes.annotate(
            name,
            (float(km[at]), float(view.sight_m[at])),
            xytext=(6 if align == "left" else -6, 9),
            textcoords="offset points",
            ha=align,
            fontsize=9,
            fontweight="bold",
            color=_INK,
            zorder=7,
        )
    axes.set_xlim(-0.012 * km[-1], 1.012 * km[-1])
    high = float(max(top.max(), view.raised_m.max()))
    axes.set_ylim(low, high + 0.16 * (high - low))
    axes.set_xlabel("distance from the gateway (km)", fontsize=9, color=_MUTED)
    axes.set_ylabel("height above sea level (m), k = 4/3", fontsize=9, color=_MUTED)
    axes.tick_params(labelsize=8, colors=_MUTED)
    axes.grid(axis="y", color="#e3e6e3", linewidth=0.7, zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(loc="upper center", ncols=6, fontsize=8.5, frameon=False, bbox_to_anchor=(0.5, 1.10))


def _side(share: float) -> Literal["left", "center", "right"]:
    """Alignment that keeps a text near either end inside."""
    return "left" if share < 0.12 else "right" if share > 0.88 else "center"


def _head(figure: Figure, link: LinkProfile, ground: Ground) -> None:
    view, device = link.view, link.device
    figure.text(
        0.02,
        0.962,
        f"{link.gateway.id} to {device.lat:.5f}, {device.lon:.5f}, {receivers(device.placement)}",
        fontsize=14.5,
        fontweight="bold",
        color=_INK,
        va="center",
    )
    sight = "line of sight" if view.in_sight else "no line of sight"
    figure.text(
        0.02,
        0.925,
        f"{view.distance_m[-1] / 1000:.2f} km, {sight}. Loss {link.loss_db:.1f} dB by {link.model.title}. "
        f"Spreading factor: {sf_words(link.sf)}",
        fontsize=9.8,
        color=_MUTED,
        va="center",
    )
    if ground.modelled:
        figure.text(
            0.982,
            0.962,
            "MODELLED TERRAIN: NOT MEASURED",
            ha="right",
            va="center",
            fontsize=8.5,
            fontweight="bold",
            color=_PAPER,
            bbox={"boxstyle": "round,pad=0.35", "facecolor": _WARN, "edgecolor": "none"},
        )
    figure.text(0.98, 0.012, f"terrain: {ground.grid.source}", ha="right", fontsize=7, color=_MUTED, va="bottom")


def _budgets(figure: Figure, link: LinkProfile) -> None:
    sf = f"SF{link.sf or 12}"
    columns: Sequence[tuple[str, Sequence[BudgetLine]]] = (
        (f"Uplink, {sf}", link.uplink),
        (f"Downlink in RX1, {sf}", link.rx1),
        ("Downlink in RX2, SF12", link.rx2),
    )
    for i, (title, lines) in enumerate(columns):
        left, right = 0.03 + i * 0.325, 0.30 + i * 0.325
        figure.text(left, 0.325, title, fontsize=10, fontweight="bold", color=_INK, va="center")
        for row, line in enumerate(lines):
            y = 0.293 - 0.0275 * row
            strong = line.name in ("received power", "SNR", "margin above the SNR floor")
            missing = line.name.startswith("margin") and line.value < 0
            colour = _WARN if missing else _INK if strong else _MUTED
            weight = "bold" if strong else "normal"
            figure.text(left, y, line.name, fontsize=8.8, color=colour, fontweight=weight, va="center")
            value = f"{line.value:.2f} {line.unit}".replace("-", "−")
            figure.text(right, y, value, fontsize=8.8, color=colour, fontweight=weight, va="center", ha="right")
