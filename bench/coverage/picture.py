"""A layer as a picture: colours over the hillshade, with legend, scale bar, north, title and what it was made with."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from bench.coverage.labels import Label, place_labels
from bench.coverage.layers import UNKNOWN, Layer
from bench.coverage.shading import hillshade
from bench.coverage.study import Map, thinned
from bench.store.atomic import aside
from radio_sim.coverage.results import Coverage

_INK, _PAPER, _MUTED, _WARN = "#1d2327", "#ffffff", "#5b666d", "#a8330c"
_DPI = 110
_OPACITY = 0.8
MOST_PICTURE_PIXELS = 700_000
"""Beyond this a picture shows every second, third … pixel: more would not be seen."""

_HALO = [withStroke(linewidth=2.5, foreground=_PAPER, alpha=0.85)]


def write_picture(found: Map, layer: Layer, placement: str, path: Path) -> None:
    """One layer of one placement class as PNG. Raises StoreError where it cannot be written."""
    coverage = found.by_placement[placement]
    rows, cols = found.grid.shape
    scale = min(7.4 / rows, 8.6 / cols)
    tall, wide = max(scale * rows, 5.2) + 1.55, scale * cols + 3.9
    figure = Figure(figsize=(wide, tall), dpi=_DPI, facecolor=_PAPER)
    right = (0.75 + scale * cols) / wide
    axes = figure.add_axes((0.75 / wide, 0.55 / tall, right - 0.75 / wide, (tall - 1.55) / tall), anchor="N")
    _draw(found, layer, coverage, axes)
    _masts(found, axes)
    _names(found, axes, scale * 1000 / found.grid.pixel_size_m)
    _scale_and_north(axes)
    _axes_in_km(axes)
    _title(figure, found, f"{layer.title}, {receivers(placement)}")
    _legend(figure, layer, right + 0.12 / wide, bool(np.any(~coverage.known)))
    _made_with(figure, found, right + 0.24 / wide)
    _save(figure, path)


def write_panels(found: Map, layer: Layer, path: Path) -> None:
    """One layer for every placement class, side by side."""
    names = list(found.by_placement)
    columns = min(3, len(names))
    lines = -(-len(names) // columns)
    rows, cols = found.grid.shape
    wide = 11.2
    panel = (wide - 0.6) / columns
    tall = panel * rows / cols * lines + 2.2 + 0.3 * lines
    figure = Figure(figsize=(wide, tall), dpi=_DPI, facecolor=_PAPER)
    top, bottom = 1 - 1.05 / tall, 0.95 / tall
    step = (top - bottom) / lines
    for i, name in enumerate(names):
        line, column = divmod(i, columns)
        box = (
            0.02 + column * 0.97 / columns,
            top - (line + 1) * step + 0.02 / lines,
            0.97 / columns - 0.012,
            step - 0.36 / tall,
        )
        axes = figure.add_axes(box)
        _draw(found, layer, found.by_placement[name], axes)
        _masts(found, axes, size=26)
        axes.set_xticks([])
        axes.set_yticks([])
        share = 100 * float((found.by_placement[name].gateways > 0).mean())
        axes.set_title(f"{receivers(name)}: {share:.1f} % of the area heard", fontsize=9.5, color=_INK, loc="left")
    _title(figure, found, layer.title)
    figure.legend(
        handles=_handles(layer, unknown=any(bool(np.any(~c.known)) for c in found.by_placement.values())),
        loc="lower center",
        ncols=7,
        frameon=False,
        fontsize=9,
        bbox_to_anchor=(0.5, 0.0),
    )
    _save(figure, path)


_RECEIVERS = {
    "outdoor": "outdoor",
    "indoor": "indoors",
    "municipal-indoor": "indoors, municipal",
    "pit-plastic": "pit under a plastic lid",
    "pit-concrete": "pit under a concrete lid",
    "pit-cast-iron": "pit under a cast-iron lid",
}


def receivers(placement: str) -> str:
    """A placement class in words."""
    return _RECEIVERS.get(placement, placement)


def _draw(found: Map, layer: Layer, coverage: Coverage, axes: Axes) -> None:
    step, grid = thinned(found, MOST_PICTURE_PIXELS)
    west, south, east, north = grid.bounds
    extent = (west / 1000, east / 1000, south / 1000, north / 1000)
    colours = layer.rgba(coverage.thinned(step), _OPACITY).astype(np.float32)
    share = colours[..., 3:] / 255.0
    # Colours are multiplied by the light, as on printed relief maps: both stay clear.
    light = hillshade(grid.heights, grid.pixel_size_m)[..., None] / np.float32(246.0)
    shaded = np.clip((255.0 * (1.0 - share) + colours[..., :3] * share) * light, 0, 255)
    axes.imshow(shaded.astype(np.uint8), extent=extent, interpolation="nearest")
    axes.set_xlim(extent[0], extent[1])
    axes.set_ylim(extent[2], extent[3])
    for spine in axes.spines.values():
        spine.set_color(_MUTED)


def _masts(found: Map, axes: Axes, size: int = 62) -> None:
    points = [found.xy(gateway.lat, gateway.lon) for gateway in found.masts.gateways]
    x, y = [p[0] / 1000 for p in points], [p[1] / 1000 for p in points]
    axes.scatter(x, y, marker="^", s=size, c=_INK, edgecolors=_PAPER, linewidths=1.3, zorder=5)


def _names(found: Map, axes: Axes, inches_per_km: float) -> None:
    """Gateways first, communes where there is room; a name without room is left out."""
    point = 1.0 / 72.0 / inches_per_km  # of type, in km of the map

    def label(text: str, lat: float, lon: float, size: float) -> Label:
        x, y = found.xy(lat, lon)
        return Label(text, x / 1000, y / 1000, 0.31 * size * len(text) * point, 0.62 * size * point)

    towns = [
        (c.name, c.lat_centre, c.lon_centre)
        if c.lat_town is None or c.lon_town is None
        else (c.name, c.lat_town, c.lon_town)
        for c in found.communes
    ]
    gateways = [label(g.id, g.lat, g.lon, 7.4) for g in found.masts.gateways]
    labels = [*gateways, *(label(name, lat, lon, 7.6) for name, lat, lon in towns)]
    r = 4.5 * point
    taken = [(m.x - r, m.y - r, m.x + r, m.y + r) for m in labels]
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    placed = place_labels(labels, taken, (x0, y0, x1, y1), 5.0 * point)
    for i, (wanted, at) in enumerate(zip(labels, placed, strict=True)):
        is_gateway = i < len(gateways)
        if not is_gateway:
            axes.plot(wanted.x, wanted.y, "o", ms=3, color=_PAPER, mec=_INK, mew=0.8, zorder=4)
        if at is not None:
            style: dict[str, Any] = (
                {"fontsize": 7.4, "fontweight": "bold"} if is_gateway else {"fontsize": 7.6, "style": "italic"}
            )
            axes.text(
                at.x, at.y, wanted.text, ha="center", va="center", color=_INK, path_effects=_HALO, zorder=6, **style
            )


def _axes_in_km(axes: Axes) -> None:
    axes.tick_params(labelsize=7.5, colors=_MUTED)
    axes.ticklabel_format(useOffset=False, style="plain")
    axes.set_xlabel("easting (km)", fontsize=8, color=_MUTED)
    axes.set_ylabel("northing (km)", fontsize=8, color=_MUTED)


def nice_length(most: float) -> float:
    """The longest of 1, 2, 5 × 10ⁿ that is no longer than `most` > 0."""
    power = 10.0 ** np.floor(np.log10(most))
    return float(max(step * power for step in (1, 2, 5) if step * power <= most))


def _scale_and_north(axes: Axes) -> None:
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    length = nice_length((x1 - x0) / 4)
    left, low = x0 + 0.035 * (x1 - x0), y0 + 0.035 * (y1 - y0)
    tall = 0.008 * (y1 - y0)
    for i in range(4):
        axes.add_patch(
            Rectangle(
                (left + i * length / 4, low),
                length / 4,
                tall,
                facecolor=_INK if i % 2 == 0 else _PAPER,
                edgecolor=_INK,
                linewidth=0.8,
                zorder=7,
            )
        )
    for share in (0.0, 0.5, 1.0):
        text = f"{length * share:g}" + (" km" if share == 1.0 else "")
        axes.text(
            left + share * length,
            low + 2.2 * tall,
            text,
            ha="center",
            va="bottom",
            fontsize=8,
            color=_INK,
            path_effects=_HALO,
            zorder=7,
        )
    axes.annotate(
        "N",
        xy=(0.955, 0.965),
        xytext=(0.955, 0.90),
        xycoords="axes fraction",
        textcoords="axes fraction",
        ha="center",
        va="center",
        fontsize=11,
        fontweight="bold",
        color=_INK,
        arrowprops={"arrowstyle": "-|>", "color": _INK, "lw": 1.6},
        path_effects=_HALO,
        zorder=7,
    )


def _title(figure: Figure, found: Map, text: str) -> None:
    """The title with the mark at its right end; below, what it shows. Type shrinks rather than run into anything."""
    wide, tall = (float(v) for v in figure.get_size_inches())
    left, line, room = 0.2 / wide, 1 - 0.34 / tall, wide - 0.4
    told = f"{found.title}. Model: {found.model.title}"
    _shrink(figure.text(left, 1 - 0.66 / tall, told, color=_MUTED, va="center"), 9.5, room)
    if found.mark:
        box = {"boxstyle": "round,pad=0.35", "facecolor": _WARN, "edgecolor": "none"}
        mark = figure.text(
            1 - 0.25 / wide,
            line,
            found.mark.upper(),
            ha="right",
            va="center",
            fontsize=8.5,
            fontweight="bold",
            color=_PAPER,
            bbox=box,
        )
        room -= _inches(mark) + 0.3
    _shrink(figure.text(left, line, text, fontweight="bold", color=_INK, va="center"), 14.5, room)


def _inches(text: Text) -> float:
    """Width of a text as it will be drawn, its box left out."""
    return float(text.get_window_extent().width) / _DPI


def _shrink(text: Text, size: float, room: float) -> None:
    """Set a text in type of this size, or a smaller one where it would be wider than `room` in inches."""
    text.set_fontsize(size)
    text.set_fontsize(size * min(1.0, room / _inches(text)))


def _handles(layer: Layer, *, unknown: bool) -> list[Patch]:
    handles = [
        Patch(
            facecolor=band.colour or "none",
            alpha=None if not band.colour else _OPACITY,
            edgecolor=_MUTED,
            linewidth=0.5,
            label=band.label,
        )
        for band in reversed(layer.bands)
    ]
    if unknown:
        handles.append(
            Patch(facecolor=UNKNOWN, alpha=_OPACITY, edgecolor=_MUTED, linewidth=0.5, label="unknown: no terrain")
        )
    return handles


def _legend(figure: Figure, layer: Layer, left: float, unknown: bool) -> None:
    handles: list[Patch | Line2D] = [*_handles(layer, unknown=unknown)]
    handles.append(Line2D([], [], marker="^", ls="", ms=8, color=_INK, label="gateway"))
    title = f"{layer.title}" + (f" ({layer.unit})" if layer.unit else "")
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(left, 1 - 0.92 / float(figure.get_size_inches()[1])),
        frameon=False,
        fontsize=9,
        title=textwrap.fill(title, 30),
        title_fontproperties={"size": 9.5, "weight": "bold"},
        alignment="left",
        labelspacing=0.45,
    )


def _made_with(figure: Figure, found: Map, left: float) -> None:
    lines = [
        textwrap.fill(f"{name}: {value}", 46, subsequent_indent="  ")
        for name, value in found.parameters.items()
        if name not in ("model", "frequency")
    ]
    below = 0.55 / float(figure.get_size_inches()[1])
    figure.text(left, below, "\n".join(lines), fontsize=6.9, color=_MUTED, va="bottom", linespacing=1.35)


def _save(figure: Figure, path: Path) -> None:
    with aside(path) as partial:
        FigureCanvasAgg(figure)
        figure.savefig(partial, format="png", metadata={"Software": "lorabench"})


def write_pictures(found: Map, layers: Sequence[Layer], placement: str, folder: Path) -> list[Path]:
    """`LAYER.png` for each layer."""
    paths = []
    for layer in layers:
        path = folder / f"{layer.key}.png"
        write_picture(found, layer, placement, path)
        paths.append(path)
    return paths
