"""Laws of the CoreCell driver: bytes from outside never raise, cuts change nothing, time is never lost."""

from __future__ import annotations

import itertools

from corecell_pair import MADE_UP, CoreCellPair
from corecell_records import record
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_fw.concentrator.corecell import CoreCellDriver, Phase
from gateway_fw.concentrator.corecell_bridge import Modify, Transfer, decode_spi, multiple_spi
from gateway_fw.concentrator.corecell_counter import WRAP_TICKS, Counter
from gateway_fw.concentrator.corecell_records import lora_payload_crc16, split_records
from gateway_fw.concentrator.events import (
    ConcentratorLost,
    Program,
    Reception,
    Start,
    Started,
    StartFailed,
    TransmitDone,
    TransmitRefused,
)
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.errors import BridgeError
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Heard, Transmit

SF7 = LoraModulation(7)


@given(st.lists(st.binary(max_size=300), max_size=12), st.integers(0, 3_000_000))
@settings(max_examples=60, deadline=None)
def test_any_bytes_at_any_time_never_raise(pieces: list[bytes], step_us: int) -> None:
    driver = CoreCellDriver(MADE_UP)
    now = 0
    driver.handle(Start(RadioSetup()), now)
    for piece in pieces:
        now = max(now + step_us, driver.wake_at or 0)
        driver.wake(now)
        driver.handle(BytesReceived(piece), now)
    driver.handle(LineLost(), now)
    assert driver.phase is Phase.OFF


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_mutated_answers_end_in_a_start_or_a_clean_failure(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 430), label="which answer")
    at, value = data.draw(st.integers(0, 400)), data.draw(st.integers(0, 255))
    seen = 0

    def answers(answer: bytes) -> list[bytes]:
        nonlocal seen
        seen += 1
        if seen != count:
            return [answer]
        changed = bytearray(answer)
        changed[at % len(changed)] ^= value
        return [bytes(changed)]

    pair = CoreCellPair(answers=answers)
    pair.start()
    pair.run(100_000)
    assert pair.of(Started) or pair.of(StartFailed) or pair.of(ConcentratorLost)
    assert pair.driver.phase in (Phase.RUNNING, Phase.OFF)


@given(st.sets(st.integers(1, 440), max_size=6))
@settings(max_examples=40, deadline=None)
def test_lost_answers_end_in_a_start_or_a_clean_failure(lost: set[int]) -> None:
    seen = 0

    def answers(answer: bytes) -> list[bytes]:
        nonlocal seen
        seen += 1
        return [] if seen in lost else [answer]

    pair = CoreCellPair(answers=answers)
    pair.start()
    assert len(pair.of(Started)) + len(pair.of(StartFailed)) == 1
    assert (pair.driver.phase is Phase.RUNNING) == bool(pair.of(Started))


@given(st.integers(1, 40))
@settings(max_examples=15, deadline=None)
def test_how_the_line_cuts_answers_changes_nothing(size: int) -> None:
    def cut(answer: bytes) -> list[bytes]:
        return [answer[at : at + size] for at in range(0, len(answer), size)]

    def heard_by(pair: CoreCellPair) -> list[Reception]:
        pair.started()
        for index in range(5):
            at = pair.now + 300_000 + 60_000 * index
            frame = Heard(at, bytes(20), 868_100_000, SF7, -90.0, 5.0, lora_airtime_us(20, SF7))
            pair.at(at, frame, board=True)
        pair.run(1_500_000)
        return pair.of(Reception)

    whole, pieces = heard_by(CoreCellPair()), heard_by(CoreCellPair(answers=cut))
    assert len(whole) == 5
    assert [(r.heard.payload, r.counter_us) for r in pieces] == [(r.heard.payload, r.counter_us) for r in whole]


@given(st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(1, 60), st.booleans()), max_size=8))
@settings(max_examples=25, deadline=None)
def test_every_transmission_is_answered_once(asked: list[tuple[int, int, bool]]) -> None:
    pair = CoreCellPair().started()
    begin = pair.now
    for index, (ahead_us, size, immediate) in enumerate(asked):
        payload = bytes((index,)) * size
        frame = Transmit(begin + ahead_us, payload, 868_100_000, SF7, 14, lora_airtime_us(size, SF7), crc=False)
        pair.at(begin + max(0, ahead_us - 40_000), Program(frame, immediate=immediate))
    pair.run(6_000_000)
    outcomes = [each.transmit.payload for each in (*pair.of(TransmitDone), *pair.of(TransmitRefused))]
    assert sorted(outcomes) == sorted(bytes((index,)) * size for index, (_, size, _) in enumerate(asked))
    sent = sorted((each.at, each.at + each.airtime_us) for each in pair.from_board if isinstance(each, Transmit))
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(sent))


@given(
    st.integers(0, WRAP_TICKS - 1),
    st.integers(-50_000, 50_000),
    st.lists(st.integers(1, 3_600_000_000), min_size=1, max_size=60),
)
def test_the_counter_is_endless_whatever_the_gaps_and_the_drift(start: int, ppb: int, gaps_us: list[int]) -> None:
    counter = Counter()
    counter.read(start, 0)
    ticks, now = start, 0
    for gap_us in gaps_us:
        now += gap_us
        ticks += gap_us * 32 + gap_us * 32 * ppb // 1_000_000_000
        time = counter.read(ticks % WRAP_TICKS, now)
        assert time - counter.origin_us == ticks // 32
        assert counter.raw_us(time) == ticks // 32 % (1 << 32)
        earlier = ticks - 32 * 1_000_000
        assert counter.time_of(earlier % WRAP_TICKS) == counter.origin_us + earlier // 32
        assert counter.raw_ticks(time) == ticks // 32 * 32 % WRAP_TICKS


@given(st.binary(max_size=600))
def test_any_receive_buffer_is_read_to_its_end(buffer: bytes) -> None:
    records, _ = split_records(buffer)
    assert sum(23 + len(each.payload) for each in records) <= len(buffer)


@given(st.lists(st.binary(max_size=40), max_size=6), st.binary(max_size=20))
def test_sound_records_survive_noise_before_them(payloads: list[bytes], noise: bytes) -> None:
    buffer = noise.replace(b"\xa5", b"") + b"".join(record(payload) for payload in payloads)
    records, _ = split_records(buffer)
    assert [each.payload for each in records] == payloads


@given(st.binary(min_size=2, max_size=255), st.binary(min_size=2, max_size=255))
def test_the_payload_crc_is_linear(first: bytes, second: bytes) -> None:
    size = min(len(first), len(second))
    both = bytes(a ^ b for a, b in zip(first[-size:], second[-size:], strict=True))
    crc = lora_payload_crc16(first[-size:]) ^ lora_payload_crc16(second[-size:])
    assert lora_payload_crc16(both) == crc


ELEMENTS = st.one_of(
    st.binary(min_size=1, max_size=40).map(Transfer),
    st.tuples(st.integers(0, 0x7FFF), st.integers(0, 255), st.integers(0, 255)).map(lambda each: Modify(*each)),
)


@given(st.lists(ELEMENTS, min_size=1, max_size=10), st.binary(max_size=80))
def test_spi_answers_are_the_requests_or_are_refused(elements: list[Transfer | Modify], other: bytes) -> None:
    answer = b""
    expected = []
    for number, element in enumerate(elements):
        back = element.mosi[::-1] if isinstance(element, Transfer) else b"\x01\x02"
        expected.append(back)
        size = len(back).to_bytes(2, "big") if isinstance(element, Transfer) else b""
        answer += bytes((number, 1 if isinstance(element, Transfer) else 2, 0)) + size + back
    assert decode_spi(elements, answer) == expected
    assert len(answer) <= len(multiple_spi(elements).payload)
    try:
        results = decode_spi(elements, other)
    except BridgeError:
        return
    assert len(results) == len(elements)
    assert len(other) <= len(answer)


def test_nothing_is_sent_before_the_line_is_drained() -> None:
    driver = CoreCellDriver(MADE_UP)
    effects = [*driver.handle(Start(RadioSetup()), 0), *driver.wake(10_000)]
    assert not any(isinstance(effect, SendBytes) for effect in effects)
