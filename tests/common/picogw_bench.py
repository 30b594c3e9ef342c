"""A virtual picoGW at the end of in-memory bytes, and the real forwarder's start-up replayed on it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from gateway_fw.concentrator.picogw_records import TX_TIMESTAMP, TxOrder
from gateway_fw.concentrator.picogw_wire import Answer, AnswerReader, Order, encode_command
from gateway_fw.stream import BytesReceived, SendBytes
from gateway_fw.virtual.picogw import PicoGwEffect, PicoGwEvent, VirtualPicoGw
from gateway_fw.virtual.picogw_faults import PicoGwFaults
from lorawan.machine import Dropped
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Heard, Transmit

GOLDEN = Path(__file__).parents[1] / "golden" / "picogw" / "lora_pkt_fwd_start.txt"
ORDER_US = 100
CALIBRATION_WAIT_US = 2_300_000  # picoGW_hal 0.2.3 loragw_hal.c: what the real host waits

DOWNLINK = TxOrder(
    freq_hz=869_525_000,
    mode=TX_TIMESTAMP,
    count_us=0,
    rf_chain=0,
    power_dbm=14,
    modulation=0x10,
    bandwidth=3,
    datarate=0x08,
    coding_rate=1,
    inverted_iq=True,
    deviation_khz=0,
    preamble=8,
    no_crc=True,
    no_header=False,
    size=5,
    payload=b"hello",
)


class Bench:
    """Gives orders one by one and keeps what comes out beside the answers."""

    def __init__(self, faults: PicoGwFaults | None = None) -> None:
        self.board = VirtualPicoGw(faults=faults)
        self.now = 0
        self.reader = AnswerReader()
        self.answers: list[Answer] = []
        self.transmits: list[Transmit] = []
        self.drops: list[Dropped] = []

    def keep(self, effects: list[PicoGwEffect]) -> None:
        for effect in effects:
            if isinstance(effect, SendBytes):
                got = list(self.reader.feed(effect.data))
                self.answers += [answer for answer in got if isinstance(answer, Answer)]
            elif isinstance(effect, Transmit):
                self.transmits.append(effect)
            elif isinstance(effect, Dropped):
                self.drops.append(effect)

    def give(self, event: PicoGwEvent) -> None:
        self.keep(list(self.board.handle(event, self.now)))

    def pass_time(self, us: int) -> None:
        self.now += us
        self.keep(list(self.board.wake(self.now)))

    def order(self, order: Order, data: bytes = b"", argument: int = 0) -> Answer | None:
        """The answer that comes at once, or None."""
        self.answers.clear()
        self.give(BytesReceived(encode_command(order, data, argument)))
        return self.answers[-1] if self.answers else None

    def read(self, address: int) -> int:
        answer = self.order(Order.READ, b"\0", address)
        assert answer is not None
        return answer.data[0]

    def write(self, address: int, value: int) -> None:
        assert self.order(Order.WRITE, bytes((value,)), address) == Answer(ord("w"), 1, b"")

    def start(self) -> None:
        """As the real forwarder does."""
        for order, argument, data, expected in golden():
            self.pass_time(ORDER_US)
            answer = self.order(order, data, argument)
            assert answer is not None, (order, argument)
            assert answer.status == 1
            if expected is not None:
                assert answer.data == expected, (order, argument, data.hex(), answer.data.hex())
            if order is Order.WRITE and argument == 0x7F and not data[0] & 1:
                self.pass_time(CALIBRATION_WAIT_US)

    def hear(self, payload: bytes = b"frame", **changes: object) -> Heard:
        frame = heard(self.now, payload, **changes)
        self.give(frame)
        return frame

    @property
    def reasons(self) -> list[str]:
        return [drop.reason.removeprefix("picogw_") for drop in self.drops]


def heard(at: int, payload: bytes = b"frame", **changes: object) -> Heard:
    modulation = changes.pop("modulation", LoraModulation(7))
    assert isinstance(modulation, LoraModulation)
    values: dict[str, object] = {"freq_hz": 868_100_000, "rssi_dbm": -80.0, "snr_db": 7.25, **changes}
    return Heard(at, payload, modulation=modulation, airtime_us=lora_airtime_us(len(payload), modulation), **values)  # type: ignore[arg-type]


@lru_cache(maxsize=1)
def golden() -> list[tuple[Order, int, bytes, bytes | None]]:
    """Order, argument, data, the answer's data (None for a firmware image read back)."""
    rows = []
    for line in GOLDEN.read_text().splitlines():
        if line.startswith("#"):
            continue
        order, argument, data, answer = line.split()
        sent = bytes(int(data[1:])) if data.startswith("*") else b"" if data == "-" else bytes.fromhex(data)
        back = None if answer.startswith("*") else b"" if answer == "-" else bytes.fromhex(answer)
        rows.append((Order(order), int(argument, 16), sent, back))
    return rows


def started() -> Bench:
    """A bench whose board the real forwarder has started."""
    bench = Bench()
    bench.start()
    return bench


def fetch(bench: Bench, most: int = 16) -> Answer:
    """The answer to order 'b'."""
    answer = bench.order(Order.RECEIVE, bytes((most,)))
    assert answer is not None
    return answer


def send(bench: Bench, order: TxOrder) -> None:
    """Order 'f', whose answer must wait."""
    assert bench.order(Order.SEND, order.encode()) is None
