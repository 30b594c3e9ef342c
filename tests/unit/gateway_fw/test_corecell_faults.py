"""A virtual CoreCell that misbehaves on demand, and is well again afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest
from corecell_host import Host, frame

from gateway_fw.stream import BytesReceived, SendBytes
from gateway_fw.virtual.board import CoreCellBoard
from gateway_fw.virtual.corecell import PowerLost, VirtualCoreCell, with_faults
from gateway_fw.virtual.faults import Faults, SetFaults
from gateway_fw.virtual.rx_records import payload_crc16
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Heard

SF7 = LoraModulation(7)


@pytest.fixture
def host() -> Host:
    host = Host(VirtualCoreCell(CoreCellBoard()))
    host.start()
    return host


def inject(host: Host, at: int, payload: bytes = bytes(13)) -> None:
    heard = Heard(at, payload, 868_100_000, SF7, -97.0, 8.25, lora_airtime_us(len(payload), SF7))
    host.effects += host.board.handle(heard, at)


def fail(host: Host, **changes: object) -> None:
    assert not host.board.handle(with_faults(host.board.faults, **changes), host.now)


def test_bytes_are_lost_from_each_nth_answer(host: Host) -> None:
    fail(host, lose_byte_every=2)
    assert [len(host.raw(frame(1))) for _ in range(4)] == [10, 9, 10, 9]
    fail(host, lose_byte_every=0)
    assert len(host.raw(frame(1))) == 10


def test_a_stalled_answer_comes_late_and_those_after_it_keep_their_order(host: Host) -> None:
    fail(host, stall_every=2, stall_us=200_000)
    host.now = 1_000_000
    assert host.raw(frame(1, request_id=1))
    assert host.raw(frame(1, request_id=2)) == b""
    assert host.board.wake_at == 1_200_000
    host.now = 1_050_000
    assert host.raw(frame(1, request_id=3)) == b""
    assert not host.board.wake(1_199_999)
    effects = host.board.wake(1_200_000)
    assert [effect.data[0] for effect in effects if isinstance(effect, SendBytes)] == [2, 3]
    assert host.board.wake_at is None


def test_a_mute_board_answers_nothing(host: Host) -> None:
    fail(host, mute=True)
    assert host.raw(frame(0)) == b""
    fail(host, mute=False)
    assert host.raw(frame(0)) != b""


def test_wrong_types_ids_and_spi_statuses(host: Host) -> None:
    fail(host, wrong_type_every=1)
    assert host.raw(frame(1))[3] == 0x7F
    fail(host, wrong_type_every=0, wrong_id_every=1)
    assert host.raw(frame(1, request_id=7))[0] != 7
    fail(host, wrong_id_every=0, spi_status=3)
    answer = host.spi(bytes((0, 1, 0, 0, 5, 0, 0x56, 0x06, 0, 0)), bytes((0, 2, 0x56, 0x43, 0, 0)))
    assert (answer[2], answer[12]) == (3, 3)
    fail(host, spi_status=0)
    assert host.read(0x5606) == b"\x10"


def test_records_carry_a_wrong_checksum_or_a_wrong_crc(host: Host) -> None:
    fail(host, wrong_checksum_every=2)
    inject(host, 1_000_000)
    inject(host, 1_100_000)
    host.now = 1_200_000
    out = host.fifo()
    good, bad = out[:36], out[36:]
    assert good[-1] == sum(good[:-1]) & 0xFF
    assert bad[-1] != sum(bad[:-1]) & 0xFF
    fail(host, wrong_checksum_every=0, wrong_crc_every=1)
    inject(host, 2_000_000)
    host.now = 2_100_000
    out = host.fifo()
    assert out[-1] == sum(out[:-1]) & 0xFF
    assert int.from_bytes(out[32:34], "little") != payload_crc16(bytes(13))


def test_a_program_does_not_read_back(host: Host) -> None:
    fail(host, firmware_corrupt=True)
    host.write(0, bytes(4096))
    assert host.read(0, 4096) != bytes(4096)


def test_a_stuck_transmitter_never_gets_free(host: Host) -> None:
    fail(host, stuck_tx=True)
    host.program(b"\x60", start_us=40_000)
    host.now = 100_000_000
    assert host.read(0x5211) == b"\x60"
    host.modify(0x5200, 0x07, 0)
    assert host.read(0x5211) == b"\x80"


def test_a_clock_that_drifts_moves_stamps_and_transmissions(host: Host) -> None:
    fail(host, drift_ppb=10_000)  # 10 ppm fast
    host.now = 100_000_000
    assert host.board.counter_us(host.now) == 100_001_000
    host.program(b"\x60", start_us=100_101_001)
    assert host.effects[0].at == 100_100_000


def test_a_temperature_ramp_shows_in_the_status_and_in_the_raw_rssi(host: Host) -> None:
    def celsius() -> float:
        return int.from_bytes(host.ask(1)[4:6], "big", signed=True) / 100

    fail(host, temperature_c=-20.0, temperature_ramp_c_per_min=30.0)
    inject(host, host.now + 100)
    host.now += 60_000
    cold = host.fifo()[9 + 13 + 2]
    assert celsius() == pytest.approx(-19.97, abs=0.01)
    host.now += 120_000_000
    assert celsius() == pytest.approx(40.0, abs=0.1)
    inject(host, host.now)
    host.now += 20_000
    warm = host.fifo()[9 + 13 + 2]
    # the driver adds about +1.8 dB at 40 °C and takes 0.53 dB off at -20 °C
    assert warm == cold - 2
    host.now += 3_600_000_000
    assert celsius() == 150.0


def test_a_receive_buffer_that_is_full_loses_whole_records(host: Host) -> None:
    for index in range(120):
        inject(host, 1_000_000 + 100_000 * index)
    host.now = 20_000_000
    out = host.fifo()
    assert len(out) == 4096 // 36 * 36
    assert sum(effect.reason == "fifo_overflow" for effect in host.effects) == 120 - 4096 // 36
    fail(host, fifo_bytes=40)
    inject(host, 21_000_000)
    inject(host, 21_000_001)
    host.now = 22_000_000
    assert len(host.fifo()) == 36


def test_a_deaf_board(host: Host) -> None:
    fail(host, deaf=True)
    inject(host, 1_000_000)
    assert [effect.reason for effect in host.effects] == ["deaf"]


def test_power_lost_forgets_everything_and_the_host_can_start_it_anew(host: Host) -> None:
    inject(host, 1_000_000)
    host.raw(frame(5, bytes(100))[:20])
    assert not host.board.handle(PowerLost(), 1_000_100)
    assert not host.board.started
    host.now = 3_000_000
    assert int.from_bytes(host.ask(1)[:4], "big") == 1999
    host.start()
    assert host.fifo() == b""


def test_settings_are_values() -> None:
    event = with_faults(Faults(deaf=True), stall_every=3)
    assert event == SetFaults(replace(Faults(), deaf=True, stall_every=3))
    board = VirtualCoreCell(faults=Faults(mute=True))
    assert not board.handle(BytesReceived(frame(0)), 0)
