"""Laws of gateway configurations: what is written is read back, in every dialect; no text does more than an error."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_fw.concentrator.setup import Channel, FskChannel, Radio, RadioSetup, ServiceChannel, TxGain
from gateway_fw.forwarder import BeaconConfig, SpoolConfig
from gateway_fw.settings import (
    GatewaySettings,
    Lbt,
    LbtChannel,
    Server,
    SettingsError,
    TxRange,
    read_semtech,
    read_toml,
    write_semtech,
    write_toml,
)
from gateway_fw.settings.jsonc import parse_jsonc
from gateway_fw.settings.model import RADIO_TYPES, duty_cycle_for
from lorawan.ids import Eui64
from lorawan.phy import LoraModulation
from lorawan.units import US_PER_S

hosts = st.from_regex(r"[a-z0-9][a-z0-9.\-]{0,40}", fullmatch=True)
ports = st.integers(1, 65_535)
levels = st.integers(-2_000, 2_000).map(lambda tenths: tenths / 10)
frequencies = st.integers(100_000_000, 1_000_000_000)
offsets = st.integers(-2_000_000, 2_000_000)
bandwidths = st.sampled_from([125_000, 250_000, 500_000])
paths = st.from_regex(r"/dev/[A-Za-z0-9./\-]{1,30}", fullmatch=True)


@st.composite
def radio_setups(draw: st.DrawFn, *, is_sx1250: bool, is_sx1302: bool) -> RadioSetup:
    count = draw(st.integers(1, 2))
    flat = st.just((0.0, 0.0, 0.0, 0.0, 0.0))
    coefficients = st.tuples(*[levels] * 5) if is_sx1302 else flat
    radios = tuple(
        Radio(draw(frequencies), draw(levels.filter(lambda v: abs(v) < 999)), draw(coefficients), draw(st.booleans()),
              draw(st.booleans()) if is_sx1302 else False)
        for _ in range(count)
    )  # fmt: skip
    chain = st.integers(0, count - 1)
    channels = tuple(draw(st.none() | st.builds(Channel, chain, offsets)) for _ in range(8))
    modulations = st.builds(LoraModulation, st.integers(5, 12), bandwidths)
    gains = (
        st.builds(TxGain, st.integers(-40, 40), st.integers(0, 1), st.integers(0, 22))
        if is_sx1250
        else st.builds(
            TxGain, st.integers(-40, 40), st.integers(0, 3), st.just(0), st.integers(0, 3), st.integers(0, 3),
            st.integers(0, 15),
        )
    )  # fmt: skip
    return RadioSetup(
        radios,
        channels,
        draw(st.none() | st.builds(ServiceChannel, chain, offsets, modulations)),
        draw(st.none() | st.builds(FskChannel, chain, offsets, st.integers(500, 250_000), bandwidths)),
        tuple(draw(st.lists(gains, min_size=1, max_size=16))),
        draw(st.booleans()),
        draw(chain),
        draw(st.booleans()) if is_sx1302 else False,
    )


@st.composite
def gateways(draw: st.DrawFn) -> GatewaySettings:
    chip = draw(st.sampled_from(["SX1301", "SX1302"]))
    radio_type = draw(st.sampled_from(RADIO_TYPES[chip]))  # type: ignore[index]
    setup = draw(radio_setups(is_sx1250=radio_type == "SX1250", is_sx1302=chip == "SX1302"))
    ranges = tuple(
        TxRange(*sorted(draw(st.tuples(frequencies, frequencies)))) if radio.tx_enabled else TxRange()
        for radio in setup.radios
    )
    has_place = draw(st.booleans())
    lbt_channels = st.builds(LbtChannel, frequencies, bandwidths, st.sampled_from([128, 5_000]), st.integers(1, 4_000))
    lbts = st.builds(Lbt, st.integers(-128, 0), st.integers(-10, 10), st.lists(lbt_channels, max_size=16).map(tuple))
    beacons = st.builds(
        BeaconConfig, st.sampled_from([128, 6, 60, 3_600, 86_400]), frequencies, st.integers(1, 8),
        st.integers(0, 1_000_000), st.sampled_from([8, 9, 10, 12]), bandwidths, st.integers(0, 27).map(float),
        st.integers(0, 255),
    )  # fmt: skip
    return GatewaySettings(
        Eui64(draw(st.integers(0, (1 << 64) - 1))),
        chip,  # type: ignore[arg-type]
        radio_type,
        setup,
        ranges,
        draw(paths),
        draw(st.sampled_from(["USB", "SPI"])),  # type: ignore[arg-type]
        draw(st.integers(-5, 15)) * 1.0,
        tuple(draw(st.lists(st.builds(Server, hosts, ports, ports), min_size=1, max_size=4, unique=True))),
        draw(st.integers(1, 3_600)),
        draw(st.integers(0, 86_400)),
        draw(st.integers(1, 60_000)),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.none() | paths),
        draw(st.floats(-90, 90)) if has_place else None,
        draw(st.floats(-180, 180)) if has_place else None,
        draw(st.integers(-400, 8_000)) if has_place else None,
        draw(st.none() | beacons),
        draw(st.none() | lbts),
        duty_cycle=duty_cycle_for(setup, ranges),
    )  # fmt: skip


@settings(deadline=None)
@given(gateways())
def test_semtechs_dialects_give_back_what_was_written(gateway: GatewaySettings) -> None:
    if gateway.chip == "SX1301":
        # that dialect has no port, and no bandwidth or length of a transmission for LBT
        lbt = gateway.lbt
        if lbt is not None:
            lbt = replace(lbt, channels=tuple(replace(c, bandwidth_hz=125_000, transmit_ms=400) for c in lbt.channels))
        gateway = replace(gateway, port=GatewaySettings(Eui64(0)).port, connection="SPI", lbt=lbt)
    read = read_semtech([("conf.json", write_semtech(gateway))])
    assert read.settings == gateway
    assert read.unread == ()


@settings(deadline=None)
@given(
    gateways(),
    st.integers(1 << 16, 1 << 30),
    st.integers(3_600, 90 * 86_400),
    st.sampled_from(["EU868", "off"]),
    levels,
)
def test_our_own_dialect_holds_everything(
    gateway: GatewaySettings, size: int, age_s: int, duty_cycle: str, gain_tenths: float
) -> None:
    gateway = replace(
        gateway,
        spool=SpoolConfig(size, age_s * US_PER_S),
        duty_cycle=duty_cycle,  # type: ignore[arg-type]
        antenna_gain_dbi=gain_tenths / 20,
    )
    assert read_toml(write_toml(gateway), "gateway.toml") == gateway


@given(st.text(max_size=80), st.binary(max_size=60))
def test_any_text_is_a_configuration_or_an_error_with_its_place(text: str, data: bytes) -> None:
    for attempt in (text, data.decode("latin-1"), '{"gateway_conf": ' + text, "[concentrator]\n" + text):
        for read in (lambda t: read_semtech([("x", t)]), lambda t: read_toml(t, "x")):
            with suppress(SettingsError):
                read(attempt)


@settings(deadline=None)
@given(gateways(), st.data())
def test_a_damaged_configuration_is_read_or_refused(gateway: GatewaySettings, data: st.DataObject) -> None:
    text = write_semtech(gateway) if data.draw(st.booleans()) else write_toml(gateway)
    at = data.draw(st.integers(0, len(text) - 1))
    text = (
        text[:at]
        + data.draw(st.sampled_from(["", "x", "-", "0", '"', "{", "}", "[", ",", "\n", "null", "1e400"]))
        + text[at + 1 :]
    )
    with suppress(SettingsError):
        read_semtech([("x", text)]) if text.lstrip().startswith("{") else read_toml(text, "x")


def test_depth_is_bounded() -> None:
    for text in ("[" * 100_000, '{"a":' * 100_000, "/*" * 1_000):
        with suppress(SettingsError):
            parse_jsonc(text, "x")
