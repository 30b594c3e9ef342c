"""`lorabench airtime`: time on air, and what a duty cycle leaves."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from bench.errors import UsageError
from lorawan.phy import CodingRate, LoraModulation, lora_airtime_us, lora_payload_symbols
from lorawan.units import US_PER_HOUR, US_PER_MS, US_PER_S

_CODING_RATES = {str(rate): rate for rate in CodingRate}
_LDRO: dict[str, bool | None] = {"auto": None, "on": True, "off": False}


@dataclass(frozen=True, slots=True)
class Row:
    """One spreading factor. wait_us: silence after the frame that the duty cycle asks for."""

    modulation: str
    ldro: bool
    payload_symbols: int
    airtime_us: int
    wait_us: int
    max_per_hour: int


def airtime(
    sf: Annotated[list[int], typer.Option("--sf", min=5, max=12, help="Spreading factor; may be given several times.")],
    payload: Annotated[int, typer.Option(min=0, max=255, help="PHY payload in bytes: MHDR to MIC.")],
    bw: Annotated[int, typer.Option(help="Bandwidth in kHz: 125, 250 or 500.")] = 125,
    cr: Annotated[str, typer.Option(help="Coding rate: 4/5, 4/6, 4/7 or 4/8.")] = "4/5",
    preamble: Annotated[
        int, typer.Option(min=2, max=65535, help="Preamble in symbols, without the 4.25 of its end.")
    ] = 8,
    implicit_header: Annotated[bool, typer.Option("--implicit-header", help="No header, as in beacons.")] = False,
    no_crc: Annotated[bool, typer.Option("--no-crc", help="No payload CRC, as in downlinks.")] = False,
    ldro: Annotated[str, typer.Option(help="Low data rate optimisation: auto, on or off.")] = "auto",
    duty: Annotated[float, typer.Option(min=0.001, max=100, help="Duty cycle in per cent.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Time on air of a LoRa frame, exact to the microsecond, and what a duty cycle leaves.

    Source: Semtech SX1276 datasheet rev. 7 §4.1.1.7.
    """
    if cr not in _CODING_RATES:
        raise UsageError(f"--cr {cr}: no such coding rate", hint=f"one of {', '.join(_CODING_RATES)}")
    if ldro not in _LDRO:
        raise UsageError(f"--ldro {ldro}", hint=f"one of {', '.join(_LDRO)}")
    rows = []
    for factor in sf:
        modulation = LoraModulation(factor, bw * 1000)
        optimised = modulation.ldro if _LDRO[ldro] is None else bool(_LDRO[ldro])
        symbols = lora_payload_symbols(
            payload,
            factor,
            coding_rate=_CODING_RATES[cr],
            explicit_header=not implicit_header,
            crc=not no_crc,
            ldro=optimised,
        )
        airtime_us = lora_airtime_us(
            payload,
            modulation,
            coding_rate=_CODING_RATES[cr],
            preamble_symbols=preamble,
            explicit_header=not implicit_header,
            crc=not no_crc,
            ldro=optimised,
        )
        period_us = airtime_us * 100 / duty
        rows.append(
            Row(
                modulation=str(modulation),
                ldro=optimised,
                payload_symbols=symbols,
                airtime_us=airtime_us,
                wait_us=round(period_us - airtime_us),
                max_per_hour=int(US_PER_HOUR // period_us),
            )
        )
    if as_json:
        for row in rows:
            typer.echo(json.dumps(asdict(row)))
        return
    _print(rows, duty)


def _print(rows: list[Row], duty: float) -> None:
    from rich.console import Console  # noqa: PLC0415 - keeps --help quick
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in (
        "data rate",
        "LDRO",
        "payload symbols",
        "time on air (ms)",
        f"wait at {duty:g} % (s)",
        "most per hour",
    ):
        table.add_column(name, justify="left" if name == "data rate" else "right")
    for row in rows:
        table.add_row(
            row.modulation,
            "on" if row.ldro else "off",
            str(row.payload_symbols),
            f"{row.airtime_us / US_PER_MS:.3f}",
            f"{row.wait_us / US_PER_S:.3f}",
            str(row.max_per_hour),
        )
    Console().print(table)
