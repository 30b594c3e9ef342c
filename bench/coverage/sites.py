"""Gateway sites and devices from tables of their own, or from a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench.coverage.table import Row, TableError, all_or_faults, read_table
from bench.errors import UsageError
from bench.runner.radio import gateway_sites
from radio_sim.antennas import Directional, Mounted, MsiError, parse_msi
from radio_sim.model import SX1302, DeviceSite, GatewaySite
from scenarios.errors import did_you_mean
from scenarios.load import LoadedScenario
from scenarios.schema import Radio

POSITION: Mapping[str, Sequence[str]] = {
    "id": ("name", "gateway", "gateway_id", "site", "device", "dev_eui", "deveui", "meter"),
    "lat": ("latitude", "lat_deg", "y"),
    "lon": ("longitude", "lng", "long", "lon_deg", "x"),
    "antenna_height_m": ("height_m", "antenna_height", "height", "hauteur"),
    "placement": ("mounting", "class"),
}
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Masts:
    """The gateways of a study, and the directional antennas among them by gateway id.

    notes: what a reader of the results should know, such as rows left out. facts: kind, commune and status by id.
    """

    gateways: tuple[GatewaySite, ...]
    mounts: Mapping[str, Mounted] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def named(self, wanted: str) -> GatewaySite:
        """A gateway by its id. Raises UsageError with the nearest one."""
        for gateway in self.gateways:
            if gateway.id == wanted:
                return gateway
        raise UsageError(f"no site is called {wanted!r}", hint=did_you_mean(wanted, [g.id for g in self.gateways]))

    def only(self, ids: Sequence[str]) -> Masts:
        """These alone, in the order of the table."""
        wanted = {self.named(one).id for one in ids}
        kept = tuple(gateway for gateway in self.gateways if gateway.id in wanted)
        return Masts(kept, self.mounts, self.facts, self.notes)


@dataclass(frozen=True, slots=True)
class Devices:
    """Devices of a table, and the row of each by its id."""

    places: tuple[DeviceSite, ...]
    rows: Mapping[str, Row]

    def fault_at(self, device: str, message: str) -> UsageError:
        """An error about a place, with its cell where it is a device of the table."""
        row = self.rows.get(device)
        return UsageError(message) if row is None else row.fault("lat", message)


def scenario_masts(loaded: LoadedScenario, *, every: bool = False) -> Masts:
    """The sites of a scenario's last stage, or every site of its table."""
    stage = loaded.scenario.stages[-1].name
    sites = loaded.sites if every else loaded.open_sites(stage)
    facts = {site.id: ", ".join(filter(None, (site.commune, site.kind, site.position_status))) for site in sites}
    note = f"sites of scenario {loaded.scenario.name}" + ("" if every else f", stage {stage}")
    return Masts(gateway_sites(sites, loaded.scenario.radio), {}, facts, (note,))


def read_masts(path: Path, radio: Radio, *, candidates: bool = False, sheet: str | None = None) -> Masts:
    """Sites from a CSV file or workbook: id, lat, lon, antenna_height_m, and what else differs from the radio's values.

    Optional columns: antenna_gain_dbi, cable_loss_db, noise_figure_db, man_made_noise_db, eirp_dbm; antenna (a pattern
    file of the Planet format beside the table), azimuth_deg, downtilt_deg; stage, where "candidate" keeps a row out
    unless candidates are wanted. Other columns are passed over. Raises TableError for each cell that is wrong.
    """
    table = read_table(path, sheet).renamed(POSITION, ("id", "lat", "lon", "antenna_height_m"))
    rows = [row for row in table.rows if candidates or row.text("stage").casefold() != "candidate"]
    mounts: dict[str, Mounted] = {}
    facts: dict[str, str] = {}

    def site(row: Row) -> GatewaySite:
        name = row.text("id")
        if not name:
            raise row.fault("id", "the cell is empty")
        gain = radio.gateway_antenna_gain_dbi
        if row.text("antenna"):
            mounts[name] = _mounted(row, path.parent)
            gain = mounts[name].antenna.peak_dbi
        facts[name] = ", ".join(filter(None, (row.text(c) for c in ("commune", "kind", "position_status"))))
        return GatewaySite(
            id=name,
            lat=row.number_of("lat", -90, 90),
            lon=row.number_of("lon", -180, 180),
            antenna_height_m=row.number_of("antenna_height_m", 0.5, 3000),
            antenna_gain_dbi=row.number_of("antenna_gain_dbi", -20, 40, gain),
            cable_loss_db=row.number_of("cable_loss_db", 0, 60, radio.gateway_cable_loss_db),
            noise_figure_db=row.number_of("noise_figure_db", 0, 40, radio.gateway_noise_figure_db),
            man_made_noise_db=row.number_of("man_made_noise_db", 0, 60, radio.man_made_noise_db),
            demodulators=SX1302,
            tx_power_eirp_dbm=row.number_of("eirp_dbm", -40, 40, radio.gateway_eirp_dbm),
        )

    gateways = _read(rows, site)
    _unique(rows, [gateway.id for gateway in gateways])
    left_out = len(table.rows) - len(rows)
    notes = [f"sites of {path}"]
    if left_out:
        notes.append(f"{left_out} candidate sites of the table are left out; --candidates takes them too")
    if not gateways:
        raise TableError(f"{path}: no site in this table", hint="--candidates takes rows of the stage candidate too")
    return Masts(tuple(gateways), mounts, facts, tuple(notes))


def _mounted(row: Row, folder: Path) -> Mounted:
    path = folder / row.text("antenna")
    try:
        pattern = parse_msi(path.read_bytes(), str(path))
    except MsiError as error:
        raise row.fault("antenna", str(error)) from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise row.fault("antenna", f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    azimuth = row.number_of("azimuth_deg", -360, 360, 0.0)
    return Mounted(Directional(pattern), azimuth, row.number_of("downtilt_deg", -90, 90, 0.0))


def read_devices(
    path: Path, radio: Radio, placements: Sequence[str], default_placement: str, *, sheet: str | None = None
) -> Devices:
    """Devices from a CSV file or workbook: lat, lon, and id, placement and antenna_height_m where they are given.

    A device without id is named after its row. Raises TableError for each cell that is wrong.
    """
    table = read_table(path, sheet).renamed(POSITION, ("lat", "lon"))
    rows = table.rows

    def device(row: Row) -> DeviceSite:
        lat, lon = row.number_of("lat", -90, 90), row.number_of("lon", -180, 180)
        placement = row.text("placement", default_placement).casefold().replace("_", "-").replace(" ", "-")
        if placement not in placements:
            raise row.fault("placement", f'no placement is called "{placement}"', did_you_mean(placement, placements))
        heights = {name: radio.entry(name).antenna_height_m for name in radio.entry_loss}  # type: ignore[arg-type]  # keys are placements
        return DeviceSite(
            id=row.text("id", f"row {row.number}"),
            lat=lat,
            lon=lon,
            antenna_height_m=row.number_of("antenna_height_m", -20, 500, heights.get(placement, 1.5)),
            antenna_gain_dbi=radio.device_antenna_gain_dbi,
            placement=placement,
            noise_figure_db=radio.device_noise_figure_db,
        )

    devices = _read(rows, device)
    if not devices:
        raise TableError(f"{path}: no device in this table")
    _unique(rows, [device.id for device in devices])
    return Devices(tuple(devices), {d.id: row for d, row in zip(devices, rows, strict=True)})


def _read(rows: Sequence[Row], make: Callable[[Row], _Item]) -> list[_Item]:
    items, faults = [], []
    for row in rows:
        try:
            items.append(make(row))
        except TableError as fault:
            faults.append(fault)
    all_or_faults(faults)
    return items


def _unique(rows: Sequence[Row], ids: Sequence[str]) -> None:
    first: dict[str, int] = {}
    faults = []
    for row, name in zip(rows, ids, strict=True):
        if first.setdefault(name, row.number) != row.number:
            faults.append(row.fault("id", f'"{name}" twice, first in row {first[name]}'))
    all_or_faults(faults)
