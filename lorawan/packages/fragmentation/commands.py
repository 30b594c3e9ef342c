"""Commands of the fragmented data block transport, FPort 201, versions 1 and 2 (which do not understand each other).

Source: TS004-2.0.0 §3.1–3.6, tables 3–24; for what version 1 has instead TS004-1.0.0 §3.2 (setup) and §3.5 (status),
their layouts as LoRaMac-node@dcbcfb32 and chirpstack@d77207cd have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from lorawan.mac_commands.base import bits, flag
from lorawan.packages.commands import Package, PackageCommand, raw, rest

FRAGMENTATION_F_PORT: Final = 201
_NO_SESSION: Final = 0x04  # TS004-2.0.0 §3.2, table 7


@dataclass(frozen=True, slots=True)
class FragSessionStatusReq(PackageCommand):
    """How far are you? participants: all receivers answer, not only those that miss fragments."""

    cid: ClassVar[int] = 0x01
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS004-2.0.0 §3.2"

    frag_index: int = bits(1, 2)
    participants: bool = flag(0)


@dataclass(frozen=True, slots=True)
class FragSessionStatusAnsV1(PackageCommand):
    """nb_frag_received counts everything received; missing_frag is 255 from 255 on."""

    cid: ClassVar[int] = 0x01
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 4
    clause: ClassVar[str] = "TS004-1.0.0 §3.5"

    nb_frag_received: int = bits(0, 14)
    frag_index: int = bits(14, 2)
    missing_frag: int = bits(16, 8)
    memory_error: bool = flag(24)


@dataclass(frozen=True, slots=True)
class FragSessionStatusAns(PackageCommand):
    """As in version 1, with the MIC's verdict. With session_does_not_exist the other fields are left out."""

    cid: ClassVar[int] = 0x01
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 4
    clause: ClassVar[str] = "TS004-2.0.0 §3.2"

    memory_error: bool = flag(0)
    mic_error: bool = flag(1)
    session_does_not_exist: bool = flag(2)
    nb_frag_received: int = bits(8, 14)
    frag_index: int = bits(22, 2)
    missing_frag: int = bits(24, 8)

    @classmethod
    def length_of(cls, after_cid: bytes) -> int:
        """One byte where there is no such session, else four."""
        return 1 if after_cid and after_cid[0] & _NO_SESSION else 4


@dataclass(frozen=True, slots=True)
class FragSessionSetupReqV1(PackageCommand):
    """A session of nb_frag fragments of frag_size bytes, padding bytes of them without meaning.

    mc_group_bit_mask: which multicast groups may feed it. block_ack_delay: answers are spread over
    2^(block_ack_delay + 4) s. frag_algo: 0 is the parity code of the specification's annex.
    """

    cid: ClassVar[int] = 0x02
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 10
    clause: ClassVar[str] = "TS004-1.0.0 §3.2"

    mc_group_bit_mask: int = bits(0, 4)
    frag_index: int = bits(4, 2)
    nb_frag: int = bits(8, 16)
    frag_size: int = bits(24, 8)
    block_ack_delay: int = bits(32, 3)
    frag_algo: int = bits(35, 3)
    padding: int = bits(40, 8)
    descriptor: int = bits(48, 32)


@dataclass(frozen=True, slots=True)
class FragSessionSetupReq(PackageCommand):
    """As in version 1; with a counter against replays, the block's MIC, and whether its receipt is reported."""

    cid: ClassVar[int] = 0x02
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 16
    clause: ClassVar[str] = "TS004-2.0.0 §3.3"

    mc_group_bit_mask: int = bits(0, 4)
    frag_index: int = bits(4, 2)
    nb_frag: int = bits(8, 16)
    frag_size: int = bits(24, 8)
    block_ack_delay: int = bits(32, 3)
    frag_algo: int = bits(35, 3)
    ack_reception: bool = flag(38)
    padding: int = bits(40, 8)
    descriptor: int = bits(48, 32)
    session_cnt: int = bits(80, 16)
    mic: bytes = raw(12, 4)


@dataclass(frozen=True, slots=True)
class FragSessionSetupAns(PackageCommand):
    """Accepted where none of the five flags is set (version 1 has no session_cnt_replay)."""

    cid: ClassVar[int] = 0x02
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS004-2.0.0 §3.3"

    frag_index: int = bits(6, 2)
    frag_algo_unsupported: bool = flag(0)
    not_enough_memory: bool = flag(1)
    frag_index_unsupported: bool = flag(2)
    wrong_descriptor: bool = flag(3)
    session_cnt_replay: bool = flag(4)

    @property
    def accepted(self) -> bool:
        """Whether the session is set up."""
        return not self.encode()[1] & 0x1F


@dataclass(frozen=True, slots=True)
class FragSessionDeleteReq(PackageCommand):
    """Forget a session."""

    cid: ClassVar[int] = 0x03
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS004-2.0.0 §3.4"

    frag_index: int = bits(0, 2)


@dataclass(frozen=True, slots=True)
class FragSessionDeleteAns(PackageCommand):
    """Forgotten, or never known."""

    cid: ClassVar[int] = 0x03
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS004-2.0.0 §3.4"

    frag_index: int = bits(0, 2)
    session_does_not_exist: bool = flag(2)


@dataclass(frozen=True, slots=True)
class FragDataBlockReceivedReq(PackageCommand):
    """The device has the whole block. mic_error: but it is not the one that was announced."""

    cid: ClassVar[int] = 0x04
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS004-2.0.0 §3.5"

    frag_index: int = bits(0, 2)
    mic_error: bool = flag(2)


@dataclass(frozen=True, slots=True)
class FragDataBlockReceivedAns(PackageCommand):
    """The server knows that."""

    cid: ClassVar[int] = 0x04
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS004-2.0.0 §3.5"

    frag_index: int = bits(0, 2)


@dataclass(frozen=True, slots=True)
class DataFragment(PackageCommand):
    """Fragment n (from 1 on; beyond nb_frag it is a coded one). The only command of its message."""

    cid: ClassVar[int] = 0x08
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 2
    clause: ClassVar[str] = "TS004-2.0.0 §3.6"

    n: int = bits(0, 14)
    frag_index: int = bits(14, 2)
    fragment: bytes = rest()


FRAGMENTATION_V1: Final = Package.of(
    "fragmented data block transport",
    3,
    1,
    FRAGMENTATION_F_PORT,
    "TS004-1.0.0 §3",
    FragSessionStatusReq,
    FragSessionStatusAnsV1,
    FragSessionSetupReqV1,
    FragSessionSetupAns,
    FragSessionDeleteReq,
    FragSessionDeleteAns,
    DataFragment,
)
FRAGMENTATION_V2: Final = Package.of(
    "fragmented data block transport",
    3,
    2,
    FRAGMENTATION_F_PORT,
    "TS004-2.0.0 §3",
    FragSessionStatusReq,
    FragSessionStatusAns,
    FragSessionSetupReq,
    FragSessionSetupAns,
    FragSessionDeleteReq,
    FragSessionDeleteAns,
    FragDataBlockReceivedReq,
    FragDataBlockReceivedAns,
    DataFragment,
)
