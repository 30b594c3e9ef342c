"""A GPS receiver's serial line as a core: bytes in; position, time and the wish to read the pulse out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway_fw.gps.nmea import MAX_SENTENCE_BYTES, Gga, NmeaError, Rmc, parse_sentence
from gateway_fw.gps.pairing import Pairing
from gateway_fw.gps.reference import Position, TimeLost, TimeReference
from gateway_fw.gps.ubx import (
    MAX_PAYLOAD_BYTES,
    OVERHEAD_BYTES,
    SYNC,
    NavTimeGps,
    UbxError,
    enable_nav_timegps,
    parse_message,
)
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from lorawan.machine import Dropped, Instant
from lorawan.units import US_PER_S

LEAP_S = 18  # since 1 January 2017 (IERS Bulletin C 52 and those after it), until the receiver knows better
PULSE_MAX_AGE_US = US_PER_S  # an older pulse belongs to another second
OFF_SECOND_US = 20_000  # an epoch further from a whole second than this is not that of a pulse
_GPS_EPOCH = datetime(1980, 1, 6, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReadPulse:
    """Effect: tell `GpsCore.pulse` when the radio saw the last pulse."""


GpsEffect = SendBytes | ReadPulse | Position | TimeLost | Dropped


class GpsCore:
    """One receiver. Text and UBX may be mixed, cut anywhere, and damaged."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._pairing = Pairing()
        self._time: NavTimeGps | None = None
        self._leap_s: int | None = None
        self._utc: datetime | None = None
        self._locked = False
        self.sentences = self.refused = 0

    @property
    def wake_at(self) -> None:
        """It waits for bytes alone."""

    def wake(self, now: Instant) -> Sequence[GpsEffect]:  # noqa: ARG002  # contract
        """Nothing is ever due."""
        return ()

    def start(self) -> Sequence[SendBytes]:
        """What to send first: switch NAV-TIMEGPS on."""
        return (SendBytes(enable_nav_timegps()),)

    def handle(self, event: BytesReceived | LineLost, now: Instant) -> Sequence[GpsEffect]:  # noqa: ARG002  # contract
        """Take bytes in."""
        if isinstance(event, LineLost):
            self._buffer.clear()
            return self._lost(event.why)
        self._buffer += event.data
        effects: list[GpsEffect] = []
        while True:
            piece = self._next()
            if piece is None:
                return effects
            effects.extend(self._read(piece))

    def pulse(self, at: Instant | None, now: Instant) -> Sequence[TimeReference | Dropped]:
        """The instant of the last pulse: pair it with the time that asked for it."""
        time, self._time = self._time, None
        if time is None or time.gps_us is None:
            return ()
        if at is None or not 0 <= now - at < PULSE_MAX_AGE_US:
            return (Dropped("gps_pulse", "one pulse each second", "the radio saw none within the last second"),)
        second = (time.gps_us + US_PER_S // 2) // US_PER_S
        return (self._pairing.pair(at, second * US_PER_S, self._leap(second)),)

    def _next(self) -> bytes | None:
        buffer = self._buffer
        while buffer:
            start = min((i for i in (buffer.find(b"$"), buffer.find(SYNC[:1])) if i >= 0), default=len(buffer))
            del buffer[:start]
            if not buffer:
                return None
            if buffer[0] == SYNC[0]:
                if len(buffer) < OVERHEAD_BYTES and SYNC.startswith(buffer[:2]):
                    return None
                size = int.from_bytes(buffer[4:6], "little")
                if buffer[:2] != SYNC or size > MAX_PAYLOAD_BYTES:
                    del buffer[0]
                    continue
                if len(buffer) < OVERHEAD_BYTES + size:
                    return None
                return self._take(OVERHEAD_BYTES + size)
            end = buffer.find(b"\n", 0, MAX_SENTENCE_BYTES)
            if end >= 0:
                return self._take(end + 1)
            if len(buffer) < MAX_SENTENCE_BYTES:
                return None
            del buffer[0]
        return None

    def _take(self, size: int) -> bytes:
        return bytes(self._buffer[:size])  # it leaves the buffer when it has proved to be whole

    def _read(self, piece: bytes) -> Sequence[GpsEffect]:
        try:
            parsed = parse_message(piece) if piece[0] == SYNC[0] else parse_sentence(piece)
        except (NmeaError, UbxError) as error:
            # a damaged head may have claimed what follows it: look again from the next byte on
            del self._buffer[0]
            self.refused += 1
            return (Dropped("gps_message", error.clause, str(error)),)
        del self._buffer[: len(piece)]
        self.sentences += 1
        if isinstance(parsed, NavTimeGps):
            return self._nav_time(parsed)
        if isinstance(parsed, Rmc):
            self._utc = parsed.utc if parsed.valid else None
        elif isinstance(parsed, Gga) and parsed.has_position:
            assert parsed.latitude_deg is not None
            assert parsed.longitude_deg is not None
            assert parsed.altitude_m is not None
            return (Position(parsed.latitude_deg, parsed.longitude_deg, parsed.altitude_m, parsed.satellites),)
        return ()

    def _nav_time(self, time: NavTimeGps) -> Sequence[GpsEffect]:
        if time.leap_s is not None:
            self._leap_s = time.leap_s
        if time.gps_us is None:
            return self._lost("the receiver has no valid time")
        off_us = (time.gps_us + US_PER_S // 2) % US_PER_S - US_PER_S // 2
        if abs(off_us) > OFF_SECOND_US:
            return ()  # a receiver that navigates several times a second: the pulse belongs to another epoch
        self._time, self._locked = time, True
        return (ReadPulse(),)

    def _lost(self, why: str) -> Sequence[GpsEffect]:
        self._time = None
        was_locked, self._locked = self._locked, False
        return (TimeLost(why),) if was_locked else ()

    def _leap(self, gps_s: int) -> int:
        if self._leap_s is not None:
            return self._leap_s
        if self._utc is not None:
            ahead_s = gps_s - round((self._utc - _GPS_EPOCH).total_seconds())
            if 10 <= ahead_s <= 40:  # assumption: anything else is a sentence of another time
                return ahead_s
        return LEAP_S
