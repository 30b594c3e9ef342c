"""`lorabench coverage calibrate`: fit the radio model to uplinks that were measured, and judge their month."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from bench.imports.kpi import MeasuredVerdict
    from bench.imports.observations import Observed
    from radio_sim.calibration import Calibration
    from scenarios.load import LoadedScenario


def calibrate(
    measurements: Annotated[
        Path, typer.Argument(help="Uplinks: CSV, ChirpStack events or The Things Stack messages in JSON.")
    ],
    sites: Annotated[Path | None, typer.Option(help="The gateways' sites; the scenario's table by default.")] = None,
    devices: Annotated[
        Path | None, typer.Option(help="CSV of the devices in service: id, lat, lon, placement, commune.")
    ] = None,
    gateways: Annotated[
        Path | None, typer.Option(help="CSV gateway,site: which site a gateway's identifier stands for.")
    ] = None,
    scenario: Annotated[str, typer.Option(help="Whose radio model and clauses: a name or a TOML file.")] = "tev",
    frame_loss: Annotated[
        float, typer.Option(min=0, max=0.99, help="Share of frames lost whatever their signal: collisions, outages.")
    ] = 0.0,
    verdict: Annotated[
        bool, typer.Option("--verdict", help="Also hold the measured month against the clauses.")
    ] = False,
    start: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day scored; else the last ones are.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="Days scored.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fit offsets and σ by placement class to measured uplinks, missed ones included, and print what to set.

    Missed uplinks are those another gateway received and those that the frame counters reveal.
    """
    from bench.imports import read_measurements  # noqa: PLC0415 - brings numpy
    from bench.imports.places import devices_of, parse_devices, parse_gateways  # noqa: PLC0415
    from bench.imports.read import read_text  # noqa: PLC0415
    from bench.runner.measured import fit_of, judge  # noqa: PLC0415
    from bench.runner.siting import with_sites  # noqa: PLC0415
    from scenarios.load import load  # noqa: PLC0415

    loaded = with_sites(load(scenario), sites)
    uplinks = read_measurements(measurements)
    listed = {d.device: d for d in parse_devices(read_text(devices), str(devices))} if devices else {}
    site_of = parse_gateways(read_text(gateways), str(gateways)) if gateways else {}
    known = devices_of(uplinks, listed, str(measurements))
    observed, fit = fit_of(loaded, uplinks, known, site_of, frame_loss)
    judged = (
        judge(loaded, uplinks, known, start.date() if start else None, days, complete=devices is not None)
        if verdict
        else None
    )
    if as_json:
        typer.echo(json.dumps(_report(loaded, observed, fit, judged)))
        return
    _print(loaded, observed, fit)
    if judged is not None:
        _print_verdict(judged)


def _report(
    loaded: LoadedScenario, observed: Observed, fit: Calibration, judged: MeasuredVerdict | None
) -> dict[str, Any]:
    from bench.runner.measured import suggested_toml  # noqa: PLC0415
    from bench.store.run_folder import finite  # noqa: PLC0415

    out: dict[str, Any] = {
        "frames": observed.frames,
        "gap_frames": observed.gap_frames,
        "silent_devices": observed.silent_devices,
        "noise_dbm": observed.noise_dbm,
        "fit": asdict(fit),
        "warnings": [*observed.warnings, *fit.warnings],
        "toml": "\n".join(suggested_toml(loaded, fit)),
    }
    if judged is not None:
        month = judged.month
        out["verdict"] = {
            "start": month.start.isoformat(),
            "warmup_days": month.warmup_days,
            "scored_days": month.scored_days,
            "devices": len(judged.matrix.devices),
            "never_heard": judged.never_heard,
            "clauses": [asdict(result) for result in judged.results],
            "warnings": list(judged.warnings),
        }
    found: dict[str, Any] = finite(out)
    return found


def _print(loaded: LoadedScenario, observed: Observed, fit: Calibration) -> None:
    from rich.text import Text  # noqa: PLC0415

    from bench.report.terminal import console_for  # noqa: PLC0415
    from bench.runner.measured import suggested_toml  # noqa: PLC0415

    console = console_for(typer.get_text_stream("stdout").isatty())
    console.print(
        Text(
            f"{observed.frames} frames received, {observed.gap_frames} more revealed by the counters, "
            f"{observed.silent_devices} silent devices, {len(observed.noise_dbm)} sites"
        )
    )
    console.print(
        _table(
            "Fit by class, dB",
            [
                "class",
                "devices",
                "received",
                "missed",
                "offset ± s.e.",
                "received alone",
                "σ ± s.e.",
                "σ assumed",
                "of devices",
            ],
            [
                [
                    row.name,
                    str(row.clusters),
                    str(row.received),
                    str(row.missed),
                    f"{row.offset_db:+.1f} ± {_figure(row.offset_se_db)}" if row.fitted else "not fitted",
                    _figure(row.naive_offset_db, "+"),
                    f"{row.sigma_db:.1f} ± {_figure(row.sigma_se_db)}" if row.fitted else "",
                    f"{_assumed(loaded, row.name):.1f}",
                    f"{row.device_sigma_db:.1f} ± {_figure(row.device_sigma_se_db)}" if row.fitted else "",
                ]
                for row in fit.classes
            ],
        )
    )
    console.print(
        _table(
            "\nBefore → after",
            ["class", "bias (due)", "RMSE", "heard % (seen)", "log-likelihood"],
            [
                [
                    row.name,
                    f"{_figure(row.before.bias_db, '+')} → {_figure(row.after.bias_db, '+')} "
                    f"({_figure(row.after.selected_bias_db, '+')})",
                    f"{_figure(row.before.rmse_db)} → {_figure(row.after.rmse_db)}",
                    f"{100 * row.before.heard_share:.1f} → {100 * row.after.heard_share:.1f} "
                    f"({100 * row.observed_heard_share:.1f})",
                    f"{row.before.log_likelihood:.1f} → {row.after.log_likelihood:.1f}",
                ]
                for row in fit.classes
            ],
        )
    )
    console.print(
        Text(
            "Offset: to be added to every received power; received alone: the mean of received frames, biased by those "
            "it leaves out.\nBias and RMSE: measured − predicted over received frames; due: what such frames, strong "
            "as they are, show under the fit.\nEvery link counts once; standard errors by device.",
            "dim",
        )
    )
    whose = f"of class {fit.reference}" if fit.reference else "mean of the classes"
    console.print(
        Text(
            f"Overall offset ({whose}): {fit.overall_offset_db:+.1f} ± {_figure(fit.overall_se_db)} dB; log-likelihood "
            f"{fit.before_log_likelihood:.1f} → {fit.after_log_likelihood:.1f}"
        )
    )
    for warning in (*observed.warnings, *fit.warnings):
        console.print(Text(f"warning: {warning}", "yellow"))
    if any(row.fitted for row in fit.classes):
        console.print(Text("\nFor the scenario:", style="bold"))
        for line in suggested_toml(loaded, fit):
            console.print(Text(f"  {line}"))


def _assumed(loaded: LoadedScenario, name: str) -> float:
    from bench.imports import predicted as p  # noqa: PLC0415
    from bench.runner.radio import placements, radio_model  # noqa: PLC0415

    radio = loaded.scenario.radio
    return p.assumed_sigma_db(placements(radio)[name], radio_model(radio, radio.path_loss))


def _print_verdict(judged: MeasuredVerdict) -> None:
    from rich.text import Text  # noqa: PLC0415

    from bench.report.terminal import console_for  # noqa: PLC0415

    console = console_for(typer.get_text_stream("stdout").isatty())
    month = judged.month
    console.print(
        _table(
            f"\nMeasured: {month.warmup_days} + {month.scored_days} days from {month.start}, "
            f"{len(judged.matrix.devices)} devices, {judged.never_heard} of them never heard",
            ["clause", "measure", "promise", "value %", "95 % interval", "verdict", "sensors needed"],
            [
                [
                    result.clause,
                    result.measure,
                    f"{result.kind} {100 * result.figure:g}",
                    f"{100 * result.value:.1f}",
                    f"{100 * result.low:.1f} … {100 * result.high:.1f}",
                    str(result.verdict),
                    "" if result.sensors_needed is None else str(result.sensors_needed),
                ]
                for result in judged.results
            ],
        )
    )
    for warning in judged.warnings:
        console.print(Text(f"warning: {warning}", "yellow"))


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    from rich.table import Table  # noqa: PLC0415 - keeps --help quick

    table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for name in columns:
        text = name in ("class", "clause", "measure", "promise", "verdict")
        table.add_column(name, justify="left" if text else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _figure(value: float, sign: str = "") -> str:
    return "–" if math.isnan(value) else f"{value:{sign}.1f}"
