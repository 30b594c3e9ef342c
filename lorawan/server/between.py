"""Downlinks to a class B or C device between its uplinks: when they may go, where to, and how one is confirmed.

They wait until the class A windows of the last uplink are over. Of confirmed ones a single one is under way: the next
goes when an uplink came or the device's time for its acknowledgement is over. They carry no MAC commands, which 1.0.4
forbids and no version needs.

Source: TS001-1.0.4 §9.3.1 and §15; LoRaWAN 1.1 §13 and §17.
"""

from __future__ import annotations

from collections.abc import Sequence

from lorawan.mac_commands import PingSlotChannelReq
from lorawan.machine import Dropped, Instant
from lorawan.operating_class import OperatingClass, response_timeout_us
from lorawan.phy import lora_airtime_us
from lorawan.server.answering import Answering
from lorawan.server.class_link import (
    CLASS_A_MARGIN_US,
    PING_LEAD_US,
    Channel,
    ClassLink,
    slot_after,
    slot_channel,
)
from lorawan.server.events import Send, SessionEffect, UplinkHeard
from lorawan.server.picture import Windows
from lorawan.server.requests import Requests
from lorawan.server.settings import SessionSettings
from lorawan.units import US_PER_S


class BetweenUplinks:
    """Part of one session: `answering` has the queue and makes the downlinks."""

    def __init__(self, settings: SessionSettings, classes: ClassLink, answering: Answering) -> None:
        self._settings, self._classes, self._answering = settings, classes, answering
        self._gps_at_origin_us = settings.operation.gps_at_origin_us
        self._ping_at: Instant | None = None  # the slot of the oldest payload
        self._heard = False

    @property
    def wake_at(self) -> Instant | None:
        """When a downlink is handed over, or its acknowledgement is too late; None while only class A is possible."""
        return min((at for at in (self._send_due, self._classes.answer_by) if at is not None), default=None)

    def wake(self, now: Instant, nb_trans: int, windows: Windows, requests: Requests) -> Sequence[SessionEffect]:
        """Send what is due; give up an acknowledgement. nb_trans: of the device's uplinks."""
        effects: list[SessionEffect] = []
        if self._classes.answer_by is not None and now >= self._classes.answer_by:
            self._classes.answer_by = None
            effects += self._answering.abandon()
        while (due := self._send_due) is not None and due <= now:
            effects += self._send(now, nb_trans, windows)
            self.plan(now, requests)
        return effects

    def heard(self, event: UplinkHeard, now: Instant, windows: Windows) -> None:
        """A new uplink: what it says of the device's class; an acknowledgement comes with it or not at all."""
        classes = self._classes
        self._heard, classes.answer_by = True, None
        ended_at = now if event.ended_at is None else event.ended_at
        rx2_at = ended_at + windows.rx1_delay_us + US_PER_S
        classes.held_until = max(classes.held_until, rx2_at + CLASS_A_MARGIN_US)
        if event.frame.f_ctrl.class_b:
            classes.operating_class = OperatingClass.B
        elif classes.operating_class is OperatingClass.B:
            classes.operating_class = self._settings.operating_class

    def plan(self, now: Instant, requests: Requests) -> None:
        """Choose the ping slot of the oldest payload. None while the device has yet to say where its slots are."""
        classes, origin_us = self._classes, self._gps_at_origin_us
        self._ping_at = None
        if not self._answering.queue or classes.operating_class is not OperatingClass.B or origin_us is None:
            return
        if requests.is_open(PingSlotChannelReq):
            return
        after = max(now, self._earliest) + PING_LEAD_US
        self._ping_at = slot_after(self._settings.dev_addr, classes.periodicity, origin_us, after)

    @property
    def _earliest(self) -> Instant:
        """For the oldest payload, beside its slot."""
        classes = self._classes
        if self._answering.queue.first.confirmed and classes.answer_by is not None:
            return max(classes.held_until, classes.answer_by)
        return classes.held_until

    @property
    def _send_due(self) -> Instant | None:
        queue, classes = self._answering.queue, self._classes
        if not queue or not self._heard:
            return None
        if queue.first.confirmed and self._answering.awaits_ack and classes.answer_by is None:
            return None  # the last answer was a confirmed downlink, which no other may follow before an uplink
        if classes.operating_class is OperatingClass.C:
            return self._earliest
        return None if self._ping_at is None else self._ping_at - PING_LEAD_US

    def _send(self, now: Instant, nb_trans: int, windows: Windows) -> Sequence[SessionEffect]:
        settings, classes, region = self._settings, self._classes, self._settings.region
        slot = self._ping_at
        if slot is not None and slot <= now:
            return ()  # woken too late for it: the next one is planned
        if slot is None:
            channel = Channel(windows.rx2_freq_hz, windows.rx2_dr)
        else:
            slot_gps_us = (self._gps_at_origin_us or 0) + slot
            where = (classes.ping_slot_freq_hz, classes.ping_slot_dr)
            channel = slot_channel(region, settings.dev_addr, slot_gps_us, *where)
        queued = self._answering.queue.take()
        room = region.data_rate(channel.dr).max_app_payload_bytes
        if len(queued.payload) > room:
            detail = f"{len(queued.payload)} bytes, {room} fit DR{channel.dr}"
            return (Dropped("payload_too_long", "RP002-1.0.4 §2.4.7", detail),)
        sealed = self._answering.seal(queued)
        if isinstance(sealed, Dropped):
            return (sealed,)
        ends_at = (now if slot is None else slot) + lora_airtime_us(
            len(sealed), region.modulation(channel.dr), crc=False
        )
        classes.held_until = max(classes.held_until, ends_at)
        if queued.confirmed:
            rx2_us = windows.rx1_delay_us + US_PER_S
            classes.answer_by = ends_at + response_timeout_us(nb_trans, rx2_us, adr=True)
        return (Send(sealed, slot, channel.freq_hz, channel.dr),)
