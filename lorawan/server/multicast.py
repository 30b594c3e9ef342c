"""The network side of one multicast group: its counter, its frames, and when they go out.

Each frame goes out once: who did not hear it cannot say so. Counters stay in the group's range and never go back.

Source: as `lorawan.multicast`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from lorawan.errors import MisuseError
from lorawan.frames import FCtrlDown
from lorawan.machine import Dropped, Instant
from lorawan.multicast import MulticastGroup
from lorawan.operating_class import OperatingClass
from lorawan.phy import lora_airtime_us
from lorawan.regions import Region
from lorawan.secured import seal_down
from lorawan.server.class_link import PING_LEAD_US, Channel, slot_after, slot_channel
from lorawan.server.events import QueueDownlink, Send


class MulticastSender:
    """A core: downlinks for the group in, `Send` out.

    rx2: where the devices' class C windows are, unless the group says. gps_at_origin_us: GPS time at instant 0, which a
    class B group needs. f_cnt: the next counter, None for the group's first.
    """

    def __init__(
        self,
        group: MulticastGroup,
        region: Region,
        *,
        rx2: Channel | None = None,
        gps_at_origin_us: int | None = None,
        f_cnt: int | None = None,
    ) -> None:
        if group.operating_class is OperatingClass.B and gps_at_origin_us is None:
            raise MisuseError("a class B group needs GPS time")
        self.group, self._region = group, region
        self._rx2 = rx2 or Channel(region.rx2_freq_hz, region.rx2_dr)
        self._gps_at_origin_us = gps_at_origin_us or 0
        self.f_cnt = group.f_cnt_min if f_cnt is None else f_cnt
        self._queue: deque[QueueDownlink] = deque()
        self._slot: Instant = 0
        self._free_at: Instant = 0  # the end of the last frame

    @property
    def wake_at(self) -> Instant | None:
        """When the next frame is handed over, None without any."""
        if not self._queue:
            return None
        return self._free_at if self.group.operating_class is OperatingClass.C else self._slot - PING_LEAD_US

    def handle(self, event: QueueDownlink, now: Instant) -> Sequence[Send | Dropped]:
        """Queue a payload; class C sends it at once."""
        if event.confirmed:
            return (Dropped("multicast_confirmed", "LoRaWAN 1.1 §11.2.2", "a multicast frame is never confirmed"),)
        if not 1 <= event.f_port <= 224:
            return (Dropped("f_port", "LoRaWAN 1.0.4 §4.3.2", f"FPort {event.f_port} is not the application's"),)
        dr = self._channel(now).dr
        room = self._region.data_rate(dr).max_app_payload_bytes
        if len(event.payload) > room:
            detail = f"{len(event.payload)} bytes, {room} fit DR{dr}"
            return (Dropped("payload_too_long", "RP002-1.0.4 §2.4.7", detail),)
        self._queue.append(event)
        if len(self._queue) == 1:
            self._plan(max(now, self._free_at))
        return self.wake(now)

    def wake(self, now: Instant) -> Sequence[Send | Dropped]:
        """Hand over what is due."""
        due = self.wake_at
        if due is None or now < due:
            return ()
        if self.f_cnt >= self.group.f_cnt_max:
            dropped = Dropped("f_cnt_exhausted", "TS005-2.0.0 §4.3", "the group's range is used up")
            left = len(self._queue)
            self._queue.clear()
            return (dropped,) * left
        is_b = self.group.operating_class is OperatingClass.B
        if is_b and self._slot <= now:  # woken too late for it
            self._plan(now)
            return ()
        queued = self._queue.popleft()
        at = self._slot if is_b else now
        channel = self._channel(at)
        sealed = seal_down(
            self.group.keys,
            is_1_1=False,
            confirmed=False,
            dev_addr=self.group.mc_addr,
            f_ctrl=FCtrlDown(f_pending=bool(self._queue)),
            f_cnt=self.f_cnt,
            f_port=queued.f_port,
            payload=queued.payload,
        )
        self.f_cnt += 1
        self._free_at = at + lora_airtime_us(len(sealed), self._region.modulation(channel.dr), crc=False)
        self._plan(max(now, self._free_at))
        return (Send(sealed, at if is_b else None, channel.freq_hz, channel.dr),)

    def _plan(self, after: Instant) -> None:
        if self.group.operating_class is OperatingClass.B:
            periodicity = self.group.periodicity
            self._slot = slot_after(self.group.mc_addr, periodicity, self._gps_at_origin_us, after + PING_LEAD_US)

    def _channel(self, at: Instant) -> Channel:
        group = self.group
        if group.operating_class is OperatingClass.B:
            slot_gps_us = self._gps_at_origin_us + at
            return slot_channel(self._region, group.mc_addr, slot_gps_us, group.freq_hz, group.data_rate)
        return Channel(group.freq_hz or self._rx2.freq_hz, self._rx2.dr if group.data_rate is None else group.data_rate)
