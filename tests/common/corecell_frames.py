"""Frames as a CoreCell hears and sends them."""

from __future__ import annotations

from dataclasses import replace

from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Heard, Transmit

SF9 = LoraModulation(9)


def heard(at: int, payload: bytes = b"hello world!", freq_hz: int = 868_300_000, **changes: object) -> Heard:
    frame = Heard(at, payload, freq_hz, SF9, -91.0, 7.25, lora_airtime_us(len(payload), SF9))
    return replace(frame, **changes)  # type: ignore[arg-type]


def transmit(at: int, payload: bytes = b"downlink", power_dbm: float = 14.0, **changes: object) -> Transmit:
    airtime_us = lora_airtime_us(min(len(payload), 255), SF9, crc=False)
    frame = Transmit(at, payload, 868_100_000, SF9, power_dbm, airtime_us, inverted_iq=True, crc=False)
    return replace(frame, **changes)  # type: ignore[arg-type]
