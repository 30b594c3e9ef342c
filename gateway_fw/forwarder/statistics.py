"""What a forwarder counts between two status reports."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway_fw.gwmp.packets import TxError


@dataclass(slots=True)
class IntervalCounters:
    """Counters since the last report; the reference reports each interval for itself.

    received, crc_ok, forwarded: frames from the radio. downlinks: PULL_RESP without errors. emitted: frames programmed.
    push_sent, push_acked: PUSH_DATA.
    """

    received: int = 0
    crc_ok: int = 0
    forwarded: int = 0
    downlinks: int = 0
    emitted: int = 0
    push_sent: int = 0
    push_acked: int = 0

    @property
    def acked_percent(self) -> float:
        """PUSH_DATA acknowledged, in percent with one decimal; 0.0 where none was sent, as in lora_pkt_fwd.c."""
        if not self.push_sent:
            return 0.0
        return round(min(100.0, 100.0 * self.push_acked / self.push_sent), 1)


@dataclass(slots=True)
class Totals:
    """Counters since the start, for whoever watches the service.

    answered: TX_ACK by what they said. radio_refused: frames that the concentrator did not take. beacons: sent.
    """

    forwarded: int = 0
    downlinks: int = 0
    emitted: int = 0
    beacons: int = 0
    radio_refused: int = 0
    answered: dict[TxError, int] = field(default_factory=dict)
