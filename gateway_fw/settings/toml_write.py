"""Settings in lorabench's own TOML dialect."""

from __future__ import annotations

import json

from gateway_fw.settings.model import GatewaySettings
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
)
from lorawan.units import US_PER_S


def write_toml(settings: GatewaySettings) -> str:
    """The text of the file."""
    lines = [
        f'gateway_eui = "{int(settings.gateway_eui):016X}"',
        f'antenna_gain = "{GAIN.write(settings.antenna_gain_dbi)}"',
    ]
    for key, value in (("latitude", settings.latitude_deg), ("longitude", settings.longitude_deg)):
        if value is not None:
            lines.append(f"{key} = {_decimal(value)}")
    if settings.altitude_m is not None:
        lines.append(f'altitude = "{LENGTH.write(settings.altitude_m)}"')
    lines.append(f'duty_cycle = "{settings.duty_cycle}"')
    for server in settings.servers:
        lines += ["", "[[server]]", f"host = {_text(server.host)}"]
        lines += [f"port_up = {server.port_up}", f"port_down = {server.port_down}"]
    lines += [
        "",
        "[link]",
        f'keepalive = "{SECONDS.write(settings.keepalive_s)}"',
        f'stat_interval = "{SECONDS.write(settings.stat_interval_s)}"',
        f'push_timeout = "{MILLISECONDS.write(settings.push_timeout_ms)}"',
        "",
        "[forward]",
        f"crc_valid = {_flag(settings.forward_crc_valid)}",
        f"crc_error = {_flag(settings.forward_crc_error)}",
        f"crc_disabled = {_flag(settings.forward_crc_disabled)}",
        "",
        "[spool]  # uplinks that a server has not acknowledged",
        f'max_size = "{BYTES.write(settings.spool.max_bytes)}"',
        f'max_age = "{SECONDS.write(settings.spool.max_age_us // US_PER_S)}"',
    ]
    if settings.gps_port is not None:
        lines += ["", "[gps]", f"port = {_text(settings.gps_port)}"]
    lines += _beacon(settings) + _lbt(settings) + _board(settings)
    return "\n".join(lines) + "\n"


def _beacon(settings: GatewaySettings) -> list[str]:
    beacon = settings.beacon
    if beacon is None:
        return []
    return [
        "",
        "[beacon]",
        f'period = "{SECONDS.write(beacon.period_s)}"',
        f'frequency = "{FREQUENCY.write(beacon.freq_hz)}"',
        f"frequencies = {beacon.freq_count}",
        f'step = "{FREQUENCY.write(beacon.freq_step_hz)}"',
        f"spreading_factor = {beacon.spreading_factor}",
        f'bandwidth = "{FREQUENCY.write(beacon.bandwidth_hz)}"',
        f'power = "{POWER.write(beacon.power_dbm)}"',
        f"info_desc = {beacon.info_desc}",
    ]


def _lbt(settings: GatewaySettings) -> list[str]:
    lbt = settings.lbt
    if lbt is None:
        return []
    lines = ["", "[lbt]", f'rssi_target = "{POWER.write(lbt.rssi_target_dbm)}"']
    lines.append(f'rssi_offset = "{RATIO.write(lbt.rssi_offset_db)}"')
    for channel in lbt.channels:
        lines += ["", "[[lbt.channel]]", f'frequency = "{FREQUENCY.write(channel.freq_hz)}"']
        lines.append(f'bandwidth = "{FREQUENCY.write(channel.bandwidth_hz)}"')
        lines.append(f'scan = "{MICROSECONDS.write(channel.scan_us)}"')
        lines.append(f'transmit = "{MILLISECONDS.write(channel.transmit_ms)}"')
    return lines


def _board(settings: GatewaySettings) -> list[str]:
    setup = settings.radio
    lines = [
        "",
        "[concentrator]",
        f'chip = "{settings.chip}"',
        f'radio_type = "{settings.radio_type}"',
        f'connection = "{settings.connection}"',
        f"port = {_text(settings.port)}",
        f"public_network = {_flag(setup.public_network)}",
        f"clock_source = {setup.clock_source}",
        f"full_duplex = {_flag(setup.full_duplex)}",
    ]
    for index, radio in enumerate(setup.radios):
        lines += [
            "",
            "[[concentrator.radio]]",
            f'frequency = "{FREQUENCY.write(radio.freq_hz)}"',
            f'rssi_offset = "{RATIO.write(radio.rssi_offset_db)}"',
            f"rssi_temperature = [{', '.join(_decimal(value) for value in radio.rssi_temperature)}]",
            f"single_input = {_flag(radio.single_input)}",
            f"transmits = {_flag(radio.tx_enabled)}",
        ]
        if index < len(settings.tx_ranges):
            tx = settings.tx_ranges[index]
            lines += [f'tx_min = "{FREQUENCY.write(tx.min_hz)}"', f'tx_max = "{FREQUENCY.write(tx.max_hz)}"']
    for chain, channel in enumerate(setup.channels):
        if channel is not None:
            lines += ["", "[[concentrator.channel]]", f"chain = {chain}"]
            lines += _place(settings, channel.rf_chain, channel.if_hz)
    if setup.service is not None:
        lines += ["", "[concentrator.service]", *_place(settings, setup.service.rf_chain, setup.service.if_hz)]
        lines.append(f"spreading_factor = {setup.service.modulation.sf}")
        lines.append(f'bandwidth = "{FREQUENCY.write(setup.service.modulation.bw_hz)}"')
    if setup.fsk is not None:
        lines += ["", "[concentrator.fsk]", *_place(settings, setup.fsk.rf_chain, setup.fsk.if_hz)]
        lines.append(f'bit_rate = "{BITRATE.write(setup.fsk.bit_rate)}"')
        lines.append(f'bandwidth = "{FREQUENCY.write(setup.fsk.bandwidth_hz)}"')
    for row in setup.tx_gains:
        lines += ["", "[[concentrator.tx_gain]]", f'power = "{POWER.write(row.power_dbm)}"', f"pa = {row.pa}"]
        if settings.radio_type == "SX1250":
            lines.append(f"power_index = {row.power_index}")
        else:
            lines += [f"digital = {row.digital}", f"dac = {row.dac}", f"mix = {row.mix}"]
    return lines


def _place(settings: GatewaySettings, chain: int, if_hz: int) -> list[str]:
    frequency = FREQUENCY.write(settings.radio.radios[chain].freq_hz + if_hz)
    return [f"radio = {chain}", f'frequency = "{frequency}"']


def _text(text: str) -> str:
    return json.dumps(text)


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _decimal(value: float) -> str:
    text = repr(float(value))
    return text if "e" in text or "." in text else f"{text}.0"
