"""What the network is set up with, and what it knows of each device."""

from __future__ import annotations

from dataclasses import dataclass, field

from lorawan.crypto import SessionKeys
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.operating_class import OperatingClass
from lorawan.regions import EU868, Region
from lorawan.server import AdrAlgorithm, AdrPolicy, JoinSettings
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """A registered device. OTAA: app_key, and nwk_key for 1.1. ABP: dev_addr and session_keys.

    join_eui: None accepts any. relaxed_f_cnt: a personalised device of 1.0.2 or 1.0.3 may begin its counters anew.
    operating_class: C for a device that is always of class C (before 1.1 the network is not told on the air).
    """

    dev_eui: Eui64
    version: Version
    join_eui: Eui64 | None = None
    app_key: AesKey | None = None
    nwk_key: AesKey | None = None
    dev_addr: DevAddr | None = None
    session_keys: SessionKeys | None = None
    relaxed_f_cnt: bool = False
    operating_class: OperatingClass = OperatingClass.A


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """channels_hz: the uplink channels of every device after its accept, in index order (defaults, then the CFList).

    dedup_window_us: how long copies of an uplink are collected after the first. rx1_eirp_dbm, rx2_eirp_dbm: what
    gateways radiate in each window, never more than the sub-band allows. dev_status_period_us: how often devices are
    asked for their battery, None for never. gps_at_origin_us: GPS time at instant 0, µs, which
    time requests and class B need; None where there is none.
    """

    join: JoinSettings
    channels_hz: tuple[int, ...]
    region: Region = EU868
    adr: AdrAlgorithm | None = field(default_factory=AdrPolicy)
    dedup_window_us: int = 200_000  # assumption: usual of network servers
    rx1_eirp_dbm: float = 16.15  # 14 dBm ERP, ERC Recommendation 70-03 annex 1
    rx2_eirp_dbm: float = 29.15  # 27 dBm ERP in 869.4–869.65 MHz, the same
    dev_status_period_us: int | None = None
    gps_at_origin_us: int | None = None
