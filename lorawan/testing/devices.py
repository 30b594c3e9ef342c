"""Devices to test with: one of each version and activation, keys of its own."""

from __future__ import annotations

from dataclasses import replace

from lorawan.crypto import SessionKeys
from lorawan.device import Activation, DeviceConfig
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.version import Version

APP_KEY, NWK_KEY = AesKey(bytes(range(16))), AesKey(bytes(range(16, 32)))


def otaa_device(version: Version, **changes: object) -> DeviceConfig:
    """A device that joins, at DR5. changes: fields of DeviceConfig."""
    config = DeviceConfig(
        version, Eui64(0x70B3D57ED0000001), Eui64(0x70B3D57ED0000000), APP_KEY, NWK_KEY, join_data_rates=(5,)
    )
    return replace(config, **changes)  # type: ignore[arg-type]  # keyword pass-through


def abp_device(version: Version, **changes: object) -> DeviceConfig:
    """A personalised device. changes: fields of DeviceConfig."""
    one = SessionKeys.for_10(AesKey(b"n" * 16), AesKey(b"a" * 16))
    three = SessionKeys(AesKey(b"f" * 16), AesKey(b"s" * 16), AesKey(b"e" * 16), AesKey(b"a" * 16))
    config = DeviceConfig(
        version,
        Eui64(1),
        Eui64(2),
        activation=Activation.ABP,
        dev_addr=DevAddr(0x26000001),
        session_keys=three if version.is_1_1 else one,
    )
    return replace(config, **changes)  # type: ignore[arg-type]  # keyword pass-through
