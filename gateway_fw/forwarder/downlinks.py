"""From a txpk to a transmission, or to the reason why not: limits of the RF chain, duty cycle, just-in-time queue.

Source: lora_pkt_fwd.c (sx1302_hal 2.1.0), thread_down and thread_jit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gateway_fw.forwarder.config import ForwarderConfig, TxChain
from gateway_fw.forwarder.duty_cycle import DutyCycleGuard
from gateway_fw.forwarder.jit_queue import JitQueue, Kind
from gateway_fw.gwmp.packets import TxError
from gateway_fw.gwmp.txpk import Txpk
from lorawan.machine import Dropped, Instant
from lorawan.phy.airtime import LORAWAN_PREAMBLE_SYMBOLS, lora_airtime_us
from lorawan.phy.modulation import CodingRate, LoraModulation
from lorawan.phy.radio import Transmit

MIN_PREAMBLE_SYMBOLS = 6  # lora_pkt_fwd.c MIN_LORA_PREAMB
_DUTY_CLAUSE = "duty cycle of the sub-band, ETSI EN 300 220-2 annex B"

ChannelIsFree = Callable[[Transmit, Instant], bool]
"""Listen before talk: whether this may go on the air. Asked once, when the frame is about to be programmed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a request was taken. power_dbm: the power that will be used, where it is not the one asked for."""

    error: TxError
    power_dbm: float | None = None
    dropped: Dropped | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be programmed now, and what will never be sent."""

    transmits: Sequence[Transmit]
    dropped: Sequence[Dropped]


class DownlinkDesk:
    """One just-in-time queue for each RF chain, and the account of airtime they share."""

    def __init__(self, config: ForwarderConfig, channel_is_free: ChannelIsFree | None = None) -> None:
        self._config, self._channel_is_free = config, channel_is_free
        self._queues = tuple(JitQueue() for _ in config.tx_chains)
        self.guard = DutyCycleGuard(config.duty_cycle)
        self._on_air_until: Instant = 0
        self.lbt_refused = 0

    def __len__(self) -> int:
        return sum(map(len, self._queues))

    @property
    def busy_until(self) -> Instant:
        """The end of the last frame that was programmed."""
        return self._on_air_until

    @property
    def program_at(self) -> Instant | None:
        """When the next frame must be programmed."""
        earliest: Instant | None = None
        for queue in self._queues:
            at = queue.program_at
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        return earliest

    def chain(self, number: int) -> TxChain | None:
        """The RF chain, None where there is none or it does not transmit."""
        chains = self._config.tx_chains
        return chains[number] if number < len(chains) and chains[number].enabled else None

    def request(self, txpk: Txpk, chain: TxChain, kind: Kind, start: Instant, now: Instant) -> Verdict:
        """Take a downlink in, or say why not."""
        if not isinstance(txpk.modulation, LoraModulation):
            detail = f"FSK {txpk.modulation} bit/s"
            return Verdict(TxError.UNKNOWN, None, Dropped("unsupported_modulation", "this radio sends LoRa", detail))
        if not chain.min_freq_hz <= txpk.freq_hz <= chain.max_freq_hz or not self.guard.knows(txpk.freq_hz):
            return Verdict(TxError.TX_FREQ)
        transmit, as_asked = self._transmit(txpk, txpk.modulation, chain, start)
        queue = self._queues[txpk.rf_chain]
        error, placed = queue.place(transmit, now, kind)
        if error is not TxError.NONE:
            return Verdict(error)
        if not self.guard.allows(placed.freq_hz, placed.airtime_us, placed.at):
            self.guard.refused += 1
            detail = f"{placed.airtime_us} µs at {placed.freq_hz} Hz do not fit into the hour"
            return Verdict(TxError.UNKNOWN, None, Dropped("duty_cycle", _DUTY_CLAUSE, detail))
        queue.insert(placed, kind)
        self.guard.spend(placed.freq_hz, placed.airtime_us, placed.at, now)
        return Verdict(TxError.NONE, None if as_asked else placed.power_dbm)

    def reserve_beacon(self, transmit: Transmit, now: Instant) -> TxError:
        """Reserve a beacon's time on RF chain 0. It counts for the duty cycle, and goes before it."""
        error = self._queues[0].enqueue(transmit, now, Kind.BEACON)
        if error is TxError.NONE:
            self.guard.spend(transmit.freq_hz, transmit.airtime_us, transmit.at, now)
        return error

    def take_due(self, now: Instant) -> Due:
        """Frames whose time has come."""
        transmits: list[Transmit] = []
        dropped: list[Dropped] = []
        for number, queue in enumerate(self._queues):
            due, missed = queue.pop_due(now)
            for late in missed:
                self.refund(late)
                dropped.append(Dropped("missed", "jitqueue.c, jit_peek", f"start {late.at}, now {now}"))
            for frame in due:
                transmit = frame if frame.rf_chain == number else replace(frame, rf_chain=number)
                if self._channel_is_free is not None and not self._channel_is_free(transmit, now):
                    self.lbt_refused += 1
                    self.refund(transmit)
                    dropped.append(Dropped("lbt", "listen before talk", f"{transmit.freq_hz} Hz is taken"))
                    continue
                self._on_air_until = max(self._on_air_until, transmit.at + transmit.airtime_us)
                transmits.append(transmit)
        return Due(transmits, dropped)

    def let_go(self, after: Instant | None = None) -> Sequence[Transmit]:
        """Forget the frames that would start later than this (None: all of them), and return them."""
        gone = [transmit for queue in self._queues for transmit in queue.let_go(after)]
        for transmit in gone:
            self.refund(transmit)
        return gone

    def refund(self, transmit: Transmit) -> None:
        """A frame that was accounted did not go on the air."""
        self.guard.refund(transmit.freq_hz, transmit.airtime_us, transmit.at)

    def _transmit(
        self, txpk: Txpk, modulation: LoraModulation, chain: TxChain, start: Instant
    ) -> tuple[Transmit, bool]:
        # without powe the reference asks its table for 0 dBm
        wanted_dbm = 0.0 if txpk.power_dbm is None else txpk.power_dbm - self._config.antenna_gain_dbi
        power_dbm = chain.power_for(wanted_dbm)
        coding_rate = txpk.coding_rate or CodingRate.CR_4_5
        preamble = LORAWAN_PREAMBLE_SYMBOLS if txpk.preamble is None else max(txpk.preamble, MIN_PREAMBLE_SYMBOLS)
        airtime_us = lora_airtime_us(
            len(txpk.payload),
            modulation,
            coding_rate=coding_rate,
            preamble_symbols=preamble,
            explicit_header=not txpk.no_header,
            crc=not txpk.no_crc,
        )
        transmit = Transmit(
            at=start,
            payload=txpk.payload,
            freq_hz=txpk.freq_hz,
            modulation=modulation,
            power_dbm=float(power_dbm),
            airtime_us=airtime_us,
            inverted_iq=txpk.inverted_polarity,
            crc=not txpk.no_crc,
            coding_rate=coding_rate,
            preamble_symbols=preamble,
            explicit_header=not txpk.no_header,
            rf_chain=txpk.rf_chain,
        )
        return transmit, power_dbm == wanted_dbm
