"""Fuzz targets of the application packages: their commands, and a device with all of them."""

from __future__ import annotations

from lorawan.device import Received
from lorawan.device.events import TimeReceived
from lorawan.draws import Draws
from lorawan.ids import AesKey
from lorawan.packages import PACKAGES
from lorawan.packages.certification.device import CertificationDevice, DutVersions
from lorawan.packages.clock.device import ClockConfig, ClockDevice
from lorawan.packages.commands import encode_commands
from lorawan.packages.firmware.device import FirmwareConfig, FirmwareDevice
from lorawan.packages.fragmentation.device import FragmentationConfig, FragmentationDevice
from lorawan.packages.host import MulticastReceived, PackageHost, Packages
from lorawan.packages.multicast.device import MulticastConfig, MulticastDevice
from tests.fuzz.contract import Pieces, Target

KEY = AesKey(bytes(range(16)))
F_PORTS = tuple(sorted({package.f_port for package in PACKAGES}))


def _package_commands(data: bytes) -> None:
    for package in PACKAGES:
        for uplink in (True, False):
            parsed = package.parse(data, uplink=uplink)
            assert data.endswith(parsed.rest)
            again = package.parse(encode_commands(parsed.commands), uplink=uplink)
            assert (again.commands, again.rest) == (parsed.commands, b"")


def _device_with_packages(data: bytes) -> None:
    """Downlinks a second apart: FPort, multicast group or none, payload; the device wakes as it asks to."""
    pieces, draws, now = Pieces(data), Draws.of_seed(1), 0
    host = PackageHost(
        Packages(
            ClockDevice(ClockConfig(), draws),
            FragmentationDevice(FragmentationConfig(data_block_int_key=KEY), draws),
            MulticastDevice(MulticastConfig(KEY, lambda freq_hz: freq_hz > 0, lambda data_rate: data_rate < 6)),
            FirmwareDevice(FirmwareConfig(1, 2)),
            CertificationDevice(DutVersions((1, 0, 0, 0), (1, 0, 4, 0), (2, 1, 0, 4))),
        )
    )
    host.handle(TimeReceived(1_400_000_000, 0), now)
    while pieces:
        f_port, group = pieces.pick(F_PORTS), pieces.pick((None, 0, 1, 2, 3))
        heard = Received(f_port, pieces.string(), 1, False)
        now += 1_000_000
        host.handle(heard if group is None else MulticastReceived(group, heard), now)
        for _ in range(4):
            due = host.wake_at
            if due is None:
                break
            now = max(now, due)
            host.wake(now)


TARGETS = {
    "package_commands": Target(_package_commands, max_bytes=242),
    "package_device": Target(_device_with_packages, max_bytes=300),
}
