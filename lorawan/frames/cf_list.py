"""CFList type 0: up to five frequencies for the channels after the default ones.

Source: RP002-1.0.4, "JoinAccept CFList" of the dynamic channel plans.
"""

from __future__ import annotations

from collections.abc import Sequence

from lorawan.errors import FrameError

CF_LIST_CHANNELS = 5
_STEP_HZ = 100
_CLAUSE = "RP002-1.0.4, CFList type 0"


def parse_cf_list(cf_list: bytes) -> tuple[int, ...]:
    """The five frequencies in Hz; 0 means an unused place. Raises FrameError for another length or type."""
    if len(cf_list) != 16:
        raise FrameError(f"{len(cf_list)} bytes", field="CFList", clause=_CLAUSE, hint="it has 16")
    if cf_list[15] != 0:
        raise FrameError(f"type {cf_list[15]}", field="CFListType", offset=15, clause=_CLAUSE, hint="frequencies are 0")
    return tuple(int.from_bytes(cf_list[at : at + 3], "little") * _STEP_HZ for at in range(0, 15, 3))


def encode_cf_list(freqs_hz: Sequence[int]) -> bytes:
    """16 bytes of at most five frequencies (multiples of 100 Hz), unused places 0. Raises FrameError."""
    if len(freqs_hz) > CF_LIST_CHANNELS:
        raise FrameError(f"{len(freqs_hz)} frequencies", field="CFList", clause=_CLAUSE, hint="it holds 5")
    for freq_hz in freqs_hz:
        if freq_hz % _STEP_HZ or not 0 <= freq_hz < _STEP_HZ << 24:
            raise FrameError(f"{freq_hz} Hz", field="CFList", clause=_CLAUSE, hint="24 bits in steps of 100 Hz")
    return b"".join((f // _STEP_HZ).to_bytes(3, "little") for f in freqs_hz).ljust(16, b"\x00")
