"""Laws of what listens to strangers: no datagram stops the monitor, and no text of theirs steers a terminal."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bench.live.monitor import MonitorCore, Seen
from bench.live.monitor_lines import MonitorTotals, facts, lines
from bench.live.network_lines import printable
from gateway_fw import gwmp

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
