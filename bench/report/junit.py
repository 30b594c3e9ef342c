"""JUnit XML: one test case per stage, population and clause, and per protocol check.

A clause that is not held is a failure, and so is one that the sample does not decide (type INSUFFICIENT): what has not
been shown does not count as held, just as in the scenario's exit code. A skipped case would read as green.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from bench.report.summary import POPULATIONS, ClauseRow, Stage, Summary
from bench.report.words import interval, percent


def junit_xml(summary: Summary) -> str:
    """The document as text."""
    root = ET.Element("testsuites", name=f"lorabench {summary['scenario']['name']}")
    for stage in summary["stages"]:
        root.append(_suite(summary["scenario"]["name"], stage))
    suites = list(root)
    for key in ("tests", "failures"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(scenario: str, stage: Stage) -> ET.Element:
    suite = ET.Element("testsuite", name=f"{scenario} {stage['name']}", time=f"{stage['elapsed_s']:.3f}")
    base = f"{scenario}.{stage['name']}"
    for population in POPULATIONS:
        for row in stage["clauses"][population]:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=f"{base}.{population}",
                name=f"{row['clause']} {row['kind']}: {row['text']}",
                time="0",
            )
            if row["verdict"] != "PASS":
                failure = ET.SubElement(case, "failure", type=row["verdict"], message=_message(row))
                failure.text = _message(row)
    for check in stage["checks"]:
        case = ET.SubElement(
            suite, "testcase", classname=f"{base}.checks", name=f"{check['name']} [{check['clause']}]", time="0"
        )
        if not check["passed"]:
            ET.SubElement(case, "failure", type="FAIL", message=check["detail"] or check["name"])
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in suite)))
    return suite


def _message(row: ClauseRow) -> str:
    needed = f"; {row['sensors_needed']} sensors would decide it" if row["sensors_needed"] is not None else ""
    return (
        f"{row['verdict']}: {percent(row['value'])} (interval {interval(row)})"
        f" against the {row['kind']} of {percent(row['figure'], 0)}{needed}"
    )
