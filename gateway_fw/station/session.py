"""What a server knows of one connected gateway."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway_fw.station.config import RouterConfig
from gateway_fw.station.control import Version
from gateway_fw.station.events import Connection
from gateway_fw.station.uplink import Uplink
from gateway_fw.station.xtime import widened
from lorawan.ids import Eui64
from lorawan.units import US_PER_S

REMEMBERED = 64  # [assumption] uplinks whose answers may still be under way
_MAX_DELAY_S = 16  # RxDelay is at most 15 s, RX2 a second later


@dataclass(slots=True)
class GatewaySession:
    """version, config: None until the gateway has said what it is. round_trip_us: of the latest uplink, or None."""

    gateway_eui: Eui64
    connection: Connection
    version: Version | None = None
    config: RouterConfig | None = None
    n_uplinks: int = 0
    round_trip_us: int | None = None
    recent: list[tuple[int, int]] = field(default_factory=list)

    def heard(self, uplink: Uplink, round_trip_us: int | None) -> None:
        """Keep an uplink's xtime and rctx for its answer."""
        self.n_uplinks += 1
        if round_trip_us is not None:
            self.round_trip_us = round_trip_us
        self.recent.append((uplink.upinfo.xtime, uplink.upinfo.rctx))
        del self.recent[:-REMEMBERED]

    def answering(self, tmst: int) -> tuple[int, int, int] | None:
        """For a frame due at a 32-bit counter value: xtime and rctx of the uplink it answers, and whole seconds since.

        The latest uplink that lies a whole number of seconds (1–16) before; else the latest of all, with the frame's
        own xtime less one second. None where no uplink came.
        """
        for xtime, rctx in reversed(self.recent):
            ahead = (tmst - xtime) & 0xFFFFFFFF
            if ahead % US_PER_S == 0 and 0 < ahead <= _MAX_DELAY_S * US_PER_S:
                return xtime, rctx, ahead // US_PER_S
        if not self.recent:
            return None
        xtime, rctx = self.recent[-1]
        return widened(tmst, xtime) - US_PER_S, rctx, 1
