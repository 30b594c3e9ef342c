"""Commands of the remote multicast setup, FPort 200, versions 1 and 2.

On the wire they differ in one bit, StartMissed of the two session answers.
Source: TS005-2.0.0 §4.1–4.6, tables 3–25; TS005-1.0.0 §4.1–4.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import construct as c

from lorawan.errors import FrameError
from lorawan.ids import DevAddr
from lorawan.mac_commands.base import FREQUENCY_STEP_HZ, address, bits, flag
from lorawan.packages.commands import Package, PackageCommand, raw, rest

MULTICAST_F_PORT: Final = 200
MAX_GROUPS: Final = 4  # TS005-2.0.0 §4.2, NbTotalGroups
TIME_TO_START_MAX: Final = 0xFFFFFF  # TS005-2.0.0 §4.5

_RECORDS: Final[c.Construct[Any, Any]] = c.GreedyRange(c.Struct("mc_group_id" / c.Int8ul, "mc_addr" / c.Int32ul))
_RECORD_BYTES: Final = 5


@dataclass(frozen=True, slots=True)
class McGroupStatusReq(PackageCommand):
    """Which of these groups do you have? req_group_mask: bit n asks for group n."""

    cid: ClassVar[int] = 0x01
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS005-2.0.0 §4.2"

    req_group_mask: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class McGroupStatusAns(PackageCommand):
    """The groups of ans_group_mask, five bytes each in `records`; nb_total_groups: how many the device has."""

    cid: ClassVar[int] = 0x01
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS005-2.0.0 §4.2"

    ans_group_mask: int = bits(0, 4)
    nb_total_groups: int = bits(4, 3)
    records: bytes = rest()

    @classmethod
    def length_of(cls, after_cid: bytes) -> int:
        """The status byte and a record for each bit of its mask."""
        return 1 + _RECORD_BYTES * ((after_cid[0] & 0x0F).bit_count() if after_cid else 0)

    @classmethod
    def of_groups(cls, nb_total_groups: int, groups: tuple[tuple[int, DevAddr], ...]) -> Self:
        """Listing these (McGroupID, McAddr). Raises FrameError for an id beyond 3 or one that comes twice."""
        mask = 0
        for mc_group_id, _ in groups:
            if not 0 <= mc_group_id < MAX_GROUPS or mask >> mc_group_id & 1:
                raise FrameError(f"{mc_group_id}", field="McGroupID", clause="TS005-2.0.0 §4.2", hint="0–3, once each")
            mask |= 1 << mc_group_id
        records = _RECORDS.build([{"mc_group_id": i, "mc_addr": addr} for i, addr in groups])
        return cls(mask, nb_total_groups, records)

    @property
    def groups(self) -> tuple[tuple[int, DevAddr], ...]:
        """(McGroupID, McAddr) of each record."""
        return tuple((record.mc_group_id, DevAddr(record.mc_addr)) for record in _RECORDS.parse(self.records))


@dataclass(frozen=True, slots=True)
class McGroupSetupReq(PackageCommand):
    """A group: its address, its McKey as it travels, and the frame counters that it lives for."""

    cid: ClassVar[int] = 0x02
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 29
    clause: ClassVar[str] = "TS005-2.0.0 §4.3"

    mc_group_id: int = bits(0, 2)
    mc_addr: DevAddr = address(8)  # noqa: RUF009 - a field, not a value
    mc_key_encrypted: bytes = raw(5, 16)
    min_mc_f_cnt: int = bits(168, 32)
    max_mc_f_cnt: int = bits(200, 32)


@dataclass(frozen=True, slots=True)
class McGroupSetupAns(PackageCommand):
    """id_error: the device has no place for that group."""

    cid: ClassVar[int] = 0x02
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS005-2.0.0 §4.3"

    mc_group_id: int = bits(0, 2)
    id_error: bool = flag(2)


@dataclass(frozen=True, slots=True)
class McGroupDeleteReq(PackageCommand):
    """Forget a group."""

    cid: ClassVar[int] = 0x03
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS005-2.0.0 §4.4"

    mc_group_id: int = bits(0, 2)


@dataclass(frozen=True, slots=True)
class McGroupDeleteAns(PackageCommand):
    """Forgotten, or never known."""

    cid: ClassVar[int] = 0x03
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS005-2.0.0 §4.4"

    mc_group_id: int = bits(0, 2)
    mc_group_undefined: bool = flag(2)


@dataclass(frozen=True, slots=True)
class McClassCSessionReq(PackageCommand):
    """Listen in class C from session_time (GPS s modulo 2^32) for at most 2^time_out s."""

    cid: ClassVar[int] = 0x04
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 10
    clause: ClassVar[str] = "TS005-2.0.0 §4.5"

    mc_group_id: int = bits(0, 2)
    session_time: int = bits(8, 32)
    time_out: int = bits(40, 4)
    dl_freq_hz: int = bits(48, 24, unit=FREQUENCY_STEP_HZ)
    data_rate: int = bits(72, 8)


@dataclass(frozen=True, slots=True)
class McClassBSessionReq(PackageCommand):
    """Listen in ping slots from session_time, a multiple of 128 s, for at most 128 · 2^time_out s."""

    cid: ClassVar[int] = 0x05
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 10
    clause: ClassVar[str] = "TS005-2.0.0 §4.6"

    mc_group_id: int = bits(0, 2)
    session_time: int = bits(8, 32)
    time_out: int = bits(40, 4)
    periodicity: int = bits(44, 3)
    dl_freq_hz: int = bits(48, 24, unit=FREQUENCY_STEP_HZ)
    data_rate: int = bits(72, 8)


@dataclass(frozen=True, slots=True)
class _SessionAns(PackageCommand):
    """time_to_start_s: from this uplink; left out where an error is set."""

    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 4
    error_bits: ClassVar[int] = 0x1C

    mc_group_id: int = bits(0, 2)
    dr_error: bool = flag(2)
    freq_error: bool = flag(3)
    mc_group_undefined: bool = flag(4)
    time_to_start_s: int = bits(8, 24)

    @classmethod
    def length_of(cls, after_cid: bytes) -> int:
        """One byte where there is an error, else four."""
        return 1 if after_cid and after_cid[0] & cls.error_bits else 4

    @property
    def accepted(self) -> bool:
        """Whether the session is planned."""
        return not self.encode()[1] & self.error_bits


@dataclass(frozen=True, slots=True)
class _SessionAnsV2(_SessionAns):
    """As in version 1. start_missed: session_time is past by the device's clock. The two bits after it are reserved
    for errors and count as such (TS005-2.0.0 §4.5)."""

    error_bits: ClassVar[int] = 0xFC

    start_missed: bool = flag(5)
    reserved_errors: int = bits(6, 2)


@dataclass(frozen=True, slots=True)
class McClassCSessionAnsV1(_SessionAns):
    """Planned, or why not."""

    cid: ClassVar[int] = 0x04
    clause: ClassVar[str] = "TS005-1.0.0 §4.5"


@dataclass(frozen=True, slots=True)
class McClassBSessionAnsV1(_SessionAns):
    """Planned, or why not."""

    cid: ClassVar[int] = 0x05
    clause: ClassVar[str] = "TS005-1.0.0 §4.6"


@dataclass(frozen=True, slots=True)
class McClassCSessionAns(_SessionAnsV2):
    """Planned, or why not."""

    cid: ClassVar[int] = 0x04
    clause: ClassVar[str] = "TS005-2.0.0 §4.5"


@dataclass(frozen=True, slots=True)
class McClassBSessionAns(_SessionAnsV2):
    """Planned, or why not."""

    cid: ClassVar[int] = 0x05
    clause: ClassVar[str] = "TS005-2.0.0 §4.6"


_BOTH: Final = (
    McGroupStatusReq,
    McGroupStatusAns,
    McGroupSetupReq,
    McGroupSetupAns,
    McGroupDeleteReq,
    McGroupDeleteAns,
    McClassCSessionReq,
    McClassBSessionReq,
)
MULTICAST_V1: Final = Package.of(
    "remote multicast setup",
    2,
    1,
    MULTICAST_F_PORT,
    "TS005-1.0.0 §4",
    *_BOTH,
    McClassCSessionAnsV1,
    McClassBSessionAnsV1,
)
MULTICAST_V2: Final = Package.of(
    "remote multicast setup", 2, 2, MULTICAST_F_PORT, "TS005-2.0.0 §4", *_BOTH, McClassCSessionAns, McClassBSessionAns
)
