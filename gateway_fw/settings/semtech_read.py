"""From Semtech's global_conf.json and local_conf.json, of SX1302 and SX1301 packet forwarders.

A file is read as those programs read it: what they ignore is ignored here, and told; what they would take for zero, cut
to a byte or refuse at start-up is an error with its line. `servers`, a list, is that of forwarders for several servers
(multi_pkt_fwd and those after it); the programs of Semtech know `server_address` alone.

Source: sx1302_hal 2.1.0 packet_forwarder/src/lora_pkt_fwd.c and packet_forwarder 4.0.1 lora_pkt_fwd/src/lora_pkt_fwd.c,
parse_SX130x_configuration and parse_gateway_configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_fw.concentrator.setup import IF_CHAINS, Channel, FskChannel, Radio, RadioSetup, ServiceChannel, TxGain
from gateway_fw.forwarder.config import BeaconConfig
from gateway_fw.settings.errors import SettingsError
from gateway_fw.settings.jsonc import parse_jsonc
from gateway_fw.settings.model import (
    DEFAULT_PORT,
    RADIO_TYPES,
    SX1301_TX_GAINS,
    Chip,
    GatewaySettings,
    Lbt,
    LbtChannel,
    RadioType,
    Server,
    TxRange,
    duty_cycle_for,
)
from gateway_fw.settings.nodes import Node, Section
from lorawan.ids import Eui64
from lorawan.phy.modulation import LoraModulation

BOARD_SECTIONS: dict[str, Chip] = {"SX130x_conf": "SX1302", "SX1301_conf": "SX1301"}
U32 = (1 << 32) - 1
_MAX_SERVERS = 8  # assumption


@dataclass(frozen=True, slots=True)
class SettingsRead:
    """The settings, and what the file says that nothing reads: one error for each key, not raised."""

    settings: GatewaySettings
    unread: tuple[SettingsError, ...] = ()


def read_semtech(texts: Sequence[tuple[str, str]]) -> SettingsRead:
    """(path, text) of global_conf.json and of what lies over it, in order. Raises SettingsError.

    A later file replaces single keys of `gateway_conf`, and whole sections of the board (`radio_0`, `chan_FSK` …).
    """
    board, gateway, chip = _overlaid([parse_jsonc(text, path) for path, text in texts])
    unread: list[SettingsError] = []
    parts = _board(board, chip, unread)
    settings = _gateway(gateway, chip, parts, board)
    return SettingsRead(settings, (*unread, *board.unknown(), *gateway.unknown()))


def _overlaid(roots: Sequence[Node]) -> tuple[Section, Section, Chip]:
    merged: dict[str, Section] = {}
    for root in roots:
        if not isinstance(root.value, dict):
            raise SettingsError("is no object", path=root.path, line=root.line, hint='{"gateway_conf": {…}}')
        for name in (*BOARD_SECTIONS, "gateway_conf"):
            section = Section(root, "").section(name)
            if section is None:
                continue
            if name in merged:
                merged[name].lay_over(section)
            else:
                merged[name] = section
    first = roots[0]
    found = [name for name in BOARD_SECTIONS if name in merged]
    if len(found) != 1:
        message = "has both SX130x_conf and SX1301_conf" if found else "has neither SX130x_conf nor SX1301_conf"
        raise SettingsError(message, path=first.path, line=first.line, hint="one of them describes the concentrator")
    if "gateway_conf" not in merged:
        raise SettingsError("has no gateway_conf", path=first.path, line=first.line, hint='"gateway_conf": {…}')
    return merged[found[0]], merged["gateway_conf"], BOARD_SECTIONS[found[0]]


@dataclass(frozen=True, slots=True)
class _Board:
    radio_type: RadioType
    setup: RadioSetup
    ranges: tuple[TxRange, ...]
    lbt: Lbt | None


def _board(board: Section, chip: Chip, unread: list[SettingsError]) -> _Board:
    radios: list[Radio] = []
    ranges: list[TxRange] = []
    gains: tuple[TxGain, ...] = ()
    types: list[RadioType] = []
    for index in range(2):
        section = board.section(f"radio_{index}")
        if section is None or not section.boolean("enable", False):
            if index == 0:
                raise board.error("radio_0", "is missing or not enabled", "radio 0 is needed")
            continue
        types.append(_radio_type(section, chip))
        if types[0] != types[-1]:
            raise section.error("type", f"{types[-1]} beside {types[0]}", "both radios must be of one type")
        radio, tx_range, table = _radio(section, chip, types[0])
        unread.extend(section.unknown())
        radios.append(radio)
        ranges.append(tx_range)
        gains = gains or table
    if chip == "SX1301":
        gains = _tx_luts(board, unread)
        if not gains:
            unread.append(board.error("tx_lut_0", "is missing", "the table of board PCB_E286 is taken"))
            gains = SX1301_TX_GAINS
    channels = tuple(_channel(board.section(f"chan_multiSF_{i}"), len(radios), unread) for i in range(IF_CHAINS))
    setup = board.checked(
        "radio_0",
        lambda: RadioSetup(
            tuple(radios),
            channels,
            _service(board.section("chan_Lora_std"), len(radios), unread),
            _fsk(board.section("chan_FSK"), len(radios), unread),
            gains or RadioSetup().tx_gains,
            board.boolean("lorawan_public", True),
            board.integer("clksrc", 0, 1, 0),
            board.boolean("full_duplex", False) if chip == "SX1302" else False,
        ),
    )
    assert isinstance(setup, RadioSetup)
    if any(radio.tx_enabled for radio in radios) and not gains:
        raise board.error("radio_0", "transmits, but has no table of powers", "tx_gain_lut, or tx_lut_0 … of an SX1301")
    for known in ("chan_multiSF_All", "fine_timestamp"):
        if chip == "SX1302":
            board.get(known)
    return _Board(types[0], setup, tuple(ranges), _lbt(board, chip))


def _radio_type(section: Section, chip: Chip) -> RadioType:
    known = RADIO_TYPES[chip]
    return known[known.index(section.choice("type", known))]


def _radio(section: Section, chip: Chip, kind: RadioType) -> tuple[Radio, TxRange, tuple[TxGain, ...]]:
    tx = section.boolean("tx_enable", False)
    temperature = section.section("rssi_tcomp") if chip == "SX1302" else None
    coefficients = tuple(
        temperature.number(f"coeff_{letter}", -1e9, 1e9, 0.0) if temperature is not None else 0.0 for letter in "abcde"
    )
    radio = Radio(
        section.integer("freq", 1, U32),
        section.number("rssi_offset", -1000, 1000, 0.0),
        (coefficients[0], coefficients[1], coefficients[2], coefficients[3], coefficients[4]),
        tx,
        section.boolean("single_input_mode", False) if chip == "SX1302" else False,
    )
    section.get("tx_notch_freq")
    low = section.integer("tx_freq_min", 0, U32, None if tx else 0)
    high = section.integer("tx_freq_max", 0, U32, None if tx else 0)
    if tx and low > high:
        raise section.error("tx_freq_min", f"{low} Hz is above tx_freq_max, {high} Hz")
    table = tuple(_gain(row, is_sx1250=kind == "SX1250") for row in section.sections("tx_gain_lut", 16))
    return radio, TxRange(low, high) if tx else TxRange(), table


def _gain(row: Section, *, is_sx1250: bool) -> TxGain:
    power = row.integer("rf_power", -128, 127)
    if is_sx1250:
        return TxGain(power, row.integer("pa_gain", 0, 1), row.integer("pwr_idx", 0, 22))
    return TxGain(
        power,
        row.integer("pa_gain", 0, 3),
        digital=row.integer("dig_gain", 0, 3, 0),
        dac=row.integer("dac_gain", 0, 3, 3),
        mix=row.integer("mix_gain", 0, 15, 15),
    )


def _tx_luts(board: Section, unread: list[SettingsError]) -> tuple[TxGain, ...]:
    rows = []
    for index in range(16):
        section = board.section(f"tx_lut_{index}")
        if section is not None:
            rows.append(_gain(section, is_sx1250=False))
            section.get("desc")
            unread.extend(section.unknown())
    return tuple(rows)


def _placed(section: Section, radios: int) -> tuple[int, int]:
    chain = section.integer("radio", 0, 1)
    if chain >= radios:
        raise section.error("radio", f"radio_{chain} is not enabled", "enable it, or this channel not")
    return chain, section.integer("if", -2_000_000, 2_000_000)


def _channel(section: Section | None, radios: int, unread: list[SettingsError]) -> Channel | None:
    if section is None or not section.boolean("enable", False):
        return None
    channel = Channel(*_placed(section, radios))
    section.get("desc")
    unread.extend(section.unknown())
    return channel


def _service(section: Section | None, radios: int, unread: list[SettingsError]) -> ServiceChannel | None:
    if section is None or not section.boolean("enable", False):
        return None
    chain, if_hz = _placed(section, radios)
    bandwidth_hz = section.integer("bandwidth", 1, 500_000)
    if bandwidth_hz not in (125_000, 250_000, 500_000):
        raise section.error("bandwidth", f"{bandwidth_hz} Hz", "125000, 250000 or 500000")
    modulation = LoraModulation(section.integer("spread_factor", 5, 12), bandwidth_hz)
    if section.boolean("implicit_hdr", False):
        raise section.error("implicit_hdr", "frames without a header are not supported on this channel", "write false")
    for key in ("implicit_payload_length", "implicit_crc_en", "implicit_coderate", "desc"):
        section.get(key)
    unread.extend(section.unknown())
    return ServiceChannel(chain, if_hz, modulation)


def _fsk(section: Section | None, radios: int, unread: list[SettingsError]) -> FskChannel | None:
    if section is None or not section.boolean("enable", False):
        return None
    chain, if_hz = _placed(section, radios)
    fsk = FskChannel(chain, if_hz, section.integer("datarate", 500, 250_000), section.integer("bandwidth", 1, 500_000))
    section.get("freq_deviation")
    section.get("desc")
    unread.extend(section.unknown())
    return fsk


def _lbt(board: Section, chip: Chip) -> Lbt | None:
    if chip == "SX1302":
        sx1261 = board.section("sx1261_conf")
        section = sx1261.section("lbt") if sx1261 is not None else None
        offset, rows = (sx1261.integer("rssi_offset", -128, 127, 0) if sx1261 is not None else 0), "channels"
    else:
        section = board.section("lbt_cfg")
        offset, rows = (section.integer("sx127x_rssi_offset", -128, 127, 0) if section is not None else 0), "chan_cfg"
    if section is None or not section.boolean("enable", False):
        return None
    channels = tuple(
        LbtChannel(
            row.integer("freq_hz", 1, U32),
            row.integer("bandwidth", 125_000, 500_000, 125_000),
            row.integer("scan_time_us", 1, 65_535),
            row.integer("transmit_time_ms", 1, 65_535, 400),
        )
        for row in section.sections(rows, 16)
    )
    return Lbt(section.integer("rssi_target", -128, 127), offset, channels)


def _gateway(section: Section, chip: Chip, parts: _Board, board: Section) -> GatewaySettings:
    has_place = section.get("ref_latitude") is not None and section.get("ref_longitude") is not None
    settings = GatewaySettings(
        gateway_eui=_eui(section),
        chip=chip,
        radio_type=parts.radio_type,
        radio=parts.setup,
        tx_ranges=parts.ranges,
        port=board.text("com_path", DEFAULT_PORT),
        connection="SPI" if board.choice("com_type", ("SPI", "USB", "spi", "usb"), "SPI").upper() == "SPI" else "USB",
        antenna_gain_dbi=board.number("antenna_gain", -128, 127, 0.0),
        servers=_servers(section),
        keepalive_s=section.integer("keepalive_interval", 1, 3_600, 5),
        stat_interval_s=section.integer("stat_interval", 0, 86_400, 30),
        push_timeout_ms=section.integer("push_timeout_ms", 1, 60_000, 100),
        forward_crc_valid=section.boolean("forward_crc_valid", True),
        forward_crc_error=section.boolean("forward_crc_error", False),
        forward_crc_disabled=section.boolean("forward_crc_disabled", False),
        gps_port=section.text("gps_tty_path", "") or None,
        latitude_deg=section.number("ref_latitude", -90, 90, 0.0) if has_place else None,
        longitude_deg=section.number("ref_longitude", -180, 180, 0.0) if has_place else None,
        altitude_m=section.integer("ref_altitude", -32_768, 32_767, 0) if has_place else None,
        beacon=_beacon(section),
        lbt=parts.lbt,
        duty_cycle=duty_cycle_for(parts.setup, parts.ranges),
    )
    section.get("ref_altitude")
    return settings


def _eui(section: Section) -> Eui64:
    text = section.text("gateway_ID")
    try:
        return Eui64.from_hex(text)
    except ValueError:
        raise section.error("gateway_ID", f'"{text[:40]}" is no EUI', "16 hexadecimal digits") from None


def _servers(section: Section) -> tuple[Server, ...]:
    listed = [row for row in section.sections("servers", _MAX_SERVERS) if row.boolean("serv_enabled", True)]
    own = [section] if section.get("server_address") is not None or not listed else []
    for key in ("serv_port_up", "serv_port_down", "serv_enabled"):
        section.get(key)
    servers = []
    for row in (*own, *listed):
        server = Server(_host(row), row.integer("serv_port_up", 1, 65_535), row.integer("serv_port_down", 1, 65_535))
        if server not in servers:
            servers.append(server)
    return tuple(servers)


def _host(row: Section) -> str:
    host = row.text("server_address", most=253)
    if not host or any(letter.isspace() or letter in '/\\"' for letter in host):
        raise row.error("server_address", f'"{host[:40]}" is no name', "a host name or an address")
    return host


def _beacon(section: Section) -> BeaconConfig | None:
    period_s = section.integer("beacon_period", 0, 86_400, 0)
    if not period_s:
        for key in _BEACON_KEYS:
            section.get(key)
        return None
    beacon = section.checked(
        "beacon_period",
        lambda: BeaconConfig(
            period_s,
            section.integer("beacon_freq_hz", 1, U32, 869_525_000),
            section.integer("beacon_freq_nb", 1, 255, 1),
            section.integer("beacon_freq_step", 0, U32, 0),
            section.integer("beacon_datarate", 5, 12, 9),
            section.integer("beacon_bw_hz", 1, 500_000, 125_000),
            float(section.integer("beacon_power", -128, 127, 14)),
            section.integer("beacon_infodesc", 0, 255, 0),
        ),
    )
    assert isinstance(beacon, BeaconConfig)
    return beacon


_BEACON_KEYS = (
    "beacon_freq_hz",
    "beacon_freq_nb",
    "beacon_freq_step",
    "beacon_datarate",
    "beacon_bw_hz",
    "beacon_power",
    "beacon_infodesc",
)
