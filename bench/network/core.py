"""The network core: uplinks of many gateways in; application data, joins and downlinks out.

It keeps the contract of every core. Copies of a frame are collected for the deduplication window; then the device's
session decides, and its answer goes to the best gateway that may send it. A gateway that refuses one (TX_ACK) is
followed by the next way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.network.config import DeviceProfile, NetworkConfig
from bench.network.downlink import DownlinkPlanner, PendingDownlink
from bench.network.events import (
    AskDevice,
    DataAccepted,
    DeviceJoined,
    DeviceTold,
    DownlinkFailed,
    NetworkDropped,
    NetworkEffect,
    NetworkEvent,
    PersistDevice,
    SendToDevice,
)
from bench.network.reception import Deduplicator, Reception
from gateway_fw.gwmp import CRC_OK, DownlinkAnswered, DownlinkUnsent, TxError, UplinkReceived
from lorawan.errors import FrameError, MisuseError
from lorawan.frames import DataUp, Frame, JoinRequest, RejoinRequest02, RejoinRequest1, parse
from lorawan.ids import DevAddr, Eui64
from lorawan.machine import Dropped, Instant
from lorawan.phy import LoraModulation, snr_floor_db
from lorawan.regions import ChannelPlan
from lorawan.server import (
    Answer,
    AppUplink,
    Ask,
    DownlinkUnacknowledged,
    JoinAnswer,
    JoinHeard,
    Openings,
    Operation,
    QueueDownlink,
    Registration,
    RejoinHeard,
    Repeated,
    Send,
    ServerCore,
    ServerEffect,
    ServerMemory,
    ServerPersist,
    UplinkHeard,
)

TX_ACK_PATIENCE_US = 2_000_000  # an answer whose gateway says nothing is taken for sent after this [assumption]


class NetworkCore:
    """Every registered device's server core behind one door.

    memories: what was persisted of devices before. A PersistDevice is durable before the effects that follow it.
    """

    def __init__(
        self,
        config: NetworkConfig,
        devices: Sequence[DeviceProfile],
        memories: Mapping[Eui64, ServerMemory] | None = None,
    ) -> None:
        self._config = config
        self._devices: dict[Eui64, ServerCore] = {}
        self._by_dev_addr: dict[DevAddr, list[Eui64]] = {}
        self._dedup = Deduplicator(config.dedup_window_us)
        self._planner = DownlinkPlanner(config)
        self._pending: dict[int, PendingDownlink] = {}
        self._last_heard: dict[Eui64, tuple[Reception, ...]] = {}
        self._awaited: set[Eui64] = set()  # devices whose core wants to be woken
        self._reference = 0
        for index, profile in enumerate(devices):
            self._register(profile, index, (memories or {}).get(profile.dev_eui))

    def _register(self, profile: DeviceProfile, index: int, memory: ServerMemory | None) -> None:
        if profile.dev_eui in self._devices:
            raise MisuseError(f"DevEUI {profile.dev_eui} is registered twice")
        config = self._config
        registration = Registration(
            version=profile.version,
            region=config.region,
            dev_eui=profile.dev_eui,
            dev_addr=config.join.net_id.dev_addr(index) if profile.dev_addr is None else profile.dev_addr,
            join=config.join,
            app_key=profile.app_key,
            nwk_key=profile.nwk_key,
            join_eui=profile.join_eui,
            session_keys=profile.session_keys,
            operating_class=profile.operating_class,
            operation=Operation(
                config.adr, config.dev_status_period_us, config.gps_at_origin_us, relaxed_f_cnt=profile.relaxed_f_cnt
            ),
        )
        self._devices[profile.dev_eui] = device = ServerCore(registration, memory)
        for session in device.sessions:
            self._address(session.settings.dev_addr, profile.dev_eui)

    def _address(self, dev_addr: DevAddr, dev_eui: Eui64) -> None:
        owners = self._by_dev_addr.setdefault(dev_addr, [])
        if dev_eui not in owners:
            owners.append(dev_eui)

    def _owner(self, heard: UplinkHeard) -> Eui64 | None:
        """Whose frame it is: several devices may share an address."""
        owners = self._by_dev_addr.get(heard.frame.dev_addr, [])
        if len(owners) == 1:
            return owners[0]
        return next((dev_eui for dev_eui in owners if self._devices[dev_eui].owns(heard)), None)

    @property
    def wake_at(self) -> Instant | None:
        """When the next deduplication window closes, or a device's core has something to send."""
        wishes = [self._dedup.wake_at, *(self._devices[dev_eui].wake_at for dev_eui in self._awaited)]
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
            effects += self._between(dev_eui, self._devices[dev_eui].wake(now), now)
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
                None if rxpk.tmms is None else rxpk.tmms * 1000,
            ),
        )
        return ()

    def _queue(self, event: SendToDevice | AskDevice, now: Instant) -> Sequence[NetworkEffect]:
        device = self._devices.get(event.dev_eui)
        if device is None or not device.sessions:
            return (DownlinkFailed(event.dev_eui, "the device has no session"),)
        if isinstance(event, AskDevice):
            effects = device.handle(Ask(event.request), now)
        else:
            effects = device.handle(QueueDownlink(event.f_port, event.payload, event.confirmed, event.priority), now)
        return self._between(event.dev_eui, effects, now)

    def _between(self, dev_eui: Eui64, effects: Sequence[ServerEffect], now: Instant) -> Sequence[NetworkEffect]:
        """Carry out what a device's core does without an uplink."""
        self._await(dev_eui)
        told: list[NetworkEffect] = []
        for effect in effects:
            match effect:
                case ServerPersist():
                    told.append(PersistDevice(dev_eui, effect.memory))
                case Send():
                    told += self._send_between(dev_eui, effect, now)
                case Dropped():
                    told.append(DownlinkFailed(dev_eui, f"{effect.reason}: {effect.detail}"))
                case DownlinkUnacknowledged():
                    told.append(DeviceTold(dev_eui, effect))
                case _:
                    raise MisuseError(f"{type(effect).__name__} without an uplink")
        return told

    def _await(self, dev_eui: Eui64) -> None:
        if self._devices[dev_eui].wake_at is None:
            self._awaited.discard(dev_eui)
        else:
            self._awaited.add(dev_eui)

    # -- uplinks ---------------------------------------------------------------------------------------------------

    def _decide(self, phy_payload: bytes, receptions: tuple[Reception, ...], now: Instant) -> Sequence[NetworkEffect]:
        try:
            frame = parse(phy_payload, uplink=True)
        except FrameError as error:
            return (NetworkDropped("frame", error.clause, str(error), phy_payload),)
        best, dev_eui = receptions[0], None
        dr = self._config.region.dr_of(best.modulation)
        heard: UplinkHeard | JoinHeard | RejoinHeard
        match frame:
            case JoinRequest():
                heard, dev_eui = JoinHeard(frame, dr, self._join_channel(best.freq_hz, dr)), frame.dev_eui
            case RejoinRequest02() | RejoinRequest1():
                heard, dev_eui = RejoinHeard(frame, dr, self._join_channel(best.freq_hz, dr)), frame.dev_eui
            case DataUp():
                heard = UplinkHeard(
                    frame, best.snr_db, dr, 0, len(receptions), ended_at=self._ended_at(best), freq_hz=best.freq_hz
                )
                dev_eui = self._owner(heard)
                if dev_eui is None:
                    reason = "mic" if frame.dev_addr in self._by_dev_addr else "unknown_device"
                    return (NetworkDropped(reason, "LoRaWAN 1.0.4 §4.4", f"DevAddr {frame.dev_addr}", phy_payload),)
            case _:
                return (NetworkDropped("f_type", "LoRaWAN 1.0.4 §4.2.1", type(frame).__name__, phy_payload),)
        device = self._devices.get(dev_eui)
        if device is None:
            return (NetworkDropped("unknown_device", "LoRaWAN 1.0.4 §6.2", str(dev_eui), phy_payload),)
        effects = device.handle(heard, now)
        if any(isinstance(effect, AppUplink) for effect in effects):
            self._last_heard[dev_eui] = receptions
        self._await(dev_eui)
        told: list[NetworkEffect] = []
        for effect in effects:
            told += self._told(effect, dev_eui, frame, phy_payload, receptions, now)
        return told

    def _join_channel(self, freq_hz: int, dr: int) -> int | None:
        """The index of a join's channel in the region's plan."""
        return ChannelPlan.of(self._config.region).index_of(freq_hz, dr)

    def _ended_at(self, best: Reception) -> Instant:
        """When the uplink was over: to 1 ms by a gateway with GPS, else when it came in, late by the way to here."""
        origin_us = self._config.gps_at_origin_us
        if best.gps_us is None or origin_us is None:
            return best.arrived_at
        return best.gps_us - origin_us

    def _told(
        self,
        effect: ServerEffect,
        dev_eui: Eui64,
        frame: Frame,
        phy_payload: bytes,
        receptions: tuple[Reception, ...],
        now: Instant,
    ) -> Sequence[NetworkEffect]:
        """What an effect of a device's core means for the fleet."""
        match effect:
            case ServerPersist():
                return (PersistDevice(dev_eui, effect.memory),)
            case AppUplink():
                return (
                    DataAccepted(
                        dev_eui,
                        effect.f_cnt,
                        effect.f_port,
                        effect.payload,
                        effect.confirmed,
                        phy_payload,
                        receptions,
                    ),
                )
            case JoinAnswer():
                self._address(effect.dev_addr, dev_eui)
                nonce = frame.dev_nonce if isinstance(frame, JoinRequest) else getattr(frame, "rj_count", 0)
                sent = self._send(dev_eui, effect.phy_payload, receptions, effect.openings, now)
                return (DeviceJoined(dev_eui, effect.dev_addr, nonce, effect.rejoin_type), *sent)
            case Send():
                return self._send_between(dev_eui, effect, now)
            case Answer():
                return self._send(dev_eui, effect.phy_payload, receptions, effect.openings, now)
            case Dropped():
                return (NetworkDropped(effect.reason, effect.clause, effect.detail, phy_payload),)
            case Repeated():
                detail = str(effect.f_cnt)
                return (NetworkDropped("f_cnt_repeated", "LoRaWAN 1.0.4 §4.3.1.5", detail, phy_payload),)
            case _:
                return (DeviceTold(dev_eui, effect),)

    # -- downlinks -------------------------------------------------------------------------------------------------

    def _send(
        self,
        dev_eui: Eui64,
        phy_payload: bytes,
        receptions: tuple[Reception, ...],
        openings: Openings,
        now: Instant,
    ) -> Sequence[NetworkEffect]:
        reference = self._next_reference(now)
        tries = self._planner.tries(phy_payload, receptions, openings, reference)
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
