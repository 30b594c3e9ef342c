"""The frequency a host asked for, read back from a register that cut it off."""

from __future__ import annotations

from math import ceil, floor

_GRIDS_HZ = (100_000, 25_000, 5_000, 1_000, 500, 100)


def asked_hz(register: int, step_hz: float) -> int:
    """The roundest frequency that a host would have written as this register value, cut off towards zero.

    Channel frequencies are multiples of 100 Hz (LoRaWAN 1.0.4 §5.6: 24 bits of 100 Hz), so where the step holds such a
    multiple it is what was asked; otherwise the register's own value, rounded to a whole Hz.
    """
    if register < 0:
        return -asked_hz(-register, step_hz)
    low, high = register * step_hz, (register + 1) * step_hz
    for grid in _GRIDS_HZ:
        candidate = ceil(low / grid - 1e-9) * grid
        if candidate < high:
            return candidate
    return floor(low + 0.5)
