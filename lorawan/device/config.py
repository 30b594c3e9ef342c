"""What a device is made with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lorawan.crypto import SessionKeys
from lorawan.device.windows import CRYSTAL_PPM
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
    crystal_ppm: bound of the error of the clock that opens the windows. rejoin1_period_us: between Rejoin-Requests of
    type 1, None for none.
    session_persists: an OTAA session goes on after a power cut (LoRaWAN 1.1 §6.1.2.6 recommends it); else the device
    joins anew. abp_counters_persist: False resets an ABP session with the device, which only 1.0.2 and 1.0.3 §4.3.1.5
    allow.
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
    crystal_ppm: int = CRYSTAL_PPM
    rejoin1_period_us: int | None = None
    session_persists: bool = False
    abp_counters_persist: bool = True

    def __post_init__(self) -> None:
        if self.activation is Activation.ABP:
            if self.dev_addr is None or self.session_keys is None:
                raise MisuseError("an ABP device needs dev_addr and session_keys")
        elif self.app_key is None or (self.version.is_1_1 and self.nwk_key is None):
            raise MisuseError("an OTAA device needs app_key, and for 1.1 nwk_key too")
        if set(self.join_data_rates) - set(self.region.join_drs):
            raise MisuseError(f"{self.region.name} joins at DR {self.region.join_drs}, not {self.join_data_rates}")
        if not self.abp_counters_persist and not self.version.rules.abp_counters_may_reset:
            raise MisuseError(f"an ABP device of {self.version} never resets its counters")
        if self.crystal_ppm < 0:
            raise MisuseError("crystal_ppm is a bound, 0 or more")

    def conducted_dbm(self, power_dbm: float) -> float:
        """A power of the region's TXPower table at the antenna connector; US915's table is conducted power as it is."""
        return power_dbm if self.region.power_is_conducted else power_dbm - self.eirp_offset_db

    @property
    def remembers_session(self) -> bool:
        """Whether the session goes on after a power cut."""
        return self.abp_counters_persist if self.activation is Activation.ABP else self.session_persists

    @property
    def join_key(self) -> AesKey:
        """The key of join MICs and accepts: AppKey in 1.0.x, NwkKey in 1.1. OTAA only."""
        key = self.nwk_key if self.version.is_1_1 else self.app_key
        if key is None:
            raise MisuseError("an ABP device has no root key")
        return key
