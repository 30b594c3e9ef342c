"""What goes into every concentrator's host driver, and what comes out of it.

In: `Start`, `Program`, `Stop`, and the line's `BytesReceived` and `LineLost`. Out: `SendBytes` for the line, and the
effects here. Instants are the concentrator's own time: its counter in µs, unwrapped, plus a constant chosen at the
start, so that a downlink placed after an uplink is exact whatever the host's clock does. The two clocks drift apart;
`StatusRead` says how far.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from lorawan.ids import Eui64
from lorawan.machine import Dropped, Instant
from lorawan.phy.radio import Heard, Transmit


@dataclass(frozen=True, slots=True)
class Start:
    """Event: start the concentrator up with this set-up. Answered by Started or StartFailed, with Progress between."""

    setup: RadioSetup


@dataclass(frozen=True, slots=True)
class Stop:
    """Event: cut transmissions off, switch the radios off. Answered by Stopped."""


@dataclass(frozen=True, slots=True)
class Program:
    """Event: program a transmission. Answered by TransmitRefused at once, or by Programmed and later TransmitDone.

    transmit.at: in concentrator time; not looked at where `immediate`. transmit.preamble_symbols: 6 … 65 535.
    """

    transmit: Transmit
    immediate: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """Effect: start-up has come to this stage; fraction 0 … 1."""

    stage: str
    fraction: float


@dataclass(frozen=True, slots=True)
class Started:
    """Effect: the concentrator receives.

    eui: of the chip; None where it has none. board: the microcontroller's serial number, hexadecimal.
    firmware: the microcontroller's version; chip: the chip's. clock_origin: the concentrator time at which its 32-bit
    counter read 0, so (at − clock_origin) mod 2^32 is the counter.
    """

    eui: Eui64 | None
    board: str
    firmware: str
    chip: str
    clock_origin: Instant


@dataclass(frozen=True, slots=True)
class StartFailed:
    """Effect: start-up ended at this stage; nothing is received. hint: what a person may do."""

    stage: str
    why: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Reception:
    """Effect: a LoRa frame, and what the chip says beyond `Heard`.

    if_chain: 0 … 7 multi-SF, 8 service; rf_chain: radio 0 or 1. counter_us: 32 bits. rssi_signal_dbm: of the signal
    alone, None where unknown. freq_error_hz: of the sender against this radio. crc_present: whether the sender
    appended a CRC at all (heard.crc_ok is True without one).
    """

    heard: Heard
    if_chain: int
    rf_chain: int
    counter_us: int
    rssi_signal_dbm: float | None = None
    freq_error_hz: int | None = None
    crc_present: bool = True
    modem: int | None = None


@dataclass(frozen=True, slots=True)
class FskReception:
    """Effect: an FSK frame."""

    at: Instant
    payload: bytes
    freq_hz: int
    bit_rate: int
    rssi_dbm: float
    if_chain: int
    rf_chain: int
    counter_us: int
    crc_ok: bool = True


@dataclass(frozen=True, slots=True)
class Programmed:
    """Effect: the chip has the transmission and will start by itself. lead_us: from now to its start."""

    transmit: Transmit
    lead_us: int


@dataclass(frozen=True, slots=True)
class TransmitDone:
    """Effect: the transmitter is free again. seen_emitting: the chip was seen on the air in between."""

    transmit: Transmit
    seen_emitting: bool


@dataclass(frozen=True, slots=True)
class TransmitRefused:
    """Effect: this will not go on the air. reason: a short stable identifier."""

    transmit: Transmit
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StatusRead:
    """Effect: temperature of the board in °C, and concentrator time minus host time in µs, both at `at` (host)."""

    at: Instant
    temperature_c: float
    clock_ahead_us: int


@dataclass(frozen=True, slots=True)
class ConcentratorLost:
    """Effect: the line or the board failed while running. Start again, on a fresh line if the port is gone."""

    why: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """Effect: the board is off. clean: every order of the stop was answered."""

    clean: bool


DriverEvent = Start | Stop | Program | BytesReceived | LineLost
DriverEffect = (
    SendBytes
    | Progress
    | Started
    | StartFailed
    | Reception
    | FskReception
    | Programmed
    | TransmitDone
    | TransmitRefused
    | StatusRead
    | ConcentratorLost
    | Stopped
    | Dropped
)
