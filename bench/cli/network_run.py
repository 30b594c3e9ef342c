"""`lorabench network run`: our network core live over UDP."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.exits import INTERRUPTED
from bench.cli.network import app
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.live.network import IpNetwork, Told
    from bench.live.service import Stop
    from bench.network import SendToDevice
    from lorawan.ids import Eui64

_EPILOG = "Example: lorabench network run --listen 1700 --keys devices.toml --json"


@app.command(epilog=_EPILOG)
def run(
    keys: Annotated[Path, typer.Option(help="devices.toml: the devices with their keys.", metavar="FILE")],
    listen: Annotated[str, typer.Option(help="PORT on every interface, or HOST:PORT.")] = "1700",
    gateway: Annotated[
        list[str] | None, typer.Option(help="Serve this gateway EUI only (repeatable); all where none is given.")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option(help="Take datagrams from this address or network only (repeatable).")
    ] = None,
    station: Annotated[
        str | None, typer.Option(help="Serve Basics Station too: PORT on every interface, or HOST:PORT.")
    ] = None,
    station_cert: Annotated[Path | None, typer.Option(help="Its TLS certificate chain (PEM); then wss.")] = None,
    station_key: Annotated[Path | None, typer.Option(help="The key of --station-cert (PEM).")] = None,
    station_trust: Annotated[
        Path | None, typer.Option(help="The CA (PEM) that every gateway's certificate must come from.")
    ] = None,
    station_tokens: Annotated[
        Path | None, typer.Option(help='Lines of "EUI Bearer TOKEN" (EUI * for any): who may connect.')
    ] = None,
    downlink: Annotated[
        list[str] | None,
        typer.Option(help="Queue a downlink: DEVEUI:PORT:HEX, confirmed with :confirmed after it (repeatable)."),
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="Keep sessions, counters and nonces in this file, and go on from it.")
    ] = None,
    status_every: Annotated[
        str | None, typer.Option(help='Ask devices for battery and margin this often, such as "12 h".')
    ] = None,
    pcap: Annotated[Path | None, typer.Option(help="Write uplinks and downlinks as LoRaTap PCAP.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print status reports and refusals too.")] = False,
    for_: Annotated[str | None, typer.Option("--for", help='Stop after this time, such as "30 s".')] = None,
) -> None:
    """Serve gateways over Semtech UDP, and Basics Station where asked: join, check, decrypt, print, answer.

    Ctrl-C ends it with a summary.

    DeviceTimeReq is answered with the system clock's time at the end of the uplink: to 1 ms by a gateway with GPS, else
    late by the way from gateway to server.

    Without --state the sessions are in memory alone: a restart forgets them, and devices have to join again.
    """
    from bench.live.address import listen_address, no_listening  # noqa: PLC0415 - keeps --help quick
    from bench.live.devices_file import read_devices  # noqa: PLC0415
    from bench.live.lora_pcap import LivePcap, unix_us  # noqa: PLC0415
    from bench.live.network import LiveNetwork  # noqa: PLC0415
    from bench.live.network_capture import capture  # noqa: PLC0415
    from bench.live.network_lines import clock_text, facts, line, totals_facts, totals_lines  # noqa: PLC0415
    from bench.live.network_state import NetworkState  # noqa: PLC0415
    from bench.live.options import duration_s, duration_us  # noqa: PLC0415
    from bench.live.service import serve  # noqa: PLC0415
    from bench.live.station_front import station_options  # noqa: PLC0415
    from bench.network import NetworkCore  # noqa: PLC0415
    from gateway_fw.forwarder.clock import GPS_AHEAD_OF_UTC_US  # noqa: PLC0415
    from gateway_fw.gps.reference import GPS_EPOCH_UNIX_US  # noqa: PLC0415

    host, port = listen_address(listen)
    found = read_devices(keys)
    known = {device.dev_eui for device in found.devices}
    downlinks = [_downlink(text, known) for text in downlink or ()]
    gateways = None if not gateway else [_eui(text) for text in gateway]
    addresses = [_network(text) for text in allow or ()]
    at_station = None
    if station is not None:
        at_station = station_options(listen_address(station), station_cert, station_key, station_trust, station_tokens)
    elif any((station_cert, station_key, station_trust, station_tokens)):
        raise UsageError("the --station-… options need --station", hint="such as --station 3001")
    limit_s = None if for_ is None else duration_s(for_, "--for")
    origin_unix_us = unix_us()
    config = replace(found.network, gps_at_origin_us=origin_unix_us - GPS_EPOCH_UNIX_US + GPS_AHEAD_OF_UTC_US)
    if status_every is not None:
        config = replace(config, dev_status_period_us=duration_us(status_every, "--status-every"))

    with ExitStack() as stack:
        written = stack.enter_context(LivePcap(pcap)) if pcap else None
        kept = stack.enter_context(NetworkState(state)) if state else None

        def tell(told: Told) -> None:
            now = unix_us()
            if written is not None:
                capture(told, written, now)
            told_facts = facts(told, found.names)
            if told_facts is None:
                return
            if not (as_json or verbose) and told_facts["event"] in ("stat", "tx_ack", "dropped"):
                return
            if as_json:
                typer.echo(json.dumps({"time_us": now, **told_facts}))
            else:
                typer.echo(f"{clock_text(now)}  {line(told, found.names)}")

        service = LiveNetwork(
            NetworkCore(config, found.devices, kept.memories if kept else None),
            tell,
            host=host,
            port=port,
            gateways=gateways,
            addresses=addresses,
            station=at_station,
            network=config,
            keep=kept.keep if kept else None,
            clock=lambda: unix_us() - origin_unix_us,
        )
        for item in downlinks:
            if not service.queue(item):
                raise UsageError(f"too many downlinks for {item.dev_eui}")

        async def until_stopped(stop: Stop) -> None:
            try:
                await service.__aenter__()
            except OSError as error:
                raise no_listening(host, port, error) from None
            try:
                shown = "{}:{}".format(*service.address)
                typer.echo(f"listening on {shown} for {len(known)} devices", err=True)
                if at_station is not None and service.station_address is not None:
                    scheme = "ws" if at_station.ssl is None else "wss"
                    typer.echo("Basics Station: {}://{}:{}".format(scheme, *service.station_address), err=True)
                await stop.wait(limit_s)
            finally:
                await service.__aexit__()

        interrupted = serve(until_stopped)
    if as_json:
        typer.echo(json.dumps(totals_facts(service.totals)))
    else:
        for text in totals_lines(service.totals):
            typer.echo(text, err=True)
    if interrupted:
        raise typer.Exit(INTERRUPTED)


def _eui(text: str) -> Eui64:
    from lorawan.errors import FrameError  # noqa: PLC0415
    from lorawan.ids import Eui64  # noqa: PLC0415

    try:
        return Eui64.from_hex(text)
    except FrameError as error:
        raise UsageError(f'"{text}" is no EUI: {error}') from None


def _network(text: str) -> IpNetwork:
    import ipaddress  # noqa: PLC0415

    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise UsageError(f'"{text}" is no address', hint="such as 192.0.2.7 or 192.0.2.0/24") from None


def _downlink(text: str, known: set[Eui64]) -> SendToDevice:
    from bench.network import SendToDevice  # noqa: PLC0415

    hint = "write DEVEUI:PORT:HEX, such as 0200000000000001:10:00ff"
    parts = text.split(":")
    if len(parts) not in (3, 4) or (len(parts) == 4 and parts[3] != "confirmed"):
        raise UsageError(f'"{text}" is no downlink', hint=hint)
    dev_eui = _eui(parts[0])
    if dev_eui not in known:
        raise UsageError(f"no device {dev_eui} in the devices file")
    try:
        payload, f_port = bytes.fromhex(parts[2]), int(parts[1])
    except ValueError:
        raise UsageError(f'"{text}" is no downlink', hint=hint) from None
    if not 1 <= f_port <= 223:
        raise UsageError(f"FPort {f_port}", hint="1 to 223")
    return SendToDevice(dev_eui, f_port, payload, len(parts) == 4)
