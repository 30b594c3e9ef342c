"""Relays: how the network configures one, its end-devices and what it forwards.

Source: TS011-1.0.0 §10 for names and clauses; the layouts after ChirpStack lrwn (d77207cd) and Semtech's LoRa Basics
Modem (SWL2001). They differ in bit 3 of EndDeviceConfAns: BackOffACK in lrwn, SecondChAckOffsetACK in the modem and in
pamoja-lora, whose notes say that TS011-1.0.1 moved it so. The newer reading is followed; the page itself was not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.ids import AesKey, DevAddr
from lorawan.mac_commands.base import FREQUENCY_STEP_HZ, DeviceClass, MacCommand, address, bits, flag, key, octets
from lorawan.version import Version

RELAY_VERSIONS = (Version.V1_0_4, Version.V1_1)  # TS011 builds on TS001-1.0.4; 1.1 by the same layouts [assumption]


@dataclass(frozen=True, slots=True)
class RelayConfReq(MacCommand):
    """start_stop 1 starts the relay; cad_periodicity: index; second_ch_idx 0 none, 1 the one described."""

    cid: ClassVar[int] = 0x40
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 5
    versions: ClassVar[tuple[Version, ...]] = RELAY_VERSIONS
    device_class: ClassVar[DeviceClass] = "relay"
    clause: ClassVar[str] = "TS011-1.0.0 §10.1"

    start_stop: int = bits(13, 1)
    cad_periodicity: int = bits(10, 3)
    default_ch_idx: int = bits(9, 1)
    second_ch_idx: int = bits(7, 2)
    second_ch_dr: int = bits(3, 4)
    second_ch_ack_offset: int = bits(0, 3)
    second_ch_freq_hz: int = bits(16, 24, unit=FREQUENCY_STEP_HZ)


@dataclass(frozen=True, slots=True)
class RelayConfAns(MacCommand):
    """Nothing changes unless all six are true."""

    cid: ClassVar[int] = 0x40
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]] = RELAY_VERSIONS
    device_class: ClassVar[DeviceClass] = "relay"
    clause: ClassVar[str] = "TS011-1.0.0 §10.1"

    cad_periodicity_ok: bool = flag(5)
    default_ch_idx_ok: bool = flag(4)
    second_ch_idx_ok: bool = flag(3)
    second_ch_dr_ok: bool = flag(2)
    second_ch_ack_offset_ok: bool = flag(1)
    second_ch_freq_ok: bool = flag(0)


@dataclass(frozen=True, slots=True)
class EndDeviceConfReq(MacCommand):
    """relay_mode_activation: 0 off, 1 on, 2 dynamic, 3 the device decides; smart_enable_level: index."""

    cid: ClassVar[int] = 0x41
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 6
    versions: ClassVar[tuple[Version, ...]] = RELAY_VERSIONS
    device_class: ClassVar[DeviceClass] = "relay"
    clause: ClassVar[str] = "TS011-1.0.0 §10.2"

    relay_mode_activation: int = bits(2, 2)
    smart_enable_level: int = bits(0, 2)
    back_off: int = bits(17, 6)
    second_ch_idx: int = bits(15, 2)
    second_ch_dr: int = bits(11, 4)
    second_ch_ack_offset: int = bits(8, 3)
    second_ch_freq_hz: int = bits(24, 24, unit=FREQUENCY_STEP_HZ)


@dataclass(frozen=True, slots=True)
class EndDeviceConfAns(MacCommand):
    """Nothing changes unless all four are true."""

    cid: ClassVar[int] = 0x41
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]] = RELAY_VERSIONS
    device_class: ClassVar[DeviceClass] = "relay"
    clause: ClassVar[str] = "TS011-1.0.0 §10.2"

    second_ch_ack_offset_ok: bool = flag(3)
    second_ch_idx_ok: bool = flag(2)
    second_ch_dr_ok: bool = flag(1)
    second_ch_freq_ok: bool = flag(0)


@dataclass(frozen=True, slots=True)
class FilterListReq(MacCommand):
    """Rule for join requests. filter_list_action: 0 no rule, 1 forward, 2 filter.

    filter_list_eui: the octets of JoinEUI and DevEUI to compare, as on the wire; a relay refuses more than 16.
    """

    cid: ClassVar[int] = 0x42
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 2
    versions: ClassVar[tuple[Version, ...]] = RELAY_VERSIONS
    device_class: ClassVar[DeviceClass] = "relay"
    clause: ClassVar[str] = "TS011-1.0.0 §10.3"

    filter_list_idx: int = bits(7, 4)
    filter_list_action: int = bits(5, 2)
    filter_list_eui: bytes = octets(0, 5)


@dataclass(frozen=True, slots=True)
class FilterListAns(MacCommand):
    """Nothing changes unless all three are true."""

    cid: ClassVar[int] = 0x42
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]] = RELAY_VERSIONS
    device_class: ClassVar[DeviceClass] = "relay"
    clause: ClassVar[str] = "TS011-1.0.0 §10.3"

    combined_rules_ok: bool = flag(2)
    filter_list_len_ok: bool = flag(1)
    filter_list_action_ok: bool = flag(0)


@dataclass(frozen=True, slots=True)
class UpdateUplinkListReq(MacCommand):
    """Forward this end-device's uplinks. reload_rate: frames an hour, 63 for no limit; bucket_size: index."""

    cid: ClassVar[int] = 0x43
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 26
    versions: ClassVar[tuple[Version, ...]] = RELAY_VERSIONS
    device_class: ClassVar[DeviceClass] = "relay"
    clause: ClassVar[str] = "TS011-1.0.0 §10.4"

    uplink_list_idx: int = bits(0, 4)
    reload_rate: int = bits(8, 6)
    bucket_size: int = bits(14, 2)
    dev_addr: DevAddr = address(16)  # noqa: RUF009 - a field, not a value
    w_f_cnt: int = bits(48, 32)
    root_wor_s_key: AesKey = key(80)  # noqa: RUF009 - a field, not a value


@dataclass(frozen=True, slots=True)
class UpdateUplinkListAns(MacCommand):
    """The end-device was added."""

    cid: ClassVar[int] = 0x43
    uplink: ClassVar[bool] = True
    versions: ClassVar[tuple[Version, ...]] = RELAY_VERSIONS
    device_class: ClassVar[DeviceClass] = "relay"
    clause: ClassVar[str] = "TS011-1.0.0 §10.4"


@dataclass(frozen=True, slots=True)
class CtrlUplinkListReq(MacCommand):
    """ctrl_uplink_action: 0 read the entry's counter, 1 remove the entry."""

    cid: ClassVar[int] = 0x44
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]] = RELAY_VERSIONS
    device_class: ClassVar[DeviceClass] = "relay"
    clause: ClassVar[str] = "TS011-1.0.0 §10.5"

    uplink_list_idx: int = bits(0, 4)
    ctrl_uplink_action: int = bits(4, 1)


@dataclass(frozen=True, slots=True)
class CtrlUplinkListAns(MacCommand):
    """uplink_list_idx_ok: there is such an entry; w_f_cnt: its wake-on-radio counter."""

    cid: ClassVar[int] = 0x44
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 5
    versions: ClassVar[tuple[Version, ...]] = RELAY_VERSIONS
    device_class: ClassVar[DeviceClass] = "relay"
    clause: ClassVar[str] = "TS011-1.0.0 §10.5"

    uplink_list_idx_ok: bool = flag(0)
    w_f_cnt: int = bits(8, 32)


@dataclass(frozen=True, slots=True)
class ConfigureFwdLimitReq(MacCommand):
    """How much is forwarded: reload rates (127 for no limit) and bucket sizes (indices) by kind of frame.

    reset_limit_counter: the counters go to 0 zero, 1 the reload rate, 2 the largest value, or 3 stay.
    """

    cid: ClassVar[int] = 0x45
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 5
    versions: ClassVar[tuple[Version, ...]] = RELAY_VERSIONS
    device_class: ClassVar[DeviceClass] = "relay"
    clause: ClassVar[str] = "TS011-1.0.0 §10.6"

    reset_limit_counter: int = bits(28, 2)
    join_req_reload_rate: int = bits(21, 7)
    notify_reload_rate: int = bits(14, 7)
    global_uplink_reload_rate: int = bits(7, 7)
    overall_reload_rate: int = bits(0, 7)
    join_req_limit_size: int = bits(38, 2)
    notify_limit_size: int = bits(36, 2)
    global_uplink_limit_size: int = bits(34, 2)
    overall_limit_size: int = bits(32, 2)


@dataclass(frozen=True, slots=True)
class ConfigureFwdLimitAns(MacCommand):
    """The limits were taken over."""

    cid: ClassVar[int] = 0x45
    uplink: ClassVar[bool] = True
    versions: ClassVar[tuple[Version, ...]] = RELAY_VERSIONS
    device_class: ClassVar[DeviceClass] = "relay"
    clause: ClassVar[str] = "TS011-1.0.0 §10.6"


@dataclass(frozen=True, slots=True)
class NotifyNewEndDeviceReq(MacCommand):
    """A relay heard an end-device it does not know: wor_snr_db −20–11, wor_rssi_dbm −142–−15. It has no answer."""

    cid: ClassVar[int] = 0x46
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 6
    versions: ClassVar[tuple[Version, ...]] = RELAY_VERSIONS
    device_class: ClassVar[DeviceClass] = "relay"
    clause: ClassVar[str] = "TS011-1.0.0 §10.7"

    dev_addr: DevAddr = address(0)  # noqa: RUF009 - a field, not a value
    wor_snr_db: int = bits(32, 5, base=-20)
    wor_rssi_dbm: int = bits(37, 7, unit=-1, base=-15)
