"""The table of what differs between versions beside the commands: every rule of `VersionRules`."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Final

import lorawan.version
from bench.reference.cells import MissingCell, links_to_tests, table
from lorawan.version import Version, VersionRules

_COMMANDS: Final = "unit/lorawan/test_device_commands.py::"
_ONE: Final = "unit/lorawan/test_device_and_server.py::TestWhatOnlyOneVersionDoes::"
_ADR: Final = "unit/lorawan/test_device_adr.py::"
_ACTIVATION: Final = "unit/lorawan/test_device_activation.py::"
_SESSIONS: Final = "unit/lorawan/test_mac_session_edges.py::"

TESTS: Final[Mapping[str, tuple[str, ...]]] = {
    "dev_nonce_is_counter": (_ONE + "test_dev_nonce_counts_from_1_0_4_on_and_is_random_before",),
    "join_nonce_is_counter": (_SESSIONS + "TestRejoin::test_a_join_nonce_that_does_not_rise_is_refused",),
    "max_f_cnt_gap": (
        _SESSIONS + "TestCounters::test_a_gap_of_16384_is_refused_by_both_ends_before_1_0_4",
        _SESSIONS + "TestCounters::test_there_is_no_gap_from_1_0_4_on",
    ),
    "equal_f_cnt_down_refused": (_ONE + "test_a_repeated_confirmed_downlink_is_refused_from_1_0_4_on",),
    "confirmed_tries": (
        _ONE + "test_1_0_3_alone_has_device_time_and_tries_a_confirmed_uplink_eight_times",
        _COMMANDS
        + "TestRepetition::test_an_unacknowledged_confirmed_uplink_of_1_0_2_lowers_its_data_rate_every_second_try",
    ),
    "nb_trans_applies_to_confirmed": (_SESSIONS + "TestConfirmed::test_any_downlink_ends_the_repeats_from_1_0_4_on",),
    "nb_trans_zero_keeps": (
        "unit/lorawan/test_device_and_server.py::test_nb_trans_0_is_the_default_value_and_in_1_1_no_change",
    ),
    "adr_index_15_keeps": (
        _COMMANDS + "TestMacCommandsOnTheDevice::test_index_15_keeps_from_1_0_4_on_and_is_refused_before",
    ),
    "device_time": (_ONE + "test_1_0_2_knows_no_device_time",),
    "reset_ind": (_SESSIONS + "TestAdrOfTheNetwork::test_a_reset_device_is_taken_for_one_at_full_power",),
    "backoff_power_first": (_COMMANDS + "TestAdrBackOff::test_steps_come_at_the_counts_of_the_specification",),
    "adr_ack_req_until": (
        _ADR + "test_1_0_4_goes_through_its_table_9",
        _ADR + "test_1_1_goes_through_its_table",
        _ADR + "test_before_1_0_4_asking_ends_at_the_lowest_data_rate",
    ),
    "abp_counters_may_reset": (
        _ACTIVATION + "TestAfterAPowerCut::test_before_1_0_4_counters_may_begin_again",
        _ACTIVATION + "TestAfterAPowerCut::test_from_1_0_4_on_they_may_not",
    ),
}


def tables() -> list[str]:
    """The lines of the page. Raises MissingCell for a rule without a source or a test, or one that is no more."""
    gone = TESTS.keys() - {field.name for field in fields(VersionRules)}
    if gone:
        raise MissingCell(
            f"tests are named for {', '.join(gone)}, which is no rule", hint="see bench/reference/versions.py"
        )
    return table(
        ["rule", *map(str, Version), "where", "its test"], [_row(field.name) for field in fields(VersionRules)]
    )


def every_test_id() -> Iterator[str]:
    """Every test that the table names."""
    for test_ids in TESTS.values():
        yield from test_ids


def _row(name: str) -> list[str]:
    if name not in TESTS:
        raise MissingCell(f"no test is named for the rule {name}", hint="name one in bench/reference/versions.py")
    values = [_value(getattr(version.rules, name)) for version in Version]
    return [f"`{name}`", *values, _comments()[name], links_to_tests(TESTS[name])]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return value.name.lower().replace("_", " ")
    return "none" if value is None else str(value)


def _comments() -> dict[str, str]:
    """What the code says above and beside each field."""
    source = Path(lorawan.version.__file__).read_text(encoding="utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
    rules = next(
        node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == "VersionRules"
    )
    found: dict[str, str] = {}
    after = 0
    for node in rules.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            lines = range(after + 1, (node.end_lineno or 0) + 1)
            found[node.target.id] = " ".join(comments[at] for at in lines if at in comments)
        after = node.end_lineno or 0
    return found
