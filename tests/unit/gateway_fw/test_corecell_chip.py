"""The virtual SX1302: registers after reset, handshakes, radios, channel plan, reception and transmission."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from corecell_host import Host, recorded, transfer, write

from gateway_fw.stream import BytesReceived, SendBytes
from gateway_fw.virtual.board import CoreCellBoard
from gateway_fw.virtual.corecell import AirLevel, VirtualCoreCell
from gateway_fw.virtual.sx1302_map import reset_memory
from lorawan.machine import Dropped
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import CodingRate, LoraModulation
from lorawan.phy.radio import Heard, Transmit

RESET_CSV = Path(__file__).parents[4] / "shared" / "data" / "gateway" / "sx1302_reset_values.csv"
SF7 = LoraModulation(7)


def heard(at: int, freq_hz: int = 868_100_000, modulation: LoraModulation = SF7, payload: bytes = bytes(13)) -> Heard:
    airtime_us = lora_airtime_us(len(payload), modulation)
    return Heard(at, payload, freq_hz, modulation, -97.0, 8.25, airtime_us)


@pytest.fixture
def host() -> Host:
    host = Host(VirtualCoreCell(CoreCellBoard()))
    host.start()
    return host


def receive(host: Host, frame: Heard) -> bytes:
    host.effects += host.board.handle(frame, max(host.now, frame.at))
    host.now = frame.at + 20_000
    return host.fifo()


def test_the_registers_after_reset_are_those_of_the_driver() -> None:
    memory = reset_memory()
    assert (memory[0x5606], memory[0x5780], memory[0x5601]) == (0x10, 0x14, 0x0B)
    assert memory[0x5811] == 0x38  # the reset value of a register between two that are zero


@pytest.mark.skipif(not RESET_CSV.exists(), reason="../shared/data/gateway is not beside the repository")
def test_the_registers_after_reset_are_those_of_the_shared_table() -> None:
    memory = reset_memory()
    with RESET_CSV.open() as file:
        for row in csv.DictReader(file):
            assert memory[int(row["address"], 16)] == int(row["reset_value"], 16), row


def test_the_gain_control_answers_every_step_of_its_start() -> None:
    host = Host(VirtualCoreCell())
    host.modify(0x5780, 0x04, 0x00)
    assert host.read(0x5781) == b"\x01"
    assert host.read(0x5790) == b"\x0a"  # version 10, for SX1250
    steps = [0x80, 0x20, 3, 4, 5, 6, 7, 8, 9, 0x0A, 0x0B]
    for command, status in zip(steps, [2, 3, 4, 5, 6, 7, 8, 9, 0x0A, 0x0B, 0x0F], strict=True):
        host.write(0x578A, bytes((0, command, 8)))  # mailboxes 2, 1, 0
        host.write(0x5789, bytes((command,)))
        assert host.read(0x5781) == bytes((status,))
        assert host.read(0x578E, 3) == bytes((0, command, 8))
    host.write(0x5789, b"\x0f")
    assert host.read(0x5781) == b"\0"


def test_the_arbiter_says_its_version_and_goes_on() -> None:
    host = Host(VirtualCoreCell())
    host.modify(0x6080, 0x04, 0x00)
    assert host.read(0x6081) == b"\x01"
    assert host.read(0x608D) == b"\x02"
    host.write(0x608A, b"\x01")
    assert host.read(0x6081) == b"\0"


def test_programs_are_read_back_as_written() -> None:
    host = Host(VirtualCoreCell())
    image = bytes(index * 7 & 0xFF for index in range(4096))
    host.write(0x1000, image)
    assert host.read(0x1000, 4096) == image
    assert host.read(0x5780)[0] & 1 == 0  # no parity error


def test_a_radio_goes_through_standby_to_reception_and_is_reset_by_its_line() -> None:
    host = Host(VirtualCoreCell())
    host.radio(1, b"\x80\x00")
    assert host.radio(1, b"\xc0\x00")[1] >> 4 & 7 == 2
    host.radio(1, b"\x80\x01")
    assert host.radio(1, b"\xc0\x00")[1] >> 4 & 7 == 3
    host.radio(1, b"\x0d\x08\x8f\x01\x02")
    assert host.radio(1, b"\x1d\x08\x8f\x00\x00\x00")[4:] == b"\x01\x02"
    host.radio(1, b"\x98\xd7\xdb")
    assert host.radio(1, b"\x17\x00\x00\x00")[3] & 0x10 == 0
    host.radio(1, b"\x82\xff\xff\xff")
    assert host.radio(1, b"\xc0\x00")[1] >> 4 & 7 == 5
    assert host.radio(2, b"\xc0\x00")[1] >> 4 & 7 == 2
    host.modify(0x5783, 0x08, 0x08)
    assert host.radio(1, b"\xc0\x00")[1] >> 4 & 7 == 2


def test_the_chip_tells_its_identity_byte_by_byte(host: Host) -> None:
    eui = bytearray()
    for index in range(8):
        host.write(0x6180, bytes((index,)))
        eui += host.read(0x6181)
    assert eui == int(host.board.board.chip_eui).to_bytes(8, "big")
    host.write(0x6180, b"\xd0")
    assert host.read(0x6181) == b"\x02"


def test_the_counter_reads_as_two_words(host: Host) -> None:
    host.modify(0x6100, 0x01, 0x01)
    host.now = 2_250_000
    both = host.read(0x6101, 8)
    assert int.from_bytes(both[:4], "big") == 2_000_000 * 32
    assert int.from_bytes(both[4:], "big") == 2_250_000 * 32


def test_the_plan_is_read_from_the_registers(host: Host) -> None:
    assert [channel.freq_hz for channel in host.board.channels] == [
        *(868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000),
        868_300_000,
    ]
    assert [channel.radio for channel in host.board.channels] == [1, 1, 1, 0, 0, 0, 0, 0, 1]
    assert (host.board.channels[8].bw_hz, host.board.channels[8].sfs) == (250_000, frozenset({7}))


def test_a_frame_is_heard_by_the_channel_that_stands_there_whatever_its_index() -> None:
    # Basics Station puts the channels in another order
    host = Host(VirtualCoreCell())
    host.start(intermediate=(0, 400_000, 1, 0, 0, 200_000, 0, -400_000))
    assert receive(host, heard(1_000_000, 867_700_000))[3] == 2
    assert receive(host, heard(2_000_000, 867_100_000))[3] == 3
    assert receive(host, heard(3_000_000, 868_500_000))[3] == 1


@pytest.mark.parametrize(
    "frame",
    [
        heard(1_000_000, 869_525_000),
        heard(1_000_000, 868_100_000, LoraModulation(7, 500_000)),
        heard(1_000_000, 868_300_000, LoraModulation(8, 250_000)),
        heard(1_000_000, 868_150_000),
    ],
    ids=["no channel there", "no such bandwidth", "not the service rate", "50 kHz off"],
)
def test_what_no_demodulator_listens_to_is_not_heard(host: Host, frame: Heard) -> None:
    assert receive(host, frame) == b""
    assert [effect.reason for effect in host.effects] == ["no_demodulator"]


def test_a_private_sync_word_or_a_disabled_rate_or_a_radio_that_sleeps_hears_nothing(host: Host) -> None:
    for change, restore in (
        ((0x588E, b"\x02\x04"), (0x588E, b"\x06\x08")),
        ((0x5822, b"\xfb"), (0x5822, b"\xff")),  # all but SF7
        ((0x5821, b"\xfe"), (0x5821, b"\xff")),  # all but channel 0
        ((0x5605, b"\x07"), (0x5605, b"\x0f")),
    ):
        host.write(*change)
        assert receive(host, heard(host.now + 1_000_000)) == b""
        host.write(*restore)
        assert receive(host, heard(host.now + 1_000_000)) != b""
    host.radio(2, b"\x80\x00")
    assert receive(host, heard(host.now + 1_000_000)) == b""
    assert receive(host, heard(host.now + 1_000_000, 867_100_000)) != b""


def test_a_board_that_no_host_has_started_hears_nothing() -> None:
    board = VirtualCoreCell()
    (dropped,) = board.handle(heard(10), 10)
    assert isinstance(dropped, Dropped)
    assert dropped.reason == "not_started"


def test_a_record_says_what_was_heard_and_comes_when_decoding_ends(host: Host) -> None:
    at = 5_000_000
    assert not host.board.handle(heard(at, payload=bytes(21)), at)
    host.now = at + 460
    assert host.fifo() == b""
    host.now = at + 461
    out = host.fifo()
    assert len(out) == 9 + 21 + 14
    assert int.from_bytes(out[9 + 21 + 6 : 9 + 21 + 10], "little") == (at + 461) * 32
    assert out[9 + 21 + 1] == 33  # 8.25 dB
    assert out[9 + 21 + 2] - 215.4 + 1.02 == pytest.approx(-97, abs=0.5)
    assert host.fifo() == b""


def test_frames_wait_together_and_in_the_order_of_their_decoding(host: Host) -> None:
    slow, quick = heard(1_000_000, 867_100_000, LoraModulation(12)), heard(1_001_000)
    host.board.handle(slow, 1_001_000)
    host.board.handle(quick, 1_001_000)
    host.now = 1_100_000
    out = host.fifo()
    assert [out[4] >> 4, out[9 + 13 + 14 + 4] >> 4] == [7, 12]


def test_a_bad_crc_is_marked_and_a_direct_read_of_the_buffer_takes_nothing_out(host: Host) -> None:
    frame = heard(1_000_000)
    bad = Heard(frame.at, frame.payload, frame.freq_hz, SF7, -97.0, 8.25, frame.airtime_us, crc_ok=False)
    assert receive(host, bad)[9 + 13] & 1
    host.modify(0x58C0, 0x08, 0x08)
    host.board.handle(heard(2_000_000), 2_000_000)
    host.now = 2_100_000
    assert host.read(0x4000, 36) == bytes(36)
    host.modify(0x58C0, 0x08, 0)
    assert host.fifo()[:2] == b"\xa5\xc0"


@pytest.mark.parametrize("chain", [0, 1])
@pytest.mark.parametrize("lead_us", [29_000, 1_500, 100_000_000])
def test_a_transmission_starts_at_the_very_microsecond(host: Host, chain: int, lead_us: int) -> None:
    host.now = 100_000_000
    at = host.now + lead_us
    host.program(b"\x60" * 20, start_us=host.board.counter_us(at), chain=chain, freq_hz=869_525_000, sf=9)
    (transmit,) = host.effects
    assert transmit == Transmit(
        at, b"\x60" * 20, 869_525_000, LoraModulation(9), 16.0, lora_airtime_us(20, LoraModulation(9), crc=False),
        inverted_iq=True, crc=False, rf_chain=chain,
    )  # fmt: skip
    base = 0x5211 + 0x200 * chain
    assert host.read(base) == b"\x91"
    host.now = at
    assert host.read(base) == b"\x60"
    host.now = at + transmit.airtime_us
    assert host.read(base) == b"\x80"


def test_a_start_that_has_passed_waits_for_the_counter_to_come_round(host: Host) -> None:
    host.now = 10_000_000
    host.program(b"\x60", start_us=9_900_000)
    assert host.effects[0].at == 9_900_000 + (1 << 27)


def test_now_and_the_pulse_trigger_as_well(host: Host) -> None:
    host.now = 3_400_000
    host.program(b"\x60", start_us=None, trigger=1)
    host.program(b"\x60", start_us=None, trigger=4, chain=1)
    now, pulse = host.effects
    assert 3_400_000 < now.at < 3_402_000
    assert pulse.at == 4_001_500  # LoRaWAN's beacon delay after the pulse


def test_clearing_the_trigger_ends_what_was_announced_and_a_done_one_is_left_alone(host: Host) -> None:
    host.now = 1_000_000
    host.program(b"\x60", start_us=1_040_000)
    host.modify(0x5200, 0x07, 0)
    assert [type(effect) for effect in host.effects] == [Transmit, Dropped]
    assert host.effects[1].reason == "tx_aborted"
    assert host.read(0x5211) == b"\x80"
    host.program(b"\x60", start_us=1_040_000)
    host.now = 2_000_000
    host.modify(0x5200, 0x07, 0)
    assert len(host.effects) == 3


def test_settings_that_no_frame_has_are_refused(host: Host) -> None:
    host.program(b"\x60", start_us=1_000, sf=13)
    host.program(b"\x60", start_us=1_000, bandwidth=7)
    host.write(0x5209, b"\x01")
    host.program(b"\x60", start_us=1_000)
    assert [effect.reason for effect in host.effects] == ["tx_settings", "tx_settings", "tx_fsk"]


@pytest.mark.parametrize(("word", "dbm"), [(15, 12.0), (16, 13.0), (22, 17.0), (0x41, 18.0), (0x4E, 27.0), (3, 12.0)])
def test_a_power_word_is_the_stock_tables_power(host: Host, word: int, dbm: float) -> None:
    host.program(b"\x60", start_us=1_000, power=word)
    assert host.effects[0].power_dbm == dbm


def test_a_board_that_sends_does_not_hear(host: Host) -> None:
    host.now = 1_000_000
    host.program(b"\x60" * 20, start_us=1_040_000)
    assert receive(host, heard(1_050_000)) == b""
    assert host.effects[-1].reason == "half_duplex"
    assert receive(host, heard(2_000_000)) != b""


def test_a_transmission_that_was_given_up_does_not_deafen(host: Host) -> None:
    host.now = 1_000_000
    host.program(b"\x60" * 20, start_us=1_040_000, chain=0)
    host.program(b"\x60" * 20, start_us=2_040_000, chain=1)
    host.modify(0x5200, 0x07, 0)
    assert receive(host, heard(1_090_000)) != b""
    assert receive(host, heard(2_090_000)) == b""


def test_every_register_of_a_list_may_be_written_at_once(host: Host) -> None:
    # all of the transmitter's, trigger included: nothing raises, and the chip goes on
    host.spi(write(0x5200, b"\xff" * 0x400))
    assert host.read(0x5606) == b"\x10"


def test_the_bytes_of_a_real_forwarder_start_hear_send_and_stop_it() -> None:
    """lora_pkt_fwd 2.1.0's own bytes: see the head of the recording."""
    board = VirtualCoreCell()
    uplink = Heard(2_865_775, bytes.fromhex("40112233440000010203040506"), 867_300_000, LoraModulation(10), -101.0, -7.25, 371_000)  # fmt: skip  # noqa: E501
    effects, answers, started_at, fifo = [], 0, 0, b""
    for at, frame in recorded():
        if uplink is not None and at > uplink.at:
            assert not board.handle(uplink, uplink.at)
            uplink = None  # type: ignore[assignment]
        out = list(board.handle(BytesReceived(frame), at))
        sent = [effect for effect in out if isinstance(effect, SendBytes)]
        assert len(sent) == 1, at
        assert sent[0].data[0] == frame[0]
        assert sent[0].data[3] == frame[3] | 0x40
        if frame[9:13] == b"\x00\x00\x28\x00" or frame[10:12] == b"\x40\x00":
            fifo = sent[0].data[13:]
        effects += [effect for effect in out if not isinstance(effect, SendBytes)]
        answers += 1
        if board.started and not started_at:
            started_at = at
            assert len(board.channels) == 9
            assert board.channels[3].freq_hz == 867_100_000
    assert answers > 440
    assert started_at
    assert fifo[:6] == b"\xa5\xc0\x0d\x04\xa3\x04"  # channel 4, SF10, 4/5, CRC
    assert effects == [
        Transmit(
            effects[0].at,
            bytes(range(0x60, 0x74)),
            869_525_000,
            LoraModulation(9),
            27.0,
            185_344,
            inverted_iq=True,
            crc=False,
            coding_rate=CodingRate.CR_4_5,
        )
    ]
    # it resets the chip at 6142 µs of the recording, and asks for tmst 3210177
    assert effects[0].at == 3_210_177 + 6_142
    assert not board.started  # reset on close


class Listener:
    """Talks to the SX1261 of a board: its frames begin with the opcode."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def command(self, data: bytes) -> bytes:
        return self.host.spi(transfer(data, target=1))[5:]

    def register(self, address: int, size: int) -> bytes:
        return self.command(b"\x1d" + address.to_bytes(2, "big") + bytes(1 + size))[4:]


def test_the_listening_radio_says_its_patched_version(host: Host) -> None:
    listener = Listener(host)
    listener.command(b"\x80\x00")
    assert listener.command(b"\xc0\x00")[1] & 0x7E == 0x22
    assert listener.register(0x0320, 15) == b"SX1261 V2D 2D02"
    listener.command(b"\xd9")
    assert listener.register(0x0320, 15) == b"SX1261 V2D 2D06"
    host.ask(4, bytes((0, 8, 0)))
    assert listener.register(0x0320, 15) == b"SX1261 V2D 2D02"


def test_a_scan_takes_its_time_and_counts_at_the_level_of_the_air(host: Host) -> None:
    listener = Listener(host)
    assert listener.register(0x07CD, 1) == b"\x00"
    assert not host.board.handle(AirLevel(-100.0), host.now)
    listener.command(b"\x9b" + (2000).to_bytes(2, "big") + b"\x0b")
    assert listener.register(0x07CD, 1) == b"\x0f"
    host.now += 16_400
    assert listener.register(0x07CD, 1) == b"\xff"
    results = listener.register(0x0401, 66)
    assert [int.from_bytes(results[2 * level : 2 * level + 2], "big") for level in range(33)] == [
        2000 if level == 25 else 0 for level in range(33)
    ]
    listener.command(b"\x9b" + (2000).to_bytes(2, "big") + b"\x0b")
    listener.command(b"\x0d\x08\x9b\x00")
    assert listener.register(0x07CD, 1) == b"\xf0"


@pytest.mark.parametrize(("level_dbm", "allowed"), [(-90.0, True), (-60.0, False)])
def test_listening_before_talk_lets_a_frame_go_or_refuses_it(level_dbm: float, allowed: bool) -> None:
    host = Host(VirtualCoreCell())
    host.start()
    host.modify(0x5780, 0x04, 0x04)
    host.modify(0x5780, 0x04, 0x00)
    host.write(0x578C, b"\x01")
    host.write(0x5789, b"\x0b")  # listen before talk
    host.write(0x5789, b"\x0f")
    host.board.handle(AirLevel(level_dbm), host.now)
    Listener(host).command(b"\x9a\x0b" + (24).to_bytes(2, "big") + bytes((140, 1)))  # -70 dBm
    host.program(b"\x60", start_us=40_000, chain=0)
    assert [type(effect) for effect in host.effects] == [Transmit if allowed else Dropped]
    assert host.read(0x5781) == (b"\x01" if allowed else b"\x41")
    assert host.read(0x5211) == (b"\x91" if allowed else b"\x80")
    host.write(0x578C, b"\xff")
    assert host.read(0x5781) == b"\x00"
