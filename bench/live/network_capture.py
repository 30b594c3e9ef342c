"""What a live network hears and sends, into a capture."""

from __future__ import annotations

from bench.live.lora_pcap import LivePcap
from bench.live.network import Told
from gateway_fw import gwmp
from lorawan.phy import LoraModulation

NAN = float("nan")


def capture(told: Told, pcap: LivePcap, at_unix_us: int) -> None:
    """Write each copy of an uplink as its gateway reported it, and each downlink that a gateway is asked for."""
    if isinstance(told, gwmp.UplinkReceived):
        capture_rxpk(told.rxpk, pcap, at_unix_us)
    elif isinstance(told, gwmp.SendDownlink):
        capture_txpk(told.txpk, pcap, at_unix_us)


def capture_rxpk(rxpk: gwmp.Rxpk, pcap: LivePcap, at_unix_us: int) -> None:
    """A frame as its gateway reported it. LoRaTap has no place for FSK."""
    if isinstance(rxpk.modulation, LoraModulation):
        snr_db = NAN if rxpk.snr_db is None else rxpk.snr_db
        pcap.write(rxpk.payload, rxpk.freq_hz, rxpk.modulation, rxpk.rssi_dbm, snr_db, at_unix_us)


def capture_txpk(txpk: gwmp.Txpk, pcap: LivePcap, at_unix_us: int) -> None:
    """A frame that is asked for; nobody has measured it."""
    if isinstance(txpk.modulation, LoraModulation):
        pcap.write(txpk.payload, txpk.freq_hz, txpk.modulation, NAN, NAN, at_unix_us)
