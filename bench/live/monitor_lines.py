"""What a monitor saw, as lines for people and as JSON objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from bench.live.monitor import Seen
from bench.live.network_lines import printable
from gateway_fw import gwmp
from lorawan.errors import FrameError
from lorawan.frames import DataUp, JoinRequest, parse
from lorawan.frames.header import peek_f_type
from lorawan.phy import LoraModulation

_CRC = {gwmp.CRC_OK: "CRC ok", gwmp.CRC_BAD: "CRC BAD", gwmp.NO_CRC: "no CRC"}


def facts(seen: Seen) -> dict[str, Any]:
    """One datagram as a JSON object."""
    host, port = seen.source[:2] if isinstance(seen.source, tuple) else (str(seen.source), 0)
    found: dict[str, Any] = {"source": f"{host}:{port}", "size": seen.size}
    header = seen.header
    if header is not None:
        found |= {"type": header.packet_type.name, "version": header.version, "token": header.token}
        if header.gateway_eui is not None:
            found["gateway"] = str(header.gateway_eui)
    if seen.error:
        found["error"] = printable(seen.error)
    packet = seen.packet
    if isinstance(packet, gwmp.PushData):
        if packet.rxpks:
            found["rxpk"] = [rxpk_facts(rxpk) for rxpk in packet.rxpks]
        if packet.stat is not None:
            stat = asdict(packet.stat)
            extras = stat.pop("extras")
            found["stat"] = {k: v for k, v in stat.items() if v is not None} | dict(extras)
        if packet.refused:
            found["refused"] = [printable(text) for text in packet.refused]
    elif isinstance(packet, gwmp.TxAck):
        found["tx_ack"] = {"error": packet.error.value, "warning": packet.warning, "power_dbm": packet.power_dbm}
    return found


def rxpk_facts(rxpk: gwmp.Rxpk) -> dict[str, Any]:
    """One frame with its metadata and its LoRaWAN header."""
    modulation = rxpk.modulation
    found: dict[str, Any] = {
        "tmst": rxpk.tmst,
        "freq_hz": rxpk.freq_hz,
        "datr": modulation.datr if isinstance(modulation, LoraModulation) else modulation,
        "codr": None if rxpk.coding_rate is None else str(rxpk.coding_rate),
        "rssi_dbm": rxpk.rssi_dbm,
        "snr_db": rxpk.snr_db,
        "crc": rxpk.crc_status,
        "chan": rxpk.channel,
        "rfch": rxpk.rf_chain,
        "size": len(rxpk.payload),
        "data": rxpk.payload.hex(),
    }
    for name in ("time", "tmms", "ftime_ns", "rssis_dbm", "foff_hz", "mid", "antenna"):
        value = getattr(rxpk, name)
        if value is not None:
            found[name] = printable(value) if isinstance(value, str) else value
    found["lorawan"] = _frame(rxpk.payload)
    return found


def _frame(payload: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = {"f_type": peek_f_type(payload).name}
    except FrameError as error:
        return {"error": str(error)}
    try:
        frame = parse(payload, uplink=True)
    except FrameError as error:
        return found | {"error": printable(str(error))}
    if isinstance(frame, DataUp):
        found |= {
            "dev_addr": str(frame.dev_addr),
            "f_cnt": frame.f_cnt,
            "f_port": frame.f_port,
            "adr": frame.f_ctrl.adr,
            "ack": frame.f_ctrl.ack,
        }
    elif isinstance(frame, JoinRequest):
        found |= {"dev_eui": str(frame.dev_eui), "join_eui": str(frame.join_eui), "dev_nonce": frame.dev_nonce}
    return found


def lines(seen: Seen) -> Iterator[str]:
    """One datagram for people: a line for it, and one for each thing in it."""
    found = facts(seen)
    head = found.get("type", "not Semtech UDP")
    about = f"v{found['version']} token {found['token']:04x}  " if "token" in found else ""
    yield f"{head:<9}  {about}{found.get('gateway', '')}  from {found['source']}  {found['size']} bytes"
    for rxpk in found.get("rxpk", ()):
        frame = rxpk["lorawan"]
        what = "  ".join(f"{key} {value}" for key, value in frame.items() if key != "f_type" and value is not None)
        snr = "" if rxpk["snr_db"] is None else f" {rxpk['snr_db']:+.1f} dB"
        yield (
            f"  rxpk  tmst {rxpk['tmst']}  {rxpk['freq_hz'] / 1e6:.3f} MHz  {rxpk['datr']} {rxpk['codr'] or ''}  "
            f"{rxpk['rssi_dbm']:.0f} dBm{snr}  {_CRC[rxpk['crc']]}  {rxpk['size']} bytes"
        )
        yield f"        {frame.get('f_type', '')}  {what}"
    if "stat" in found:
        yield "  stat  " + "  ".join(
            f"{printable(str(key))} {printable(str(value))}" for key, value in found["stat"].items()
        )
    if "tx_ack" in found:
        ack = found["tx_ack"]
        warned = f"  {ack['warning']} {ack['power_dbm']}" if ack["warning"] else ""
        yield f"  {ack['error']}{printable(warned)}"
    for text in found.get("refused", ()):
        yield f"  REFUSED  {text}"
    if "error" in found:
        yield f"  ERROR  {found['error']}"


class MonitorTotals:
    """What came in, by type; gateways are counted up to a bound."""

    MAX_GATEWAYS = 10_000  # strangers who make EUIs up cannot fill memory [assumption]

    def __init__(self) -> None:
        self.datagrams: Counter[str] = Counter()
        self.frames = self.refused = 0
        self._gateways: set[int] = set()

    def add(self, seen: Seen) -> None:
        """Count one datagram."""
        header, packet = seen.header, seen.packet
        self.datagrams[header.packet_type.name if header is not None else "not Semtech UDP"] += 1
        if header is not None and header.gateway_eui is not None and len(self._gateways) < self.MAX_GATEWAYS:
            self._gateways.add(int(header.gateway_eui))
        if isinstance(packet, gwmp.PushData):
            self.frames += len(packet.rxpks)
            self.refused += len(packet.refused)
        self.refused += bool(seen.error)

    def facts(self) -> dict[str, Any]:
        """The summary as a JSON object."""
        return {
            "event": "summary",
            "gateways": len(self._gateways),
            "datagrams": dict(sorted(self.datagrams.items())),
            "frames": self.frames,
            "refused": self.refused,
        }

    def line(self) -> str:
        """The summary for people."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.datagrams.items())) or "nothing"
        return f"{len(self._gateways)} gateways; {kinds}; {self.frames} frames, {self.refused} things refused"
