"""The page docs/lorawan.md as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench.reference import mac, packages, regions, versions
from bench.reference.cells import links_to_tests

_WIRE: Final = (
    "unit/lorawan/test_mac_commands.py::test_a_command_is_the_bytes_of_its_table",
    "unit/lorawan/test_mac_commands.py::test_every_registered_command_stands_in_the_table",
    "properties/test_mac_command_laws.py::test_every_command_comes_back_and_cut_at_any_byte_does_not",
)
_VERSIONS: Final = (
    "unit/lorawan/test_mac_versions.py::test_a_block_is_read_as_far_as_the_version_knows_it",
    "unit/lorawan/test_mac_versions.py::test_every_command_says_its_class_and_clause",
)
_PACKAGE_WIRE: Final = (
    "unit/lorawan/test_package_wire.py::test_a_command_on_the_wire",
    "unit/lorawan/test_package_wire.py::test_a_setup_request_on_the_wire",
    "unit/lorawan/test_package_wire.py::test_the_packages_are_who_they_say",
    "properties/test_package_laws.py::test_commands_come_back_as_they_were_sent",
    "properties/test_package_laws.py::test_a_command_that_is_cut_short_is_not_read",
)


def page() -> str:
    """The Markdown of the page. Raises MissingCell where a row has nothing to say."""
    lines = [
        "# LoRaWAN: what there is, and what holds it",
        "",
        "`make docs` writes this page from the registries in the code (`bench/reference`); do not edit it. Where a",
        "command, a rule or a region lacks a cell, `tests/unit/bench/test_reference.py` fails; it also runs the tests",
        "of the commands and sees each of them bring its command to the side that it stands for.",
        "",
        '↑ goes up, from device to network; ↓ down. "yes" and "no" under a version: whether it has the command. Links',
        "lead to the code that does what the cell says, or to the file of the test.",
        "",
        "## MAC commands",
        "",
        f"On the wire every row is held by {links_to_tests(_WIRE)}; which version has it, by",
        f"{links_to_tests(_VERSIONS)}.",
        *mac.tables(),
        "",
        "## What else differs between versions",
        "",
        *versions.tables(),
        "",
        "## Application packages",
        "",
        f"On the wire every row is held by {links_to_tests(_PACKAGE_WIRE)}.",
        *packages.tables(),
        "",
        "## Regions",
        *regions.tables(),
    ]
    return "\n".join(lines) + "\n"


def every_test_id() -> Iterator[str]:
    """Every test that the page names, from tests/ on."""
    yield from (*_WIRE, *_VERSIONS, *_PACKAGE_WIRE)
    for held in (*mac.held(), *packages.held()):
        yield from held.test_ids
    yield from versions.every_test_id()
    yield from regions.every_test_id()
