"""Laws of what listens to strangers: no datagram stops the monitor, and no text of theirs steers a terminal."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bench.live.monitor import MonitorCore, Seen
from bench.live.monitor_lines import MonitorTotals, facts, lines
from bench.live.network_lines import printable
from bench.network import DeviceProfile, NetworkConfig, NetworkCore
from gateway_fw import gwmp
from lorawan.crypto import SessionKeys
from lorawan.frames import FCtrlUp
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.phy import LoraModulation
from lorawan.regions import EU868
from lorawan.secured import seal_join_request, seal_up
from lorawan.server import JoinSettings
from lorawan.version import Version

EUI = bytes(range(8))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
RXPK = st.fixed_dictionaries(
    {"tmst": st.integers(0, 99), "freq": st.just(868.1), "modu": st.just("LORA"), "datr": st.just("SF7BW125"),
     "rssi": st.integers(-150, 0), "data": st.sampled_from(["", "QAECAwSABQABqw==", "AA==", "gA", "////"])},
    optional={"codr": st.sampled_from(["4/5", "OFF"]), "stat": st.integers(-1, 1), "time": st.text(max_size=12),
              "lsnr": st.floats(-20, 10), "x": JSON},
)  # fmt: skip
PUSH = st.one_of(
    JSON, st.fixed_dictionaries({"rxpk": st.lists(RXPK, max_size=3)}), st.fixed_dictionaries({"stat": JSON})
).map(lambda root: b"\x02\x12\x34\x00" + EUI + json.dumps(root).encode())
TX_ACK = JSON.map(lambda inner: b"\x02\x12\x34\x05" + EUI + json.dumps({"txpk_ack": inner}).encode())
DATAGRAMS = st.one_of(st.binary(max_size=100), PUSH, TX_ACK)


@given(st.lists(DATAGRAMS, max_size=4))
def test_no_datagram_stops_the_monitor_and_each_is_told_once(datagrams: list[bytes]) -> None:
    core, totals = MonitorCore(), MonitorTotals()
    for datagram in datagrams:
        effects = core.handle(gwmp.DatagramReceived(datagram, ("192.0.2.1", 5)), 0)
        (seen,) = [effect for effect in effects if isinstance(effect, Seen)]
        totals.add(seen)
        json.dumps(facts(seen))
        assert all(text.isprintable() for text in lines(seen)), list(lines(seen))
        acknowledged = len(effects) == 2
        assert acknowledged is (len(datagram) >= 12 and datagram[0] in (1, 2) and datagram[3] in (0, 2))
    assert sum(totals.datagrams.values()) == len(datagrams)


@given(st.text())
def test_text_from_outside_is_printable_and_short(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) <= 121 * 10


KEYS = SessionKeys.for_10(AesKey(bytes(16)), AesKey(bytes(range(16))))
PROFILES = (
    DeviceProfile(Eui64(1), Version.V1_0_2, dev_addr=DevAddr(7), session_keys=KEYS),
    DeviceProfile(Eui64(2), Version.V1_0_2, app_key=AesKey(bytes(16))),
)
NETWORK = NetworkConfig(JoinSettings(NetId(0)), tuple(channel.freq_hz for channel in EU868.default_channels))
CONFIRMED = st.integers(0, 3).map(
    lambda f_cnt: seal_up(
        KEYS, is_1_1=False, confirmed=True, dev_addr=DevAddr(7), f_ctrl=FCtrlUp(adr=True), f_cnt=f_cnt, f_port=1,
        payload=b"x",
    )
)  # fmt: skip
JOINS = st.integers(0, 0xFFFF).map(lambda nonce: seal_join_request(AesKey(bytes(16)), Eui64(9), Eui64(2), nonce))
HEARD = st.builds(
    gwmp.Rxpk,
    tmst=st.integers(0, (1 << 32) - 1),
    freq_hz=st.one_of(st.sampled_from([868_100_000, 869_525_000]), st.integers(1, 10_000_000_000)),
    modulation=st.one_of(
        st.builds(LoraModulation, st.integers(5, 12), st.sampled_from([125_000, 250_000, 500_000])),
        st.integers(1, 1_000_000),
    ),
    coding_rate=st.none(),
    rssi_dbm=st.floats(-1000, 1000),
    snr_db=st.none() | st.floats(-1000, 1000),
    payload=st.one_of(CONFIRMED, JOINS, st.binary(max_size=255)),
    crc_status=st.sampled_from([1, 1, 1, 0, -1]),
)


@given(st.lists(st.tuples(HEARD, st.integers(0, 400_000)), max_size=6))
def test_no_report_of_a_gateway_stops_the_network_and_what_it_asks_for_can_be_written(
    reports: list[tuple[gwmp.Rxpk, int]],
) -> None:
    core, now = NetworkCore(NETWORK, PROFILES), 0
    for rxpk, later in reports:
        now += later
        effects = list(core.wake(now)) + list(core.handle(gwmp.UplinkReceived(Eui64(5), rxpk), now))
        now += NETWORK.dedup_window_us
        effects += core.wake(now)
        for effect in effects:
            if isinstance(effect, gwmp.SendDownlink):
                gwmp.encode(gwmp.PullResp(2, 1, effect.txpk))
                assert effect.txpk.tmst is not None
                assert 0 <= effect.txpk.tmst < 1 << 32
