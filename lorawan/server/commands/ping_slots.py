"""What the network does with the class B commands of a device. Source: TS001-1.0.4 §12."""

from __future__ import annotations

from lorawan import mac_commands as mac
from lorawan.server.commands.context import ServerCommandContext, impossible


def ping_slot_info(command: mac.PingSlotInfoReq, session: ServerCommandContext) -> None:
    """The device's ping slots come so often from now on."""
    session.classes.periodicity = command.periodicity
    session.out.add(mac.PingSlotInfoAns())


def ping_slot_channel_ans(command: mac.PingSlotChannelAns, session: ServerCommandContext) -> None:
    """The ping slots are where they were asked to be, or stay where they were."""
    done = session.answered(mac.PingSlotChannelReq, command, accepted=command.data_rate_ok and command.freq_ok)
    if done is None:
        return
    if not session.region.is_lora(done[0].data_rate, uplink=False):
        session.out.refuse(impossible(done[0]))
        return
    session.classes.ping_slot_freq_hz, session.classes.ping_slot_dr = done[0].freq_hz, done[0].data_rate


def beacon_freq_ans(command: mac.BeaconFreqAns, session: ServerCommandContext) -> None:
    """The device looks for beacons where it was asked to, or where it did."""
    done = session.answered(mac.BeaconFreqReq, command, accepted=command.freq_ok)
    if done is not None:
        session.classes.beacon_freq_hz = done[0].freq_hz
