"""RSSI and SNR as the chips report them."""

from __future__ import annotations

import math


def report_rssi_dbm(signal_dbm: float, noise_dbm: float) -> float:
    """A concentrator's packet RSSI: signal plus noise in the channel, in 1 dB steps; it bottoms out at the noise.

    Source: Semtech packet forwarder PROTOCOL.TXT §4 ("rssi", signed integer, 1 dB precision); SX1302 HAL,
    channel RSSI.
    """
    ratio = signal_dbm - noise_dbm
    return float(round(signal_dbm + 10.0 * math.log10(1.0 + 10.0 ** (-ratio / 10.0))))


def report_packet_strength_dbm(signal_dbm: float, noise_dbm: float) -> float:
    """A transceiver's packet strength in 1 dB steps: RSSI, corrected by the SNR below the noise, so the signal alone.

    Source: Semtech SX1276 datasheet rev. 4 §5.5.5.
    """
    return float(round(signal_dbm)) if signal_dbm < noise_dbm else report_rssi_dbm(signal_dbm, noise_dbm)


def report_snr_db(snr_db: float, limit_db: float) -> float:
    """SNR in steps of 0.25 dB, never above limit_db.

    Source: Semtech SX1276 datasheet rev. 4, RegPktSnrValue (two's complement, quarters of a dB).
    """
    return min(round(4.0 * snr_db) / 4.0, limit_db)
