"""The run's verdict in plain sentences, and its exit code."""

from __future__ import annotations

from collections.abc import Sequence

from bench.report.summary import Assumption, ClauseRow, Stage, VariantRow, VerdictInfo
from bench.report.words import percent


def verdict(
    stages: Sequence[Stage],
    assumptions: Sequence[Assumption],
    variants: Sequence[VariantRow] = (),
    *,
    complete: bool,
) -> VerdictInfo:
    """0 when every clause of the last stage passes over the whole territory, 1 otherwise or when a check failed."""
    if not stages:
        return VerdictInfo(exit_code=1, holds=[], misses=[], lines=["No stage was finished: there is no verdict."])
    last = stages[-1]
    rows = last["clauses"]["territory"]
    holds = [_sentence(last, row) for row in rows if row["verdict"] == "PASS"]
    misses = [_sentence(last, row) for row in rows if row["verdict"] != "PASS"]
    failed = bool(misses)
    lines = []
    if not complete:
        lines.append("The run was stopped: what follows is judged on the days that were done.")
    if not rows:
        lines.append("The scenario has no clauses: nothing was judged.")
    lines += [_stage_line(stage) for stage in stages if stage["clauses"]["territory"]]
    lines += _turned(last, variants)
    deciding = [row["name"].lower() for row in assumptions if row["decides"]]
    if deciding:
        lines.append(f"5 dB on every link would change a clause, so these assumptions decide: {', '.join(deciding)}.")
    elif rows:
        lines.append("5 dB more or less on every link would change no clause of the last stage.")
    broken = [
        f"{stage['name']}: {check['name']}" for stage in stages for check in stage["checks"] if not check["passed"]
    ]
    if broken:
        failed = True
        lines.append(f"Protocol checks failed: {', '.join(broken)}.")
    return VerdictInfo(exit_code=int(failed), holds=holds, misses=misses, lines=lines)


def _turned(stage: Stage, variants: Sequence[VariantRow]) -> list[str]:
    """Which change would turn a clause's expectation to the other side of its figure. The first row is as planned."""
    lines = []
    for variant in variants[1:]:
        turned = [
            f"{row['measure']} {percent(now['0'])} instead of {percent(planned['0'])} ({row['kind']} "
            f"{percent(row['figure'], 0)})"
            for row, planned, now in zip(
                stage["clauses"]["territory"], variants[0]["expected"], variant["expected"], strict=True
            )
            if ((planned["0"] or 0.0) >= row["figure"]) != ((now["0"] or 0.0) >= row["figure"])
        ]
        if turned:
            lines.append(f"It would turn with: {variant['title']}. Expected: {'; '.join(turned)}.")
    return lines


def _stage_line(stage: Stage) -> str:
    n = len(stage["gateways"])
    rows = stage["clauses"]["territory"]
    met = sum(row["verdict"] == "PASS" for row in rows)
    open_question = sum(row["verdict"] == "INSUFFICIENT" for row in rows)
    undecided = f", {open_question} undecided by this sample" if open_question else ""
    gateways = f"{n} gateway{'s' if n != 1 else ''}"
    return f"{stage['name']}, {gateways}: {met} of {len(rows)} clauses held over the territory{undecided}."


def _sentence(stage: Stage, row: ClauseRow) -> str:
    wanted = f"{row['kind']} {percent(row['figure'], 0)}"
    found = f"{percent(row['value'])} ({percent(row['low'])} to {percent(row['high'])})"
    tail = ""
    if row["verdict"] == "INSUFFICIENT":
        needed = row["sensors_needed"]
        tail = f": not decided, about {needed:,} sensors would" if needed else ": not decided"
    return f"{stage['name']}: {row['clause']}, {row['text']}: {found}, {wanted}{tail}"
