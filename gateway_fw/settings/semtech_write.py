"""Settings as Semtech's global_conf.json, for SX1302 and SX1301 packet forwarders.

Source: as `semtech_read`. Those programs keep one byte of antenna_gain, cut towards zero, and one server: `servers`
lists the others for forwarders that know it.
"""

from __future__ import annotations

import json
from typing import Any

from gateway_fw.concentrator.setup import Radio, TxGain
from gateway_fw.settings.model import GatewaySettings, Lbt, RadioType


def write_semtech(settings: GatewaySettings) -> str:
    """The text of the file, in the dialect of `settings.chip`."""
    name = "SX130x_conf" if settings.chip == "SX1302" else "SX1301_conf"
    document = {name: _board(settings), "gateway_conf": _gateway(settings)}
    return json.dumps(document, indent=4, ensure_ascii=True) + "\n"


def _board(settings: GatewaySettings) -> dict[str, Any]:
    setup, is_sx1302 = settings.radio, settings.chip == "SX1302"
    board: dict[str, Any] = {}
    if is_sx1302:
        board |= {"com_type": settings.connection, "com_path": settings.port}
    board |= {"lorawan_public": setup.public_network, "clksrc": setup.clock_source}
    board["antenna_gain"] = _plain(settings.antenna_gain_dbi)
    if is_sx1302:
        board["full_duplex"] = setup.full_duplex
    if settings.lbt is not None:
        board |= {"sx1261_conf": _sx1261(settings.lbt)} if is_sx1302 else {"lbt_cfg": _lbt_cfg(settings.lbt)}
    for index, radio in enumerate(setup.radios):
        board[f"radio_{index}"] = _radio(settings, index, radio)
    if is_sx1302:
        board["chan_multiSF_All"] = {"spreading_factor_enable": [5, 6, 7, 8, 9, 10, 11, 12]}
    for index, channel in enumerate(setup.channels):
        board[f"chan_multiSF_{index}"] = (
            {"enable": False} if channel is None else {"enable": True, "radio": channel.rf_chain, "if": channel.if_hz}
        )
    service, fsk = setup.service, setup.fsk
    board["chan_Lora_std"] = {"enable": False}
    if service is not None:
        board["chan_Lora_std"] = {
            "enable": True,
            "radio": service.rf_chain,
            "if": service.if_hz,
            "bandwidth": service.modulation.bw_hz,
            "spread_factor": service.modulation.sf,
        }
    board["chan_FSK"] = {"enable": False}
    if fsk is not None:
        board["chan_FSK"] = {
            "enable": True,
            "radio": fsk.rf_chain,
            "if": fsk.if_hz,
            "bandwidth": fsk.bandwidth_hz,
            "datarate": fsk.bit_rate,
        }
    if not is_sx1302:
        board |= {f"tx_lut_{index}": _gain(row, settings.radio_type) for index, row in enumerate(setup.tx_gains)}
    return board


def _radio(settings: GatewaySettings, index: int, radio: Radio) -> dict[str, Any]:
    is_sx1302 = settings.chip == "SX1302"
    found: dict[str, Any] = {
        "enable": True,
        "type": settings.radio_type,
        "freq": radio.freq_hz,
        "rssi_offset": _plain(radio.rssi_offset_db),
    }
    if is_sx1302:
        names = ("coeff_a", "coeff_b", "coeff_c", "coeff_d", "coeff_e")
        found["rssi_tcomp"] = {name: _plain(value) for name, value in zip(names, radio.rssi_temperature, strict=True)}
        found["single_input_mode"] = radio.single_input
    found["tx_enable"] = radio.tx_enabled
    if radio.tx_enabled:
        found |= {"tx_freq_min": settings.tx_ranges[index].min_hz, "tx_freq_max": settings.tx_ranges[index].max_hz}
    if is_sx1302 and (radio.tx_enabled or (index == 0 and not any(one.tx_enabled for one in settings.radio.radios))):
        found["tx_gain_lut"] = [_gain(row, settings.radio_type) for row in settings.radio.tx_gains]
    return found


def _gain(row: TxGain, radio_type: RadioType) -> dict[str, int]:
    if radio_type == "SX1250":
        return {"rf_power": row.power_dbm, "pa_gain": row.pa, "pwr_idx": row.power_index}
    return {
        "rf_power": row.power_dbm,
        "pa_gain": row.pa,
        "dig_gain": row.digital,
        "dac_gain": row.dac,
        "mix_gain": row.mix,
    }


def _sx1261(lbt: Lbt) -> dict[str, Any]:
    channels = [
        {
            "freq_hz": channel.freq_hz,
            "bandwidth": channel.bandwidth_hz,
            "scan_time_us": channel.scan_us,
            "transmit_time_ms": channel.transmit_ms,
        }
        for channel in lbt.channels
    ]
    lbt_part = {"enable": True, "rssi_target": lbt.rssi_target_dbm, "channels": channels}
    return {"rssi_offset": lbt.rssi_offset_db, "lbt": lbt_part}


def _lbt_cfg(lbt: Lbt) -> dict[str, Any]:
    channels = [{"freq_hz": channel.freq_hz, "scan_time_us": channel.scan_us} for channel in lbt.channels]
    return {
        "enable": True,
        "rssi_target": lbt.rssi_target_dbm,
        "sx127x_rssi_offset": lbt.rssi_offset_db,
        "chan_cfg": channels,
    }


def _gateway(settings: GatewaySettings) -> dict[str, Any]:
    first, *others = settings.servers
    found: dict[str, Any] = {
        "gateway_ID": f"{int(settings.gateway_eui):016X}",
        "server_address": first.host,
        "serv_port_up": first.port_up,
        "serv_port_down": first.port_down,
    }
    if others:
        found["servers"] = [
            {
                "server_address": server.host,
                "serv_port_up": server.port_up,
                "serv_port_down": server.port_down,
                "serv_enabled": True,
            }
            for server in settings.servers
        ]
    found |= {
        "keepalive_interval": settings.keepalive_s,
        "stat_interval": settings.stat_interval_s,
        "push_timeout_ms": settings.push_timeout_ms,
        "forward_crc_valid": settings.forward_crc_valid,
        "forward_crc_error": settings.forward_crc_error,
        "forward_crc_disabled": settings.forward_crc_disabled,
    }
    if settings.gps_port is not None:
        found["gps_tty_path"] = settings.gps_port
    if settings.latitude_deg is not None and settings.longitude_deg is not None:
        found |= {
            "ref_latitude": settings.latitude_deg,
            "ref_longitude": settings.longitude_deg,
            "ref_altitude": settings.altitude_m or 0,
        }
    beacon = settings.beacon
    if beacon is not None:
        found |= {
            "beacon_period": beacon.period_s,
            "beacon_freq_hz": beacon.freq_hz,
            "beacon_freq_nb": beacon.freq_count,
            "beacon_freq_step": beacon.freq_step_hz,
            "beacon_datarate": beacon.spreading_factor,
            "beacon_bw_hz": beacon.bandwidth_hz,
            "beacon_power": round(beacon.power_dbm),
            "beacon_infodesc": beacon.info_desc,
        }
    return found


def _plain(value: float) -> int | float:
    return int(value) if value == int(value) else value
