"""A device core and a network's cores for it, back to back in memory: no radio, perfect reception, exact time.

Most MAC behaviour can be tested with this pair; a user can test his own device core against our server with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lorawan.crypto import SessionKeys
from lorawan.device import DeviceConfig, DeviceCore, Joined, Received, SendDone, SendRequest, StartJoin, Transmission
from lorawan.device.events import DeviceEffect, DeviceEvent
from lorawan.device.phases import Phase
from lorawan.draws import Draws
from lorawan.errors import MisuseError
from lorawan.frames import DataUp, JoinRequest, parse
from lorawan.ids import DevAddr, NetId
from lorawan.machine import Dropped, Instant
from lorawan.phy import Heard, Listen, lora_airtime_us, lora_symbol_us
from lorawan.server import (
    Answer,
    AppUplink,
    JoinCore,
    JoinHeard,
    JoinSettings,
    ServerSession,
    SessionCreated,
    SessionSettings,
    UplinkHeard,
    Windows,
)
from lorawan.server.events import SessionEffect

DEV_ADDR = DevAddr(0x26011234)


@dataclass(slots=True)
class Pair:
    """The two ends and everything that passed between them. Drop uplinks or downlinks with the two predicates."""

    config: DeviceConfig
    settings: JoinSettings = field(default_factory=lambda: JoinSettings(NetId(0x000013)))
    snr_db: float = 5.0
    lose_up: Callable[[bytes], bool] = lambda _: False
    lose_down: Callable[[bytes], bool] = lambda _: False
    window: int = 1
    device: DeviceCore = field(init=False)
    joins: JoinCore | None = field(init=False, default=None)
    session: ServerSession | None = field(init=False, default=None)
    now: Instant = field(init=False, default=0)
    sent: list[Transmission] = field(init=False, default_factory=list)
    app_uplinks: list[AppUplink] = field(init=False, default_factory=list)
    server_effects: list[SessionEffect] = field(init=False, default_factory=list)
    device_effects: list[DeviceEffect] = field(init=False, default_factory=list)
    down: list[bytes] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        config = self.config
        self.device = DeviceCore(config, Draws.of_seed(1))
        if config.dev_addr is not None and config.session_keys is not None:
            self._open(config.dev_addr, config.session_keys, config.version.is_1_1)
        elif config.app_key is not None:
            self.joins = JoinCore(
                config.version,
                config.dev_eui,
                DEV_ADDR,
                self.settings,
                app_key=config.app_key,
                nwk_key=config.nwk_key,
            )

    def _open(self, dev_addr: DevAddr, keys: SessionKeys, is_1_1: bool) -> None:
        mask = 0xFF if self.settings.cf_list else 0x07
        self.session = ServerSession(
            SessionSettings(
                self.config.version,
                self.config.region,
                dev_addr,
                keys,
                is_1_1,
                mask,
                Windows.defaults(self.config.region),
            )
        )

    def join(self) -> None:
        """Run until the device has joined."""
        self.feed(StartJoin())
        self.run()

    def send(self, payload: bytes, f_port: int = 10, *, confirmed: bool = False) -> None:
        """Send one application payload and run until the device is quiet."""
        self.feed(SendRequest(f_port, payload, confirmed))
        self.run()

    def feed(self, event: DeviceEvent) -> None:
        """Hand one event to the device."""
        self._carry_out(self.device.handle(event, self.now))

    def run(self, steps: int = 200) -> None:
        """Let time pass until the device is quiet: IDLE, with nothing to do before a later instant, if at all.

        Raises MisuseError if it is not after `steps` wake-ups.
        """
        for _ in range(steps):
            due = self.device.wake_at
            if due is None or (self.device.phase is Phase.IDLE and due > self.now):
                return
            self.now = max(self.now, due)
            self._carry_out(self.device.wake(self.now))
        raise MisuseError(f"the device is not quiet after {steps} wake-ups")

    def of(self, effect_type: type[Joined | Received | SendDone | Dropped]) -> list[DeviceEffect]:
        """The device's effects of one type."""
        return [effect for effect in self.device_effects if isinstance(effect, effect_type)]

    def _carry_out(self, effects: Sequence[DeviceEffect]) -> None:
        self.device_effects += effects
        transmissions = [effect for effect in effects if isinstance(effect, Transmission)]
        windows = [effect for effect in effects if isinstance(effect, Listen)]
        for transmission in transmissions:
            self.sent.append(transmission)
            payload = transmission.transmit.payload
            answer = None if self.lose_up(payload) else self._uplink(transmission, payload)
            if answer is None:
                continue
            self.down.append(answer)
            if not self.lose_down(answer):
                listen = windows[self.window - 1]
                # a window stands around the middle of the eight preamble symbols that it expects
                starts_at = (listen.opens_at + listen.closes_at) // 2 - 4 * lora_symbol_us(listen.modulation)
                self.now = starts_at + lora_airtime_us(len(answer), listen.modulation, crc=False)
                heard = Heard(self.now, answer, listen.freq_hz, listen.modulation, -90.0, 5.0, 0)
                self._carry_out(self.device.handle(heard, self.now))

    def _uplink(self, transmission: Transmission, payload: bytes) -> bytes | None:
        frame = parse(payload, uplink=True)
        region = self.config.region
        if isinstance(frame, JoinRequest) and self.joins is not None:
            for effect in self.joins.handle(JoinHeard(frame), self.now):
                if isinstance(effect, SessionCreated):
                    self._open(effect.dev_addr, effect.keys, effect.is_1_1)
                    return effect.accept
        elif isinstance(frame, DataUp) and self.session is not None:
            transmit = transmission.transmit
            dr = region.dr_of(transmit.modulation)
            session = self.device.session
            tx_ch = next(
                i for i, ch in enumerate(session.channels if session else ()) if ch and ch.freq_hz == transmit.freq_hz
            )
            effects = self.session.handle(UplinkHeard(frame, self.snr_db, dr, tx_ch, 1), self.now)
            self.server_effects += effects
            self.app_uplinks += [effect for effect in effects if isinstance(effect, AppUplink)]
            return next((effect.phy_payload for effect in effects if isinstance(effect, Answer)), None)
        return None
