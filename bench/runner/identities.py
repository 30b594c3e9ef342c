"""Keys, addresses and payloads of simulated devices: all drawn from the run's seed, none secret."""

from __future__ import annotations

from hashlib import blake2b

from bench.network import DeviceProfile
from lorawan.crypto import SessionKeys
from lorawan.device import Activation, DeviceConfig
from lorawan.draws import Draws
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.regions import Region
from scenarios.population import Sensor
from scenarios.schema import Device

ABP_FIRST_INDEX = 0x100000  # ABP addresses are numbered from here, joined ones from 0


def drawn_key(draws: Draws, purpose: str, dev_eui: Eui64) -> AesKey:
    """A 128-bit key of this device for this purpose."""
    at = draws.at("key", purpose, int(dev_eui))
    return AesKey(at.u64(0).to_bytes(8, "big") + at.u64(1).to_bytes(8, "big"))


def gateway_eui(site_id: str) -> Eui64:
    """A stable, locally administered EUI for a simulated gateway (IEEE 802 U/L bit set)."""
    digest = int.from_bytes(blake2b(site_id.encode(), digest_size=8).digest(), "big")
    return Eui64(digest & ~(0x03 << 56) | 0x02 << 56)


def equip(
    sensor: Sensor,
    index: int,
    draws: Draws,
    region: Region,
    net_id: NetId,
    device: Device | None,
    *,
    adr: bool,
    join_data_rates: tuple[int, ...],
    power_dbm: float,
) -> tuple[DeviceConfig, DeviceProfile]:
    """The sensor's own configuration and what the network knows of it.

    device: its explicit entry, if it has one. power_dbm: conducted at TXPower 0.
    """
    eirp_offset_db = region.max_eirp_dbm - power_dbm
    version, eui = sensor.version, sensor.dev_eui
    if sensor.activation == "abp":
        dev_addr = device.dev_addr if device is not None and device.dev_addr is not None else None
        address = dev_addr if dev_addr is not None else net_id.dev_addr(ABP_FIRST_INDEX + index)
        keys = abp_keys(draws, eui, is_1_1=version.is_1_1)
        config = DeviceConfig(
            version,
            eui,
            sensor.join_eui,
            activation=Activation.ABP,
            dev_addr=DevAddr(address),
            session_keys=keys,
            region=region,
            adr=adr,
            eirp_offset_db=eirp_offset_db,
        )
        return config, DeviceProfile(eui, version, dev_addr=DevAddr(address), session_keys=keys)
    app_key = device.app_key if device is not None and device.app_key is not None else drawn_key(draws, "app_key", eui)
    nwk_key = None
    if version.is_1_1:
        given = device.nwk_key if device is not None else None
        nwk_key = given if given is not None else drawn_key(draws, "nwk_key", eui)
    config = DeviceConfig(
        version,
        eui,
        sensor.join_eui,
        app_key=app_key,
        nwk_key=nwk_key,
        region=region,
        adr=adr,
        join_data_rates=join_data_rates,
        eirp_offset_db=eirp_offset_db,
    )
    return config, DeviceProfile(eui, version, sensor.join_eui, app_key=app_key, nwk_key=nwk_key)


def abp_keys(draws: Draws, dev_eui: Eui64, *, is_1_1: bool) -> SessionKeys:
    """Session keys as a factory would write them: one network key before 1.1, three in 1.1."""
    app_s_key = drawn_key(draws, "app_s_key", dev_eui)
    if not is_1_1:
        return SessionKeys.for_10(drawn_key(draws, "nwk_s_key", dev_eui), app_s_key)
    return SessionKeys(
        drawn_key(draws, "f_nwk_s_int_key", dev_eui),
        drawn_key(draws, "s_nwk_s_int_key", dev_eui),
        drawn_key(draws, "nwk_s_enc_key", dev_eui),
        app_s_key,
    )


def reading(draws: Draws, dev_eui: Eui64, index: int, size_bytes: int) -> bytes:
    """The application payload number `index` of a device: reproducible bytes, different for each index."""
    at = draws.at("payload", int(dev_eui), index)
    words = -(-size_bytes // 8)
    return b"".join(at.u64(i).to_bytes(8, "little") for i in range(words))[:size_bytes]
