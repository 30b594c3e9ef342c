"""The device under test: an interpreter of the certification commands. What it shall do leaves as effects.

Source: TS009-1.1.0 §4.2 and §5; what a command does as LoRaMac-node@dcbcfb32 does it, where the page is not at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from lorawan.machine import Dropped, Instant
from lorawan.packages.certification.commands import (
    CERTIFICATION_F_PORT,
    CERTIFICATION_V1,
    TX_PERIODS_S,
    AdrBitChangeReq,
    BeaconCntAns,
    BeaconCntReq,
    BeaconCntResetReq,
    BeaconRxStatusInd,
    BeaconRxStatusIndCtrl,
    DutDeviceTimeReq,
    DutFPort224DisableReq,
    DutJoinReq,
    DutLinkCheckReq,
    DutPingSlotInfoReq,
    DutResetReq,
    DutVersionsAns,
    DutVersionsReq,
    EchoIncPayloadAns,
    EchoIncPayloadReq,
    RegionalDutyCycleCtrlReq,
    RxAppCntAns,
    RxAppCntReq,
    RxAppCntResetReq,
    SwitchClassReq,
    TxCwReq,
    TxFramesCtrlReq,
    TxPeriodicityChangeReq,
)
from lorawan.packages.commands import PackageCommand, PackageVersionReq
from lorawan.packages.events import ROOM_BYTES, PackageUplink, uplinks_of
from lorawan.units import US_PER_S

_CLAUSE: Final = CERTIFICATION_V1.clause
_MOD_16: Final = 1 << 16


class DeviceClass(StrEnum):
    """A LoRaWAN class; in the order of SwitchClassReq's numbers."""

    A = "A"
    B = "B"
    C = "C"


class MacRequest(StrEnum):
    """A MAC command that the certification protocol has the device send."""

    LINK_CHECK = "LinkCheckReq"
    DEVICE_TIME = "DeviceTimeReq"


@dataclass(frozen=True, slots=True)
class DutVersions:
    """Of the firmware, of LoRaWAN and of the regional parameters: four numbers each, the major one first."""

    firmware: tuple[int, int, int, int]
    lorawan: tuple[int, int, int, int]
    regional_parameters: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class DownlinkSeen:
    """Event: any downlink that the MAC accepted, on whatever port. payload: in clear; f_port: None without one.

    room_bytes: how long an application payload may be in the next uplink.
    """

    f_port: int | None
    payload: bytes = b""
    ack: bool = False
    room_bytes: int = ROOM_BYTES


@dataclass(frozen=True, slots=True)
class BeaconSeen:
    """Event: a beacon was received. info: the six bytes after InfoDesc. rssi_dbm, snr_db: whole numbers."""

    freq_hz: int
    data_rate: int
    rssi_dbm: int
    snr_db: int
    param: int
    time: int
    info_desc: int
    info: bytes


@dataclass(frozen=True, slots=True)
class BeaconMissed:
    """Event: the beacon is lost (no more tracking)."""


@dataclass(frozen=True, slots=True)
class ResetMcu:
    """Effect: reset the microcontroller."""


@dataclass(frozen=True, slots=True)
class JoinAgain:
    """Effect: leave the network, reset the MAC, and join."""


@dataclass(frozen=True, slots=True)
class ChangeClass:
    """Effect: go to this class."""

    device_class: DeviceClass


@dataclass(frozen=True, slots=True)
class SetAdr:
    """Effect: the ADR bit of uplinks."""

    on: bool


@dataclass(frozen=True, slots=True)
class SetDutyCycle:
    """Effect: keep to the region's duty cycle, or not."""

    on: bool


@dataclass(frozen=True, slots=True)
class SetPeriod:
    """Effect: the application's period. period_us: None for its own."""

    period_us: int | None


@dataclass(frozen=True, slots=True)
class SetConfirmed:
    """Effect: the application's uplinks are confirmed, or not."""

    on: bool


@dataclass(frozen=True, slots=True)
class SendMac:
    """Effect: put this MAC command into an uplink now."""

    request: MacRequest


@dataclass(frozen=True, slots=True)
class SendPingSlotInfo:
    """Effect: put PingSlotInfoReq with this periodicity (0–7) into an uplink now."""

    periodicity: int


@dataclass(frozen=True, slots=True)
class TransmitCarrier:
    """Effect: an unmodulated carrier for duration_us, power_dbm conducted."""

    duration_us: int
    freq_hz: int
    power_dbm: int


@dataclass(frozen=True, slots=True)
class DisablePort:
    """Effect: remember that FPort 224 is closed for good (a reset follows)."""


CertificationDeviceEvent: TypeAlias = DownlinkSeen | BeaconSeen | BeaconMissed
CertificationDeviceEffect: TypeAlias = (
    PackageUplink
    | ResetMcu
    | JoinAgain
    | ChangeClass
    | SetAdr
    | SetDutyCycle
    | SetPeriod
    | SetConfirmed
    | SendMac
    | SendPingSlotInfo
    | TransmitCarrier
    | DisablePort
    | Dropped
)


class CertificationDevice:
    """One device under test. enabled: False after FPort 224 was closed."""

    def __init__(self, versions: DutVersions, *, enabled: bool = True) -> None:
        self.versions = versions
        self.enabled = enabled
        self.rx_app_cnt = 0
        self.beacon_cnt = 0
        self._beacon_ind = False
        self._last_beacon: BeaconSeen | None = None

    @property
    def wake_at(self) -> Instant | None:
        """Never: it only answers."""
        return None

    def wake(self, now: Instant) -> Sequence[CertificationDeviceEffect]:  # noqa: ARG002 - the contract of every core
        """Nothing is ever due."""
        return ()

    def handle(self, event: CertificationDeviceEvent, now: Instant) -> Sequence[CertificationDeviceEffect]:  # noqa: ARG002
        """Take a downlink or a beacon in."""
        if not self.enabled:
            if isinstance(event, DownlinkSeen) and event.f_port == CERTIFICATION_F_PORT:
                return (Dropped("disabled", f"{_CLAUSE}", "FPort 224 is closed"),)
            return ()
        match event:
            case BeaconSeen():
                self.beacon_cnt = (self.beacon_cnt + 1) % _MOD_16
                self._last_beacon = event
                return self._indicate(True)
            case BeaconMissed():
                self.beacon_cnt = 0  # as LoRaMac-node@dcbcfb32 does, on its MLME_BEACON_LOST
                return self._indicate(False)
            case DownlinkSeen():
                # frames that carry MAC commands alone are not counted (LoRaMac-node@dcbcfb32)
                if event.f_port or event.ack:
                    self.rx_app_cnt = (self.rx_app_cnt + 1) % _MOD_16
                return self._commands(event) if event.f_port == CERTIFICATION_F_PORT else ()

    def _commands(self, event: DownlinkSeen) -> Sequence[CertificationDeviceEffect]:
        parsed = CERTIFICATION_V1.parse(event.payload, uplink=False)
        answers: list[PackageCommand] = []
        effects: list[CertificationDeviceEffect] = []
        for command in parsed.commands:
            answer = self._answer(command, event.room_bytes)
            if answer is not None:
                answers.append(answer)
            else:
                effects += self._do(command)
        if parsed.rest:
            effects.append(Dropped("command", _CLAUSE, f"not understood: {parsed.rest.hex()}"))
        return [*uplinks_of(answers, event.room_bytes), *effects]

    def _answer(self, command: PackageCommand, room_bytes: int) -> PackageCommand | None:
        match command:
            case PackageVersionReq():
                return CERTIFICATION_V1.version_ans
            case EchoIncPayloadReq():
                echo = bytes((byte + 1) % 256 for byte in command.payload[: max(0, room_bytes - 1)])
                return EchoIncPayloadAns(echo)
            case RxAppCntReq():
                return RxAppCntAns(self.rx_app_cnt)
            case BeaconCntReq():
                return BeaconCntAns(self.beacon_cnt)
            case DutVersionsReq():
                v = self.versions
                return DutVersionsAns(bytes(v.firmware), bytes(v.lorawan), bytes(v.regional_parameters))
            case _:
                return None

    def _do(self, command: PackageCommand) -> Sequence[CertificationDeviceEffect]:
        match command:
            case DutResetReq():
                return (ResetMcu(),)
            case DutJoinReq():
                return (JoinAgain(),)
            case SwitchClassReq(new_class=number) if number < len(DeviceClass):
                return (ChangeClass(tuple(DeviceClass)[number]),)
            case AdrBitChangeReq(adr=0 | 1 as on):
                return (SetAdr(bool(on)),)
            case RegionalDutyCycleCtrlReq(duty_cycle=0 | 1 as on):
                return (SetDutyCycle(bool(on)),)
            case TxPeriodicityChangeReq(index=index) if index < len(TX_PERIODS_S):
                seconds = TX_PERIODS_S[index]
                return (SetPeriod(None if seconds is None else seconds * US_PER_S),)
            case TxFramesCtrlReq(frame_type=0):
                return ()  # keep
            case TxFramesCtrlReq(frame_type=1 | 2 as kind):
                return (SetConfirmed(kind == 2),)
            case RxAppCntResetReq():
                self.rx_app_cnt = 0
                return ()
            case BeaconCntResetReq():
                self.beacon_cnt = 0
                return ()
            case DutLinkCheckReq():
                return (SendMac(MacRequest.LINK_CHECK),)
            case DutDeviceTimeReq():
                return (SendMac(MacRequest.DEVICE_TIME),)
            case DutPingSlotInfoReq():
                return (SendPingSlotInfo(command.periodicity),)
            case BeaconRxStatusIndCtrl(on=0 | 1 as on):
                self._beacon_ind = bool(on)
                return ()
            case TxCwReq():
                return (TransmitCarrier(command.timeout_s * US_PER_S, command.freq_hz, command.power_dbm),)
            case DutFPort224DisableReq():
                self.enabled = False
                return (DisablePort(), ResetMcu())
            case _:
                return (Dropped("value", _CLAUSE, str(command)),)

    def _indicate(self, received: bool) -> Sequence[CertificationDeviceEffect]:
        """BeaconRxStatusInd, where it is asked for. Before the first beacon there is nothing to tell of."""
        beacon = self._last_beacon
        if not self._beacon_ind or beacon is None:
            return ()
        indication = BeaconRxStatusInd(
            beacon_rx=received,
            beacon_cnt=self.beacon_cnt,
            freq_hz=beacon.freq_hz,
            data_rate=beacon.data_rate,
            rssi_dbm=beacon.rssi_dbm,
            snr_db=beacon.snr_db,
            param=beacon.param,
            time=beacon.time,
            info_desc=beacon.info_desc,
            info=beacon.info,
        )
        return (PackageUplink((indication,)),)
