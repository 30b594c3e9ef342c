"""The specification's names of MAC command fields, and what their values mean.

Source: TS001-1.0.4 §5 and §12; LoRaWAN 1.1 §5, §14 and §18; the clause of each stands beside it in an explanation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from lorawan.mac_commands import MacCommand

_NAMES: Final[Mapping[str, str]] = {
    "margin_db": "Margin",
    "gw_cnt": "GwCnt",
    "data_rate": "DataRate",
    "tx_power": "TXPower",
    "ch_mask": "ChMask",
    "ch_mask_cntl": "ChMaskCntl",
    "nb_trans": "NbTrans",
    "power_ok": "PowerACK",
    "data_rate_ok": "DataRateACK",
    "channel_mask_ok": "ChannelMaskACK",
    "max_d_cycle": "MaxDutyCycle",
    "freq_hz": "Frequency",
    "rx1_dr_offset": "RX1DROffset",
    "rx2_dr": "RX2DataRate",
    "rx1_dr_offset_ok": "RX1DROffsetACK",
    "rx2_dr_ok": "RX2DataRateACK",
    "channel_ok": "ChannelACK",
    "battery": "Battery",
    "ch_index": "ChIndex",
    "max_dr": "MaxDR",
    "min_dr": "MinDR",
    "data_rate_range_ok": "DataRateRangeOK",
    "freq_ok": "ChannelFrequencyOK",
    "uplink_freq_exists": "UplinkFrequencyExists",
    "delay_s": "Del",
    "downlink_dwell": "DownlinkDwellTime",
    "uplink_dwell": "UplinkDwellTime",
    "max_eirp_index": "MaxEIRP",
    "limit_exp": "Limit_exp",
    "delay_exp": "Delay_exp",
    "gps_seconds": "Seconds",
    "fraction_256": "FractionalSecond",
    "max_time_n": "MaxTimeN",
    "max_count_n": "MaxCountN",
    "time_ok": "TimeOK",
    "operating_class": "Class",
}

_UNITS: Final = ("hz", "dbm", "db")  # ours: the specification's names have none

# TS001-1.0.4 §5.8, Max EIRP by index
_MAX_EIRP_DBM: Final = (8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36)


def name_of(attribute: str) -> str:
    """The field's name in the specification."""
    parts = attribute.split("_")
    if parts[-1] in _UNITS:
        parts.pop()
    return _NAMES.get(attribute) or "".join(part[:1].upper() + part[1:] for part in parts)


def command_name(command: type[MacCommand]) -> str:
    """The command's name in the specification: LinkADRReq of LinkAdrReq."""
    return command.__name__.replace("Adr", "ADR").replace("Rx", "RX")


def meaning_of(command: MacCommand, attribute: str) -> str:
    """What the value of one field says; empty where the number says it all."""
    value = getattr(command, attribute)
    told = _MEANINGS.get((type(command).__name__, attribute)) or _MEANINGS.get(("", attribute))
    if told is not None:
        return told(value)
    if attribute.endswith("_ok"):
        return "accepted" if value else "refused"
    return ""


def _frequency(freq_hz: int) -> str:
    return f"{freq_hz / 1e6:.4f} MHz" if freq_hz else "0"


def _channels(mask: int) -> str:
    on = [str(bit) for bit in range(16) if mask >> bit & 1]
    return f"bits {', '.join(on)} set" if on else "no bit set"


def _battery(level: int) -> str:
    if level == 0:
        return "external supply"
    return "cannot be measured" if level == 255 else f"{round(100 * (level - 1) / 253)} % of its range"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _keeps_at_15(index: int) -> str:
    return "keep (from 1.0.4; before, an index like any other)" if index == 15 else ""


_MEANINGS: Final[Mapping[tuple[str, str], Callable[[Any], str]]] = {
    ("", "freq_hz"): _frequency,
    ("NewChannelReq", "freq_hz"): lambda hz: _frequency(hz) if hz else "the channel is taken away",
    ("BeaconFreqReq", "freq_hz"): lambda hz: _frequency(hz) if hz else "the default beacon channels",
    ("PingSlotChannelReq", "freq_hz"): lambda hz: _frequency(hz) if hz else "the default channels",
    ("LinkCheckAns", "margin_db"): lambda db: f"{db} dB above the demodulation floor" if db < 255 else "reserved",
    ("LinkCheckAns", "gw_cnt"): lambda count: f"heard by {count} gateway{'s' if count != 1 else ''}",
    ("LinkAdrReq", "data_rate"): _keeps_at_15,
    ("LinkAdrReq", "tx_power"): _keeps_at_15,
    ("LinkAdrReq", "ch_mask"): _channels,
    ("LinkAdrReq", "nb_trans"): lambda n: f"each uplink {_times(n)}" if n else "keep; in 1.0.4, 1",
    ("DutyCycleReq", "max_d_cycle"): lambda n: f"at most 1/{1 << n} of the time" if n else "no limit",
    ("DevStatusAns", "battery"): _battery,
    ("DevStatusAns", "margin_db"): lambda db: f"SNR {db} dB of the request",
    ("RxTimingSetupReq", "delay_s"): lambda s: f"RX1 after {s or 1} s, RX2 after {(s or 1) + 1} s",
    ("TxParamSetupReq", "downlink_dwell"): lambda on: "400 ms at most" if on else "no limit",
    ("TxParamSetupReq", "uplink_dwell"): lambda on: "400 ms at most" if on else "no limit",
    ("TxParamSetupReq", "max_eirp_index"): lambda index: f"{_MAX_EIRP_DBM[index]} dBm",
    ("", "minor"): lambda minor: "LoRaWAN 1.1" if minor == 1 else "RFU",
    ("AdrParamSetupReq", "limit_exp"): lambda n: f"ADR_ACK_LIMIT {1 << n}",
    ("AdrParamSetupReq", "delay_exp"): lambda n: f"ADR_ACK_DELAY {1 << n}",
    ("DeviceTimeAns", "gps_seconds"): lambda _: "s since 6 January 1980 00:00:00 UTC, leap seconds counted",
    ("DeviceTimeAns", "fraction_256"): lambda n: f"{n / 256 * 1000:.1f} ms",
    ("ForceRejoinReq", "period"): lambda n: f"32 s × 2^{n} apart, and up to 32 s more",
    ("ForceRejoinReq", "max_retries"): lambda n: f"{_times(n)} more",
    ("ForceRejoinReq", "rejoin_type"): lambda n: {0: "type 0", 1: "type 0", 2: "type 2"}.get(n, "RFU"),
    ("RejoinParamSetupReq", "max_time_n"): lambda n: f"at least every {1 << n + 10} s",
    ("RejoinParamSetupReq", "max_count_n"): lambda n: f"at least every {1 << n + 4} uplinks",
    ("PingSlotInfoReq", "periodicity"): lambda p: f"a ping slot every {0.96 * 2**p:g} s",
    ("", "operating_class"): lambda n: {0: "class A", 2: "class C"}.get(n, "RFU"),
    ("", "second_ch_freq_hz"): _frequency,
    ("NotifyNewEndDeviceReq", "wor_snr_db"): lambda db: f"{db} dB",
    ("NotifyNewEndDeviceReq", "wor_rssi_dbm"): lambda dbm: f"{dbm} dBm",
}
