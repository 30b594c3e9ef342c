"""A host of a CoreCell in a few lines, written from the protocol's facts, and the recorded bytes of a real one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gateway_fw.stream import BytesReceived, SendBytes
from gateway_fw.virtual.corecell import VirtualCoreCell

TRACE = Path(__file__).parents[1] / "golden" / "corecell_host_trace.txt"


def frame(order: int, payload: bytes = b"", request_id: int = 7) -> bytes:
    return bytes((request_id,)) + len(payload).to_bytes(2, "big") + bytes((order,)) + payload


def transfer(mosi: bytes, target: int = 0) -> bytes:
    return bytes((0, 1, target)) + len(mosi).to_bytes(2, "big") + mosi


def write(address: int, data: bytes) -> bytes:
    return transfer(bytes((0, 0x80 | address >> 8, address & 0xFF)) + data)


def read(address: int, size: int) -> bytes:
    return transfer(bytes((0, address >> 8, address & 0xFF, 0)) + bytes(size))


def modify(address: int, mask: int, value: int) -> bytes:
    return bytes((0, 2)) + address.to_bytes(2, "big") + bytes((mask, value))


class Host:
    """Asks a board in lock-step at a given instant."""

    def __init__(self, board: VirtualCoreCell) -> None:
        self.board = board
        self.now = 0
        self.effects: list[Any] = []

    def raw(self, data: bytes) -> bytes:
        effects = list(self.board.handle(BytesReceived(data), self.now))
        self.effects += [effect for effect in effects if not isinstance(effect, SendBytes)]
        return b"".join(effect.data for effect in effects if isinstance(effect, SendBytes))

    def ask(self, order: int, payload: bytes = b"") -> bytes:
        """The payload of the answer."""
        return self.raw(frame(order, payload))[4:]

    def spi(self, *elements: bytes) -> bytes:
        return self.ask(5, b"".join(elements))

    def read(self, address: int, size: int = 1) -> bytes:
        return self.spi(read(address, size))[9:]

    def write(self, address: int, data: bytes) -> None:
        self.spi(write(address, data))

    def modify(self, address: int, mask: int, value: int) -> tuple[int, int]:
        answer = self.spi(modify(address, mask, value))
        return answer[3], answer[4]

    def radio(self, mux: int, command: bytes) -> bytes:
        """What comes back from a radio's command, from its opcode on."""
        return self.spi(transfer(bytes((mux,)) + command))[6:]

    def start(self, *, radios_hz: Sequence[int] = (867_500_000, 868_500_000), intermediate: Sequence[int] = ()) -> None:
        """Bring the concentrator up with the stock EU868 channels, or others: (radio, IF in Hz) flattened."""
        plan = intermediate or (1, -400_000, 1, -200_000, 1, 0, 0, -400_000, 0, -200_000, 0, 0, 0, 200_000, 0, 400_000)
        self.ask(4, bytes((0, 2, 1)))
        self.ask(4, bytes((0, 2, 0)))
        for mux, freq_hz in enumerate(radios_hz, 1):
            self.radio(mux, b"\x86" + (freq_hz * (1 << 25) // 32_000_000).to_bytes(4, "big"))
            self.radio(mux, b"\x82\xff\xff\xff")
        pairs = list(zip(plan[::2], plan[1::2], strict=True))
        self.write(0x5810, bytes((sum(radio << index for index, (radio, _) in enumerate(pairs)),)))
        for index, (_, if_hz) in enumerate(pairs):
            self.write_if(0x5800 + 2 * index, if_hz)
        self.write(0x5821, bytes(((1 << len(pairs)) - 1,)))
        self.write(0x588E, b"\x06\x08")  # public sync word at SF7 to SF12
        self.write_if(0x5B00, -200_000)
        self.write(0x5B02, b"\x01")
        self.write(0x5B21, b"\x57")  # 250 kHz, SF7
        self.modify(0x5B22, 0x08, 0x08)
        self.write(0x5B2E, b"\x06\x08")
        self.modify(0x58C0, 0x04, 0x04)  # legacy time stamps
        self.write(0x5605, b"\x0f")
        self.modify(0x5780, 0x04, 0x00)
        self.write(0x5789, b"\x0f")
        self.modify(0x6080, 0x04, 0x00)
        self.write(0x608A, b"\x01")
        assert self.board.started

    def write_if(self, address: int, if_hz: int) -> None:
        register = abs(if_hz) * 32 // 15_625 * (1 if if_hz >= 0 else -1)
        self.write(address, (register & 0x1FFF).to_bytes(2, "big"))

    def fifo(self) -> bytes:
        size = int.from_bytes(self.read(0x58C8, 2), "big")
        return self.read(0x4000, size) if size else b""

    def program(
        self,
        payload: bytes,
        *,
        start_us: int | None,
        freq_hz: int = 868_100_000,
        sf: int = 7,
        bandwidth: int = 4,
        chain: int = 0,
        trigger: int = 2,
        power: int = 0x14,
    ) -> None:
        """Program and trigger a transmission as one bulk request. start_us: counter of its start."""
        base = 0x5200 + 0x200 * chain
        delay = 1500 * 32 - 500
        elements = [
            modify(base + 0x20, 0x03, 0x01),
            write(base + 0x0D, bytes((power,))),
            write(base + 0x25, (freq_hz * (1 << 18) // 32_000_000).to_bytes(3, "big")),
            write(base + 0x60, bytes((bandwidth << 4 | sf, 0x01 | (sf >= 11) << 4, 0x00, len(payload)))),
            write(base + 0x66, b"\x08\x00"),
            write(base + 0x69, b"\x02"),
            write(base + 0x05, delay.to_bytes(2, "big")),
            write(base + 0x100, payload) if payload else b"",
        ]
        if start_us is not None:
            elements.append(write(base + 0x01, ((start_us * 32 - delay) % (1 << 32)).to_bytes(4, "big")))
        elements += [modify(base, trigger, 0), modify(base, trigger, trigger)]
        self.spi(*elements)


def recorded() -> Iterator[tuple[int, bytes]]:
    """Instants and frames of a real host: see the head of the file."""
    for line in TRACE.read_text().splitlines():
        if line.startswith("#"):
            continue
        at, request_id, order, *rest = line.split()
        kept, _, zeros = (rest[0] if rest else "").partition("+")
        payload = bytes.fromhex(kept) + bytes(int(zeros or 0))
        yield int(at), frame(int(order, 16), payload, int(request_id, 16))
