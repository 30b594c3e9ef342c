"""A device's session: everything that joining creates and that the network may change."""

from __future__ import annotations

from dataclasses import dataclass

from lorawan.crypto import SessionKeys
from lorawan.ids import DevAddr
from lorawan.regions import ChannelPlan, Region
from lorawan.units import US_PER_S

ADR_ACK_LIMIT = 64  # RP002-1.0.4 §2.4 (recommended default values)
ADR_ACK_DELAY = 32


@dataclass(frozen=True, slots=True)
class Answer:
    """A MAC answer. sticky: repeated in every uplink until a class A downlink arrives (LoRaWAN 1.0.4 §5)."""

    encoded: bytes
    sticky: bool = False


@dataclass(slots=True)
class DeviceSession:
    """Mutable state owned by one device core. Counters are the next to use (up) or the last accepted (down)."""

    dev_addr: DevAddr
    keys: SessionKeys
    is_1_1: bool  # session in 1.1 form: False after an accept with OptNeg clear
    plan: ChannelPlan
    rx1_delay_us: int
    rx1_dr_offset: int
    rx2_dr: int
    rx2_freq_hz: int
    dr: int
    tx_power_index: int = 0
    nb_trans: int = 1
    f_cnt_up: int = 0
    n_f_cnt_down: int | None = None
    a_f_cnt_down: int | None = None
    adr_ack_cnt: int = 0
    adr_ack_limit: int = ADR_ACK_LIMIT
    adr_ack_delay: int = ADR_ACK_DELAY
    max_d_cycle: int = 0  # DutyCycleReq: 0 none, n: 1 / 2^n over all sub-bands
    silent_until: int = 0  # the instant before which DutyCycleReq forbids any transmission
    confirm_f_cnt_down: int | None = None  # a confirmed downlink that the next uplink acknowledges
    last_conf_f_cnt_up: int = 0  # the last confirmed uplink's counter: ConfFCnt of the downlink that acknowledges it
    announce: bytes = b""  # RekeyInd or ResetInd: in every uplink until its Conf
    answers: tuple[Answer, ...] = ()  # in the order of the requests
    requests: bytes = b""  # LinkCheckReq, DeviceTimeReq
    commands_went_alone: bool = False  # the last uplink carried commands that left no room for a payload
    last_snr_db: float = 0.0

    @property
    def f_opts(self) -> bytes:
        """The MAC commands the next uplink carries, in order; the caller cuts them between commands if too long."""
        return self.announce + b"".join(answer.encoded for answer in self.answers) + self.requests

    @property
    def max_app_payload_bytes(self) -> int:
        """N at the present data rate and dwell time: what an uplink without FOpts may carry."""
        return self.plan.max_app_payload_bytes(self.dr)

    def sent(self) -> None:
        """A new uplink took the commands along: only the sticky answers stay."""
        self.answers = tuple(answer for answer in self.answers if answer.sticky)
        self.requests = b""

    def replan(self, plan: ChannelPlan) -> None:
        """Take a changed plan over; the data rate follows where the plan no longer has it."""
        self.plan = plan
        self.dr = plan.nearest_dr(self.dr, self.rx1_dr_offset)


def new_session(region: Region, dev_addr: DevAddr, keys: SessionKeys, *, is_1_1: bool, dr: int) -> DeviceSession:
    """A session with the region's defaults."""
    plan = ChannelPlan.of(region)
    return DeviceSession(
        dev_addr=dev_addr,
        keys=keys,
        is_1_1=is_1_1,
        plan=plan,
        rx1_delay_us=region.receive_delay1_us,
        rx1_dr_offset=0,
        rx2_dr=region.rx2_dr,
        rx2_freq_hz=region.rx2_freq_hz,
        dr=plan.nearest_dr(dr),
    )


def rx_delay_us(rx_delay_s: int) -> int:
    """RxDelay as accepts and RXTimingSetupReq carry it: 0 means 1 s. Source: LoRaWAN 1.0.4 §5.7."""
    return max(1, rx_delay_s & 0x0F) * US_PER_S
