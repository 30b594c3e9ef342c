"""Commands about the link: check, data rate and power, duty cycle, device status, time.

Source: TS001-1.0.4 §5 and LoRaWAN 1.1 §5, under the name of each command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import MacCommand, bits, flag


@dataclass(frozen=True, slots=True)
class LinkCheckReq(MacCommand):
    """How well am I heard?"""

    cid: ClassVar[int] = 0x02
    uplink: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class LinkCheckAns(MacCommand):
    """margin_db: over the demodulation floor at the best gateway, 0–254 (255 reserved); gw_cnt: gateways."""

    cid: ClassVar[int] = 0x02
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 2

    margin_db: int = bits(0, 8)
    gw_cnt: int = bits(8, 8)


@dataclass(frozen=True, slots=True)
class LinkAdrReq(MacCommand):
    """data_rate, tx_power: indices of the region (from 1.0.4, 15 keeps); ch_mask: bit n is channel n."""

    cid: ClassVar[int] = 0x03
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 4

    data_rate: int = bits(4, 4)
    tx_power: int = bits(0, 4)
    ch_mask: int = bits(8, 16)
    ch_mask_cntl: int = bits(28, 3)
    nb_trans: int = bits(24, 4)


@dataclass(frozen=True, slots=True)
class LinkAdrAns(MacCommand):
    """Nothing changes unless all three are true."""

    cid: ClassVar[int] = 0x03
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1

    power_ok: bool = flag(2)
    data_rate_ok: bool = flag(1)
    channel_mask_ok: bool = flag(0)


@dataclass(frozen=True, slots=True)
class DutyCycleReq(MacCommand):
    """max_d_cycle n: the device may send 1/2^n of the time over all sub-bands, 0–15."""

    cid: ClassVar[int] = 0x04
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1

    max_d_cycle: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class DutyCycleAns(MacCommand):
    """The duty cycle was taken over."""

    cid: ClassVar[int] = 0x04
    uplink: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class DevStatusReq(MacCommand):
    """How are you?"""

    cid: ClassVar[int] = 0x06
    uplink: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class DevStatusAns(MacCommand):
    """battery: 0 external supply, 1–254 level, 255 unknown; margin_db: SNR of the request, −32–31 dB."""

    cid: ClassVar[int] = 0x06
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 2

    battery: int = bits(0, 8)
    margin_db: int = bits(8, 6, signed=True)


@dataclass(frozen=True, slots=True)
class AdrParamSetupReq(MacCommand):
    """ADR_ACK_LIMIT = 2^limit_exp, ADR_ACK_DELAY = 2^delay_exp. 1.1 only."""

    cid: ClassVar[int] = 0x0C
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1

    limit_exp: int = bits(4, 4)
    delay_exp: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class AdrParamSetupAns(MacCommand):
    """The ADR limits were taken over. 1.1 only."""

    cid: ClassVar[int] = 0x0C
    uplink: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class DeviceTimeReq(MacCommand):
    """What time is it? From 1.0.3."""

    cid: ClassVar[int] = 0x0D
    uplink: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class DeviceTimeAns(MacCommand):
    """GPS time at the end of the uplink that asked: whole seconds (32 bits) and 1/256 s. From 1.0.3."""

    cid: ClassVar[int] = 0x0D
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 5

    gps_seconds: int = bits(0, 32)
    fraction_256: int = bits(32, 8)
