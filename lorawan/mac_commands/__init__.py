"""MAC commands of classes A, B and C and of relays, 1.0.2 to 1.1: frozen dataclasses by direction and CID."""

from lorawan.mac_commands.adr_param_setup import AdrParamSetupAns, AdrParamSetupReq
from lorawan.mac_commands.base import MacCommand
from lorawan.mac_commands.beacon_freq import BeaconFreqAns, BeaconFreqReq
from lorawan.mac_commands.beacon_timing import BeaconTimingAns, BeaconTimingReq
from lorawan.mac_commands.codec import (
    COMMANDS,
    REGISTRY,
    ParsedCommands,
    encode_commands,
    parse_commands,
    whole_commands,
)
from lorawan.mac_commands.dev_status import DevStatusAns, DevStatusReq
from lorawan.mac_commands.device_mode import DeviceModeConf, DeviceModeInd
from lorawan.mac_commands.device_time import DeviceTimeAns, DeviceTimeReq
from lorawan.mac_commands.dl_channel import DlChannelAns, DlChannelReq
from lorawan.mac_commands.duty_cycle import DutyCycleAns, DutyCycleReq
from lorawan.mac_commands.force_rejoin import ForceRejoinReq
from lorawan.mac_commands.link_adr import LinkAdrAns, LinkAdrReq
from lorawan.mac_commands.link_check import LinkCheckAns, LinkCheckReq
from lorawan.mac_commands.new_channel import NewChannelAns, NewChannelReq
from lorawan.mac_commands.ping_slot_channel import PingSlotChannelAns, PingSlotChannelReq
from lorawan.mac_commands.ping_slot_info import PingSlotInfoAns, PingSlotInfoReq
from lorawan.mac_commands.rejoin_param_setup import RejoinParamSetupAns, RejoinParamSetupReq
from lorawan.mac_commands.rekey import RekeyConf, RekeyInd
from lorawan.mac_commands.relay import (
    ConfigureFwdLimitAns,
    ConfigureFwdLimitReq,
    CtrlUplinkListAns,
    CtrlUplinkListReq,
    EndDeviceConfAns,
    EndDeviceConfReq,
    FilterListAns,
    FilterListReq,
    NotifyNewEndDeviceReq,
    RelayConfAns,
    RelayConfReq,
    UpdateUplinkListAns,
    UpdateUplinkListReq,
)
from lorawan.mac_commands.reset import ResetConf, ResetInd
from lorawan.mac_commands.rx_param_setup import RxParamSetupAns, RxParamSetupReq
from lorawan.mac_commands.rx_timing_setup import RxTimingSetupAns, RxTimingSetupReq
from lorawan.mac_commands.tx_param_setup import TxParamSetupAns, TxParamSetupReq

__all__ = [
    "COMMANDS",
    "REGISTRY",
    "AdrParamSetupAns",
    "AdrParamSetupReq",
    "BeaconFreqAns",
    "BeaconFreqReq",
    "BeaconTimingAns",
    "BeaconTimingReq",
    "ConfigureFwdLimitAns",
    "ConfigureFwdLimitReq",
    "CtrlUplinkListAns",
    "CtrlUplinkListReq",
    "DevStatusAns",
    "DevStatusReq",
    "DeviceModeConf",
    "DeviceModeInd",
    "DeviceTimeAns",
    "DeviceTimeReq",
    "DlChannelAns",
    "DlChannelReq",
    "DutyCycleAns",
    "DutyCycleReq",
    "EndDeviceConfAns",
    "EndDeviceConfReq",
    "FilterListAns",
    "FilterListReq",
    "ForceRejoinReq",
    "LinkAdrAns",
    "LinkAdrReq",
    "LinkCheckAns",
    "LinkCheckReq",
    "MacCommand",
    "NewChannelAns",
    "NewChannelReq",
    "NotifyNewEndDeviceReq",
    "ParsedCommands",
    "PingSlotChannelAns",
    "PingSlotChannelReq",
    "PingSlotInfoAns",
    "PingSlotInfoReq",
    "RejoinParamSetupAns",
    "RejoinParamSetupReq",
    "RekeyConf",
    "RekeyInd",
    "RelayConfAns",
    "RelayConfReq",
    "ResetConf",
    "ResetInd",
    "RxParamSetupAns",
    "RxParamSetupReq",
    "RxTimingSetupAns",
    "RxTimingSetupReq",
    "TxParamSetupAns",
    "TxParamSetupReq",
    "UpdateUplinkListAns",
    "UpdateUplinkListReq",
    "encode_commands",
    "parse_commands",
    "whole_commands",
]
