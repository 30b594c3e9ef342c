"""Fuzz targets in `lorawan`: frames, MAC commands, and both ends with strangers' frames and with genuine ones.

That a stranger's frame is dropped is no part of these contracts: atheris shows libFuzzer both sides of a comparison, so
it learns the MIC that the code computes, and its "strangers" come to hold genuine frames.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from lorawan.crypto import SessionKeys, derive_join_keys
from lorawan.device import DeviceConfig, SendRequest, StartJoin, Transmission
from lorawan.device.events import DeviceEffect
from lorawan.errors import FrameError
from lorawan.frames import (
    DataDown,
    DataUp,
    FCtrlDown,
    FCtrlUp,
    JoinAccept,
    JoinRequest,
    RejoinRequest02,
    RejoinRequest1,
    parse,
    parse_cf_list,
    peek_dev_addr,
    peek_f_type,
    peek_join_eui,
)
from lorawan.frames.beacon import crc16_ccitt, decode_beacon, encode_beacon
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.mac_commands import (
    DevStatusReq,
    LinkAdrReq,
    NewChannelReq,
    RekeyInd,
    RxParamSetupReq,
    RxTimingSetupReq,
    encode_commands,
    parse_commands,
)
from lorawan.phy import Heard, Listen, LoraModulation
from lorawan.regions import EU868, REGIONS
from lorawan.regions.cf_list import with_cf_list
from lorawan.regions.channel_plan import ChannelPlan
from lorawan.regions.region import Region
from lorawan.secured import (
    join_accept_mic_ok_10,
    join_accept_mic_ok_11,
    join_request_mic_ok,
    mic_down_ok,
    mic_up_ok,
    open_down,
    open_join_accept,
    open_up,
    seal_down,
    seal_join_accept_10,
    seal_join_accept_11,
    seal_up,
)
from lorawan.server import Ask, JoinHeard, JoinSettings, QueueDownlink, RejoinHeard, UplinkHeard
from lorawan.testing import Pair
from lorawan.version import Version
from tests.fuzz.contract import Pieces, Target, as_text

VERSIONS = tuple(Version)
REGION_TABLES = tuple(REGIONS.values())
APP_KEY, NWK_KEY = AesKey(bytes(range(16))), AesKey(bytes(range(16, 32)))
DEV_EUI, JOIN_EUI = Eui64(0x70B3D57ED0000001), Eui64(0x70B3D57ED0000000)
KEYS = SessionKeys(AesKey(b"f" * 16), AesKey(b"s" * 16), AesKey(b"e" * 16), AesKey(b"a" * 16))
SF7 = LoraModulation(7)


def _frames(data: bytes) -> None:
    for uplink in (True, False, None):
        with suppress(FrameError):
            parse(data, uplink=uplink)
    for peek in (peek_f_type, peek_dev_addr, peek_join_eui):
        with suppress(FrameError):
            peek(data)


def _mac_commands(data: bytes) -> None:
    for version in (None, *VERSIONS):
        for uplink in (True, False):
            parsed = parse_commands(data, uplink=uplink, version=version)
            assert data.endswith(parsed.rest)
            again = parse_commands(encode_commands(parsed.commands), uplink=uplink, version=version)
            assert (again.commands, again.rest) == (parsed.commands, b"")


def _join_accept(data: bytes) -> None:
    accept, mic, message = open_join_accept(APP_KEY, data)
    join_accept_mic_ok_10(APP_KEY, message, mic)
    join_accept_mic_ok_11(NWK_KEY, message, mic, join_eui=JOIN_EUI, dev_nonce=7)
    again = JoinAccept.parse(accept.message())
    assert again == accept


def _cf_list(data: bytes) -> None:
    assert len(parse_cf_list(data)) == 5


def _beacon(data: bytes) -> None:
    """Spreading factor, then the frame as it is and with both of its CRCs set right."""
    pieces = Pieces(data)
    sf = pieces.pick((8, 9, 10, 12, 7))
    frame = pieces.rest()
    with suppress(FrameError):
        decode_beacon(frame, sf)
    common_end = {8: 5, 9: 6, 10: 7, 12: 9}.get(sf, 5)
    common = frame[:common_end]
    sound = common + crc16_ccitt(common).to_bytes(2, "little") + frame[common_end + 2 :]
    decoded = decode_beacon(sound, sf)
    assert decode_beacon(encode_beacon(decoded, sf), sf).gps_s == decoded.gps_s
    assert -90 <= decoded.latitude_deg <= 90


def _secured(data: bytes) -> None:
    """Counter, flags, then a frame of either direction."""
    pieces = Pieces(data)
    f_cnt, is_1_1 = pieces.number(4), pieces.pick((False, True))
    frame = parse(pieces.rest())
    if isinstance(frame, DataUp):
        mic_up_ok(KEYS, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt)
        open_up(KEYS, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt)
    elif isinstance(frame, DataDown):
        mic_down_ok(KEYS, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt)
        open_down(KEYS, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt)
    elif isinstance(frame, JoinRequest):
        join_request_mic_ok(APP_KEY, frame)


def _names(data: bytes) -> None:
    text = as_text(data)
    for reader in (Eui64.from_hex, DevAddr.from_hex, NetId.from_hex, AesKey.from_hex, LoraModulation.from_datr):
        with suppress(FrameError):
            reader(text)


@dataclass(slots=True)
class _Standing:
    """A device in a phase, and what it did on its way there."""

    pair: Pair
    effects: list[DeviceEffect]

    @property
    def dev_nonce(self) -> int:
        """Of its join request on the air; 0 where there is none."""
        sent = next((effect for effect in self.effects if isinstance(effect, Transmission)), None)
        frame = None if sent is None else parse(sent.transmit.payload, uplink=True)
        return frame.dev_nonce if isinstance(frame, JoinRequest) else 0

    def hear(self, payload: bytes) -> list[DeviceEffect]:
        """A frame in the window that opens first, or at once where none is to open."""
        listen = next((effect for effect in self.effects if isinstance(effect, Listen)), None)
        pair = self.pair
        if listen is None:
            heard = Heard(pair.now, payload, 868_100_000, SF7, -90.0, 5.0, 0)
        else:
            pair.now = max(pair.now, listen.opens_at + 100_000)
            heard = Heard(pair.now, payload, listen.freq_hz, listen.modulation, -90.0, 5.0, 0)
        self.effects = list(pair.device.handle(heard, pair.now))
        return self.effects

    def go_on(self) -> None:
        """Send something, and let the device come to rest with nobody there."""
        device, pair = self.pair.device, self.pair
        if device.session is not None:
            device.handle(SendRequest(10, b"x"), pair.now)
        for _ in range(12):
            if device.wake_at is None:
                return
            pair.now = max(pair.now, device.wake_at)
            device.wake(pair.now)


PHASES = ("new", "join waits", "join listens", "joined", "data waits", "data listens")


def _standing(version: Version, phase: str, region: Region = EU868) -> _Standing:
    config = DeviceConfig(version, DEV_EUI, JOIN_EUI, APP_KEY, NWK_KEY, region=region)
    pair = Pair(config, JoinSettings(NetId(0x000013), rx2_dr=region.rx2_dr))
    if phase == "new":
        return _Standing(pair, [])
    if phase.startswith("join "):
        effects = list(pair.device.handle(StartJoin(), pair.now))
    else:
        pair.join()
        if phase == "joined":
            return _Standing(pair, [])
        effects = list(pair.device.handle(SendRequest(10, b"x"), pair.now))
    if phase.endswith("listens"):
        assert pair.device.wake_at is not None
        pair.now = max(pair.now, pair.device.wake_at)
        effects = list(pair.device.wake(pair.now))
    return _Standing(pair, effects)


def _device_hears_strangers(data: bytes) -> None:
    """Version, phase, then frames of somebody without keys."""
    pieces = Pieces(data)
    device = _standing(pieces.pick(VERSIONS), pieces.pick(PHASES))
    while pieces:
        device.hear(pieces.string())
    device.go_on()


def _device_hears_its_network(data: bytes, region: Region = EU868) -> None:
    """Version, then genuine downlinks: flags, FPort, FOpts, payload of each."""
    pieces = Pieces(data)
    device = _standing(pieces.pick(VERSIONS), "data listens", region)
    for f_cnt in range(3):
        session = device.pair.device.session
        if not pieces or session is None:
            return
        flags, f_port = pieces.byte(), pieces.byte()
        f_opts, payload = pieces.string()[:15], pieces.string()[:200]
        sealed = seal_down(
            session.keys,
            is_1_1=session.is_1_1,
            confirmed=bool(flags & 8),
            dev_addr=session.dev_addr,
            f_ctrl=FCtrlDown(adr=bool(flags & 1), ack=bool(flags & 2), f_pending=bool(flags & 4)),
            f_cnt=f_cnt,
            f_opts=b"" if f_port == 0 and flags & 16 else f_opts,
            f_port=f_port if flags & 16 else None,
            payload=payload if flags & 16 else b"",
        )
        device.hear(sealed)
        device.go_on()
        device.effects = list(device.pair.device.handle(SendRequest(10, b"x"), device.pair.now))
        if device.pair.device.wake_at is not None:
            device.pair.now = max(device.pair.now, device.pair.device.wake_at)
            device.effects = list(device.pair.device.wake(device.pair.now))


def _device_takes_an_accept(data: bytes, region: Region = EU868) -> None:
    """Version, then the fields of a genuine Join-Accept in clear."""
    pieces = Pieces(data)
    version = pieces.pick(VERSIONS)
    device = _standing(version, "join listens", region)
    accept = JoinAccept.parse(pieces.rest())
    root = NWK_KEY if version.is_1_1 else APP_KEY
    if version.is_1_1 and accept.opt_neg:
        js_int_key = derive_join_keys(NWK_KEY, DEV_EUI).js_int_key
        sealed = seal_join_accept_11(root, js_int_key, accept, JOIN_EUI, device.dev_nonce)
    else:
        sealed = seal_join_accept_10(root, replace(accept, opt_neg=False))
    device.hear(sealed)
    device.go_on()


def _device_elsewhere(data: bytes) -> None:
    """Region, whether an accept or downlinks, then those."""
    pieces = Pieces(data)
    region = pieces.pick(REGION_TABLES)
    pieces.pick((_device_takes_an_accept, _device_hears_its_network))(pieces.rest(), region)


def _channel_plans(data: bytes) -> None:
    """Region, then changes: a CFList, a block of masks, a channel, a downlink channel; kind and values of each."""
    pieces = Pieces(data)
    plan = ChannelPlan.of(pieces.pick(REGION_TABLES))
    while pieces:
        match pieces.byte() % 4:
            case 0:
                with suppress(FrameError):
                    plan = with_cf_list(plan, pieces.string())
            case 1:
                masks = [(pieces.byte() % 8, pieces.number(2)) for _ in range(pieces.byte() % 4)]
                plan = plan.with_masks(masks) or plan
            case 2:
                index, freq_hz, rates = pieces.byte(), pieces.number(3) * 100, pieces.byte()
                plan, _, _ = plan.new_channel(index, freq_hz, rates & 15, rates >> 4)
            case _:
                plan, _, _ = plan.dl_channel(pieces.byte(), pieces.number(3) * 100)
        for dr in range(16):
            plan.usable(dr)
        assert plan.with_defaults_enabled().enabled()


def _server_hears_strangers(data: bytes) -> None:
    """Version, then frames of somebody without keys."""
    pieces = Pieces(data)
    pair = _standing(pieces.pick(VERSIONS), "joined").pair
    while pieces:
        with suppress(FrameError):
            frame = parse(pieces.string(), uplink=True)
            if isinstance(frame, DataUp):
                pair.server.handle(UplinkHeard(frame, 5.0, 5, 0, 1), pair.now)
            elif isinstance(frame, JoinRequest):
                pair.server.handle(JoinHeard(frame), pair.now)
            elif isinstance(frame, RejoinRequest02 | RejoinRequest1):
                pair.server.handle(RejoinHeard(frame), pair.now)


ASKED = (
    RxTimingSetupReq(3),
    NewChannelReq(ch_index=3, freq_hz=867_100_000, max_dr=5, min_dr=0),
    RxParamSetupReq(rx1_dr_offset=1, rx2_dr=3, freq_hz=869_525_000),
    LinkAdrReq(data_rate=3, tx_power=1, ch_mask=5, ch_mask_cntl=0, nb_trans=2),
    DevStatusReq(),
)


def _server_hears_its_device(data: bytes) -> None:
    """Version, then genuine uplinks: flags, FPort, SNR, FOpts, payload of each."""
    pieces = Pieces(data)
    pair = _standing(pieces.pick(VERSIONS), "joined").pair
    session, device_session = pair.session, pair.device.session
    assert session is not None
    assert device_session is not None
    for f_cnt in range(4):
        if not pieces:
            return
        flags, f_port, snr_db = pieces.byte(), pieces.byte(), pieces.byte() / 4 - 32
        f_opts, payload = pieces.string()[:15], pieces.string()[:200]
        if f_cnt == 0 and device_session.is_1_1:
            f_opts = (RekeyInd(1).encode() + f_opts)[:15]  # without it nothing is taken
        if flags & 128:
            for request in ASKED:
                session.handle(Ask((request,)), pair.now)
        if flags & 32:
            session.handle(QueueDownlink(1 + f_port % 223, payload, bool(flags & 64)), pair.now)
        sealed = seal_up(
            device_session.keys,
            is_1_1=device_session.is_1_1,
            confirmed=bool(flags & 8),
            dev_addr=device_session.dev_addr,
            f_ctrl=FCtrlUp(adr=bool(flags & 1), adr_ack_req=bool(flags & 2), ack=bool(flags & 4)),
            f_cnt=f_cnt,
            f_opts=b"" if f_port == 0 and flags & 16 else f_opts,
            f_port=f_port if flags & 16 else None,
            payload=payload if flags & 16 else b"",
            tx_dr=f_cnt,
        )
        frame = parse(sealed, uplink=True)
        assert isinstance(frame, DataUp)
        session.handle(UplinkHeard(frame, snr_db, f_cnt, 0, 1), pair.now)


TARGETS = {
    "frames": Target(_frames, max_bytes=260),
    "mac_commands": Target(_mac_commands, max_bytes=250),
    "join_accept": Target(_join_accept, (FrameError,), max_bytes=33),
    "cf_list": Target(_cf_list, (FrameError,), max_bytes=20),
    "beacon": Target(_beacon, (FrameError,), max_bytes=24),
    "secured_frames": Target(_secured, (FrameError,), max_bytes=265),
    "identifiers": Target(_names, max_bytes=6_000),
    "device_strangers": Target(_device_hears_strangers, max_bytes=200),
    "device_downlinks": Target(_device_hears_its_network, (FrameError,), max_bytes=200),
    "device_join_accept": Target(_device_takes_an_accept, (FrameError,), max_bytes=29),
    "device_elsewhere": Target(_device_elsewhere, (FrameError,), max_bytes=200),
    "channel_plans": Target(_channel_plans, max_bytes=120),
    "server_strangers": Target(_server_hears_strangers, max_bytes=200),
    "server_uplinks": Target(_server_hears_its_device, (FrameError,), max_bytes=200),
}
