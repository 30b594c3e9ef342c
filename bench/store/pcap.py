"""Frames on the air as a PCAP file with LoRaTap headers, for Wireshark."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bench.pcap.loratap import loratap_header
from bench.pcap.writing import pcap_file_header, pcap_packet
from bench.store.atomic import aside
from lorawan.trace import DownlinkRecord, Record, UplinkRecord
from lorawan.units import US_PER_S


def write_pcap(path: Path, records: Iterable[Record], *, origin_utc_us: int = 0) -> None:
    """Write every uplink and downlink frame, one packet each, in time order.

    origin_utc_us: the instant 0 of the records, in µs since 1970-01-01T00:00Z. The time of a packet is its frame's
    start. RSSI and SNR: of an uplink at its best gateway, of a downlink at the device; where nobody received the frame
    they stand at the bottom of their scales, −139 dBm and −32 dB (version 0 has no value for "none"). Raises
    StoreError where the file cannot be written.
    """
    frames = sorted(
        (record for record in records if isinstance(record, UplinkRecord | DownlinkRecord)),
        key=lambda record: record.t_us,
    )
    with aside(path) as partial, partial.open("wb") as file:
        file.write(pcap_file_header())
        for frame in frames:
            seconds, micros = divmod(origin_utc_us + frame.t_us, US_PER_S)
            if isinstance(frame, UplinkRecord):
                header = loratap_header(frame.freq_hz, frame.sf, frame.best_rssi_dbm, frame.best_snr_db)
            else:
                header = loratap_header(frame.freq_hz, frame.sf, frame.rssi_dbm, frame.snr_db)
            file.write(pcap_packet(seconds, micros, header + frame.phy_payload))
