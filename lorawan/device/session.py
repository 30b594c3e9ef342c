"""A device's session: everything that joining creates and that the network may change."""

from __future__ import annotations

from dataclasses import dataclass

from lorawan.crypto import SessionKeys
from lorawan.frames.cf_list import parse_cf_list
from lorawan.ids import DevAddr
from lorawan.regions import Channel, Region
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
    channels: list[Channel | None]
    ch_mask: int
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
    downlink_dwell: bool = False  # TXParamSetupReq: at most 400 ms a frame, where the region has the command
    uplink_dwell: bool = False
    max_eirp_index: int | None = None  # TXParamSetupReq; None: the region's own limit
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

    def sent(self) -> None:
        """A new uplink took the commands along: only the sticky answers stay."""
        self.answers = tuple(answer for answer in self.answers if answer.sticky)
        self.requests = b""

    def enabled(self) -> list[tuple[int, Channel]]:
        """Enabled channels, with their index."""
        return [(i, ch) for i, ch in enumerate(self.channels) if ch is not None and self.ch_mask >> i & 1]


def new_session(region: Region, dev_addr: DevAddr, keys: SessionKeys, *, is_1_1: bool, dr: int) -> DeviceSession:
    """A session with the region's defaults."""
    channels: list[Channel | None] = [None] * region.max_channels
    channels[: len(region.default_channels)] = region.default_channels
    return DeviceSession(
        dev_addr=dev_addr,
        keys=keys,
        is_1_1=is_1_1,
        channels=channels,
        ch_mask=region.default_ch_mask,
        rx1_delay_us=region.receive_delay1_us,
        rx1_dr_offset=0,
        rx2_dr=region.rx2_dr,
        rx2_freq_hz=region.rx2_freq_hz,
        dr=dr,
    )


def apply_cf_list(session: DeviceSession, region: Region, cf_list: bytes) -> None:
    """Add the channels of a type-0 CFList (five frequencies, DR0–5); another type is passed over.

    Source: RP002-1.0.4 §2.4.4.
    """
    if len(cf_list) != 16 or cf_list[15] != 0:
        return
    first = len(region.default_channels)
    for i, freq_hz in enumerate(parse_cf_list(cf_list)):
        if freq_hz and region.frequency_ok(freq_hz):
            session.channels[first + i] = Channel(freq_hz, 0, region.default_max_dr)
            session.ch_mask |= 1 << (first + i)


def rx_delay_us(rx_delay_s: int) -> int:
    """RxDelay as accepts and RXTimingSetupReq carry it: 0 means 1 s. Source: LoRaWAN 1.0.4 §5.7."""
    return max(1, rx_delay_s & 0x0F) * US_PER_S
