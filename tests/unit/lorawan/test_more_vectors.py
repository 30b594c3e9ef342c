"""Known answers beside frames, joins and MAC commands; and that no known answer is without a test."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from known_answers import VECTORS, area, collected, covered

from gateway_fw.gps.reference import TimeReference
from lorawan.crypto import derive_root_wor_s_key
from lorawan.ids import AesKey, DevAddr, NetId
from lorawan.phy.modulation import LoraModulation, LrFhssCodingRate, LrFhssModulation
from lorawan.ping_slots import BEACON_DELAY_US, next_ping_slot
from lorawan.regions.eu868 import EU868
from lorawan.regions.region import MAX_EIRP_DBM


@pytest.mark.skipif(not VECTORS, reason="the known answers in ../shared/vectors are not here")
def test_every_known_answer_has_its_test() -> None:
    ids = {vector["id"] for vector in VECTORS}
    assert len(ids) == len(VECTORS) == 184
    assert not ids - covered(collected()).keys()


@pytest.mark.parametrize(("given", "expect"), area("netid"))
def test_net_ids(given: dict[str, Any], expect: dict[str, Any]) -> None:
    net_id = NetId.from_hex(given["net_id"])
    if "devaddr" in given:
        assert net_id.dev_addr(DevAddr.from_hex(given["devaddr"])) == DevAddr.from_hex(expect["devaddr"])
        return
    # The source keeps 21 bits as the id of types 3 to 7; NwkID is their low bits, TS002-1.1 §13
    assert (net_id.type, net_id.to_wire().hex()) == (expect["type"], expect["wire"])
    assert net_id.nwk_id == int(expect["id"], 16) % (1 << (6, 6, 9, 11, 12, 13, 15, 17)[net_id.type])
    assert NetId.from_wire(bytes.fromhex(expect["wire"])) == net_id


@pytest.mark.parametrize(("given", "expect"), area("eirp"))
def test_indices_of_the_largest_eirp(given: dict[str, Any], expect: dict[str, Any]) -> None:
    # The source turns dBm into the largest index that does not exceed it; the index is what goes on the wire
    allowed = [index for index, dbm in enumerate(MAX_EIRP_DBM) if dbm <= given["eirp_dbm"]]
    assert max(allowed) == expect["index"]


THEIR_MODULATIONS = {
    "LoRa SF7/250": LoraModulation(7, 250_000),
    "LR-FHSS CR1/3 137kHz": LrFhssModulation(137_000, LrFhssCodingRate.CR_1_3),
    "LR-FHSS CR2/3 336kHz": LrFhssModulation(336_000, LrFhssCodingRate.CR_2_3),
}


@pytest.mark.parametrize(("given", "expect"), area("eu868"))
def test_eu868(given: dict[str, Any], expect: dict[str, Any]) -> None:
    if "mod" in given:
        found = [rate.index for rate in EU868.data_rates if rate.modulation == THEIR_MODULATIONS[given["mod"]]]
        assert found == [expect["dr"]]
        return
    if "freq" in given:
        (band,) = (band for band in EU868.sub_bands if band.low_hz <= given["freq"] < band.high_hz)
        # The source calls 14 dBm an EIRP; ETSI EN 300 220-2 annex B limits the ERP, 2.15 dB more in EIRP
        assert band.max_erp_dbm == expect["dbm"]
        return
    second = 1_000_000
    assert EU868.receive_delay1_us == expect["rx_delay1_s"] * second
    assert EU868.receive_delay1_us + second == expect["rx_delay2_s"] * second
    assert EU868.join_accept_delay1_us == expect["join_delay1_s"] * second
    assert EU868.join_accept_delay1_us + second == expect["join_delay2_s"] * second
    assert (EU868.rx2_freq_hz, EU868.rx2_dr) == (expect["rx2_freq"], expect["rx2_dr"])
    assert EU868.class_b.ping_slot_freqs_hz == (expect["ping_freq"],)


@pytest.mark.parametrize(("given", "expect"), area("keys_relay"))
def test_the_root_key_of_a_relayed_device(given: dict[str, Any], expect: dict[str, Any]) -> None:
    assert derive_root_wor_s_key(AesKey.from_hex(given["nwk_s_enc_key"])).hex() == expect["root_wor_s_key"]


@pytest.mark.parametrize(("given", "expect"), area("ping_slot"))
def test_the_next_ping_slot(given: dict[str, Any], expect: dict[str, Any]) -> None:
    periodicity = 8 - given["ping_nb"].bit_length()  # TS001-1.0.4 §12.1: pingNb is 2^(7 - periodicity)
    # The source leaves TBeaconDelay out (TS001-1.0.4 §13.5)
    slot_us = next_ping_slot(
        DevAddr.from_hex(given["devaddr"]), periodicity, given["after_ms"] * 1000 + BEACON_DELAY_US
    )
    assert slot_us == expect["slot_ms"] * 1000 + BEACON_DELAY_US


# IERS Bulletin C: GPS ahead of UTC, by the first UTC day it holds for
LEAP_S = (("2017-01-01", 18), ("1980-01-06", 0))


@pytest.mark.parametrize(("given", "expect"), area("gps_time"))
def test_gps_time(given: dict[str, Any], expect: dict[str, Any]) -> None:
    leap_s = next(leap for since, leap in LEAP_S if given["utc"] >= since)
    utc_us = int(datetime.fromisoformat(given["utc"]).timestamp()) * 1_000_000
    assert TimeReference(0, expect["gps_s"] * 1_000_000, leap_s).unix_us_at(0) == utc_us
