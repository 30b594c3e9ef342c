"""The tables of regional figures: a row for each region in each group of figures, and who holds them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import lorawan
from bench.reference import figures
from bench.reference.cells import MissingCell, link_to_test, links_to_tests, table
from bench.reference.sides import NOTHING_TO_TEST
from lorawan.regions import REGIONS, Region
from lorawan.version import Version

_TABLES: Final = "unit/lorawan/test_region_tables.py::"
_FAMILIES: Final = "unit/lorawan/test_region_families.py::"
_AIR: Final = "unit/lorawan/test_regions_on_the_air.py::"
_PLAN: Final = "unit/lorawan/test_channel_plan.py::"
_PAMOJA: Final = "interop/test_pamoja_regions.py::"
_BOTH: Final = "unit/lorawan/test_device_and_server.py::TestEveryVersion::"
_CLASS_B: Final = "unit/lorawan/test_class_b.py::"
_PING_SLOTS: Final = "unit/lorawan/test_class_b_ping_slots.py::"
_EDGES: Final = "unit/lorawan/test_mac_edges.py::"
_WINDOWS: Final = _AIR + "test_a_device_joins_and_both_ends_agree_on_the_windows_in_every_region"
_GOLDEN: Final = Path(lorawan.__file__).parents[1] / "tests/golden/regions"
_UNKNOWN_TO_PAMOJA: Final = ("AS923-2", "AS923-3", "AS923-4", "CN779")

Holding = Callable[[Region], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of figures. held: what compares a region's with something outside. device, network: tests of their use.

    device_does, network_does: what each does with them, or why nothing. not_held: what of the figures no test compares.
    """

    title: str
    figures: Callable[[Region], str]
    held: tuple[Holding, ...]
    device_does: str
    network_does: str
    device: tuple[str, ...] = ()
    network: tuple[str, ...] = ()
    not_held: Callable[[Region], str] = lambda _region: ""


def lines_of(*what: str) -> Holding:
    """The lines that plans.csv has of a region."""

    def found(region: Region) -> Iterator[str]:
        for row in _rows("plans.csv"):
            if row["region"] == region.name and row["what"] in what:
                name = f"{region.name}-{row['what'].replace(' ', '-')}"
                yield f"{_TABLES}test_a_figure_of_a_plan_is_that_of_the_document[{name}]"

    return found


def rows_of(file: str, test: str) -> Holding:
    """The lines of a table of data rates, which AS923 and CN470 have once for all their groups and plans."""

    def found(region: Region) -> Iterator[str]:
        for row in _rows(file):
            if row["region"] in (region.name, region.name.split("-")[0]):
                dwell = f"-dwell{row['dwell']}" if "dwell" in row else ""
                yield f"{_TABLES}{test}[{row['region']}-DR{row['dr']}{dwell}]"

    return found


def each(test: str, *only: str) -> Holding:
    """A test that has every region as its parameter, or only some."""

    def found(region: Region) -> Iterator[str]:
        if not only or region.name in only:
            yield f"{test}[{region.name}]"

    return found


def pamoja(test: str) -> Holding:
    """The second opinion."""
    return each(_PAMOJA + test, *(name for name in REGIONS if name not in _UNKNOWN_TO_PAMOJA))


def of_kind(test: str, *, fixed: bool) -> Holding:
    """A test of every fixed or every dynamic plan."""
    return each(_FAMILIES + test, *(name for name, region in REGIONS.items() if region.fixed is fixed))


def _eu868s_sub_bands(region: Region) -> list[str]:
    return [_TABLES + "test_eu868s_sub_bands_are_those_of_en_300_220"] if region.name == "EU868" else []


def _band_edges(region: Region) -> str:
    return "" if list(lines_of("band MHz")(region)) else "the band's edges"


_CN470 = tuple(name for name in REGIONS if name.startswith("CN470"))
_PAMOJA_JOINS = tuple(name for name in REGIONS if name not in (*_UNKNOWN_TO_PAMOJA, *_CN470))
_WITHOUT_DUTY = tuple(name for name, region in REGIONS.items() if region.sub_bands[-1].duty_divisor == 1)
_WITH_DUTY = tuple(name for name in REGIONS if name not in (*_WITHOUT_DUTY, "EU868"))
_OFFSETS = each(_FAMILIES + "test_the_groups_of_as923_differ_in_frequency_alone", "AS923-2", "AS923-3", "AS923-4")
_CN779 = each(_FAMILIES + "test_cn779_is_eu433_at_other_frequencies", "CN779")

GROUPS: Final[tuple[Group, ...]] = (
    Group(
        "Channels",
        figures.channels,
        (
            lines_of("band MHz", "channels MHz", "channel DR", "slots", "downlink MHz"),
            pamoja("test_channels_and_where_they_are_answered"),
            _OFFSETS,
            _CN779,
        ),
        device_does="draws one for each uplink among those that its mask and data rate leave",
        network_does="knows by the channel where RX1 is, and in 1.1 the MIC's TxCh",
        device=(_WINDOWS, _AIR + "TestUs915::test_channels_cannot_be_defined_or_moved"),
        network=(_WINDOWS,),
        not_held=_band_edges,
    ),
    Group(
        "Joining",
        figures.joining,
        (
            lines_of("join DR", "join MHz", "join RX1 MHz", "join RX2 MHz"),
            each(_PAMOJA + "test_join_channels_and_data_rates", *_PAMOJA_JOINS),
            each(_PAMOJA + "test_join_windows_of_cn470", *_CN470),
            each(_TABLES + "test_defaults_that_all_regions_share"),
            _OFFSETS,
            _CN779,
        ),
        device_does="sends JoinRequests there, and opens the accept's windows there",
        network_does="answers in the windows of that channel",
        device=(
            _WINDOWS,
            _AIR + "TestUs915::test_the_join_goes_round_the_blocks_and_the_accept_comes_on_channel_modulo_eight",
            _AIR + "TestOtherPlans::test_cn470_keeps_the_rx2_of_its_join_channel",
        ),
        network=(_WINDOWS,),
    ),
    Group(
        "Data rates and payloads",
        figures.data_rates,
        (
            rows_of("data_rates.csv", "test_a_data_rate_is_that_of_the_document"),
            each(_TABLES + "test_no_data_rate_is_in_the_code_that_is_not_in_the_document"),
            pamoja("test_data_rates_and_payloads"),
        ),
        device_does="sends no payload above the limit; one that is too long waits for a faster data rate",
        network_does="sends no payload above the limit of the window; its ADR goes up to the fastest",
        device=(
            _AIR + "TestUs915::test_a_long_payload_waits_for_a_faster_data_rate",
            _EDGES + "TestRoom::test_a_reading_too_long_for_the_data_rate_is_told_and_the_next_one_goes",
        ),
        network=(
            _EDGES + "TestRoom::test_downlinks_are_held_against_port_and_size",
            _AIR + "TestUs915::test_the_networks_adr_raises_the_data_rate_to_dr3_and_keeps_the_block",
        ),
    ),
    Group(
        "RX1 data rates",
        figures.rx1,
        (
            rows_of("rx1_data_rates.csv", "test_an_rx1_data_rate_is_that_of_the_document"),
            pamoja("test_rx1_rx2_and_back_off"),
        ),
        device_does="opens RX1 with it",
        network_does="sends in RX1 with it",
        device=(_WINDOWS, _AIR + "TestAs923::test_downlink_dwell_time_lifts_rx1"),
        network=(_WINDOWS, _AIR + "TestAs923::test_downlink_dwell_time_lifts_rx1"),
    ),
    Group(
        "RX2 and delays",
        figures.rx2,
        (
            lines_of("RX2"),
            each(_TABLES + "test_defaults_that_all_regions_share"),
            pamoja("test_rx1_rx2_and_back_off"),
        ),
        device_does="opens RX2 there, both windows in time",
        network_does="sends in RX2 there, in time",
        device=(_WINDOWS,),
        network=(_WINDOWS,),
    ),
    Group(
        "Power",
        figures.power,
        (
            lines_of("power"),
            pamoja("test_power_and_class_b"),
            each(_FAMILIES + "test_each_tx_power_is_2_db_below_the_one_before"),
            _OFFSETS,
        ),
        device_does="sends with the power of its TXPower",
        network_does="its ADR lowers TXPower by these steps",
        device=(
            _EDGES + "test_conducted_power_follows_the_configuration",
            _AIR + "TestOtherPlans::test_korea_sends_with_10_dbm_below_922_mhz",
        ),
        network=(_BOTH + "test_adr_moves_a_strong_device_to_less_power_and_is_acknowledged",),
    ),
    Group(
        "CFList",
        figures.cf_list,
        (
            of_kind("test_a_dynamic_plan_takes_five_channels_of_a_list", fixed=False),
            of_kind("test_a_fixed_plan_takes_its_mask_of_a_list", fixed=True),
        ),
        device_does="takes channels or mask over",
        network_does="sends one with the accept, and expects uplinks there",
        device=(
            _BOTH + "test_the_cf_list_opens_five_more_channels",
            _AIR + "TestUs915::test_a_type_1_list_leaves_one_block",
            _AIR + "TestAs923::test_a_type_0_list_adds_channels",
        ),
        network=(
            _BOTH + "test_the_cf_list_opens_five_more_channels",
            _AIR + "TestUs915::test_a_type_1_list_leaves_one_block",
        ),
    ),
    Group(
        "ChMaskCntl",
        figures.mask_control,
        (
            of_kind("test_ch_mask_cntl_of_a_dynamic_plan", fixed=False),
            pamoja("test_ch_mask_cntl"),
        ),
        device_does="obeys it, and refuses RFU values and masks that leave nothing",
        network_does="brings a mask about with the fewest requests",
        device=(
            _AIR + "TestUs915::test_what_it_refuses",
            _PLAN + "TestMasks::test_us915_by_its_ch_mask_cntl_table",
        ),
        network=(
            _AIR + "TestUs915::test_the_network_may_ask_for_one_block",
            _PLAN + "TestMasks::test_the_network_asks_with_few_requests",
        ),
    ),
    Group(
        "Dwell time",
        figures.dwell,
        (
            lines_of("TxParamSetupReq", "uplink dwell"),
            pamoja("test_channels_and_where_they_are_answered"),
            each(_TABLES + "test_defaults_that_all_regions_share"),
            _OFFSETS,
            _CN779,
        ),
        device_does="sends no longer frame, and no data rate that carries nothing",
        network_does="answers in RX1 by the table of the dwell time",
        device=(
            _AIR + "TestAs923::test_dwell_time_off_gives_the_slow_data_rates_and_on_takes_them_away",
            _AIR + "TestOtherPlans::test_au915_obeys_tx_param_setup",
        ),
        network=(_AIR + "TestAs923::test_downlink_dwell_time_lifts_rx1",),
    ),
    Group(
        "Beacon and ping slots",
        figures.class_b,
        (
            lines_of("beacon", "ping slot"),
            pamoja("test_power_and_class_b"),
            _OFFSETS,
        ),
        device_does="looks for beacons there, and opens its ping slots there",
        network_does="sends in those ping slots; gateways send the beacons",
        device=(
            _CLASS_B + "TestTheWayToClassB::test_a_device_finds_a_beacon_says_so_and_hears_a_downlink_in_its_ping_slot",
            _PING_SLOTS + "TestPingSlots::test_the_device_listens_in_the_slots_of_its_network",
        ),
        network=(
            _CLASS_B + "TestTheWayToClassB::test_a_device_finds_a_beacon_says_so_and_hears_a_downlink_in_its_ping_slot",
        ),
    ),
    Group(
        "Sub-bands and duty cycle",
        figures.duty_cycle,
        (
            each(_TABLES + "test_default_channels_with_a_duty_cycle", *_WITH_DUTY),
            each(_TABLES + "test_regions_without_a_duty_cycle", *_WITHOUT_DUTY),
            _eu868s_sub_bands,
        ),
        device_does="waits until the sub-band has time for the frame",
        network_does="each gateway keeps to it, and refuses what has no time left",
        device=("properties/test_duty_cycle_law.py::test_no_sliding_hour_is_over_its_share",),
        network=(
            "unit/gateway_fw/test_forwarder_downlinks.py::test_a_duty_cycle_that_is_spent_refuses_answers_and_counts",
        ),
        not_held=lambda region: "" if region.name == "EU868" else "edges and powers of the sub-bands",
    ),
)


def tables() -> list[str]:
    """The lines of the page. Raises MissingCell."""
    lines = ["", "### Who goes by them", ""]
    head = ["figures", "device", "its test", "network", "its test"]
    lines += table(head, [_who(group) for group in GROUPS])
    lines += ["", "### In which versions", "", _VERSIONS_TEXT, ""]
    lines += table(["region", *map(str, Version)], [_versions(region) for region in REGIONS.values()])
    for group in GROUPS:
        lines += ["", f"### {group.title}", ""]
        head = ["region", "figures", "held by"]
        lines += table(
            head, [(region.name, group.figures(region), _held(group, region)) for region in REGIONS.values()]
        )
    return lines


_VERSIONS_TEXT: Final = (
    "No figure depends on the version. A device of each version joins in each region, is answered in RX1 and in RX2,\n"
    f"and misses nothing: {link_to_test(_WINDOWS)}, by region, window and version."
)


def held_by(group: Group, region: Region) -> Iterator[str]:
    """The tests that compare these figures of a region with something outside. Raises MissingCell for none."""
    found = dict.fromkeys(test_id for holding in group.held for test_id in holding(region))
    if not found:
        raise MissingCell(
            f"nothing holds {group.title} of {region.name}", hint="add a test to bench/reference/regions.py"
        )
    yield from found


def every_test_id() -> Iterator[str]:
    """Every test that the tables name."""
    for group in GROUPS:
        yield from (*group.device, *group.network)
        for region in REGIONS.values():
            yield from held_by(group, region)
    for region in REGIONS.values():
        yield from _window_ids(region)


def _who(group: Group) -> list[str]:
    anchor = f"[{group.title}](#{group.title.lower().replace(' ', '-')})"
    device, network = (links_to_tests(ids) or NOTHING_TO_TEST for ids in (group.device, group.network))
    return [anchor, group.device_does, device, group.network_does, network]


def _window_ids(region: Region) -> list[str]:
    return [f"{_WINDOWS}[{region.name}-{window}-{version}]" for version in Version for window in (1, 2)]


def _versions(region: Region) -> list[str]:
    pairs = [(str(version), [f"`[{region.name}-{window}-{version}]`" for window in (1, 2)]) for version in Version]
    return [region.name, *(" ".join(ids) for _, ids in pairs)]


def _links(test_ids: list[str]) -> str:
    """Each test once, with its parameters: the first and the last where there are many."""
    by_test: dict[str, list[str]] = {}
    for test_id in test_ids:
        test, _, parameter = test_id.partition("[")
        by_test.setdefault(test, []).append(parameter.rstrip("]"))
    return "; ".join(_link(test, parameters) for test, parameters in by_test.items())


def _held(group: Group, region: Region) -> str:
    missing = group.not_held(region)
    return _links(list(held_by(group, region))) + (f"; not compared: {missing}" if missing else "")


def _link(test: str, parameters: list[str]) -> str:
    if parameters == [""]:
        return link_to_test(test)
    shown = parameters if len(parameters) <= 5 else [parameters[0], "…", parameters[-1]]
    return f"{link_to_test(test)} {' '.join(f'`{p}`' if p != '…' else p for p in shown)}"


def _rows(file: str) -> list[dict[str, str]]:
    lines = [line for line in (_GOLDEN / file).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))
