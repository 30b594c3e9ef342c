"""Data frames, up and down: the cheap codec of the per-frame path.

`layouts.DATA_UP` and `DATA_DOWN` declare the same bytes; a property test holds the two together.

Source: TS001-1.0.4 §4.3; LoRaWAN 1.1 §4.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from struct import Struct
from typing import Final, TypeAlias, TypeVar

from lorawan.errors import FrameError
from lorawan.frames.header import F_CTRL_OFFSET, F_OPTS_OFFSET, MAX_PHY_PAYLOAD, MIC_LENGTH, MIN_DATA_FRAME, FType
from lorawan.ids import DevAddr

MAX_F_OPTS = 15

_HEAD: Final = Struct("<BIBH")  # MHDR | DevAddr | FCtrl | FCnt
_pack_head, _unpack_head = _HEAD.pack, _HEAD.unpack_from


@dataclass(frozen=True, slots=True)
class FCtrlUp:
    """FCtrl of an uplink without FOptsLen: bits 7 to 4. Source: TS001-1.0.4 §4.3.1."""

    adr: bool = False
    adr_ack_req: bool = False
    ack: bool = False
    class_b: bool = False

    @property
    def bits(self) -> int:
        """In place in the byte, FOptsLen 0."""
        return self.adr << 7 | self.adr_ack_req << 6 | self.ack << 5 | self.class_b << 4


@dataclass(frozen=True, slots=True)
class FCtrlDown:
    """FCtrl of a downlink without FOptsLen: bits 7, 5 and 4; bit 6 is RFU. Source: TS001-1.0.4 §4.3.1."""

    adr: bool = False
    ack: bool = False
    f_pending: bool = False

    @property
    def bits(self) -> int:
        """In place in the byte, FOptsLen and RFU 0."""
        return self.adr << 7 | self.ack << 5 | self.f_pending << 4


# The sixteen values of the upper nibble, so that a received frame builds none
_F_CTRL_UP = tuple(FCtrlUp(bool(b & 8), bool(b & 4), bool(b & 2), bool(b & 1)) for b in range(16))
_F_CTRL_DOWN = tuple(FCtrlDown(bool(b & 8), bool(b & 2), bool(b & 1)) for b in range(16))


@dataclass(frozen=True, slots=True)
class DataUp:
    """An uplink data frame as on the wire: f_cnt is the low 16 bits, f_opts and frm_payload may be enciphered.

    f_port None: no FPort, and then no FRMPayload. Values out of range raise FrameError in `message` and `encode`. A
    frame that came from `parse` keeps its bytes, RFU bits included: the MIC covers them.
    """

    confirmed: bool
    dev_addr: DevAddr
    f_ctrl: FCtrlUp
    f_cnt: int
    f_opts: bytes = b""
    f_port: int | None = None
    frm_payload: bytes = b""
    mic: bytes = bytes(MIC_LENGTH)
    _wire: bytes = field(default=b"", init=False, repr=False, compare=False)

    @property
    def f_type(self) -> FType:
        """Confirmed or unconfirmed data up."""
        return FType.CONFIRMED_UP if self.confirmed else FType.UNCONFIRMED_UP

    def message(self) -> bytes:
        """MHDR to FRMPayload: what the MIC is over. Raises FrameError."""
        if self._wire:
            return self._wire[:-MIC_LENGTH]
        return data_message(
            0x80 if self.confirmed else 0x40,
            self.dev_addr,
            self.f_ctrl.bits,
            self.f_cnt,
            f_opts=self.f_opts,
            f_port=self.f_port,
            frm_payload=self.frm_payload,
        )

    def encode(self) -> bytes:
        """The PHYPayload. Raises FrameError."""
        return self._wire or self.message() + checked_mic(self.mic)


@dataclass(frozen=True, slots=True)
class DataDown:
    """A downlink data frame; fields as in `DataUp`."""

    confirmed: bool
    dev_addr: DevAddr
    f_ctrl: FCtrlDown
    f_cnt: int
    f_opts: bytes = b""
    f_port: int | None = None
    frm_payload: bytes = b""
    mic: bytes = bytes(MIC_LENGTH)
    _wire: bytes = field(default=b"", init=False, repr=False, compare=False)

    @property
    def f_type(self) -> FType:
        """Confirmed or unconfirmed data down."""
        return FType.CONFIRMED_DOWN if self.confirmed else FType.UNCONFIRMED_DOWN

    def message(self) -> bytes:
        """MHDR to FRMPayload: what the MIC is over. Raises FrameError."""
        if self._wire:
            return self._wire[:-MIC_LENGTH]
        return data_message(
            0xA0 if self.confirmed else 0x60,
            self.dev_addr,
            self.f_ctrl.bits,
            self.f_cnt,
            f_opts=self.f_opts,
            f_port=self.f_port,
            frm_payload=self.frm_payload,
        )

    def encode(self) -> bytes:
        """The PHYPayload. Raises FrameError."""
        return self._wire or self.message() + checked_mic(self.mic)


DataFrame: TypeAlias = DataUp | DataDown
_Frame = TypeVar("_Frame", DataUp, DataDown)


def _unchecked(cls: type[_Frame]) -> Callable[..., _Frame]:
    """A constructor from all fields, `_wire` too, in half the time of the frozen dataclass's own."""
    set_confirmed, set_dev_addr, set_f_ctrl, set_f_cnt, set_f_opts, set_f_port, set_frm_payload, set_mic, set_wire = (
        cls.__dict__[each.name].__set__ for each in fields(cls)
    )
    new = object.__new__

    def made(
        confirmed: bool,
        dev_addr: DevAddr,
        f_ctrl: FCtrlUp | FCtrlDown,
        f_cnt: int,
        f_opts: bytes,
        f_port: int | None,
        frm_payload: bytes,
        mic: bytes,
        wire: bytes,
    ) -> _Frame:
        frame = new(cls)
        set_confirmed(frame, confirmed)
        set_dev_addr(frame, dev_addr)
        set_f_ctrl(frame, f_ctrl)
        set_f_cnt(frame, f_cnt)
        set_f_opts(frame, f_opts)
        set_f_port(frame, f_port)
        set_frm_payload(frame, frm_payload)
        set_mic(frame, mic)
        set_wire(frame, wire)
        return frame

    return made


_data_up, _data_down = _unchecked(DataUp), _unchecked(DataDown)
_dev_addr = partial(int.__new__, DevAddr)  # 32 bits unpacked are 32 bits


def data_message(
    mhdr: int, dev_addr: int, f_ctrl: int, f_cnt: int, *, f_opts: bytes, f_port: int | None, frm_payload: bytes
) -> bytes:
    """A data frame without its MIC. f_ctrl: without FOptsLen; f_cnt: its low 16 bits. Raises FrameError."""
    f_opts_length = len(f_opts)
    if f_opts_length > MAX_F_OPTS:
        raise FrameError(
            f"{f_opts_length} bytes",
            field="FOpts",
            offset=F_OPTS_OFFSET,
            clause="TS001-1.0.4 §4.3.1.6",
            hint="FOptsLen counts to 15; send longer lists on FPort 0",
        )
    if not 0 <= f_cnt <= 0xFFFF:
        raise FrameError(f"{f_cnt} does not fit the 16 bits on the wire", field="FCnt", clause="TS001-1.0.4 §4.3.1.5")
    head = _pack_head(mhdr, dev_addr, f_ctrl | f_opts_length, f_cnt)
    if f_port is None:
        if frm_payload:
            raise FrameError("there is a payload and no port", field="FPort", clause="TS001-1.0.4 §4.3.2")
        return head + f_opts
    if not 0 <= f_port <= 0xFF:
        raise FrameError(f"{f_port} does not fit a byte", field="FPort", clause="TS001-1.0.4 §4.3.2")
    if f_port == 0 and f_opts and frm_payload:
        raise two_command_lists()
    message = head + f_opts + bytes((f_port,)) + frm_payload
    if len(message) > MAX_PHY_PAYLOAD - MIC_LENGTH:
        raise FrameError(f"{len(frm_payload)} bytes make the frame longer than 255", field="FRMPayload")
    return message


def parse_data(payload: bytes) -> DataFrame:
    """A data frame from its PHYPayload, whose type and Major are known to be right. Raises FrameError."""
    length = len(payload)
    if length < MIN_DATA_FRAME:
        raise FrameError(
            f"a data frame of {length} bytes",
            field="PHYPayload",
            offset=length,
            clause="TS001-1.0.4 §4.3.1",
            hint=f"the shortest has {MIN_DATA_FRAME}",
        )
    mhdr, dev_addr, f_ctrl, f_cnt = _unpack_head(payload)
    options_end, mic_start = F_OPTS_OFFSET + (f_ctrl & 0x0F), length - MIC_LENGTH
    if options_end > mic_start:
        raise FrameError(
            f"{f_ctrl & 0x0F} bytes of FOpts in a frame that has room for {mic_start - F_OPTS_OFFSET}",
            field="FOptsLen",
            offset=F_CTRL_OFFSET,
            clause="TS001-1.0.4 §4.3.1.6",
        )
    f_port: int | None = None
    frm_payload = b""
    if options_end < mic_start:
        f_port = payload[options_end]
        frm_payload = payload[options_end + 1 : mic_start]
        if f_port == 0 and frm_payload and options_end > F_OPTS_OFFSET:
            raise two_command_lists(options_end)
    address, f_opts, mic = _dev_addr(dev_addr), payload[F_OPTS_OFFSET:options_end], payload[mic_start:]
    if mhdr & 0x20:
        down = _F_CTRL_DOWN[f_ctrl >> 4]
        return _data_down(mhdr >= 0x80, address, down, f_cnt, f_opts, f_port, frm_payload, mic, payload)
    up = _F_CTRL_UP[f_ctrl >> 4]
    return _data_up(mhdr >= 0x80, address, up, f_cnt, f_opts, f_port, frm_payload, mic, payload)


def checked_mic(mic: bytes) -> bytes:
    """The MIC as it is. Raises FrameError unless it has four bytes."""
    if len(mic) != MIC_LENGTH:
        raise FrameError(f"{len(mic)} bytes", field="MIC", clause="TS001-1.0.4 §4.4", hint="a MIC has 4")
    return mic


def two_command_lists(offset: int | None = None) -> FrameError:
    """The error of a frame with MAC commands in FOpts and on FPort 0 at once."""
    return FrameError(
        "MAC commands stand in FOpts and in FRMPayload at once",
        field="FPort",
        offset=offset,
        clause="TS001-1.0.4 §4.3.1.6",
        hint="use one of the two",
    )
