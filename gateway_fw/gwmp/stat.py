"""stat: what a gateway says of itself now and then."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from msgspec import Raw
from msgspec.json import Decoder

from gateway_fw.errors import GwmpError
from gateway_fw.gwmp.wire import UPSTREAM_CLAUSE, decode_json

Scalar = int | float | str


@dataclass(frozen=True, slots=True)
class Stat:
    """A gateway's status report. Every field may be absent.

    time: UTC as "2014-01-12 08:59:28 GMT". rxnb, rxok, rxfw: frames received, with a good CRC, forwarded; ackr_percent:
    PUSH_DATA acknowledged; dwnb, txnb: downlink datagrams received, frames emitted. The reference counts per interval,
    some gateways since they started. boot to desc: seen of vendors, without a document. extras: any other plain value.

    Source: PROTOCOL.md 1.6 §4.
    """

    time: str | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    altitude_m: float | None = None
    rxnb: int | None = None
    rxok: int | None = None
    rxfw: int | None = None
    ackr_percent: float | None = None
    dwnb: int | None = None
    txnb: int | None = None
    temperature_c: float | None = None
    boot: str | None = None
    lmok: int | None = None
    lmst: int | None = None
    lmnw: int | None = None
    lpps: int | None = None
    fpga: int | None = None
    dsp: int | None = None
    hal: str | None = None
    hver: str | None = None
    pfrm: str | None = None
    mail: str | None = None
    desc: str | None = None
    extras: tuple[tuple[str, Scalar], ...] = ()

    @property
    def time_is_iso(self) -> bool:
        """Whether time has the ISO 8601 "T" form, which Microchip gateways send against PROTOCOL.md §4."""
        return self.time is not None and self.time[10:11] == "T"


_FIELDS: dict[str, tuple[str, type]] = {
    "time": ("time", str),
    "lati": ("latitude_deg", float),
    "long": ("longitude_deg", float),
    "alti": ("altitude_m", float),
    "rxnb": ("rxnb", int),
    "rxok": ("rxok", int),
    "rxfw": ("rxfw", int),
    "ackr": ("ackr_percent", float),
    "dwnb": ("dwnb", int),
    "txnb": ("txnb", int),
    "temp": ("temperature_c", float),
    "lmok": ("lmok", int),
    "lmst": ("lmst", int),
    "lmnw": ("lmnw", int),
    "lpps": ("lpps", int),
    "fpga": ("fpga", int),
    "dsp": ("dsp", int),
    **{name: (name, str) for name in ("boot", "hal", "hver", "pfrm", "mail", "desc")},
}

_decoder = Decoder(dict[str, Any])


def decode_stat(data: bytes | Raw) -> tuple[Stat, tuple[str, ...]]:
    """The stat object, and a line for each field that had to be left out. Raises GwmpError where it is no object."""
    wire = decode_json(_decoder, data, field="stat", offset=None, clause=UPSTREAM_CLAUSE)
    values: dict[str, Any] = {}
    extras: list[tuple[str, Scalar]] = []
    refused: list[str] = []
    for name, value in wire.items():
        if value is None:
            continue
        known = _FIELDS.get(name)
        if known is None:
            plain = value if isinstance(value, str) else _fit(value, float)
            if plain is not None:
                extras.append((name, plain))
            continue
        fitted = _fit(value, known[1])
        if fitted is None:
            refused.append(f"stat.{name}: {str(value)[:40]!r}")
        else:
            values[known[0]] = fitted
    return Stat(**values, extras=tuple(sorted(extras, key=lambda item: item[0]))), tuple(refused)


def _fit(value: object, kind: type) -> Scalar | None:
    if kind is str:
        return value if isinstance(value, str) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e15 or not isfinite(value):
        return None
    if kind is float:
        return value
    return int(value) if value == int(value) and value >= 0 else None


def encode_stat(stat: Stat) -> dict[str, Any]:
    """The JSON object with the fields that are set. Raises GwmpError for a number that JSON cannot carry."""
    wire: dict[str, Any] = {}
    for name, (attribute, _) in _FIELDS.items():
        value = getattr(stat, attribute)
        if value is not None:
            if isinstance(value, float) and not isfinite(value):
                raise GwmpError(f"{value}", field=f"stat.{name}", clause=UPSTREAM_CLAUSE)
            wire[name] = value
    wire.update(stat.extras)
    return wire
