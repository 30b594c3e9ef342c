"""A device's session as its network keeps it: counters, MIC, answers, MAC requests, ADR."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from lorawan import mac_commands as mac
from lorawan.crypto import SessionKeys
from lorawan.frames import FCtrlDown
from lorawan.ids import DevAddr
from lorawan.machine import Dropped, Instant
from lorawan.phy import snr_floor_db
from lorawan.regions import Region
from lorawan.secured import mic_up_ok, open_up, recover_f_cnt, seal_down
from lorawan.server.adr import AdrHistory, AdrPolicy, decide
from lorawan.server.events import (
    Answer,
    AppUplink,
    LinkSettings,
    QueueDownlink,
    Repeated,
    SessionEffect,
    SessionEvent,
    UplinkHeard,
)
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class Windows:
    """What the device's receive windows are set to. An ABP device is made with its region's defaults."""

    rx1_delay_us: int
    rx1_dr_offset: int
    rx2_dr: int

    @classmethod
    def defaults(cls, region: Region) -> Windows:
        """The region's defaults."""
        return cls(region.receive_delay1_us, 0, region.rx2_dr)


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """A session as it starts. ch_mask: the channels the device has after its accept (or as an ABP device is made)."""

    version: Version
    region: Region
    dev_addr: DevAddr
    keys: SessionKeys
    is_1_1: bool
    ch_mask: int
    windows: Windows
    adr: AdrPolicy = field(default_factory=AdrPolicy)


class ServerSession:
    """The network's core for one session. Deduplicated uplinks in, application data and answers out."""

    def __init__(self, settings: SessionSettings) -> None:
        self.settings = settings
        self.link: LinkSettings | None = None  # as last known; None before the first uplink
        self._last_f_cnt_up: int | None = None
        self._n_f_cnt_down = 0
        self._a_f_cnt_down = 0
        self._history = AdrHistory()
        self._asked: LinkSettings | None = None
        self._refused: LinkSettings | None = None
        self._queue: deque[QueueDownlink] = deque()
        self._pending_conf_f_cnt_down: int | None = None
        self._last_conf_f_cnt = 0  # what the last accepted uplink acknowledged: its repeats do the same

    @property
    def wake_at(self) -> Instant | None:
        """Never: class A answers only."""
        return None

    def wake(self, now: Instant) -> Sequence[SessionEffect]:  # noqa: ARG002 - the contract of every core
        """Nothing is ever due."""
        return ()

    def handle(self, event: SessionEvent, now: Instant) -> Sequence[SessionEffect]:  # noqa: ARG002 - the contract
        """Take an uplink or a queued downlink in."""
        if isinstance(event, QueueDownlink):
            return self._queued(event)
        return self._uplink(event)

    def _queued(self, event: QueueDownlink) -> Sequence[SessionEffect]:
        if not 1 <= event.f_port <= 224:
            return (Dropped("f_port", "LoRaWAN 1.0.4 §4.3.2", f"FPort {event.f_port} is not the application's"),)
        largest = max(rate.max_app_payload_bytes for rate in self.settings.region.data_rates)
        if len(event.payload) > largest:
            detail = f"{len(event.payload)} bytes, {largest} at most"
            return (Dropped("payload_too_long", "RP002-1.0.4 §2.4.7", detail),)
        self._queue.append(event)
        return ()

    def owns(self, event: UplinkHeard) -> bool:
        """Whether the frame's MIC is this session's: finds the device where several share a DevAddr."""
        return self._mic_ok(event, recover_f_cnt(self._last_f_cnt_up, event.frame.f_cnt))

    def _mic_ok(self, event: UplinkHeard, f_cnt: int) -> bool:
        return mic_up_ok(
            self.settings.keys,
            is_1_1=self.settings.is_1_1,
            frame=event.frame,
            f_cnt=f_cnt,
            conf_f_cnt=self._last_conf_f_cnt if f_cnt == self._last_f_cnt_up else self._pending_conf_f_cnt_down or 0,
            tx_dr=event.dr,
            tx_ch=event.tx_ch,
        )

    def _uplink(self, event: UplinkHeard) -> Sequence[SessionEffect]:
        frame, settings = event.frame, self.settings
        last = self._last_f_cnt_up
        f_cnt = recover_f_cnt(last, frame.f_cnt)
        repeated = f_cnt == last
        if last is not None and f_cnt < last:
            return (Dropped("f_cnt_exhausted", "LoRaWAN 1.0.4 §4.3.1.5", f"{f_cnt} after {last}"),)
        if not self._mic_ok(event, f_cnt):
            # an old counter read as the next 65,536 fails here too: say which it was, after checking it is genuine
            if last is not None and not repeated and f_cnt - last > 0x8000 and self._mic_ok(event, f_cnt - 0x10000):
                return (Dropped("f_cnt_replay", "LoRaWAN 1.0.4 §4.3.1.5", f"{f_cnt - 0x10000} after {last}"),)
            return (Dropped("mic", "LoRaWAN 1.0.4 §4.4", f"FCnt {f_cnt}"),)
        if repeated:
            effects: list[SessionEffect] = [Repeated(f_cnt)]
            if frame.confirmed:
                effects += self._answer(b"", event.dr, ack=True, conf_f_cnt=f_cnt)
            return effects
        gap = settings.version.rules.max_f_cnt_gap
        if gap is not None and f_cnt - (last if last is not None else 0) >= gap:
            return (Dropped("f_cnt_gap", "LoRaWAN 1.0.2 §4.3.1.5", f"{f_cnt} after {last}"),)
        self._last_f_cnt_up = f_cnt
        opened = open_up(settings.keys, is_1_1=settings.is_1_1, frame=frame, f_cnt=f_cnt)
        commands = opened.payload if frame.f_port == 0 else opened.f_opts
        self._last_conf_f_cnt = 0
        if frame.f_ctrl.ack and self._pending_conf_f_cnt_down is not None:
            self._last_conf_f_cnt, self._pending_conf_f_cnt_down = self._pending_conf_f_cnt_down, None
        requests = mac.parse_commands(commands, uplink=True).commands
        f_opts, must = self._requests(requests, event, f_cnt)
        accepted: list[SessionEffect] = [
            AppUplink(f_cnt, frame.f_port, opened.payload, frame.confirmed, frame.f_ctrl.ack)
        ]
        if must or frame.confirmed or frame.f_ctrl.adr_ack_req or self._queue:
            accepted += self._answer(f_opts, event.dr, ack=frame.confirmed, conf_f_cnt=f_cnt)
        if any(isinstance(command, mac.DeviceTimeReq) for command in requests):
            accepted.append(Dropped("device_time", "LoRaWAN 1.0.4 §5.10", "this network keeps no GPS time"))
        return accepted

    def _requests(self, commands: Sequence[mac.MacCommand], event: UplinkHeard, f_cnt: int) -> tuple[bytes, bool]:
        """Answers to the device's commands and the network's own requests; whether they justify a downlink."""
        answers: dict[type[mac.MacCommand], bytes] = {}  # one of each kind, however often it was asked for
        link = self.link
        for command in commands:
            match command:
                case mac.LinkCheckReq():
                    floor_db = snr_floor_db(self.settings.region.modulation(event.dr).sf)
                    margin_db = max(0, min(254, int(event.snr_db - floor_db)))
                    answer = mac.LinkCheckAns(margin_db=margin_db, gw_cnt=min(event.n_gateways, 255))
                    answers[mac.LinkCheckReq] = answer.encode()
                case mac.RekeyInd():
                    answers[mac.RekeyInd] = mac.RekeyConf(command.minor).encode()
                case mac.ResetInd():
                    answers[mac.ResetInd] = mac.ResetConf(command.minor).encode()
                    link = None  # the device has begun anew, at full power
                case mac.LinkAdrAns() if self._asked is not None:
                    if command.power_ok and command.data_rate_ok and command.channel_mask_ok:
                        link = self._asked
                        self._history.forget()
                    else:
                        self._refused = self._asked
                    self._asked = None
                case _:
                    pass  # answers to requests that this network never makes; DeviceTimeReq is refused by _uplink
        if link is None or link.dr != event.dr:
            # never heard before, or moved by itself: back-off returns to full power, retries of old versions do not
            retried = event.frame.confirmed and self.settings.version.rules.confirmed_tries > 0
            power = link.tx_power_index if link is not None and retried else 0
            link = LinkSettings(event.dr, power, link.nb_trans if link else 1, self.settings.ch_mask)
            self._history.forget()
            self._asked = self._refused = None
        out = b"".join(answers.values())
        self.link = link
        self._history.add(f_cnt, event.snr_db)
        if event.frame.f_ctrl.adr:
            out += self._adr_request(link)
        return out, bool(out)

    def _adr_request(self, link: LinkSettings) -> bytes:
        target = decide(
            self._history, link.dr, link.tx_power_index, link.nb_trans, self.settings.adr, self.settings.region
        )
        wanted = LinkSettings(target.dr, target.tx_power_index, target.nb_trans, self.settings.ch_mask)
        if wanted in (link, self._refused):
            self._asked = None
            return b""
        self._asked = wanted
        return mac.LinkAdrReq(
            data_rate=wanted.dr,
            tx_power=wanted.tx_power_index,
            ch_mask=wanted.ch_mask,
            ch_mask_cntl=0,
            nb_trans=wanted.nb_trans,
        ).encode()

    def _answer(self, f_opts: bytes, uplink_dr: int, *, ack: bool, conf_f_cnt: int) -> list[SessionEffect]:
        """The downlink: acknowledgement, MAC commands, and the oldest queued payload that fits both windows."""
        settings, region = self.settings, self.settings.region
        f_opts = mac.whole_commands(f_opts, uplink=False)
        slowest = min(region.rx1_dr(uplink_dr, settings.windows.rx1_dr_offset), settings.windows.rx2_dr)
        room = region.data_rates[slowest].max_app_payload_bytes
        effects: list[SessionEffect] = []
        while self._queue and len(self._queue[0].payload) > room:
            old = self._queue.popleft()
            detail = f"{len(old.payload)} bytes, {room} fit DR{slowest}"
            effects.append(Dropped("payload_too_long", "RP002-1.0.4 §2.4.7", detail))
        queued = None
        if self._queue and len(self._queue[0].payload) + len(f_opts) <= room:
            queued = self._queue.popleft()
        application = settings.is_1_1 and queued is not None
        f_cnt = self._a_f_cnt_down if application else self._n_f_cnt_down
        if application:
            self._a_f_cnt_down += 1
        else:
            self._n_f_cnt_down += 1
        if queued is not None and queued.confirmed:
            self._pending_conf_f_cnt_down = f_cnt & 0xFFFF
        sealed = seal_down(
            settings.keys,
            is_1_1=settings.is_1_1,
            confirmed=queued is not None and queued.confirmed,
            dev_addr=settings.dev_addr,
            f_ctrl=FCtrlDown(adr=True, ack=ack, f_pending=bool(self._queue)),
            f_cnt=f_cnt,
            f_opts=f_opts,
            f_port=queued.f_port if queued is not None else None,
            payload=queued.payload if queued is not None else b"",
            conf_f_cnt=conf_f_cnt & 0xFFFF if ack else 0,
        )
        return [*effects, Answer(sealed)]
