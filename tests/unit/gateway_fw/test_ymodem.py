"""YMODEM: known blocks, both ends joined, faults on the line, and PyPI's xmodem as the other end."""

from __future__ import annotations

import io
import os
import threading
from typing import Any, Literal

import pytest
from flash_pair import Pair

from gateway_fw.errors import FlashError
from gateway_fw.flash.procedure import Begin, Procedure, ProcedureCore
from gateway_fw.flash.ymodem import TransferError, block, crc16, receive_ymodem, send_xmodem, send_ymodem
from gateway_fw.io.procedure import run_procedure
from gateway_fw.serial_port import Port, memory_pair
from gateway_fw.stream import BytesReceived, SendBytes

xmodem = pytest.importorskip("xmodem")


class Joined:
    """A procedure at the far end, as flash_pair.Pair wants its board."""

    def __init__(self, procedure: Procedure[Any], spoil: dict[int, int] | None = None) -> None:
        self.core: ProcedureCore[Any] = ProcedureCore(procedure)
        self.begin: list[Any] = list(self.core.handle(Begin(), 0))
        self.spoil, self.count = spoil or {}, 0
        self.result: list[Any] = []

    @property
    def wake_at(self) -> int | None:
        return 0 if self.begin else self.core.wake_at

    def handle(self, event: Any, now: int) -> list[Any]:
        if isinstance(event, BytesReceived):
            out = bytearray()
            for value in event.data:
                mask = self.spoil.get(self.count, 0)
                self.count += 1
                if mask is not None and mask >= 0:
                    out.append(value ^ mask)
            event = BytesReceived(bytes(out))
        return self._keep(self.core.handle(event, now))

    def wake(self, now: int) -> list[Any]:
        if self.begin:
            effects, self.begin = self.begin, []
            return self._keep(effects)
        return self._keep(self.core.wake(now))

    def _keep(self, effects: Any) -> list[Any]:
        self.result += [effect for effect in effects if not isinstance(effect, SendBytes)]
        return list(effects)


def test_the_crc_and_a_block_are_those_of_the_standard() -> None:
    assert crc16(b"123456789") == 0x31C3  # the check value of CRC-16/XMODEM, in every catalogue
    made = block(1, b"abc", size=128)
    assert made[:3] == b"\x01\x01\xfe"
    assert made[3:131] == b"abc" + b"\x1a" * 125
    assert len(block(255, b"", size=1024)) == 1029
    assert block(0, b"", size=128) == b"\x01\x00\xff" + bytes(130)
    assert block(256, b"x", size=128)[1:3] == b"\x00\xff"


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 1024, 1025, 300_000])
def test_a_file_arrives_whole_with_its_name_and_size(size: int) -> None:
    data = os.urandom(size)
    far = Joined(receive_ymodem())
    Pair(far).run(send_ymodem("fw.bin", data))
    (files,) = [effect.result for effect in far.result if hasattr(effect, "result")]
    assert [(file.name, file.data, file.size) for file in files] == [("fw.bin", data, size)]


@pytest.mark.parametrize("at", [0, 1, 2, 60, 131, 140, 700, 1160, 1162, 5_000])
@pytest.mark.parametrize("mask", [-1, 0x40], ids=["lost", "turned"])
def test_a_spoilt_byte_is_mended(at: int, mask: int) -> None:
    data = os.urandom(5_000)
    far = Joined(receive_ymodem(), {at: mask})
    Pair(far).run(send_ymodem("fw.bin", data))
    (files,) = [effect.result for effect in far.result if hasattr(effect, "result")]
    assert files[0].data == data


def test_a_receiver_that_cancels_ends_it() -> None:
    host, far = memory_pair()
    with host, far:
        far.write(b"C")
        answers = threading.Thread(target=lambda: (far.read_exactly(133, 5), far.write(b"\x18\x18")))
        answers.start()
        with pytest.raises(TransferError, match="cancelled at the header"):
            run_procedure(host, send_ymodem("fw.bin", b"x"), lambda _: None)
        answers.join()
    with pytest.raises(FlashError, match="100 ASCII"):
        run_procedure(host, send_ymodem("", b"x"), lambda _: None)


def _modem(port: Port, mode: Literal["xmodem", "xmodem1k"]) -> Any:
    def getc(size: int, timeout: float = 1) -> bytes | None:
        data = b""
        while len(data) < size:
            piece = port.read(size - len(data), min(timeout, 5))
            if not piece:
                break
            data += piece
        return data or None

    def putc(data: bytes, timeout: float = 1) -> int:
        port.write(data, timeout)
        return len(data)

    return xmodem.XMODEM(getc, putc, mode=mode)


@pytest.mark.parametrize("large", [False, True], ids=["128", "1K"])
def test_pypi_s_xmodem_takes_what_we_send(large: bool) -> None:
    host, far = memory_pair()
    data = os.urandom(10_000)
    taken = io.BytesIO()
    with host, far:
        other = threading.Thread(target=lambda: _modem(far, "xmodem").recv(taken, timeout=5, quiet=True))
        other.start()
        run_procedure(host, send_xmodem(data, large=large), lambda _: None)
        other.join(10)
    assert taken.getvalue()[:10_000] == data
    assert set(taken.getvalue()[10_000:]) <= {0x1A}


@pytest.mark.parametrize("mode", ["xmodem", "xmodem1k"])
def test_we_take_what_pypi_s_xmodem_sends(mode: Literal["xmodem", "xmodem1k"]) -> None:
    host, far = memory_pair()
    data = os.urandom(10_000)
    sent: list[Any] = []
    with host, far:
        other = threading.Thread(target=lambda: sent.append(_modem(far, mode).send(io.BytesIO(data), timeout=5)))
        other.start()
        (file,) = run_procedure(host, receive_ymodem(batch=False), lambda _: None)
        other.join(10)
    assert sent == [True]
    assert file.data[:10_000] == data
