"""The network core: uplinks of many gateways in; application data, joins and downlinks out.

It keeps the contract of every core. Copies of a frame are collected for the deduplication window; then the device's
session decides, and its answer goes to the best gateway that may send it. A gateway that refuses one (TX_ACK) is
followed by the next way.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.network.config import DeviceProfile, NetworkConfig, dev_addr_for
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
from gateway_fw.gwmp import DownlinkAnswered, TxError, UplinkReceived
from lorawan.errors import FrameError, MisuseError
from lorawan.frames import DataUp, JoinRequest, parse
from lorawan.ids import DevAddr, Eui64
from lorawan.machine import Dropped, Instant
from lorawan.phy import LoraModulation, lora_airtime_us
from lorawan.server import (
    Answer,
    AppUplink,
    JoinCore,
    JoinHeard,
    QueueDownlink,
    ServerSession,
    SessionCreated,
    SessionSettings,
    UplinkHeard,
)

TX_ACK_PATIENCE_US = 2_000_000  # an answer whose gateway says nothing is taken for sent after this [assumption]


class NetworkCore:
    """Every registered device's join and session behind one door."""

    def __init__(self, config: NetworkConfig, devices: Sequence[DeviceProfile]) -> None:
        self._config = config
        self._profiles: dict[Eui64, DeviceProfile] = {}
        self._joins: dict[Eui64, JoinCore] = {}
        self._sessions: dict[Eui64, ServerSession] = {}
        self._by_dev_addr: dict[DevAddr, list[Eui64]] = {}
        self._dedup = Deduplicator(config.dedup_window_us)
        self._planner = DownlinkPlanner(config)
        self._pending: dict[int, PendingDownlink] = {}
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
                self._config.adr,
            )
            self._open(profile.dev_eui, settings)
        elif profile.app_key is not None:
            self._joins[profile.dev_eui] = JoinCore(
                profile.version,
                profile.dev_eui,
                dev_addr_for(self._config.join.net_id, index),
                self._config.join,
                app_key=profile.app_key,
                nwk_key=profile.nwk_key,
            )

    def _open(self, dev_eui: Eui64, settings: SessionSettings) -> None:
        """Start a session, in the place of an earlier one."""
        self._sessions[dev_eui] = ServerSession(settings)
        owners = self._by_dev_addr.setdefault(settings.dev_addr, [])
        if dev_eui not in owners:
            owners.append(dev_eui)

    @property
    def wake_at(self) -> Instant | None:
        """When the next deduplication window closes."""
        return self._dedup.wake_at

    def session(self, dev_eui: Eui64) -> ServerSession | None:
        """A device's session, for reading."""
        return self._sessions.get(dev_eui)

    def handle(self, event: NetworkEvent, now: Instant) -> Sequence[NetworkEffect]:
        """Take an uplink copy, a gateway's answer or an application's request in."""
        if isinstance(event, UplinkReceived):
            return self._copy_received(event, now)
        if isinstance(event, DownlinkAnswered):
            return self._answered(event, now)
        return self._queue(event, now)

    def wake(self, now: Instant) -> Sequence[NetworkEffect]:
        """Decide on the frames whose window has closed."""
        effects: list[NetworkEffect] = []
        for phy_payload, receptions in self._dedup.closed(now):
            effects += self._decide(phy_payload, receptions, now)
        return effects

    def _copy_received(self, event: UplinkReceived, now: Instant) -> Sequence[NetworkEffect]:
        rxpk = event.rxpk
        if rxpk.crc_status != 1 or not isinstance(rxpk.modulation, LoraModulation):
            return (NetworkDropped("crc", "LoRaWAN 1.0.4 §4", "not a LoRa frame with a good CRC", rxpk.payload),)
        self._dedup.add(
            rxpk.payload,
            Reception(
                event.gateway_eui,
                rxpk.tmst,
                rxpk.freq_hz,
                rxpk.modulation,
                rxpk.rssi_dbm,
                rxpk.snr_db if rxpk.snr_db is not None else 0.0,
                now,
            ),
        )
        return ()

    def _queue(self, event: SendToDevice, now: Instant) -> Sequence[NetworkEffect]:
        session = self._sessions.get(event.dev_eui)
        if session is None:
            return (DownlinkFailed(event.dev_eui, "the device has no session"),)
        session.handle(QueueDownlink(event.f_port, event.payload, event.confirmed), now)
        return ()

    # -- uplinks ---------------------------------------------------------------------------------------------------

    def _decide(self, phy_payload: bytes, receptions: tuple[Reception, ...], now: Instant) -> Sequence[NetworkEffect]:
        try:
            frame = parse(phy_payload, uplink=True)
        except FrameError as error:
            return (NetworkDropped("frame", error.clause, str(error), phy_payload),)
        try:
            dr = self._config.region.dr_of(receptions[0].modulation)
        except ValueError as error:
            return (NetworkDropped("data_rate", "RP002-1.0.4 §2.4.3", str(error), phy_payload),)
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
                    self._config.adr,
                )
                self._open(frame.dev_eui, settings)
                effects.append(DeviceJoined(frame.dev_eui, effect.dev_addr, frame.dev_nonce))
                delay = self._config.region.join_accept_delay1_us
                effects += self._send(frame.dev_eui, effect.accept, receptions, dr, delay, now, join=True)
            else:
                effects.append(NetworkDropped(effect.reason, effect.clause, effect.detail, phy_payload))
        return effects

    def _data(
        self, frame: DataUp, dr: int, phy_payload: bytes, receptions: tuple[Reception, ...], now: Instant
    ) -> Sequence[NetworkEffect]:
        best = receptions[0]
        tx_ch = self._channel_index.get(best.freq_hz, 0)
        heard = UplinkHeard(frame, best.snr_db, dr, tx_ch, len(receptions))
        owners = self._by_dev_addr.get(frame.dev_addr, ())
        dev_eui = owners[0] if len(owners) == 1 else next((o for o in owners if self._sessions[o].owns(heard)), None)
        if dev_eui is None:
            reason = "mic" if owners else "unknown_device"
            return (NetworkDropped(reason, "LoRaWAN 1.0.4 §4.4", f"DevAddr {frame.dev_addr}", phy_payload),)
        effects: list[NetworkEffect] = []
        for effect in self._sessions[dev_eui].handle(heard, now):
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
                    delay = max(1, self._config.join.rx_delay_s) * 1_000_000
                    effects += self._send(dev_eui, effect.phy_payload, receptions, dr, delay, now, join=False)
                case Dropped():
                    effects.append(NetworkDropped(effect.reason, effect.clause, effect.detail, phy_payload))
                case _:
                    effects.append(
                        NetworkDropped("f_cnt_repeated", "LoRaWAN 1.0.4 §4.3.1.5", str(effect.f_cnt), phy_payload)
                    )
        return effects

    # -- downlinks -------------------------------------------------------------------------------------------------

    def _send(
        self,
        dev_eui: Eui64,
        phy_payload: bytes,
        receptions: tuple[Reception, ...],
        dr: int,
        delay_us: int,
        now: Instant,
        *,
        join: bool,
    ) -> Sequence[NetworkEffect]:
        self._reference += 1
        tries = self._planner.tries(phy_payload, receptions, dr, delay_us, self._reference, join=join)
        pending = PendingDownlink(dev_eui, tries)
        self._pending = {k: p for k, p in self._pending.items() if p.expires_at > now}
        return self._try_next(self._reference, pending, now)

    def _try_next(self, reference: int, pending: PendingDownlink, now: Instant) -> Sequence[NetworkEffect]:
        for at, request in pending.tries:
            if at <= now:
                pending.last_reason = TxError.TOO_LATE.value
                continue
            pending.expires_at = at + TX_ACK_PATIENCE_US
            self._pending[reference] = pending
            modulation = request.txpk.modulation
            if isinstance(modulation, LoraModulation):
                self._planner.spend(at, request, lora_airtime_us(len(request.txpk.payload), modulation, crc=False))
            return (request,)
        return (DownlinkFailed(pending.dev_eui, pending.last_reason),)

    def _answered(self, event: DownlinkAnswered, now: Instant) -> Sequence[NetworkEffect]:
        pending = self._pending.pop(event.reference, None)
        if pending is None or event.error is TxError.NONE:
            return ()
        pending.last_reason = event.error.value
        return self._try_next(event.reference, pending, now)
