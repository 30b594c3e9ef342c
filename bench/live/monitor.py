"""What forwarders send, acknowledged and decoded; nobody is served. A pure core."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_fw import gwmp
from gateway_fw.errors import GwmpError
from gateway_fw.gwmp.server import GwmpServerEvent, SendDatagram
from lorawan.machine import Instant

_ACKS: dict[gwmp.PacketType, type[gwmp.PushAck | gwmp.PullAck]] = {
    gwmp.PacketType.PUSH_DATA: gwmp.PushAck,
    gwmp.PacketType.PULL_DATA: gwmp.PullAck,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """Effect: a datagram came in. header and packet: as far as it could be read; error: why no further."""

    source: gwmp.Address
    size: int
    header: gwmp.Header | None
    packet: gwmp.Packet | None
    error: str = ""


MonitorEffect = SendDatagram | Seen


class MonitorCore:
    """Acknowledges PUSH_DATA and PULL_DATA as a server does, so that the forwarder goes on, and tells of everything."""

    @property
    def wake_at(self) -> None:
        """Never."""
        return

    def wake(self, now: Instant) -> Sequence[MonitorEffect]:  # noqa: ARG002 - the contract of every core
        """Nothing is ever due."""
        return ()

    def handle(self, event: GwmpServerEvent, now: Instant) -> Sequence[MonitorEffect]:  # noqa: ARG002 - the contract
        """Take one datagram in. It serves nobody, so a SendDownlink is not carried out."""
        if not isinstance(event, gwmp.DatagramReceived):
            return ()
        data, source = event.data, event.source
        try:
            header = gwmp.decode_header(data)
        except GwmpError as error:
            return (Seen(source, len(data), None, None, str(error)),)
        effects: list[MonitorEffect] = []
        ack = _ACKS.get(header.packet_type)
        if ack is not None:
            effects.append(SendDatagram(gwmp.encode(ack(header.version, header.token)), source))
        try:
            effects.append(Seen(source, len(data), header, gwmp.decode(data)))
        except GwmpError as error:
            effects.append(Seen(source, len(data), header, None, str(error)))
        return effects
