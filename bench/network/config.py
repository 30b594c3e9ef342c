"""What the network is set up with, and what it knows of each device."""

from __future__ import annotations

from dataclasses import dataclass, field

from lorawan.crypto import SessionKeys
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.regions import EU868, Region
from lorawan.server import AdrPolicy, JoinSettings
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """A registered device. OTAA: app_key, and nwk_key for 1.1. ABP: dev_addr and session_keys."""

    dev_eui: Eui64
    version: Version
    app_key: AesKey | None = None
    nwk_key: AesKey | None = None
    dev_addr: DevAddr | None = None
    session_keys: SessionKeys | None = None


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """channels_hz: the uplink channels of every device after its accept, in index order (defaults, then the CFList).

    abp_channels: how many of them an ABP device is made with. dedup_window_us: how long copies of an uplink are
    collected after the first. rx1_eirp_dbm, rx2_eirp_dbm: what gateways radiate in each window.
    """

    join: JoinSettings
    channels_hz: tuple[int, ...]
    region: Region = EU868
    adr: AdrPolicy = field(default_factory=AdrPolicy)
    dedup_window_us: int = 200_000
    rx1_eirp_dbm: float = 16.15
    rx2_eirp_dbm: float = 29.15

    @property
    def ch_mask(self) -> int:
        """The mask of every channel after an accept."""
        return (1 << len(self.channels_hz)) - 1

    @property
    def abp_ch_mask(self) -> int:
        """The mask an ABP device is made with: the region's default channels."""
        return (1 << len(self.region.default_channels)) - 1


def dev_addr_for(net_id: NetId, index: int) -> DevAddr:
    """The address number `index` of a type 0 NetID: 0 | NwkID (6 bits) | NwkAddr (25 bits).

    Source: TS002 Backend Interfaces 1.1 §13.1.
    """
    return DevAddr((net_id & 0x3F) << 25 | index & 0x1FFFFFF)
