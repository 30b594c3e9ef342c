"""The packet forwarder: radio on one side, Semtech UDP with one or more servers on the other.

Source: Semtech PROTOCOL.md (sx1302_hal 2.1.0, protocol 1.6); lora_pkt_fwd.c of the same release for behaviour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway_fw.concentrator.events import FskReception, Reception, Started, StatusRead, TransmitRefused
from gateway_fw.forwarder.beaconing import Beaconing
from gateway_fw.forwarder.clock import GatewayClock, utc_of
from gateway_fw.forwarder.config import ForwarderConfig
from gateway_fw.forwarder.downlinks import ChannelIsFree, DownlinkDesk
from gateway_fw.forwarder.jit_queue import Kind
from gateway_fw.forwarder.receptions import RxpkMaker, crc_ok
from gateway_fw.forwarder.spool import Persist, PersistAll, PersistDone, PersistFailed, PersistRecovered, SpoolRestored
from gateway_fw.forwarder.statistics import IntervalCounters, Totals
from gateway_fw.forwarder.uplinks import UplinkEffect, Uplinks
from gateway_fw.gps.reference import Position, TimeLost, TimeReference
from gateway_fw.gwmp.events import DatagramReceived
from gateway_fw.gwmp.gateway import AckDownlink, DownlinkRequested, SendDatagram
from gateway_fw.gwmp.packets import TxError
from gateway_fw.gwmp.stat import Stat
from gateway_fw.gwmp.txpk import Txpk
from lorawan.machine import Dropped, Instant
from lorawan.phy.radio import Heard, Transmit
from lorawan.units import US_PER_S

CLOCK_STEP_US = 5 * US_PER_S  # assumption: less is a crystal that drifts, not a clock that is set
BEACON_LOOK_US = US_PER_S  # assumption: how often a gateway without a valid time looks again
_REFERENCE = "lora_pkt_fwd.c (sx1302_hal 2.1.0), thread_down"


@dataclass(frozen=True, slots=True)
class QueueBeacon:
    """Event: reserve a beacon's time on RF chain 0 and send it there."""

    transmit: Transmit


@dataclass(frozen=True, slots=True)
class WallClock:
    """Event: the system's clock says that it is this time now, µs since 1970 UTC. GPS time goes before it.

    A step (a gateway without a battery gets the time when its network comes up) also corrects what waits in the spool.
    """

    unix_us: int


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Event: the end is near. Frames that start within grace_us are still sent; everything else waits for nobody.

    From here on requests are answered UNKNOWN. A last status report goes out at once.
    """

    grace_us: int = 2 * US_PER_S


ForwarderEvent = (
    Heard
    | Reception
    | FskReception
    | DatagramReceived
    | QueueBeacon
    | Started
    | StatusRead
    | TransmitRefused
    | TimeReference
    | TimeLost
    | Position
    | SpoolRestored
    | PersistFailed
    | PersistRecovered
    | WallClock
    | Shutdown
)
ForwarderEffect = SendDatagram | Transmit | Dropped | Persist | PersistAll | PersistDone


class ForwarderCore:
    """One gateway: concentrator counter, filters, a Semtech UDP link and a spool for each server, one just-in-time
    queue an RF chain, duty cycle, beacons, statistics.

    A frame that is heard is forwarded at once, to every server, in a PUSH_DATA of its own (the reference polls every
    10 ms and may put several into one). A downlink may come from any server and is answered to that one when it is
    queued; `Transmit` comes 40 ms before air. What the reference drops without TX_ACK (a missing field, a chain that
    may not transmit) is Dropped here, also without one. FSK downlinks are answered UNKNOWN: this radio sends LoRa. So
    are those that would break the duty cycle, for which the protocol has no word.

    channel_is_free: listen before talk; a pure function that the radio's driver supplies, asked when a frame is due.
    A frame that it refuses is Dropped and counted; the server is not told (it has its TX_ACK), as with the reference.
    """

    def __init__(self, config: ForwarderConfig, *, channel_is_free: ChannelIsFree | None = None) -> None:
        self.config = config
        self.counters = IntervalCounters()
        self.totals = Totals()
        self._clock = GatewayClock(config.counter_offset_us, config.origin_unix_us)
        self._uplinks = Uplinks(config)
        self._desk = DownlinkDesk(config, channel_is_free)
        self._rxpks = RxpkMaker(config)
        self._beaconing = Beaconing(config.beacon) if config.beacon is not None else None
        self._stat_at = config.stat_interval_us
        self._beacon_look_at: Instant = 0
        self._reference: TimeReference | None = None
        self._position: Position | None = None
        self._temperature_c: float | None = None
        self._ending = False

    @property
    def waiting(self) -> tuple[int, ...]:
        """For each server, how many uplinks it has not acknowledged. Zeros without a spool."""
        return self._uplinks.waiting

    @property
    def is_idle(self) -> bool:
        """Whether no frame waits to be programmed."""
        return not len(self._desk)

    @property
    def busy_until(self) -> Instant:
        """The end of the last frame that was programmed."""
        return self._desk.busy_until

    def has_time(self, now: Instant) -> bool:
        """Whether GPS time is known."""
        return self.config.gps or self._valid_reference(now) is not None

    @property
    def wake_at(self) -> Instant:
        """The earliest of keepalive, resending, status report, beacon and the next frame to be programmed."""
        at = self._uplinks.wake_at
        if self._stat_at is not None and self._stat_at < at:
            at = self._stat_at
        due = self._desk.program_at
        if due is not None and due < at:
            at = due
        if self._beaconing is not None and not self._beaconing.is_full and self._beacon_look_at < at:
            at = self._beacon_look_at
        return at

    def wake(self, now: Instant) -> Sequence[ForwarderEffect]:
        """Program what is due, then keep alive and resend, then report, then reserve beacons."""
        effects: list[ForwarderEffect] = []
        effects.extend(self._program(now))
        effects.extend(self._carry(self._uplinks.wake(now, self._clock, self._unix_us(now)), now))
        if self._stat_at is not None and self.config.stat_interval_us and now >= self._stat_at:
            self._stat_at += self.config.stat_interval_us
            if self._stat_at <= now:
                self._stat_at = now + self.config.stat_interval_us
            effects.extend(self._report(now))
        if self._beaconing is not None and now >= self._beacon_look_at:
            effects.extend(self._reserve_beacons(self._beaconing, now))
        return effects

    def handle(self, event: ForwarderEvent, now: Instant) -> Sequence[ForwarderEffect]:
        """Take one event in."""
        if isinstance(event, Heard | Reception | FskReception):
            return self._heard(event, now)
        if isinstance(event, DatagramReceived):
            return self._carry(self._uplinks.datagram(event, now), now)
        if isinstance(event, QueueBeacon):
            return self._beacon(event.transmit, now)
        if isinstance(event, SpoolRestored | PersistFailed | PersistRecovered):
            return self._uplinks.spool_event(event, self._unix_us(now), now)
        if isinstance(event, WallClock):
            return self._wall_clock(event, now)
        if isinstance(event, TransmitRefused):
            self._desk.refund(event.transmit)
            self.totals.radio_refused += 1
            return (Dropped("radio_refused", "the concentrator's answer", f"{event.reason} {event.detail}".strip()),)
        if isinstance(event, Shutdown):
            return self._shut_down(event, now)
        if isinstance(event, Started):
            return self._started(event, now)
        if isinstance(event, TimeReference):
            self._reference = event
        elif isinstance(event, TimeLost):
            self._reference = None
        elif isinstance(event, Position):
            self._position = event
        else:
            self._temperature_c = event.temperature_c
        return ()

    def _started(self, event: Started, now: Instant) -> Sequence[ForwarderEffect]:
        """The radio has a new counter; what was placed on the one before would go out at some other instant."""
        self._clock = replace(self._clock, counter_offset_us=-event.clock_origin)
        self._reference = None  # of another counter
        gone = self._desk.let_go()
        if self._beaconing is not None:
            self._beaconing.forget_all()
        return [
            Dropped("restarted", "the concentrator has a new counter", f"start {transmit.at}, now {now}")
            for transmit in gone
        ]

    def _wall_clock(self, event: WallClock, now: Instant) -> Sequence[ForwarderEffect]:
        step_us = event.unix_us - self._clock.unix_us(now)
        self._clock = replace(self._clock, origin_unix_us=event.unix_us - now)
        if abs(step_us) < CLOCK_STEP_US or self._valid_reference(now) is not None:
            return ()
        detail = f"the system's clock was set by {step_us / US_PER_S:.1f} s"
        return (Dropped("clock_step", "system clock", detail), *self._uplinks.set_right(step_us))

    def _heard(self, event: Heard | Reception | FskReception, now: Instant) -> Sequence[ForwarderEffect]:
        counters = self.counters
        counters.received += 1
        counters.crc_ok += crc_ok(event)
        rxpk = self._rxpks.rxpk(event, self._clock, self._valid_reference(now))
        refusal = self.config.uplink_filter.refusal(rxpk)
        if refusal is not None:
            return (refusal,)
        counters.forwarded += 1
        self.totals.forwarded += 1
        return self._carry(self._uplinks.push(rxpk, self._unix_us(now), now), now)

    def _carry(self, effects: Sequence[UplinkEffect], now: Instant) -> Sequence[ForwarderEffect]:
        carried: list[ForwarderEffect] = []
        for effect in effects:
            if isinstance(effect, DownlinkRequested):
                carried.extend(self._downlink(effect, now))
            else:
                carried.append(effect)
        self._uplinks.move_counts(self.counters)
        return carried

    def _downlink(self, request: DownlinkRequested, now: Instant) -> Sequence[ForwarderEffect]:
        txpk = request.txpk
        reference = self._valid_reference(now)
        if not txpk.imme and txpk.tmst is None and reference is None and not self.config.gps:
            return self._answer(request, TxError.GPS_UNLOCKED, now)
        chain = self._desk.chain(txpk.rf_chain)
        if chain is None:
            return (Dropped("tx_disabled", _REFERENCE, f"rfch {txpk.rf_chain}"),)
        self.counters.downlinks += 1
        self.totals.downlinks += 1
        if self._ending:
            return self._answer(request, TxError.UNKNOWN, now)
        kind, start = self._when(txpk, reference, now)
        verdict = self._desk.request(txpk, chain, kind, start, now)
        dropped = () if verdict.dropped is None else (verdict.dropped,)
        return (*dropped, *self._answer(request, verdict.error, now, verdict.power_dbm))

    def _when(self, txpk: Txpk, reference: TimeReference | None, now: Instant) -> tuple[Kind, Instant]:
        if txpk.imme:
            return Kind.CLASS_C, now
        if txpk.tmst is not None:
            return Kind.CLASS_A, self._clock.instant_of(txpk.tmst, now)
        tmms = txpk.tmms or 0
        if reference is not None:
            return Kind.CLASS_B, reference.instant_of_gps(tmms * 1000)
        return Kind.CLASS_B, self._clock.instant_of_gps(tmms)

    def _answer(
        self, request: DownlinkRequested, error: TxError, now: Instant, power_dbm: float | None = None
    ) -> Sequence[ForwarderEffect]:
        self.totals.answered[error] = self.totals.answered.get(error, 0) + 1
        warning = None if power_dbm is None else "TX_POWER"
        answer = AckDownlink(request.token, error, warning, power_dbm)
        return self._carry(self._uplinks.answer(request.server, answer, now), now)

    def _program(self, now: Instant) -> Sequence[ForwarderEffect]:
        due = self._desk.take_due(now)
        effects: list[ForwarderEffect] = []
        for frame in due.transmits:
            transmit = frame
            if self._beaconing is not None and self._beaconing.is_beacon(frame):
                reference = self._valid_reference(now)
                if reference is None:
                    self._beaconing.forget(frame)
                    self._desk.refund(frame)
                    effects.append(Dropped("beacon_without_time", "TS001-1.0.4 §13.5", f"start {frame.at}"))
                    continue
                transmit = self._beaconing.retimed(frame, reference)
                self.totals.beacons += 1
            self.counters.emitted += 1
            self.totals.emitted += 1
            effects.append(transmit)
        effects.extend(due.dropped)
        return effects

    def _beacon(self, transmit: Transmit, now: Instant) -> Sequence[ForwarderEffect]:
        error = self._desk.reserve_beacon(transmit, now)
        return () if error is TxError.NONE else (Dropped("beacon_refused", "jitqueue.c, jit_enqueue", str(error)),)

    def _reserve_beacons(self, beaconing: Beaconing, now: Instant) -> Sequence[ForwarderEffect]:
        self._beacon_look_at = now + BEACON_LOOK_US
        reference = self._valid_reference(now)
        if reference is None or self._ending:
            return ()
        effects: list[ForwarderEffect] = []
        latitude_deg, longitude_deg, _ = self._location()
        for _ in range(4):  # the reference's number of retries
            if beaconing.is_full:
                break
            transmit = beaconing.next(reference, now, latitude_deg or 0.0, longitude_deg or 0.0)
            refused = self._beacon(transmit, now)
            if refused:
                beaconing.forget(transmit)
            effects.extend(refused)
        return effects

    def _shut_down(self, event: Shutdown, now: Instant) -> Sequence[ForwarderEffect]:
        self._ending = True
        effects = [
            Dropped("shutdown", "graceful stop", f"start {transmit.at}, now {now}")
            for transmit in self._desk.let_go(now + event.grace_us)
        ]
        self._stat_at = None
        return (*effects, *self._report(now))

    def _report(self, now: Instant) -> Sequence[ForwarderEffect]:
        counters, self.counters = self.counters, IntervalCounters()
        latitude_deg, longitude_deg, altitude_m = self._location()
        stat = Stat(
            time=utc_of(self._unix_us(now)).strftime("%Y-%m-%d %H:%M:%S GMT"),
            latitude_deg=latitude_deg,
            longitude_deg=longitude_deg,
            altitude_m=altitude_m,
            rxnb=counters.received,
            rxok=counters.crc_ok,
            rxfw=counters.forwarded,
            ackr_percent=counters.acked_percent,
            dwnb=counters.downlinks,
            txnb=counters.emitted,
            temperature_c=self._temperature_c,
        )
        return self._carry(self._uplinks.report(stat, now), now)

    def _location(self) -> tuple[float | None, float | None, float | None]:
        if self._position is not None:
            return self._position.latitude_deg, self._position.longitude_deg, self._position.altitude_m
        return self.config.latitude_deg, self.config.longitude_deg, self.config.altitude_m

    def _valid_reference(self, now: Instant) -> TimeReference | None:
        return self._reference if self._reference is not None and self._reference.is_valid(now) else None

    def _unix_us(self, now: Instant) -> int:
        reference = self._valid_reference(now)
        return self._clock.unix_us(now) if reference is None else reference.unix_us_at(now)
