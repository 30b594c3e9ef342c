"""Laws of Basics Station: texts never raise but the family, what is written is read, every frame comes through."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from station_values import dnmsgs, euis, frames, int64s, messages, router_configs, uplinks

from gateway_fw.errors import StationError
from gateway_fw.station import (
    Message,
    StationGatewayConfig,
    StationGatewayCore,
    StationServerCore,
    StationUri,
    XTime,
    XTimeClock,
    discovery_of,
    encode,
    eu868_config,
    eui_of,
    id6,
    parse,
    router_info_of,
)
from gateway_fw.station.events import Connected, Connection, Opened, TextReceived
from gateway_fw.station.fields import Fields
from gateway_fw.station.frames import frame_fields, frame_of
from gateway_fw.station.identifiers import dashed
from gateway_fw.station.xtime import widened
from lorawan.ids import Eui64

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
MSGTYPES = (
    *("version", "router_config", "jreq", "rejoin", "updf", "dndf", "jacc", "propdf"),
    *("dnmsg", "dnsched", "dntxed", "timesync", "runcmd", "rmtsh", "error"),
)


@given(messages)
def test_what_is_written_is_read_as_the_same(message: Message) -> None:
    assert parse(encode(message)) == message


@given(messages)
def test_reading_and_writing_again_gives_the_same_text(message: Message) -> None:
    text = encode(message)
    assert encode(parse(text)) == text


@given(st.text() | st.binary())
@example("[" * 100_000)
@example('{"msgtype":"updf","upinfo":' * 5_000)
@example("1" * 500_000)
@example('{"msgtype":"\ud800"}')
def test_any_text_raises_the_family_alone(text: str | bytes) -> None:
    for reader in (parse, discovery_of, router_info_of):
        refusal = None
        try:
            reader(text)
        except StationError as error:
            refusal = error
        assert refusal is None or (refusal.field and str(refusal))


@given(messages, st.data())
def test_a_message_with_any_field_made_wrong_raises_the_family_alone(message: Message, data: st.DataObject) -> None:
    wire: Any = msgspec.json.decode(encode(message))
    target = wire
    while True:
        key = data.draw(st.sampled_from(sorted(target) if isinstance(target, dict) else range(len(target))))
        inner = target[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        target = inner
    if data.draw(st.booleans()) and isinstance(target, dict):
        del target[key]
    else:
        target[key] = data.draw(json_values)
    wire = wire | {"msgtype": data.draw(st.sampled_from(MSGTYPES))} if data.draw(st.booleans()) else wire
    try:
        text = msgspec.json.encode(wire)
    except (msgspec.MsgspecError, ValueError, OverflowError):
        return
    try:
        parse(text)
    except StationError:
        return


@given(frames)
def test_every_frame_is_rebuilt_byte_for_byte(payload: bytes) -> None:
    wire = frame_fields(payload)
    assert frame_of(wire["msgtype"], Fields(wire, "")) == payload


@given(st.binary(max_size=255))
def test_a_frame_is_either_refused_or_rebuilt(payload: bytes) -> None:
    try:
        wire = frame_fields(payload)
    except StationError:
        return
    assert frame_of(wire["msgtype"], Fields(wire, "")) == payload


@given(euis)
def test_every_form_of_an_eui_is_read(eui: Eui64) -> None:
    signed = eui - (1 << 64) if eui >> 63 else int(eui)
    for form in (id6(eui), dashed(eui), dashed(eui).replace("-", ":").lower(), str(eui), int(eui), signed):
        assert eui_of(form, "router") == eui
    assert eui_of(f"router-{id6(eui)}", "router") == eui


@given(st.text(alphabet="0123456789abcdef:-", max_size=24))
def test_an_id6_text_is_refused_or_stands_for_one_eui(text: str) -> None:
    try:
        eui = eui_of(text, "router")
    except StationError:
        return
    assert eui_of(id6(eui), "router") == eui


@given(st.integers(0, 127), st.integers(0, 255), st.integers(0, (1 << 48) - 1))
def test_an_xtime_comes_apart_as_it_was_put_together(unit: int, session: int, counter_us: int) -> None:
    assert XTime.of(int(XTime(unit, session, counter_us))) == XTime(unit, session, counter_us)
    assert 0 <= int(XTime(unit, session, counter_us)) < 1 << 63


@given(st.integers(1, 255), st.integers(0, 1 << 40), st.integers(0, 1 << 46), st.integers(1, 255))
def test_an_instant_comes_back_from_its_own_session_only(session: int, offset_us: int, at: int, other: int) -> None:
    xtime = XTimeClock(session, offset_us).xtime(at)
    assert XTimeClock(session, offset_us).instant(xtime) == at
    assert (XTimeClock(other, offset_us).instant(xtime) is None) == (other != session)


@given(st.integers(1 << 31, (1 << 62) - 1), st.integers(-(1 << 31) + 1, (1 << 31) - 1))
def test_a_counter_of_32_bits_is_widened_to_the_nearest_xtime(near: int, ahead: int) -> None:
    assert widened((near + ahead) & 0xFFFFFFFF, near) == near + ahead


@given(st.text(max_size=150))
def test_a_uri_is_refused_or_written_as_it_was(text: str) -> None:
    try:
        uri = StationUri.of(text)
    except StationError:
        return
    assert StationUri.of(str(uri)) == uri


EUI = Eui64(0x58A0CBFFFE800019)


@given(st.lists(messages.map(encode) | st.text() | st.text().map(lambda text: f'{{"msgtype":"{text}"}}'), max_size=6))
def test_no_record_stops_either_core(records: list[str]) -> None:
    server, gateway = StationServerCore(eu868_config()), StationGatewayCore(StationGatewayConfig(EUI, "ws://a:1"))
    for connection, path in ((1, "/router-info"), (2, f"/router-{EUI}")):
        server.handle(Opened(connection, path, "a:1"), 0)
    gateway.wake(0)
    gateway.handle(Connected(1), 0)
    now = 0
    for record in records:
        now += 1_000_000
        for connection in (1, 2, 3):
            server.handle(TextReceived(connection, record), now)
        gateway.handle(TextReceived(gateway_connection(gateway), record), now)
        server.wake(now)
        gateway.wake(now)


@given(router_configs, st.lists(dnmsgs() | uplinks | int64s, max_size=5))
def test_no_router_config_stops_a_gateway(config: Message, then: list[Any]) -> None:
    gateway = data_connected()
    connection = gateway_connection(gateway)
    gateway.handle(TextReceived(connection, encode(config)), 1)
    now = 1
    for event in then:
        now += 500_000
        if not isinstance(event, int):
            gateway.handle(TextReceived(gateway_connection(gateway), encode(event)), now)
        while (at := gateway.wake_at) is not None and at <= now:
            gateway.wake(now)


def gateway_connection(gateway: StationGatewayCore) -> Connection:
    return gateway._link.connection


def data_connected() -> StationGatewayCore:
    gateway = StationGatewayCore(StationGatewayConfig(EUI, "ws://a:1"))
    gateway.wake(0)
    gateway.handle(Connected(1), 0)
    gateway.handle(TextReceived(1, '{"router":"::1","uri":"ws://a:1/router"}'), 0)
    gateway.handle(Connected(2), 0)
    assert gateway_connection(gateway) == 2
    return gateway


@pytest.mark.parametrize("text", ["ws://a", "ws://a:0/", "ws://a:65536/", "http://a:1/", "ws://a:1", "wss://:1/", ""])
def test_a_uri_without_host_port_or_path_is_refused(text: str) -> None:
    with pytest.raises(StationError):
        StationUri.of(text)
