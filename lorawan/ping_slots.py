"""When class B beacons begin and where ping slots lie between them: what a device and its network compute alike.

All times are GPS time in µs since 6 January 1980, of which beacons carry whole seconds modulo 2^32.

Source: TS001-1.0.4 §11 (tables 58–60) and §13.5; the same in LoRaWAN 1.1 §13 and §15.4.
"""

from __future__ import annotations

from typing import Final

from lorawan.crypto.cipher import aes
from lorawan.frames.beacon import BEACON_PERIOD_S
from lorawan.ids import AesKey, DevAddr
from lorawan.units import US_PER_S

BEACON_PERIOD_US: Final = BEACON_PERIOD_S * US_PER_S
BEACON_DELAY_US: Final = 1_500  # TBeaconDelay, TS001-1.0.4 §13.5; slots count from the start of transmission too
BEACON_RESERVED_US: Final = 2_120_000  # TS001-1.0.4 §11.1, table 58
BEACON_GUARD_US: Final = 3_000_000
SLOT_US: Final = 30_000  # slotLen, table 59
SLOTS: Final = 4096
MAX_PERIODICITY: Final = 7
DEFAULT_PERIODICITY: Final = 7  # PING_SLOT_PERIODICITY, RP002-1.0.4 §2.3
_ZERO_KEY = AesKey(bytes(16))


def ping_period(periodicity: int) -> int:
    """Slots from one ping slot to the next, 2^(5 + periodicity). Raises ValueError outside 0–7."""
    if not 0 <= periodicity <= MAX_PERIODICITY:
        raise ValueError(f"periodicity {periodicity}: 0 to {MAX_PERIODICITY}")
    return 32 << periodicity


def ping_offset(dev_addr: DevAddr, beacon_time_s: int, periodicity: int) -> int:
    """pingOffset, 0 … pingPeriod − 1: the first slot after the beacon whose Time field is beacon_time_s.

    dev_addr: the device's, or a multicast group's. Source: TS001-1.0.4 §11.2.
    """
    block = (beacon_time_s & 0xFFFFFFFF).to_bytes(4, "little") + int(dev_addr).to_bytes(4, "little") + bytes(8)
    rand = aes(_ZERO_KEY).encrypt(block)
    return (rand[0] + rand[1] * 256) % ping_period(periodicity)


def period_start_us(gps_us: int) -> int:
    """The start of the beacon period in which this is: a multiple of 128 s, plus TBeaconDelay."""
    return (gps_us - BEACON_DELAY_US) // BEACON_PERIOD_US * BEACON_PERIOD_US + BEACON_DELAY_US


def beacon_time_s(start_us: int) -> int:
    """The Time field of the beacon that begins then."""
    return (start_us - BEACON_DELAY_US) // US_PER_S


def next_ping_slot(dev_addr: DevAddr, periodicity: int, gps_us: int) -> int:
    """The start of the first ping slot of an address that begins at or after this."""
    start, period = period_start_us(gps_us), ping_period(periodicity)
    while True:
        slot = ping_offset(dev_addr, beacon_time_s(start), periodicity)
        first = start + BEACON_RESERVED_US + slot * SLOT_US
        if gps_us > first:
            later = -(-(gps_us - first) // (period * SLOT_US)) * period
            slot, first = slot + later, first + later * SLOT_US
        if slot < SLOTS:
            return first
        start += BEACON_PERIOD_US
