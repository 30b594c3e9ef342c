"""The field types of the schema: quantities, identifiers, keys and versions as a scenario file writes them.

Each reader turns text into the base unit and refuses with a message and a hint; `LorawanError` and `QuantityError`
become pydantic errors here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from lorawan.errors import FrameError
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.version import Version
from scenarios import quantities as q
from scenarios.errors import did_you_mean


class Strict(BaseModel):
    """Base of every table of a scenario: no unknown key, no silent conversion, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


def refusal(problem: str, hint: str = "") -> PydanticCustomError:
    """A pydantic error that carries our message and hint."""
    return PydanticCustomError("scenario", "{problem}", {"problem": problem, "hint": hint})


def _reader(dimension: q.Dimension, low: float | None, high: float | None, *, integer: bool) -> BeforeValidator:
    def read(value: object) -> float | int:
        try:
            found: float | int = q.whole(dimension, value) if integer else float(dimension.parse(value))
        except q.QuantityError as error:
            raise refusal(str(error), error.hint) from None
        scale = float(dimension.units.get("%", 1))
        if low is not None and found < low:
            raise refusal(f'"{value}" is too low', f"at least {low / scale:g} {_shown_base(dimension)}")
        if high is not None and found > high:
            raise refusal(f'"{value}" is too high', f"at most {high / scale:g} {_shown_base(dimension)}")
        return found

    return BeforeValidator(read)


def _shown_base(dimension: q.Dimension) -> str:
    return "%" if "%" in dimension.units else dimension.base


def _schema(dimension: q.Dimension) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": dimension.pattern, "examples": [dimension.example]})


PowerDbm: TypeAlias = Annotated[float, _reader(q.POWER_DBM, -40, 36, integer=False), _schema(q.POWER_DBM)]
GainDbi: TypeAlias = Annotated[float, _reader(q.GAIN_DBI, -30, 30, integer=False), _schema(q.GAIN_DBI)]
RatioDb: TypeAlias = Annotated[float, _reader(q.RATIO_DB, -100, 100, integer=False), _schema(q.RATIO_DB)]
PositiveDb: TypeAlias = Annotated[float, _reader(q.RATIO_DB, 0, 100, integer=False), _schema(q.RATIO_DB)]
FrequencyHz: TypeAlias = Annotated[int, _reader(q.FREQUENCY_HZ, 1, None, integer=True), _schema(q.FREQUENCY_HZ)]
HeightM: TypeAlias = Annotated[float, _reader(q.LENGTH_M, -10, 500, integer=False), _schema(q.LENGTH_M)]
LengthM: TypeAlias = Annotated[float, _reader(q.LENGTH_M, 0, None, integer=False), _schema(q.LENGTH_M)]
DurationUs: TypeAlias = Annotated[int, _reader(q.DURATION_US, 0, None, integer=True), _schema(q.DURATION_US)]
LongDurationUs: TypeAlias = Annotated[
    int, _reader(q.DURATION_US, 60_000_000, None, integer=True), _schema(q.DURATION_US)
]
DayCount: TypeAlias = Annotated[int, _reader(q.DAYS, 0, 400, integer=True), _schema(q.DAYS)]
SizeBytes: TypeAlias = Annotated[int, _reader(q.SIZE_BYTES, 0, 242, integer=True), _schema(q.SIZE_BYTES)]
Share: TypeAlias = Annotated[float, _reader(q.SHARE, 0, 1, integer=False), _schema(q.SHARE)]

Latitude: TypeAlias = Annotated[float, Field(ge=-90, le=90, description="degrees north, WGS 84")]
Longitude: TypeAlias = Annotated[float, Field(ge=-180, le=180, description="degrees east, WGS 84")]


def _hexadecimal(kind: Callable[[str], object], digits: int, *, echo: bool = True) -> tuple[BeforeValidator, Any]:
    def read(value: object) -> object:
        if not isinstance(value, str):
            raise refusal(f"hex digits in quotes are due, not {type(value).__name__}", f"write {digits} hex digits")
        try:
            return kind(value)
        except FrameError as error:
            shown = str(error).split("; ", maxsplit=1)[0] if echo else _count(value, digits)
            raise refusal(shown, f"write exactly {digits} hex digits") from None

    schema = {"type": "string", "pattern": rf"^([0-9A-Fa-f][-: ]?){{{digits}}}$"}
    return BeforeValidator(read), WithJsonSchema(schema)


def _count(text: str, digits: int) -> str:
    """What is wrong with a key, without the key."""
    found = len(text.translate(str.maketrans("", "", "-: ")))
    return f"a key of {found} digits" if found != digits else "a key with a character that is not a hex digit"


_EUI, _NET, _ADDR, _KEY = (
    _hexadecimal(Eui64.from_hex, 16),
    _hexadecimal(NetId.from_hex, 6),
    _hexadecimal(DevAddr.from_hex, 8),
    _hexadecimal(AesKey.from_hex, 32, echo=False),
)
Eui: TypeAlias = Annotated[Eui64, _EUI[0], _EUI[1]]
NetworkId: TypeAlias = Annotated[NetId, _NET[0], _NET[1]]
DeviceAddress: TypeAlias = Annotated[DevAddr, _ADDR[0], _ADDR[1]]
Key: TypeAlias = Annotated[AesKey, _KEY[0], _KEY[1]]


def _version(value: object) -> Version:
    known = [version.value for version in Version]
    if not isinstance(value, str) or value not in known:
        raise refusal(f"{value!r} is not a LoRaWAN version", "one of " + ", ".join(f'"{v}"' for v in known))
    return Version(value)


LinkVersion: TypeAlias = Annotated[
    Version, BeforeValidator(_version), WithJsonSchema({"enum": [version.value for version in Version]})
]


def _zone(value: object) -> str:
    try:
        return ZoneInfo(str(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refusal(f"{value!r} is not a time zone", 'an IANA name such as "Europe/Paris"') from None


TimeZone: TypeAlias = Annotated[str, BeforeValidator(_zone), WithJsonSchema({"type": "string"})]


def one_of(*known: str) -> BeforeValidator:
    """A closed list of words, with a suggestion for the one that was meant."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise refusal(f"{value!r} is not one of " + ", ".join(known), did_you_mean(str(value), known))
        return value

    return BeforeValidator(read)
