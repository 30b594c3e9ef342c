"""The registry of commands, and blocks of commands as FOpts and FPort 0 carry them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lorawan.mac_commands import (
    adr_param_setup,
    beacon_freq,
    beacon_timing,
    dev_status,
    device_mode,
    device_time,
    dl_channel,
    duty_cycle,
    force_rejoin,
    link_adr,
    link_check,
    new_channel,
    ping_slot_channel,
    ping_slot_info,
    rejoin_param_setup,
    rekey,
    relay,
    reset,
    rx_param_setup,
    rx_timing_setup,
    tx_param_setup,
)
from lorawan.mac_commands.base import MacCommand
from lorawan.version import Version

COMMANDS: Final[tuple[type[MacCommand], ...]] = (
    reset.ResetInd,
    reset.ResetConf,
    link_check.LinkCheckReq,
    link_check.LinkCheckAns,
    link_adr.LinkAdrReq,
    link_adr.LinkAdrAns,
    duty_cycle.DutyCycleReq,
    duty_cycle.DutyCycleAns,
    rx_param_setup.RxParamSetupReq,
    rx_param_setup.RxParamSetupAns,
    dev_status.DevStatusReq,
    dev_status.DevStatusAns,
    new_channel.NewChannelReq,
    new_channel.NewChannelAns,
    rx_timing_setup.RxTimingSetupReq,
    rx_timing_setup.RxTimingSetupAns,
    tx_param_setup.TxParamSetupReq,
    tx_param_setup.TxParamSetupAns,
    dl_channel.DlChannelReq,
    dl_channel.DlChannelAns,
    rekey.RekeyInd,
    rekey.RekeyConf,
    adr_param_setup.AdrParamSetupReq,
    adr_param_setup.AdrParamSetupAns,
    device_time.DeviceTimeReq,
    device_time.DeviceTimeAns,
    force_rejoin.ForceRejoinReq,
    rejoin_param_setup.RejoinParamSetupReq,
    rejoin_param_setup.RejoinParamSetupAns,
    ping_slot_info.PingSlotInfoReq,
    ping_slot_info.PingSlotInfoAns,
    ping_slot_channel.PingSlotChannelReq,
    ping_slot_channel.PingSlotChannelAns,
    beacon_timing.BeaconTimingReq,
    beacon_timing.BeaconTimingAns,
    beacon_freq.BeaconFreqReq,
    beacon_freq.BeaconFreqAns,
    device_mode.DeviceModeInd,
    device_mode.DeviceModeConf,
    relay.RelayConfReq,
    relay.RelayConfAns,
    relay.EndDeviceConfReq,
    relay.EndDeviceConfAns,
    relay.FilterListReq,
    relay.FilterListAns,
    relay.UpdateUplinkListReq,
    relay.UpdateUplinkListAns,
    relay.CtrlUplinkListReq,
    relay.CtrlUplinkListAns,
    relay.ConfigureFwdLimitReq,
    relay.ConfigureFwdLimitAns,
    relay.NotifyNewEndDeviceReq,
)

# By direction and CID: a request and its answer share the number
REGISTRY: Final[Mapping[tuple[bool, int], type[MacCommand]]] = MappingProxyType(
    {(command.uplink, command.cid): command for command in COMMANDS}
)


@dataclass(frozen=True, slots=True)
class ParsedCommands:
    """The commands understood, in order, and the bytes after them that were not."""

    commands: tuple[MacCommand, ...]
    rest: bytes


def parse_commands(data: bytes, *, uplink: bool, version: Version | None = None) -> ParsedCommands:
    """The commands of a block in clear; with a version, only those that it has. Never raises.

    No length stands on the wire, so a CID that is unknown, to us or to the version, or a command cut short ends the
    reading there; `rest` begins with its CID. 80–FF are proprietary and unknown to all. Source: TS001-1.0.4 §5, note on
    unknown commands.
    """
    commands: list[MacCommand] = []
    at = 0
    while at < len(data):
        command = REGISTRY.get((uplink, data[at]))
        if command is None or (version is not None and version not in command.versions):
            break
        end = at + 1 + command.length_of(data[at + 1 :])
        if end > len(data):
            break
        commands.append(command.of_payload(data[at + 1 : end]))
        at = end
    return ParsedCommands(tuple(commands), data[at:])


def encode_commands(commands: Iterable[MacCommand]) -> bytes:
    """A block of commands, in order."""
    return b"".join([command.encode() for command in commands])


F_OPTS_MAX_BYTES = 15  # TS001-1.0.4 §4.3.1.6


def whole_commands(f_opts: bytes, limit: int = F_OPTS_MAX_BYTES, *, uplink: bool) -> bytes:
    """At most `limit` bytes, cut between commands: what does not fit is asked for again (LoRaWAN 1.0.4 §5)."""
    if len(f_opts) <= limit:
        return f_opts
    kept = b""
    for command in parse_commands(f_opts, uplink=uplink).commands:
        encoded = command.encode()
        if len(kept) + len(encoded) > limit:
            break
        kept += encoded
    return kept
