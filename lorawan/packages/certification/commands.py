"""Commands of the certification protocol, FPort 224.

Source: TS009-1.1.0 §5 (its clauses 5.12–5.15 in TS009-1.0.0 pages 17; the others as LoRaMac-node@dcbcfb32 answers them,
seen on that device). SWL2001@9a14f677 numbers the beacon counter's answer and reset 43 and 44 instead of 42 and 43.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from lorawan.mac_commands.base import FREQUENCY_STEP_HZ, bits, flag
from lorawan.packages.commands import Package, PackageCommand, raw, rest

CERTIFICATION_F_PORT: Final = 224
TX_PERIODS_S: Final = (None, 5, 10, 20, 30, 40, 50, 60, 120, 240, 480)  # by TxPeriodicityChangeReq's index


class _Down(PackageCommand):
    """A command of the bench."""

    __slots__ = ()
    uplink: ClassVar[bool] = False
    clause: ClassVar[str] = "TS009-1.1.0 §5"


class _Up(PackageCommand):
    """A command of the device under test."""

    __slots__ = ()
    uplink: ClassVar[bool] = True
    clause: ClassVar[str] = "TS009-1.1.0 §5"


@dataclass(frozen=True, slots=True)
class DutResetReq(_Down):
    """Reset the microcontroller."""

    cid: ClassVar[int] = 0x01


@dataclass(frozen=True, slots=True)
class DutJoinReq(_Down):
    """Leave the network and join again."""

    cid: ClassVar[int] = 0x02


@dataclass(frozen=True, slots=True)
class SwitchClassReq(_Down):
    """new_class: 0 A, 1 B, 2 C."""

    cid: ClassVar[int] = 0x03
    length: ClassVar[int] = 1

    new_class: int = bits(0, 8)


@dataclass(frozen=True, slots=True)
class AdrBitChangeReq(_Down):
    """The ADR bit of uplinks: 0 off, 1 on."""

    cid: ClassVar[int] = 0x04
    length: ClassVar[int] = 1

    adr: int = bits(0, 8)


@dataclass(frozen=True, slots=True)
class RegionalDutyCycleCtrlReq(_Down):
    """The region's duty cycle: 0 off, 1 on."""

    cid: ClassVar[int] = 0x05
    length: ClassVar[int] = 1

    duty_cycle: int = bits(0, 8)


@dataclass(frozen=True, slots=True)
class TxPeriodicityChangeReq(_Down):
    """The application's period: an index into TX_PERIODS_S, 0 for its own."""

    cid: ClassVar[int] = 0x06
    length: ClassVar[int] = 1

    index: int = bits(0, 8)


@dataclass(frozen=True, slots=True)
class TxFramesCtrlReq(_Down):
    """frame_type: 0 keep, 1 unconfirmed, 2 confirmed. The rest of the payload belongs to it."""

    cid: ClassVar[int] = 0x07
    length: ClassVar[int] = 1

    frame_type: int = bits(0, 8)
    ignored: bytes = rest()


@dataclass(frozen=True, slots=True)
class EchoIncPayloadReq(_Down):
    """Send these bytes back, each plus one. A lone CID is cut short: lora-rs@0cc5775 refuses it, and so do we."""

    cid: ClassVar[int] = 0x08

    payload: bytes = rest()

    @classmethod
    def length_of(cls, after_cid: bytes) -> int:
        """All that follows, at least one byte."""
        return max(len(after_cid), 1)


@dataclass(frozen=True, slots=True)
class EchoIncPayloadAns(_Up):
    """The bytes, each plus one modulo 256."""

    cid: ClassVar[int] = 0x08

    payload: bytes = rest()


@dataclass(frozen=True, slots=True)
class RxAppCntReq(_Down):
    """How many downlinks did the application get?"""

    cid: ClassVar[int] = 0x09


@dataclass(frozen=True, slots=True)
class RxAppCntAns(_Up):
    """So many, modulo 2^16."""

    cid: ClassVar[int] = 0x09
    length: ClassVar[int] = 2

    rx_app_cnt: int = bits(0, 16)


@dataclass(frozen=True, slots=True)
class RxAppCntResetReq(_Down):
    """Count from 0 again."""

    cid: ClassVar[int] = 0x0A


@dataclass(frozen=True, slots=True)
class DutLinkCheckReq(_Down):
    """Send the MAC command LinkCheckReq."""

    cid: ClassVar[int] = 0x20


@dataclass(frozen=True, slots=True)
class DutDeviceTimeReq(_Down):
    """Send the MAC command DeviceTimeReq."""

    cid: ClassVar[int] = 0x21
    clause: ClassVar[str] = "TS009-1.0.0 §5.12"


@dataclass(frozen=True, slots=True)
class DutPingSlotInfoReq(_Down):
    """Send the MAC command PingSlotInfoReq with this periodicity."""

    cid: ClassVar[int] = 0x22
    clause: ClassVar[str] = "TS009-1.0.0 §5.13"
    length: ClassVar[int] = 1

    periodicity: int = bits(0, 3)


@dataclass(frozen=True, slots=True)
class BeaconRxStatusIndCtrl(_Down):
    """Whether BeaconRxStatusInd is sent after each beacon: 0 off, 1 on."""

    cid: ClassVar[int] = 0x40
    length: ClassVar[int] = 1

    on: int = bits(0, 8)


@dataclass(frozen=True, slots=True)
class BeaconRxStatusInd(_Up):
    """The last beacon as the device heard it. info_desc and info: its gateway-specific part."""

    cid: ClassVar[int] = 0x41
    length: ClassVar[int] = 22

    beacon_rx: bool = flag(0)
    beacon_cnt: int = bits(8, 16)
    freq_hz: int = bits(24, 24, unit=FREQUENCY_STEP_HZ)
    data_rate: int = bits(48, 8)
    rssi_dbm: int = bits(56, 16, signed=True)
    snr_db: int = bits(72, 8, signed=True)
    param: int = bits(80, 8)
    time: int = bits(88, 32)
    info_desc: int = bits(120, 8)
    info: bytes = raw(16, 6)


@dataclass(frozen=True, slots=True)
class BeaconCntReq(_Down):
    """How many beacons were received?"""

    cid: ClassVar[int] = 0x42


@dataclass(frozen=True, slots=True)
class BeaconCntAns(_Up):
    """So many, modulo 2^16."""

    cid: ClassVar[int] = 0x42
    length: ClassVar[int] = 2

    beacon_cnt: int = bits(0, 16)


@dataclass(frozen=True, slots=True)
class BeaconCntResetReq(_Down):
    """Count from 0 again."""

    cid: ClassVar[int] = 0x43


@dataclass(frozen=True, slots=True)
class TxCwReq(_Down):
    """A carrier for timeout_s."""

    cid: ClassVar[int] = 0x7D
    clause: ClassVar[str] = "TS009-1.0.0 §5.14"
    length: ClassVar[int] = 6

    timeout_s: int = bits(0, 16)
    freq_hz: int = bits(16, 24, unit=FREQUENCY_STEP_HZ)
    power_dbm: int = bits(40, 8, signed=True)


@dataclass(frozen=True, slots=True)
class DutFPort224DisableReq(_Down):
    """Close FPort 224 for good and reset."""

    cid: ClassVar[int] = 0x7E
    clause: ClassVar[str] = "TS009-1.0.0 §5.15"


@dataclass(frozen=True, slots=True)
class DutVersionsReq(_Down):
    """Which versions?"""

    cid: ClassVar[int] = 0x7F


@dataclass(frozen=True, slots=True)
class DutVersionsAns(_Up):
    """Of the firmware, of LoRaWAN and of the regional parameters: four numbers each, the major one first."""

    cid: ClassVar[int] = 0x7F
    length: ClassVar[int] = 12

    firmware: bytes = raw(0, 4)
    lorawan: bytes = raw(4, 4)
    regional_parameters: bytes = raw(8, 4)


CERTIFICATION_V1: Final = Package.of(
    "certification",
    6,
    1,
    CERTIFICATION_F_PORT,
    "TS009-1.1.0 §5",
    DutResetReq,
    DutJoinReq,
    SwitchClassReq,
    AdrBitChangeReq,
    RegionalDutyCycleCtrlReq,
    TxPeriodicityChangeReq,
    TxFramesCtrlReq,
    EchoIncPayloadReq,
    EchoIncPayloadAns,
    RxAppCntReq,
    RxAppCntAns,
    RxAppCntResetReq,
    DutLinkCheckReq,
    DutDeviceTimeReq,
    DutPingSlotInfoReq,
    BeaconRxStatusIndCtrl,
    BeaconRxStatusInd,
    BeaconCntReq,
    BeaconCntAns,
    BeaconCntResetReq,
    TxCwReq,
    DutFPort224DisableReq,
    DutVersionsReq,
    DutVersionsAns,
)
