"""The forwarder between radio and Semtech UDP, seen through its datagrams and transmissions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway_fw.forwarder import (
    DatagramReceived,
    ForwarderConfig,
    ForwarderCore,
    QueueBeacon,
    SendDatagram,
    TxChain,
    UplinkFilter,
)
from gateway_fw.forwarder.core import ForwarderEffect
from gateway_fw.gwmp import PullResp, PushAck, PushData, TxAck, TxError, Txpk, decode, encode
from lorawan.ids import Eui64, NetId
from lorawan.machine import Dropped
from lorawan.phy import CodingRate, Heard, LoraModulation, Transmit
from lorawan.units import US_PER_S

EUI = Eui64(0xAA555A0000000101)
WRAP = 1 << 32
CONFIG = ForwarderConfig(EUI, stat_interval_us=None)
HEARD = Heard(2_000_000, bytes(12), 868_300_000, LoraModulation(9), -101.0, -3.5, 185_344)
TXPK = Txpk(
    freq_hz=868_300_000, modulation=LoraModulation(9), payload=bytes(13), tmst=3_000_000, power_dbm=14,
    inverted_polarity=True, no_crc=True,
)  # fmt: skip


def request(core: ForwarderCore, txpk: Txpk, now: int = 2_100_000, *, token: int = 7) -> Sequence[ForwarderEffect]:
    return core.handle(DatagramReceived(encode(PullResp(core.config.version, token, txpk))), now)


def answer(effects: Sequence[ForwarderEffect]) -> TxAck:
    (effect,) = [effect for effect in effects if isinstance(effect, SendDatagram)]
    assert not effect.upstream
    packet = decode(effect.data)
    assert isinstance(packet, TxAck)
    return packet


def transmissions(core: ForwarderCore, until: int) -> list[tuple[int, Transmit]]:
    """(instant of the effect, Transmit), by waking the core whenever it asks to be."""
    found = []
    while core.wake_at <= until:
        now = core.wake_at
        found += [(now, effect) for effect in core.wake(now) if isinstance(effect, Transmit)]
    return found


def uplink(effects: Sequence[ForwarderEffect]) -> PushData:
    (effect,) = effects
    assert isinstance(effect, SendDatagram)
    assert effect.upstream
    packet = decode(effect.data)
    assert isinstance(packet, PushData)
    return packet


def test_a_frame_heard_is_forwarded_with_the_counter_at_its_end() -> None:
    core = ForwarderCore(replace(CONFIG, counter_offset_us=500, channels_hz=(868_100_000, 868_300_000)))
    packet = uplink(core.handle(HEARD, HEARD.at))
    (rxpk,) = packet.rxpks
    assert (packet.gateway_eui, rxpk.tmst, rxpk.channel, rxpk.rf_chain) == (EUI, 2_000_500, 1, 0)
    assert (rxpk.freq_hz, rxpk.modulation, rxpk.coding_rate) == (868_300_000, LoraModulation(9), CodingRate.CR_4_5)
    assert (rxpk.rssi_dbm, rxpk.snr_db, rxpk.payload, rxpk.crc_status) == (-101.0, -3.5, bytes(12), 1)
    assert rxpk.time is None
    assert rxpk.tmms is None


def test_with_gps_the_time_of_day_and_gps_time_come_along() -> None:
    core = ForwarderCore(replace(CONFIG, gps=True, origin_unix_us=1_483_228_800 * US_PER_S))
    (rxpk,) = uplink(core.handle(HEARD, HEARD.at)).rxpks
    assert (rxpk.time, rxpk.tmms) == ("2017-01-01T00:00:02.000000Z", 1_167_264_020_000)


def test_rx1_is_programmed_40_ms_ahead_and_leaves_exactly_one_second_after_the_uplink() -> None:
    core = ForwarderCore(replace(CONFIG, counter_offset_us=123_456_789))
    (rxpk,) = uplink(core.handle(HEARD, HEARD.at)).rxpks
    ack = answer(request(core, replace(TXPK, tmst=rxpk.tmst + 1_000_000)))
    assert (ack.token, ack.error, ack.warning) == (7, TxError.NONE, None)
    ((now, transmit),) = transmissions(core, 5_000_000)
    assert now == 2_960_000
    # SF9, 13 bytes, no CRC: 12.25 + 8 + ceil((104 - 36 + 28) / 36) * 5 symbols of 4.096 ms (SX1276 datasheet 4.1.1.7)
    assert transmit == Transmit(
        3_000_000, bytes(13), 868_300_000, LoraModulation(9), 14.0, 144_384, True, False, CodingRate.CR_4_5
    )


def test_uplink_and_downlink_across_the_wrap_of_the_counter() -> None:
    core = ForwarderCore(replace(CONFIG, counter_offset_us=WRAP - 2_500_000))
    (rxpk,) = uplink(core.handle(HEARD, HEARD.at)).rxpks
    assert rxpk.tmst == WRAP - 500_000
    request(core, replace(TXPK, tmst=(rxpk.tmst + 1_000_000) % WRAP))
    assert [transmit.at for _, transmit in transmissions(core, 5_000_000)] == [3_000_000]
    (after,) = uplink(core.handle(replace(HEARD, at=WRAP * 3 + 2_500_001), WRAP * 3 + 2_500_001)).rxpks
    assert after.tmst == 1


def test_a_downlink_late_by_hours_is_not_taken_for_one_ahead() -> None:
    core = ForwarderCore(CONFIG)
    now = WRAP + 10_000_000
    assert answer(request(core, replace(TXPK, tmst=9_000_000), now)).error is TxError.TOO_LATE


def beacon(at: int) -> QueueBeacon:
    return QueueBeacon(Transmit(at, bytes(17), 869_525_000, LoraModulation(9), 14.0, 152_576, crc=False))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"tmst": 2_120_000}, TxError.TOO_LATE),
        ({"tmst": 602_100_000}, TxError.TOO_EARLY),
        ({"tmst": 10_020_000}, TxError.COLLISION_PACKET),
        ({"tmst": 20_010_000}, TxError.COLLISION_BEACON),
        ({"freq_hz": 915_000_000}, TxError.TX_FREQ),
        ({"freq_hz": 862_999_999}, TxError.TX_FREQ),
        ({"tmst": None, "tmms": 1_400_000_000_000}, TxError.GPS_UNLOCKED),
        ({"modulation": 50_000, "coding_rate": None, "fdev_hz": 25_000}, TxError.UNKNOWN),
        ({}, TxError.NONE),
    ],
)
def test_every_answer_of_the_protocol(change: dict[str, Any], error: TxError) -> None:
    core = ForwarderCore(CONFIG)
    assert core.handle(beacon(20_000_000), 0) == ()
    assert answer(request(core, replace(TXPK, tmst=10_000_000))).error is TxError.NONE
    assert answer(request(core, replace(TXPK, **change), token=8)) == TxAck(2, 8, EUI, error)
    assert len(transmissions(core, 15_000_000)) == (2 if error is TxError.NONE else 1)


def test_a_full_queue_says_collision() -> None:
    core = ForwarderCore(CONFIG)
    errors = [answer(request(core, replace(TXPK, tmst=10_000_000 + n * 1_000_000))).error for n in range(33)]
    assert errors == [TxError.NONE] * 32 + [TxError.COLLISION_PACKET]


@pytest.mark.parametrize(
    ("asked", "used", "warned"),
    [(14.0, 14.0, False), (27.0, 27.0, False), (40.0, 27.0, True), (3.0, 12.0, True), (None, 12.0, True)],
)
def test_a_power_outside_the_table_is_sent_with_the_nearest_and_a_warning(
    asked: float | None, used: float, warned: bool
) -> None:
    core = ForwarderCore(CONFIG)
    ack = answer(request(core, replace(TXPK, power_dbm=asked)))
    assert ack == TxAck(2, 7, EUI, TxError.NONE, *(("TX_POWER", used) if warned else (None, None)))
    assert [transmit.power_dbm for _, transmit in transmissions(core, 5_000_000)] == [used]


def test_antenna_gain_is_taken_from_the_power_and_gaps_in_the_table_go_down() -> None:
    core = ForwarderCore(replace(CONFIG, antenna_gain_dbi=3, tx_chains=(TxChain(powers_dbm=(20, 10, 14)),)))
    assert answer(request(core, replace(TXPK, power_dbm=17))).warning is None
    ack = answer(request(core, replace(TXPK, tmst=4_000_000, power_dbm=22)))
    assert (ack.warning, ack.power_dbm) == ("TX_POWER", 14.0)
    assert [transmit.power_dbm for _, transmit in transmissions(core, 5_000_000)] == [14.0, 14.0]


def test_a_refusal_says_nothing_of_power() -> None:
    core = ForwarderCore(CONFIG)
    assert answer(request(core, replace(TXPK, tmst=2_100_000, power_dbm=40))) == TxAck(2, 7, EUI, TxError.TOO_LATE)


def test_immediate_comes_before_tmst_and_tmst_before_tmms() -> None:
    core = ForwarderCore(CONFIG)
    assert answer(request(core, replace(TXPK, imme=True, tmst=2_100_000, tmms=5))).error is TxError.NONE
    assert answer(request(core, replace(TXPK, tmst=4_000_000, tmms=5))).error is TxError.NONE
    assert [transmit.at for _, transmit in transmissions(core, 5_000_000)] == [2_180_000, 4_000_000]


def test_with_gps_a_downlink_can_be_asked_for_at_gps_time() -> None:
    core = ForwarderCore(replace(CONFIG, gps=True, origin_unix_us=1_483_228_800 * US_PER_S))
    assert answer(request(core, replace(TXPK, tmst=None, tmms=1_167_264_018_000 + 4_128))).error is TxError.NONE
    assert [transmit.at for _, transmit in transmissions(core, 5_000_000)] == [4_128_000]


@pytest.mark.parametrize("field", ["freq", "rfch", "modu", "datr", "codr", "size", "data", "tmst"])
def test_a_missing_field_is_dropped_without_an_answer(field: str) -> None:
    core = ForwarderCore(CONFIG)
    root = json.loads(encode(PullResp(2, 7, TXPK))[4:])
    del root["txpk"][field]
    (effect,) = core.handle(DatagramReceived(b"\x02\x00\x07\x03" + json.dumps(root).encode()), 2_100_000)
    assert isinstance(effect, Dropped)
    assert effect.reason == "malformed"


@pytest.mark.parametrize("rf_chain", [1, 2, 255])
def test_a_chain_that_may_not_transmit_is_dropped_without_an_answer(rf_chain: int) -> None:
    core = ForwarderCore(replace(CONFIG, tx_chains=(TxChain(), TxChain(enabled=False))))
    (effect,) = request(core, replace(TXPK, rf_chain=rf_chain))
    assert isinstance(effect, Dropped)
    assert effect.reason == "tx_disabled"


def test_each_chain_has_its_own_range_and_queue() -> None:
    core = ForwarderCore(replace(CONFIG, tx_chains=(TxChain(), TxChain(902_000_000, 928_000_000))))
    assert answer(request(core, TXPK)).error is TxError.NONE
    assert answer(request(core, replace(TXPK, rf_chain=1))).error is TxError.TX_FREQ
    assert answer(request(core, replace(TXPK, rf_chain=1, freq_hz=923_300_000))).error is TxError.NONE


def test_a_preamble_is_at_least_six_symbols_and_eight_by_default() -> None:
    airtimes = []
    for preamble in (None, 8, 6, 0):
        core = ForwarderCore(CONFIG)
        request(core, replace(TXPK, preamble=preamble))
        airtimes += [transmit.airtime_us for _, transmit in transmissions(core, 5_000_000)]
    assert airtimes == [144_384, 144_384, 144_384 - 2 * 4_096, 144_384 - 2 * 4_096]


def test_version_1_sends_downlinks_and_answers_none() -> None:
    core = ForwarderCore(replace(CONFIG, version=1))
    assert request(core, TXPK) == []
    assert [transmit.at for _, transmit in transmissions(core, 5_000_000)] == [3_000_000]


def test_a_core_woken_too_late_says_what_it_missed() -> None:
    core = ForwarderCore(CONFIG)
    core.wake(0)
    request(core, TXPK)
    effects = core.wake(2_999_000)
    assert [effect.reason for effect in effects if isinstance(effect, Dropped)] == ["missed"]
    assert not [effect for effect in effects if isinstance(effect, Transmit)]


def test_a_beacon_that_cannot_be_placed_is_dropped() -> None:
    core = ForwarderCore(CONFIG)
    core.handle(beacon(20_000_000), 0)
    (effect,) = core.handle(beacon(21_000_000), 0)
    assert isinstance(effect, Dropped)
    assert (effect.reason, effect.detail) == ("beacon_refused", "COLLISION_BEACON")
    assert [transmit.crc for _, transmit in transmissions(core, 30_000_000)] == [False]


def test_filtered_frames_are_dropped_with_the_reason() -> None:
    core = ForwarderCore(replace(CONFIG, uplink_filter=UplinkFilter(net_ids=(NetId(0x13),))))
    stranger = b"\x40" + (0x78000000).to_bytes(4, "little") + bytes(7)
    reasons = []
    for heard in (replace(HEARD, crc_ok=False), replace(HEARD, payload=stranger)):
        (effect,) = core.handle(heard, heard.at)
        assert isinstance(effect, Dropped)
        reasons.append(effect.reason)
    assert reasons == ["crc", "net_id_filter"]


def stats(effects: Sequence[ForwarderEffect]) -> list[dict[str, Any]]:
    uplinks = [effect for effect in effects if isinstance(effect, SendDatagram) and effect.upstream]
    return [json.loads(effect.data[12:])["stat"] for effect in uplinks]


def test_status_reports_count_each_interval_for_itself() -> None:
    core = ForwarderCore(
        ForwarderConfig(
            EUI, stat_interval_us=30_000_000, keepalive_us=100_000_000, origin_unix_us=1_389_517_138 * US_PER_S,
            latitude_deg=46.24, longitude_deg=3.2523, altitude_m=145,
        )
    )  # fmt: skip
    core.wake(0)
    acked = [core.handle(HEARD, 2_000_000) for _ in range(3)]
    core.handle(replace(HEARD, crc_ok=False), 2_000_000)
    for effects in acked[:2]:
        core.handle(DatagramReceived(encode(PushAck(2, uplink(effects).token))), 2_050_000)
    request(core, TXPK)
    request(core, replace(TXPK, freq_hz=915_000_000))  # counted as received, not sent
    core.handle(DatagramReceived(b"\x02\x00\x00\x03{}"), 2_100_000)  # not counted
    transmissions(core, 29_000_000)
    assert core.wake_at == 30_000_000
    (first,) = stats(core.wake(30_000_000))
    assert first == {
        "time": "2014-01-12 08:59:28 GMT", "lati": 46.24, "long": 3.2523, "alti": 145,
        "rxnb": 4, "rxok": 3, "rxfw": 3, "ackr": 66.7, "dwnb": 2, "txnb": 1,
    }  # fmt: skip
    (second,) = stats(core.wake(60_000_000))
    assert {name: second[name] for name in ("rxnb", "rxok", "rxfw", "dwnb", "txnb")} == dict.fromkeys(
        ("rxnb", "rxok", "rxfw", "dwnb", "txnb"), 0
    )
    assert second["ackr"] == 0.0  # the first report was not acknowledged


def test_the_next_wake_is_the_earliest_of_keepalive_report_and_downlink() -> None:
    core = ForwarderCore(ForwarderConfig(EUI, stat_interval_us=7_000_000, keepalive_us=5_000_000))
    assert core.wake_at == 0
    core.wake(0)
    assert core.wake_at == 5_000_000
    request(core, TXPK)
    assert core.wake_at == 2_960_000
    core.wake(2_960_000)
    core.wake(5_000_000)
    assert core.wake_at == 7_000_000


def test_a_transmitter_without_powers_is_refused() -> None:
    with pytest.raises(ValueError, match="power"):
        TxChain(powers_dbm=())
