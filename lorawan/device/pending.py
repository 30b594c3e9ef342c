"""The data frame a device has under way: what it carries and how often it may be sent."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from lorawan import mac_commands as mac
from lorawan.device import adr
from lorawan.device.config import DeviceConfig
from lorawan.device.events import SendDone, SendRequest
from lorawan.device.session import DeviceSession
from lorawan.mac_commands.codec import F_OPTS_MAX_BYTES
from lorawan.machine import Dropped


@dataclass(slots=True)
class PendingFrame:
    """A counter value in use, in the clear, and how often it went out."""

    f_cnt: int
    f_opts: bytes
    f_port: int | None
    payload: bytes
    confirmed: bool
    adr_ack_req: bool
    confirm_f_cnt_down: int | None  # a confirmed downlink that it acknowledges, in each transmission alike
    is_request: bool  # a SendRequest waits for its end, not just MAC answers
    tries: int
    sent: int = 0
    acknowledged: bool = False

    @property
    def phy_bytes(self) -> int:
        """Length of the PHYPayload."""
        return 12 + len(self.f_opts) + (0 if self.f_port is None else 1 + len(self.payload))

    @property
    def mac_payload_bytes(self) -> int:
        """Length of the MACPayload, which M bounds: without MHDR and MIC."""
        return self.phy_bytes - 5


def next_frame(
    session: DeviceSession, config: DeviceConfig, queue: deque[SendRequest], *, empty: bool = False
) -> tuple[PendingFrame | None, list[Dropped | SendDone]]:
    """Use the next counter value for the oldest request and the MAC commands that are due; None if nothing is left.

    Commands that leave no room for the payload go first, in a frame of their own (LoRaWAN 1.0.4 §5, table 15); what is
    still to be repeated then waits while the payload goes, so that neither keeps the other out for ever. A payload that
    fits no frame at the present data rate is dropped. empty: a frame is wanted even if it carries nothing.
    """
    rules = config.version.in_session(is_1_1=session.is_1_1).rules
    if config.adr:
        adr.back_off(session, rules)
    room = session.max_app_payload_bytes
    dropped: list[Dropped | SendDone] = []
    while queue and len(queue[0].payload) > room:
        old = queue.popleft()
        detail = f"{len(old.payload)} bytes at DR{session.dr}"
        dropped.append(Dropped("payload_too_long", "RP002-1.0.4 §2.4.7", detail))
        dropped.append(SendDone(None, 0, False if old.confirmed else None))
    # without an FPort the commands have its byte too; a low data rate may still hold fewer than 15
    f_opts = mac.whole_commands(session.f_opts, min(F_OPTS_MAX_BYTES, room + 1), uplink=True)
    request = queue[0] if queue else None
    if request is not None and len(request.payload) + len(f_opts) > room:
        if session.commands_went_alone:
            f_opts = mac.whole_commands(f_opts, room - len(request.payload), uplink=True)
        else:
            request = None
    elif request is None and not f_opts and not empty:
        return None, dropped
    session.commands_went_alone = request is None
    if request is not None:
        queue.popleft()
    confirmed = request is not None and request.confirmed
    by_nb_trans = rules.nb_trans_applies_to_confirmed or not confirmed
    frame = PendingFrame(
        f_cnt=session.f_cnt_up,
        f_opts=f_opts,
        f_port=request.f_port if request else None,
        payload=request.payload if request else b"",
        confirmed=confirmed,
        adr_ack_req=config.adr and adr.adr_ack_req(session, rules),
        confirm_f_cnt_down=session.confirm_f_cnt_down,
        is_request=request is not None,
        tries=session.nb_trans if by_nb_trans else max(1, rules.confirmed_tries),
    )
    session.f_cnt_up += 1
    session.confirm_f_cnt_down = None  # acknowledged once; a repeated downlink asks again
    session.adr_ack_cnt += config.adr
    session.sent()
    if confirmed:
        session.last_conf_f_cnt_up = frame.f_cnt & 0xFFFF
    return frame, dropped
