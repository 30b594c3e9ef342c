"""The two receive windows of class A."""

from __future__ import annotations

from lorawan.phy import Listen, Transmit, Window, lora_symbol_us
from lorawan.regions import Region
from lorawan.units import US_PER_S

RX_EARLY_US = 10_000  # a window opens this early and closes this late: crystal error [assumption, 10 ms]
RX_PREAMBLE_SYMBOLS = 8  # a window stays open for a whole preamble


def receive_windows(
    transmit: Transmit,
    region: Region,
    *,
    rx1_delay_us: int,
    rx1_freq_hz: int,
    rx1_dr: int,
    rx2_freq_hz: int,
    rx2_dr: int,
) -> tuple[Listen, Listen]:
    """RX1 `rx1_delay_us` after the end of the uplink, RX2 one second later.

    Source: LoRaWAN 1.0.4 §3.3; RP002-1.0.4 §2.4.6 for what is heard in them.
    """
    end = transmit.at + transmit.airtime_us
    first = _window(end + rx1_delay_us, rx1_freq_hz, rx1_dr, region, Window.RX1)
    second = _window(end + rx1_delay_us + US_PER_S, rx2_freq_hz, rx2_dr, region, Window.RX2)
    return first, second


def _window(at: int, freq_hz: int, dr: int, region: Region, window: Window) -> Listen:
    modulation = region.modulation(dr)
    stays = RX_PREAMBLE_SYMBOLS * lora_symbol_us(modulation)
    return Listen(at - RX_EARLY_US, at + stays + RX_EARLY_US, freq_hz, modulation, window)
