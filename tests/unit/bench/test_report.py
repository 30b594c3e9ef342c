"""The report: everything the summary says is in it, and it needs nothing from outside."""

from __future__ import annotations

import copy
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from bench.report.html import headline, render, worst_first, write_report
from bench.report.junit import junit_xml
from bench.report.terminal import print_summary
from bench.report.words import UNIT, number, percent

Summary = dict[str, Any]


class Page(HTMLParser):
    """What a browser would load and what a reader would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.text = ""
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag if tag in ("script", "style") else ""
        if tag == "script":
            self.scripts.append("")
        for name, value in attrs:
            if name in ("src", "href", "srcset", "data", "action", "poster"):
                self.loads.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif not self._inside:
            self.text += data


@pytest.fixture
def page(summary: Summary) -> Page:
    return Page(render(summary))  # type: ignore[arg-type]  # a plain dict stands for the TypedDict


def test_the_page_loads_nothing_from_outside(summary: Summary, page: Page) -> None:
    assert [load for load in page.loads if not load.startswith(("data:", "#"))] == []
    markup = render(summary).replace(page.scripts[0], "")  # type: ignore[arg-type]  # as above
    for word in ("http://", "https://", "@import", "url(", "fetch("):
        assert word not in markup


def test_plotly_stands_in_the_page_once(page: Page) -> None:
    assert len(page.scripts) == 3
    assert len(page.scripts[0]) > 1_000_000


def test_every_clause_stands_in_the_page_with_its_figures(summary: Summary, page: Page) -> None:
    for stage in summary["stages"]:
        assert stage["name"] in page.text
        assert stage["trace_sha256"] in page.text
        for rows in stage["clauses"].values():
            for row in rows:
                for shown in (
                    row["clause"],
                    row["text"],
                    row["verdict"],
                    percent(row["value"]),
                    percent(row["expected"]["-5"]),
                    percent(row["expected"]["+5"]),
                ):
                    assert shown in page.text


def test_target_and_guarantee_are_kept_apart(summary: Summary, page: Page) -> None:
    assert f"target ≥ 95{UNIT}" in page.text
    assert f"guarantee ≥ 90{UNIT}" in page.text
    for row in summary["stages"][-1]["clauses"]["territory"]:
        assert row["kind"] == ("target" if "§2.1" in row["clause"] else "guarantee")


def test_assumptions_checks_and_the_command_are_told(summary: Summary, page: Page) -> None:
    for assumption in summary["assumptions"]:
        assert assumption["name"] in page.text
        assert assumption["source"] in page.text
    assert page.text.count("decides") >= 1 + sum(a["decides"] for a in summary["assumptions"])
    for check in summary["stages"][0]["checks"]:
        assert check["name"] in page.text
        assert check["clause"] in page.text
    assert summary["command"] in page.text


def test_figures_are_json_that_a_browser_can_parse(summary: Summary) -> None:
    summary["stages"][0]["daily"]["share"][3] = float("nan")
    summary["stages"][0]["sensors"][0]["id"] = "</script><b>"
    page = Page(render(summary))  # type: ignore[arg-type]  # as above

    def refuse(word: str) -> None:
        raise AssertionError(word)

    figures = json.loads(page.scripts[1], parse_constant=refuse)
    assert len(figures["stages"]) == 3
    assert figures["stages"][0]["daily"]["data"][1]["y"][3] is None
    points = sum(len(trace["x"]) for trace in figures["stages"][0]["map"]["data"][:2])
    assert points == len(summary["stages"][0]["sensors"])


def test_text_from_outside_is_not_markup(summary: Summary) -> None:
    summary["stages"][0]["checks"][0]["detail"] = "<img src=x onerror=alert(1)>"
    page = Page(render(summary))  # type: ignore[arg-type]  # as above
    assert "<img src=x onerror=alert(1)>" in page.text
    assert "x" not in page.loads


def test_an_interrupted_run_says_so(summary: Summary) -> None:
    assert "Incomplete run" not in render(summary)  # type: ignore[arg-type]  # as above
    summary["complete"] = False
    assert "Incomplete run" in render(summary)  # type: ignore[arg-type]  # as above
    summary["stages"] = []
    assert "there is no verdict" in render(summary)  # type: ignore[arg-type]  # as above


def test_a_scenario_without_clauses_or_communes_still_has_a_report(summary: Summary) -> None:
    stage = summary["stages"][0]
    stage["clauses"] = {"territory": [], "open": []}
    stage["daily"] = {"days": [], "share": [], "share_14d": [], "expected_share": []}
    stage["rssi_hist"] = stage["snr_hist"] = {"edges": [], "counts": []}
    stage["median_rssi_dbm"] = stage["gateways_per_uplink"] = None
    stage["by_commune"] = stage["checks"] = stage["sensors"] = []
    stage["uplinks_sent"] = 0
    summary["stages"], summary["communes"] = [stage], []
    assert "held against no clause" in Page(render(summary)).text  # type: ignore[arg-type]  # as above


def test_the_headline_counts_the_last_stage_over_the_territory(summary: Summary) -> None:
    rows = summary["stages"][-1]["clauses"]["territory"]
    for row, verdict in zip(rows, ("FAIL", "PASS", "INSUFFICIENT"), strict=True):
        row["verdict"] = verdict
    assert "holds 1 of 3 rates, misses 1 and leaves 1 undecided" in headline(summary)  # type: ignore[arg-type]  # as above
    for row in rows:
        row["verdict"] = "PASS"
    assert "holds all 3 rates" in headline(summary)  # type: ignore[arg-type]  # as above


def test_groups_are_listed_worst_first_and_unknown_ones_last() -> None:
    groups = [
        {"name": name, "n": 1, "connectivity": value, "expected": None}
        for name, value in (("good", 0.9), ("unknown", None), ("bad", 0.2))
    ]
    assert [g["name"] for g in worst_first(groups)] == ["bad", "good", "unknown"]  # type: ignore[arg-type]  # as above


def test_the_report_is_written_whole(summary: Summary, tmp_path: Path) -> None:
    write_report(summary, tmp_path / "report.html")  # type: ignore[arg-type]  # as above
    assert (tmp_path / "report.html").read_text(encoding="utf-8").endswith("</html>")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("width", [98, 120])
def test_the_terminal_summary_fits_and_cuts_nothing(summary: Summary, width: int) -> None:
    console = Console(width=width, record=True, file=io.StringIO())
    print_summary(summary, console)  # type: ignore[arg-type]  # as above
    text = console.export_text()
    assert "…" not in text
    for stage in summary["stages"]:
        for rows in stage["clauses"].values():
            for row in rows:
                wanted = (row["measure"], row["kind"], percent(row["value"]).removesuffix(UNIT), row["verdict"])
                assert any(all(word in line for word in wanted) for line in text.splitlines())
    tail = text.splitlines()[-8:]
    assert any(line.startswith("holds") for line in tail)
    assert any(line.startswith("misses") for line in tail)
    assert any("cast-iron lid loss" in line for line in tail)


def test_junit_counts_what_is_not_held(summary: Summary) -> None:
    root = ET.fromstring(junit_xml(summary))  # type: ignore[arg-type]  # as above
    cases = list(root.iter("testcase"))
    rows = [row for s in summary["stages"] for rows in s["clauses"].values() for row in rows]
    checks = [check for s in summary["stages"] for check in s["checks"]]
    assert len(cases) == len(rows) + len(checks) == int(root.get("tests", ""))
    types = [failure.get("type") for failure in root.iter("failure")]
    assert types.count("INSUFFICIENT") == sum(row["verdict"] == "INSUFFICIENT" for row in rows)
    assert types.count("FAIL") == sum(row["verdict"] == "FAIL" for row in rows) + sum(not c["passed"] for c in checks)
    assert int(root.get("failures", "")) == len(types)


def test_a_share_is_never_rounded_to_all_or_nothing() -> None:
    assert percent(0.99999) == f"99.9{UNIT}"
    assert percent(0.00001) == f"0.1{UNIT}"
    assert (percent(1.0), percent(0.0), percent(None), percent(float("nan"))) == (
        f"100.0{UNIT}",
        f"0.0{UNIT}",
        "–",
        "–",
    )


def test_numbers_have_a_true_minus_and_thin_spaces() -> None:
    assert number(-1234567.25, 1, "dBm") == "−1\u202f234\u202f567.2 dBm"


def test_rendering_leaves_the_summary_as_it_was(summary: Summary) -> None:
    before = copy.deepcopy(summary)
    render(summary)  # type: ignore[arg-type]  # as above
    assert summary == before
