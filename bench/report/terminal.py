"""The report of a run on a terminal, 100 columns wide, plain where it is piped."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.report.summary import POPULATIONS, ClauseRow, Population, Stage, Summary, Verdict
from bench.report.words import NONE, SYMBOLS, UNIT, interval, number, percent

_STYLES: dict[Verdict, str] = {"PASS": "bold green", "FAIL": "bold red", "INSUFFICIENT": "bold yellow"}
PIPED_WIDTH = 120
ROOMY_WIDTH = 110  # narrower terminals get one space between columns instead of two
SPREADING_FACTORS = tuple(str(sf) for sf in range(7, 13))


def print_summary(summary: Summary, console: Console) -> None:
    """Stages, clauses, then what the rollout holds, what it misses and the assumptions that decide it."""
    console.print(Text(summary["scenario"]["title"] or summary["scenario"]["name"], style="bold"))
    console.print(_stages(summary["stages"]))
    for population, label in POPULATIONS.items():
        if any(stage["clauses"][population] for stage in summary["stages"]):
            console.print(_clauses(summary["stages"], population, label, roomy=console.width >= ROOMY_WIDTH))
    if any(stage["clauses"]["territory"] for stage in summary["stages"]):
        console.print(Text(_how_to_read(summary["stages"]), "dim"))
    if summary.get("variants"):
        console.print(_variants(summary))
    print_verdict(summary, console)


def _how_to_read(stages: list[Stage]) -> str:
    expected = "Expected: closed form over all sensors, as modelled and with every link 5 dB worse or better."
    worlds = max((stage.get("worlds", 0) for stage in stages), default=0)
    if not worlds:
        return f"Figures in %. Value and interval: the sampled sensors. {expected}"
    return (
        f"Figures in %. Value: every sensor, mean over {worlds} draws of the radio world; interval: where one more "
        f"draw, such as the real territory, falls with 95 %; holds: its chance to reach the figure; exact: the sampled "
        f"exact tier on the first draw. {expected}"
    )


def _variants(summary: Summary) -> Table:
    last = summary["stages"][-1]
    table = _table(f"Expected at stage {last['name']} with something changed (%; −5, 0, +5 dB on every link)")
    table.add_column("")
    for row in last["clauses"]["territory"]:
        table.add_column(f"{row['measure']}\n{row['kind']} {_bare(row['figure'])}", justify="right", no_wrap=True)
    for variant in summary["variants"]:
        cells = ["  ".join(_bare(found[offset]) for offset in ("-5", "0", "+5")) for found in variant["expected"]]
        table.add_row(variant["title"], *cells)
    return table


def print_verdict(summary: Summary, console: Console) -> None:
    """The lines that stand last: verdict, holds, misses, deciding assumptions."""
    verdict = summary["verdict"]
    if not summary["complete"]:
        console.print(Text("Incomplete: the run was interrupted; this is no verdict.", style="bold red"))
    for line in verdict["lines"]:
        console.print(Text(line))
    if any(stage["clauses"]["territory"] for stage in summary["stages"]):
        _list(console, "holds", verdict["holds"] or ["nothing"], "green")
        _list(console, "misses", verdict["misses"] or ["nothing"], "red")
    _list(
        console,
        "decided by",
        [f"{a['name']}: {a['value']} ({a['source']})" for a in summary["assumptions"] if a["decides"]],
        "yellow",
    )


def print_checks(summary: Summary, console: Console) -> None:
    """Every protocol check, one a line."""
    for stage in summary["stages"]:
        for check in stage["checks"]:
            verdict: Verdict = "PASS" if check["passed"] else "FAIL"
            console.print(
                Text.assemble(
                    f"{stage['name']}  ",
                    _badge(verdict),
                    f"  {check['name']} [{check['clause']}] {check['detail']}",
                )
            )


def console_for(stream_is_terminal: bool) -> Console:
    """A console on stdout: as wide as the terminal, or wide enough for every table where it is piped."""
    return Console() if stream_is_terminal else Console(width=PIPED_WIDTH)


def _table(title: str, gap: int = 1) -> Table:
    return Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, gap, 0, 0),
        header_style="bold",
        title=title,
        title_justify="left",
        title_style="bold",
    )


def _stages(stages: list[Stage]) -> Table:
    table = _table("Stages (SF: share of sensors in %; medians at the best gateway)")
    table.add_column("stage", no_wrap=True)
    for name in ("sensors", "uplinks\nsent", "delivered", *(f"SF{sf}" for sf in SPREADING_FACTORS)):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("RSSI\ndBm", "SNR\ndB", "gateways\nper uplink"):
        table.add_column(name, justify="right", no_wrap=True)
    for stage in stages:
        table.add_row(
            stage["name"],
            number(stage["n_sensors"], 0),
            number(stage["uplinks_sent"], 0),
            number(stage["uplinks_delivered"], 0),
            *(_bare(stage["sf_share"].get(sf, 0.0)) for sf in SPREADING_FACTORS),
            number(stage["median_rssi_dbm"]),
            number(stage["median_snr_db"]),
            number(stage["gateways_per_uplink"], 2),
        )
    return table


def _clauses(stages: list[Stage], population: Population, label: str, *, roomy: bool) -> Table:
    table = _table(f"{label[0].upper()}{label[1:]}", gap=1 if roomy else 0)
    table.add_column("stage", no_wrap=True)
    table.add_column("clause")  # breaks between words on a narrow terminal
    table.add_column("measure", no_wrap=True)
    table.add_column("promise", no_wrap=True)
    for name in ("value", "interval", "expected\n−5  0  +5 dB"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    batch = any("worlds" in stage for stage in stages)
    for name in ("holds", "exact") if batch else ("sensors\nneeded",):
        table.add_column(name, justify="right", no_wrap=True)
    for stage in stages:
        for i, row in enumerate(stage["clauses"][population]):
            expected = row["expected"]
            needed = row["sensors_needed"]
            table.add_row(
                stage["name"] if i == 0 else "",
                row["clause"],
                row["measure"],
                f"{row['kind']} {percent(row['figure'], 0).removesuffix(UNIT)}",
                _bare(row["value"]),
                interval(row).removesuffix(UNIT),
                NONE if expected is None else "  ".join(_bare(expected[offset]) for offset in ("-5", "0", "+5")),
                _badge(row["verdict"]),
                *_last_cells(row, needed),
            )
    return table


def _last_cells(row: ClauseRow, needed: int | None) -> tuple[str, ...]:
    """Batch tier: the chance to hold, and the exact tier's value where it was run. Exact tier: sensors needed."""
    if "holds" not in row:
        return ("" if needed is None else number(needed, 0),)
    exact = row.get("exact")
    return _bare(row["holds"]), "" if exact is None else _bare(exact)


def _bare(share: float | None) -> str:
    return percent(share).removesuffix(UNIT)


def _badge(verdict: Verdict) -> Text:
    return Text(f"{SYMBOLS[verdict]} {verdict}", style=_STYLES[verdict])


def _list(console: Console, label: str, lines: list[str], style: str) -> None:
    for i, line in enumerate(lines):
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=10, style=style, no_wrap=True)
        grid.add_column()
        grid.add_row(label if i == 0 else "", Text(line))
        console.print(grid)
