"""Class B beacons of a gateway with GPS: which is next, and when exactly.

Source: TS001-1.0.4 §13; lora_pkt_fwd.c (sx1302_hal 2.1.0), thread_down, for what is reserved when.
"""

from __future__ import annotations

from dataclasses import replace

from gateway_fw.forwarder.config import BeaconConfig
from gateway_fw.gps.reference import TimeReference
from lorawan.frames.beacon import BEACON_PREAMBLE_SYMBOLS, Beacon, encode_beacon
from lorawan.machine import Instant
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Transmit
from lorawan.units import US_PER_S

BEACON_DELAY_US = 1_500  # TBeaconDelay, TS001-1.0.4 §13.5
RESERVED_AHEAD = 3  # JIT_NUM_BEACON_IN_QUEUE


class Beaconing:
    """Reserves the next beacons, and tells their instants anew when they are programmed: the clocks drift meanwhile."""

    def __init__(self, config: BeaconConfig) -> None:
        self._config = config
        self._last_s: int | None = None
        self._reserved: dict[bytes, int] = {}  # payload, which holds the GPS second, to that second
        self._modulation = LoraModulation(config.spreading_factor, config.bandwidth_hz)

    @property
    def is_full(self) -> bool:
        """Whether as many are reserved as there should be."""
        return len(self._reserved) >= RESERVED_AHEAD

    def next(self, reference: TimeReference, now: Instant, latitude_deg: float, longitude_deg: float) -> Transmit:
        """The beacon after the last one, or the first that is still to come."""
        period_s = self._config.period_s
        next_s = (reference.gps_us_at(now) // US_PER_S // period_s + 1) * period_s
        if self._last_s is not None:
            next_s = max(next_s, self._last_s + period_s)
        self._last_s = next_s
        config = self._config
        payload = encode_beacon(
            Beacon.at(next_s, latitude_deg, longitude_deg, config.info_desc), config.spreading_factor
        )
        self._reserved[payload] = next_s
        channel = next_s // period_s % config.freq_count
        return Transmit(
            at=reference.instant_of_gps(next_s * US_PER_S + BEACON_DELAY_US),
            payload=payload,
            freq_hz=config.freq_hz + channel * config.freq_step_hz,
            modulation=self._modulation,
            power_dbm=config.power_dbm,
            airtime_us=lora_airtime_us(
                len(payload),
                self._modulation,
                preamble_symbols=BEACON_PREAMBLE_SYMBOLS,
                explicit_header=False,
                crc=False,
            ),
            inverted_iq=False,
            crc=False,
            preamble_symbols=BEACON_PREAMBLE_SYMBOLS,
            explicit_header=False,
        )

    def is_beacon(self, transmit: Transmit) -> bool:
        """Whether this frame was reserved here."""
        return transmit.payload in self._reserved and not transmit.explicit_header

    def retimed(self, transmit: Transmit, reference: TimeReference) -> Transmit:
        """A beacon with its instant and its frequency by the latest pairing, and done with."""
        gps_s = self._reserved.pop(transmit.payload)
        # the counter and the carrier come from one crystal: what makes the one run fast makes the other high
        return replace(
            transmit,
            at=reference.instant_of_gps(gps_s * US_PER_S + BEACON_DELAY_US),
            freq_hz=round(transmit.freq_hz / reference.rate),
        )

    def forget_all(self) -> None:
        """None is reserved any more: the next ones to come are reserved anew."""
        self._reserved.clear()
        self._last_s = None

    def forget(self, transmit: Transmit) -> None:
        """A beacon that was not taken, or will not be sent."""
        self._reserved.pop(transmit.payload, None)
