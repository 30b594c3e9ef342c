"""What a live network tells, as lines for people and as JSON objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bench.live.network import Told, Totals
from bench.network import DataAccepted, DeviceJoined, DeviceTold, DownlinkFailed, NetworkDropped
from gateway_fw import gwmp
from gateway_fw.station import DownlinkUnconfirmed, GatewayConnected, GatewayGone
from lorawan.errors import FrameError
from lorawan.frames.header import peek_dev_addr, peek_f_type
from lorawan.ids import Eui64
from lorawan.machine import Dropped
from lorawan.phy import LoraModulation
from lorawan.server import DeviceStatus, DownlinkAcknowledged, DownlinkUnacknowledged, RequestDone, RequestRefused
from lorawan.server.events import News

_MAX_DETAIL = 120  # what a stranger's datagram says goes into a line no further


def clock_text(at_unix_us: int) -> str:
    """UTC with milliseconds."""
    return datetime.fromtimestamp(at_unix_us / 1e6, UTC).strftime("%H:%M:%S.%f")[:-3]


def printable(text: str) -> str:
    """Text from outside, cut, with what could steer a terminal made visible."""
    short = text[:_MAX_DETAIL] + ("…" if len(text) > _MAX_DETAIL else "")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in short)


def facts(told: Told, names: Mapping[Eui64, str]) -> dict[str, Any] | None:
    """One event as a flat JSON object, None for what is told otherwise (single copies of an uplink)."""
    match told:
        case DataAccepted():
            best = told.receptions[0]
            return {
                "event": "uplink",
                "dev_eui": str(told.dev_eui),
                "name": names.get(told.dev_eui, ""),
                "f_cnt": told.f_cnt,
                "f_port": told.f_port,
                "confirmed": told.confirmed,
                "payload": told.payload.hex(),
                "gateway": str(best.gateway_eui),
                "rssi_dbm": best.rssi_dbm,
                "snr_db": best.snr_db,
                "freq_hz": best.freq_hz,
                "datr": best.modulation.datr,
                "tmst": best.tmst,
                "gateways": [str(reception.gateway_eui) for reception in told.receptions],
            }
        case DeviceJoined():
            return {
                "event": "join",
                "dev_eui": str(told.dev_eui),
                "name": names.get(told.dev_eui, ""),
                "dev_addr": str(told.dev_addr),
                "dev_nonce": told.dev_nonce,
            }
        case DeviceTold():
            who = {"dev_eui": str(told.dev_eui), "name": names.get(told.dev_eui, "")}
            return {**who, **_news_facts(told.news)}
        case gwmp.SendDownlink():
            txpk = told.txpk
            return {
                "event": "downlink",
                "gateway": str(told.gateway_eui),
                "reference": told.reference,
                "for": _addressee(txpk.payload),
                "tmst": txpk.tmst,
                "freq_hz": txpk.freq_hz,
                "datr": txpk.modulation.datr if isinstance(txpk.modulation, LoraModulation) else txpk.modulation,
                "power_dbm": txpk.power_dbm,
                "size": len(txpk.payload),
            }
        case gwmp.DownlinkAnswered():
            return {
                "event": "tx_ack",
                "gateway": str(told.gateway_eui),
                "reference": told.reference,
                "error": told.error.value,
                "warning": told.warning,
                "power_dbm": told.power_dbm,
            }
        case gwmp.StatReceived():
            stat = told.stat
            counts = {"rxnb": stat.rxnb, "rxok": stat.rxok, "rxfw": stat.rxfw, "dwnb": stat.dwnb, "txnb": stat.txnb}
            return {"event": "stat", "gateway": str(told.gateway_eui), **counts, "ackr_percent": stat.ackr_percent}
        case GatewayConnected():
            version = told.version
            return {
                "event": "gateway",
                "gateway": str(told.gateway_eui),
                "station": version.station,
                "model": version.model,
            }
        case GatewayGone():
            return {"event": "gateway_gone", "gateway": str(told.gateway_eui), "why": told.why}
        case DownlinkUnconfirmed():
            return {"event": "unconfirmed", "gateway": str(told.gateway_eui), "reference": told.reference}
        case DownlinkFailed():
            return {"event": "downlink_failed", "dev_eui": str(told.dev_eui), "reason": told.reason}
        case NetworkDropped() | Dropped():
            return {"event": "dropped", "reason": told.reason, "clause": told.clause, "detail": printable(told.detail)}
        case _:
            return None


def _news_facts(news: News | DownlinkAcknowledged | DownlinkUnacknowledged) -> dict[str, Any]:
    match news:
        case DeviceStatus():
            return {"event": "status", "battery": news.battery, "margin_db": news.margin_db}
        case DownlinkAcknowledged() | DownlinkUnacknowledged():
            acknowledged = isinstance(news, DownlinkAcknowledged)
            return {"event": "confirmed", "f_cnt": news.f_cnt, "acknowledged": acknowledged}
        case RequestDone():
            outcome = "done"
        case RequestRefused():
            outcome = "refused"
        case _:
            outcome = "unanswered"
    return {"event": "request", "command": type(news.request[0]).__name__, "outcome": outcome}


def line(told: Told, names: Mapping[Eui64, str]) -> str | None:
    """One event for people, without its time."""
    found = facts(told, names)
    if found is None:
        return None
    who = _who(found)
    match found["event"]:
        case "uplink":
            n = len(found["gateways"])
            return (
                f"uplink    {who}  FCnt {found['f_cnt']}  port {'–' if found['f_port'] is None else found['f_port']}  "
                f"{found['payload'] or '(empty)'}  {found['datr']} {found['freq_hz'] / 1e6:.1f} MHz  "
                f"{found['gateway']} {found['rssi_dbm']:.0f} dBm {found['snr_db']:+.1f} dB"
                f"{f'  and {n - 1} more' if n > 1 else ''}"
            )
        case "join":
            return f"join      {who}  DevAddr {found['dev_addr']}  DevNonce {found['dev_nonce']}"
        case "status":
            return f"status    {who}  battery {_battery(found['battery'])}  margin {found['margin_db']:+d} dB"
        case "confirmed":
            said = "acknowledged" if found["acknowledged"] else "not acknowledged"
            return f"confirmed {who}  FCntDown {found['f_cnt']}  {said}"
        case "request":
            return f"request   {who}  {found['command']}  {found['outcome']}"
        case "downlink":
            return (
                f"downlink  {found['for']}  by {found['gateway']} at tmst {found['tmst']}  {found['datr']} "
                f"{found['freq_hz'] / 1e6:.3f} MHz  {found['power_dbm']:g} dBm  {found['size']} bytes"
            )
        case "tx_ack":
            warned = f"  {found['warning']} {found['power_dbm']}" if found["warning"] else ""
            return f"tx_ack    {found['gateway']}  {found['error']}{printable(warned)}"
        case "stat":
            return (
                f"stat      {found['gateway']}  rx {found['rxnb']} ok {found['rxok']} forwarded {found['rxfw']}  "
                f"acked {found['ackr_percent']} %  tx {found['txnb']} of {found['dwnb']}"
            )
        case "gateway":
            return f"gateway   {found['gateway']}  {printable(found['station'])}  {printable(found['model'])}"
        case "gateway_gone":
            return f"gone      {found['gateway']}  {printable(found['why'])}".rstrip()
        case "unconfirmed":
            return f"silent    {found['gateway']}  said of downlink {found['reference']} nothing"
        case "downlink_failed":
            return f"failed    {found['dev_eui']}  {found['reason']}"
    return f"dropped   {found['reason']}  {found['detail']}"


def _battery(level: int) -> str:
    """Source: LoRaWAN 1.0.4 §5.5."""
    return {0: "external", 255: "unknown"}.get(level, f"{level / 254:.0%}")


def _who(found: Mapping[str, Any]) -> str:
    return " ".join(part for part in (found.get("dev_eui"), found.get("name")) if part)


def _addressee(payload: bytes) -> str:
    try:
        f_type = peek_f_type(payload)
        return f"DevAddr {peek_dev_addr(payload)}" if f_type.is_data else "a join accept"
    except FrameError:
        return "?"


def totals_facts(totals: Totals) -> dict[str, Any]:
    """The summary as a JSON object."""
    return {
        "event": "summary",
        "gateways": len(totals.gateways),
        "copies": totals.copies,
        "uplinks": totals.uplinks,
        "joins": totals.joins,
        "downlinks": totals.downlinks,
        "downlinks_refused": totals.downlinks_refused,
        "downlinks_failed": totals.downlinks_failed,
        "dropped": dict(sorted(totals.dropped.items())),
    }


def totals_lines(totals: Totals) -> Iterator[str]:
    """The summary for people."""
    yield (
        f"{totals.uplinks} uplinks in {totals.copies} copies from {len(totals.gateways)} gateways, "
        f"{totals.joins} joins, {totals.downlinks} downlinks "
        f"({totals.downlinks_refused} refused by gateways, {totals.downlinks_failed} never sent)"
    )
    if totals.dropped:
        yield "dropped: " + ", ".join(f"{reason} {count}" for reason, count in sorted(totals.dropped.items()))
