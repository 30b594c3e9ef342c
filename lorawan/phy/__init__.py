"""The physical layer as the MAC sees it: modulations, airtime, SNR floors, and what goes to and comes from a radio."""

from lorawan.phy.airtime import fsk_airtime_us, lora_airtime_us, lora_payload_symbols, lora_symbol_us
from lorawan.phy.modulation import (
    CodingRate,
    FskModulation,
    LoraModulation,
    LrFhssCodingRate,
    LrFhssModulation,
    Modulation,
)
from lorawan.phy.radio import UNTIL_STOPPED, Heard, Listen, Transmit, Window
from lorawan.phy.sensitivity import SNR_FLOOR_DB, noise_floor_dbm, snr_floor_db

__all__ = [
    "SNR_FLOOR_DB",
    "UNTIL_STOPPED",
    "CodingRate",
    "FskModulation",
    "Heard",
    "Listen",
    "LoraModulation",
    "LrFhssCodingRate",
    "LrFhssModulation",
    "Modulation",
    "Transmit",
    "Window",
    "fsk_airtime_us",
    "lora_airtime_us",
    "lora_payload_symbols",
    "lora_symbol_us",
    "noise_floor_dbm",
    "snr_floor_db",
]
