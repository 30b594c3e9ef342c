"""The packet forwarder: radio on one side, Semtech UDP on the other.

Source: Semtech PROTOCOL.md (sx1302_hal 2.1.0, protocol 1.6); lora_pkt_fwd.c of the same release for behaviour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_fw.forwarder.clock import GatewayClock
from gateway_fw.forwarder.config import ForwarderConfig, TxChain
from gateway_fw.forwarder.jit_queue import JitQueue, Kind
from gateway_fw.forwarder.statistics import IntervalCounters
from gateway_fw.gwmp.events import DatagramReceived
from gateway_fw.gwmp.gateway import (
    AckDownlink,
    DownlinkRequested,
    GatewayLinkCore,
    GatewayLinkEffect,
    GatewayLinkEvent,
    SendDatagram,
    SendStat,
    SendUplinks,
)
from gateway_fw.gwmp.packets import TxError
from gateway_fw.gwmp.rxpk import CRC_BAD, CRC_OK, Rxpk
from gateway_fw.gwmp.stat import Stat
from gateway_fw.gwmp.txpk import Txpk
from lorawan.machine import Dropped, Instant
from lorawan.phy.airtime import LORAWAN_PREAMBLE_SYMBOLS, lora_airtime_us
from lorawan.phy.modulation import CodingRate, LoraModulation
from lorawan.phy.radio import Heard, Transmit

MIN_PREAMBLE_SYMBOLS = 6  # lora_pkt_fwd.c MIN_LORA_PREAMB
_REFERENCE = "lora_pkt_fwd.c (sx1302_hal 2.1.0), thread_down"


@dataclass(frozen=True, slots=True)
class QueueBeacon:
    """Event: reserve a beacon's time on RF chain 0 and send it there."""

    transmit: Transmit


ForwarderEvent = Heard | DatagramReceived | QueueBeacon
ForwarderEffect = SendDatagram | Transmit | Dropped


class ForwarderCore:
    """One gateway: concentrator counter, filters, Semtech UDP link, one just-in-time queue an RF chain, statistics.

    A frame that is heard is forwarded at once in a PUSH_DATA of its own (the reference polls every 10 ms and may put
    several into one). A downlink is answered when it is queued; `Transmit` comes 40 ms before air. What the reference
    drops without TX_ACK (a missing field, a chain that may not transmit) is Dropped here, also without one. FSK
    downlinks are answered UNKNOWN: this radio sends LoRa.
    """

    def __init__(self, config: ForwarderConfig) -> None:
        self.config = config
        self.counters = IntervalCounters()
        self._clock = GatewayClock(config.counter_offset_us, config.origin_unix_us)
        self._link = GatewayLinkCore(
            config.gateway_eui,
            keepalive_us=config.keepalive_us,
            version=config.version,
            first_token=config.first_token,
        )
        self._queues = tuple(JitQueue() for _ in config.tx_chains)
        self._stat_at = config.stat_interval_us
        self._channel_of = {freq_hz: index for index, freq_hz in enumerate(config.channels_hz)}

    @property
    def wake_at(self) -> Instant:
        """The earliest of keepalive, status report and the next frame to be programmed."""
        at = self._link.wake_at
        if self._stat_at is not None and self._stat_at < at:
            at = self._stat_at
        for queue in self._queues:
            due = queue.program_at
            if due is not None and due < at:
                at = due
        return at

    def wake(self, now: Instant) -> Sequence[ForwarderEffect]:
        """Program what is due, then keep alive, then report."""
        effects: list[ForwarderEffect] = []
        for queue in self._queues:
            due, missed = queue.pop_due(now)
            self.counters.emitted += len(due)
            effects.extend(due)
            effects.extend(Dropped("missed", "jitqueue.c, jit_peek", f"start {late.at}, now {now}") for late in missed)
        for effect in self._link.wake(now):
            effects.extend(self._carry(effect, now))
        if self._stat_at is not None and self.config.stat_interval_us and now >= self._stat_at:
            self._stat_at += self.config.stat_interval_us
            if self._stat_at <= now:
                self._stat_at = now + self.config.stat_interval_us
            effects.extend(self._report(now))
        return effects

    def handle(self, event: ForwarderEvent, now: Instant) -> Sequence[ForwarderEffect]:
        """Take one event in."""
        if isinstance(event, Heard):
            return self._heard(event, now)
        if isinstance(event, DatagramReceived):
            return self._through_link(event, now)
        error = self._queues[0].enqueue(event.transmit, now, Kind.BEACON)
        return () if error is TxError.NONE else (Dropped("beacon_refused", "jitqueue.c, jit_enqueue", str(error)),)

    def _heard(self, heard: Heard, now: Instant) -> Sequence[ForwarderEffect]:
        counters = self.counters
        counters.received += 1
        counters.crc_ok += heard.crc_ok
        rxpk = self._rxpk(heard)
        refusal = self.config.uplink_filter.refusal(rxpk)
        if refusal is not None:
            return (refusal,)
        counters.forwarded += 1
        return self._through_link(SendUplinks((rxpk,)), now)

    def _rxpk(self, heard: Heard) -> Rxpk:
        time, tmms = None, None
        if self.config.gps:
            time = self._clock.utc(heard.at).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            tmms = self._clock.gps_ms(heard.at)
        return Rxpk(
            self._clock.counter(heard.at),
            heard.freq_hz,
            heard.modulation,
            heard.coding_rate,
            heard.rssi_dbm,
            heard.snr_db,
            heard.payload,
            CRC_OK if heard.crc_ok else CRC_BAD,
            self._channel_of.get(heard.freq_hz, 0),
            0,
            time,
            tmms,
        )

    def _through_link(self, event: GatewayLinkEvent, now: Instant) -> Sequence[ForwarderEffect]:
        before = self._link.push_acked
        link_effects = self._link.handle(event, now)
        self.counters.push_acked += self._link.push_acked - before
        effects: list[ForwarderEffect] = []
        for effect in link_effects:
            effects.extend(self._carry(effect, now))
        return effects

    def _carry(self, effect: GatewayLinkEffect, now: Instant) -> Sequence[ForwarderEffect]:
        if isinstance(effect, DownlinkRequested):
            return self._downlink(effect, now)
        if isinstance(effect, SendDatagram):
            self.counters.push_sent += effect.upstream
        return (effect,)

    def _downlink(self, request: DownlinkRequested, now: Instant) -> Sequence[ForwarderEffect]:
        txpk, token = request.txpk, request.token
        if not txpk.imme and txpk.tmst is None and not self.config.gps:
            return self._answer(token, TxError.GPS_UNLOCKED, now)
        chain = self.config.tx_chains[txpk.rf_chain] if txpk.rf_chain < len(self.config.tx_chains) else None
        if chain is None or not chain.enabled:
            return (Dropped("tx_disabled", _REFERENCE, f"rfch {txpk.rf_chain}"),)
        self.counters.downlinks += 1
        if not isinstance(txpk.modulation, LoraModulation):
            unsupported = Dropped("unsupported_modulation", "this radio sends LoRa", f"FSK {txpk.modulation} bit/s")
            return (unsupported, *self._answer(token, TxError.UNKNOWN, now))
        if not chain.min_freq_hz <= txpk.freq_hz <= chain.max_freq_hz:
            return self._answer(token, TxError.TX_FREQ, now)
        kind, start = self._when(txpk, now)
        transmit, as_asked = self._transmit(txpk, txpk.modulation, chain, start)
        error = self._queues[txpk.rf_chain].enqueue(transmit, now, kind)
        if error is TxError.NONE and not as_asked:
            return self._answer(token, error, now, transmit.power_dbm)
        return self._answer(token, error, now)

    def _when(self, txpk: Txpk, now: Instant) -> tuple[Kind, Instant]:
        if txpk.imme:
            return Kind.CLASS_C, now
        if txpk.tmst is not None:
            return Kind.CLASS_A, self._clock.instant_of(txpk.tmst, now)
        return Kind.CLASS_B, self._clock.instant_of_gps(txpk.tmms or 0)

    def _transmit(
        self, txpk: Txpk, modulation: LoraModulation, chain: TxChain, start: Instant
    ) -> tuple[Transmit, bool]:
        # without powe the reference asks its table for 0 dBm
        wanted_dbm = 0.0 if txpk.power_dbm is None else txpk.power_dbm - self.config.antenna_gain_dbi
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
        )
        return transmit, power_dbm == wanted_dbm

    def _answer(
        self, token: int, error: TxError, now: Instant, power_dbm: float | None = None
    ) -> Sequence[ForwarderEffect]:
        warning = None if power_dbm is None else "TX_POWER"
        return self._through_link(AckDownlink(token, error, warning, power_dbm), now)

    def _report(self, now: Instant) -> Sequence[ForwarderEffect]:
        counters, self.counters = self.counters, IntervalCounters()
        config = self.config
        stat = Stat(
            time=self._clock.utc(now).strftime("%Y-%m-%d %H:%M:%S GMT"),
            latitude_deg=config.latitude_deg,
            longitude_deg=config.longitude_deg,
            altitude_m=config.altitude_m,
            rxnb=counters.received,
            rxok=counters.crc_ok,
            rxfw=counters.forwarded,
            ackr_percent=counters.acked_percent,
            dwnb=counters.downlinks,
            txnb=counters.emitted,
        )
        return self._through_link(SendStat(stat), now)
