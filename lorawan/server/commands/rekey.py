"""What the network does with RekeyInd. Source: LoRaWAN 1.1 §5.10."""

from __future__ import annotations

from lorawan.mac_commands import RekeyConf, RekeyInd
from lorawan.machine import Dropped
from lorawan.server.commands.context import ServerCommandContext

MINOR = 1  # of the versions there are, 1.1 alone negotiates


def rekey_ind(command: RekeyInd, session: ServerCommandContext) -> None:
    """Confirm it with this network's minor version, which is not above the device's.

    Passed over: from a device by personalisation, of minor version 0, and after ADR_ACK_LIMIT uplinks, when the device
    has gone back to joining.
    """
    if not session.over_the_air:
        session.out.refuse(Dropped("rekey_abp", "LoRaWAN 1.1 §5.10", "from a device by personalisation"))
    elif command.minor < MINOR:
        session.out.refuse(Dropped("minor_version", "LoRaWAN 1.1 §5.10", f"{command.minor}"))
    elif session.f_cnt > session.picture.adr_ack_limit:
        session.out.refuse(Dropped("rekey_late", "LoRaWAN 1.1 §5.10", f"in uplink {session.f_cnt}"))
    else:
        session.out.add(RekeyConf(MINOR))
