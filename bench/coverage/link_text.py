"""One link in words and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.coverage.picture import receivers
from bench.coverage.terrain_for import Ground
from bench.store.run_folder import finite
from radio_sim.coverage.loss_model import TITLES
from radio_sim.coverage.path import FREE_SHARE
from radio_sim.coverage.study import LinkProfile
from radio_sim.model import BudgetLine


def sf_words(sf: int) -> str:
    """A spreading factor, or that there is none."""
    return f"SF{sf}" if sf else "none: not even SF12 is heard"


def link_facts(link: LinkProfile) -> dict[str, Any]:
    """The link as JSON-like data."""

    def lines(budget: Sequence[BudgetLine]) -> list[dict[str, Any]]:
        return [{"name": line.name, "value": round(line.value, 3), "unit": line.unit} for line in budget]

    facts: Mapping[str, Any] = {
        "site": link.gateway.id,
        "device": {"lat": link.device.lat, "lon": link.device.lon, "placement": link.device.placement},
        "model": link.model.title,
        "distance_m": float(link.view.distance_m[-1]),
        "line_of_sight": link.view.in_sight,
        "obstructions": [
            {
                "from_m": o.from_m,
                "to_m": o.to_m,
                "worst_m": o.worst_m,
                "clearance_m": o.clearance_m,
                "fresnel_share": o.share,
            }
            for o in link.view.obstructions
        ],
        "loss_db": link.loss_db,
        "entry_loss_db": link.entry_db,
        "loss_by_model_db": dict(link.by_model),
        "sf": link.sf,
        "uplink": lines(link.uplink),
        "downlink_rx1": lines(link.rx1),
        "downlink_rx2": lines(link.rx2),
    }
    told: dict[str, Any] = finite(facts)
    return told


def print_link(link: LinkProfile, ground: Ground, console: Console) -> None:
    """Terrain, losses by model, and the budgets side by side."""
    view = link.view
    device = link.device
    for note in ground.notes:
        console.print(note, highlight=False)
    console.print(
        f"[bold]{link.gateway.id}[/] → {device.lat:.5f}, {device.lon:.5f}, {receivers(device.placement)}: "
        f"{view.distance_m[-1] / 1000:.2f} km, "
        f"{'in line of sight' if view.in_sight else 'no line of sight'}, {link.model.title}",
        highlight=False,
    )
    if view.obstructions:
        table = _table(f"Ground within {FREE_SHARE:g} of the first Fresnel zone (k = 4/3)")
        for name in ("from (km)", "to (km)", "worst at (km)", "clearance (m)", "share of the zone", ""):
            table.add_column(name, justify="right" if name else "left")
        for o in view.obstructions:
            table.add_row(
                f"{o.from_m / 1000:.2f}",
                f"{o.to_m / 1000:.2f}",
                f"{o.worst_m / 1000:.2f}",
                f"{o.clearance_m:.1f}",
                f"{o.share:.2f}",
                "blocks the view" if o.blocks else "touches the zone",
            )
        console.print(table)
    else:
        console.print(f"Nothing reaches into {FREE_SHARE:g} of the first Fresnel zone (k = 4/3).", highlight=False)
    losses = _table("Loss between the antennas by every model (dB)")
    losses.add_column("model")
    losses.add_column("loss", justify="right")
    losses.add_column("")
    for name, title in TITLES.items():
        losses.add_row(title, f"{link.by_model[name]:.1f}", "used below" if name == link.model.name else "")
    console.print(losses)
    console.print(_budget(link))


def _budget(link: LinkProfile) -> Table:
    table = _table(
        f"Budgets: loss {link.loss_db:.1f} dB between the antennas + {link.entry_db:.1f} dB median entry loss; "
        f"spreading factor: {sf_words(link.sf)}"
    )
    table.add_column("uplink")
    table.add_column("", justify="right")
    table.add_column("downlink")
    table.add_column("RX1", justify="right")
    table.add_column("RX2, SF12", justify="right")
    for up, one, two in zip(link.uplink, link.rx1, link.rx2, strict=True):
        strong = up.name in ("received power", "SNR", "margin above the SNR floor")
        style = "bold" if strong else ""
        table.add_row(
            up.name,
            f"{up.value:.2f} {up.unit}",
            one.name,
            f"{one.value:.2f} {one.unit}",
            f"{two.value:.2f} {two.unit}",
            style=style,
        )
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
