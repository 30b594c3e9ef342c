"""What happens on a live air, as lines for people, as JSON objects, and into a capture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.live.events import (
    AirEvent,
    DeviceHasJoined,
    DownlinkOver,
    DownlinkRefused,
    DownlinkTaken,
    Refused,
    SettingsChanged,
    Submitted,
    UplinkOver,
)
from bench.live.lora_pcap import LivePcap
from bench.live.network_lines import printable
from bench.live.simulation import LiveSimulation

NAN = float("nan")


def facts(event: AirEvent) -> dict[str, Any]:
    """One event as a flat JSON object. t_us: µs since the start."""
    match event:
        case UplinkOver():
            transmit = event.transmit
            return {
                "event": "uplink",
                "t_us": event.at,
                "device": event.device,
                "kind": event.kind.value,
                "f_cnt": event.f_cnt,
                "datr": transmit.modulation.datr,
                "freq_hz": transmit.freq_hz,
                "power_dbm": transmit.power_dbm,
                "outcome": event.outcome.value,
                "heard": [
                    {"site": site, "rssi_dbm": heard.rssi_dbm, "snr_db": heard.snr_db} for site, heard in event.heard
                ],
                "phy_payload": transmit.payload.hex(),
            }
        case DownlinkOver():
            transmit = event.transmit
            return {
                "event": "downlink",
                "t_us": event.at,
                "site": event.site,
                "device": event.device,
                "outcome": event.outcome.value,
                "after_uplink_us": event.after_uplink_us,
                "datr": transmit.modulation.datr,
                "freq_hz": transmit.freq_hz,
                "power_dbm": transmit.power_dbm,
                "phy_payload": transmit.payload.hex(),
            }
        case DownlinkRefused():
            return {"event": "downlink_refused", "t_us": event.at, "site": event.site, "late_us": event.late_us}
        case DeviceHasJoined():
            return {"event": "joined", "t_us": event.at, "device": event.device, "dev_addr": str(event.dev_addr)}
        case Submitted():
            return {
                "event": "submitted",
                "t_us": event.at,
                "device": event.device,
                "f_port": event.f_port,
                "payload": event.payload.hex(),
            }
        case DownlinkTaken():
            return {
                "event": "received",
                "t_us": event.at,
                "device": event.device,
                "f_port": event.f_port,
                "f_cnt": event.f_cnt,
                "payload": event.payload.hex(),
            }
        case SettingsChanged():
            return {
                "event": "adr",
                "t_us": event.at,
                "device": event.device,
                "dr": event.dr,
                "tx_power_index": event.tx_power_index,
                "nb_trans": event.nb_trans,
            }
        case Refused():
            return {
                "event": "refused",
                "t_us": event.at,
                "where": event.where,
                "who": event.who,
                "reason": event.reason,
                "detail": printable(event.detail),
            }


def line(event: AirEvent) -> str | None:
    """One event for people; None for what only the JSON tells."""
    t = f"{event.at / 1e6:10.3f} s  "
    match event:
        case UplinkOver():
            best = max(event.heard, key=lambda item: item[1].snr_db, default=None)
            where = (
                f"{len(event.heard)} gateways, best {best[0]} {best[1].rssi_dbm:.0f} dBm {best[1].snr_db:+.1f} dB"
                if best
                else event.outcome.value
            )
            what = "join" if event.kind.value == "join" else f"FCnt {event.f_cnt}"
            return f"{t}up    {event.device}  {what}  {event.transmit.modulation.datr}  {where}"
        case DownlinkOver():
            after = "" if event.after_uplink_us is None else f"  {event.after_uplink_us} µs after its uplink"
            return (
                f"{t}down  {event.device or '–'}  from {event.site}  {event.transmit.modulation.datr}  "
                f"{event.outcome.value}{after}"
            )
        case DownlinkRefused():
            return f"{t}LATE  {event.site}: a downlink came {event.late_us} µs after its start and was not sent"
        case DeviceHasJoined():
            return f"{t}join  {event.device}  DevAddr {event.dev_addr}"
        case DownlinkTaken():
            return f"{t}data  {event.device}  port {event.f_port}  FCnt {event.f_cnt}  {event.payload.hex()}"
        case SettingsChanged():
            return f"{t}adr   {event.device}  DR{event.dr} TXPower {event.tx_power_index} NbTrans {event.nb_trans}"
    return None


def capture(event: AirEvent, pcap: LivePcap, origin_unix_us: int) -> None:
    """Every frame that was on the air: uplinks at their best gateway, downlinks at the device."""
    if not isinstance(event, UplinkOver | DownlinkOver):
        return
    if isinstance(event, UplinkOver):
        heard = max((heard for _, heard in event.heard), key=lambda heard: heard.snr_db, default=None)
    else:
        heard = event.heard
    rssi_dbm, snr_db = (NAN, NAN) if heard is None else (heard.rssi_dbm, heard.snr_db)
    transmit = event.transmit
    pcap.write(transmit.payload, transmit.freq_hz, transmit.modulation, rssi_dbm, snr_db, origin_unix_us + transmit.at)


def summary_facts(simulation: LiveSimulation) -> dict[str, Any]:
    """The summary as a JSON object."""
    totals, world = simulation.totals, simulation.world
    forwarders = simulation.forwarders.values()
    return {
        "event": "summary",
        "joined": len(totals.joined),
        "submitted": totals.submitted,
        "uplinks": dict(sorted(totals.uplinks.items())),
        "copies": totals.copies,
        "downlinks": dict(sorted(totals.downlinks.items())),
        "answer_delays_us": {str(delay): count for delay, count in sorted(totals.answer_delays_us.items())},
        "downlinks_refused_late": totals.refused_late,
        "adr_changes": totals.adr_changes,
        "received": totals.taken,
        "refusals": dict(sorted(totals.refusals.items())),
        "datagrams_sent": sum(forwarder.datagrams_up for forwarder in forwarders),
        "datagrams_received": sum(forwarder.datagrams_down for forwarder in forwarders),
        "socket_errors": sum(forwarder.socket_errors for forwarder in forwarders),
        "actions": world.actions,
        "worst_late_us": world.worst_late_us,
        "mean_late_us": round(world.mean_late_us, 1),
    }


def summary_lines(simulation: LiveSimulation) -> Iterator[str]:
    """The summary for people."""
    found = summary_facts(simulation)
    yield (
        f"{found['joined']} devices joined, {sum(found['uplinks'].values())} uplinks ({_counts(found['uplinks'])}), "
        f"{found['copies']} copies at gateways, {found['adr_changes']} ADR changes"
    )
    yield f"downlinks: {_counts(found['downlinks']) or 'none'}; {found['downlinks_refused_late']} refused as late"
    if found["answer_delays_us"]:
        delays = {f"{delay} µs": count for delay, count in found["answer_delays_us"].items()}
        yield f"answers began after the end of their uplink: {_counts(delays)}"
    if found["refusals"]:
        yield f"refusals: {_counts(found['refusals'])}"
    yield (
        f"datagrams: {found['datagrams_sent']} sent, {found['datagrams_received']} received, "
        f"{found['socket_errors']} socket errors"
    )
    yield (
        f"Python was at worst {found['worst_late_us'] / 1e3:.1f} ms late, {found['mean_late_us'] / 1e3:.2f} ms on "
        f"average over {found['actions']} actions; frames keep their own microseconds"
    )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
