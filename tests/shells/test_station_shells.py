"""The websocket shells of Basics Station over real sockets on 127.0.0.1, plain and with TLS and tokens."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from waiting import until
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway_fw.errors import LinkStateError, StationError
from gateway_fw.gwmp import DownlinkAnswered, SendDownlink, TxError, Txpk, UplinkReceived
from gateway_fw.io.station_credentials import load_credentials, server_context
from gateway_fw.io.station_gateway import StationGateway
from gateway_fw.io.station_server import StationServer
from gateway_fw.station import (
    Configured,
    Disconnected,
    GatewayConnected,
    GatewayGone,
    StationGatewayConfig,
    StationGatewayCore,
    StationServerCore,
    eu868_config,
)
from lorawan.ids import Eui64
from lorawan.machine import Dropped
from lorawan.phy import Heard, LoraModulation, Transmit

EUI = Eui64(0x58A0CBFFFE800019)
UPLINK = bytes.fromhex("40010000008002000155AA11223344")
TOKEN = "Bearer abc.DEF-123"


def of(kind: type, effects: Iterable[Any]) -> list[Any]:
    return [effect for effect in effects if isinstance(effect, kind)]


def gateway_core(address: tuple[str, int], scheme: str = "ws") -> StationGatewayCore:
    return StationGatewayCore(StationGatewayConfig(EUI, f"{scheme}://localhost:{address[1]}"))


def server_core() -> StationServerCore:
    return StationServerCore(eu868_config(no_duty_cycle=True))


async def exchange(server: StationServer, gateway: StationGateway[Any, Any], up: list[Any], down: list[Any]) -> None:
    """One uplink, and a downlink a second after it."""
    await until(lambda: bool(of(Configured, down)))
    at = gateway.now
    gateway.submit(Heard(at, UPLINK, 868_100_000, LoraModulation(7), -80.0, 9.0, 56_576))
    await until(lambda: bool(of(UplinkReceived, up)))
    (received,) = of(UplinkReceived, up)
    assert received.rxpk.payload == UPLINK
    txpk = Txpk(
        freq_hz=868_100_000,
        modulation=LoraModulation(7),
        payload=bytes(12),
        tmst=(received.rxpk.tmst + 1_000_000) & 0xFFFFFFFF,
        inverted_polarity=True,
        no_crc=True,
    )
    server.submit(SendDownlink(EUI, txpk, 5))
    await until(lambda: bool(of(DownlinkAnswered, up)))
    assert of(DownlinkAnswered, up) == [DownlinkAnswered(EUI, 5, TxError.NONE, None, None)]
    (transmit,) = of(Transmit, down)
    assert transmit.at == at + 1_000_000


def test_an_uplink_and_a_downlink_go_over_plain_websockets() -> None:
    async def run() -> None:
        up: list[Any] = []
        down: list[Any] = []
        async with (
            StationServer(server_core(), up.append, host="localhost") as server,
            StationGateway(gateway_core(server.address), down.append) as gateway,
        ):
            await exchange(server, gateway, up, down)
            assert not of(Dropped, up + down)
        assert [type(effect) for effect in up[:1]] == [GatewayConnected]

    asyncio.run(run())


def test_a_gateway_waits_for_its_server_and_comes_back_to_it() -> None:
    async def run() -> None:
        down: list[Any] = []
        first = StationServer(server_core(), lambda _: None, host="127.0.0.1")
        await first.start()
        core = StationGatewayCore(StationGatewayConfig(EUI, f"ws://127.0.0.1:{first.address[1]}"))
        async with StationGateway(core, down.append) as gateway:
            await until(lambda: core.connected)
            port = first.address[1]
            await first.stop()
            await until(lambda: bool(of(Disconnected, down)))
            gateway.submit(Heard(gateway.now, UPLINK, 868_100_000, LoraModulation(7), -80.0, 9.0, 56_576))
            up: list[Any] = []
            async with StationServer(server_core(), up.append, host="127.0.0.1", port=port):
                await until(lambda: bool(of(UplinkReceived, up)))  # a second later, after its first back-off
            assert of(UplinkReceived, up)[0].rxpk.payload == UPLINK
        assert core.counters.connections == 2

    asyncio.run(run())


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.crt, server.crt and .key for localhost, gateway.crt and .key, of that CA; other.crt of nobody's."""
    folder = tmp_path_factory.mktemp("pki")
    ca_key = ec.generate_private_key(ec.SECP256R1())
    for name in ("ca", "server", "gateway", "other"):
        key = ca_key if name == "ca" else ec.generate_private_key(ec.SECP256R1())
        own = name in ("ca", "other")
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(name if own else "ca"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=own, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        )
        certificate = builder.sign(key if own else ca_key, hashes.SHA256())
        (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / f"{name}.der").write_bytes(certificate.public_bytes(serialization.Encoding.DER))
        (folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return folder


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def credentials_folder(tmp_path: Path, port: int, **files: bytes) -> Path:
    (tmp_path / "tc.uri").write_text(f"wss://localhost:{port}\n")
    for ending, content in files.items():
        (tmp_path / f"tc.{ending}").write_bytes(content)
    return tmp_path


@pytest.mark.parametrize("trust", ["ca.crt", "ca.der"])
def test_tls_with_client_certificates_lets_the_right_gateway_in(pki: Path, tmp_path: Path, trust: str) -> None:
    async def run() -> None:
        up: list[Any] = []
        down: list[Any] = []
        context = server_context(pki / "server.crt", pki / "server.key", client_trust=pki / "ca.crt")
        async with StationServer(server_core(), up.append, host="localhost", ssl=context) as server:
            files = {"trust": trust, "crt": "gateway.crt", "key": "gateway.key"}
            folder = credentials_folder(
                tmp_path, server.address[1], **{ending: (pki / name).read_bytes() for ending, name in files.items()}
            )
            credentials = load_credentials(folder)
            core = StationGatewayCore(StationGatewayConfig(EUI, credentials.tc_uri))
            async with StationGateway(core, down.append, ssl=credentials.ssl) as gateway:
                await exchange(server, gateway, up, down)
                assert not of(Dropped, up + down)

    asyncio.run(run())


@pytest.mark.parametrize("lacks", ["trust", "certificate"])
def test_a_wrong_certificate_on_either_side_lets_nobody_in(pki: Path, tmp_path: Path, lacks: str) -> None:
    async def run() -> None:
        up: list[Any] = []
        down: list[Any] = []
        context = server_context(pki / "server.crt", pki / "server.key", client_trust=pki / "ca.crt")
        async with StationServer(server_core(), up.append, host="localhost", ssl=context) as server:
            trust = pki / ("other.crt" if lacks == "trust" else "ca.crt")
            folder = credentials_folder(tmp_path, server.address[1], trust=trust.read_bytes())
            core = gateway_core(server.address, "wss")
            async with StationGateway(core, down.append, ssl=load_credentials(folder).ssl):
                await until(lambda: len(of(Dropped, down)) >= 1)
            assert {drop.reason for drop in of(Dropped, down)} == {"connection"}
            assert not of(GatewayConnected, up)

    asyncio.run(run())


def test_a_token_lets_its_gateway_in_and_no_other(pki: Path, tmp_path: Path) -> None:
    async def run() -> None:
        up: list[Any] = []
        down: list[Any] = []
        context = server_context(pki / "server.crt", pki / "server.key")
        tokens = {TOKEN: frozenset({EUI}), "Bearer other": frozenset({Eui64(7)})}
        async with StationServer(server_core(), up.append, host="localhost", ssl=context, tokens=tokens) as server:
            port = server.address[1]
            folder = credentials_folder(
                tmp_path, port, trust=(pki / "ca.crt").read_bytes(), key=f"Authorization: {TOKEN}\r\n".encode()
            )
            credentials = load_credentials(folder)
            assert TOKEN not in repr(credentials)
            wss = f"wss://localhost:{port}"
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN[:-1]}):
                with pytest.raises(InvalidStatus) as refused:
                    await connect(f"{wss}/router-info", ssl=credentials.ssl, additional_headers=headers, proxy=None)
                assert refused.value.response.status_code == 401
            assert {drop.reason for drop in of(Dropped, up)} == {"token"}
            other = {"Authorization": "Bearer other"}
            async with connect(
                f"{wss}/router-{EUI}", ssl=credentials.ssl, additional_headers=other, proxy=None
            ) as stolen:
                with pytest.raises(ConnectionClosed):
                    await stolen.recv()
                assert stolen.close_code == 1008
            up.clear()
            core = gateway_core(server.address, "wss")
            async with StationGateway(core, down.append, ssl=credentials.ssl, headers=credentials.headers) as gateway:
                await exchange(server, gateway, up, down)

    asyncio.run(run())


def test_an_address_that_may_not_connect_is_turned_away() -> None:
    async def run() -> None:
        up: list[Any] = []
        async with StationServer(
            server_core(), up.append, host="127.0.0.1", allowed=lambda address: address != "127.0.0.1"
        ) as server:
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"ws://127.0.0.1:{server.address[1]}/router-info", proxy=None)
            assert refused.value.response.status_code == 403
        assert [drop.reason for drop in up] == ["address"]

    asyncio.run(run())


def test_a_stranger_cannot_stop_the_server() -> None:
    async def run() -> None:
        up: list[Any] = []
        async with StationServer(server_core(), up.append, host="127.0.0.1") as server:
            base = f"ws://127.0.0.1:{server.address[1]}"
            async with connect(f"{base}/router-info", proxy=None) as websocket:
                await websocket.send("[" * 100_000)
                assert "error" in await websocket.recv()
            async with connect(f"{base}/elsewhere", proxy=None) as websocket:
                with pytest.raises(ConnectionClosed):
                    await websocket.recv()
            async with connect(f"{base}/router-{EUI}", proxy=None) as websocket:
                await websocket.send(b"\x00binary")
                await websocket.send("no JSON")
                await websocket.send('{"msgtype":"version","station":"x","protocol":2}')
                assert "router_config" in await websocket.recv()
                await websocket.send("1" * 300_000)
                with pytest.raises(ConnectionClosed):
                    await websocket.recv()
            await until(lambda: bool(of(GatewayGone, up)))
        reasons = {drop.reason for drop in of(Dropped, up)}
        assert reasons == {"malformed", "refused_gateway", "binary_record"}

    asyncio.run(run())


def test_a_shell_that_is_not_started_says_so() -> None:
    server = StationServer(server_core(), lambda _: None)
    with pytest.raises(LinkStateError):
        _ = server.address
    with pytest.raises(LinkStateError):
        server.submit(SendDownlink(EUI, Txpk(freq_hz=1, modulation=LoraModulation(7), payload=b"", imme=True), 1))


def test_a_trust_file_may_have_any_letters_beside_its_certificates(pki: Path, tmp_path: Path) -> None:
    (tmp_path / "tc.uri").write_text("wss://a:1")
    (tmp_path / "tc.trust").write_bytes("# Autorité d'essai\n".encode() + (pki / "ca.crt").read_bytes())
    context = load_credentials(tmp_path).ssl
    assert context is not None
    assert context.cert_store_stats()["x509_ca"] == 1


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({}, "tc.uri"),
        ({"uri": b"http://a:1"}, "tc.uri"),
        ({"uri": b"wss://a:1"}, "tc.trust"),
        ({"uri": b"wss://a:1", "trust": b"-----BEGIN CERTIFICATE-----\nno\n"}, "tc.trust"),
        ({"uri": b"wss://a:1", "trust": b"CA", "crt": b"no", "key": b"no"}, "tc.crt"),
        ({"uri": b"wss://a:1", "trust": b"CA", "key": b"secret without a header"}, "tc.key:1"),
    ],
)
def test_bad_credentials_name_the_file_and_show_no_secret(
    pki: Path, tmp_path: Path, files: dict[str, bytes], named: str
) -> None:
    for ending, content in files.items():
        data = (pki / "ca.crt").read_bytes() if content == b"CA" else content
        (tmp_path / f"tc.{ending}").write_bytes(data)
    with pytest.raises(StationError) as raised:
        load_credentials(tmp_path)
    assert named in str(raised.value)
    assert "secret" not in str(raised.value)


def test_bad_server_files_are_named(pki: Path, tmp_path: Path) -> None:
    with pytest.raises(StationError, match=r"missing\.crt"):
        server_context(tmp_path / "missing.crt", pki / "server.key")
    assert isinstance(server_context(pki / "server.crt", pki / "server.key"), ssl.SSLContext)
