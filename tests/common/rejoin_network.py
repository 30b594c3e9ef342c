"""A network for rejoins, made by hand: what goes out next, and the accept that answers it."""

from __future__ import annotations

from mac_pairs import NWK_KEY, joined

from lorawan.crypto import derive_join_keys
from lorawan.device import Transmission
from lorawan.device.events import DeviceEffect
from lorawan.frames import JoinAccept, RejoinRequest02, RejoinRequest1, parse
from lorawan.ids import DevAddr, NetId
from lorawan.phy import Heard, Listen
from lorawan.secured import seal_join_accept_11
from lorawan.testing import Pair
from lorawan.version import Version

NEW_ADDR = DevAddr(0x26AABBCC)


def joined_1_1(**changes: object) -> Pair:
    """A 1.1 device whose keys are confirmed."""
    pair = joined(Version.V1_1, **changes)
    pair.send(b"first")
    assert pair.device.session is not None
    assert pair.device.session.announce == b""
    return pair


def next_out(pair: Pair) -> tuple[Transmission, tuple[Listen, Listen]]:
    """Let time pass until the device transmits; its effects are kept in the pair."""
    for _ in range(50):
        due = pair.device.wake_at
        assert due is not None, "the device wants nothing"
        pair.now = max(pair.now, due)
        effects = pair.device.wake(pair.now)
        pair.device_effects += effects
        sent = [e for e in effects if isinstance(e, Transmission)]
        if sent:
            first, second = (e for e in effects if isinstance(e, Listen))
            return sent[0], (first, second)
    raise AssertionError("the device does not come to transmit")


def rejoin_of(transmission: Transmission) -> RejoinRequest02 | RejoinRequest1:
    frame = parse(transmission.transmit.payload, uplink=True)
    assert isinstance(frame, RejoinRequest02 | RejoinRequest1)
    return frame


def accept_for(
    pair: Pair, transmission: Transmission, join_nonce: int, *, cf_list: bytes = b"", join_req_type: int | None = None
) -> bytes:
    """The accept of a Rejoin-Request, with an RX1 offset of 1, RX2 at DR3 and 4 s of delay."""
    frame, config = rejoin_of(transmission), pair.config
    keys = derive_join_keys(NWK_KEY, config.dev_eui)
    rejoin_type = 1 if isinstance(frame, RejoinRequest1) else frame.rejoin_type
    return seal_join_accept_11(
        keys.js_enc_key,
        keys.js_int_key,
        JoinAccept(
            join_nonce, NetId(0x24), NEW_ADDR, opt_neg=True, rx1_dr_offset=1, rx2_dr=3, rx_delay_s=4, cf_list=cf_list
        ),
        config.join_eui,
        frame.rj_count,
        join_req_type=rejoin_type if join_req_type is None else join_req_type,
    )


def hear_in(pair: Pair, listen: Listen, payload: bytes) -> list[DeviceEffect]:
    """A frame from the network in a window."""
    pair.now = max(pair.now, listen.closes_at)
    effects = list(
        pair.device.handle(Heard(pair.now, payload, listen.freq_hz, listen.modulation, -90.0, 5.0, 0), pair.now)
    )
    pair.device_effects += effects
    return effects
