"""A device and its network's session on one simulated time, with beacons, ping slots and a device's crystal that errs.

Unlike `lorawan.testing` the device is reached at any time: a downlink or a beacon goes on the air at an instant, and
the device hears it if one of the windows it opened fits: the last five preamble symbols inside, its begin before the
close.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from heapq import heappop, heappush

from mac_pairs import abp

from lorawan.device import (
    ClassChanged,
    DeviceConfig,
    DeviceCore,
    ReceptionStarted,
    SendRequest,
    StopListening,
    SwitchClass,
    Transmission,
)
from lorawan.device.events import DeviceEffect, DeviceEvent
from lorawan.draws import Draws
from lorawan.frames import DataUp, parse
from lorawan.frames.beacon import Beacon, encode_beacon
from lorawan.multicast import MulticastGroup
from lorawan.operating_class import OperatingClass
from lorawan.phy import Heard, Listen, LoraModulation, Window, lora_airtime_us, lora_symbol_us
from lorawan.server import (
    Answer,
    MulticastSender,
    Operation,
    Picture,
    QueueDownlink,
    Send,
    ServerSession,
    SessionSettings,
    UplinkHeard,
)
from lorawan.server.events import SessionEffect, SessionEvent
from lorawan.version import Version

S = 1_000_000
GPS_AT_ORIGIN_US = 1_400_000_000 * S + 37 * S  # not at a beacon
BEACON_AIRTIME_US = lora_airtime_us(17, LoraModulation(9), preamble_symbols=10, explicit_header=False, crc=False)
SERVER_DELAY_US = 200_000


class ClassBench:
    """Instants are true time, `of` and `effects` carry the device's; it counts 1 + crystal_ppm · 10⁻⁶ µs in each µs."""

    def __init__(
        self,
        config: DeviceConfig,
        *,
        crystal_ppm: float = 0.0,
        beacons: Callable[[int], bool] = lambda _: True,
        operating_class: OperatingClass = OperatingClass.A,
        gps: bool = True,
        seed: int = 1,
    ) -> None:
        assert config.dev_addr is not None
        assert config.session_keys is not None
        self.config, self.rate, self.beacons = config, 1.0 + crystal_ppm * 1e-6, beacons
        self.device = DeviceCore(config, Draws.of_seed(seed))
        self.session = ServerSession(
            SessionSettings(
                config.version,
                config.region,
                config.dev_addr,
                config.session_keys,
                config.version.is_1_1,
                over_the_air=False,
                picture=Picture.of(config.region),
                operation=Operation(gps_at_origin_us=GPS_AT_ORIGIN_US if gps else None),
                operating_class=operating_class,
            )
        )
        self.senders: list[MulticastSender] = []
        self.now = 0
        self.windows: list[Listen] = []
        self.listened: list[Listen] = []
        self.effects: list[tuple[int, DeviceEffect]] = []
        self.server_effects: list[tuple[int, SessionEffect]] = []
        self.uplinks: list[tuple[int, DataUp]] = []
        self.heard: list[tuple[int, Window]] = []
        self.lose_up: Callable[[int], bool] = lambda _: False
        self.lose_down: Callable[[int], bool] = lambda _: False
        self._sending_until = 0
        self._stops = 0
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._tickets = 0
        self._next_beacon = -(-GPS_AT_ORIGIN_US // (128 * S)) * 128
        self._at(self._next_beacon * S + 1_500 - GPS_AT_ORIGIN_US, self._beacon)

    # -- what tests do --------------------------------------------------------------------------------------------

    def feed(self, event: DeviceEvent) -> None:
        self._device(self.device.handle(event, self.local(self.now)))

    def queue(self, payload: bytes, f_port: int = 10, *, confirmed: bool = False) -> None:
        self.server(QueueDownlink(f_port, payload, confirmed))

    def server(self, event: SessionEvent) -> None:
        self._server(self.session.handle(event, self.now))

    def group(self, group: MulticastGroup) -> MulticastSender:
        sender = MulticastSender(group, self.config.region, gps_at_origin_us=GPS_AT_ORIGIN_US)
        self.senders.append(sender)
        return sender

    def multicast(self, sender: MulticastSender, payload: bytes) -> None:
        self._sends(sender.handle(QueueDownlink(10, payload), self.now))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + round(seconds * S)
        at_once = 0
        while True:
            due = self._due()
            if due is None or due > until:
                self.now = until
                return
            at_once = at_once + 1 if due <= self.now else 0
            assert at_once < 100, "a core wants to be woken again and again at the same instant"
            self.now = max(self.now, due)
            if self._agenda and self._agenda[0][0] <= self.now:
                heappop(self._agenda)[2]()
            elif (wake_at := self.device.wake_at) is not None and wake_at <= self.local(self.now):
                self._device(self.device.wake(self.local(self.now)))
            elif (server_at := self.session.wake_at) is not None and server_at <= self.now:
                self._server(self.session.wake(self.now))
            else:
                for sender in self.senders:
                    self._sends(sender.wake(self.now))

    def of(self, kind: type[DeviceEffect]) -> list[DeviceEffect]:
        return [effect for _, effect in self.effects if isinstance(effect, kind)]

    def times(self, kind: type[DeviceEffect]) -> list[int]:
        return [at for at, effect in self.effects if isinstance(effect, kind)]

    def transmit_down(self, payload: bytes, at: int, freq_hz: int, dr: int) -> None:
        """Put a downlink on the air."""
        modulation = self.config.region.modulation(dr)
        airtime_us = lora_airtime_us(len(payload), modulation, crc=False)
        self._at(at, lambda: self._on_air(payload, freq_hz, modulation, airtime_us, 8, inverted_iq=True))

    def local(self, at: int) -> int:
        """The device's clock."""
        return round(at * self.rate)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _at(self, at: int, action: Callable[[], None]) -> None:
        self._tickets += 1
        heappush(self._agenda, (at, self._tickets, action))

    def _due(self) -> int | None:
        wishes = [self._agenda[0][0]] if self._agenda else []
        if (wake_at := self.device.wake_at) is not None:
            at = int(wake_at / self.rate)
            while self.local(at) < wake_at:
                at += 1
            wishes.append(at)
        wishes += [at for core in (self.session, *self.senders) if (at := core.wake_at) is not None]
        return min(wishes, default=None)

    def _device(self, effects: Sequence[DeviceEffect]) -> None:
        for effect in effects:
            self.effects.append((self.now, effect))
            match effect:
                case Listen():
                    self.windows = [w for w in self.windows if w.closes_at > self.local(self.now) - 5 * S] + [effect]
                    self.listened.append(effect)
                case StopListening():
                    self.windows, self._stops = [], self._stops + 1
                case Transmission():
                    frame = parse(effect.transmit.payload, uplink=True)
                    ends = self.now + effect.transmit.airtime_us
                    self._sending_until = ends
                    if isinstance(frame, DataUp):
                        self.uplinks.append((self.now, frame))
                        if not self.lose_up(self.now):
                            self._at(ends + SERVER_DELAY_US, self._arrival(effect, frame, ends))

    def _arrival(self, sent: Transmission, frame: DataUp, ended_at: int) -> Callable[[], None]:
        def arrive() -> None:
            region, session = self.config.region, self.device.session
            assert session is not None
            transmit = sent.transmit
            tx_ch = next(i for i, ch in enumerate(session.plan.channels) if ch and ch.freq_hz == transmit.freq_hz)
            dr = region.dr_of(transmit.modulation)
            effects = self.session.handle(UplinkHeard(frame, 5.0, dr, tx_ch, 1, ended_at), self.now)
            for effect in effects:
                if isinstance(effect, Answer):
                    self.transmit_down(effect.phy_payload, ended_at + S, transmit.freq_hz, region.rx1_dr(dr, 0))
            self._server(effects)

        return arrive

    def _server(self, effects: Sequence[SessionEffect]) -> None:
        self.server_effects += [(self.now, effect) for effect in effects]
        self._sends(effects)

    def _sends(self, effects: Sequence[object]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                at = self.now if effect.at is None else effect.at
                self.transmit_down(effect.phy_payload, at, effect.freq_hz, effect.dr)

    def _beacon(self) -> None:
        gps_s = self._next_beacon
        self._next_beacon += 128
        self._at(self._next_beacon * S + 1_500 - GPS_AT_ORIGIN_US, self._beacon)
        if self.beacons(gps_s):
            payload = encode_beacon(Beacon.at(gps_s, 47.4, 0.8))
            self._on_air(payload, 869_525_000, LoraModulation(9), BEACON_AIRTIME_US, 10, inverted_iq=False)

    def _on_air(
        self,
        payload: bytes,
        freq_hz: int,
        modulation: LoraModulation,
        airtime_us: int,
        preamble: int,
        *,
        inverted_iq: bool,
    ) -> None:
        start, end = self.now, self.now + airtime_us
        if inverted_iq and self.lose_down(start):
            return
        critical = start + (preamble - 5) * lora_symbol_us(modulation)
        lock_at = start + preamble * lora_symbol_us(modulation)

        def lock() -> None:
            fitting = [
                w
                for w in self.windows
                if (w.freq_hz, w.modulation, w.inverted_iq) == (freq_hz, modulation, inverted_iq)
                and w.opens_at <= self.local(critical)
                and self.local(start) < w.closes_at
            ]
            fitting.sort(key=lambda w: w.window)  # RX1 and RX2 come before the others
            class_a = [w for w in self.windows if w.window in (Window.RX1, Window.RX2)]
            cut = [w for w in class_a if (w.freq_hz, w.modulation) != (freq_hz, modulation)]
            cut = [w for w in cut if w.opens_at < self.local(end) and w.closes_at > self.local(critical)]
            if self._sending_until > critical or not fitting:
                return
            if cut and not any(w in class_a for w in fitting):
                return
            stops = self._stops
            self.feed(ReceptionStarted(self.local(end)))

            def received() -> None:
                if self._stops == stops:
                    self.heard.append((start, fitting[0].window))
                    self.feed(Heard(self.local(self.now), payload, freq_hz, modulation, -90.0, 5.0, airtime_us))

            self._at(end, received)

        self._at(lock_at, lock)


def fast(config: DeviceConfig) -> DeviceConfig:
    """At DR5: short frames, so that duty cycle does not rule the tests."""
    return replace(config, initial_dr=5)


def in_class_c(version: Version = Version.V1_0_4, **options: object) -> ClassBench:
    """A class C device whose network has heard it."""
    bench = ClassBench(fast(abp(version)), operating_class=OperatingClass.C, **options)  # type: ignore[arg-type]  # pass-through
    bench.feed(SwitchClass(OperatingClass.C))
    bench.feed(SendRequest(10, b"here"))
    bench.run(20)
    assert bench.of(ClassChanged) == [ClassChanged(OperatingClass.C)]
    bench.effects.clear()
    bench.uplinks.clear()
    return bench


def open_now(bench: ClassBench) -> list[Listen]:
    return [w for w in bench.windows if w.opens_at <= bench.now < w.closes_at]
