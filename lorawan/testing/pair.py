"""A device core and a network's cores for it, back to back in memory, on one exact clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from lorawan.device import DeviceConfig, DeviceCore, DeviceMemory, SendRequest, StartJoin, Transmission
from lorawan.device.events import DeviceEffect, DeviceEvent, Persist, Received, ReceptionStarted, StopListening
from lorawan.device.phases import Phase
from lorawan.device.windows import DETECT_SYMBOLS, PREAMBLE_SYMBOLS
from lorawan.draws import Draws
from lorawan.errors import MisuseError
from lorawan.frames import DataUp, JoinRequest, RejoinRequest02, RejoinRequest1, parse
from lorawan.ids import DevAddr, NetId
from lorawan.mac_commands import MacCommand
from lorawan.machine import Instant
from lorawan.phy import UNTIL_STOPPED, Heard, Listen, LoraModulation, lora_airtime_us, lora_symbol_us
from lorawan.regions import ChannelPlan
from lorawan.server import (
    Answer,
    AppUplink,
    Ask,
    JoinAnswer,
    JoinCore,
    JoinHeard,
    JoinSettings,
    Openings,
    Operation,
    QueueDownlink,
    Registration,
    RejoinHeard,
    Send,
    ServerCore,
    ServerEffect,
    ServerMemory,
    ServerPersist,
    ServerSession,
    UplinkHeard,
)
from lorawan.testing.links import Link, perfect
from lorawan.units import US_PER_S

DEV_ADDR = DevAddr(0x26011234)
_PPM = 1_000_000
_Effect = TypeVar("_Effect")


@dataclass(frozen=True, slots=True)
class Downlink:
    """A frame of the network on the air. at: start of its preamble. replayed: not by the network."""

    at: Instant
    payload: bytes
    freq_hz: int
    modulation: LoraModulation
    replayed: bool = False

    @property
    def airtime_us(self) -> int:
        """Time on air: downlinks carry no CRC."""
        return lora_airtime_us(len(self.payload), self.modulation, crc=False)


@dataclass(frozen=True, slots=True)
class _Up:
    """An uplink on its way: when it was over, and the radio settings that its MIC and its answer need."""

    transmission: Transmission
    ended_at: Instant
    tx_ch: int


@dataclass(slots=True)
class Pair:
    """The two ends and all that passed between them.

    settings: what the network's accepts carry; None: the region's defaults. up and down say what becomes of each frame
    (`lorawan.testing.links`). window: the one in which the network answers; an answer that is late for it takes the
    other or is not sent. drift_ppm: how much too fast the device's clock runs. operation: how the network runs its
    devices. A downlink is heard where a window of its frequency and modulation is open for five symbols of its
    preamble, so the pair also shows whether both ends agree on the windows: `missed` has the network's own that found
    none.
    """

    config: DeviceConfig
    settings: JoinSettings | None = None
    up: Link = perfect
    down: Link = perfect
    snr_db: float = 5.0
    window: int = 1
    drift_ppm: int = 0
    seed: int = 1
    operation: Operation = field(default_factory=Operation)
    device: DeviceCore = field(init=False)
    memory: DeviceMemory = field(init=False, default_factory=DeviceMemory)
    server: ServerCore = field(init=False)
    server_memory: ServerMemory | None = field(init=False, default=None)
    now: Instant = field(init=False, default=0)
    sent: list[Transmission] = field(init=False, default_factory=list)
    answers: list[Downlink] = field(init=False, default_factory=list)
    missed: list[Downlink] = field(init=False, default_factory=list)
    device_effects: list[DeviceEffect] = field(init=False, default_factory=list)
    server_effects: list[ServerEffect] = field(init=False, default_factory=list)
    boots: int = field(init=False, default=0)
    _due: list[tuple[Instant, int, Callable[[], None]]] = field(init=False, default_factory=list)
    _order: count[int] = field(init=False, default_factory=count)
    _windows: list[Listen] = field(init=False, default_factory=list)
    _listening: int = field(init=False, default=0)  # changes with everything that ends a reception
    _replays: list[tuple[int, bytes]] = field(init=False, default_factory=list)
    _cut_in: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._boot()
        self.restart_network()

    # -- what a test does ------------------------------------------------------------------------------------------

    def join(self) -> None:
        """Run until the device has joined."""
        self.feed(StartJoin())
        self.run()

    def send(self, payload: bytes, f_port: int = 10, *, confirmed: bool = False) -> None:
        """Send one application payload and run until both ends are quiet."""
        self.feed(SendRequest(f_port, payload, confirmed))
        self.run()

    def queue(self, payload: bytes, f_port: int = 10, *, confirmed: bool = False) -> None:
        """Queue a downlink at the network. Raises MisuseError before the first session."""
        if self.session is None:
            raise MisuseError("there is no session yet")
        self._from_server(self.server.handle(QueueDownlink(f_port, payload, confirmed), self.now), None)

    def ask(self, *commands: MacCommand) -> None:
        """Ask the device for something at the network: a command, or LinkADRReqs that make one block."""
        self._from_server(self.server.handle(Ask(commands), self.now), None)

    def feed(self, event: DeviceEvent) -> None:
        """Hand one event to the device."""
        self._carry_out(self.device.handle(event, self.device_now))

    def run(self, until: Instant | None = None, steps: int = 1000) -> None:
        """Let time pass until both ends are quiet, or to an instant.

        Quiet: no frame is on its way and the device is IDLE, though it may want to rejoin at a later instant. Raises
        MisuseError where something is still due after so many steps.
        """
        for _ in range(steps):
            at = self._next_at()
            if at is None or (self._is_quiet(at) if until is None else at > until):
                self.now = max(self.now, until or 0)
                return
            self.now = max(self.now, at)
            self._step()
        raise MisuseError(f"not quiet after {steps} steps")

    def cut_power(self) -> None:
        """The device loses power now and starts again with what was last persisted."""
        self._boot()

    def cut_power_after(self, effects: int | None) -> None:
        """The device loses power once so many more of its effects were carried out; the next ones never are.

        None: it does not, after all.
        """
        self._cut_in = effects

    def restart_network(self) -> None:
        """The network starts again with what was last persisted."""
        config = self.config
        device = Registration(
            config.version,
            config.region,
            config.dev_eui,
            config.dev_addr if config.dev_addr is not None else DEV_ADDR,
            self.settings or JoinSettings(NetId(0x000013), rx2_dr=config.region.rx2_dr),
            app_key=config.app_key,
            nwk_key=config.nwk_key,
            session_keys=config.session_keys,
            operation=self.operation,
        )
        self.server = ServerCore(device, self.server_memory)

    # -- what a test looks at --------------------------------------------------------------------------------------

    def of(self, effect_type: type[_Effect]) -> list[_Effect]:
        """The effects of one type, of either end, in order."""
        return [e for e in (*self.device_effects, *self.server_effects) if isinstance(e, effect_type)]

    @property
    def session(self) -> ServerSession | None:
        """The network's side of the newest session, None before the first accept."""
        return next(iter(self.server.sessions), None)

    @property
    def joins(self) -> JoinCore | None:
        """The join server, None for a personalised device."""
        return self.server.joins

    @property
    def app_uplinks(self) -> list[AppUplink]:
        """The uplinks that the network accepted."""
        return self.of(AppUplink)

    @property
    def delivered(self) -> list[bytes]:
        """Application payloads that reached the network."""
        return [uplink.payload for uplink in self.app_uplinks if uplink.f_port]

    @property
    def received(self) -> list[bytes]:
        """Application payloads that reached the device."""
        return [received.payload for received in self.of(Received)]

    @property
    def device_now(self) -> Instant:
        """What the device's clock shows."""
        return self.now + self.now * self.drift_ppm // _PPM

    # -- time ------------------------------------------------------------------------------------------------------

    def _true(self, at: Instant) -> Instant:
        """When the device's clock shows `at`: never before it does."""
        return self.now - (self.device_now - at) * _PPM // (_PPM + self.drift_ppm)

    def _next_at(self) -> Instant | None:
        wakes = [self._due[0][0]] if self._due else []
        if self.device.wake_at is not None:
            wakes.append(self._true(self.device.wake_at))
        if self.server.wake_at is not None:
            wakes.append(self.server.wake_at)
        return min(wakes, default=None)

    def _is_quiet(self, at: Instant) -> bool:
        return not self._due and self.device.phase is Phase.IDLE and at > self.now

    def _step(self) -> None:
        if self._due and self._due[0][0] <= self.now:
            heapq.heappop(self._due)[2]()
        elif self.server.wake_at is not None and self.server.wake_at <= self.now:
            self._from_server(self.server.wake(self.now), None)
        else:
            wake_at = self.device.wake_at
            if wake_at is not None:
                self._carry_out(self.device.wake(max(wake_at, self.device_now)))

    def _at(self, at: Instant, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (at, next(self._order), action))

    # -- the device ------------------------------------------------------------------------------------------------

    def _boot(self) -> None:
        self._cut_in = None
        self._stop_listening()
        self.device = DeviceCore(self.config, Draws.of_seed(self.seed + self.boots), self.memory)
        self.boots += 1

    def _stop_listening(self) -> None:
        self._windows.clear()
        self._listening += 1

    def _carry_out(self, effects: Sequence[DeviceEffect]) -> None:
        for effect in effects:
            if self._cut_in == 0:
                self._boot()
                return
            if self._cut_in is not None:
                self._cut_in -= 1
            self.device_effects.append(effect)
            match effect:
                case Persist():
                    self.memory = effect.memory
                case Transmission():
                    self._transmit(effect)
                case Listen():
                    self._listen(effect)
                case StopListening():
                    self._stop_listening()
                case _:
                    pass  # news for the application
        if self._cut_in == 0:
            self._boot()

    def _transmit(self, transmission: Transmission) -> None:
        self._stop_listening()
        self.sent.append(transmission)
        transmit, session = transmission.transmit, self.device.session
        plan = session.plan if session is not None else ChannelPlan.of(self.config.region)
        tx_ch = plan.index_of(transmit.freq_hz, self.config.region.dr_of(transmit.modulation))
        if tx_ch is None:
            raise MisuseError(f"the device sent on {transmit.freq_hz} Hz, which is not in its plan")
        up = _Up(transmission, self.now + transmit.airtime_us, tx_ch)
        for delay_us in self.up(transmit.payload):
            self._at(up.ended_at + delay_us, lambda: self._uplink(up))

    def _listen(self, window: Listen) -> None:
        opens_at = self._true(window.opens_at)
        closes_at = opens_at + window.closes_at - window.opens_at
        here = Listen(opens_at, closes_at, window.freq_hz, window.modulation, window.window)
        self._windows.append(here)
        due = [payload for late, payload in self._replays if late == 1]
        self._replays = [(late - 1, payload) for late, payload in self._replays if late > 1]
        at = opens_at
        if window.closes_at != UNTIL_STOPPED:
            at = (opens_at + closes_at - PREAMBLE_SYMBOLS * lora_symbol_us(window.modulation)) // 2
        for payload in due:
            self._on_air(Downlink(at, payload, window.freq_hz, window.modulation, replayed=True))

    def _on_air(self, downlink: Downlink) -> None:
        missable_us = (PREAMBLE_SYMBOLS - DETECT_SYMBOLS) * lora_symbol_us(downlink.modulation)
        self._at(downlink.at + missable_us, lambda: self._downlink_starts(downlink))

    def _downlink_starts(self, downlink: Downlink) -> None:
        symbol_us = lora_symbol_us(downlink.modulation)
        heard = any(
            (w.freq_hz, w.modulation) == (downlink.freq_hz, downlink.modulation)
            and w.opens_at <= self.now
            and downlink.at + DETECT_SYMBOLS * symbol_us <= w.closes_at
            for w in self._windows
        )
        if not heard:
            if not downlink.replayed:
                self.missed.append(downlink)
            return
        listening, ends_at = self._listening, downlink.at + downlink.airtime_us

        def received() -> None:
            if self._listening == listening:
                self.feed(
                    Heard(self.device_now, downlink.payload, downlink.freq_hz, downlink.modulation, -90.0, 5.0, 0)
                )

        until = self.device_now + (ends_at - self.now) * (_PPM + self.drift_ppm) // _PPM
        self.feed(ReceptionStarted(until))
        self._at(ends_at, received)

    # -- the network -----------------------------------------------------------------------------------------------

    def _uplink(self, up: _Up) -> None:
        transmit = up.transmission.transmit
        frame, region = parse(transmit.payload, uplink=True), self.config.region
        dr = region.dr_of(transmit.modulation)
        match frame:
            case JoinRequest():
                effects = self.server.handle(JoinHeard(frame, dr, up.tx_ch), self.now)
            case RejoinRequest02() | RejoinRequest1():
                effects = self.server.handle(RejoinHeard(frame, dr, up.tx_ch), self.now)
            case DataUp():
                heard = UplinkHeard(frame, self.snr_db, dr, up.tx_ch, 1, ended_at=up.ended_at)
                effects = self.server.handle(heard, self.now)
            case _:
                return
        self._from_server(effects, up)

    def _from_server(self, effects: Sequence[ServerEffect], up: _Up | None) -> None:
        self.server_effects += effects
        for effect in effects:
            if isinstance(effect, ServerPersist):
                self.server_memory = effect.memory
            elif isinstance(effect, Answer | JoinAnswer) and up is not None:
                self._answer(effect.phy_payload, up, effect.openings)
            elif isinstance(effect, Send):
                self._send(effect)

    def _send(self, send: Send) -> None:
        downlink = Downlink(
            max(send.at or 0, self.now), send.phy_payload, send.freq_hz, self.config.region.modulation(send.dr)
        )
        self.answers.append(downlink)
        for late in self.down(send.phy_payload):
            if late:
                self._replays.append((late, send.phy_payload))
            else:
                self._on_air(downlink)

    def _answer(self, payload: bytes, up: _Up, opens: Openings) -> None:
        region, uplink_hz = self.config.region, up.transmission.transmit.freq_hz
        rx1_at = up.ended_at + opens.rx1_delay_us
        rx1 = Downlink(rx1_at, payload, opens.rx1_freq_hz or uplink_hz, region.modulation(opens.rx1_dr))
        rx2 = Downlink(rx1_at + US_PER_S, payload, opens.rx2_freq_hz, region.modulation(opens.rx2_dr))
        ways = [way for way in (rx1, rx2)[self.window - 1 :] if way.at >= self.now]
        for late in self.down(payload):
            if late:
                self._replays.append((late, payload))
            elif ways:
                self._on_air(ways[0])
        if ways:
            self.answers.append(ways[0])
