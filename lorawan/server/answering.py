"""The downlink that answers an uplink: what goes into it, with which counter, and what was confirmed.

Source: LoRaWAN 1.0.4 §4.3 and §5, 1.1 §4.3 and §5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lorawan import mac_commands as mac
from lorawan.frames import MAX_F_OPTS, FCtrlDown
from lorawan.machine import Dropped
from lorawan.phy import lora_airtime_us
from lorawan.regions.region import FHDR_AND_F_PORT_BYTES
from lorawan.secured import seal_down
from lorawan.server.commands import with_beacon_timing
from lorawan.server.downlinks import CONFIRMED_TRIES, Confirmed, DownlinkQueue
from lorawan.server.events import (
    Answer,
    DownlinkAcknowledged,
    DownlinkUnacknowledged,
    QueueDownlink,
    SessionEffect,
    UplinkHeard,
)
from lorawan.server.memory import Request, SessionMemory
from lorawan.server.picture import Openings, Picture
from lorawan.server.requests import Requests
from lorawan.server.settings import SessionSettings

F_CNT_MAX = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Sent:
    """What answering an uplink led to. carries_own: whether ADR's request found room."""

    effects: tuple[SessionEffect, ...]
    carries_own: bool = False


class Answering:
    """The downlink half of one session: its counters, its queue, and the confirmed downlink that awaits its ACK.

    n_f_cnt_down, a_f_cnt_down: the next to use. conf_f_cnt_down: of the last confirmed downlink, for the MIC of the
    uplink that acknowledges it; last_conf_f_cnt: what the last accepted uplink acknowledged, for that of its copies.
    """

    def __init__(self, settings: SessionSettings, kept: SessionMemory, queue: DownlinkQueue) -> None:
        self._settings = settings
        self.queue = queue
        self.n_f_cnt_down, self.a_f_cnt_down = kept.n_f_cnt_down, kept.a_f_cnt_down
        self.conf_f_cnt_down, self.last_conf_f_cnt = kept.conf_f_cnt_down, kept.last_conf_f_cnt
        self._confirmed: Confirmed | None = None
        # before 1.0.4 a confirmed downlink may be repeated with its counter (1.0.3 §4.3.1.3, 1.0.4 §4.3.1.3)
        self._repeats = not settings.version.rules.equal_f_cnt_down_refused

    def abandon(self) -> list[SessionEffect]:
        """The session is over: nobody will acknowledge what it sent."""
        confirmed, self._confirmed = self._confirmed, None
        if confirmed is None:
            return []
        return [DownlinkUnacknowledged(confirmed.downlink, confirmed.f_cnt, confirmed.tries)]

    def restart(self) -> None:
        """The device's counters began anew, so the network's do (1.0.3 §4.3.1.5)."""
        self.n_f_cnt_down = self.a_f_cnt_down = self.last_conf_f_cnt = 0
        self.conf_f_cnt_down = self._confirmed = None

    def queue_up(self, downlink: QueueDownlink) -> Sequence[Dropped]:
        """Keep an application's downlink for after an uplink."""
        if not 1 <= downlink.f_port <= 224:
            return (Dropped("f_port", "LoRaWAN 1.0.4 §4.3.2", f"FPort {downlink.f_port} is not the application's"),)
        downlinks = [rate for rate in self._settings.region.data_rates if rate.downlink]
        largest = max(rate.max_app_payload_bytes for rate in downlinks)
        if len(downlink.payload) > largest:
            detail = f"{len(downlink.payload)} bytes, {largest} at most"
            return (Dropped("payload_too_long", "RP002-1.0.4 §2.4.7", detail),)
        full = self.queue.add(downlink)
        return () if full is None else (full,)

    def conf_f_cnt_of(self, *, repeated: bool) -> int:
        """ConfFCnt of an uplink with the ACK bit: a new one, or a copy of the last."""
        return self.last_conf_f_cnt if repeated else self.conf_f_cnt_down or 0

    def heard(self, *, ack: bool) -> list[SessionEffect]:
        """A new uplink came: what it says of the confirmed downlink. An acknowledgement is given once (§4.3.1.2)."""
        self.last_conf_f_cnt = 0
        confirmed = self._confirmed
        if ack and self.conf_f_cnt_down is not None:
            self.last_conf_f_cnt, self.conf_f_cnt_down, self._confirmed = self.conf_f_cnt_down, None, None
            return [] if confirmed is None else [DownlinkAcknowledged(confirmed.downlink, confirmed.f_cnt)]
        if confirmed is None or (self._repeats and confirmed.tries < CONFIRMED_TRIES):
            return []
        self._confirmed = None
        return [DownlinkUnacknowledged(confirmed.downlink, confirmed.f_cnt, confirmed.tries)]

    def answer(
        self,
        event: UplinkHeard,
        picture: Picture,
        requests: Requests,
        answers: bytes,
        own: bytes,
        *,
        wanted: bool,
        f_cnt_up: int,
    ) -> Sent:
        """The answer to a new uplink, if there is anything to say or `wanted`.

        answers: to the device's commands; own: ADR's request. Commands of more than 15 bytes have a frame of their own
        on FPort 0, and the application's payload waits for the next uplink.
        """
        room, dropped = self._room(event.dr, picture)
        repeat = self._repeat_due
        limit = room if repeat is None else max(0, min(MAX_F_OPTS, room - len(repeat.downlink.payload)))
        answers = mac.whole_commands(answers, limit, uplink=False)
        due = requests.due(limit - len(answers), self._answer_room(event, picture))
        block = answers + b"".join(mac.encode_commands(request) for request in due)
        carries_own = bool(own) and len(block) + len(own) <= limit
        block += own if carries_own else b""
        if not (block or wanted or self.queue or repeat):
            return Sent(dropped)
        requests.went_out(due)
        more = _left(requests, due)
        effects = self._sealed(block, room, event, picture, ack_of=f_cnt_up, more=more)
        return Sent((*dropped, *effects), carries_own)

    def acknowledge(self, event: UplinkHeard, picture: Picture, f_cnt_up: int) -> Sequence[SessionEffect]:
        """The answer to a copy of a confirmed uplink: the acknowledgement once more."""
        room, dropped = self._room(event.dr, picture)
        return (*dropped, *self._sealed(b"", room, event, picture, ack_of=f_cnt_up, more=False))

    @property
    def awaits_ack(self) -> bool:
        """Whether a confirmed downlink is under way."""
        return self._confirmed is not None

    @property
    def _repeat_due(self) -> Confirmed | None:
        """The confirmed downlink that goes out again, in the place of anything else."""
        return self._confirmed if self._repeats else None

    def _room(self, uplink_dr: int, picture: Picture) -> tuple[int, tuple[Dropped, ...]]:
        """Bytes of payload and commands that fit both windows, and what was dropped from the queue for that."""
        opens = picture.openings(uplink_dr, 0)
        rooms = {dr: self._app_payload_bytes(dr, picture) for dr in (opens.rx1_dr, opens.rx2_dr)}
        slowest = min(rooms, key=lambda dr: (rooms[dr], dr))
        room = rooms[slowest]
        old = self.queue.drop_longer_than(room)
        clause = "RP002-1.0.4 §2.4.7"
        return room, tuple(
            Dropped("payload_too_long", clause, f"{len(o.payload)} bytes, {room} fit DR{slowest}") for o in old
        )

    def _app_payload_bytes(self, dr: int, picture: Picture) -> int:
        """N of a downlink, under the device's dwell time."""
        rate = self._settings.region.data_rate(dr)
        return max(0, rate.mac_payload_bytes(dwell=picture.plan.downlink_dwell) - FHDR_AND_F_PORT_BYTES)

    @staticmethod
    def _answer_room(event: UplinkHeard, picture: Picture) -> int:
        """Bytes of answers that the device can send in one uplink. Source: LoRaWAN 1.1 §5 (max FRMPayload size)."""
        plan = picture.plan
        return plan.max_app_payload_bytes(event.dr if event.frame.f_ctrl.adr else plan.min_dr)

    def _sealed(
        self, block: bytes, room: int, event: UplinkHeard, picture: Picture, *, ack_of: int, more: bool
    ) -> Sequence[SessionEffect]:
        """The frame: commands in the clear, the payload that goes along, and the counter both take.

        ack_of: the uplink's counter, for a confirmed one.
        """
        ack = event.frame.confirmed
        repeat = self._repeat_due
        on_port_0 = len(block) > MAX_F_OPTS
        downlink: QueueDownlink | None = None
        if repeat is not None:
            downlink = repeat.downlink
        elif (
            self.queue
            and not on_port_0
            and len(self.queue.first.payload) + len(block) <= room
            and not (
                self.queue.first.confirmed and self._confirmed  # one at a time awaits its acknowledgement
            )
        ):
            downlink = self.queue.take()
        opens = picture.openings(event.dr, event.tx_ch)
        block = self._timed(block, downlink, event, opens)
        sealed = self.seal(downlink, block, repeat=repeat, ack_of=ack_of if ack else None, more=more)
        return (sealed if isinstance(sealed, Dropped) else Answer(sealed, opens),)

    def seal(
        self,
        downlink: QueueDownlink | None,
        block: bytes = b"",
        *,
        repeat: Confirmed | None = None,
        ack_of: int | None = None,
        more: bool = False,
    ) -> bytes | Dropped:
        """The session's next downlink, or one that is repeated. ack_of: the counter of the uplink it acknowledges."""
        settings = self._settings
        application = settings.is_1_1 and downlink is not None
        f_cnt = repeat.f_cnt if repeat else self.a_f_cnt_down if application else self.n_f_cnt_down
        if f_cnt > F_CNT_MAX:
            return Dropped("f_cnt_exhausted", "LoRaWAN 1.0.4 §4.3.1.5", "the device has to join again")
        if repeat is not None:
            self._confirmed = replace(repeat, tries=repeat.tries + 1)
        elif application:
            self.a_f_cnt_down += 1
        else:
            self.n_f_cnt_down += 1
        if repeat is None and downlink is not None and downlink.confirmed:
            self._confirmed, self.conf_f_cnt_down = Confirmed(downlink, f_cnt), f_cnt & 0xFFFF
        on_port_0 = len(block) > MAX_F_OPTS
        return seal_down(
            settings.keys,
            is_1_1=settings.is_1_1,
            confirmed=downlink is not None and downlink.confirmed,
            dev_addr=settings.dev_addr,
            f_ctrl=FCtrlDown(
                adr=settings.operation.adr is not None, ack=ack_of is not None, f_pending=bool(self.queue) or more
            ),
            f_cnt=f_cnt,
            f_opts=b"" if on_port_0 else block,
            f_port=0 if on_port_0 else downlink.f_port if downlink is not None else None,
            payload=block if on_port_0 else downlink.payload if downlink is not None else b"",
            conf_f_cnt=0 if ack_of is None else ack_of & 0xFFFF,
        )

    def _timed(self, block: bytes, downlink: QueueDownlink | None, event: UplinkHeard, opens: Openings) -> bytes:
        """A BeaconTimingAns counts from the end of its own frame: that is known only now, and only for RX1."""
        settings, origin_us = self._settings, self._settings.operation.gps_at_origin_us
        if origin_us is None or event.ended_at is None:
            return block
        phy_bytes = 12 + len(block) + (0 if downlink is None else 1 + len(downlink.payload))
        airtime_us = lora_airtime_us(phy_bytes, settings.region.modulation(opens.rx1_dr), crc=False)
        ends_at = event.ended_at + opens.rx1_delay_us + airtime_us
        version = settings.version.in_session(is_1_1=settings.is_1_1)
        return with_beacon_timing(block, version, origin_us + ends_at)


def _left(requests: Requests, due: Sequence[Request]) -> bool:
    """Whether requests are left that this downlink does not carry."""
    return len(requests.waiting) + len(requests.sent) > len(due)
