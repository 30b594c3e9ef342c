"""Tables beside the measurements: the devices in service with their places, and gateways' names for sites."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.imports.fields import table
from bench.imports.measured import MeasuredUplink, MeasurementError

_COLUMNS = ("device", "id", "lat", "lon", "placement", "commune", "antenna_height_m", "note")


@dataclass(frozen=True, slots=True)
class MeasuredDevice:
    """A device in service. lat, lon None where unknown; placement and commune "" where unknown."""

    device: str
    lat: float | None
    lon: float | None
    placement: str
    commune: str = ""


def parse_devices(text: str, path: str) -> tuple[MeasuredDevice, ...]:
    """The rows of a devices table, named by a column `device` or `id`; notes and heights are passed over.

    Raises MeasurementError with line and column.
    """
    found: dict[str, MeasuredDevice] = {}
    for row in table(text, path, needed=(), optional=_COLUMNS):
        named = row["device"] if row["id"].absent else row["id"]
        name = named.text()
        if name in found:
            raise named.wrong(f'"{name}" twice')
        if row["lat"].absent != row["lon"].absent:
            raise row["lat" if row["lat"].absent else "lon"].wrong("half a position", "give both or leave both empty")
        found[name] = MeasuredDevice(
            name,
            None if row["lat"].absent else row["lat"].number(-90, 90),
            None if row["lon"].absent else row["lon"].number(-180, 180),
            row["placement"].value or "",
            row["commune"].value or "",
        )
    return tuple(found.values())


def parse_gateways(text: str, path: str) -> dict[str, str]:
    """Gateway identifier to site id, from a table `gateway,site`. Raises MeasurementError with line and column."""
    found: dict[str, str] = {}
    for row in table(text, path, needed=("gateway", "site"), optional=()):
        gateway = row["gateway"].text()
        if gateway in found:
            raise row["gateway"].wrong(f'"{gateway}" twice')
        found[gateway] = row["site"].text()
    return found


def devices_of(
    uplinks: Iterable[MeasuredUplink], listed: Mapping[str, MeasuredDevice], path: str
) -> tuple[MeasuredDevice, ...]:
    """The listed devices, then those that only the uplinks tell of; a table's word goes before the uplinks'.

    Raises MeasurementError where a device's own uplinks place it twice more than about 100 m apart.
    """
    told: dict[str, MeasuredDevice] = {}
    for uplink in uplinks:
        known = told.get(uplink.device)
        if known is None:
            told[uplink.device] = MeasuredDevice(uplink.device, uplink.lat, uplink.lon, uplink.placement)
            continue
        if _apart(uplink.lat, known.lat) > 1e-3 or _apart(uplink.lon, known.lon) > 1.5e-3:
            raise MeasurementError(
                f'"{uplink.device}" has moved', path=path, line=uplink.line, field="lat", hint="devices stand still"
            )
        if uplink.placement and known.placement and uplink.placement != known.placement:
            raise MeasurementError(
                f'"{uplink.device}" was {known.placement} before', path=path, line=uplink.line, field="placement"
            )
    devices = [_joined(device, told.get(name)) for name, device in listed.items()]
    return (*devices, *(device for name, device in told.items() if name not in listed))


def _joined(listed: MeasuredDevice, told: MeasuredDevice | None) -> MeasuredDevice:
    if told is None:
        return listed
    placed = listed.lat is not None
    return MeasuredDevice(
        listed.device,
        listed.lat if placed else told.lat,
        listed.lon if placed else told.lon,
        listed.placement or told.placement,
        listed.commune,
    )


def _apart(one: float | None, other: float | None) -> float:
    return 0.0 if one is None or other is None else abs(one - other)
