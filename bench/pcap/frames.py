"""The LoRaWAN frames of a captured packet: one after a LoRaTap header, any number in a Semtech UDP datagram."""

from __future__ import annotations

from dataclasses import dataclass

from bench.pcap.file import Packet
from bench.pcap.loratap import LINKTYPE_LORATAP, LORAWAN_SYNC_WORD, parse_loratap
from bench.pcap.udp import UDP_LINK_TYPES, datagram_of
from gateway_fw import gwmp
from gateway_fw.errors import GwmpError
from lorawan.errors import FrameError
from lorawan.ids import Eui64
from lorawan.phy import LoraModulation

GWMP_PORT = 1700  # of the reference forwarder's global_conf.json (sx1302_hal 2.1.0)


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """A frame and what was said of it; None where nothing was.

    source: "LoRaTap", "rxpk" or "txpk". modulation: LoRa, or FSK bit/s. crc_bad: the gateway's radio found the frame
    damaged, so that nothing can be expected of it.
    """

    source: str
    payload: bytes
    freq_hz: int | None = None
    modulation: LoraModulation | int | None = None
    rssi_dbm: float | None = None
    snr_db: float | None = None
    gateway: Eui64 | None = None
    crc_bad: bool = False


@dataclass(frozen=True, slots=True)
class Captured:
    """What a packet holds. refused: one line for each part of a PUSH_DATA that could not be read."""

    frames: tuple[CapturedFrame, ...] = ()
    refused: tuple[str, ...] = ()


def frames_of(packet: Packet) -> Captured:
    """The frames in a packet; none where it carries something else. Raises FrameError.

    An offset in the error counts from the packet's first byte. Any UDP port is looked at; that something is no Semtech
    UDP is an error on port 1700 alone.
    """
    if packet.link_type == LINKTYPE_LORATAP:
        return _loratap(packet.data)
    if packet.link_type in UDP_LINK_TYPES:
        return _semtech(packet)
    return Captured()


def readable(link_type: int) -> bool:
    """Whether frames can be in packets of this link type."""
    return link_type == LINKTYPE_LORATAP or link_type in UDP_LINK_TYPES


def _loratap(data: bytes) -> Captured:
    header, payload = parse_loratap(data)
    if header.sync_word != LORAWAN_SYNC_WORD:
        return Captured()
    try:
        modulation = LoraModulation(header.sf, header.bw_hz)
    except FrameError:
        modulation = None  # 0 and others: the sniffer does not know
    frame = CapturedFrame("LoRaTap", payload, header.freq_hz, modulation, header.rssi_dbm, header.snr_db)
    return Captured((frame,))


def _semtech(packet: Packet) -> Captured:
    datagram = datagram_of(packet.link_type, packet.data)
    if datagram is None:
        return Captured()
    try:
        found = gwmp.decode(datagram.payload)
    except GwmpError as error:
        if GWMP_PORT not in (datagram.source_port, datagram.target_port):
            return Captured()
        offset = datagram.offset + (error.offset or 0)
        raise FrameError(str(error), field="Semtech UDP", offset=offset, clause=error.clause) from None
    if isinstance(found, gwmp.PushData):
        return Captured(tuple(_of_rxpk(rxpk, found.gateway_eui) for rxpk in found.rxpks), found.refused)
    if isinstance(found, gwmp.PullResp):
        txpk = found.txpk
        return Captured((CapturedFrame("txpk", txpk.payload, txpk.freq_hz, txpk.modulation),))
    return Captured()


def _of_rxpk(rxpk: gwmp.Rxpk, gateway: Eui64) -> CapturedFrame:
    crc_bad = rxpk.crc_status == gwmp.CRC_BAD
    radio = rxpk.freq_hz, rxpk.modulation, rxpk.rssi_dbm, rxpk.snr_db
    return CapturedFrame("rxpk", rxpk.payload, *radio, gateway, crc_bad)
