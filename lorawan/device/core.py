"""The device core: one class A end device, from reset to acknowledged uplinks.

What it is asked to do arrives as events; what it does leaves as effects; `wake_at` says when it wants to act next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from lorawan import mac_commands as mac
from lorawan.device import downlink, join
from lorawan.device.commands import CommandContext, carry_out
from lorawan.device.config import Activation, DeviceConfig, DeviceMemory
from lorawan.device.events import (
    DeviceEffect,
    DeviceEvent,
    Joined,
    Persist,
    Received,
    ReceptionStarted,
    RequestLinkCheck,
    RequestTime,
    SendDone,
    SendRequest,
    StartJoin,
    StopListening,
    Transmission,
)
from lorawan.device.joining import Joining
from lorawan.device.pending import PendingFrame, next_frame
from lorawan.device.phases import Phase, Step, advance
from lorawan.device.session import DeviceSession, new_session
from lorawan.device.windows import receive_windows
from lorawan.draws import Draws
from lorawan.errors import FrameError
from lorawan.frames import DataDown, EncryptedJoinAccept, FCtrlUp, parse
from lorawan.machine import Dropped, Instant
from lorawan.phy import Heard, Listen, Transmit, lora_airtime_us
from lorawan.regions import DutyCycle
from lorawan.secured import seal_join_request, seal_up
from lorawan.trace import FrameKind
from lorawan.units import US_PER_S

F_CNT_RESERVE = 64  # counters claimed by one durable write; at most this many are skipped after a power cut
F_CNT_MAX = 0xFFFFFFFF
ACK_TIMEOUT_US = (1 * US_PER_S, 3 * US_PER_S)  # RETRANSMIT_TIMEOUT 2 ± 1 s, RP002-1.0.4 §2.4


class DeviceCore:
    """A class A device. Effects are carried out in order; a Persist is durable before what follows it."""

    def __init__(self, config: DeviceConfig, draws: Draws, memory: DeviceMemory | None = None) -> None:
        self.config = config
        self.memory = memory or DeviceMemory()
        self.session: DeviceSession | None = None
        self._draws = draws
        self._phase = Phase.IDLE
        self._due: Instant | None = None
        self._queue: deque[SendRequest] = deque()
        self._duty = DutyCycle(config.region)
        self._joining = Joining(config, draws)
        self._frame: PendingFrame | None = None
        self._answered = False
        self._not_before: Instant = 0
        self._transmissions = 0
        if config.activation is Activation.ABP and config.dev_addr is not None and config.session_keys is not None:
            is_1_1 = config.version.is_1_1
            self.session = session = new_session(
                config.region, config.dev_addr, config.session_keys, is_1_1=is_1_1, dr=config.initial_dr
            )
            session.f_cnt_up = self.memory.f_cnt_up_reserved
            session.n_f_cnt_down, session.a_f_cnt_down = self.memory.n_f_cnt_down, self.memory.a_f_cnt_down
            if config.version.rules.reset_ind:
                session.announce = mac.ResetInd(1).encode()

    @property
    def wake_at(self) -> Instant | None:
        """When the next transmission is due or the windows close."""
        return self._due

    @property
    def phase(self) -> Phase:
        """Where the radio is."""
        return self._phase

    def handle(self, event: DeviceEvent, now: Instant) -> Sequence[DeviceEffect]:
        """Take an event in."""
        match event:
            case Heard():
                return self._heard(event, now)
            case SendRequest():
                return self._send_requested(event, now)
            case ReceptionStarted():
                if self._phase is Phase.RECEIVING and self._due is not None:
                    self._due = max(self._due, event.ends_at + 1)
                return ()
            case StartJoin():
                if self.config.activation is Activation.ABP:
                    return (Dropped("activation", "LoRaWAN 1.0.4 §6.3", "an ABP device does not join"),)
                if not self._joining.wanted:
                    self._joining.start()
                    if self._phase is not Phase.RECEIVING:
                        return self._schedule(now)
                return ()
            case RequestLinkCheck() | RequestTime():
                return self._mac_requested(event)

    def wake(self, now: Instant) -> Sequence[DeviceEffect]:
        """Transmit what is due, or close the windows."""
        if self._due is None or now < self._due:
            return ()
        if self._phase is Phase.WAITING:
            return self._transmit_join(now) if self._joining.wanted else self._transmit_data(now)
        return self._windows_closed(now)

    # -- what the application asks ---------------------------------------------------------------------------------

    def _send_requested(self, request: SendRequest, now: Instant) -> Sequence[DeviceEffect]:
        if not 1 <= request.f_port <= 224:
            return (Dropped("f_port", "LoRaWAN 1.0.4 §4.3.2", f"FPort {request.f_port} is not the application's"),)
        limit = self.config.region.data_rates[self.session.dr if self.session else 0].max_app_payload_bytes
        if self.session is not None and len(request.payload) > limit:
            detail = f"{len(request.payload)} bytes, {limit} fit this data rate"
            return (Dropped("payload_too_long", "RP002-1.0.4 §2.4.7", detail),)
        effects: list[DeviceEffect] = []
        # without a session only the newest reading is worth keeping
        while len(self._queue) >= (self.config.max_queue if self.session else 1):
            old = self._queue.popleft()
            effects.append(Dropped("not_joined" if self.session is None else "queue_full", "application queue"))
            effects.append(SendDone(None, 0, False if old.confirmed else None))
        self._queue.append(request)
        if self._phase is Phase.IDLE and (self.session is not None or self._joining.wanted):
            effects += self._schedule(now)
        return effects

    def _mac_requested(self, event: RequestLinkCheck | RequestTime) -> Sequence[DeviceEffect]:
        session = self.session
        if session is None:
            return (Dropped("not_joined", "LoRaWAN 1.0.4 §5"),)
        if isinstance(event, RequestTime):
            if not self.config.version.rules.device_time:
                return (Dropped("version", "LoRaWAN 1.0.3 §5.9", "1.0.2 has no DeviceTimeReq"),)
            encoded = mac.DeviceTimeReq().encode()
        else:
            encoded = mac.LinkCheckReq().encode()
        if encoded not in session.requests:  # both commands are one byte: asking twice asks once
            session.requests += encoded
        return ()

    # -- choosing when ---------------------------------------------------------------------------------------------

    def _schedule(self, now: Instant) -> Sequence[DeviceEffect]:
        """From IDLE or WAITING: fix when the next frame goes out, if there is one."""
        at = max(now, self._not_before)
        if self._joining.wanted:
            if self._joining.exhausted(self.memory):
                self._joining.finish()
                return (Dropped("dev_nonce_exhausted", "LoRaWAN 1.0.4 §6.2.4", "every DevNonce has been used"),)
            self._due = self._joining.earliest(self._duty, at)
        elif self.session is not None and (self._frame is not None or self._queue):
            self._due = max(at, self.session.silent_until)
        else:
            return ()
        self._phase = advance(self._phase, Step.FRAME_DUE)
        return ()

    def _give_up(self, now: Instant, why: Dropped) -> Sequence[DeviceEffect]:
        """From WAITING: the frame can never be sent. Go on with the next."""
        frame, self._frame, self._due = self._frame, None, None
        self._phase = advance(self._phase, Step.GIVEN_UP)
        effects: list[DeviceEffect] = [why]
        if frame is not None and frame.is_request:
            effects.append(SendDone(frame.f_cnt, frame.sent, False if frame.confirmed else None))
        return [*effects, *self._schedule(now)]

    # -- transmitting ----------------------------------------------------------------------------------------------

    def _transmit_join(self, now: Instant) -> Sequence[DeviceEffect]:
        config, region = self.config, self.config.region
        airtime_us = self._joining.airtime_us()
        free = [
            channel
            for channel in region.default_channels
            if (earliest := self._duty.earliest(channel.freq_hz, airtime_us, now)) is not None and earliest <= now
        ]
        if not free:
            return self._schedule(now)
        attempt, memory = self._joining.request(self.memory, now)
        effects: list[DeviceEffect] = []
        if memory != self.memory:
            self.memory = memory
            effects.append(Persist(memory))
        channel = free[self._pick(len(free))]
        payload = seal_join_request(config.join_key, config.join_eui, config.dev_eui, attempt.dev_nonce)
        modulation = region.modulation(attempt.dr)
        transmit = Transmit(now, payload, channel.freq_hz, modulation, self._power_dbm(0), airtime_us)
        effects.append(Transmission(transmit, FrameKind.JOIN, 0, attempt.dev_nonce, -1, 0, False))
        windows = receive_windows(
            transmit,
            region,
            rx1_delay_us=region.join_accept_delay1_us,
            rx1_freq_hz=channel.downlink_freq_hz,
            rx1_dr=region.rx1_dr(attempt.dr, 0),
            rx2_freq_hz=region.rx2_freq_hz,
            rx2_dr=region.rx2_dr,
        )
        self._sent(effects, transmit, windows)
        return effects

    def _transmit_data(self, now: Instant) -> Sequence[DeviceEffect]:
        session, region = self.session, self.config.region
        if session is None or session.f_cnt_up > F_CNT_MAX:
            self._queue.clear()
            return self._give_up(now, Dropped("f_cnt_exhausted", "LoRaWAN 1.0.4 §4.3.1.5", "join again"))
        effects: list[DeviceEffect] = []
        frame = self._frame or self._next_frame(session, effects)
        if frame is None:  # every reading that waited was too long
            self._phase, self._due = advance(self._phase, Step.GIVEN_UP), None
            return effects
        modulation = region.modulation(session.dr)
        airtime_us = lora_airtime_us(frame.phy_bytes, modulation)
        usable = [(i, ch) for i, ch in session.enabled() if ch.min_dr <= session.dr <= ch.max_dr]
        starts = [(i, ch, self._duty.earliest(ch.freq_hz, airtime_us, now)) for i, ch in usable]
        free = [(i, ch) for i, ch, at in starts if at is not None and at <= now]
        if not free:
            later = [at for _, _, at in starts if at is not None]
            if later:
                self._due = min(later)
                return effects
            why = (
                Dropped("duty_limited", "ETSI EN 300 220-2 annex B", "no sub-band can ever carry this frame")
                if usable
                else Dropped("no_channel", "RP002-1.0.4 §2.4.3", f"no enabled channel carries DR{session.dr}")
            )
            return [*effects, *self._give_up(now, why)]
        index, channel = free[self._pick(len(free))]
        payload = seal_up(
            session.keys,
            is_1_1=session.is_1_1,
            confirmed=frame.confirmed,
            dev_addr=session.dev_addr,
            f_ctrl=FCtrlUp(
                adr=self.config.adr,
                adr_ack_req=frame.adr_ack_req,
                ack=session.confirm_f_cnt_down is not None,
                class_b=False,
            ),
            f_cnt=frame.f_cnt,
            f_opts=frame.f_opts,
            f_port=frame.f_port,
            payload=frame.payload,
            conf_f_cnt=session.confirm_f_cnt_down or 0,
            tx_dr=session.dr,
            tx_ch=index,
        )
        transmit = Transmit(
            now, payload, channel.freq_hz, modulation, self._power_dbm(session.tx_power_index), airtime_us
        )
        f_port = -1 if frame.f_port is None else frame.f_port
        effects.append(
            Transmission(transmit, FrameKind.DATA, session.dev_addr, frame.f_cnt, f_port, frame.sent, frame.confirmed)
        )
        frame.sent += 1
        if session.max_d_cycle:
            # aggregated over all sub-bands: silence of airtime × (2^n − 1) after each frame (LoRaWAN 1.0.4 §5.3)
            session.silent_until = now + (airtime_us << session.max_d_cycle)
        windows = receive_windows(
            transmit,
            region,
            rx1_delay_us=session.rx1_delay_us,
            rx1_freq_hz=channel.downlink_freq_hz,
            rx1_dr=region.rx1_dr(session.dr, session.rx1_dr_offset),
            rx2_freq_hz=session.rx2_freq_hz,
            rx2_dr=session.rx2_dr,
        )
        self._sent(effects, transmit, windows)
        return effects

    def _next_frame(self, session: DeviceSession, effects: list[DeviceEffect]) -> PendingFrame | None:
        if session.f_cnt_up >= self.memory.f_cnt_up_reserved:
            self.memory = replace(self.memory, f_cnt_up_reserved=session.f_cnt_up + F_CNT_RESERVE)
            effects.append(Persist(self.memory))
        self._frame, dropped = next_frame(session, self.config, self._queue)
        effects += dropped
        return self._frame

    def _sent(self, effects: list[DeviceEffect], transmit: Transmit, windows: tuple[Listen, Listen]) -> None:
        """Account the airtime and open both windows."""
        self._duty.spend(transmit.freq_hz, transmit.airtime_us, transmit.at)
        self._transmissions += 1
        self._answered = False
        effects += windows
        self._phase = advance(self._phase, Step.FRAME_SENT)
        self._due = windows[1].closes_at

    def _pick(self, n: int) -> int:
        return self._draws.at("channel").integer(n, self._transmissions) if n > 1 else 0

    def _power_dbm(self, index: int) -> float:
        return self.config.region.tx_power_eirp_dbm(index) - self.config.eirp_offset_db

    # -- receiving -------------------------------------------------------------------------------------------------

    def _heard(self, heard: Heard, now: Instant) -> Sequence[DeviceEffect]:
        if self._phase is not Phase.RECEIVING:
            return (Dropped("not_listening", "LoRaWAN 1.0.4 §3.3"),)
        if not heard.crc_ok:
            return (Dropped("crc", "LoRaWAN 1.0.4 §4"),)
        try:
            frame = parse(heard.payload, uplink=False)
        except FrameError as error:
            return (Dropped("frame", error.clause, str(error)),)
        attempt = self._joining.attempt
        if attempt is not None and isinstance(frame, EncryptedJoinAccept):
            return self._join_accepted(heard.payload, attempt, now)
        if attempt is None and self._frame is not None and self.session is not None and isinstance(frame, DataDown):
            return self._downlink(frame, heard, self._frame, self.session, now)
        return (Dropped("unexpected", "LoRaWAN 1.0.4 §4.2.1", type(frame).__name__),)

    def _join_accepted(self, payload: bytes, attempt: join.Attempt, now: Instant) -> Sequence[DeviceEffect]:
        accepted = join.accept(payload, attempt, self.config, self.memory)
        if isinstance(accepted, Dropped):
            return (accepted,)
        self.session, self.memory = accepted
        self._joining.finish()
        effects: list[DeviceEffect] = [
            Persist(self.memory),
            Joined(self.session.dev_addr, attempt.dev_nonce),
            StopListening(),
        ]
        frame, self._frame = self._frame, None  # a frame of the old session ends with it
        if frame is not None and frame.is_request:
            effects.append(SendDone(frame.f_cnt, frame.sent, False if frame.confirmed else None))
        self._phase, self._due, self._not_before = advance(self._phase, Step.WINDOWS_CLOSED), None, now
        return [*effects, *self._schedule(now)]

    def _downlink(
        self, frame: DataDown, heard: Heard, pending: PendingFrame, session: DeviceSession, now: Instant
    ) -> Sequence[DeviceEffect]:
        accepted = downlink.accept(frame, session, self.config.version)
        if isinstance(accepted, Dropped):
            return (accepted,)
        session.last_snr_db = heard.snr_db
        session.adr_ack_cnt = 0
        session.confirm_f_cnt_down = None
        self.memory = replace(self.memory, n_f_cnt_down=session.n_f_cnt_down, a_f_cnt_down=session.a_f_cnt_down)
        effects: list[DeviceEffect] = [Persist(self.memory), StopListening()]
        pending.acknowledged = pending.confirmed and accepted.ack
        given = carry_out(accepted.commands, CommandContext(session, self.config, now))
        session.answers = given.given  # a downlink ends the repetition of earlier answers
        effects += given.news
        if accepted.confirmed:
            session.confirm_f_cnt_down = accepted.f_cnt & 0xFFFF
        if accepted.f_port is not None and accepted.f_port > 0:
            effects.append(
                Received(accepted.f_port, accepted.payload, accepted.f_cnt, accepted.confirmed, accepted.f_pending)
            )
        self._answered = True
        effects += self._windows_closed(now)
        return effects

    def _windows_closed(self, now: Instant) -> Sequence[DeviceEffect]:
        self._phase, self._due = advance(self._phase, Step.WINDOWS_CLOSED), None
        if self._joining.attempt is not None:
            self._not_before = now + self._joining.unanswered()
            return self._schedule(now)
        frame, session = self._frame, self.session
        if frame is None or session is None:
            return self._schedule(now)
        ended_by_any = self.config.version.rules.nb_trans_applies_to_confirmed or not frame.confirmed
        done = frame.acknowledged or (self._answered and ended_by_any)
        unacknowledged = frame.confirmed and not frame.acknowledged
        if unacknowledged:  # the timeout also precedes the next new frame (LoRaWAN 1.0.4 §4.3.1.3)
            self._not_before = now + self._ack_timeout_us()
        if not done and frame.sent < frame.tries:
            self._lower_data_rate(frame, session)
            return self._schedule(now)
        self._frame = None
        if not self._answered:
            session.confirm_f_cnt_down = None  # the acknowledgement went out once; a repeat will ask again
        effects: list[DeviceEffect] = []
        if frame.is_request:
            effects.append(SendDone(frame.f_cnt, frame.sent, frame.acknowledged if frame.confirmed else None))
        return [*effects, *self._schedule(now)]

    def _ack_timeout_us(self) -> int:
        low, high = ACK_TIMEOUT_US
        return low + self._draws.at("ack_timeout").integer(high - low, self._transmissions)

    def _lower_data_rate(self, frame: PendingFrame, session: DeviceSession) -> None:
        """Every second try of a confirmed uplink, where the smaller frame still fits. Source: LoRaWAN 1.0.2 §18.4."""
        region = self.config.region
        if frame.confirmed and self.config.version.rules.confirmed_tries and frame.sent % 2 == 0:
            smaller = region.data_rates[max(session.dr - 1, region.min_dr)]
            if frame.phy_bytes - 5 <= smaller.max_mac_payload_bytes:  # M counts neither MHDR nor MIC
                session.dr = smaller.index
