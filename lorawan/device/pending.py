"""The data frame a device has under way: what it carries and how often it may be sent."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from lorawan import mac_commands as mac
from lorawan.device import adr
from lorawan.device.config import DeviceConfig
from lorawan.device.events import SendRequest
from lorawan.device.session import DeviceSession
from lorawan.machine import Dropped

F_OPTS_MAX_BYTES = 15
FHDR_AND_F_PORT_BYTES = 8  # FHDR without FOpts, and FPort: what M of the data-rate table counts beside them


@dataclass(slots=True)
class PendingFrame:
    """A counter value in use, in the clear, and how often it went out."""

    f_cnt: int
    f_opts: bytes
    f_port: int | None
    payload: bytes
    confirmed: bool
    adr_ack_req: bool
    is_request: bool  # a SendRequest waits for its end, not just MAC answers
    tries: int
    sent: int = 0
    acknowledged: bool = False

    @property
    def phy_bytes(self) -> int:
        """Length of the PHYPayload."""
        return 12 + len(self.f_opts) + (0 if self.f_port is None else 1 + len(self.payload))


def next_frame(
    session: DeviceSession, config: DeviceConfig, queue: deque[SendRequest]
) -> tuple[PendingFrame, Dropped | None]:
    """Use the next counter value for the oldest request and the MAC answers that are due.

    Answers that leave no room for the payload go first, in a frame of their own. A payload that fits no frame at the
    present data rate is dropped.
    """
    rules, region = config.version.rules, config.region
    if config.adr:
        adr.back_off(session, region, rules)
    f_opts = whole_commands(session.f_opts)
    room = region.data_rates[session.dr].max_mac_payload_bytes - FHDR_AND_F_PORT_BYTES
    request = queue[0] if queue else None
    dropped = None
    if request is not None and len(request.payload) > room:
        queue.popleft()
        dropped = Dropped("payload_too_long", "RP002-1.0.4 §2.4.7", f"{len(request.payload)} bytes at DR{session.dr}")
        request = None
    elif request is not None and len(request.payload) + len(f_opts) > room:
        request = None
    if request is not None:
        queue.popleft()
    confirmed = request is not None and request.confirmed
    by_nb_trans = rules.nb_trans_applies_to_confirmed or not confirmed
    tries = session.nb_trans if by_nb_trans else max(1, rules.confirmed_tries)
    frame = PendingFrame(
        f_cnt=session.f_cnt_up,
        f_opts=f_opts,
        f_port=request.f_port if request else None,
        payload=request.payload if request else b"",
        confirmed=confirmed,
        adr_ack_req=config.adr and adr.adr_ack_req(session, region),
        is_request=request is not None,
        tries=tries,
    )
    session.f_cnt_up += 1
    session.adr_ack_cnt += config.adr
    session.answers = session.requests = b""
    if confirmed:
        session.last_conf_f_cnt_up = frame.f_cnt & 0xFFFF
    return frame, dropped


def whole_commands(f_opts: bytes) -> bytes:
    """At most 15 bytes, cut between commands: what does not fit is asked for again (LoRaWAN 1.0.4 §5)."""
    if len(f_opts) <= F_OPTS_MAX_BYTES:
        return f_opts
    kept = b""
    for command in mac.parse_commands(f_opts, uplink=True).commands:
        encoded = command.encode()
        if len(kept) + len(encoded) > F_OPTS_MAX_BYTES:
            break
        kept += encoded
    return kept
