"""From lorabench's own TOML dialect: the same settings with units, names for frequencies, and no byte left to guess.

A key that is not known is an error. `lorabench gateway provision SCENARIO --dialect toml` writes examples.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from gateway_fw.concentrator.setup import IF_CHAINS, Channel, FskChannel, Radio, RadioSetup, ServiceChannel, TxGain
from gateway_fw.forwarder.config import BeaconConfig
from gateway_fw.forwarder.spool import SpoolConfig
from gateway_fw.settings.errors import SettingsError
from gateway_fw.settings.model import (
    DEFAULT_PORT,
    RADIO_TYPES,
    Chip,
    GatewaySettings,
    Lbt,
    LbtChannel,
    Server,
    TxRange,
    duty_cycle_for,
)
from gateway_fw.settings.nodes import Node, Section, Value, show
from gateway_fw.settings.units import (
    BITRATE,
    BYTES,
    FREQUENCY,
    GAIN,
    LENGTH,
    MICROSECONDS,
    MILLISECONDS,
    POWER,
    RATIO,
    SECONDS,
    Dimension,
)
from lorawan.ids import Eui64
from lorawan.phy.modulation import LoraModulation
from lorawan.units import US_PER_S

_PLACE = re.compile(r"^(.*) \(at (?:line (\d+), column \d+|end of document)\)$", re.DOTALL)
_HEADER = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.\-]+)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-]+)\s*=")


def read_toml(text: str, path: str) -> GatewaySettings:
    """The settings of one file. Raises SettingsError."""
    try:
        root = Section(_node(tomllib.loads(text), (), _lines(text), path, 1), "")
    except SettingsError:
        raise
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.match(str(error))
        line = int(found[2]) if found and found[2] else text.count("\n") + 1
        raise SettingsError(f"not TOML: {found[1] if found else error}", path=path, line=line) from None
    except (ValueError, RecursionError) as error:  # more digits, or more depth, than Python reads
        raise SettingsError(f"not TOML: {error}", path=path) from None
    seen: list[Section] = []
    settings = _Reader(seen).settings(root)
    for section in (root, *seen):
        for unknown in section.unknown():
            raise unknown
    return settings


def _lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Lines of keys and tables, as far as a look at each line tells."""
    lines: dict[tuple[str | int, ...], int] = {}
    counts: dict[tuple[str | int, ...], int] = {}
    here: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.fullmatch(line)
        if header is not None:
            here = ()
            for name in header[1].split("."):
                here = (*here, name)
                if here in counts and here != tuple(header[1].split(".")):
                    here = (*here, counts[here] - 1)
            if line.lstrip().startswith("[["):
                index = counts.get(here, 0)
                counts[here] = index + 1
                here = (*here, index)
            lines.setdefault(here, number)
            continue
        key = _KEY.match(line)
        if key is not None:
            lines.setdefault((*here, key[1]), number)
    return lines


def _node(value: Any, at: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int], path: str, line: int) -> Node:
    line = lines.get(at, line)
    inner: Value
    if isinstance(value, dict):
        inner = {key: _node(item, (*at, key), lines, path, line) for key, item in value.items()}
    elif isinstance(value, list):
        inner = [_node(item, (*at, index), lines, path, line) for index, item in enumerate(value)]
    elif type(value) is int and not -1 << 63 <= value < 1 << 63:
        raise SettingsError("a whole number of more than 64 bits", path=path, line=line)  # TOML 1.0.0, Integer
    else:
        inner = value if isinstance(value, str | int | float | bool) else str(value)
    return Node(inner, line, path)


class _Reader:
    def __init__(self, seen: list[Section]) -> None:
        self._seen = seen

    def settings(self, root: Section) -> GatewaySettings:
        board = self._section(root, "concentrator")
        link, forward = self._section(root, "link"), self._section(root, "forward")
        chip: Chip = "SX1301" if board.choice("chip", ("SX1301", "SX1302"), "SX1302") == "SX1301" else "SX1302"
        setup, ranges = self._board(board)
        types = RADIO_TYPES[chip]
        radio_type = types[types.index(board.choice("radio_type", types, types[0]))]
        gps = self._section(root, "gps")
        altitude = root.get("altitude")
        return GatewaySettings(
            gateway_eui=self._eui(root),
            chip=chip,
            radio_type=radio_type,
            radio=setup,
            tx_ranges=ranges,
            port=board.text("port", DEFAULT_PORT),
            connection="SPI" if board.choice("connection", ("USB", "SPI"), "USB") == "SPI" else "USB",
            antenna_gain_dbi=_quantity(root, "antenna_gain", GAIN, -20, 40, 0.0),
            servers=self._servers(root),
            keepalive_s=_whole(link, "keepalive", SECONDS, 1, 3_600, 10),
            stat_interval_s=_whole(link, "stat_interval", SECONDS, 0, 86_400, 30),
            push_timeout_ms=_whole(link, "push_timeout", MILLISECONDS, 1, 60_000, 100),
            forward_crc_valid=forward.boolean("crc_valid", True),
            forward_crc_error=forward.boolean("crc_error", False),
            forward_crc_disabled=forward.boolean("crc_disabled", False),
            gps_port=gps.text("port", "") or None,
            latitude_deg=root.number("latitude", -90, 90) if root.get("latitude") is not None else None,
            longitude_deg=root.number("longitude", -180, 180) if root.get("longitude") is not None else None,
            altitude_m=None if altitude is None else _whole(root, "altitude", LENGTH, -500, 9_000, 0),
            beacon=self._beacon(root),
            lbt=self._lbt(root),
            spool=self._spool(root),
            duty_cycle="off"
            if root.choice("duty_cycle", ("EU868", "off"), duty_cycle_for(setup, ranges)) == "off"
            else "EU868",
        )

    def _section(self, parent: Section, key: str) -> Section:
        section = parent.section(key) or Section(Node({}, parent.node.line, parent.node.path), key)
        self._seen.append(section)
        return section

    def _sections(self, parent: Section, key: str, most: int) -> list[Section]:
        sections = parent.sections(key, most)
        self._seen.extend(sections)
        return sections

    def _eui(self, root: Section) -> Eui64:
        text = root.text("gateway_eui")
        try:
            return Eui64.from_hex(text)
        except ValueError:
            raise root.error("gateway_eui", f'"{text[:40]}" is no EUI', "16 hexadecimal digits") from None

    def _servers(self, root: Section) -> tuple[Server, ...]:
        servers = []
        for row in self._sections(root, "server", 8):
            host = row.text("host", most=253)
            if not host or any(letter.isspace() or letter in '/\\"' for letter in host):
                raise row.error("host", f'"{host[:40]}" is no name', "a host name or an address")
            port = row.integer("port", 1, 65_535, 1700)
            servers.append(
                Server(host, row.integer("port_up", 1, 65_535, port), row.integer("port_down", 1, 65_535, port))
            )
        if not servers:
            raise root.error("server", "is missing", 'write [[server]] with host = "eu.example.org"')
        return tuple(servers)

    def _spool(self, root: Section) -> SpoolConfig:
        section = self._section(root, "spool")
        return SpoolConfig(
            _whole(section, "max_size", BYTES, 1 << 16, 1 << 34, SpoolConfig().max_bytes),
            _whole(section, "max_age", SECONDS, 3_600, 90 * 86_400, SpoolConfig().max_age_us // US_PER_S) * US_PER_S,
        )

    def _beacon(self, root: Section) -> BeaconConfig | None:
        section = root.section("beacon")
        if section is None:
            return None
        self._seen.append(section)
        beacon = section.checked(
            "period",
            lambda: BeaconConfig(
                _whole(section, "period", SECONDS, 1, 86_400, 128),
                _whole(section, "frequency", FREQUENCY, 1, 1 << 32, 869_525_000),
                section.integer("frequencies", 1, 255, 1),
                _whole(section, "step", FREQUENCY, 0, 1 << 32, 0),
                section.integer("spreading_factor", 5, 12, 9),
                _whole(section, "bandwidth", FREQUENCY, 1, 500_000, 125_000),
                _quantity(section, "power", POWER, -128, 127, 14.0),
                section.integer("info_desc", 0, 255, 0),
            ),
        )
        assert isinstance(beacon, BeaconConfig)
        return beacon

    def _lbt(self, root: Section) -> Lbt | None:
        section = root.section("lbt")
        if section is None:
            return None
        self._seen.append(section)
        channels = tuple(
            LbtChannel(
                _whole(row, "frequency", FREQUENCY, 1, 1 << 32, None),
                _whole(row, "bandwidth", FREQUENCY, 1, 500_000, 125_000),
                _whole(row, "scan", MICROSECONDS, 1, 65_535, 128),
                _whole(row, "transmit", MILLISECONDS, 1, 65_535, 400),
            )
            for row in self._sections(section, "channel", 16)
        )
        target = _whole(section, "rssi_target", POWER, -128, 127, -70)
        return Lbt(target, _whole(section, "rssi_offset", RATIO, -128, 127, 0), channels)

    def _board(self, board: Section) -> tuple[RadioSetup, tuple[TxRange, ...]]:
        rows = self._sections(board, "radio", 2)
        if not rows:
            board.get("channel")
            stock = RadioSetup()
            return stock, (TxRange(),) * len(stock.radios)
        radios = tuple(self._radio(row) for row in rows)
        ranges = tuple(
            TxRange(
                _whole(row, "tx_min", FREQUENCY, 0, 1 << 32, TxRange().min_hz),
                _whole(row, "tx_max", FREQUENCY, 0, 1 << 32, TxRange().max_hz),
            )
            for row in rows
        )
        channels: list[Channel | None] = [None] * IF_CHAINS
        for index, row in enumerate(self._sections(board, "channel", IF_CHAINS)):
            channels[row.integer("chain", 0, IF_CHAINS - 1, index)] = Channel(*_placed(row, radios))
        service, fsk = board.section("service"), board.section("fsk")
        self._seen.extend(section for section in (service, fsk) if section is not None)
        gains = tuple(self._gain(row) for row in self._sections(board, "tx_gain", 16))
        setup = board.checked(
            "radio",
            lambda: RadioSetup(
                radios,
                tuple(channels),
                None if service is None else ServiceChannel(*_placed(service, radios), _modulation(service)),
                None
                if fsk is None
                else FskChannel(
                    *_placed(fsk, radios),
                    _whole(fsk, "bit_rate", BITRATE, 500, 250_000, 50_000),
                    _whole(fsk, "bandwidth", FREQUENCY, 1, 500_000, 125_000),
                ),
                gains or RadioSetup().tx_gains,
                board.boolean("public_network", True),
                board.integer("clock_source", 0, 1, 0),
                board.boolean("full_duplex", False),
            ),
        )
        assert isinstance(setup, RadioSetup)
        return setup, ranges

    def _radio(self, row: Section) -> Radio:
        a, b, c, d, e = row.numbers("rssi_temperature", 5, Radio(0).rssi_temperature)
        return Radio(
            _whole(row, "frequency", FREQUENCY, 1, 1 << 32, None),
            _quantity(row, "rssi_offset", RATIO, -1000, 1000, Radio(0).rssi_offset_db),
            (a, b, c, d, e),
            row.boolean("transmits", False),
            row.boolean("single_input", False),
        )

    def _gain(self, row: Section) -> TxGain:
        return TxGain(
            _whole(row, "power", POWER, -128, 127, None),
            row.integer("pa", 0, 3),
            row.integer("power_index", 0, 22, 0),
            row.integer("digital", 0, 3, 0),
            row.integer("dac", 0, 3, 3),
            row.integer("mix", 0, 15, 15),
        )


def _modulation(section: Section) -> LoraModulation:
    bandwidth_hz = _whole(section, "bandwidth", FREQUENCY, 1, 500_000, 250_000)
    if bandwidth_hz not in (125_000, 250_000, 500_000):
        raise section.error("bandwidth", f"{bandwidth_hz} Hz", '"125 kHz", "250 kHz" or "500 kHz"')
    return LoraModulation(section.integer("spreading_factor", 5, 12, 7), bandwidth_hz)


def _placed(row: Section, radios: tuple[Radio, ...]) -> tuple[int, int]:
    chain = row.integer("radio", 0, len(radios) - 1)
    return chain, _whole(row, "frequency", FREQUENCY, 1, 1 << 32, None) - radios[chain].freq_hz


def _quantity(
    section: Section, key: str, dimension: Dimension, low: float, high: float, default: float | None
) -> float:
    node = section.get(key)
    if node is None:
        if default is None:
            raise section.error(key, "is missing", f'such as "{dimension.example}"')
        return default
    try:
        value = dimension.parse(node.value)
    except ValueError as error:
        raise section.error(key, str(error)) from None
    if not low <= value <= high:
        raise section.error(key, f"{show(node)} is out of range", f"{dimension.write(low)} to {dimension.write(high)}")
    return float(value)


def _whole(section: Section, key: str, dimension: Dimension, low: int, high: int, default: int | None) -> int:
    value = _quantity(section, key, dimension, low, high, default)
    if value != int(value):
        node = section.get(key)
        shown = show(node) if node is not None else f"{value}"
        raise section.error(key, f"{shown} is finer than this can be set", f'such as "{dimension.example}"')
    return int(value)
