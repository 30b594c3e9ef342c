"""A device's session as its network keeps it: counters, MIC, answers, MAC requests, ADR, and what class B and C add.

A queued payload goes into the next class A answer. To a class C device it goes at once, to a class B device in its next
ping slot, unless its class A windows are about to open.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from lorawan import mac_commands as mac
from lorawan.errors import MisuseError
from lorawan.frames import MAX_F_OPTS, FCtrlDown
from lorawan.machine import Dropped, Instant
from lorawan.phy import lora_airtime_us
from lorawan.regions import mask_requests
from lorawan.secured import mic_up_ok, open_up, recover_f_cnt, seal_down
from lorawan.server.adr import AdrHistory, decide
from lorawan.server.between import BetweenUplinks
from lorawan.server.class_link import ClassLink
from lorawan.server.commands import ServerCommandContext, carry_out, with_beacon_timing
from lorawan.server.events import (
    Answer,
    AppUplink,
    LinkSettings,
    MoveBeacon,
    MovePingSlots,
    QueueDownlink,
    Repeated,
    SessionEffect,
    SessionEvent,
    UplinkHeard,
)
from lorawan.server.settings import SessionSettings


class ServerSession:
    """The network's core for one session. Deduplicated uplinks in, application data and answers out."""

    def __init__(self, settings: SessionSettings) -> None:
        longest = len(mask_requests(settings.region, settings.ch_mask)) * (1 + mac.LinkAdrReq.length)
        if longest > MAX_F_OPTS:
            raise MisuseError(f"channel mask {settings.ch_mask:#x} takes more LinkADRReqs than FOpts hold")
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
        self.classes = ClassLink(settings.operating_class, settings.periodicity)
        self._between = BetweenUplinks(settings, self.classes, self._queue, self._sealed)
        self._last_conf_f_cnt = 0  # what the last accepted uplink acknowledged: its repeats do the same

    @property
    def wake_at(self) -> Instant | None:
        """When a class B or C downlink is handed over, or its acknowledgement is too late; None in class A."""
        return self._between.wake_at

    def wake(self, now: Instant) -> Sequence[SessionEffect]:
        """Send what is due to a class B or C device; give up an acknowledgement."""
        return self._between.wake(now, self.link.nb_trans if self.link else 1)

    def handle(self, event: SessionEvent, now: Instant) -> Sequence[SessionEffect]:
        """Take an uplink, a queued downlink or a request in."""
        match event:
            case QueueDownlink():
                effects = [*self._queued(event)]
            case MovePingSlots() | MoveBeacon():
                self.classes.ask(event)
                effects = []
            case _:
                effects = [*self._uplink(event, now)]
        self._between.plan(now)
        return [*effects, *self.wake(now)]

    def _queued(self, event: QueueDownlink) -> Sequence[SessionEffect]:
        if not 1 <= event.f_port <= 224:
            return (Dropped("f_port", "LoRaWAN 1.0.4 §4.3.2", f"FPort {event.f_port} is not the application's"),)
        downlinks = [rate for rate in self.settings.region.data_rates if rate.downlink]
        largest = max(rate.max_app_payload_bytes for rate in downlinks)
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

    def _uplink(self, event: UplinkHeard, now: Instant) -> Sequence[SessionEffect]:
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
        unacknowledged = self._between.heard(event, now)
        opened = open_up(settings.keys, is_1_1=settings.is_1_1, frame=frame, f_cnt=f_cnt)
        commands = opened.payload if frame.f_port == 0 else opened.f_opts
        self._last_conf_f_cnt = 0
        if frame.f_ctrl.ack and self._pending_conf_f_cnt_down is not None:
            self._last_conf_f_cnt, self._pending_conf_f_cnt_down = self._pending_conf_f_cnt_down, None
        context = self._carry_out(commands, event, now)
        f_opts = context.out.encoded + self.classes.requests + self._adr(context, f_cnt)
        accepted: list[SessionEffect] = [
            AppUplink(f_cnt, frame.f_port, opened.payload, frame.confirmed, frame.f_ctrl.ack)
        ]
        if f_opts or frame.confirmed or frame.f_ctrl.adr_ack_req or self._queue:
            accepted += self._answer(f_opts, event.dr, ack=frame.confirmed, conf_f_cnt=f_cnt)
        return [*unacknowledged, *accepted, *context.out.refused]

    def _carry_out(self, block: bytes, event: UplinkHeard, now: Instant) -> ServerCommandContext:
        """What the device's commands lead to; the link is not kept before `_adr` has looked at it."""
        settings = self.settings
        version = settings.version.in_session(is_1_1=settings.is_1_1)
        context = ServerCommandContext(
            event,
            settings.region,
            now,
            self._history,
            self.link,
            self._asked,
            self._refused,
            self.classes,
            None if settings.gps_at_origin_us is None else settings.gps_at_origin_us + self._between.ended_at,
        )
        carry_out(block, version, context)
        self._asked, self._refused = context.asked, context.refused
        return context

    def _adr(self, context: ServerCommandContext, f_cnt: int) -> bytes:
        """Keep what the uplink says of the link; the network's own request, where ADR has one."""
        link, event = context.link, context.event
        if link is None or link.dr != event.dr:
            # never heard before, or moved by itself: back-off returns to full power, retries of old versions do not
            retried = event.frame.confirmed and self.settings.version.rules.confirmed_tries > 0
            power = link.tx_power_index if link is not None and retried else 0
            link = LinkSettings(event.dr, power, link.nb_trans if link else 1, self.settings.ch_mask)
            self._history.forget()
            self._asked = self._refused = None
        self.link = link
        self._history.add(f_cnt, event.snr_db)
        request = self._adr_request(link) if event.frame.f_ctrl.adr else b""
        if (
            len(context.out.encoded) + len(self.classes.requests) + len(request) > MAX_F_OPTS
        ):  # a block cut in two would mean something else
            self._asked = None
            return b""
        return request

    def _adr_request(self, link: LinkSettings) -> bytes:
        target = decide(
            self._history, link.dr, link.tx_power_index, link.nb_trans, self.settings.adr, self.settings.region
        )
        wanted = LinkSettings(target.dr, target.tx_power_index, target.nb_trans, self.settings.ch_mask)
        if wanted in (link, self._refused):
            self._asked = None
            return b""
        self._asked = wanted
        return mac.encode_commands(
            mac.LinkAdrReq(
                data_rate=wanted.dr,
                tx_power=wanted.tx_power_index,
                ch_mask=ch_mask,
                ch_mask_cntl=ch_mask_cntl,
                nb_trans=wanted.nb_trans,
            )
            for ch_mask_cntl, ch_mask in mask_requests(self.settings.region, wanted.ch_mask)
        )

    def _answer(self, f_opts: bytes, uplink_dr: int, *, ack: bool, conf_f_cnt: int) -> list[SessionEffect]:
        """The downlink: acknowledgement, MAC commands, and the oldest queued payload that fits both windows."""
        settings, region = self.settings, self.settings.region
        f_opts = mac.whole_commands(f_opts, uplink=False)
        slowest = min(region.rx1_dr(uplink_dr, settings.windows.rx1_dr_offset), settings.windows.rx2_dr)
        room = region.data_rate(slowest).max_app_payload_bytes
        effects: list[SessionEffect] = []
        while self._queue and len(self._queue[0].payload) > room:
            old = self._queue.popleft()
            detail = f"{len(old.payload)} bytes, {room} fit DR{slowest}"
            effects.append(Dropped("payload_too_long", "RP002-1.0.4 §2.4.7", detail))
        queued = None
        if self._queue and len(self._queue[0].payload) + len(f_opts) <= room:
            queued = self._queue.popleft()
        if settings.gps_at_origin_us is not None:
            f_opts = self._timed(f_opts, queued, uplink_dr)
        self._between.class_a_unanswered = queued is not None and queued.confirmed
        return [*effects, Answer(self._sealed(queued, f_opts, ack=ack, conf_f_cnt=conf_f_cnt))]

    def _sealed(
        self, queued: QueueDownlink | None, f_opts: bytes = b"", *, ack: bool = False, conf_f_cnt: int = 0
    ) -> bytes:
        """The next downlink of the session."""
        settings = self.settings
        application = settings.is_1_1 and queued is not None
        f_cnt = self._a_f_cnt_down if application else self._n_f_cnt_down
        if application:
            self._a_f_cnt_down += 1
        else:
            self._n_f_cnt_down += 1
        if queued is not None and queued.confirmed:
            self._pending_conf_f_cnt_down = f_cnt & 0xFFFF
        return seal_down(
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

    def _timed(self, f_opts: bytes, queued: QueueDownlink | None, uplink_dr: int) -> bytes:
        """A BeaconTimingAns counts from the end of its own frame: that is known only now, and only for RX1."""
        settings, windows = self.settings, self.settings.windows
        phy_bytes = 12 + len(f_opts) + (0 if queued is None else 1 + len(queued.payload))
        modulation = settings.region.modulation(settings.region.rx1_dr(uplink_dr, windows.rx1_dr_offset))
        ends_at = self._between.ended_at + windows.rx1_delay_us + lora_airtime_us(phy_bytes, modulation, crc=False)
        version = settings.version.in_session(is_1_1=settings.is_1_1)
        return with_beacon_timing(f_opts, version, (settings.gps_at_origin_us or 0) + ends_at)
