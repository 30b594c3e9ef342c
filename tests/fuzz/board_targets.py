"""Fuzz targets of what comes over serial lines: concentrators, boot loaders, GPS receivers, tools; and firmware."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from gateway_fw.concentrator.chip_firmware import image_of_c_array
from gateway_fw.concentrator.corecell import CoreCellDriver
from gateway_fw.concentrator.corecell_bridge import (
    FrameDecoder,
    Modify,
    Order,
    OrderType,
    Transfer,
    check_answer,
    check_done,
    decode_ping,
    decode_spi,
    decode_status,
)
from gateway_fw.concentrator.corecell_records import split_records
from gateway_fw.concentrator.events import Start
from gateway_fw.concentrator.picogw_records import (
    BoardConf,
    IfConf,
    RadioConf,
    TxOrder,
    decode_gains,
    decode_records,
    encode_gains,
)
from gateway_fw.concentrator.picogw_wire import AnswerReader, CommandReader
from gateway_fw.concentrator.replay import exchanges_of, replay
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.errors import BridgeError, ChipFirmwareError, ImageError, TraceFormatError
from gateway_fw.flash import dfu, esp32
from gateway_fw.flash.boards import board, chip_by_id
from gateway_fw.flash.procedure import Begin, ProcedureCore
from gateway_fw.flash.read_image import read_image
from gateway_fw.flash.slip import SlipDecoder
from gateway_fw.flash.slip import encode as slip_encode
from gateway_fw.flash.stm32 import identify
from gateway_fw.flash.ymodem import receive_ymodem, send_xmodem, send_ymodem
from gateway_fw.gps.line import GpsCore, ReadPulse
from gateway_fw.gps.nmea import NmeaError, parse_sentence
from gateway_fw.gps.ubx import UbxError, message, parse_message
from gateway_fw.serial_port import read_trace
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from gateway_fw.virtual.corecell import VirtualCoreCell
from gateway_fw.virtual.esp32_rom import Esp32RomCore
from gateway_fw.virtual.picogw import VirtualPicoGw
from gateway_fw.virtual.stm32_bootloader import Stm32BootloaderCore
from lorawan.machine import Core
from tests.common.corecell_pair import MADE_UP
from tests.common.picogw_pair import Pair as PicoGwPair
from tests.fuzz.contract import Pieces, Target, as_text

SPI = ((Transfer(b"\0" * 6),), (Modify(0x5600, 1, 1), Transfer(b"\0" * 4)))
STM32 = board("stm32")
F103 = chip_by_id(0x410)
assert F103 is not None


def _corecell_answers(data: bytes) -> None:
    """A stream of answers, each read as the answer to every order."""
    decoder = FrameDecoder()
    decoder.feed(data)
    for _ in range(len(data)):
        try:
            frame = decoder.take()
        except BridgeError:
            decoder.flush()
            break
        if frame is None:
            break
        for kind in OrderType:
            with suppress(BridgeError):
                check_answer(Order(kind, b""), frame)
        for reader in (decode_ping, decode_status, check_done):
            with suppress(BridgeError):
                reader(frame.payload)
        for elements in SPI:
            with suppress(BridgeError):
                assert len(decode_spi(elements, frame.payload)) == len(elements)
    decoder.flush()


def _corecell_records(data: bytes) -> None:
    """A receive buffer as it is, then as one record with its checksum set right."""
    for buffer in (data, data + bytes((sum(data) & 0xFF,))):
        records, _ = split_records(buffer)
        assert sum(23 + len(record.payload) for record in records) <= len(buffer)


def _corecell_driver(data: bytes) -> None:
    """What a board says, a piece at each time the driver wants to go on."""
    driver, now = CoreCellDriver(MADE_UP), 0
    order_id = 0
    for effect in driver.handle(Start(RadioSetup()), now):
        order_id = effect.data[0] if isinstance(effect, SendBytes) else order_id
    for piece in Pieces(data).strings():
        now = max(now + 1_000, driver.wake_at or 0)
        effects = [*driver.wake(now), *driver.handle(BytesReceived(piece), now)]
        effects += driver.handle(BytesReceived(bytes((order_id,)) + piece), now)
        for effect in effects:
            order_id = effect.data[0] if isinstance(effect, SendBytes) and effect.data else order_id
    driver.handle(LineLost(), now)


def _line_core(make: Callable[[], Core[BytesReceived, object]]) -> Callable[[bytes], None]:
    def call(data: bytes) -> None:
        core, now = make(), 0
        for piece in Pieces(data).strings():
            core.handle(BytesReceived(piece), now)
            now += 1_000
            for _ in range(4):
                due = core.wake_at
                if due is None:
                    break
                now = max(now, due)
                core.wake(now)

    return call


def _picogw_records(data: bytes) -> None:
    order = TxOrder.decode(data)
    assert TxOrder.decode(order.encode()) == order
    for layout in (RadioConf, IfConf, BoardConf):
        layout.decode(data).encode()
    rows = decode_gains(data)
    assert decode_gains(encode_gains(rows)) == rows
    records, _ = decode_records(data)
    for record in records:
        record.encode()
    list(AnswerReader().feed(data))
    list(CommandReader().feed(data))


def _picogw_driver(data: bytes) -> None:
    """How far the start has come, in units of 50 ms up to 3.2 s, then what the board says beside its answers."""
    pieces = Pieces(data)
    pair = PicoGwPair()
    pair.start(us=pieces.byte() % 64 * 50_000)
    for piece in pieces.strings():
        pair.to_driver(BytesReceived(piece))
        pair.run(30_000)
    pair.run(1_000_000)


def _procedure(make: Callable[[], ProcedureCore[object]]) -> Callable[[bytes], None]:
    def call(data: bytes) -> None:
        """Answers, each followed by one time-out; then silence until the procedure gives up."""
        core, now = make(), 0
        core.handle(Begin(), now)
        for piece in Pieces(data).strings():
            core.handle(BytesReceived(piece), now)
            if core.wake_at is not None and not piece:
                now = core.wake_at
                core.wake(now)
        for _ in range(600):
            if core.over:
                return
            assert core.wake_at is not None
            now = core.wake_at
            core.wake(now)
        raise AssertionError("it does not end")

    return call


def _image(format_name: str | None, name: str) -> Callable[[bytes], None]:
    def call(data: bytes) -> None:
        image = read_image(data, source=name, format_name=format_name, base=0x0800_0000)
        assert image.size > 0

    return call


def _ihex(data: bytes) -> None:
    """Lines of hexadecimal digits, given their colons and checksums; then the file as it is."""
    made = []
    for line in data.split(b"\n"):
        with suppress(ValueError):
            body = bytes.fromhex(line.decode("ascii", "replace").strip(": \r"))
            made.append(b":" + (body + bytes((-sum(body) & 0xFF,))).hex().encode())
    with suppress(ImageError):
        read_image(b"\n".join(made), source="a.hex", format_name="ihex")
    read_image(data, source="a.hex", format_name="ihex")


def _srec(data: bytes) -> None:
    """Lines of a digit and hexadecimal digits, made records; then the file as it is."""
    made = []
    for line in data.split(b"\n"):
        with suppress(ValueError):
            body = bytes.fromhex(line[1:].decode("ascii", "replace").strip())[:254]
            body = bytes((len(body) + 1,)) + body
            made.append(b"S" + line[:1] + (body + bytes((~sum(body) & 0xFF,))).hex().upper().encode())
    with suppress(ImageError):
        read_image(b"\n".join(made), source="a.s19", format_name="srec")
    read_image(data, source="a.s19", format_name="srec")


def _chip_firmware(data: bytes) -> None:
    image_of_c_array(as_text(data), "a.var")


def _tools(data: bytes) -> None:
    text = as_text(data)
    dfu.parse_devices(text)
    dfu.parse_progress(text, 1_000)
    dfu.parse_layout(text)
    dfu.parse_layout("@Internal Flash  /0x08000000/" + text)
    esp32.parse_progress(text, 1_000)
    esp32.parse_chip(text)


def _trace(data: bytes) -> None:
    """A byte trace, replayed as well."""
    lines = list(read_trace(as_text(data).splitlines()))
    replay(exchanges_of((line.t_us, line.direction, line.data) for line in lines), RadioSetup())


def _exchanges(data: bytes) -> None:
    """A recording of a host whose firmware is known: its answers, then our driver run against them."""
    lines = []
    for start, image in ((0x0000, MADE_UP.agc), (0x2000, MADE_UP.arb)):
        write = b"\0" + (0x8000 | start).to_bytes(2, "big") + image
        body = bytes((0, 1, 0)) + len(write).to_bytes(2, "big") + write
        lines.append((0, ">", bytes((1,)) + len(body).to_bytes(2, "big") + b"\x05" + body))
        lines.append((0, "<", b"\x01\x00\x00\x45"))
    for number, piece in enumerate(Pieces(data).strings()):
        lines.append((number, "><"[number % 2], piece))
    replay(exchanges_of(lines), RadioSetup())


def _nmea(data: bytes) -> None:
    """A sentence as it is, and with its frame and checksum."""
    checksum = 0
    for byte in data:
        checksum ^= byte
    with suppress(NmeaError):
        parse_sentence(b"$" + data + f"*{checksum:02X}\r\n".encode())
    parse_sentence(data)


def _ubx(data: bytes) -> None:
    """Class, identifier and payload of a sound message; then the bytes as they are."""
    with suppress(UbxError):
        found = parse_message(message((data[0], data[1]), data[2:]) if len(data) > 1 else data)
        if found is not None:
            assert found.gps_us is None or found.gps_us >= 0
    parse_message(data)


def _gps_line(data: bytes) -> None:
    """Pieces of a line; a pulse wherever one is asked for."""
    core, now = GpsCore(), 0
    for piece in Pieces(data).strings():
        now += 100_000
        for effect in core.handle(BytesReceived(piece), now):
            if isinstance(effect, ReadPulse):
                core.pulse(now - 50_000, now)


def _slip(data: bytes) -> None:
    decoder = SlipDecoder()
    for packet in decoder.feed(data):
        assert SlipDecoder().feed(slip_encode(packet)) == [packet]


TARGETS = {
    "corecell_answers": Target(_corecell_answers, max_bytes=600),
    "corecell_records": Target(_corecell_records, max_bytes=600),
    "corecell_driver": Target(_corecell_driver, max_bytes=600),
    "corecell_board": Target(_line_core(VirtualCoreCell), max_bytes=600),
    "picogw_records": Target(_picogw_records, max_bytes=400),
    "picogw_driver": Target(_picogw_driver, max_bytes=400),
    "picogw_board": Target(_line_core(VirtualPicoGw), max_bytes=600),
    "stm32_host": Target(_procedure(lambda: ProcedureCore(identify(STM32))), max_bytes=200),
    "stm32_board": Target(_line_core(lambda: Stm32BootloaderCore(F103)), max_bytes=400),
    "esp32_board": Target(_line_core(Esp32RomCore), max_bytes=400),
    "ymodem_sender": Target(_procedure(lambda: ProcedureCore(send_ymodem("a", bytes(300)))), max_bytes=200),
    "xmodem_sender": Target(_procedure(lambda: ProcedureCore(send_xmodem(bytes(300)))), max_bytes=200),
    "ymodem_receiver": Target(_procedure(lambda: ProcedureCore(receive_ymodem())), max_bytes=400),
    "image_ihex": Target(_ihex, (ImageError,)),
    "image_srec": Target(_srec, (ImageError,)),
    "image_elf": Target(_image("elf", "a.elf"), (ImageError,)),
    "image_uf2": Target(_image("uf2", "a.uf2"), (ImageError,), max_bytes=1_536),
    "image_any": Target(_image(None, "a"), (ImageError,)),
    "chip_firmware": Target(_chip_firmware, (ChipFirmwareError,)),
    "tool_output": Target(_tools),
    "byte_trace": Target(_trace, (TraceFormatError, ChipFirmwareError)),
    "corecell_replay": Target(_exchanges, (ChipFirmwareError,), max_bytes=400),
    "nmea": Target(_nmea, (NmeaError,), max_bytes=120),
    "ubx": Target(_ubx, (UbxError,), max_bytes=64),
    "gps_line": Target(_gps_line, max_bytes=400),
    "slip": Target(_slip, max_bytes=400),
}
