"""Commands about channels and receive windows.

Source: TS001-1.0.4 §5 and LoRaWAN 1.1 §5, under the name of each command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import FREQUENCY_STEP_HZ, MacCommand, bits, flag


@dataclass(frozen=True, slots=True)
class RxParamSetupReq(MacCommand):
    """RX1 data-rate offset 0–7, RX2 data rate 0–15 and frequency (steps of 100 Hz)."""

    cid: ClassVar[int] = 0x05
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 4

    rx1_dr_offset: int = bits(4, 3)
    rx2_dr: int = bits(0, 4)
    freq_hz: int = bits(8, 24, unit=FREQUENCY_STEP_HZ)


@dataclass(frozen=True, slots=True)
class RxParamSetupAns(MacCommand):
    """Nothing changes unless all three are true."""

    cid: ClassVar[int] = 0x05
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1

    rx1_dr_offset_ok: bool = flag(2)
    rx2_dr_ok: bool = flag(1)
    channel_ok: bool = flag(0)


@dataclass(frozen=True, slots=True)
class NewChannelReq(MacCommand):
    """Define channel ch_index with a data-rate range; freq_hz 0 takes it away (steps of 100 Hz)."""

    cid: ClassVar[int] = 0x07
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 5

    ch_index: int = bits(0, 8)
    freq_hz: int = bits(8, 24, unit=FREQUENCY_STEP_HZ)
    max_dr: int = bits(36, 4)
    min_dr: int = bits(32, 4)


@dataclass(frozen=True, slots=True)
class NewChannelAns(MacCommand):
    """Nothing changes unless both are true."""

    cid: ClassVar[int] = 0x07
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1

    data_rate_range_ok: bool = flag(1)
    freq_ok: bool = flag(0)


@dataclass(frozen=True, slots=True)
class RxTimingSetupReq(MacCommand):
    """delay_s: 0–15 s from the end of the uplink to RX1, where 0 means 1 s too. RX2 is one second later."""

    cid: ClassVar[int] = 0x08
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1

    delay_s: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class RxTimingSetupAns(MacCommand):
    """The delay was taken over."""

    cid: ClassVar[int] = 0x08
    uplink: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class TxParamSetupReq(MacCommand):
    """Dwell-time limits of 400 ms and the index of the largest EIRP, 0–15. Silently ignored in EU868."""

    cid: ClassVar[int] = 0x09
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1

    downlink_dwell: bool = flag(5)
    uplink_dwell: bool = flag(4)
    max_eirp_index: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class TxParamSetupAns(MacCommand):
    """The limits were taken over."""

    cid: ClassVar[int] = 0x09
    uplink: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class DlChannelReq(MacCommand):
    """Move RX1 of an uplink channel to freq_hz (steps of 100 Hz)."""

    cid: ClassVar[int] = 0x0A
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 4

    ch_index: int = bits(0, 8)
    freq_hz: int = bits(8, 24, unit=FREQUENCY_STEP_HZ)


@dataclass(frozen=True, slots=True)
class DlChannelAns(MacCommand):
    """Nothing changes unless both are true."""

    cid: ClassVar[int] = 0x0A
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1

    uplink_freq_exists: bool = flag(1)
    freq_ok: bool = flag(0)
