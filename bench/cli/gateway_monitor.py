"""`lorabench gateway monitor`: what a packet forwarder sends, decoded live."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.exits import INTERRUPTED
from bench.cli.gateway import app

if TYPE_CHECKING:
    from bench.live.monitor import MonitorEffect
    from bench.live.service import Stop
    from lorawan.machine import Dropped


@app.command(epilog="Example: lorabench gateway monitor --listen 1700 --pcap heard.pcap")
def monitor(
    listen: Annotated[str, typer.Option(help="PORT on every interface, or HOST:PORT.")] = "1700",
    pcap: Annotated[Path | None, typer.Option(help="Write frames as LoRaTap PCAP; a named pipe is followed.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a datagram.")] = False,
    for_: Annotated[str | None, typer.Option("--for", help='Stop after this time, such as "5 min".')] = None,
) -> None:
    """Be the server that a forwarder looks for: acknowledge, decode and print. Ctrl-C ends it with a summary.

    Nothing is sent to devices. Frames stay encrypted: this needs no keys.
    """
    from bench.live.address import listen_address, no_listening  # noqa: PLC0415 - keeps --help quick
    from bench.live.lora_pcap import LivePcap, unix_us  # noqa: PLC0415
    from bench.live.monitor import MonitorCore, Seen  # noqa: PLC0415
    from bench.live.monitor_lines import MonitorTotals, facts, lines  # noqa: PLC0415
    from bench.live.network_capture import capture_rxpk  # noqa: PLC0415
    from bench.live.network_lines import clock_text  # noqa: PLC0415
    from bench.live.options import duration_s  # noqa: PLC0415
    from bench.live.service import serve  # noqa: PLC0415
    from gateway_fw.gwmp import PushData  # noqa: PLC0415
    from gateway_fw.io import UdpServer  # noqa: PLC0415

    host, port = listen_address(listen)
    limit_s = None if for_ is None else duration_s(for_, "--for")
    totals = MonitorTotals()
    with ExitStack() as stack:
        written = stack.enter_context(LivePcap(pcap)) if pcap else None

        def tell(effect: MonitorEffect | Dropped) -> None:
            if not isinstance(effect, Seen):
                return
            now = unix_us()
            totals.add(effect)
            if written is not None and isinstance(effect.packet, PushData):
                for rxpk in effect.packet.rxpks:
                    capture_rxpk(rxpk, written, now)
            if as_json:
                typer.echo(json.dumps({"time_us": now, **facts(effect)}))
                return
            first, *rest = lines(effect)
            typer.echo(f"{clock_text(now)}  {first}")
            for text in rest:
                typer.echo(f"{'':14}{text}")

        server = UdpServer(MonitorCore(), tell, host=host, port=port)

        async def until_stopped(stop: Stop) -> None:
            try:
                await server.start()
            except OSError as error:
                raise no_listening(host, port, error) from None
            try:
                typer.echo("listening on {}:{}".format(*server.address), err=True)
                await stop.wait(limit_s)
            finally:
                await server.stop()

        interrupted = serve(until_stopped)
    if as_json:
        typer.echo(json.dumps(totals.facts()))
    else:
        typer.echo(totals.line(), err=True)
    if interrupted:
        raise typer.Exit(INTERRUPTED)
