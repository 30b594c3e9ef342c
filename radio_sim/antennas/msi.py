"""Antenna pattern files in the Planet format of MSI: .msi and .pln, and .ant where it holds the same text.

The format as it is used, for want of a standard: lines of a keyword and its value, then `HORIZONTAL n` and
`VERTICAL n`, each followed by n lines of an angle in degrees and a loss in dB below the peak. The gain is in dBd
unless it says dBi, the frequency in MHz. Horizontal angles run clockwise from the main direction, vertical angles
downwards from the horizon in front (90 straight down, 180 the horizon behind) [assumption: makers' files with
electrical downtilt peak at small positive angles].
Source: Radio Mobile's description of the format (radiomobile.pe1mew.nl, Definitions, MSI); MathWorks `msiread`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

DIPOLE_GAIN_DBI = 2.15
"""Gain of a half-wave dipole, the step from dBd to dBi. Source: Recommendation ITU-R BS.561-2."""

_MAX_POINTS = 36_000  # a hundredth of a degree: more is no pattern
_MAX_FREQ_HZ = 1e12


class MsiError(ValueError):
    """Text that is not a pattern file. source: the file's name; line: counted from 1; problem: what is wrong there."""

    def __init__(self, source: str, line: int, problem: str) -> None:
        self.source, self.line, self.problem = source, line, problem
        super().__init__(source, line, problem)

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Cut:
    """Losses below the peak, in dB ≥ 0, around a circle: angles in degrees, rising, spanning 360 at most."""

    angles_deg: tuple[float, ...]
    losses_db: tuple[float, ...]

    def __post_init__(self) -> None:
        angles = self.angles_deg
        if len(angles) != len(self.losses_db) or not angles:
            raise ValueError(f"a cut needs as many losses as angles, not {len(self.losses_db)} for {len(angles)}")
        if not all(math.isfinite(value) for value in (*angles, *self.losses_db)) or min(self.losses_db) < 0.0:
            raise ValueError("a cut has finite angles and finite losses of 0 dB or more")
        if any(b <= a for a, b in pairwise(angles)) or angles[-1] - angles[0] > 360.0:
            raise ValueError("the angles of a cut rise and span 360 degrees at most")


@dataclass(frozen=True, slots=True)
class MsiPattern:
    """What a pattern file says. headers: the other keywords with their values, in order; freq_hz: None if not given."""

    name: str
    gain_dbi: float
    horizontal: Cut
    vertical: Cut
    freq_hz: int | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def electrical_tilt_deg(self) -> float:
        """The downtilt the vertical cut already contains: ELECTRICAL_TILT, or a number after TILT, or 0."""
        values = dict(self.headers)
        for keyword in ("ELECTRICAL_TILT", "TILT"):
            found = _NUMBER.match(values.get(keyword, ""))
            if found:
                return _number(found.group())
        return 0.0


_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_GAIN = re.compile(rf"({_NUMBER.pattern})\s*(dBd|dBi)?\s*", re.ASCII | re.IGNORECASE)
_FREQUENCY = re.compile(
    rf"({_NUMBER.pattern})(?:\s*-\s*({_NUMBER.pattern}))?\s*(MHz|GHz)?\s*", re.ASCII | re.IGNORECASE
)
_KEYWORD = re.compile(r"[A-Za-z][A-Za-z0-9_./&-]*", re.ASCII)
_SECTIONS = ("HORIZONTAL", "VERTICAL")


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _gain_dbi(source: str, line: int, value: str) -> float:
    found = _GAIN.fullmatch(value)
    if found is None or not math.isfinite(_number(found[1])):
        raise MsiError(source, line, f"GAIN is {value!r}, not a number with dBd or dBi")
    isotropic = (found[2] or "dBd").lower() == "dbi"
    return _number(found[1]) if isotropic else _number(found[1]) + DIPOLE_GAIN_DBI


def _freq_hz(source: str, line: int, value: str) -> int | None:
    """The frequency, or the middle of a band; None for an empty value."""
    if not value:
        return None
    found = _FREQUENCY.fullmatch(value)
    if found is None:
        raise MsiError(source, line, f"FREQUENCY is {value!r}, not MHz, GHz or a band of them")
    low, high = _number(found[1]), _number(found[2] or found[1])
    freq_hz = 0.5 * (low + high) * (1e9 if (found[3] or "").lower() == "ghz" else 1e6)
    if not 1.0 <= freq_hz <= _MAX_FREQ_HZ:
        raise MsiError(source, line, f"FREQUENCY is {value!r}, which is no radio frequency")
    return round(freq_hz)


def _section(source: str, line: int, keyword: str, value: str, lines: Iterator[tuple[int, str]]) -> Cut:
    try:
        count = int(value) if value.isascii() else 0
    except ValueError:
        count = 0
    if not 1 <= count <= _MAX_POINTS:
        raise MsiError(source, line, f"{keyword} is followed by {value!r}, not by a number of points")
    angles: list[float] = []
    losses: list[float] = []
    for _ in range(count):
        line, text = next(lines, (line + 1, ""))
        fields = text.replace(";", " ").split()
        if len(fields) != 2 or not all(_NUMBER.fullmatch(item) for item in fields):
            raise MsiError(source, line, f"{text!r} is not an angle and a loss: {keyword} announced {count} points")
        angle, loss = _number(fields[0]), abs(_number(fields[1]))
        if angles and angle <= angles[-1]:
            raise MsiError(source, line, f"angle {angle:g} does not rise above {angles[-1]:g}")
        angles.append(angle)
        losses.append(loss)
    try:
        return Cut(tuple(angles), tuple(losses))
    except ValueError as error:
        raise MsiError(source, line, f"{keyword}: {error}") from error


def parse_msi(data: str | bytes, source: str = "<pattern>") -> MsiPattern:
    """Read a pattern file. source names it in errors.

    Keywords count in any case; the first line may be a bare name. A comma is taken for a decimal point, a minus sign
    before a loss is dropped (some makers write gains relative to the peak), and bytes are read as Latin-1. Raises
    MsiError, and nothing else, saying the file and the line.
    """
    text = data.decode("latin-1") if isinstance(data, bytes) else data
    lines = ((number, line.strip()) for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1) if line.strip())
    name, gain_dbi, freq_hz = "", None, None
    headers: list[tuple[str, str]] = []
    cuts: dict[str, Cut] = {}
    number = 0
    for position, (number, line) in enumerate(lines):
        raw, _, value = line.replace("\t", " ").partition(" ")
        keyword, value = raw.upper(), value.strip()
        if position == 0 and keyword != "NAME" and keyword not in ("GAIN", "FREQUENCY", *_SECTIONS):
            name = line.replace("\t", " ")
        elif keyword in _SECTIONS:
            if keyword in cuts:
                raise MsiError(source, number, f"a second {keyword}")
            cuts[keyword] = _section(source, number, keyword, value, lines)
        elif keyword == "NAME":
            name = value
        elif keyword == "GAIN":
            gain_dbi = _gain_dbi(source, number, value)
        elif keyword == "FREQUENCY":
            freq_hz = _freq_hz(source, number, value)
        elif _KEYWORD.fullmatch(raw):
            headers.append((keyword, value))
        else:
            raise MsiError(source, number, f"{line[:60]!r} begins with no keyword")
    missing = [keyword for keyword in _SECTIONS if keyword not in cuts]
    if gain_dbi is None:
        missing.insert(0, "GAIN")
    if missing or gain_dbi is None:
        raise MsiError(source, number + 1, f"the file ends without {' and '.join(missing)}")
    return MsiPattern(name, gain_dbi, cuts["HORIZONTAL"], cuts["VERTICAL"], freq_hz, tuple(headers))


def write_msi(pattern: MsiPattern) -> str:
    """The text of a pattern file that `parse_msi` reads back as the same pattern.

    The gain is written in dBi. Raises ValueError for a name or a header that would not survive: line breaks, outer
    spaces, keywords that are none.
    """
    for keyword, value in (("NAME", pattern.name), *pattern.headers):
        reserved = keyword in ("GAIN", "FREQUENCY", *_SECTIONS)
        if reserved or keyword != keyword.upper() or not _KEYWORD.fullmatch(keyword):
            raise ValueError(f"{keyword!r} is no keyword of a header")
        if value != value.replace("\t", " ").strip() or re.search(r"[\r\n]", value):
            raise ValueError(f"{keyword} is {value!r}: it must be one line without outer spaces or tabs")
    if any(keyword == "NAME" for keyword, _ in pattern.headers):
        raise ValueError("NAME stands in the field name")
    lines = [f"NAME {pattern.name}"]
    if pattern.freq_hz is not None:
        lines.append(f"FREQUENCY {pattern.freq_hz / 1e6!r}")
    lines.append(f"GAIN {float(pattern.gain_dbi)!r} dBi")
    lines += [f"{keyword} {value}".rstrip() for keyword, value in pattern.headers]
    for keyword, cut in zip(_SECTIONS, (pattern.horizontal, pattern.vertical), strict=True):
        lines.append(f"{keyword} {len(cut.angles_deg)}")
        lines += [
            f"{float(angle)!r} {float(loss)!r}" for angle, loss in zip(cut.angles_deg, cut.losses_db, strict=True)
        ]
    return "\n".join(lines) + "\n"
