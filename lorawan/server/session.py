"""A device's session as its network keeps it: counters, MIC, what its commands lead to, ADR, and rejoining."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lorawan import mac_commands as mac
from lorawan.crypto import mic_rejoin_request
from lorawan.frames import RejoinRequest02
from lorawan.machine import Dropped, Instant
from lorawan.regions import mask_requests
from lorawan.secured import mic_up_ok, open_up, recover_f_cnt
from lorawan.server.adr import AdrHistory, AdrInputs
from lorawan.server.answering import Answering
from lorawan.server.between import BetweenUplinks
from lorawan.server.class_link import link_of
from lorawan.server.commands import ServerCommandContext, carry_out
from lorawan.server.counters import Counted, count_up
from lorawan.server.downlinks import DownlinkQueue
from lorawan.server.events import (
    AppUplink,
    Ask,
    QueueDownlink,
    RejoinGranted,
    RejoinHeard,
    Repeated,
    RequestDone,
    RequestUnanswered,
    SessionEffect,
    SessionEvent,
    UplinkHeard,
)
from lorawan.server.memory import ClassMemory, SessionMemory
from lorawan.server.picture import LinkSettings, Picture, Windows
from lorawan.server.requests import Requests
from lorawan.server.settings import SessionSettings


class ServerSession:
    """The network's core for one session. Deduplicated uplinks in, application data and answers out."""

    def __init__(
        self, settings: SessionSettings, memory: SessionMemory | None = None, queue: DownlinkQueue | None = None
    ) -> None:
        begun = not (settings.over_the_air and settings.is_1_1)
        classes = ClassMemory(settings.operating_class, settings.periodicity)
        kept = memory or SessionMemory(settings.picture, settings.link, begun=begun, classes=classes)
        self.settings = settings
        self.version = settings.version.in_session(is_1_1=settings.is_1_1)
        self.picture = kept.picture
        self.link: LinkSettings | None = kept.link  # as last known; None before the first uplink
        self.begun = kept.begun
        self.requests = Requests(kept.waiting, kept.sent)
        self.classes = link_of(kept.classes)
        self.answering = Answering(settings, kept, DownlinkQueue() if queue is None else queue)
        self._between = BetweenUplinks(settings, self.classes, self.answering)
        self._last_f_cnt_up = kept.f_cnt_up
        self._rj_count0 = kept.rj_count0
        self._history = AdrHistory()
        self._asked: LinkSettings | None = None
        self._refused: LinkSettings | None = None
        self._most_nb_trans = 1 if kept.link is None else kept.link.nb_trans
        self._copies = 0  # of the last accepted uplink, after the first
        self._status_asked_at: Instant | None = None

    @property
    def memory(self) -> SessionMemory:
        """What a restart must not forget."""
        sealed = self.answering
        return SessionMemory(
            picture=self.picture,
            link=self.link,
            f_cnt_up=self._last_f_cnt_up,
            n_f_cnt_down=sealed.n_f_cnt_down,
            a_f_cnt_down=sealed.a_f_cnt_down,
            rj_count0=self._rj_count0,
            conf_f_cnt_down=sealed.conf_f_cnt_down,
            last_conf_f_cnt=sealed.last_conf_f_cnt,
            begun=self.begun,
            waiting=self.requests.waiting,
            sent=self.requests.sent,
            classes=self.classes.memory,
        )

    @property
    def windows(self) -> Windows:
        """The device's receive windows, after the uplink that was handled last."""
        return self.picture.windows

    @property
    def wake_at(self) -> Instant | None:
        """When a class B or C downlink is handed over, or its acknowledgement is too late; None in class A."""
        return self._between.wake_at

    def wake(self, now: Instant) -> Sequence[SessionEffect]:
        """Send what is due to a class B or C device; give up an acknowledgement."""
        return self._between.wake(now, self.link.nb_trans if self.link else 1, self.windows, self.requests)

    def handle(self, event: SessionEvent, now: Instant) -> Sequence[SessionEffect]:
        """Take an uplink, a rejoin request of type 0 or 2, a downlink to queue or a request of the operator in."""
        effects = self._handle(event, now)
        self._between.plan(now, self.requests)
        return [*effects, *self.wake(now)]

    def _handle(self, event: SessionEvent, now: Instant) -> Sequence[SessionEffect]:
        match event:
            case UplinkHeard():
                return self._uplink(self._placed(event, now), now)
            case RejoinHeard():
                return self._rejoin(event)
            case QueueDownlink():
                return self.answering.queue_up(event)
            case Ask():
                refused = self.requests.ask(event.request, self.version, self.settings.region)
                return () if refused is None else (refused,)

    # -- whose frame it is ---------------------------------------------------------------------------------------------

    def owns(self, event: UplinkHeard) -> bool:
        """Whether the frame's MIC is this session's: finds the device where several share a DevAddr."""
        event, low16 = self._placed(event, 0), event.frame.f_cnt
        if self._mic_ok(event, recover_f_cnt(self._last_f_cnt_up, low16)):
            return True
        return self.settings.operation.relaxed_f_cnt and self._mic_ok(event, low16)

    def owns_rejoin(self, request: RejoinRequest02) -> bool:
        """Whether a rejoin request was made with this session's key. Source: LoRaWAN 1.1 §6.2.4.1."""
        return request.mic == mic_rejoin_request(self.settings.keys.s_nwk_s_int_key, request.message())

    def _placed(self, event: UplinkHeard, now: Instant) -> UplinkHeard:
        """With its end, and the index of its channel, which the 1.1 MIC is over.

        0 where the device is not known to have the channel. One that it was asked to add counts: it may use it before
        its answer is here.
        """
        if event.ended_at is None:
            event = replace(event, ended_at=now)
        if event.freq_hz is None:
            return event
        index = self.picture.plan.index_of(event.freq_hz, event.dr)
        if index is None:
            asked = [r for request in self.requests.sent for r in request if isinstance(r, mac.NewChannelReq)]
            index = next((r.ch_index for r in asked if r.freq_hz == event.freq_hz), 0)
        return replace(event, tx_ch=index)

    def _mic_ok(self, event: UplinkHeard, f_cnt: int) -> bool:
        return mic_up_ok(
            self.settings.keys,
            is_1_1=self.settings.is_1_1,
            frame=event.frame,
            f_cnt=f_cnt,
            conf_f_cnt=self.answering.conf_f_cnt_of(repeated=f_cnt == self._last_f_cnt_up),
            tx_dr=event.dr,
            tx_ch=event.tx_ch,
        )

    # -- uplinks -------------------------------------------------------------------------------------------------------

    def _uplink(self, event: UplinkHeard, now: Instant) -> Sequence[SessionEffect]:
        frame, settings = event.frame, self.settings
        counted = count_up(
            self._last_f_cnt_up,
            frame.f_cnt,
            lambda f_cnt: self._mic_ok(event, f_cnt),
            max_gap=settings.version.rules.max_f_cnt_gap,
            relaxed=settings.operation.relaxed_f_cnt,
        )
        if isinstance(counted, Dropped):
            return (counted,)
        if counted.repeated:
            return self._repeated(event, counted.f_cnt)
        opened = open_up(settings.keys, is_1_1=settings.is_1_1, frame=frame, f_cnt=counted.f_cnt)
        block = opened.payload if frame.f_port == 0 else opened.f_opts
        commands = mac.parse_commands(block, uplink=True, version=self.version).commands
        context = self._context(event, counted.f_cnt, now)
        carry_out(commands, context)
        if not self.begun:
            if mac.RekeyConf not in context.out.given:
                detail = f"FCnt {counted.f_cnt} before any RekeyInd"
                return (Dropped("not_rekeyed", "LoRaWAN 1.1 §5.10", detail), *context.out.refused)
            self.begun = True
        return self._accepted(counted, opened.payload, context, now)

    def _repeated(self, event: UplinkHeard, f_cnt: int) -> Sequence[SessionEffect]:
        """A copy is acknowledged again, but not more copies than the device may send (LoRaWAN 1.1 §4.3.1.3)."""
        self._copies += 1
        asked = [r.nb_trans for request in self.requests.sent for r in request if isinstance(r, mac.LinkAdrReq)]
        if self._copies >= max(self._most_nb_trans, self.settings.version.rules.confirmed_tries, *asked):
            return (Repeated(f_cnt), Dropped("too_many_copies", "LoRaWAN 1.1 §4.3.1.3", f"of FCnt {f_cnt}"))
        if not event.frame.confirmed:
            return (Repeated(f_cnt),)
        return (Repeated(f_cnt), *self.answering.acknowledge(event, self.picture, f_cnt))

    def _context(self, event: UplinkHeard, f_cnt: int, now: Instant) -> ServerCommandContext:
        settings = self.settings
        return ServerCommandContext(
            event=event,
            f_cnt=f_cnt,
            version=self.version,
            region=settings.region,
            now=now,
            over_the_air=settings.over_the_air,
            gps_at_origin_us=settings.operation.gps_at_origin_us,
            history=self._history,
            requests=self.requests,
            picture=self.picture,
            link=self.link,
            asked=self._asked,
            refused=self._refused,
            classes=self.classes,
        )

    def _accepted(
        self, counted: Counted, payload: bytes, context: ServerCommandContext, now: Instant
    ) -> Sequence[SessionEffect]:
        event, f_cnt = context.event, counted.f_cnt
        frame = event.frame
        self._last_f_cnt_up, self._copies = f_cnt, 0
        if counted.restarted:
            self._restarted()
        self.picture, self._asked, self._refused = context.picture, context.asked, context.refused
        self.requests.repeating = frozenset(context.out.sticky)
        self._between.heard(event, now, self.windows)
        told = self.answering.heard(ack=frame.f_ctrl.ack)
        given_up = [RequestUnanswered(request, tries) for request, tries in self.requests.given_up()]
        self._ask_status(now)
        own = self._adr(context, f_cnt)
        effects: list[SessionEffect] = [
            AppUplink(f_cnt, frame.f_port, payload, frame.confirmed, frame.f_ctrl.ack),
            *context.out.news,
            *told,
            *given_up,
        ]
        wanted = frame.confirmed or frame.f_ctrl.adr_ack_req or bool(context.out.sticky)
        answer = self.answering.answer(
            event, self.picture, self.requests, context.out.encoded, own, wanted=wanted, f_cnt_up=f_cnt
        )
        if own and not answer.carries_own:
            self._asked = None  # it did not fit: the device was not asked
        return [*effects, *answer.effects, *context.out.refused]

    def _restarted(self) -> None:
        """A device by personalisation was reset, counters and all (1.0.3 §4.3.1.5): it has its first settings again."""
        self.picture, self.link = Picture.of(self.settings.region), None
        self.requests.forget_sent()
        self.answering.restart()

    def _ask_status(self, now: Instant) -> None:
        period_us = self.settings.operation.dev_status_period_us
        if period_us is None or (self._status_asked_at is not None and now - self._status_asked_at < period_us):
            return
        self._status_asked_at = now
        self.requests.ask((mac.DevStatusReq(),), self.version, self.settings.region)

    # -- ADR -----------------------------------------------------------------------------------------------------------

    def _adr(self, context: ServerCommandContext, f_cnt: int) -> bytes:
        """Keep what the uplink says of the link; the network's own request, where ADR has one."""
        link, event = context.link, context.event
        if link is None or link.dr != event.dr:
            # never heard before, or moved by itself: back-off returns to full power, retries of old versions do not
            retried = event.frame.confirmed and self.settings.version.rules.confirmed_tries > 0
            power = link.tx_power_index if link is not None and retried else 0
            link = LinkSettings(event.dr, power, link.nb_trans if link else 1, self.picture.plan.ch_mask)
            self._history.forget()
            self._asked = self._refused = None
        self.link = link
        self._most_nb_trans = max(self._most_nb_trans, link.nb_trans)
        self._history.add(f_cnt, event.snr_db)
        if not event.frame.f_ctrl.adr or self.requests.link_adr_asked:
            self._asked = None
            return b""
        return self._adr_request(link)

    def _adr_request(self, link: LinkSettings) -> bytes:
        algorithm = self.settings.operation.adr
        if algorithm is None:
            return b""
        target = algorithm.target(
            AdrInputs(self._history.uplinks, link.dr, link.tx_power_index, link.nb_trans, self.settings.region)
        )
        wanted = LinkSettings(target.dr, target.tx_power_index, target.nb_trans, self.picture.plan.ch_mask)
        if wanted in (link, self._refused):
            self._asked = None
            return b""
        self._asked = wanted
        self._most_nb_trans = max(self._most_nb_trans, wanted.nb_trans)
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

    # -- rejoining -----------------------------------------------------------------------------------------------------

    def _rejoin(self, event: RejoinHeard) -> Sequence[SessionEffect]:
        """Types 0 and 2, which this session's key has signed. Source: LoRaWAN 1.1 §6.2.4.1."""
        request = event.request
        if not isinstance(request, RejoinRequest02):
            return (Dropped("rejoin_type", "LoRaWAN 1.1 §6.2.4.2", "type 1 is for the join server"),)
        if not (self.settings.over_the_air and self.settings.is_1_1):
            return (Dropped("version", "LoRaWAN 1.1 §6.2.4", "this session is none of 1.1 over the air"),)
        if not self.owns_rejoin(request):
            return (Dropped("mic", "LoRaWAN 1.1 §6.2.4.1"),)
        if request.rj_count <= self._rj_count0:
            detail = f"RJcount0 {request.rj_count} after {self._rj_count0}"
            return (Dropped("rj_count_replay", "LoRaWAN 1.1 §6.2.4.1", detail),)
        self._rj_count0 = request.rj_count
        done: list[SessionEffect] = []
        forced = self.requests.take(mac.ForceRejoinReq)
        if forced is not None:
            done.append(RequestDone(forced, None))
        return [*done, RejoinGranted(request, self.windows)]

    def take_over(self, old: ServerSession) -> Sequence[SessionEffect]:
        """The device has moved here from another session: what it was asked there it is asked here."""
        self.requests = Requests((*self.requests.waiting, *old.requests.sent, *old.requests.waiting))
        return old.answering.abandon()
