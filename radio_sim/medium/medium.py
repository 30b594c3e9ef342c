"""The medium: which gateways hear which uplink, and which devices which downlink. A pure core.

An uplink is received at a gateway when the gateway is up and sends nothing during any part of it, its power reaches the
sensitivity of its SF (noise with man-made noise + SNR floor), a demodulator is free when it locks, and the interference
policy does not destroy it. All gateways are worked on at once, one NumPy row per frame.

Uplinks (IQ not inverted) and downlinks (inverted) do not disturb each other [assumption: a chirp of the other slope
spreads over the whole band after dechirping, like noise far below both]. Channels of different centre or bandwidth do
not either [simplification]. Propagation delay is nil.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush

import numpy as np

from lorawan.errors import MisuseError
from lorawan.machine import Instant
from lorawan.phy import Heard
from lorawan.phy.airtime import LORAWAN_PREAMBLE_SYMBOLS, lora_symbol_us
from lorawan.trace import Outcome
from radio_sim.chip_report import report_rssi_dbm, report_snr_db
from radio_sim.links import Links
from radio_sim.medium.background_day import BackgroundDay
from radio_sim.medium.background_index import BackgroundIndex
from radio_sim.medium.downlinks import Downlink, Downlinks
from radio_sim.medium.events import (
    CancelListen,
    DeviceListens,
    DownlinkStarts,
    MediumEffect,
    MediumEvent,
    UplinkEnded,
    UplinkStarts,
)
from radio_sim.medium.policy import LOCK_SYMBOLS, POLICIES, PRODUCT, SF_COUNT, SF_MIN, InterferencePolicy
from radio_sim.medium.receivers import Flags, Receivers, uses_low_pool
from radio_sim.medium.uplink import Uplink
from radio_sim.model import SNR_REPORT_MAX_DB, Floats, GatewaySite, RadioModel
from radio_sim.propagation.fading import Fading

_NEPER_PER_DB = np.log(10.0) / 10.0
_END, _LOCK = 0, 1  # at one instant a frame's end frees its demodulator before another frame locks


class Medium:
    """The core. Devices and gateways are the indices of gain_db's rows and columns.

    gain_db [device, gateway]: received minus conducted power, both ways. device_noise_dbm: one level per device at
    125 kHz, or one for all. sensitivity_dbm: levels by SF in place of noise + SNR floor. gateway_down: (gateway, from,
    to). fading: None for none. Times count from 0 upwards.
    """

    def __init__(
        self,
        gateways: Sequence[GatewaySite],
        gain_db: Floats,
        *,
        policy: InterferencePolicy = PRODUCT,
        fading: Fading | None = None,
        device_noise_dbm: Floats | float = -117.0,
        sensitivity_dbm: Mapping[int, float] | None = None,
        gateway_down: Sequence[tuple[int, Instant, Instant]] = (),
        snr_report_max_db: float = SNR_REPORT_MAX_DB,
    ) -> None:
        gain = np.ascontiguousarray(gain_db, dtype=np.float64)
        if gain.ndim != 2 or gain.shape[1] != len(gateways):
            raise ValueError(f"gain_db has shape {gain.shape}, not (devices, {len(gateways)} gateways)")
        self.policy = policy
        self.receivers = Receivers(gateways, sensitivity_dbm=sensitivity_dbm, down=gateway_down)
        self._gain, self._fading, self._snr_max = gain, fading, snr_report_max_db
        self._thresholds = policy.thresholds()
        self._lock_ratio = None if policy.lock_sir_db is None else 10.0 ** (policy.lock_sir_db / 10.0)
        self._used_any = np.zeros(len(gateways), dtype=np.int64)
        self._used_low = np.zeros(len(gateways), dtype=np.int64)
        self._sends_until = np.zeros(len(gateways), dtype=np.int64)
        self._last_send_ends: Instant = 0
        self._on_air: dict[tuple[int, int], list[Uplink]] = {}
        self._agenda: list[tuple[Instant, int, int, Uplink | Downlink]] = []
        self._tickets = 0
        self._background: tuple[BackgroundIndex, ...] = ()
        self._downlinks = Downlinks(
            gain,
            np.broadcast_to(np.asarray(device_noise_dbm, dtype=np.float64), gain.shape[:1]),
            fading,
            snr_report_max_db,
        )

    @classmethod
    def of_links(
        cls,
        gateways: Sequence[GatewaySite],
        links: Links,
        model: RadioModel,
        *,
        gateway_down: Sequence[tuple[int, Instant, Instant]] = (),
    ) -> Medium:
        """The medium of drawn links under the model's policy and fading."""
        try:
            policy = POLICIES[model.interference_policy]
        except KeyError:
            known = ", ".join(POLICIES)
            raise ValueError(f"no interference policy is called {model.interference_policy!r}; {known} are") from None
        return cls(
            gateways,
            links.gain_db,
            policy=policy,
            fading=links.fading(model),
            device_noise_dbm=links.device_noise_dbm,
            gateway_down=gateway_down,
            snr_report_max_db=model.snr_report_max_db,
        )

    @property
    def wake_at(self) -> Instant | None:
        """The next instant at which a frame locks or ends."""
        return self._agenda[0][0] if self._agenda else None

    def set_background(self, day: BackgroundDay) -> None:
        """From now on this day's frames interfere and occupy demodulators, beside those of the day set before.

        Set each day before its first frame starts. Days must come in order.
        """
        index = BackgroundIndex(day, self.receivers, self.policy)
        self._background = (*self._background[-1:], index)

    def handle(self, event: MediumEvent, now: Instant) -> Sequence[MediumEffect]:
        """Take one event in. What was due by now is done first, so its effects come first.

        Raises MisuseError when a frame's `at` is not now.
        """
        effects = self.wake(now) if self._agenda and self._agenda[0][0] <= now else []
        if isinstance(event, UplinkStarts):
            self._uplink_starts(event, now)
        elif isinstance(event, DownlinkStarts):
            self._downlink_starts(event, now)
        elif isinstance(event, DeviceListens):
            self._downlinks.listen(event.device, event.listen, now)
        elif isinstance(event, CancelListen):
            self._downlinks.cancel(event.device)
        return effects

    def wake(self, now: Instant) -> Sequence[MediumEffect]:
        """Lock and end what is due by now."""
        effects: list[MediumEffect] = []
        agenda = self._agenda
        while agenda and agenda[0][0] <= now:
            at, step, _, frame = heappop(agenda)
            if isinstance(frame, Uplink):
                if step == _END:
                    effects.append(self._uplink_ends(frame, at))
                else:
                    self._lock(frame, at)
            elif step == _END:
                effects.append(self._downlinks.end(frame, at))
            else:
                effects += self._downlinks.lock(frame, at)
        return effects

    def _schedule(self, at: Instant, step: int, frame: Uplink | Downlink) -> None:
        self._tickets += 1
        heappush(self._agenda, (at, step, self._tickets, frame))

    def _uplink_starts(self, event: UplinkStarts, now: Instant) -> None:
        transmit = event.transmit
        if transmit.at != now:
            raise MisuseError(f"an uplink that starts at {transmit.at} was told at {now}")
        modulation = transmit.modulation
        frame = Uplink(event.device, event.frame_index, transmit)
        frame.end = now + transmit.airtime_us
        power = self._gain[event.device] + transmit.power_dbm
        if self._fading is not None:
            power += self._fading.uplink_db(event.device, event.frame_index, now)
        frame.power = power
        frame.mw = np.exp(power * _NEPER_PER_DB)
        frame.able = power >= self.receivers.sensitivity_dbm(modulation.sf, modulation.bw_hz)
        frame.sf_row = modulation.sf - SF_MIN
        frame.channel = (transmit.freq_hz, modulation.bw_hz)
        if self.receivers.down:
            down = self.receivers.down_during(now, frame.end)
            if down is not None:
                frame.down = frame.able & down
                frame.able &= ~down
        if self._last_send_ends > now:
            frame.sent_over = self._sends_until > now
        if self._lock_ratio is None:
            frame.critical_at = frame.lock_at = now
        else:
            symbol_us = lora_symbol_us(modulation)
            frame.lock_at = now + LORAWAN_PREAMBLE_SYMBOLS * symbol_us
            frame.critical_at = frame.lock_at - LOCK_SYMBOLS * symbol_us
        others = self._on_air.setdefault(frame.channel, [])
        for other in others:
            self._disturb(other, frame)
            self._disturb(frame, other)
        others.append(frame)
        if self._lock_ratio is None:
            self._lock(frame, now)
        else:
            self._schedule(frame.lock_at, _LOCK, frame)
        self._schedule(frame.end, _END, frame)

    def _disturb(self, victim: Uplink, other: Uplink) -> None:
        """Add what `other` radiates into the victim's critical section and lock window."""
        begin = max(victim.critical_at, other.transmit.at)
        overlap = min(victim.end, other.end) - begin
        if overlap <= 0:
            return
        if victim.energy is None:
            victim.energy = np.zeros((SF_COUNT, self.receivers.count))
        victim.energy[other.sf_row] += overlap * other.mw
        if victim.sf_row == other.sf_row and begin < victim.lock_at:
            within = (min(victim.lock_at, other.end) - begin) * other.mw
            victim.lock_energy = within if victim.lock_energy is None else victim.lock_energy + within

    def _lock(self, frame: Uplink, now: Instant) -> None:
        """Take a demodulator at each gateway that can receive the frame and has one free."""
        wanted = frame.able if frame.sent_over is None else frame.able & ~frame.sent_over
        if self._lock_ratio is not None:
            energy = frame.lock_energy
            for index in self._background:
                energy = index.add_lock_energy(energy, frame)
            if energy is not None:
                own = frame.mw * (frame.lock_at - frame.critical_at)
                wanted = wanted & (own >= self._lock_ratio * energy)
        used_any, used_low = self._used_any, self._used_low
        for index in self._background:
            held = index.held_at(now)
            if held is not None:
                used_any, used_low = used_any + held[0], used_low + held[1]
        receivers = self.receivers
        left = wanted
        if receivers.has_low and uses_low_pool(frame.transmit.modulation.sf):
            frame.taken_low = wanted & (used_low < receivers.cap_low)
            self._used_low += frame.taken_low
            left = wanted & ~frame.taken_low
        frame.taken_any = left & (used_any < receivers.cap_any)
        self._used_any += frame.taken_any
        frame.unserved = left & ~frame.taken_any

    def _uplink_ends(self, frame: Uplink, now: Instant) -> UplinkEnded:
        self._on_air[frame.channel].remove(frame)
        locked = frame.taken_any
        assert locked is not None
        self._used_any -= locked
        if frame.taken_low is not None:
            self._used_low -= frame.taken_low
            locked = locked | frame.taken_low
        energy = frame.energy
        for index in self._background:
            energy = index.add_energy(energy, frame)
        received = locked
        if energy is not None:
            own = frame.mw * (frame.end - frame.critical_at)
            lost = (own < self._thresholds[frame.sf_row][:, None] * energy).any(axis=0)
            received = locked & ~lost
        heard = self._heard(frame, received, now)
        outcome = Outcome.DELIVERED if heard else self._why_lost(frame)
        return UplinkEnded(frame.device, frame.frame_index, frame.transmit, outcome, heard)

    def _heard(self, frame: Uplink, received: Flags, now: Instant) -> tuple[tuple[int, Heard], ...]:
        gateways = received.nonzero()[0].tolist()
        if not gateways:
            return ()
        transmit = frame.transmit
        noise = self.receivers.noise_dbm(transmit.modulation.bw_hz)
        heard = []
        for gateway in gateways:
            signal, floor = float(frame.power[gateway]), float(noise[gateway])
            heard.append(
                (
                    gateway,
                    Heard(
                        at=now,
                        payload=transmit.payload,
                        freq_hz=transmit.freq_hz,
                        modulation=transmit.modulation,
                        rssi_dbm=report_rssi_dbm(signal, floor),
                        snr_db=report_snr_db(signal - floor, self._snr_max),
                        airtime_us=transmit.airtime_us,
                        crc_ok=True,
                        coding_rate=transmit.coding_rate,
                    ),
                )
            )
        return tuple(heard)

    def _why_lost(self, frame: Uplink) -> Outcome:
        """The furthest stage the frame reached at any gateway.

        What happened to it at a gateway that is up goes before what a gateway that is down would have heard: the first
        is known, while nobody can say whether the second would have received it in the end.
        """
        unserved = frame.unserved
        assert unserved is not None
        sent_over = np.zeros(self.receivers.count, dtype=bool) if frame.sent_over is None else frame.sent_over
        if (frame.able & ~unserved & ~sent_over).any():
            return Outcome.COLLIDED
        if (frame.able & ~unserved).any():
            return Outcome.GATEWAY_TRANSMITTING
        if unserved.any():
            return Outcome.NO_DEMODULATOR
        if frame.down is not None and frame.down.any():
            return Outcome.GATEWAY_DOWN
        return Outcome.BELOW_SENSITIVITY

    def _downlink_starts(self, event: DownlinkStarts, now: Instant) -> None:
        transmit = event.transmit
        if transmit.at != now:
            raise MisuseError(f"a downlink that starts at {transmit.at} was told at {now}")
        gateway = event.gateway
        end = now + transmit.airtime_us
        self._sends_until[gateway] = max(int(self._sends_until[gateway]), end)
        self._last_send_ends = max(self._last_send_ends, end)
        for frames in self._on_air.values():
            for frame in frames:
                self._drown(frame, gateway)
        downlink = self._downlinks.start(event, now)
        self._schedule(downlink.lock_at, _LOCK, downlink)
        self._schedule(downlink.end, _END, downlink)

    def _drown(self, frame: Uplink, gateway: int) -> None:
        """A gateway begins to send: it loses the frame and frees its demodulator."""
        if frame.sent_over is None:
            frame.sent_over = np.zeros(self.receivers.count, dtype=bool)
        frame.sent_over[gateway] = True
        if frame.taken_any is not None and frame.taken_any[gateway]:
            frame.taken_any[gateway] = False
            self._used_any[gateway] -= 1
        elif frame.taken_low is not None and frame.taken_low[gateway]:
            frame.taken_low[gateway] = False
            self._used_low[gateway] -= 1
