"""The network side of ONE device: its joins and rejoins, the session in use, and those that were offered.

An accept may be lost: the session in use goes on until the device shows that it has the offered one.

Source: LoRaWAN 1.1 §6.2.2 and §6.2.4 (both contexts are kept until the first uplink of the new one).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from lorawan.crypto import SessionKeys
from lorawan.errors import MisuseError
from lorawan.frames import RejoinRequest02
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.machine import Dropped, Instant
from lorawan.operating_class import OperatingClass
from lorawan.regions import ChannelPlan, Region, with_cf_list
from lorawan.server.downlinks import DownlinkQueue
from lorawan.server.events import (
    AppUplink,
    Ask,
    JoinAnswer,
    JoinEffect,
    JoinHeard,
    PersistJoins,
    QueueDownlink,
    RejoinGranted,
    RejoinHeard,
    ServerEffect,
    ServerEvent,
    ServerPersist,
    SessionCreated,
    SessionEffect,
    UplinkHeard,
)
from lorawan.server.join import JoinCore, JoinSettings
from lorawan.server.memory import JoinMemory, KeptSession, ServerMemory
from lorawan.server.picture import Openings, Picture, Windows
from lorawan.server.session import ServerSession
from lorawan.server.settings import Operation, SessionSettings
from lorawan.units import US_PER_S
from lorawan.version import Version

MAX_OFFERED = 8  # accepts that no uplink has answered; a device that loses more in a row has to join [assumption]


@dataclass(frozen=True, slots=True)
class Registration:
    """A device as its network knows it beforehand. Over the air: app_key, and nwk_key for 1.1. Else: session_keys.

    dev_addr: the one it has, or the one its accepts carry. join_eui: None takes any. operating_class: C for a device
    that is always of class C. Raises MisuseError without keys, or for accepts whose RX2 rate the region does not have.
    """

    version: Version
    region: Region
    dev_eui: Eui64
    dev_addr: DevAddr
    join: JoinSettings
    app_key: AesKey | None = None
    nwk_key: AesKey | None = None
    join_eui: Eui64 | None = None
    session_keys: SessionKeys | None = None
    operation: Operation = field(default_factory=Operation)
    operating_class: OperatingClass = OperatingClass.A

    def __post_init__(self) -> None:
        if self.session_keys is None and self.app_key is None:
            raise MisuseError(f"device {self.dev_eui} has neither app_key nor session_keys")
        if not self.region.is_lora(self.join.rx2_dr, uplink=False):
            raise MisuseError(f"RX2 DR{self.join.rx2_dr} of the accepts is no downlink rate of {self.region.name}")


class ServerCore:
    """A device's server core. A ServerPersist is durable before the effects that follow it."""

    def __init__(self, device: Registration, memory: ServerMemory | None = None) -> None:
        self.device = device
        self._queue = DownlinkQueue()
        self.joins = self._join_core(None if memory is None else memory.join)
        kept = memory or ServerMemory()
        self.session: ServerSession | None = None if kept.session is None else self._restored(kept.session)
        self._offered = [self._restored(offered) for offered in kept.offered]
        if device.session_keys is not None and self.session is None:
            self.session = self._personalised(device.session_keys)

    def _join_core(self, memory: JoinMemory | None) -> JoinCore | None:
        device = self.device
        if device.session_keys is not None or device.app_key is None:
            return None
        return JoinCore(
            device.version,
            device.dev_eui,
            device.dev_addr,
            device.join,
            app_key=device.app_key,
            nwk_key=device.nwk_key,
            join_eui=device.join_eui,
            memory=memory,
        )

    def _settings(self, keys: SessionKeys, *, is_1_1: bool, picture: Picture) -> SessionSettings:
        device = self.device
        return SessionSettings(
            version=device.version,
            region=device.region,
            dev_addr=device.dev_addr,
            keys=keys,
            is_1_1=is_1_1,
            over_the_air=device.session_keys is None,
            picture=picture,
            operation=device.operation,
            operating_class=device.operating_class,
        )

    def _personalised(self, keys: SessionKeys) -> ServerSession:
        picture = Picture.of(self.device.region)
        return ServerSession(
            self._settings(keys, is_1_1=self.device.version.is_1_1, picture=picture), None, self._queue
        )

    def _restored(self, kept: KeptSession) -> ServerSession:
        settings = self._settings(kept.keys, is_1_1=kept.is_1_1, picture=kept.memory.picture)
        return ServerSession(replace(settings, dev_addr=kept.dev_addr), kept.memory, self._queue)

    @property
    def sessions(self) -> tuple[ServerSession, ...]:
        """Those that a frame may belong to: offered ones, newest first, then the one in use."""
        return (*self._offered, *(() if self.session is None else (self.session,)))

    @property
    def memory(self) -> ServerMemory:
        """What a restart must not forget."""
        return ServerMemory(
            JoinMemory() if self.joins is None else self.joins.memory,
            None if self.session is None else _kept(self.session),
            tuple(_kept(session) for session in self._offered),
        )

    @property
    def wake_at(self) -> Instant | None:
        """When the session in use has something to do between uplinks."""
        return None if self.session is None else self.session.wake_at

    def wake(self, now: Instant) -> Sequence[ServerEffect]:
        """Send what is due to a class B or C device."""
        if self.session is None:
            return ()
        before = self.memory
        return self._kept(before, _told(self.session.wake(now)))

    def handle(self, event: ServerEvent, now: Instant) -> Sequence[ServerEffect]:
        """Take an event in; what has to be remembered comes before what depends on it."""
        before = self.memory
        return self._kept(before, self._handle(event, now))

    def _kept(self, before: ServerMemory, effects: list[ServerEffect]) -> list[ServerEffect]:
        """What changed is persisted before anything that was decided."""
        after = self.memory
        return effects if after == before else [ServerPersist(after), *effects]

    def owns(self, event: UplinkHeard) -> bool:
        """Whether a frame is this device's: its DevAddr may be another's too."""
        return any(session.owns(event) for session in self.sessions)

    def _handle(self, event: ServerEvent, now: Instant) -> list[ServerEffect]:
        match event:
            case UplinkHeard():
                return self._uplink(event, now)
            case JoinHeard() | RejoinHeard():
                if self.joins is None:
                    return [Dropped("activation", "LoRaWAN 1.0.4 §6.3", "a device by personalisation does not join")]
                if isinstance(event, RejoinHeard):
                    return self._rejoin(event, self.joins, now)
                return self._answered(self.joins.handle(event, now), event, None)
            case QueueDownlink() | Ask():
                if not self.sessions:
                    return [Dropped("no_session", "LoRaWAN 1.0.4 §6", "the device has no session")]
                return _told((self.session or self._offered[0]).handle(event, now))

    def _uplink(self, event: UplinkHeard, now: Instant) -> list[ServerEffect]:
        for session in self._offered:
            if session.owns(event):
                effects = session.handle(event, now)
                if any(isinstance(effect, AppUplink) for effect in effects):
                    return [*_told(self._moved_to(session)), *_told(effects)]
                return _told(effects)
        if self.session is None:
            return [Dropped("mic", "LoRaWAN 1.0.4 §4.4", f"FCnt {event.frame.f_cnt}")]
        return _told(self.session.handle(event, now))

    def _moved_to(self, session: ServerSession) -> list[SessionEffect]:
        """The device has this session: the one before it and the other offers are void."""
        left = [other for other in self.sessions if other is not session]
        self.session, self._offered = session, []
        return [effect for other in left for effect in session.take_over(other)]

    def _rejoin(self, event: RejoinHeard, joins: JoinCore, now: Instant) -> list[ServerEffect]:
        request = event.request
        if not isinstance(request, RejoinRequest02):
            return self._answered(joins.handle(event, now), event, None)
        owner = next((session for session in self.sessions if session.owns_rejoin(request)), None)
        if owner is None:
            return [Dropped("mic", "LoRaWAN 1.1 §6.2.4.1", "no session of the device has this key")]
        effects: list[ServerEffect] = []
        granted = owner.handle(event, now)
        if owner is not self.session and any(isinstance(effect, RejoinGranted) for effect in granted):
            effects += _told(self._moved_to(owner))  # the key shows it: the device took that accept
        for effect in granted:
            if isinstance(effect, RejoinGranted):
                effects += self._answered(joins.handle(effect, now), event, owner)
            else:
                effects += _told((effect,))
        return effects

    def _answered(
        self, effects: Iterable[JoinEffect], heard: JoinHeard | RejoinHeard, owner: ServerSession | None
    ) -> list[ServerEffect]:
        """What the join server decided. owner: the session that a rejoin of type 2 leaves as it is but for the keys."""
        told: list[ServerEffect] = []
        for effect in effects:
            match effect:
                case SessionCreated():
                    openings = Openings.of_accept(self.device.region, heard.dr, heard.tx_ch)
                    self._offer(effect, openings.rx2_freq_hz, owner)
                    told.append(JoinAnswer(effect.accept, openings, effect.dev_addr, effect.rejoin_type))
                case PersistJoins():
                    pass  # the whole memory is persisted
                case Dropped():
                    told.append(effect)
        return told

    def _offer(self, created: SessionCreated, rx2_freq_hz: int, owner: ServerSession | None) -> None:
        picture, link = self._accepted_picture(rx2_freq_hz), None
        if created.rejoin_type == 2 and owner is not None:
            picture, link = owner.picture, owner.link
        settings = self._settings(created.keys, is_1_1=created.is_1_1, picture=picture)
        offered = ServerSession(replace(settings, link=link), None, self._queue)
        self._offered = [offered, *self._offered][:MAX_OFFERED]

    def _accepted_picture(self, rx2_freq_hz: int) -> Picture:
        """What a device has after an accept of this network; RX2 stays where it was awaited."""
        region, join = self.device.region, self.device.join
        windows = Windows(max(1, join.rx_delay_s) * US_PER_S, join.rx1_dr_offset, join.rx2_dr, rx2_freq_hz)
        return Picture(windows, with_cf_list(ChannelPlan.of(region), join.cf_list))


def _kept(session: ServerSession) -> KeptSession:
    settings = session.settings
    return KeptSession(settings.dev_addr, settings.keys, settings.is_1_1, session.memory)


def _told(effects: Iterable[SessionEffect]) -> list[ServerEffect]:
    return [effect for effect in effects if not isinstance(effect, RejoinGranted)]
