"""Every figure of every regional table against the documents: tests/golden/regions/*.csv, typed from them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lorawan.draws import Draws
from lorawan.phy import FskModulation, LoraModulation, LrFhssCodingRate, LrFhssModulation, lora_airtime_us
from lorawan.phy.modulation import Modulation
from lorawan.regions import REGIONS, Channel, ChannelPlan, Region, join_places

GOLDEN = Path(__file__).parents[2] / "golden/regions"
REGION_IDS = sorted(REGIONS)


def rows(name: str) -> list[dict[str, str]]:
    lines = [line for line in (GOLDEN / name).read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def regions_of(name: str) -> list[Region]:
    """AS923 and CN470 stand for all their groups and plans."""
    return [region for key, region in REGIONS.items() if key == name or key.split("-")[0] == name]


def modulation_of(text: str) -> Modulation:
    if text == "FSK50":
        return FskModulation(50_000)
    fhss = re.fullmatch(r"FHSS(\d+)CR(\d/\d)", text)
    if fhss:
        return LrFhssModulation(int(fhss[1]) * 1000, LrFhssCodingRate(fhss[2]))
    return LoraModulation.from_datr(text)


def count(text: str) -> int:
    return 0 if text == "na" else int(text)


DATA_RATES, RX1, PLANS = rows("data_rates.csv"), rows("rx1_data_rates.csv"), rows("plans.csv")


@pytest.mark.parametrize("row", DATA_RATES, ids=lambda row: f"{row['region']}-DR{row['dr']}")
def test_a_data_rate_is_that_of_the_document(row: dict[str, str]) -> None:
    for region in regions_of(row["region"]):
        rate = region.data_rate(int(row["dr"]))
        assert rate.modulation == modulation_of(row["modulation"])
        assert (rate.max_mac_payload_bytes, rate.max_app_payload_bytes) == (count(row["M"]), count(row["N"]))
        repeater = rate.mac_payload_bytes(repeater=True)
        assert (repeater, max(0, repeater - 8)) == (count(row["M_repeater"]), count(row["N_repeater"]))
        if row["M_dwell"] == "-":
            assert rate.dwell_mac_payload_bytes is None
        else:
            dwell = rate.mac_payload_bytes(dwell=True)
            assert (dwell, max(0, dwell - 8)) == (count(row["M_dwell"]), count(row["N_dwell"]))
        assert (rate.uplink, rate.downlink) == {"both": (True, True), "up": (True, False), "down": (False, True)}[
            row["direction"]
        ]
        assert rate.lower == (None if row["lower"] == "-" else int(row["lower"]))


@pytest.mark.parametrize("name", REGION_IDS)
def test_no_data_rate_is_in_the_code_that_is_not_in_the_document(name: str) -> None:
    listed = {int(row["dr"]) for row in DATA_RATES if row["region"] in (name, name.split("-", maxsplit=1)[0])}
    assert [rate.index for rate in REGIONS[name].data_rates] == sorted(listed)


@pytest.mark.parametrize("row", RX1, ids=lambda row: f"{row['region']}-DR{row['dr']}-dwell{row['dwell']}")
def test_an_rx1_data_rate_is_that_of_the_document(row: dict[str, str]) -> None:
    expected = [int(dr) for dr in row["by_offset"].split()]
    for region in regions_of(row["region"]):
        for dwell in {"any": (False, True), "0": (False,), "1": (True,)}[row["dwell"]]:
            found = [region.rx1_dr(int(row["dr"]), k, downlink_dwell=dwell) for k in range(len(expected))]
            assert found == expected
        assert region.max_rx1_dr_offset == len(expected) - 1
        with pytest.raises(ValueError, match="RFU"):
            region.rx1_dr(int(row["dr"]), len(expected))


def mhz(text: str) -> list[int]:
    """Frequencies in Hz of "868.1 868.3" or "902.3 + 0.2 x 64; 903.0 + 1.6 x 8"."""
    found: list[int] = []
    for part in text.split(";"):
        run = re.fullmatch(r"\s*([\d.]+) \+ ([\d.]+) x (\d+)", part)
        if run:
            found += [round((float(run[1]) + k * float(run[2])) * 1e6) for k in range(int(run[3]))]
        else:
            found += [round(float(word) * 1e6) for word in part.split()]
    return found


def frequencies_and_dr(text: str) -> tuple[tuple[int, ...], int]:
    freqs, _, dr = text.rpartition(" DR")
    return tuple(mhz(freqs)), int(dr)


def figure(region: Region, what: str) -> object:
    """The code's side of one line of plans.csv, in the form that `expected` reads the document's."""
    channels = region.default_channels
    join = join_places(region, 0, region.join_drs[0], Draws.of_seed(1))
    match what:
        case "band MHz":
            return [region.low_hz, region.high_hz]
        case "channels MHz":
            return [channel.freq_hz for channel in channels]
        case "channel DR":
            return sorted({(channel.min_dr, channel.max_dr) for channel in channels})
        case "slots":
            return region.max_channels
        case "downlink MHz":
            return [channel.downlink_freq_hz for channel in channels]
        case "RX2":
            return (region.rx2_freq_hz,), region.rx2_dr
        case "power":
            return region.max_eirp_dbm, region.max_tx_power_index
        case "TxParamSetupReq":
            return region.has_tx_param_setup
        case "uplink dwell":
            return region.uplink_dwell
        case "join DR":
            return list(region.join_drs)
        case "join MHz":
            return [place.channel.freq_hz for place in join]
        case "join RX1 MHz":
            return [place.rx1_freq_hz for place in join]
        case "join RX2 MHz":
            return [place.rx2_freq_hz for place in join]
        case "beacon":
            return region.class_b.beacon_freqs_hz, region.class_b.beacon_dr
        case "ping slot":
            return list(region.class_b.ping_slot_freqs_hz)
    raise AssertionError(what)


def expected(region: Region, what: str, value: str) -> object:
    match what:
        case "channel DR":
            return sorted((int(pair.split()[0]), int(pair.split()[1])) for pair in value.split(";"))
        case "slots":
            return int(value)
        case "downlink MHz":
            freqs = mhz(value)
            return [freqs[i % len(freqs)] for i in range(region.max_channels)]
        case "RX2" | "beacon":
            return frequencies_and_dr(value)
        case "power":
            power = re.fullmatch(r"([\d.]+) dBm TXPower 0-(\d+)", value)
            assert power
            return float(power[1]), int(power[2])
        case "TxParamSetupReq" | "uplink dwell":
            return value == "yes"
        case "join DR":
            return [int(dr) for dr in value.split()]
    return mhz(value)


@pytest.mark.parametrize("row", PLANS, ids=lambda row: f"{row['region']}-{row['what'].replace(' ', '-')}")
def test_a_figure_of_a_plan_is_that_of_the_document(row: dict[str, str]) -> None:
    region = REGIONS[row["region"]]
    assert figure(region, row["what"]) == expected(region, row["what"], row["value"])


def test_every_region_has_its_lines_in_every_table() -> None:
    for table, key in ((DATA_RATES, str.split), (RX1, str.split)):
        named = {row["region"] for row in table}
        assert {name if name in named else name.split("-")[0] for name in REGION_IDS} == named, key
    assert {row["region"] for row in PLANS} == set(REGION_IDS)


@pytest.mark.parametrize("name", REGION_IDS)
def test_defaults_that_all_regions_share(name: str) -> None:
    region = REGIONS[name]
    assert region.receive_delay1_us == 1_000_000  # RECEIVE_DELAY1, RP002-1.0.5 §3.3, page 29
    assert region.join_accept_delay1_us == 5_000_000  # JOIN_ACCEPT_DELAY1, as above
    assert not ChannelPlan.of(region).downlink_dwell  # DownlinkDwellTime 0, RP002-1.0.4 page 28


# EN 300 220-2 annex B and ERC/REC 70-03 annex 1: sub-band in MHz, duty cycle, e.r.p. in dBm
EU868_SUB_BANDS = [
    (863.0, 865.0, 0.001, 14.0),
    (865.0, 868.0, 0.01, 14.0),
    (868.0, 868.6, 0.01, 14.0),
    (868.7, 869.2, 0.001, 14.0),
    (869.4, 869.65, 0.1, 27.0),
    (869.7, 870.0, 0.01, 14.0),
]


def test_eu868s_sub_bands_are_those_of_en_300_220() -> None:
    found = [
        (band.low_hz / 1e6, band.high_hz / 1e6, 1 / band.duty_divisor, band.max_erp_dbm)
        for band in REGIONS["EU868"].sub_bands
    ]
    assert found == EU868_SUB_BANDS


@pytest.mark.parametrize("name", ["EU433", "CN779", "AS923-1", "AS923-2", "AS923-3", "AS923-4", "RU864"])
def test_default_channels_with_a_duty_cycle(name: str) -> None:
    """LoRaMac-node@dcbcfb32: BAND0 of each of these (of AS923, whatever its group) is 1 %."""
    for channel in REGIONS[name].default_channels:
        band = REGIONS[name].sub_band(channel.freq_hz)
        assert band is not None
        assert 1 / band.duty_divisor == 0.01


@pytest.mark.parametrize(
    "name", ["US915", "AU915", "KR920", "IN865", "CN470-20A", "CN470-20B", "CN470-26A", "CN470-26B"]
)
def test_regions_without_a_duty_cycle(name: str) -> None:
    """LoRaMac-node@dcbcfb32: BAND0 of each of these (of CN470, whatever its plan) is 100 %."""
    assert {band.duty_divisor for band in REGIONS[name].sub_bands} == {1}


def test_korea_sends_less_below_922_mhz() -> None:
    """Regional Parameters 1.0.3 revA §2.9.3, page 55: 10 dBm EIRP below 922 MHz, whatever was set."""
    plan = ChannelPlan.of(REGIONS["KR920"])
    assert plan.power_dbm(0, 922_100_000) == 14.0
    assert plan.power_dbm(0, 921_900_000) == pytest.approx(10.0)
    assert plan.power_dbm(3, 921_900_000) == 8.0


# TS001-1.0.4 §5.8: the largest EIRP in dBm by index
EIRP_BY_INDEX = [8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36]


@pytest.mark.parametrize(("index", "dbm"), list(enumerate(EIRP_BY_INDEX)))
def test_tx_param_setup_lowers_the_largest_eirp(index: int, dbm: int) -> None:
    plan = ChannelPlan.of(REGIONS["AU915"]).with_tx_params(
        uplink_dwell=False, downlink_dwell=False, max_eirp_index=index
    )
    assert plan.max_eirp_dbm == min(dbm, 30)
    assert plan.power_dbm(2, 915_200_000) == pytest.approx(min(dbm, 30) - 4, abs=1e-9)


def dwell_rows() -> Iterator[tuple[str, int, int]]:
    for row in DATA_RATES:
        if row["M_dwell"] not in ("-", "na") and row["modulation"].startswith("SF"):
            yield row["region"], int(row["dr"]), int(row["M_dwell"])
    yield from (("US915", dr, m) for dr, m in ((0, 19), (1, 61), (2, 133), (3, 250)))


@pytest.mark.parametrize(("name", "dr", "m"), list(dwell_rows()))
def test_the_dwell_payloads_last_at_most_400_ms(name: str, dr: int, m: int) -> None:
    """M, MHDR and MIC: what the tables' authors reckoned with."""
    region = regions_of(name)[0]
    airtime_us = lora_airtime_us(m + 5, region.modulation(dr))
    assert ChannelPlan.of(region).dwell_ok(dr, airtime_us)
    assert airtime_us <= 400_000


def test_channels_of_the_wide_plans_answer_modulo_eight() -> None:
    for name in ("US915", "AU915"):
        for i, channel in enumerate(REGIONS[name].default_channels):
            assert channel.downlink_freq_hz == 923_300_000 + 600_000 * (i % 8)


def test_beacons_hop_in_the_wide_plans() -> None:
    """Regional Parameters 1.0.3 revA §2.3.8: floor(beacon_time / 128) modulo 8."""
    class_b = REGIONS["US915"].class_b
    assert [class_b.beacon_freq_hz(128 * k) for k in (0, 1, 7, 8)] == [
        923_300_000,
        923_900_000,
        927_500_000,
        923_300_000,
    ]
    assert class_b.ping_slot_freq_hz(3, 128 * 6) == 923_300_000 + 600_000 * 1
    assert REGIONS["EU868"].class_b.beacon_freq_hz(128 * 5) == 869_525_000


def test_lr_fhss_and_fsk_are_not_handed_to_a_lora_radio() -> None:
    region = REGIONS["EU868"]
    for dr in (7, 8, 12, 15, -1):
        assert not region.is_lora(dr)
        with pytest.raises(ValueError, match="not a LoRa data rate"):
            region.modulation(dr)
    with pytest.raises(ValueError, match="not an uplink"):
        REGIONS["US915"].dr_of(LoraModulation(7, 500_000))
    assert REGIONS["US915"].dr_of(LoraModulation(8, 500_000)) == 4


def test_a_channel_answers_where_it_sends_unless_moved() -> None:
    assert Channel(868_100_000, 0, 5).downlink_freq_hz == 868_100_000
