"""A forwarder configuration for each gateway site of a scenario: its EUI, channels, antenna and position."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, isfinite
from typing import Literal

from bench.errors import UsageError
from bench.runner.ground import terrain_of
from bench.runner.identities import gateway_eui
from bench.runner.plan import channels_hz
from bench.runner.radio import gateway_sites
from gateway_fw.concentrator.setup import IF_CHAINS, Channel, FskChannel, Radio, RadioSetup, ServiceChannel
from gateway_fw.settings import GatewaySettings, Server, write_semtech, write_toml
from gateway_fw.settings.model import SX1301_RSSI_OFFSET_DB, SX1301_TX_GAINS
from scenarios.load import LoadedScenario
from scenarios.schema import Site

Dialect = Literal["sx1302", "sx1301", "toml"]
DIALECTS: tuple[Dialect, ...] = ("sx1302", "sx1301", "toml")
IF_LIMIT_HZ = (
    500_000  # what the vendor's EU868 plans use is ±400 kHz; beyond, an SX1250's filter falls off [assumption]
)
_STOCK_CENTRES_HZ = (867_500_000, 868_500_000)  # sx1302_hal 2.1.0 global_conf.json.sx1250.EU868


@dataclass(frozen=True, slots=True)
class Provisioned:
    """One file: its name within the folder, its text, and what it says."""

    site: Site
    name: str
    text: str
    settings: GatewaySettings


def provision(
    loaded: LoadedScenario,
    sites: tuple[Site, ...],
    servers: tuple[Server, ...],
    dialect: Dialect,
    port: str | None = None,
) -> tuple[Provisioned, ...]:
    """A configuration for each site. Raises UsageError where the channels do not fit two radios.

    The gain is the antenna's less the cable's, as in the scenario's runs; Semtech's dialects hold whole dBi, so it is
    rounded up there: a gateway that counts on more antenna radiates less.
    """
    radio = loaded.scenario.radio
    gain_dbi = radio.gateway_antenna_gain_dbi - radio.gateway_cable_loss_db
    setup = radio_setup(channels_hz(loaded.scenario.network))
    made = []
    for site, altitude_m in zip(sites, altitudes_m(loaded, sites), strict=True):
        settings = GatewaySettings(
            gateway_eui(site.id),
            radio=setup,
            antenna_gain_dbi=gain_dbi if dialect == "toml" else float(ceil(gain_dbi)),
            servers=servers,
            latitude_deg=site.lat,
            longitude_deg=site.lon,
            altitude_m=altitude_m,
        )
        if port is not None:
            settings = replace(settings, port=port)
        if dialect == "sx1301":
            settings = as_sx1301(settings)
        text = write_toml(settings) if dialect == "toml" else write_semtech(settings)
        made.append(Provisioned(site, f"{site.id}.{'toml' if dialect == 'toml' else 'json'}", text, settings))
    return tuple(made)


def altitudes_m(loaded: LoadedScenario, sites: tuple[Site, ...]) -> tuple[int | None, ...]:
    """Antennas above sea level by the scenario's terrain; None where it has none. Raises a TerrainError."""
    path = loaded.scenario.radio.path_loss
    if path.model not in ("p1812", "itm"):
        return (None,) * len(sites)
    grid = terrain_of(path, loaded.path.parent, gateway_sites(sites, loaded.scenario.radio))
    ground_m = grid.height_at([site.lat for site in sites], [site.lon for site in sites])
    return tuple(
        round(float(height_m) + site.antenna_height_m) if isfinite(height_m) else None
        for height_m, site in zip(ground_m, sites, strict=True)
    )


def as_sx1301(settings: GatewaySettings) -> GatewaySettings:
    """The same gateway with the older chip, as on Semtech's board PCB_E286."""
    flat = (0.0, 0.0, 0.0, 0.0, 0.0)
    radios = tuple(
        replace(radio, rssi_offset_db=SX1301_RSSI_OFFSET_DB, rssi_temperature=flat) for radio in settings.radio.radios
    )
    # radio_1 gives the clock there, packet_forwarder 4.0.1 global_conf.json.PCB_E286.EU868.gps
    setup = replace(settings.radio, radios=radios, tx_gains=SX1301_TX_GAINS, clock_source=1)
    return replace(settings, chip="SX1301", radio_type="SX1257", radio=setup)


def radio_setup(freqs_hz: tuple[int, ...]) -> RadioSetup:
    """Two radios and up to eight channels. Raises UsageError where no two centres reach them all."""
    if len(freqs_hz) > IF_CHAINS:
        raise UsageError(
            f"{len(freqs_hz)} channels: a concentrator has {IF_CHAINS}", hint="take some extra_channels out"
        )
    centres = _centres(sorted(freqs_hz))
    stock = RadioSetup()
    radios = tuple(Radio(centre_hz, tx_enabled=index == 0) for index, centre_hz in enumerate(centres))

    def placed(freq_hz: int) -> tuple[int, int]:
        chain = min(range(len(centres)), key=lambda index: abs(freq_hz - centres[index]))
        return chain, freq_hz - centres[chain]

    channels: list[Channel | None] = [Channel(*placed(freq_hz)) for freq_hz in freqs_hz]
    channels += [None] * (IF_CHAINS - len(channels))
    service, fsk = stock.service, stock.fsk
    if centres != _STOCK_CENTRES_HZ:
        near, nearer = placed(868_300_000), placed(868_800_000)
        service = ServiceChannel(*near) if abs(near[1]) <= IF_LIMIT_HZ else None
        fsk = FskChannel(*nearer) if abs(nearer[1]) <= IF_LIMIT_HZ else None
    return replace(stock, radios=radios, channels=tuple(channels), service=service, fsk=fsk)


def _centres(freqs_hz: list[int]) -> tuple[int, int]:
    if all(min(abs(freq - centre) for centre in _STOCK_CENTRES_HZ) <= IF_LIMIT_HZ for freq in freqs_hz):
        return _STOCK_CENTRES_HZ
    for cut in range(1, len(freqs_hz)):
        groups = (freqs_hz[:cut], freqs_hz[cut:])
        centres = tuple((group[0] + group[-1]) // 2 // 100_000 * 100_000 for group in groups)
        if all(
            abs(freq - centre) <= IF_LIMIT_HZ for group, centre in zip(groups, centres, strict=True) for freq in group
        ):
            return centres[0], centres[1]
    spread = ", ".join(f"{freq / 1e6:g}" for freq in freqs_hz)
    raise UsageError(f"the channels {spread} MHz do not fit two radios", hint="two groups of 1 MHz each at most")
