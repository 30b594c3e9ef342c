"""What a radio world is made of: gateway and device sites, the random parameters, and the link budget.

Three powers are kept apart, all in dBm. Conducted: at the antenna connector, what `Transmit.power_dbm` says. EIRP:
conducted + antenna gain − cable loss, what the regulation limits. Received: at the receiver's connector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from lorawan.phy import noise_floor_dbm

Floats = npt.NDArray[np.float64]

EARTH_RADIUS_M = 6_371_008.8  # mean radius R1. Source: Moritz, "Geodetic Reference System 1980", J. Geodesy 74, 2000
SPEED_OF_LIGHT_M_S = 299_792_458.0  # exact. Source: BIPM, SI Brochure, 9th ed., §2.2


@dataclass(frozen=True, slots=True)
class Demodulators:
    """The LoRa demodulators of a gateway, in two pools.

    any_sf: take any spreading factor; low_sf: SF5–SF10 only, and are filled first. Every bandwidth counts in the same
    pools [simplification: concentrators have one more modem for their single 250 or 500 kHz channel].
    """

    name: str
    any_sf: int
    low_sf: int = 0

    LOW_SF_MAX = 10

    def __post_init__(self) -> None:
        if self.any_sf < 0 or self.low_sf < 0:
            raise ValueError(f"demodulators {self.name!r}: counts below zero")


SX1301 = Demodulators("SX1301", any_sf=8)
"""Source: Semtech SX1301 datasheet, key features: 8 LoRa demodulators, SF7–SF12."""
SX1302 = Demodulators("SX1302", any_sf=8, low_sf=8)
"""Source: Semtech SX1302 datasheet rev. 1.0 (June 2019), key features: 8 × SF5–SF12 and 8 × SF5–SF10 demodulators."""
UNLIMITED = Demodulators("unlimited", any_sf=1_000_000)
"""For comparison with models that have no demodulator limit."""


@dataclass(frozen=True, slots=True)
class GatewaySite:
    """A gateway where it stands.

    lat, lon in degrees (WGS 84); antenna_height_m above ground; antenna_gain_dbi 3 [assumption]; cable_loss_db ≥ 0
    between antenna and concentrator.
    noise_figure_db 6 [assumption]; man_made_noise_db: rise of the noise floor above the receiver's own in dB. It is 0
    at a quiet site; floors of −100 … −105 dBm, as towns show, are 12 … 17. It must come from the site.
    tx_power_eirp_dbm: the most it radiates, 16.15 dBm in most EU868 sub-bands (14 dBm e.r.p., ERC/REC 70-03 annex 1).
    """

    id: str
    lat: float
    lon: float
    antenna_height_m: float = 15.0
    antenna_gain_dbi: float = 3.0
    cable_loss_db: float = 0.0
    noise_figure_db: float = 6.0
    man_made_noise_db: float = 0.0
    demodulators: Demodulators = SX1302
    tx_power_eirp_dbm: float = 16.15

    @property
    def tx_power_conducted_dbm(self) -> float:
        """The conducted power that radiates `tx_power_eirp_dbm`."""
        return self.tx_power_eirp_dbm - self.antenna_gain_dbi + self.cable_loss_db

    def noise_dbm(self, bw_hz: float = 125_000) -> float:
        """Receiver noise with the site's man-made noise."""
        return noise_floor_dbm(bw_hz, self.noise_figure_db, self.man_made_noise_db)


@dataclass(frozen=True, slots=True)
class DeviceSite:
    """A device where it is mounted.

    placement: a name of `propagation.placement.PLACEMENTS`. antenna_gain_dbi −3 … 0 is usual; −1.5 [assumption].
    antenna_height_m above ground; below 1 m the path loss is taken at 1 m and the placement class carries the rest.
    """

    id: str
    lat: float
    lon: float
    antenna_height_m: float = 1.0
    antenna_gain_dbi: float = -1.5
    placement: str = "outdoor"
    noise_figure_db: float = 6.0
    man_made_noise_db: float = 0.0

    def noise_dbm(self, bw_hz: float = 125_000) -> float:
        """Receiver noise with the site's man-made noise."""
        return noise_floor_dbm(bw_hz, self.noise_figure_db, self.man_made_noise_db)


ADR_INSTALLATION_MARGIN_DB = 10.0
"""The margin network servers keep by default. Source: Semtech, "LoRaWAN – simple rate adaptation recommended
algorithm", rev. 1.0, 2016, installation_margin."""

SNR_REPORT_MAX_DB = 10.0
"""Chips do not report an SNR above about 10 dB. Source: Lira et al., "Measurement-Based Modeling of Large-Scale and
Time-Varying Small-Scale Fading for LoRa in Indoor Multi-Floor Environments", Sensors 26(4):1152, 2026: SNR over RSSI
follows a logistic curve of about 30 dB range, which is taken from the SF12 floor of −20 dB upwards [assumption]."""

FrameFadingLaw = Literal["none", "lognormal", "rice"]


@dataclass(frozen=True, slots=True)
class RadioModel:
    """Every random or chosen parameter of the radio world, with its default and where that comes from.

    path_loss: a name of `propagation.PATH_LOSS_MODELS`. log_distance_*: only for "log_distance"; 7.7 dB at 1 m
    and exponent 3.76: the LogDistancePropagationLossModel of the examples of ns-3's lorawan module
    (signetlabdei/lorawan), with which the peer scenarios were run.

    shadowing_sigma_db: one value per link for ever. 7.8 dB: Petäjäjärvi, Mikhaylov, Roivainen, Hänninen, Pettissalo,
    "On the Coverage of LPWANs: Range Evaluation and Channel Attenuation Model for LoRa Technology", ITST 2015, 868 MHz,
    on land, in Oulu. shadowing_site_correlation: between the links of one device to two gateways; 0.5: 3GPP TR 36.814
    annex A.2.1.1, shadowing correlation between sites.

    slow_fading_sigma_db, slow_fading_correlation_s: the state of a link that changes over hours (traffic, parked cars,
    wet covers, foliage), a stationary AR(1) process in dB over blocks of slow_fading_block_s, of correlation
    exp(−Δt / correlation time). Valenzuela, Feick, Alegre, Rodríguez, Ahumada, Chizhik, "Long Term Fade Margin for 90 %
    Availability in Fixed Wireless Links With Diversity", IEEE Wireless Comm. Letters 9(10), 2020 (5.8 GHz, 72 urban
    fixed links, 48 h): 5-minute means need a margin of nearly 6 dB in the 90th percentile of links; were they normal,
    σ = 6 / 1.28 = 4.7 dB there, and 3 dB is taken for every link [assumption]. The time of 12 h is an [assumption] too:
    no measurement at 868 MHz was found.

    frame_fading_law, frame_fading_sigma_db, frame_fading_k_db: independent per (frame, gateway). Urban fixed links show
    Rice factors above 13 dB (Ahumada, Feick, Valenzuela, "Characterization of temporal fading in urban fixed wireless
    links", IEEE Comm. Letters 10(4), 2006, as summarised by Valenzuela et al. 2020), a spread of 1.4 dB; channel
    hopping adds to it, so 2 dB log-normal is taken [assumption].

    link_offset_db: added to the gain of every link; ±5 dB is the what-if printed beside each figure.
    snr_report_max_db: the most a chip reports.
    """

    freq_hz: int = 868_300_000
    path_loss: str = "okumura_hata_suburban"
    log_distance_reference_loss_db: float = 7.7
    log_distance_reference_m: float = 1.0
    log_distance_exponent: float = 3.76
    shadowing_sigma_db: float = 7.8
    shadowing_site_correlation: float = 0.5
    slow_fading_sigma_db: float = 3.0
    slow_fading_correlation_s: float = 43_200.0
    slow_fading_block_s: float = 21_600.0
    frame_fading_law: FrameFadingLaw = "lognormal"
    frame_fading_sigma_db: float = 2.0
    frame_fading_k_db: float = 13.0
    interference_policy: str = "product"
    link_offset_db: float = 0.0
    snr_report_max_db: float = SNR_REPORT_MAX_DB

    def __post_init__(self) -> None:
        for name in ("shadowing_sigma_db", "slow_fading_sigma_db", "frame_fading_sigma_db"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is below zero")
        if not 0 <= self.shadowing_site_correlation <= 1:
            raise ValueError("shadowing_site_correlation is not within 0 … 1")
        if self.slow_fading_correlation_s <= 0 or self.slow_fading_block_s <= 0:
            raise ValueError("slow_fading_correlation_s and slow_fading_block_s must be above zero")
        if self.frame_fading_law not in ("none", "lognormal", "rice"):
            raise ValueError(f"frame_fading_law {self.frame_fading_law!r} is none of none, lognormal, rice")


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One line of a link budget: what it is, and what it adds, in dB or dBm."""

    name: str
    value: float
    unit: str


def uplink_budget(
    gateway: GatewaySite, device: DeviceSite, *, tx_power_dbm: float, loss_db: float, snr_floor_db: float
) -> tuple[BudgetLine, ...]:
    """Device to gateway, line by line; the last lines are received power, SNR and margin at 125 kHz.

    tx_power_dbm: conducted. loss_db: everything between the two antennas (path, shadowing, placement).
    """
    eirp = tx_power_dbm + device.antenna_gain_dbi
    received = eirp - loss_db + gateway.antenna_gain_dbi - gateway.cable_loss_db
    noise = gateway.noise_dbm()
    return (
        BudgetLine("device conducted power", tx_power_dbm, "dBm"),
        BudgetLine("device antenna gain", device.antenna_gain_dbi, "dBi"),
        BudgetLine("device EIRP", eirp, "dBm"),
        BudgetLine("loss between the antennas", -loss_db, "dB"),
        BudgetLine("gateway antenna gain", gateway.antenna_gain_dbi, "dBi"),
        BudgetLine("gateway cable loss", -gateway.cable_loss_db, "dB"),
        BudgetLine("received power", received, "dBm"),
        BudgetLine("gateway noise", noise, "dBm"),
        BudgetLine("SNR", received - noise, "dB"),
        BudgetLine("margin above the SNR floor", received - noise - snr_floor_db, "dB"),
    )


def downlink_budget(
    gateway: GatewaySite, device: DeviceSite, *, tx_power_dbm: float | None = None, loss_db: float, snr_floor_db: float
) -> tuple[BudgetLine, ...]:
    """Gateway to device, line by line. tx_power_dbm: conducted; None for the most the site may radiate."""
    conducted = gateway.tx_power_conducted_dbm if tx_power_dbm is None else tx_power_dbm
    eirp = conducted - gateway.cable_loss_db + gateway.antenna_gain_dbi
    received = eirp - loss_db + device.antenna_gain_dbi
    noise = device.noise_dbm()
    return (
        BudgetLine("gateway conducted power", conducted, "dBm"),
        BudgetLine("gateway cable loss", -gateway.cable_loss_db, "dB"),
        BudgetLine("gateway antenna gain", gateway.antenna_gain_dbi, "dBi"),
        BudgetLine("gateway EIRP", eirp, "dBm"),
        BudgetLine("loss between the antennas", -loss_db, "dB"),
        BudgetLine("device antenna gain", device.antenna_gain_dbi, "dBi"),
        BudgetLine("received power", received, "dBm"),
        BudgetLine("device noise", noise, "dBm"),
        BudgetLine("SNR", received - noise, "dB"),
        BudgetLine("margin above the SNR floor", received - noise - snr_floor_db, "dB"),
    )


def great_circle_m(lat1: npt.ArrayLike, lon1: npt.ArrayLike, lat2: npt.ArrayLike, lon2: npt.ArrayLike) -> Floats:
    """Distance in m on the mean sphere between points in degrees, by the haversine formula. Shapes broadcast.

    Within 0.5 % of the ellipsoid's geodesic, which is 0.02 dB of path loss.
    """
    phi1, phi2 = np.radians(np.asarray(lat1, float)), np.radians(np.asarray(lat2, float))
    half_dphi = (phi2 - phi1) / 2
    half_dlam = np.radians(np.asarray(lon2, float) - np.asarray(lon1, float)) / 2
    h = np.sin(half_dphi) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin(half_dlam) ** 2
    distance: Floats = 2.0 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(h, 1.0)))
    return distance
