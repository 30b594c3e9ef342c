"""The network core: uplinks of many gateways in; application data, joins and downlinks out.

It keeps the contract of every core. Copies of a frame are collected for the deduplication window; then the device's
session decides, and its answer goes to the best gateway that may send it. A gateway that refuses one (TX_ACK) is
followed by the next way.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.network.config import DeviceProfile, NetworkConfig
from bench.network.downlink import DownlinkPlanner, PendingDownlink
from bench.network.events import (
    DataAccepted,
    DeviceJoined,
    DownlinkFailed,
    NetworkDropped,
    NetworkEffect,
    NetworkEvent,
    SendToDevice,
)
from bench.network.reception import Deduplicator, Reception
from gateway_fw.gwmp import CRC_OK, DownlinkAnswered, DownlinkUnsent, TxError, UplinkReceived
from lorawan.errors import FrameError, MisuseError
from lorawan.frames import DataUp, JoinRequest, parse
from lorawan.ids import DevAddr, Eui64
from lorawan.machine import Dropped, Instant
from lorawan.phy import LoraModulation, snr_floor_db
from lorawan.server import (
    Answer,
    AppUplink,
    JoinCore,
    JoinHeard,
    QueueDownlink,
    Repeated,
    Send,
    ServerSession,
    SessionCreated,
    SessionSettings,
    UplinkHeard,
    Windows,
)
from lorawan.server.events import SessionEffect
from lorawan.units import US_PER_MS

TX_ACK_PATIENCE_US = 2_000_000  # an answer whose gateway says nothing is taken for sent after this [assumption]


class NetworkCore:
    """Every registered device's join and session behind one door."""

    def __init__(self, config: NetworkConfig, devices: Sequence[DeviceProfile]) -> None:
        self._config = config
        self._profiles: dict[Eui64, DeviceProfile] = {}
        self._joins: dict[Eui64, JoinCore] = {}
        self._sessions: dict[Eui64, ServerSession] = {}
        self._offered: dict[Eui64, ServerSession] = {}
        self._by_dev_addr: dict[DevAddr, list[Eui64]] = {}
        self._dedup = Deduplicator(config.dedup_window_us)
        self._planner = DownlinkPlanner(config)
        self._pending: dict[int, PendingDownlink] = {}
        self._last_heard: dict[Eui64, tuple[Reception, ...]] = {}
        self._awaited: set[Eui64] = set()  # devices whose session wants to be woken
        self._reference = 0
        self._channel_index = {freq_hz: i for i, freq_hz in enumerate(config.channels_hz)}
        for index, profile in enumerate(devices):
            self._register(profile, index)

    def _register(self, profile: DeviceProfile, index: int) -> None:
        if profile.dev_eui in self._profiles:
            raise MisuseError(f"DevEUI {profile.dev_eui} is registered twice")
        self._profiles[profile.dev_eui] = profile
        if profile.dev_addr is not None and profile.session_keys is not None:
            settings = SessionSettings(
                profile.version,
                self._config.region,
                profile.dev_addr,
                profile.session_keys,
                profile.version.is_1_1,
                self._config.abp_ch_mask,
                Windows.defaults(self._config.region),
                self._config.adr,
                profile.operating_class,
                gps_at_origin_us=self._config.gps_at_origin_us,
            )
            self._sessions[profile.dev_eui] = ServerSession(settings)
            self._by_dev_addr.setdefault(profile.dev_addr, []).append(profile.dev_eui)
        elif profile.app_key is not None:
            self._joins[profile.dev_eui] = JoinCore(
                profile.version,
                profile.dev_eui,
                self._config.join.net_id.dev_addr(index),
                self._config.join,
                app_key=profile.app_key,
                nwk_key=profile.nwk_key,
            )

    def _offer(self, dev_eui: Eui64, settings: SessionSettings) -> None:
        """A session that begins with the device's first uplink in it: the accept may be lost, and the old one go on."""
        self._offered[dev_eui] = ServerSession(settings)
        owners = self._by_dev_addr.setdefault(settings.dev_addr, [])
        if dev_eui not in owners:
            owners.append(dev_eui)

    def _owner(self, heard: UplinkHeard) -> Eui64 | None:
        """Whose frame it is. Several devices may share an address, and one may have an old and a new session."""
        owners = self._by_dev_addr.get(heard.frame.dev_addr, [])
        for dev_eui in owners:
            offered = self._offered.get(dev_eui)
            if offered is not None and offered.owns(heard):
                self._sessions[dev_eui] = self._offered.pop(dev_eui)
                return dev_eui
        known = [dev_eui for dev_eui in owners if dev_eui in self._sessions]
        if len(known) == 1:
            return known[0]
        return next((dev_eui for dev_eui in known if self._sessions[dev_eui].owns(heard)), None)

    @property
    def wake_at(self) -> Instant | None:
        """When the next deduplication window closes, or a session has something to send."""
        wishes = [self._dedup.wake_at, *(self._sessions[dev_eui].wake_at for dev_eui in self._awaited)]
        return min((at for at in wishes if at is not None), default=None)

    def handle(self, event: NetworkEvent, now: Instant) -> Sequence[NetworkEffect]:
        """Take an uplink copy, a gateway's answer or an application's request in."""
        if isinstance(event, UplinkReceived):
            return self._copy_received(event, now)
        if isinstance(event, DownlinkAnswered):
            if event.error is not TxError.NONE:
                return self._refused(event.reference, event.error.value, now)
            self._pending.pop(event.reference, None)
            return ()
        if isinstance(event, DownlinkUnsent):
            return self._refused(event.reference, "no PULL_DATA from the gateway", now)
        return self._queue(event, now)

    def wake(self, now: Instant) -> Sequence[NetworkEffect]:
        """Decide on the frames whose window has closed; send what is due to class B and C devices."""
        effects: list[NetworkEffect] = []
        for dev_eui in sorted(self._awaited):
            effects += self._between(dev_eui, self._sessions[dev_eui].wake(now), now)
        for phy_payload, receptions in self._dedup.closed(now):
            effects += self._decide(phy_payload, receptions, now)
        return effects

    def _copy_received(self, event: UplinkReceived, now: Instant) -> Sequence[NetworkEffect]:
        rxpk = event.rxpk
        if rxpk.crc_status != CRC_OK or not isinstance(rxpk.modulation, LoraModulation):
            return (NetworkDropped("crc", "LoRaWAN 1.0.4 §4", "not a LoRa frame with a good CRC", rxpk.payload),)
        try:
            self._config.region.dr_of(rxpk.modulation)
        except ValueError as error:
            return (NetworkDropped("data_rate", "RP002-1.0.4 §2.4.3", str(error), rxpk.payload),)
        self._dedup.add(
            rxpk.payload,
            Reception(
                event.gateway_eui,
                rxpk.tmst,
                rxpk.freq_hz,
                rxpk.modulation,
                rxpk.rssi_dbm,
                # untold, it is at least what reception needs
                snr_floor_db(rxpk.modulation.sf) if rxpk.snr_db is None else rxpk.snr_db,
                now,
                rxpk.tmms,
            ),
        )
        return ()

    def _queue(self, event: SendToDevice, now: Instant) -> Sequence[NetworkEffect]:
        session = self._sessions.get(event.dev_eui)
        if session is None:
            return (DownlinkFailed(event.dev_eui, "the device has no session"),)
        effects = session.handle(QueueDownlink(event.f_port, event.payload, event.confirmed), now)
        return self._between(event.dev_eui, effects, now)

    def _between(self, dev_eui: Eui64, effects: Sequence[SessionEffect], now: Instant) -> Sequence[NetworkEffect]:
        """Carry out what a session does without an uplink."""
        if self._sessions[dev_eui].wake_at is None:
            self._awaited.discard(dev_eui)
        else:
            self._awaited.add(dev_eui)
        carried: list[NetworkEffect] = []
        for effect in effects:
            if isinstance(effect, Send):
                carried += self._send_between(dev_eui, effect, now)
            elif isinstance(effect, Dropped):
                carried.append(DownlinkFailed(dev_eui, f"{effect.reason}: {effect.detail}"))
        return carried

    # -- uplinks ---------------------------------------------------------------------------------------------------

    def _decide(self, phy_payload: bytes, receptions: tuple[Reception, ...], now: Instant) -> Sequence[NetworkEffect]:
        try:
            frame = parse(phy_payload, uplink=True)
        except FrameError as error:
            return (NetworkDropped("frame", error.clause, str(error), phy_payload),)
        dr = self._config.region.dr_of(receptions[0].modulation)
        if isinstance(frame, JoinRequest):
            return self._join(frame, dr, phy_payload, receptions, now)
        if isinstance(frame, DataUp):
            return self._data(frame, dr, phy_payload, receptions, now)
        return (NetworkDropped("f_type", "LoRaWAN 1.0.4 §4.2.1", type(frame).__name__, phy_payload),)

    def _join(
        self, frame: JoinRequest, dr: int, phy_payload: bytes, receptions: tuple[Reception, ...], now: Instant
    ) -> Sequence[NetworkEffect]:
        core = self._joins.get(frame.dev_eui)
        if core is None:
            return (NetworkDropped("unknown_device", "LoRaWAN 1.0.4 §6.2", str(frame.dev_eui), phy_payload),)
        join_eui = self._profiles[frame.dev_eui].join_eui
        if join_eui is not None and frame.join_eui != join_eui:
            return (NetworkDropped("join_eui", "LoRaWAN 1.0.4 §6.2", str(frame.join_eui), phy_payload),)
        effects: list[NetworkEffect] = []
        for effect in core.handle(JoinHeard(frame), now):
            if isinstance(effect, SessionCreated):
                settings = SessionSettings(
                    self._profiles[frame.dev_eui].version,
                    self._config.region,
                    effect.dev_addr,
                    effect.keys,
                    effect.is_1_1,
                    self._config.ch_mask if self._config.join.cf_list else self._config.abp_ch_mask,
                    self._config.windows,
                    self._config.adr,
                    self._profiles[frame.dev_eui].operating_class,
                    gps_at_origin_us=self._config.gps_at_origin_us,
                )
                self._offer(frame.dev_eui, settings)
                effects.append(DeviceJoined(frame.dev_eui, effect.dev_addr, frame.dev_nonce))
                region = self._config.region
                windows = Windows(region.join_accept_delay1_us, 0, region.rx2_dr)
                effects += self._send(frame.dev_eui, effect.accept, receptions, dr, windows, now)
            else:
                effects.append(NetworkDropped(effect.reason, effect.clause, effect.detail, phy_payload))
        return effects

    def _data(
        self, frame: DataUp, dr: int, phy_payload: bytes, receptions: tuple[Reception, ...], now: Instant
    ) -> Sequence[NetworkEffect]:
        best = receptions[0]
        tx_ch = self._channel_index.get(best.freq_hz, 0)
        heard = UplinkHeard(frame, best.snr_db, dr, tx_ch, len(receptions), self._ended_at(receptions))
        dev_eui = self._owner(heard)
        if dev_eui is None:
            reason = "mic" if frame.dev_addr in self._by_dev_addr else "unknown_device"
            return (NetworkDropped(reason, "LoRaWAN 1.0.4 §4.4", f"DevAddr {frame.dev_addr}", phy_payload),)
        effects: list[NetworkEffect] = []
        handled = self._sessions[dev_eui].handle(heard, now)
        if any(isinstance(effect, AppUplink) for effect in handled):
            self._last_heard[dev_eui] = receptions
        effects += self._between(dev_eui, [effect for effect in handled if isinstance(effect, Send)], now)
        for effect in handled:
            match effect:
                case AppUplink():
                    effects.append(
                        DataAccepted(
                            dev_eui,
                            effect.f_cnt,
                            effect.f_port,
                            effect.payload,
                            effect.confirmed,
                            phy_payload,
                            receptions,
                        )
                    )
                case Answer():
                    windows = self._sessions[dev_eui].settings.windows
                    effects += self._send(dev_eui, effect.phy_payload, receptions, dr, windows, now)
                case Dropped():
                    effects.append(NetworkDropped(effect.reason, effect.clause, effect.detail, phy_payload))
                case Repeated():
                    effects.append(
                        NetworkDropped("f_cnt_repeated", "LoRaWAN 1.0.4 §4.3.1.5", str(effect.f_cnt), phy_payload)
                    )
        return effects

    def _ended_at(self, receptions: tuple[Reception, ...]) -> Instant:
        """The end of an uplink on our clock: by a gateway's GPS time, else about when its first copy came."""
        origin_us = self._config.gps_at_origin_us
        if origin_us is not None:
            for reception in receptions:
                if reception.gps_ms is not None:
                    return reception.gps_ms * US_PER_MS - origin_us
        return min(reception.arrived_at for reception in receptions)

    # -- downlinks -------------------------------------------------------------------------------------------------

    def _send(
        self,
        dev_eui: Eui64,
        phy_payload: bytes,
        receptions: tuple[Reception, ...],
        dr: int,
        windows: Windows,
        now: Instant,
    ) -> Sequence[NetworkEffect]:
        reference = self._next_reference(now)
        tries = self._planner.tries(phy_payload, receptions, dr, windows, reference)
        return self._try_next(reference, PendingDownlink(dev_eui, tries), now)

    def _send_between(self, dev_eui: Eui64, send: Send, now: Instant) -> Sequence[NetworkEffect]:
        """By the gateways that heard the device last (LoRaWAN 1.1 §15.5)."""
        reference = self._next_reference(now)
        tries = self._planner.between(send, self._last_heard.get(dev_eui, ()), reference, now)
        return self._try_next(reference, PendingDownlink(dev_eui, tries), now)

    def _next_reference(self, now: Instant) -> int:
        self._reference += 1
        # a gateway that says nothing for so long is taken for sending (version 1 has no TX_ACK)
        self._pending = {
            reference: pending
            for reference, pending in self._pending.items()
            if pending.trying is not None and pending.trying.at + TX_ACK_PATIENCE_US > now
        }
        return self._reference

    def _try_next(self, reference: int, pending: PendingDownlink, now: Instant) -> Sequence[NetworkEffect]:
        for transmission in pending.tries:
            if transmission.at <= now:
                self._planner.refund(transmission)
                pending.last_reason = TxError.TOO_LATE.value
                continue
            pending.trying = transmission
            self._pending[reference] = pending
            return (transmission.request,)
        return (DownlinkFailed(pending.dev_eui, pending.last_reason),)

    def _refused(self, reference: int, reason: str, now: Instant) -> Sequence[NetworkEffect]:
        pending = self._pending.pop(reference, None)
        if pending is None or pending.trying is None:
            return ()
        self._planner.refund(pending.trying)
        pending.last_reason = reason
        return self._try_next(reference, pending, now)
