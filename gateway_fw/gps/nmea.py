"""NMEA 0183 sentences RMC and GGA: text to frozen dataclasses.

Source: NMEA 0183 as u-blox 7 and 8 write it (u-blox M8 Receiver Description, UBX-13003221, §31.2.5 GGA, §31.2.14 RMC).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lorawan.errors import WireError

MAX_SENTENCE_BYTES = 128  # the standard says 82; some receivers write more
_CLAUSE = "NMEA 0183"
_VALID_MODES = "ADFR"  # autonomous, differential, RTK float and fixed; E is dead reckoning, N none
_SHAPE = re.compile(rb"\$([ -~]*)\*([0-9A-Fa-f]{2})")
_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)(\.\d{1,9})?", re.ASCII)
_DATE = re.compile(r"(\d\d)(\d\d)(\d\d)", re.ASCII)
_ANGLE = re.compile(r"(\d{2,3})(\d\d(?:\.\d{1,9})?)", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,6}(?:\.\d{1,6})?", re.ASCII)


class NmeaError(WireError):
    """Text that is no NMEA sentence, or a field that cannot be read."""


@dataclass(frozen=True, slots=True)
class Rmc:
    """Recommended minimum: utc, None without a time or date; valid: a position was found."""

    utc: datetime | None
    valid: bool


@dataclass(frozen=True, slots=True)
class Gga:
    """A fix: position in degrees and metres above mean sea level; None without one."""

    latitude_deg: float | None
    longitude_deg: float | None
    altitude_m: float | None
    satellites: int

    @property
    def has_position(self) -> bool:
        """Whether all three are known."""
        return None not in (self.latitude_deg, self.longitude_deg, self.altitude_m)


def parse_sentence(line: bytes) -> Rmc | Gga | None:
    """One sentence, with or without its line end; None for one of another kind. Raises NmeaError and nothing else."""
    found = _SHAPE.fullmatch(line.rstrip(b"\r\n"))
    if found is None or len(line) > MAX_SENTENCE_BYTES:
        raise NmeaError("no sentence", field="sentence", clause=_CLAUSE, hint="$…*hh")
    checksum = 0
    for byte in found[1]:
        checksum ^= byte
    if checksum != int(found[2], 16):
        raise NmeaError(f"{found[2].decode()}, not {checksum:02X}", field="checksum", clause=_CLAUSE)
    fields = found[1].decode("ascii").split(",")
    kind = fields[0]
    if len(kind) != 5 or kind[0] != "G":
        return None
    if kind[2:] == "RMC":
        return _rmc(fields)
    return _gga(fields) if kind[2:] == "GGA" else None


def _rmc(fields: list[str]) -> Rmc:
    if len(fields) < 12:
        raise NmeaError(f"{len(fields)} fields", field="RMC", clause=_CLAUSE, hint="at least 12")
    mode = fields[12] if len(fields) > 12 else "A"  # the mode came with NMEA 2.3
    valid = fields[2] == "A" and mode[:1] in _VALID_MODES and mode != ""
    time, date = _TIME.fullmatch(fields[1]), _DATE.fullmatch(fields[9])
    if time is None or date is None:
        return Rmc(None, False)
    try:
        utc = datetime(
            2000 + int(date[3]),
            int(date[2]),
            int(date[1]),
            int(time[1]),
            int(time[2]),
            min(59, int(time[3])),
            tzinfo=UTC,
        )
    except ValueError as error:
        raise NmeaError(f"{fields[9]} {fields[1]}", field="date and time", clause=_CLAUSE) from error
    # a leap second is written 60: it is the instant one second after 59
    utc += timedelta(seconds=max(0, int(time[3]) - 59), microseconds=round(float(time[4] or 0) * 1e6))
    return Rmc(utc, valid)


def _gga(fields: list[str]) -> Gga:
    if len(fields) < 15:
        raise NmeaError(f"{len(fields)} fields", field="GGA", clause=_CLAUSE, hint="15")
    satellites = int(fields[7]) if fields[7].isascii() and fields[7].isdigit() and len(fields[7]) <= 2 else 0
    if fields[6] in ("", "0"):
        return Gga(None, None, None, satellites)
    altitude = float(fields[9]) if _NUMBER.fullmatch(fields[9]) else None
    return Gga(
        _degrees(fields[2], fields[3], "NS", 90), _degrees(fields[4], fields[5], "EW", 180), altitude, satellites
    )


def _degrees(text: str, side: str, sides: str, limit: int) -> float | None:
    found = _ANGLE.fullmatch(text)
    if found is None or len(side) != 1 or side not in sides:
        return None
    minutes = float(found[2])
    degrees = int(found[1]) + minutes / 60
    if minutes >= 60 or degrees > limit:
        raise NmeaError(f"{text},{side}", field="position", clause=_CLAUSE)
    return degrees if side == sides[0] else -degrees
