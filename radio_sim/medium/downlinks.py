"""The downlink half of the medium: receive windows of devices and the gateways' frames that fall into them."""

from __future__ import annotations

from lorawan.machine import Instant
from lorawan.phy import Heard, Listen, LoraModulation, Transmit, Window, lora_symbol_us, snr_floor_db
from lorawan.trace import DownlinkOutcome
from radio_sim.chip_report import report_packet_strength_dbm, report_snr_db
from radio_sim.medium.events import DeviceLocked, DownlinkEnded, DownlinkStarts
from radio_sim.medium.policy import LOCK_SYMBOLS
from radio_sim.model import Floats
from radio_sim.propagation.fading import Fading

CAPTURE_DB = 6.0
"""Signal above the sum of other downlinks on the same frequency and SF. Source: Goursaud and Gorce 2015, co-SF; for a
device's single demodulator it holds in the preamble and over the frame."""

_CAPTURE_RATIO = 10.0 ** (CAPTURE_DB / 10.0)
_BW_REFERENCE_HZ = 125_000
_STALE_US = 1_000_000  # a window closed this long ago can no longer lock: eight SF12 symbols last 0.26 s

_CLASS_A = (Window.RX1, Window.RX2)

_Channel = tuple[int, LoraModulation, bool]  # the last: inverted IQ, which beacons have not


def _channel(heard: Listen | Transmit) -> _Channel:
    return heard.freq_hz, heard.modulation, heard.inverted_iq


class Downlink:
    """A gateway's frame in the air. overlaps: the others, with µs in the critical section and in the lock window."""

    __slots__ = ("critical_at", "end", "event", "lock_at", "locked", "overlaps", "results")

    def __init__(self, event: DownlinkStarts, now: Instant) -> None:
        symbol_us = lora_symbol_us(event.transmit.modulation)
        self.event = event
        self.lock_at = now + event.transmit.preamble_symbols * symbol_us
        self.critical_at = self.lock_at - LOCK_SYMBOLS * symbol_us
        self.end = now + event.transmit.airtime_us
        self.overlaps: list[tuple[DownlinkStarts, int, int]] = []
        self.locked: dict[int, float] = {}
        self.results: list[tuple[int, DownlinkOutcome, Heard | None]] = []

    def meet(self, other: Downlink) -> None:
        """Note the overlap with another frame of the same channel."""
        begin = max(self.critical_at, other.event.transmit.at)
        whole = min(self.end, other.end) - begin
        if whole > 0:
            self.overlaps.append((other.event, whole, max(0, min(self.lock_at, other.end) - begin)))


class Downlinks:
    """Who listens where, and which downlinks are in the air.

    A window catches a frame of its frequency, modulation and IQ that begins before the window closes and of which it
    hears the last five preamble symbols at least; the radio then stays with the frame to its end. A frame of another
    channel that would go on when RX1 or RX2 opens is let go: the class A windows come first (TS001-1.0.4 §11.2, §15).
    """

    def __init__(self, gain_db: Floats, noise_dbm: Floats, fading: Fading | None, snr_report_max_db: float) -> None:
        self._gain, self._noise, self._fading, self._snr_max = gain_db, noise_dbm, fading, snr_report_max_db
        self._windows: dict[_Channel, dict[int, list[Listen]]] = {}
        self._busy: dict[int, Downlink] = {}
        self._on_air: dict[_Channel, list[Downlink]] = {}

    def listen(self, device: int, listen: Listen, now: Instant) -> None:
        """A window, past ones of this device on the channel forgotten."""
        windows = self._windows.setdefault(_channel(listen), {})
        windows[device] = [w for w in windows.get(device, ()) if w.closes_at + _STALE_US > now] + [listen]

    def cancel(self, device: int) -> None:
        """The device hears nothing more."""
        for windows in self._windows.values():
            windows.pop(device, None)
        frame = self._busy.pop(device, None)
        if frame is not None:
            frame.locked.pop(device, None)

    def start(self, event: DownlinkStarts, now: Instant) -> Downlink:
        """A frame goes on the air."""
        frame = Downlink(event, now)
        others = self._on_air.setdefault(_channel(event.transmit), [])
        for other in others:
            other.meet(frame)
            frame.meet(other)
        others.append(frame)
        return frame

    def lock(self, frame: Downlink, now: Instant) -> list[DeviceLocked]:
        """The preamble is over: each device listening to it locks, or the frame's results say why not."""
        transmit = frame.event.transmit
        windows = self._windows.get(_channel(transmit), {})
        floor = snr_floor_db(transmit.modulation.sf) if windows else 0.0
        for device in list(windows):
            current = [w for w in windows[device] if w.closes_at + _STALE_US > now]
            if not current:
                del windows[device]
                continue
            windows[device] = current
            fitting = [w for w in current if w.opens_at <= frame.critical_at and transmit.at < w.closes_at]
            if not fitting or (not any(w.window in _CLASS_A for w in fitting) and self._cut_off(device, frame)):
                continue
            busy = self._busy.get(device)
            if busy is not None and busy.end > frame.critical_at:
                if busy.event.transmit.freq_hz == transmit.freq_hz:
                    frame.results.append((device, DownlinkOutcome.COLLIDED, None))
                continue
            power = self._power_dbm(frame.event, device)
            if power - self._noise_dbm(device, transmit) < floor:
                frame.results.append((device, DownlinkOutcome.BELOW_SENSITIVITY, None))
            elif self._drowned(frame, device, power, preamble=True):
                frame.results.append((device, DownlinkOutcome.COLLIDED, None))
            else:
                frame.locked[device] = power
                self._busy[device] = frame
        return [DeviceLocked(device, frame.end) for device in frame.locked]

    def end(self, frame: Downlink, now: Instant) -> DownlinkEnded:
        """The frame is over: deliver it to those locked to it."""
        transmit = frame.event.transmit
        self._on_air[_channel(transmit)].remove(frame)
        for device, power in frame.locked.items():
            if self._busy.get(device) is frame:
                del self._busy[device]
            if self._drowned(frame, device, power, preamble=False):
                frame.results.append((device, DownlinkOutcome.COLLIDED, None))
            else:
                heard = self._heard(transmit, device, power, now)
                frame.results.append((device, DownlinkOutcome.DELIVERED, heard))
        return DownlinkEnded(
            frame.event.gateway, frame.event.reference, transmit, tuple(sorted(frame.results, key=_device))
        )

    def _cut_off(self, device: int, frame: Downlink) -> bool:
        """Whether a class A window of another channel opens before the frame is over."""
        own = _channel(frame.event.transmit)
        return any(
            window.window in _CLASS_A and window.opens_at < frame.end and window.closes_at > frame.critical_at
            for channel, windows in self._windows.items()
            if channel != own
            for window in windows.get(device, ())
        )

    def _drowned(self, frame: Downlink, device: int, power_dbm: float, *, preamble: bool) -> bool:
        """Whether the energy of other downlinks comes within 6 dB of the frame's own."""
        if not frame.overlaps:
            return False
        own_us = (frame.lock_at if preamble else frame.end) - frame.critical_at
        energy = sum(
            (within if preamble else whole) * 10.0 ** ((self._power_dbm(other, device) - power_dbm) / 10.0)
            for other, whole, within in frame.overlaps
        )
        return bool(own_us < _CAPTURE_RATIO * energy)

    def _power_dbm(self, event: DownlinkStarts, device: int) -> float:
        power = float(self._gain[device, event.gateway]) + event.transmit.power_dbm
        if self._fading is not None:
            power += self._fading.downlink_db(event.gateway, device, event.reference, event.transmit.at)
        return power

    def _noise_dbm(self, device: int, transmit: Transmit) -> float:
        doublings = (transmit.modulation.bw_hz // _BW_REFERENCE_HZ).bit_length() - 1
        return float(self._noise[device]) + 3.0102999566 * doublings

    def _heard(self, transmit: Transmit, device: int, power_dbm: float, now: Instant) -> Heard:
        noise = self._noise_dbm(device, transmit)
        return Heard(
            at=now,
            payload=transmit.payload,
            freq_hz=transmit.freq_hz,
            modulation=transmit.modulation,
            rssi_dbm=report_packet_strength_dbm(power_dbm, noise),
            snr_db=report_snr_db(power_dbm - noise, self._snr_max),
            airtime_us=transmit.airtime_us,
            crc_ok=True,
            coding_rate=transmit.coding_rate,
        )


def _device(result: tuple[int, DownlinkOutcome, Heard | None]) -> int:
    return result[0]
