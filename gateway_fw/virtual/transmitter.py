"""One of the SX1302's two transmitters: programmed by registers, triggered by a rising bit, told by a status byte.

Source: sx1302_hal 2.1.0, src/loragw_sx1302.c (sx1302_send, sx1302_tx_set_start_delay, sx1302_tx_status,
sx1302_tx_abort).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway_fw.virtual.channels import BANDWIDTHS_HZ
from gateway_fw.virtual.chip_clock import TICKS_PER_US, WRAP, ChipClock, last_pulse
from gateway_fw.virtual.rounding import asked_hz
from lorawan.machine import Dropped, Instant
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import CodingRate, LoraModulation
from lorawan.phy.radio import Transmit
from lorawan.units import US_PER_S

FREE, SCHEDULED, EMITTING = 0x80, 0x91, 0x60
IMMEDIATE, DELAYED, ON_PULSE = 0x01, 0x02, 0x04
TX_STEP_HZ = 32e6 / (1 << 18)
PAYLOAD_OFFSET = 0x100
ABORTED = "tx_aborted"
PULSE_DELAY_US = 1500  # TX_START_DELAY_DEFAULT; LoRaWAN 1.0.4 §13.2: TBeaconDelay, 1.5 ms
CLAUSE = "sx1302_hal 2.1.0, sx1302_send"

# The stock EU868 gain table of sx1302_hal 2.1.0 (global_conf.json.sx1250.EU868.USB): power word to dBm. The word is the
# external amplifier's bit 6 and the SX1250's power index.
EU868_POWER_DBM: Mapping[int, float] = {
    **dict(zip((15, 16, 17, 19, 20, 22), range(12, 18), strict=True)),
    **{0x40 | index: dbm for index, dbm in zip((1, 2, 3, 4, 5, 6, 7, 9, 11, 14), range(18, 28), strict=True)},
}


@dataclass(frozen=True, slots=True)
class OnAir:
    """A transmission under way or to come."""

    trigger: int
    transmit: Transmit

    @property
    def ends_at(self) -> Instant:
        """End of the last symbol."""
        return self.transmit.at + self.transmit.airtime_us


class Transmitter:
    """Chain 0 or 1. `trigger` is told of every write to the trigger register."""

    def __init__(self, chain: int, power_dbm: Mapping[int, float]) -> None:
        self.chain = chain
        self._power_dbm = dict(sorted(power_dbm.items()))
        self.on_air: OnAir | None = None

    def reset(self) -> None:
        """Power came, or the chip was reset."""
        self.on_air = None

    def status(self, now: Instant, *, stuck: bool = False) -> int:
        """The status byte at an instant. stuck: it never gets free once it has begun."""
        if self.on_air is None:
            return FREE
        if now < self.on_air.transmit.at:
            return SCHEDULED
        return EMITTING if stuck or now < self.on_air.ends_at else FREE

    def trigger(
        self, before: int, after: int, block: Sequence[int], clock: ChipClock, now: Instant, pulse_phase_us: int
    ) -> Transmit | Dropped | None:
        """The trigger register changed: a rising bit starts, the falling bit of what is under way ends it.

        block: the chain's registers and payload, 0x200 bytes.
        """
        rising, falling = after & ~before, before & ~after
        on_air = self.on_air
        if falling and on_air is not None and falling & on_air.trigger:
            self.on_air = None
            if now < on_air.ends_at:
                transmit = on_air.transmit
                return Dropped(ABORTED, "sx1302_hal 2.1.0, sx1302_tx_abort", f"start {transmit.at}, now {now}")
        for kind in (IMMEDIATE, DELAYED, ON_PULSE):
            if rising & kind:
                return self._start(kind, block, clock, now, pulse_phase_us)
        return None

    def _start(
        self, kind: int, block: Sequence[int], clock: ChipClock, now: Instant, pulse_phase_us: int
    ) -> Transmit | Dropped:
        delay_ticks = block[0x05] << 8 | block[0x06]
        delay_us = -(-delay_ticks // TICKS_PER_US)
        if kind == IMMEDIATE:
            at = now + delay_us
        elif kind == ON_PULSE:
            # the register holds 1500 µs less the chain's own delays, so that the air starts at 1500 µs exactly
            at = last_pulse(now, pulse_phase_us) + US_PER_S + PULSE_DELAY_US
        else:
            ticks = int.from_bytes(bytes(block[0x01:0x05]), "big") + delay_ticks
            # a trigger that has passed waits for the counter to come round again
            trigger_at = clock.next_time((ticks - delay_ticks) % WRAP, now)
            at = clock.next_time(ticks % WRAP, trigger_at)
        transmit = self._frame(block, at)
        if isinstance(transmit, Transmit):
            self.on_air = OnAir(kind, transmit)
        return transmit

    def _frame(self, block: Sequence[int], at: Instant) -> Transmit | Dropped:
        if block[0x09] & 1:
            return Dropped("tx_fsk", CLAUSE, f"chain {self.chain}: FSK is programmed; this radio sends LoRa")
        if block[0x20] & 0x03 != 0x01:
            return Dropped(
                "tx_not_modulated", CLAUSE, f"chain {self.chain}: the carrier's source is not the LoRa modem"
            )
        sf, bw_hz = block[0x60] & 0x0F, BANDWIDTHS_HZ.get(block[0x60] >> 4)
        rate = block[0x61] & 0x07
        if bw_hz is None or not 5 <= sf <= 12 or not 1 <= rate <= 4:
            detail = f"chain {self.chain}: rate 0x{block[0x60]:02X}, coding 0x{block[0x61]:02X}"
            return Dropped("tx_settings", CLAUSE, detail)
        modulation, coding_rate, crc = LoraModulation(sf, bw_hz), CodingRate(rate), bool(block[0x62] & 0x01)
        payload = bytes(block[PAYLOAD_OFFSET : PAYLOAD_OFFSET + block[0x63]])
        preamble_symbols, explicit_header = block[0x67] << 8 | block[0x66], not block[0x62] & 0x02
        airtime_us = lora_airtime_us(
            len(payload),
            modulation,
            coding_rate=coding_rate,
            preamble_symbols=preamble_symbols,
            explicit_header=explicit_header,
            crc=crc,
            ldro=bool(block[0x61] >> 4 & 0x03),
        )
        return Transmit(
            at,
            payload,
            asked_hz(int.from_bytes(bytes(block[0x25:0x28]), "big"), TX_STEP_HZ),
            modulation,
            self._dbm(block[0x0D]),
            airtime_us,
            inverted_iq=bool(block[0x69] & 0x02),
            crc=crc,
            coding_rate=coding_rate,
            preamble_symbols=preamble_symbols,
            explicit_header=explicit_header,
            rf_chain=self.chain,
        )

    def _dbm(self, word: int) -> float:
        """The power of a word; one that the table lacks has that of the next lower word, or the lowest."""
        found = [dbm for known, dbm in self._power_dbm.items() if known <= word]
        return float(found[-1] if found else next(iter(self._power_dbm.values()), 0))
