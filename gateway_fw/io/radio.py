"""The seam between the forwarder service and the radio below it: a concentrator's driver, or a simulation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gateway_fw.concentrator.events import FskReception, Reception, Started, StatusRead, TransmitDone, TransmitRefused
from lorawan.machine import Instant
from lorawan.phy.radio import Heard, Transmit

RadioEvent = Heard | Reception | FskReception | Started | StatusRead | TransmitDone | TransmitRefused
"""What a radio tells: frames (`Heard` where nothing more is known, else `Reception`), where its 32-bit counter began
(`Started.clock_origin`; 0 without it), its temperature, and what became of a transmission."""

Deliver = Callable[[RadioEvent], None]


class Radio(Protocol):
    """A radio under asyncio. Every call and every delivery happens in the loop's thread.

    **One clock.** Instants are the radio's own: the concentrator's counter in µs, unwrapped, plus a constant. The
    forwarder lives in that time, so a downlink placed after an uplink is exact whatever the host's clock does.
    `Heard.at` is the end of a reception, `Transmit.at` the start of the preamble, both in this time.

    **Life.** `start` returns when the radio receives, and raises OSError or GatewayError where it cannot; from then on
    it calls `deliver`. A radio that loses its board brings it back by itself, or calls nothing any more. `stop` cuts
    transmissions off; nothing is delivered after it. The service calls each of them once.

    **Transmissions.** `transmit` comes 40 ms before `Transmit.at` (at least 1.5 ms), never two that overlap on one
    `rf_chain`. `preamble_symbols`, `explicit_header`, `crc`, `inverted_iq` and `rf_chain` are to be kept. It returns at
    once, or raises OSError or GatewayError; a frame that later turns out not to go on the air is told by a
    `TransmitRefused` with that frame. Both give its airtime back to the duty cycle.

    **GPS.** `pps_at` is the instant of the last pulse per second that the radio saw; None where it sees none.
    """

    @property
    def now(self) -> Instant:
        """The radio's time; never goes back. Callable before `start` too."""

    async def start(self, deliver: Deliver) -> None:
        """Begin to receive."""

    async def stop(self) -> None:
        """Switch the radio off."""

    def transmit(self, transmit: Transmit) -> None:
        """Program one frame."""

    def pps_at(self) -> Instant | None:
        """When the last pulse of a GPS receiver came."""
