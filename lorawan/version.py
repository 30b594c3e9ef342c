"""The four LoRaWAN versions as one frozen table of what differs, so that one algorithm serves them all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class AdrAckReqUntil(IntEnum):
    """Until when a device without downlinks goes on setting ADRACKReq."""

    LOWEST_DR = 0
    MOST_ROBUST = 1
    DOWNLINK = 2


@dataclass(frozen=True, slots=True)
class VersionRules:
    """What a version does where the others differ. Sources: TS001 of each version, clauses beside the fields.

    What 1.1 alone has by its keys (two roots, FOpts encryption, split downlink counters, RekeyInd) belongs to a session
    and not to a version: a 1.1 device on a 1.0 network goes without.
    """

    dev_nonce_is_counter: bool  # 1.0.4 §6.2.4, 1.1 §6.2.5; random before (1.0.2 §6.2.4)
    join_nonce_is_counter: bool  # 1.0.4 §6.2.3, 1.1 §6.2.3
    max_f_cnt_gap: int | None  # 1.0.2/1.0.3 §4.3.1.5; removed in 1.0.4
    equal_f_cnt_down_refused: bool  # 1.0.4 §4.3.1.5
    confirmed_tries: int  # 1.0.2/1.0.3 §18.4 (recommended, with DR lowered every 2); 1.0.4 §4.3.1.1: NbTrans only
    nb_trans_applies_to_confirmed: bool  # 1.0.4 §5.2
    nb_trans_zero_keeps: bool  # 1.1 §5.3: the present value; 1.0.3 and 1.0.4 §5.2: the default one, 1
    adr_index_15_keeps: bool  # 1.0.4 §5.2, 1.1 §5.3
    device_time: bool  # DeviceTimeReq, 1.0.3 §5.9 onwards
    reset_ind: bool  # 1.1 §5.1, ABP
    backoff_power_first: bool  # 1.0.4 §4.3.1.1, 1.1: power to maximum is a step of its own
    # 1.0.2/1.0.3 §4.3.1.1: not at the lowest DR; 1.0.4 §4.3.1.1, table 9: until a downlink comes; 1.1 §4.3.1.1: until
    # data rate, power and channels are the default ones
    adr_ack_req_until: AdrAckReqUntil
    abp_counters_may_reset: bool  # 1.0.3 §4.3.1.5; 1.0.4 and 1.1 §4.3.1.5 forbid it


class Version(Enum):
    """A LoRaWAN link-layer version."""

    V1_0_2 = "1.0.2"
    V1_0_3 = "1.0.3"
    V1_0_4 = "1.0.4"
    V1_1 = "1.1"

    @property
    def rules(self) -> VersionRules:
        """This version's row of the table."""
        return _RULES[self]

    @property
    def is_1_1(self) -> bool:
        """Whether session keys, MICs and FOpts follow 1.1."""
        return self is Version.V1_1

    def in_session(self, *, is_1_1: bool) -> Version:
        """The version whose MAC commands a session of this device has: a 1.1 device on a 1.0 network speaks 1.0.4.

        Source: LoRaWAN 1.1 §6.2.3 for falling back; 1.0.4 [assumption] is LoRaMac-node's LORAMAC_FALLBACK_VERSION.
        """
        return Version.V1_0_4 if self.is_1_1 and not is_1_1 else self

    def __str__(self) -> str:
        return self.value


def _rules(version: Version) -> VersionRules:
    v102, v104, v11 = version in (Version.V1_0_2, Version.V1_0_3), version is Version.V1_0_4, version is Version.V1_1
    return VersionRules(
        dev_nonce_is_counter=not v102,
        join_nonce_is_counter=not v102,
        max_f_cnt_gap=16384 if v102 else None,
        equal_f_cnt_down_refused=not v102,
        confirmed_tries=8 if v102 else 0,
        nb_trans_applies_to_confirmed=not v102,
        nb_trans_zero_keeps=v11,
        adr_index_15_keeps=v104 or v11,
        device_time=version is not Version.V1_0_2,
        reset_ind=v11,
        backoff_power_first=not v102,
        adr_ack_req_until=(
            AdrAckReqUntil.LOWEST_DR if v102 else AdrAckReqUntil.DOWNLINK if v104 else AdrAckReqUntil.MOST_ROBUST
        ),
        abp_counters_may_reset=v102,
    )


_RULES = {version: _rules(version) for version in Version}
