"""What the network does with ResetInd. Source: LoRaWAN 1.1 §5.1."""

from __future__ import annotations

from lorawan.mac_commands import ResetConf, ResetInd
from lorawan.machine import Dropped
from lorawan.server.commands.context import ServerCommandContext
from lorawan.server.picture import Picture

MINOR = 1  # the same as the device's, else it is invalid: there is no other yet


def reset_ind(command: ResetInd, session: ServerCommandContext) -> None:
    """Confirm it; the device has begun anew with the settings it was made with, counters apart.

    What it was asked before waits again. Passed over from a device that joined over the air.
    """
    if session.over_the_air:
        session.out.refuse(Dropped("reset_otaa", "LoRaWAN 1.1 §5.1", "from a device that joined over the air"))
        return
    if command.minor != MINOR:
        session.out.refuse(Dropped("minor_version", "LoRaWAN 1.1 §5.1", f"{command.minor}"))
        return
    session.out.add(ResetConf(MINOR))
    session.picture = Picture.of(session.region)
    session.link = session.asked = session.refused = None
    session.requests.forget_sent()
