"""A device's session: everything that joining creates and that the network may change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lorawan.crypto import SessionKeys
from lorawan.device.class_state import ClassBSettings
from lorawan.device.memory import RadioParameters, SessionMemory
from lorawan.device.rejoin import RejoinPlan
from lorawan.ids import DevAddr, NetId
from lorawan.mac_commands import DeviceModeInd, MacCommand
from lorawan.operating_class import DEVICE_MODES, OperatingClass
from lorawan.regions import ChannelPlan, Region
from lorawan.units import US_PER_S

ADR_ACK_LIMIT = 64  # RP002-1.0.4 §2.4 (recommended default values)
ADR_ACK_DELAY = 32
NO_NET_ID = NetId(0)
CLASS_A_IND = DeviceModeInd(DEVICE_MODES[OperatingClass.A]).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """A MAC answer. sticky: repeated in every uplink until a class A downlink arrives (LoRaWAN 1.0.4 §5)."""

    encoded: bytes
    sticky: bool = False
    sent: bool = False  # an uplink has carried it


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
    net_id: NetId = NO_NET_ID  # of the home network, as the accept said; ABP has no use for it
    tx_power_index: int = 0
    nb_trans: int = 1
    f_cnt_up: int = 0
    f_cnt_up_reserved: int = 0  # counters below this are claimed by a durable write
    n_f_cnt_down: int | None = None
    a_f_cnt_down: int | None = None
    adr_ack_cnt: int = 0
    adr_ack_limit: int = ADR_ACK_LIMIT
    adr_ack_delay: int = ADR_ACK_DELAY
    max_d_cycle: int = 0  # DutyCycleReq: 0 none, n: 1 / 2^n over all sub-bands
    silent_until: int = 0  # the instant before which DutyCycleReq forbids any transmission
    confirm_f_cnt_down: int | None = None  # a confirmed downlink that the next new uplink acknowledges
    last_conf_f_cnt_up: int = 0  # the last confirmed uplink's counter: ConfFCnt of the downlink that acknowledges it
    announce: bytes = b""  # RekeyInd or ResetInd: in every uplink until its Conf
    announced: int = 0  # uplinks that have carried it
    mode: bytes = b""  # DeviceModeInd: in every uplink until DeviceModeConf (LoRaWAN 1.1 §18.1)
    maybe_class_c: bool = False  # it has announced class C, and the network has not confirmed class A since
    answers: tuple[Answer, ...] = ()  # in the order of the requests
    requests: tuple[bytes, ...] = ()  # LinkCheckReq, DeviceTimeReq, PingSlotInfoReq, BeaconTimingReq
    commands_went_alone: bool = False  # the last uplink carried commands that left no room for a payload
    last_snr_db: float = 0.0
    rejoins: RejoinPlan = field(default_factory=RejoinPlan)
    class_b: ClassBSettings = field(default_factory=ClassBSettings)

    @property
    def f_opts(self) -> bytes:
        """The MAC commands the next uplink carries, in order; the caller cuts them between commands if too long."""
        return self.announce + self.mode + b"".join(answer.encoded for answer in self.answers) + b"".join(self.requests)

    def request(self, command: MacCommand) -> None:
        """Put a request into the next uplink; the same one twice is one."""
        encoded = command.encode()
        if encoded not in self.requests:
            self.requests += (encoded,)

    @property
    def max_app_payload_bytes(self) -> int:
        """N at the present data rate and dwell time: what an uplink without FOpts may carry."""
        return self.plan.max_app_payload_bytes(self.dr)

    def replan(self, plan: ChannelPlan) -> None:
        """Take a changed plan over; the data rate follows where the plan no longer has it."""
        self.plan = plan
        self.dr = plan.nearest_dr(self.dr, self.rx1_dr_offset)

    def sent(self) -> None:
        """A new uplink took the commands along: only the sticky answers stay."""
        self.answers = tuple(replace(answer, sent=True) for answer in self.answers if answer.sticky)
        self.requests = ()
        self.announced += bool(self.announce)
        self.maybe_class_c |= self.mode not in (b"", CLASS_A_IND)
        self.rejoins.uplinks += 1

    def at_rest(self) -> SessionMemory:
        """What a power cut must not take."""
        return SessionMemory(
            dev_addr=self.dev_addr,
            net_id=self.net_id,
            keys=self.keys,
            is_1_1=self.is_1_1,
            f_cnt_up_reserved=self.f_cnt_up_reserved,
            n_f_cnt_down=self.n_f_cnt_down,
            a_f_cnt_down=self.a_f_cnt_down,
            rj_count0=self.rejoins.rj_count0,
            announce=self.announce,
            maybe_class_c=self.maybe_class_c,
            parameters=RadioParameters(
                channels=self.plan.channels,
                ch_mask=self.plan.ch_mask,
                uplink_dwell=self.plan.uplink_dwell,
                downlink_dwell=self.plan.downlink_dwell,
                max_eirp_dbm=self.plan.max_eirp_dbm,
                rx1_delay_us=self.rx1_delay_us,
                rx1_dr_offset=self.rx1_dr_offset,
                rx2_dr=self.rx2_dr,
                rx2_freq_hz=self.rx2_freq_hz,
                dr=self.dr,
                tx_power_index=self.tx_power_index,
                nb_trans=self.nb_trans,
                adr_ack_limit=self.adr_ack_limit,
                adr_ack_delay=self.adr_ack_delay,
                max_d_cycle=self.max_d_cycle,
                rejoin_max_count=self.rejoins.max_count,
                rejoin_max_time_us=self.rejoins.max_time_us,
                ping_slot_freq_hz=self.class_b.ping_slot_freq_hz,
                ping_slot_dr=self.class_b.ping_slot_dr,
                beacon_freq_hz=self.class_b.beacon_freq_hz,
                ping_periodicity=self.class_b.periodicity,
            ),
        )


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


def resume(session: DeviceSession, memory: SessionMemory, *, parameters: bool) -> None:
    """Go on with the counters of a session at rest, and with what the network had set in it if `parameters`."""
    session.net_id = memory.net_id
    session.f_cnt_up = session.f_cnt_up_reserved = memory.f_cnt_up_reserved
    session.n_f_cnt_down, session.a_f_cnt_down = memory.n_f_cnt_down, memory.a_f_cnt_down
    session.announce = memory.announce
    if memory.maybe_class_c:  # a restarted device is one of class A
        session.maybe_class_c, session.mode = True, CLASS_A_IND
    session.rejoins.rj_count0 = memory.rj_count0
    if not parameters:
        return
    kept = memory.parameters
    session.plan = replace(
        session.plan,
        channels=kept.channels,
        ch_mask=kept.ch_mask,
        uplink_dwell=kept.uplink_dwell,
        downlink_dwell=kept.downlink_dwell,
        max_eirp_dbm=kept.max_eirp_dbm,
    )
    session.rx1_delay_us, session.rx1_dr_offset = kept.rx1_delay_us, kept.rx1_dr_offset
    session.rx2_dr, session.rx2_freq_hz = kept.rx2_dr, kept.rx2_freq_hz
    session.dr, session.tx_power_index, session.nb_trans = kept.dr, kept.tx_power_index, kept.nb_trans
    session.adr_ack_limit, session.adr_ack_delay = kept.adr_ack_limit, kept.adr_ack_delay
    session.max_d_cycle = kept.max_d_cycle
    session.rejoins.max_count, session.rejoins.max_time_us = kept.rejoin_max_count, kept.rejoin_max_time_us
    session.class_b = ClassBSettings(
        ping_slot_freq_hz=kept.ping_slot_freq_hz,
        ping_slot_dr=kept.ping_slot_dr,
        beacon_freq_hz=kept.beacon_freq_hz,
        periodicity=kept.ping_periodicity,
    )


def rx_delay_us(rx_delay_s: int) -> int:
    """RxDelay as accepts and RXTimingSetupReq carry it: 0 means 1 s. Source: LoRaWAN 1.0.4 §5.7."""
    return max(1, rx_delay_s & 0x0F) * US_PER_S
