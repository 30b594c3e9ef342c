"""Ping slots against the specification's figures, another implementation's numbers, and AES of another library."""

from __future__ import annotations

from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from lorawan.ids import DevAddr
from lorawan.ping_slots import (
    BEACON_DELAY_US,
    BEACON_GUARD_US,
    BEACON_PERIOD_US,
    BEACON_RESERVED_US,
    SLOT_US,
    SLOTS,
    next_ping_slot,
    period_start_us,
    ping_offset,
    ping_period,
)

ADDRESSES = st.integers(0, 0xFFFFFFFF).map(DevAddr)
PERIODICITIES = st.integers(0, 7)
BEACONS = st.integers(0, (1 << 32) // 128 - 1).map(lambda k: k * 128)


@pytest.mark.parametrize(
    ("after_ms", "ping_nb", "slot_ms"), [(0, 1, 74_300), (13_000, 2, 74_300)], ids=["ping_slot-001", "ping_slot-004"]
)
def test_slots_are_those_of_another_network_server(after_ms: int, ping_nb: int, slot_ms: int) -> None:
    """chirpstack@d77207cd, chirpstack/src/downlink/classb.rs, tests: DevAddr 0, without TBeaconDelay."""
    periodicity = 7 - (ping_nb.bit_length() - 1)
    slot = next_ping_slot(DevAddr(0), periodicity, after_ms * 1000 + BEACON_DELAY_US)
    assert slot == slot_ms * 1000 + BEACON_DELAY_US


def test_a_beacon_period_is_made_of_the_parts_of_table_58() -> None:
    assert BEACON_PERIOD_US == 128_000_000
    assert BEACON_RESERVED_US + SLOTS * SLOT_US + BEACON_GUARD_US == BEACON_PERIOD_US
    assert BEACON_RESERVED_US + (SLOTS - 1) * SLOT_US == 124_970_000  # TS001-1.0.4 §11.1: the latest slot
    assert BEACON_PERIOD_US - 124_970_000 == 3_030_000


@pytest.mark.parametrize(("periodicity", "apart_us"), [(p, round(0.96e6) << p) for p in range(8)])
def test_slots_are_0_96_s_times_two_to_the_periodicity_apart(periodicity: int, apart_us: int) -> None:
    assert ping_period(periodicity) * SLOT_US == apart_us  # TS001-1.0.4 §12.1


@given(ADDRESSES, BEACONS, PERIODICITIES)
def test_the_offset_is_that_of_aes_with_a_key_of_zeros(dev_addr: DevAddr, time_s: int, periodicity: int) -> None:
    block = time_s.to_bytes(4, "little") + int(dev_addr).to_bytes(4, "little") + bytes(8)
    encryptor = Cipher(algorithms.AES(bytes(16)), modes.ECB()).encryptor()
    rand = encryptor.update(block)
    period = 2 ** (5 + periodicity)
    offset = ping_offset(dev_addr, time_s, periodicity)
    assert offset == (rand[0] + 256 * rand[1]) % period
    assert 0 <= offset < period


@given(ADDRESSES, BEACONS, PERIODICITIES)
def test_a_beacon_period_has_two_to_the_seven_less_periodicity_slots(
    dev_addr: DevAddr, time_s: int, periodicity: int
) -> None:
    start = time_s * 1_000_000 + BEACON_DELAY_US
    slots = []
    at = start
    while (at := next_ping_slot(dev_addr, periodicity, at)) < start + BEACON_PERIOD_US:
        slots.append(at)
        at += 1
    assert len(slots) == 1 << (7 - periodicity)
    offsets = [slot - start - BEACON_RESERVED_US for slot in slots]
    assert all(0 <= offset < SLOTS * SLOT_US and offset % SLOT_US == 0 for offset in offsets)
    assert {b - a for a, b in pairwise(offsets)} <= {ping_period(periodicity) * SLOT_US}


@given(ADDRESSES, st.integers(BEACON_DELAY_US, (1 << 32) * 1_000_000), PERIODICITIES)
def test_the_next_slot_is_not_in_the_past_and_none_lies_before_it(
    dev_addr: DevAddr, gps_us: int, periodicity: int
) -> None:
    slot = next_ping_slot(dev_addr, periodicity, gps_us)
    assert gps_us <= slot < gps_us + 2 * BEACON_PERIOD_US
    if slot > gps_us:
        assert next_ping_slot(dev_addr, periodicity, slot - 1) == slot
    assert period_start_us(slot) <= slot


@pytest.mark.parametrize("periodicity", [-1, 8])
def test_a_periodicity_that_does_not_exist_is_refused(periodicity: int) -> None:
    with pytest.raises(ValueError, match="periodicity"):
        ping_period(periodicity)
