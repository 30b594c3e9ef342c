"""A device's session as its network keeps it: counters, MIC, answers, MAC requests, ADR."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from lorawan import mac_commands as mac
from lorawan.crypto import SessionKeys
from lorawan.frames import DataUp, FCtrlDown
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
class SessionSettings:
    """A session as it starts. ch_mask: the channels the device has after its accept (or as an ABP device is made)."""

    version: Version
    region: Region
    dev_addr: DevAddr
    keys: SessionKeys
    is_1_1: bool
    ch_mask: int
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
        self._queue: deque[QueueDownlink] = deque()
        self._pending_conf_f_cnt_down: int | None = None

    @property
    def wake_at(self) -> Instant | None:
        """Never: class A answers only."""
        return None

    def wake(self, now: Instant) -> Sequence[SessionEffect]:  # noqa: ARG002 - the contract of every core
        """Nothing is ever due."""
        return ()

    @property
    def f_cnt_up(self) -> int | None:
        """The last accepted uplink counter."""
        return self._last_f_cnt_up

    def handle(self, event: SessionEvent, now: Instant) -> Sequence[SessionEffect]:  # noqa: ARG002 - the contract
        """Take an uplink or a queued downlink in."""
        if isinstance(event, QueueDownlink):
            self._queue.append(event)
            return ()
        return self._uplink(event)

    def owns(self, event: UplinkHeard) -> bool:
        """Whether the frame's MIC is this session's: finds the device where several share a DevAddr."""
        f_cnt, _ = self._full_f_cnt(event.frame)
        return self._mic_ok(event, f_cnt)

    def _full_f_cnt(self, frame: DataUp) -> tuple[int, bool]:
        """The 32-bit counter and whether it equals the last accepted one."""
        last = self._last_f_cnt_up
        if last is not None and frame.f_cnt == last & 0xFFFF:
            return last, True
        return recover_f_cnt(last, frame.f_cnt), False

    def _mic_ok(self, event: UplinkHeard, f_cnt: int) -> bool:
        return mic_up_ok(
            self.settings.keys,
            is_1_1=self.settings.is_1_1,
            frame=event.frame,
            f_cnt=f_cnt,
            conf_f_cnt=self._pending_conf_f_cnt_down or 0,
            tx_dr=event.dr,
            tx_ch=event.tx_ch,
        )

    def _uplink(self, event: UplinkHeard) -> Sequence[SessionEffect]:
        frame, settings = event.frame, self.settings
        last = self._last_f_cnt_up
        f_cnt, repeated = self._full_f_cnt(frame)
        if not self._mic_ok(event, f_cnt):
            # an old counter read as the next 65,536 fails here too: say which it was, after checking it is genuine
            if last is not None and not repeated and f_cnt - last > 0x8000 and self._mic_ok(event, f_cnt - 0x10000):
                return (Dropped("f_cnt_replay", "LoRaWAN 1.0.4 §4.3.1.5", f"{f_cnt - 0x10000} after {last}"),)
            return (Dropped("mic", "LoRaWAN 1.0.4 §4.4", f"FCnt {f_cnt}"),)
        if repeated:
            effects: list[SessionEffect] = [Repeated(f_cnt)]
            if frame.confirmed:
                effects.append(self._answer(b"", ack=True, conf_f_cnt=f_cnt))
            return effects
        gap = settings.version.rules.max_f_cnt_gap
        if gap is not None and f_cnt - (last if last is not None else 0) >= gap:
            return (Dropped("f_cnt_gap", "LoRaWAN 1.0.2 §4.3.1.5", f"{f_cnt} after {last}"),)
        self._last_f_cnt_up = f_cnt
        opened = open_up(settings.keys, is_1_1=settings.is_1_1, frame=frame, f_cnt=f_cnt)
        commands = opened.payload if frame.f_port == 0 else opened.f_opts
        if frame.f_ctrl.ack:
            self._pending_conf_f_cnt_down = None
        f_opts, must = self._requests(mac.parse_commands(commands, uplink=True).commands, event, f_cnt)
        accepted: list[SessionEffect] = [
            AppUplink(f_cnt, frame.f_port, opened.payload, frame.confirmed, frame.f_ctrl.ack)
        ]
        if must or frame.confirmed or frame.f_ctrl.adr_ack_req or self._queue:
            accepted.append(self._answer(f_opts, ack=frame.confirmed, conf_f_cnt=f_cnt))
        return accepted

    def _requests(self, commands: Sequence[mac.MacCommand], event: UplinkHeard, f_cnt: int) -> tuple[bytes, bool]:
        """Answers to the device's commands and the network's own requests; whether they justify a downlink."""
        out = b""
        link = self.link
        for command in commands:
            match command:
                case mac.LinkCheckReq():
                    floor_db = snr_floor_db(self.settings.region.modulation(event.dr).sf)
                    margin_db = max(0, min(254, int(event.snr_db - floor_db)))
                    out += mac.LinkCheckAns(margin_db=margin_db, gw_cnt=min(event.n_gateways, 255)).encode()
                case mac.RekeyInd():
                    out += mac.RekeyConf(command.minor).encode()
                case mac.ResetInd():
                    out += mac.ResetConf(command.minor).encode()
                case mac.LinkAdrAns() if self._asked is not None:
                    if command.power_ok and command.data_rate_ok and command.channel_mask_ok:
                        link = self._asked
                        self._history.forget()
                    self._asked = None
                case _:
                    pass  # answers to requests that this network never makes
        if link is None or link.dr != event.dr:
            # never heard before, or moved by itself: ADR back-off returns to full power
            link = LinkSettings(event.dr, 0, link.nb_trans if link else 1, self.settings.ch_mask)
            self._history.forget()
            self._asked = None
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
        if wanted == link:
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

    def _answer(self, f_opts: bytes, *, ack: bool, conf_f_cnt: int) -> Answer:
        """Build the downlink: acknowledgement, MAC commands, and the oldest queued payload."""
        settings = self.settings
        queued = self._queue.popleft() if self._queue else None
        application = settings.is_1_1 and queued is not None
        f_cnt = self._a_f_cnt_down if application else self._n_f_cnt_down
        if application:
            self._a_f_cnt_down += 1
        else:
            self._n_f_cnt_down += 1
        if queued is not None and queued.confirmed:
            self._pending_conf_f_cnt_down = f_cnt & 0xFFFF
        return Answer(
            seal_down(
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
        )
