"""Starting the SX1302's two processors: parameters through mailboxes, each step acknowledged by a status.

Source: sx1302_hal 2.1.0 libloragw: loragw_sx1302.c (sx1302_agc_start, sx1302_arb_start), loragw_agc_params.h (SX1250).
"""

from __future__ import annotations

from gateway_fw.concentrator import corecell_registers as reg
from gateway_fw.concentrator.corecell_registers import Mcu
from gateway_fw.concentrator.procedure import Pause, Procedure, ProcedureFailed, read_byte, write
from lorawan.units import US_PER_MS

_POLLS, _POLL_US = 200, 5 * US_PER_MS  # assumption: a processor that is not there within a second never is
_HINT = "the image is not this chip's firmware, or not this version of it"

GAIN_AUTO = 0xFF  # loragw_sx1302.h SX1302_AGC_RADIO_GAIN_AUTO
PA_START_DELAY_100US = 8
AGC_STEPS: tuple[tuple[str, int, int, tuple[int, ...]], ...] = (
    ("gains of radio A", 0x80, 0x02, (GAIN_AUTO, GAIN_AUTO)),
    ("gains of radio B", 0x20, 0x03, (GAIN_AUTO, GAIN_AUTO)),
    ("analog gain range", 0x03, 0x04, (1, 13)),
    ("analog thresholds", 0x04, 0x05, (3, 12)),
    ("decimator attenuation range", 0x05, 0x06, (4, 15)),
    ("decimator thresholds", 0x06, 0x07, (40, 80, 90)),
    ("channel attenuation range", 0x07, 0x08, (4, 14)),
    ("channel thresholds", 0x08, 0x09, (52, 132)),
    ("SX1250 amplifier", 0x09, 0x0A, (0, 7, 4)),
    ("amplifier start delay", 0x0A, 0x0B, (PA_START_DELAY_100US,)),
    ("listen before talk off", 0x0B, 0x0F, (0,)),
)
"""What is set, command to mailbox 3, status awaited, values in mailboxes 0, 1, 2 that must read back."""
_AGC_RUN = 0x0F
_ARB_STATISTICS_SF = 7
_ARB_DOUBLE_DETECT = 3


def start_agc(version: int, *, full_duplex: bool) -> Procedure[None]:
    """Give the AGC its parameters and let it run."""
    yield from _await(reg.AGC, 0x01)
    found = yield from read_byte(reg.AGC_MAILBOX_READ[0])
    if found != version:
        raise ProcedureFailed(f"AGC firmware version {found}, not {version}", _HINT)
    for what, command, status, values in AGC_STEPS:
        yield from write(*(reg.AGC_MAILBOX_WRITE[box].set(value) for box, value in enumerate(values)))
        yield from write(reg.AGC_MAILBOX_WRITE[3].set(command))
        yield from _await(reg.AGC, status)
        expected = (*values, int(full_duplex)) if command in (0x80, 0x20) else values
        for box, value in enumerate(expected):
            found = yield from read_byte(reg.AGC_MAILBOX_READ[box])
            if found != value:
                raise ProcedureFailed(f"the AGC took {found} for {value} as {what}", _HINT)
    yield from write(reg.AGC_MAILBOX_WRITE[3].set(_AGC_RUN))


def start_arb(version: int) -> Procedure[None]:
    """Let the arbiter run, with one demodulator a frame (no fine timestamps)."""
    yield from _await(reg.ARB, 0x01)
    found = yield from read_byte(reg.ARB_DEBUG_STATUS_0)
    if found != version:
        raise ProcedureFailed(f"arbiter firmware version {found}, not {version}", _HINT)
    yield from write(reg.ARB_DEBUG_CONFIG[0].set(_ARB_STATISTICS_SF))
    yield from write(reg.ARB_DEBUG_CONFIG[3].set(0))
    yield from write(reg.ARB_DEBUG_CONFIG[2].set(_ARB_DOUBLE_DETECT))
    yield from write(reg.ARB_DEBUG_CONFIG[1].set(1))
    yield from _await(reg.ARB, 0x00)


def _await(mcu: Mcu, status: int) -> Procedure[None]:
    found = 0
    for _ in range(_POLLS):
        found = yield from read_byte(mcu.status)
        if found == status:
            return
        yield Pause(_POLL_US)
    raise ProcedureFailed(f"the {mcu.name} processor stays at status 0x{found:02X}, not 0x{status:02X}", _HINT)
