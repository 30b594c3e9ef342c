"""The gateway end of Basics Station: radio on one side, a server's websocket on the other.

Source: Basics Station 2.0.6 documentation, "The LNS Protocol"; tc.c, s2e.c, lora.c, timesync.c for behaviour.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from gateway_fw.errors import StationError
from gateway_fw.station.config import RouterConfig
from gateway_fw.station.control import ErrorMessage, RemoteCommand, RemoteShell, TimeSync, Version
from gateway_fw.station.downlink import DeviceClass, DnMsg, DnSched, DnTxed
from gateway_fw.station.events import Close, Closed, Connect, Connected, SendText, TextReceived
from gateway_fw.station.gps_sync import GpsSync
from gateway_fw.station.limits import DutyCycleGuard
from gateway_fw.station.link import Down, LinkEffect, Phase, StationLink, Up
from gateway_fw.station.messages import encode, parse, refusal_reason
from gateway_fw.station.planning import airtime_us, power_dbm, refused_uplink, scheduled_job, transmit_of, tx_job
from gateway_fw.station.tx_queue import Lost, OnAir, Outcome, Program, TxJob, TxQueue
from gateway_fw.station.uplink import UpInfo, Uplink
from gateway_fw.station.xtime import XTimeClock
from lorawan.ids import Eui64
from lorawan.machine import Dropped, Instant
from lorawan.phy.radio import Heard, Transmit
from lorawan.units import US_PER_S

MAX_WAITING_UPLINKS = 64  # s2conf.h, MAX_RXJOBS
_CLAUSE = "Basics Station 2.0.6, s2e.c"


@dataclass(frozen=True, slots=True)
class StationGatewayConfig:
    """A gateway as its owner sets it up.

    tc_uri: "ws://host:port" of the server's discovery. first_session: of xtime, 1–255; every router_config takes the
    next (Station draws them). counter_offset_us: the counter at instant 0. pps_phase_us: instants of PPS pulses modulo
    a second, None without PPS. antenna_gain_dbi: taken from the power radiated. no_duty_cycle: where router_config
    says nothing.
    """

    router: Eui64
    tc_uri: str
    version: Version = field(default_factory=lambda: Version("lorabench", model="virtual"))
    first_session: int = 1
    counter_offset_us: int = 0
    pps_phase_us: int | None = None
    antenna_gain_dbi: float = 0.0
    no_duty_cycle: bool = False


@dataclass(slots=True)
class StationCounters:
    """Since the start. heard: frames from the radio; forwarded: sent to the server; refused: by CRC, filters and
    format; overflowed: lost while waiting for the server. downlinks: frames asked for; programmed, on_air, lost: what
    became of them. malformed: records. connections: that led to a router_config."""

    heard: int = 0
    forwarded: int = 0
    refused: int = 0
    overflowed: int = 0
    downlinks: int = 0
    programmed: int = 0
    on_air: int = 0
    lost: int = 0
    malformed: int = 0
    connections: int = 0


@dataclass(frozen=True, slots=True)
class Configured:
    """Effect: the server set this gateway up; the radio listens as this says."""

    config: RouterConfig


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Effect: the data connection is gone. Frames heard wait for the next one."""

    why: str


StationGatewayEvent: TypeAlias = Heard | Connected | TextReceived | Closed
StationGatewayEffect: TypeAlias = Connect | SendText | Close | Transmit | Configured | Disconnected | Dropped


class StationGatewayCore:
    """One gateway of one radio. What it hears before its first router_config is dropped: Station's radio is off then.

    While the server is away up to 64 frames wait and are sent after the next router_config, with the xtime of their
    old session, so that no answer to them can be placed. `Transmit` comes 20 ms before air; dntxed 5 ms into the frame
    (the radio is taken to have sent it). Commands and shells are refused: runcmd is dropped, rmtsh answered with a list
    of no sessions.
    """

    def __init__(self, config: StationGatewayConfig, *, start: Instant = 0) -> None:
        self.config = config
        self.counters = StationCounters()
        self.router_config: RouterConfig | None = None
        self._link = StationLink(config.router, config.tc_uri, start=start)
        self._ready = False  # the connection has given a router_config
        self._session = config.first_session - 1
        self._clock = XTimeClock(config.first_session, config.counter_offset_us)
        self._gps = GpsSync(config.pps_phase_us)
        self._queue = TxQueue(self._airtime_us, DutyCycleGuard())
        self._waiting: deque[Uplink] = deque()
        self._mux_offset_us: float | None = None  # the server's UTC at instant 0, by the latest MuxTime
        self._utc_offset_us: float = 0.0  # the same, by the latest router_config

    @property
    def connected(self) -> bool:
        """Whether the server has this gateway set up and listens."""
        return self._ready and self._link.phase is Phase.DATA

    @property
    def wake_at(self) -> Instant | None:
        """The earliest of connection, downlinks and questions for the time."""
        times = (self._link.wake_at, self._queue.act_at, self._gps.ask_at)
        return min((at for at in times if at is not None), default=None)

    def wake(self, now: Instant) -> Sequence[StationGatewayEffect]:
        """Program what is due, then see to the connection, then ask for the time."""
        effects = self._outcomes(self._queue.act(now), now)
        effects += self._linked(self._link.wake(now))
        ask_at = self._gps.ask_at
        if ask_at is not None and now >= ask_at and self.connected:
            self._gps.asked(now)
            effects.append(SendText(self._link.connection, encode(TimeSync(now))))
        return effects

    def handle(self, event: StationGatewayEvent, now: Instant) -> Sequence[StationGatewayEffect]:
        """Take one event in."""
        if isinstance(event, Heard):
            return self._heard(event, now)
        if isinstance(event, TextReceived) and self._link.phase is Phase.DATA:
            return self._received(event, now) if event.connection == self._link.connection else ()
        return self._linked(self._link.handle(event, now))

    # -- connection ------------------------------------------------------------------------------------------------

    def _linked(self, link_effects: Sequence[LinkEffect]) -> list[StationGatewayEffect]:
        effects: list[StationGatewayEffect] = []
        for effect in link_effects:
            if isinstance(effect, Up):
                effects.append(SendText(self._link.connection, encode(self.config.version)))
            elif isinstance(effect, Down):
                self._ready = False
                self._gps.stop()
                effects.append(Disconnected(effect.why))
            else:
                effects.append(effect)
        return effects

    def _received(self, event: TextReceived, now: Instant) -> Sequence[StationGatewayEffect]:
        try:
            message = parse(event.text)
        except StationError as error:
            self.counters.malformed += 1
            return (Dropped(refusal_reason(error), error.clause, str(error)),)
        match message:
            case RouterConfig():
                return self._configure(message, now)
            case ErrorMessage():
                return (Dropped("server_error", _CLAUSE, message.error[:200]),)
            case RemoteCommand():
                return (Dropped("refused_command", _CLAUSE, "this gateway runs no commands"),)
            case RemoteShell():
                refused = Dropped("refused_shell", _CLAUSE, "this gateway has no shell")
                return (SendText(self._link.connection, encode(RemoteShell(0))), refused)
            case DnMsg() | DnSched() | TimeSync() if self._ready:
                self._server_time(message.mux_time_s, now)
                if isinstance(message, TimeSync):
                    return self._time(message, now)
                return self._downlinks(message, now)
            case DnMsg() | DnSched() | TimeSync():
                return (Dropped("before_router_config", _CLAUSE, type(message).__name__),)
            case _:
                return (Dropped("unexpected_msgtype", _CLAUSE, f"{type(message).__name__} is not for a gateway"),)

    def _configure(self, config: RouterConfig, now: Instant) -> Sequence[StationGatewayEffect]:
        if not any(chip.frequencies_hz() for chip in config.concentrators) and not config.up_channels:
            dropped = Dropped("router_config", _CLAUSE, "no channel to listen on")
            return (dropped, *self._linked(self._link.abandon(now, "router_config")))
        self.router_config, self._ready = config, True
        self._link.configured()
        self.counters.connections += 1
        self._session = self._session % 255 + 1
        self._clock = XTimeClock(self._session, self.config.counter_offset_us)
        limited = config.region in ("EU868", "EU863")
        unlimited = self.config.no_duty_cycle if config.no_duty_cycle is None else config.no_duty_cycle
        effects = self._outcomes(self._queue.clear("obsolete_xtime"), now)
        self._queue = TxQueue(self._airtime_us, DutyCycleGuard() if limited and not unlimited else None)
        self._gps.restart(now)
        self._server_time(config.mux_time_s, now)
        self._utc_offset_us = self._mux_offset_us or 0.0
        effects.append(Configured(config))
        while self._waiting:
            effects.append(self._forward(self._waiting.popleft(), now))
        return effects

    def _server_time(self, mux_time_s: float | None, now: Instant) -> None:
        if mux_time_s is not None:
            self._mux_offset_us = mux_time_s * US_PER_S - now

    def _time(self, message: TimeSync, now: Instant) -> Sequence[StationGatewayEffect]:
        if message.gpstime_us is None:
            return (Dropped("timesync", _CLAUSE, "no gpstime"),)
        if message.xtime is not None:
            at = self._clock.instant(message.xtime)
            if at is None:
                return (Dropped("obsolete_xtime", _CLAUSE, f"timesync {message.xtime:#x}"),)
            self._gps.told(at, message.gpstime_us)
        elif message.txtime_us is not None:
            self._gps.answered(message.txtime_us, now, message.gpstime_us)
        return ()

    # -- uplinks ---------------------------------------------------------------------------------------------------

    def _heard(self, heard: Heard, now: Instant) -> Sequence[StationGatewayEffect]:
        self.counters.heard += 1
        config = self.router_config
        if config is None:
            self.counters.refused += 1
            return (Dropped("no_router_config", _CLAUSE, "the radio is off"),)
        dr = config.dr_of(heard.modulation)
        refusal = refused_uplink(heard, dr, config)
        if refusal is not None or dr is None:
            self.counters.refused += 1
            return () if refusal is None else (refusal,)
        info = UpInfo(
            rctx=0,
            xtime=self._clock.xtime(heard.at),
            rssi_dbm=float(round(heard.rssi_dbm)),
            snr_db=round(heard.snr_db * 4) / 4,
            gpstime_us=self._gps.gps_us(heard.at),
        )
        uplink = Uplink(heard.payload, dr, heard.freq_hz, info)
        if self.connected:
            return (self._forward(uplink, now),)
        self._waiting.append(uplink)
        if len(self._waiting) <= MAX_WAITING_UPLINKS:
            return ()
        self._waiting.popleft()
        self.counters.overflowed += 1
        return (Dropped("rx_queue_full", _CLAUSE, f"{MAX_WAITING_UPLINKS} frames wait for the server"),)

    def _forward(self, uplink: Uplink, now: Instant) -> SendText:
        self.counters.forwarded += 1
        ref_time_s = 0.0 if self._mux_offset_us is None else (now + self._mux_offset_us) / US_PER_S
        info = replace(uplink.upinfo, rx_unix_s=(now + self._utc_offset_us) / US_PER_S)
        return SendText(self._link.connection, encode(replace(uplink, upinfo=info, ref_time_s=ref_time_s)))

    # -- downlinks -------------------------------------------------------------------------------------------------

    def _downlinks(self, message: DnMsg | DnSched, now: Instant) -> Sequence[StationGatewayEffect]:
        config = self.router_config
        if config is None:
            return ()
        effects: list[StationGatewayEffect] = []
        for entry in (message,) if isinstance(message, DnMsg) else message.schedule:
            self.counters.downlinks += 1
            if isinstance(entry, DnMsg):
                job = tx_job(entry, config, self._clock, self._gps, now)
            else:
                job = scheduled_job(entry, config, self._clock, self._gps)
            if isinstance(job, Dropped):
                self.counters.lost += 1
                effects.append(job)
            else:
                effects += self._outcomes((*self._queue.add(job, now), *self._queue.act(now)), now)
        return effects

    def _airtime_us(self, job: TxJob) -> int:
        return 0 if self.router_config is None else airtime_us(job, self.router_config)

    def _outcomes(self, outcomes: Sequence[Outcome], now: Instant) -> list[StationGatewayEffect]:
        effects: list[StationGatewayEffect] = []
        config = self.router_config
        for outcome in outcomes:
            job = outcome.job
            if isinstance(outcome, Lost):
                self.counters.lost += 1
                effects.append(Dropped(outcome.reason, _CLAUSE, f"diid {job.diid}, start {job.start}, now {now}"))
            elif isinstance(outcome, Program) and config is not None:
                self.counters.programmed += 1
                power = power_dbm(job, config) - self.config.antenna_gain_dbi
                effects.append(transmit_of(job, config, power))
            elif isinstance(outcome, OnAir):
                self.counters.on_air += 1
                effects += self._on_air(job)
        return effects

    def _on_air(self, job: TxJob) -> Sequence[StationGatewayEffect]:
        if job.diid is None or not job.dev_eui or not self.connected:
            return ()
        unix_s = (job.start + self._utc_offset_us) / US_PER_S
        gps_us = self._gps.gps_us(job.start) if job.device_class is DeviceClass.B else 0
        txed = DnTxed(job.diid, job.dev_eui, job.window, job.rctx & 0x7F, self._clock.xtime(job.start), unix_s, gps_us)
        return (SendText(self._link.connection, encode(txed)),)
