"""What a device is made with, and what it must remember through a power cut."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lorawan.crypto import SessionKeys
from lorawan.errors import MisuseError
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.regions import EU868, Region
from lorawan.version import Version


class Activation(StrEnum):
    """How a device gets its session."""

    OTAA = "OTAA"
    ABP = "ABP"


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """A device as it leaves the factory.

    app_key: the root key (1.0.x), or the application root (1.1). nwk_key: the network root, 1.1 only.
    dev_addr and session_keys: ABP only. initial_dr: of an ABP session; a joined one begins at the rate that joined.
    join_data_rates: join attempts take these of the region's in turn; empty: the lowest of them. Plans whose join
    channels have each their data rate (US915, AU915) pass them over.
    eirp_offset_db: conducted power = EIRP − this (2.15 dB: the dipole of ERP limits).
    """

    version: Version
    dev_eui: Eui64
    join_eui: Eui64
    app_key: AesKey | None = None
    nwk_key: AesKey | None = None
    activation: Activation = Activation.OTAA
    dev_addr: DevAddr | None = None
    session_keys: SessionKeys | None = None
    region: Region = EU868
    adr: bool = True
    initial_dr: int = 0
    join_data_rates: tuple[int, ...] = ()
    eirp_offset_db: float = 2.15
    battery: int = 255  # DevStatusAns: 255 = cannot be measured
    max_queue: int = 8

    def __post_init__(self) -> None:
        if self.activation is Activation.ABP:
            if self.dev_addr is None or self.session_keys is None:
                raise MisuseError("an ABP device needs dev_addr and session_keys")
        elif self.app_key is None or (self.version.is_1_1 and self.nwk_key is None):
            raise MisuseError("an OTAA device needs app_key, and for 1.1 nwk_key too")
        if set(self.join_data_rates) - set(self.region.join_drs):
            raise MisuseError(f"{self.region.name} joins at DR {self.region.join_drs}, not {self.join_data_rates}")

    def conducted_dbm(self, power_dbm: float) -> float:
        """A power of the region's TXPower table at the antenna connector; US915's table is conducted power as it is."""
        return power_dbm if self.region.power_is_conducted else power_dbm - self.eirp_offset_db

    @property
    def join_key(self) -> AesKey:
        """The key of join MICs and accepts: AppKey in 1.0.x, NwkKey in 1.1. OTAA only."""
        key = self.nwk_key if self.version.is_1_1 else self.app_key
        if key is None:
            raise MisuseError("an ABP device has no root key")
        return key


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """What survives a power cut. A restarted core is given the last one that was persisted.

    next_dev_nonce: the next counter value (1.0.4 and 1.1). last_join_nonce: −1 before the first accept.
    f_cnt_up_reserved: counters below this may have been used; a restart goes on from here.
    """

    next_dev_nonce: int = 0
    last_join_nonce: int = -1
    f_cnt_up_reserved: int = 0
    n_f_cnt_down: int | None = None
    a_f_cnt_down: int | None = None
