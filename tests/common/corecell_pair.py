"""A host driver and a virtual CoreCell joined in memory, on one clock, with what a line may do in between."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Iterator
from struct import unpack_from
from typing import Any, TypeVar

from gateway_fw.concentrator.chip_firmware import ChipFirmware
from gateway_fw.concentrator.corecell import CoreCellDriver
from gateway_fw.concentrator.events import Start, Started, StartFailed
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.stream import BytesReceived, SendBytes
from gateway_fw.virtual.corecell import VirtualCoreCell

KindT = TypeVar("KindT")

LINE_US = 300
MADE_UP = ChipFirmware(random.Random(1302).randbytes(8192), random.Random(2031).randbytes(8192))
"""Nothing that any chip would run; the virtual board only keeps it."""


def whole(data: bytes) -> list[bytes]:
    """A line that keeps writes together."""
    return [data]


class CoreCellPair:
    """`answers` cuts (or swallows) what the board sends; `from_driver` and `from_board` are all other effects."""

    def __init__(
        self,
        board: VirtualCoreCell | None = None,
        *,
        answers: Callable[[bytes], Iterable[bytes]] = whole,
        firmware: ChipFirmware = MADE_UP,
    ) -> None:
        self.driver = CoreCellDriver(firmware)
        self.board = board or VirtualCoreCell()
        self.now = 0
        self.answers = answers
        self.unplugged = False
        self.from_driver: list[Any] = []
        self.from_board: list[Any] = []
        self.host_bytes = bytearray()
        self.n_orders = 0
        self._due: list[tuple[int, int, bool, Any]] = []
        self._count = 0

    def at(self, when: int, event: Any, *, board: bool = False) -> None:
        """Give one side an event at an instant."""
        self._count += 1
        heapq.heappush(self._due, (when, self._count, board, event))

    def start(self, setup: RadioSetup | None = None) -> None:
        """Let the driver bring the board up, and go on until it says how that went."""
        self.at(self.now, Start(setup or RadioSetup()))
        settled = len(self.of(Started)) + len(self.of(StartFailed))
        end = self.now + 30_000_000
        while len(self.of(Started)) + len(self.of(StartFailed)) == settled and self.now < end:
            self.run(20_000)
        self.run(20_000)

    def started(self) -> CoreCellPair:
        """The same, for tests of what comes after."""
        self.start()
        assert self.of(Started), self.from_driver[-3:]
        return self

    def of(self, kind: type[KindT]) -> list[KindT]:
        """The driver's effects of one kind."""
        return [effect for effect in self.from_driver if isinstance(effect, kind)]

    def run(self, for_us: int) -> None:
        """Let time pass."""
        end = self.now + for_us
        while (at := self._next()) is not None and at <= end:
            self.now = max(self.now, at)
            if self._due and self._due[0][0] <= self.now:
                _, _, board, event = heapq.heappop(self._due)
                self._take((self.board if board else self.driver).handle(event, self.now), board=board)
            elif self.driver.wake_at is not None and self.driver.wake_at <= self.now:
                self._take(self.driver.wake(self.now), board=False)
            else:
                self._take(self.board.wake(self.now), board=True)
        self.now = end

    def _next(self) -> int | None:
        instants = (self._due[0][0] if self._due else None, self.driver.wake_at, self.board.wake_at)
        return min((at for at in instants if at is not None), default=None)

    def _take(self, effects: Iterable[Any], *, board: bool) -> None:
        for effect in effects:
            if not isinstance(effect, SendBytes):
                (self.from_board if board else self.from_driver).append(effect)
            elif board:
                for piece in self.answers(effect.data):
                    self.at(self.now + LINE_US, BytesReceived(piece))
            else:
                self.host_bytes += effect.data
                self.n_orders += 1
                if not self.unplugged:
                    self.at(self.now + LINE_US, BytesReceived(effect.data), board=True)


def operations(data: bytes) -> Iterator[str]:
    """What a host asks for, one line an operation, as tests/golden/corecell_*.txt writes it.

    Written from the protocol's description, not with the driver's or the board's code.
    """
    at = 0
    while at + 4 <= len(data):
        _, size, kind = unpack_from(">BHB", data, at)
        payload = data[at + 4 : at + 4 + size]
        at += 4 + size
        if kind == 5:
            yield from _spi_operations(payload)
        else:
            yield f"order {kind:02x} {payload.hex()}".rstrip()


def _spi_operations(payload: bytes) -> Iterator[str]:
    at = 0
    while at < len(payload):
        if payload[at + 1] == 2:
            address = unpack_from(">H", payload, at + 2)[0]
            yield f"modify {address:04x} {payload[at + 4]:02x} {payload[at + 5]:02x}"
            at += 6
            continue
        size = unpack_from(">H", payload, at + 3)[0]
        mosi = payload[at + 5 : at + 5 + size]
        at += 5 + size
        if mosi[0]:
            yield f"radio {mosi[0]} {mosi[1:].hex()}"
            continue
        address = unpack_from(">H", mosi, 1)[0]
        if not address & 0x8000:
            yield f"read {address:04x} {size - 4}"
        elif size > 4000:
            yield f"write {address & 0x7FFF:04x} {size - 3} bytes"
        else:
            yield f"write {address & 0x7FFF:04x} {mosi[3:].hex()}"
