"""What may go wrong with a virtual board, on demand: settings that can change while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from lorawan.machine import Instant

FIFO_BYTES = 4096  # Source: sx1302_hal 2.1.0, loragw_sx1302_rx.h: the receive buffer


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with the board now. The default is a healthy one.

    `every` fields: 0 never, 1 always, n each n-th answer or record, counted since the settings came into force; so a
    run repeats exactly. SPI status 1 fail, 2 wrong parameter, 3 time-out.
    """

    lose_byte_every: int = 0
    """Answers that lose their last byte."""
    stall_every: int = 0
    """Answers that come late, by stall_us."""
    stall_us: int = 0
    mute: bool = False
    """No answer at all."""
    wrong_type_every: int = 0
    """Answers whose type byte is 0x7F, which no order has."""
    wrong_id_every: int = 0
    """Answers that do not echo the request's id."""
    spi_status: int = 0
    """Status in every SPI result, 0 for none of this."""
    wrong_checksum_every: int = 0
    """Received records with a wrong checksum in the receive buffer."""
    wrong_crc_every: int = 0
    """Received records whose stored CRC16 does not fit the payload though it is marked good."""
    firmware_corrupt: bool = False
    """The chip's program RAM reads back one wrong bit."""
    stuck_tx: bool = False
    """The transmitter stays in "emitting" for ever after a frame."""
    deaf: bool = False
    """Nothing is received."""
    drift_ppb: int = 0
    """The 32 MHz clock runs fast by so many parts in 10^9 (1 ppm = 1000)."""
    temperature_c: float = 25.0
    temperature_ramp_c_per_min: float = 0.0
    """Change from temperature_c, from the instant the settings came into force; held within −50 to 150 °C."""
    fifo_bytes: int = FIFO_BYTES
    """Size of the receive buffer: small values make it overflow."""


@dataclass(frozen=True, slots=True)
class SetFaults:
    """Event: these settings come into force."""

    faults: Faults


def temperature_c(faults: Faults, since: Instant, now: Instant) -> float:
    """The board's temperature in °C at an instant, for settings in force since another."""
    ramp = faults.temperature_ramp_c_per_min * (now - since) / 60e6
    return max(-50.0, min(150.0, faults.temperature_c + ramp))


class Every:
    """Counts occurrences and picks each n-th."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def hits(self, name: str, every: int) -> bool:
        """Whether this occurrence is one of each `every`."""
        if every <= 0:
            return False
        count = self._counts.get(name, 0) + 1
        self._counts[name] = count
        return count % every == 0
