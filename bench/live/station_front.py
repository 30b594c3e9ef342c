"""Gateways that speak Basics Station in front of the live network core, beside those of Semtech UDP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.live.lora_pcap import unix_us
from bench.network import NetworkConfig
from gateway_fw.errors import StationError
from gateway_fw.gwmp import SendDownlink
from gateway_fw.io.station_credentials import server_context
from gateway_fw.io.station_server import StationServer
from gateway_fw.station import StationServerCore, StationServerEffect, Window, eu868_config, eui_of
from lorawan.ids import Eui64

if TYPE_CHECKING:
    import ssl

TokenTable = Mapping[str, frozenset[Eui64] | None]


@dataclass(frozen=True, slots=True)
class StationOptions:
    """Where to listen, with which TLS (None: plain ws) and for which tokens (None: none is asked for)."""

    host: str
    port: int
    ssl: ssl.SSLContext | None = None
    tokens: TokenTable | None = None


class StationFront:
    """A StationServer whose core is set up as the network is: EU868, its channels, its RX2.

    Raises UsageError where a concentrator's eight channels and two radios cannot hold the network's channels.
    """

    def __init__(
        self,
        options: StationOptions,
        network: NetworkConfig,
        on_effect: Callable[[StationServerEffect], None],
        *,
        gateways: Iterable[Eui64] | None = None,
        allowed: Callable[[str], bool] | None = None,
    ) -> None:
        region = network.region
        try:
            # the planner keeps each gateway's duty cycle; Station's own guard is stricter (0.1 % in 865–868 MHz) and
            # says nothing of what it drops. A fallback to RX2 by the gateway itself is in no account.
            config = eu868_config(network.channels_hz, no_duty_cycle=True)
        except StationError as error:
            raise UsageError(f"one concentrator cannot hear the network's channels: {error}") from None
        self._core = StationServerCore(
            config,
            gateways,
            origin_unix_us=unix_us(),
            rx2=Window(network.join.rx2_dr, region.rx2_freq_hz),
        )
        self._server = StationServer(
            self._core,
            on_effect,
            host=options.host,
            port=options.port,
            ssl=options.ssl,
            tokens=options.tokens,
            allowed=allowed,
        )

    @property
    def address(self) -> tuple[str, int]:
        """Where gateways connect to."""
        return self._server.address

    def serves(self, gateway_eui: Eui64) -> bool:
        """Whether this gateway has a connection here."""
        return self._core.session(gateway_eui) is not None

    def submit(self, event: SendDownlink) -> None:
        """Have a gateway send a frame."""
        self._server.submit(event)

    async def start(self) -> None:
        """Open the port. Raises OSError."""
        await self._server.start()

    async def stop(self) -> None:
        """Close it."""
        await self._server.stop()


def station_options(
    address: tuple[str, int], certificate: Path | None, key: Path | None, trust: Path | None, tokens: Path | None
) -> StationOptions:
    """From the command line's options. Raises UsageError that names the file or option."""
    if (certificate is None) != (key is None):
        raise UsageError("--station-cert and --station-key go together")
    if trust is not None and certificate is None:
        raise UsageError("--station-trust needs --station-cert and --station-key")
    table = None if tokens is None else read_tokens(tokens)
    if certificate is None or key is None:
        return StationOptions(*address, None, table)
    try:
        return StationOptions(*address, server_context(certificate, key, client_trust=trust), table)
    except StationError as error:
        raise UsageError(str(error)) from None


def read_tokens(path: Path) -> TokenTable:
    """A file of lines "EUI Authorization-value", such as "58a0cbfffe800019 Bearer abc"; "*" stands for any gateway.

    Blank lines and lines that begin with # are passed over. Raises UsageError with file and line; tokens are not shown.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    found: dict[str, frozenset[Eui64] | None] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        who, _, token = line.strip().partition(" ")
        if not who or who.startswith("#"):
            continue
        if not token.strip():
            raise UsageError(f"{path}:{number}: no token", hint='write "EUI Bearer abc", one gateway a line')
        token = token.strip()
        try:
            euis = None if who == "*" else found.get(token, frozenset()) or frozenset()
            found[token] = None if euis is None else euis | {eui_of(who, "gateway")}
        except StationError as error:
            raise UsageError(f"{path}:{number}: {error}") from None
    return found
