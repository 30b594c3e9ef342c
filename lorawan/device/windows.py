"""The two receive windows of class A, as long as the device's crystal makes them.

A window opens at an instant of the device's own clock, which is off by up to `crystal_ppm`; from then on the radio
counts symbols. It has to see five of the eight preamble symbols, which begin within ±20 µs of the nominal instant:

    opened no later than three symbols into the earliest preamble:   4·Ts − n·Ts/2 ≤ 3·Ts − error
    open until five symbols into the latest one:                     4·Ts + n·Ts/2 ≥ 5·Ts + error

so n = max(5, ⌈(2·Ts + 2·error) / Ts⌉) symbols around the middle of the nominal preamble suffice, and fewer do not.

Source: LoRaWAN 1.0.4 §3.3.4 (a window is at least as long as detecting a preamble takes, the clock's imprecision over
1–16 s included); LoRaMac-node's RegionCommon.c sizes its windows by the same inequalities, for 6 symbols and ±10 ms.
"""

from __future__ import annotations

from lorawan.machine import Instant
from lorawan.phy import Listen, Transmit, Window, lora_symbol_us
from lorawan.regions import Region
from lorawan.units import US_PER_S

DETECT_SYMBOLS = 5
"""Preamble symbols a receiver needs. Source: Bor, Roedig, Voigt, Alonso, "Do LoRa Low-Power Wide-Area Networks Scale?",
MSWiM 2016: reception survives when the last five preamble symbols are free of interference."""

DOWNLINK_TOLERANCE_US = 20  # a downlink begins within ±20 µs (LoRaWAN 1.0.2 §3.3.1 and §3.3.2)
CRYSTAL_PPM = 200
"""What a device's clock may be off by, ppm [assumption]: a 32 kHz crystal of ±20 ppm at 25 °C and −0.034 ppm/°C², from
−40 to 85 °C."""

PREAMBLE_SYMBOLS = 8  # RP002-1.0.4 §2.4


def window_us(delay_us: int, symbol_us: int, crystal_ppm: int) -> tuple[int, int]:
    """When a window opens and closes, in µs of the device's clock after the end of the uplink.

    delay_us: to the nominal start of the downlink. symbol_us: an even number of µs, as every LoRa symbol has.
    """
    latest_us = delay_us + DOWNLINK_TOLERANCE_US + DETECT_SYMBOLS * symbol_us
    error_us = DOWNLINK_TOLERANCE_US - -latest_us * crystal_ppm // 1_000_000
    spread_us = (2 * DETECT_SYMBOLS - PREAMBLE_SYMBOLS) * symbol_us + 2 * error_us
    symbols = max(DETECT_SYMBOLS, -(-spread_us // symbol_us))
    opens_us = delay_us + PREAMBLE_SYMBOLS // 2 * symbol_us - symbols * symbol_us // 2
    return opens_us, opens_us + symbols * symbol_us


def silent_at(closes_at: Instant, symbol_us: int) -> Instant:
    """When a window that closed at `closes_at` is certain to have caught nothing.

    A radio that has begun to see a preamble stays, and says so (`ReceptionStarted`) when the preamble is over at the
    latest: the three symbols after the five that it needs. One more is for the clock, which may be fast meanwhile.
    """
    return closes_at + (PREAMBLE_SYMBOLS - DETECT_SYMBOLS + 1) * symbol_us


def receive_windows(
    transmit: Transmit,
    region: Region,
    *,
    rx1_delay_us: int,
    rx1_freq_hz: int,
    rx1_dr: int,
    rx2_freq_hz: int,
    rx2_dr: int,
    crystal_ppm: int,
) -> tuple[Listen, Listen]:
    """RX1 `rx1_delay_us` after the end of the uplink, RX2 one second later, at instants of the device's clock.

    A shell that simulates a crystal which is off by `e` opens a window (opens_at − end) / (1 + e) after the end of the
    uplink and keeps it open for closes_at − opens_at. Source: LoRaWAN 1.0.4 §3.3; RP002-1.0.4 §2.4.6 for what is heard.
    """
    end = transmit.at + transmit.airtime_us

    def window(kind: Window, delay_us: int, freq_hz: int, dr: int) -> Listen:
        modulation = region.modulation(dr)
        opens_us, closes_us = window_us(delay_us, lora_symbol_us(modulation), crystal_ppm)
        return Listen(end + opens_us, end + closes_us, freq_hz, modulation, kind)

    rx1 = window(Window.RX1, rx1_delay_us, rx1_freq_hz, rx1_dr)
    return rx1, window(Window.RX2, rx1_delay_us + US_PER_S, rx2_freq_hz, rx2_dr)
