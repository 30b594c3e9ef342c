"""What a scenario file may say: one frozen model per TOML table.

Attribute names carry the unit (`rx_delay_us`); the TOML key does not, because its value does (`rx_delay = "1 s"`).
Cross-references between tables are checked by `scenarios.consistency`, which knows the lines.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field

from lorawan.ids import NetId
from lorawan.regions.eu868 import EU868
from scenarios.fields import (
    DayCount,
    DeviceAddress,
    DurationUs,
    Eui,
    FrequencyHz,
    GainDbi,
    HeightM,
    Key,
    Latitude,
    LengthM,
    LinkVersion,
    LongDurationUs,
    Longitude,
    NetworkId,
    PositiveDb,
    PowerDbm,
    RatioDb,
    Share,
    SizeBytes,
    Strict,
    TimeZone,
    one_of,
)

Placement: TypeAlias = Literal["pit-plastic", "pit-concrete", "pit-cast-iron", "indoor", "municipal-indoor", "outdoor"]
PlacementClass: TypeAlias = Literal["pit", "indoor", "municipal", "outdoor"]
Activation: TypeAlias = Literal["otaa", "abp"]
Measure: TypeAlias = Literal["monthly-connectivity", "daily-share", "fortnight-share"]
ClauseKind: TypeAlias = Literal["target", "guarantee"]

BUNDLED_TERRAIN = "bundled:tev"

PLACEMENTS: tuple[Placement, ...] = (
    "pit-plastic",
    "pit-concrete",
    "pit-cast-iron",
    "indoor",
    "municipal-indoor",
    "outdoor",
)

_PlacementField: TypeAlias = Annotated[Placement, one_of(*PLACEMENTS)]
_ActivationField: TypeAlias = Annotated[Activation, one_of("otaa", "abp")]
_FPort: TypeAlias = Annotated[int, Field(ge=1, le=223)]
_Name: TypeAlias = Annotated[str, Field(min_length=1)]


def placement_class(placement: Placement) -> PlacementClass:
    """The stratum of a placement: the three lids are one class, "pit"."""
    if placement.startswith("pit-"):
        return "pit"
    return "municipal" if placement == "municipal-indoor" else "outdoor" if placement == "outdoor" else "indoor"


class Network(Strict):
    """What the network tells its devices, and how long its own parts take."""

    net_id: NetworkId = NetId(0x000013)
    rx_delay_us: DurationUs = Field(
        default=EU868.receive_delay1_us, alias="rx_delay", description="RECEIVE_DELAY1 told in the JoinAccept"
    )
    rx1_dr_offset: Annotated[int, Field(ge=0, le=5)] = 0
    rx2_dr: Annotated[int, Field(ge=0, le=6)] = EU868.rx2_dr
    extra_channels_hz: Annotated[tuple[FrequencyHz, ...], Field(strict=False, max_length=5)] = Field(
        default=(867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000),
        alias="extra_channels",
        description="the CFList of the JoinAccept",
    )
    adr_enabled: bool = Field(default=True, alias="adr")
    adr_margin_db: PositiveDb = Field(default=10.0, alias="adr_margin", description="kept above the SNR floor")
    dedup_window_us: DurationUs = Field(default=200_000, alias="dedup_window")
    backhaul_delay_us: DurationUs = Field(
        default=50_000, alias="backhaul_delay", description="one way, gateway to server"
    )


class Outages(Strict):
    """Gateways that fail and are mended: a Poisson process for each, in every world another draw."""

    mean_between_us: LongDurationUs = Field(alias="mean_between", description="from the end of one to the next")
    mean_length_us: LongDurationUs = Field(alias="mean_length")


class PathLoss(Strict):
    """The path-loss model and its parameters."""

    model: Annotated[
        Literal["p1812", "itm", "okumura-hata", "log-distance", "free-space"],
        one_of("p1812", "itm", "okumura-hata", "log-distance", "free-space"),
    ] = "okumura-hata"
    terrain: str = Field(
        default=BUNDLED_TERRAIN,
        description='p1812 and itm: "bundled:tev", or an elevation file of any kind beside the scenario',
    )
    terminal_clutter: Annotated[
        Literal["none", "open_rural", "suburban", "urban", "trees_forest", "dense_urban"],
        one_of("none", "open_rural", "suburban", "urban", "trees_forest", "dense_urban"),
    ] = Field(default="suburban", description="p1812: what stands around a sensor, by ITU-R P.2108 §3.1")
    environment: Annotated[
        Literal["open", "quasi-open", "suburban", "urban"], one_of("open", "quasi-open", "suburban", "urban")
    ] = "suburban"
    exponent: Annotated[float, Field(ge=1.5, le=6)] = Field(default=3.5, description="log-distance only")
    reference_distance_m: LengthM = Field(default=1_000.0, alias="reference_distance", description="log-distance only")
    reference_loss_db: PositiveDb = Field(default=91.2, alias="reference_loss", description="log-distance only")


class SlowFading(Strict):
    """A static device's slow fade on one link: a stationary AR(1) process."""

    sigma_db: PositiveDb = Field(default=3.0, alias="sigma")
    correlation_time_us: DurationUs = Field(default=12 * 3_600_000_000, alias="correlation_time")


class FrameFading(Strict):
    """The fade of one frame on one link, independent between frames."""

    law: Annotated[Literal["none", "lognormal", "rice"], one_of("none", "lognormal", "rice")] = "lognormal"
    sigma_db: PositiveDb = Field(default=2.0, alias="sigma", description="lognormal only")
    k_db: RatioDb = Field(default=13.0, alias="k", description="Rice factor; rice only")


class EntryLoss(Strict):
    """The loss between the open air and the sensor.

    That of ITU-R P.2109 for a `building`; else normal over sensors, cut at 0 dB from below.
    """

    building: (
        Annotated[Literal["traditional", "thermally-efficient"], one_of("traditional", "thermally-efficient")] | None
    ) = Field(default=None, description="mean and sigma are not used then")
    mean_db: PositiveDb = Field(default=0.0, alias="mean")
    sigma_db: PositiveDb = Field(default=0.0, alias="sigma")
    antenna_height_m: HeightM = Field(default=1.5, alias="antenna_height", description="above ground")


class Radio(Strict):
    """Everything between a device's transmitter and a gateway's demodulator."""

    policy: Annotated[Literal["aloha", "energy", "product"], one_of("aloha", "energy", "product")] = "product"
    path_loss: PathLoss = PathLoss()
    shadowing_sigma_db: PositiveDb = Field(
        default=7.8, alias="shadowing_sigma", description="per link, constant in time"
    )
    shadowing_correlation: Share = Field(
        default=0.5, description="part of the shadowing variance common to all gateways"
    )
    slow_fading: SlowFading = SlowFading()
    frame_fading: FrameFading = FrameFading()
    link_offset_db: RatioDb = Field(
        default=0.0, alias="link_offset", description="added to every link: +5 dB is better"
    )
    device_power_dbm: PowerDbm = Field(default=13.85, alias="device_power", description="conducted, at TXPower 0")
    device_antenna_gain_dbi: GainDbi = Field(default=-1.5, alias="device_antenna_gain")
    gateway_eirp_dbm: PowerDbm = Field(default=16.15, alias="gateway_eirp", description="outside 869.4–869.65 MHz")
    gateway_eirp_g3_dbm: PowerDbm = Field(default=29.15, alias="gateway_eirp_g3", description="869.4–869.65 MHz: RX2")
    gateway_antenna_gain_dbi: GainDbi = Field(default=3.0, alias="gateway_antenna_gain")
    gateway_cable_loss_db: PositiveDb = Field(default=1.0, alias="gateway_cable_loss")
    gateway_noise_figure_db: PositiveDb = Field(default=6.0, alias="gateway_noise_figure")
    device_noise_figure_db: PositiveDb = Field(default=6.0, alias="device_noise_figure")
    man_made_noise_db: PositiveDb = Field(
        default=3.0, alias="man_made_noise", description="above the receiver's own noise"
    )
    concentrator: Annotated[Literal["SX1301", "SX1302"], one_of("SX1301", "SX1302")] = Field(
        default="SX1302", description="how many demodulators a gateway has, and for which spreading factors"
    )
    entry_loss: dict[str, EntryLoss] = Field(default_factory=dict, description="keyed by placement")

    def entry(self, placement: Placement) -> EntryLoss:
        """The entry loss of a placement; without one the device stands in the open at 1.5 m."""
        return self.entry_loss.get(placement, _IN_THE_OPEN)


class Territory(Strict):
    """Where the sensors live. `communes` and `sites`: CSV files beside the scenario, or "bundled:tev/sites.csv"."""

    communes: str | None = None
    members: str = Field(default="TEV", description="value of the CSV column `member` of the communes that count")
    sites: str | None = None


class Site(Strict):
    """A gateway site: a row of the sites CSV or an inline [[site]]."""

    id: _Name
    commune: str = ""
    kind: str = ""
    lat: Latitude
    lon: Longitude
    antenna_height_m: HeightM = Field(alias="antenna_height", description="above ground")
    stage: str = ""
    position_status: str = ""
    note: str = ""


class Variant(Strict):
    """Something else than the last stage has: what the stage is expected to reach with it. Nothing is simulated."""

    name: _Name
    title: str = ""
    replace: dict[str, str] = Field(default_factory=dict, description="open site = site in its place")
    path_loss: PathLoss | None = Field(default=None, description="other losses than the scenario's")


class Stage(Strict):
    """A state of the roll-out: which sites are open. Stages are separate months, not one growing year."""

    name: _Name
    title: str = ""
    sites: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]


class Lids(Strict):
    """The lids of the meter pits."""

    plastic: Share
    concrete: Share
    cast_iron: Share = Field(alias="cast-iron")


class Reporting(Strict):
    """A way to report: how often, how much, on which port."""

    kind: str = ""
    uplinks_per_day: Annotated[int, Field(ge=1, le=1440)]
    share: Share
    payload_bytes: SizeBytes = Field(alias="payload")
    f_port: _FPort = 1


class VersionShare(Strict):
    """The share of a LoRaWAN version among the sensors."""

    version: LinkVersion
    share: Share


class Population(Strict):
    """One sensor per household of the member communes, drawn from these mixes."""

    pits: Share
    indoor: Share
    municipal: Share = 0.0
    lids: Lids
    town_share: Share = Field(
        default=0.7, description="placed around the town centre; the others anywhere in the commune"
    )
    town_sigma_m: LengthM = Field(
        default=500.0,
        alias="town_sigma",
        description="per axis, of a town of 1,000 households; grows as the square root",
    )
    otaa: Share = 0.95
    join_data_rates: Annotated[
        tuple[Annotated[int, Field(ge=0, le=5)], ...], Field(strict=False, min_length=1, max_length=12)
    ] = Field(default=(0,), description="join attempts take these in turn; a session begins at the one that joined")
    confirmed: Share = 0.0
    join_eui: Eui | None = None
    reporting: Annotated[tuple[Reporting, ...], Field(strict=False, min_length=1)]
    versions: Annotated[tuple[VersionShare, ...], Field(strict=False, min_length=1)]


class Device(Strict):
    """One explicit device of a small scenario. ABP session keys are drawn from the run's seed."""

    name: str = ""
    dev_eui: Eui
    join_eui: Eui | None = None
    app_key: Key | None = None
    nwk_key: Key | None = None
    version: LinkVersion
    activation: _ActivationField = "otaa"
    dev_addr: DeviceAddress | None = None
    commune: str = ""
    lat: Latitude
    lon: Longitude
    placement: _PlacementField = "outdoor"
    antenna_height_m: HeightM | None = Field(default=None, alias="antenna_height")
    uplinks_per_day: Annotated[int, Field(ge=1, le=86_400)] = 24
    payload_bytes: SizeBytes = Field(default=12, alias="payload")
    f_port: _FPort = 1
    confirmed: bool = False


class Clause(Strict):
    """A figure of the convention that the month is held against."""

    id: _Name
    kind: Annotated[ClauseKind, one_of("target", "guarantee")]
    measure: Annotated[Measure, one_of("monthly-connectivity", "daily-share", "fortnight-share")]
    figure: Share
    clause: _Name = Field(description="where the document says so, such as Annexe 4 §2.4")
    text: _Name


class Scenario(Strict):
    """A whole scenario."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str = ""
    start: date = Field(description="first civil day of the warm-up")
    timezone: TimeZone = "Europe/Paris"
    warmup_days: DayCount = Field(default=14, alias="warmup", description="simulated and unscored")
    scored_days: DayCount = Field(default=30, alias="scored")
    seed: int = 1
    sample_size: Annotated[int, Field(ge=1)] = Field(
        default=300, alias="sample", description="sensors of the exact tier"
    )
    region: Annotated[Literal["EU868"], one_of("EU868")] = "EU868"
    network: Network = Network()
    outages: Outages | None = None
    radio: Radio = Radio()
    territory: Territory = Territory()
    sites: Annotated[tuple[Site, ...], Field(strict=False)] = Field(default=(), alias="site")
    stages: Annotated[tuple[Stage, ...], Field(strict=False, min_length=1)] = Field(alias="stage")
    variants: Annotated[tuple[Variant, ...], Field(strict=False)] = Field(default=(), alias="variant")
    population: Population | None = None
    devices: Annotated[tuple[Device, ...], Field(strict=False)] = Field(default=(), alias="device")
    clauses: Annotated[tuple[Clause, ...], Field(strict=False)] = Field(default=(), alias="clause")

    @property
    def days(self) -> int:
        """Civil days simulated: warm-up and scored."""
        return self.warmup_days + self.scored_days


_IN_THE_OPEN = EntryLoss.model_validate({"mean": "0 dB"})


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, for editors that complete and check TOML."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Scenario.model_json_schema(by_alias=True),
    }


def model_at(path: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model of the table at a TOML key path, or None where the schema has none."""
    model: type[BaseModel] = Scenario
    skip_key = False
    for part in path:
        if isinstance(part, int) or skip_key:
            skip_key = False
            continue
        field = next((f for name, f in model.model_fields.items() if (f.alias or name) == part), None)
        if field is None or (inner := _inner(field.annotation)) is None:
            return None
        skip_key = getattr(field.annotation, "__origin__", None) is dict
        model = inner
    return model


def keys_of(model: type[BaseModel]) -> list[str]:
    """The TOML keys a table may have."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _inner(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _inner(argument)) is not None:
            return found
    return None
