"""`lorabench frame build`: put frames together."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.exits import ErrorGroup
from bench.cli.frame_options import (
    AppKey,
    AppSKey,
    ConfFCnt,
    FNwkSIntKey,
    NwkKey,
    NwkSEncKey,
    NwkSKey,
    SNwkSIntKey,
    TxCh,
    TxDr,
    VersionOption,
    hex_of,
    key_of,
    version_of,
)
from bench.errors import UsageError
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.version import Version

if TYPE_CHECKING:
    from lorawan.crypto import SessionKeys

build = typer.Typer(cls=ErrorGroup, no_args_is_help=True, help="Build a frame, enciphered and with its MIC.")

Confirmed = Annotated[bool, typer.Option("--confirmed", help="Ask for an acknowledgement.")]
FCnt = Annotated[int, typer.Option("--f-cnt", min=0, max=0xFFFFFFFF, help="The 32-bit frame counter.")]
FPort = Annotated[int | None, typer.Option("--f-port", min=0, max=255, help="Left out where there is no payload.")]
Payload = Annotated[str, typer.Option("--payload", help="Payload in clear, hex.")]
FOpts = Annotated[str, typer.Option("--f-opts", help="MAC commands in clear, hex.")]
Address = Annotated[str, typer.Option("--dev-addr", help="8 hex digits.")]
Adr = Annotated[bool, typer.Option("--adr")]
Ack = Annotated[bool, typer.Option("--ack")]
AsBase64 = Annotated[bool, typer.Option("--base64", help="Print base64, as Semtech UDP carries it, instead of hex.")]


@build.command(
    epilog="Example: lorabench frame build up --dev-addr 49be7df1 --f-cnt 2 --f-port 1 --payload 74657374"
    " --nwk-s-key 44024241ed4ce9a68c6a8bc055233fd3 --app-s-key ec925802ae430ca77fd3dd73cb2cc588"
)
def up(
    dev_addr: Address,
    f_cnt: FCnt,
    f_port: FPort = None,
    payload: Payload = "",
    f_opts: FOpts = "",
    confirmed: Confirmed = False,
    adr: Adr = False,
    adr_ack_req: Annotated[bool, typer.Option("--adr-ack-req")] = False,
    ack: Ack = False,
    class_b: Annotated[bool, typer.Option("--class-b")] = False,
    nwk_s_key: NwkSKey = "",
    app_s_key: AppSKey = "",
    f_nwk_s_int_key: FNwkSIntKey = "",
    s_nwk_s_int_key: SNwkSIntKey = "",
    nwk_s_enc_key: NwkSEncKey = "",
    conf_f_cnt: ConfFCnt = 0,
    tx_dr: TxDr = 0,
    tx_ch: TxCh = 0,
    version: VersionOption = "1.0.4",
    as_base64: AsBase64 = False,
) -> None:
    """An uplink data frame."""
    from lorawan.frames import FCtrlUp  # noqa: PLC0415 - brings construct and AES
    from lorawan.secured import seal_up  # noqa: PLC0415

    which = version_of(version)
    keys = _session(which, nwk_s_key, f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key, bool(f_port))
    frame = seal_up(
        keys,
        is_1_1=which.is_1_1,
        confirmed=confirmed,
        dev_addr=DevAddr.from_hex(dev_addr),
        f_ctrl=FCtrlUp(adr=adr, adr_ack_req=adr_ack_req, ack=ack, class_b=class_b),
        f_cnt=f_cnt,
        f_opts=hex_of(f_opts, "--f-opts"),
        f_port=f_port,
        payload=hex_of(payload, "--payload"),
        conf_f_cnt=conf_f_cnt,
        tx_dr=tx_dr,
        tx_ch=tx_ch,
    )
    _emit(frame, as_base64)


@build.command(
    epilog="Example: lorabench frame build down --dev-addr 49be7df1 --f-cnt 7 --ack"
    " --nwk-s-key 44024241ed4ce9a68c6a8bc055233fd3"
)
def down(
    dev_addr: Address,
    f_cnt: FCnt,
    f_port: FPort = None,
    payload: Payload = "",
    f_opts: FOpts = "",
    confirmed: Confirmed = False,
    adr: Adr = False,
    ack: Ack = False,
    f_pending: Annotated[bool, typer.Option("--f-pending")] = False,
    nwk_s_key: NwkSKey = "",
    app_s_key: AppSKey = "",
    s_nwk_s_int_key: SNwkSIntKey = "",
    nwk_s_enc_key: NwkSEncKey = "",
    conf_f_cnt: ConfFCnt = 0,
    version: VersionOption = "1.0.4",
    as_base64: AsBase64 = False,
) -> None:
    """A downlink data frame."""
    from lorawan.frames import FCtrlDown  # noqa: PLC0415 - brings construct and AES
    from lorawan.secured import seal_down  # noqa: PLC0415

    which = version_of(version)
    # A downlink's MIC does not look at FNwkSIntKey.
    keys = _session(which, nwk_s_key, s_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key, bool(f_port))
    frame = seal_down(
        keys,
        is_1_1=which.is_1_1,
        confirmed=confirmed,
        dev_addr=DevAddr.from_hex(dev_addr),
        f_ctrl=FCtrlDown(adr=adr, ack=ack, f_pending=f_pending),
        f_cnt=f_cnt,
        f_opts=hex_of(f_opts, "--f-opts"),
        f_port=f_port,
        payload=hex_of(payload, "--payload"),
        conf_f_cnt=conf_f_cnt,
    )
    _emit(frame, as_base64)


@build.command(
    "join-request",
    epilog="Example: lorabench frame build join-request --join-eui 0102030405060708 --dev-eui 0807060504030201"
    " --dev-nonce 1 --app-key 2b7e151628aed2a6abf7158809cf4f3c",
)
def join_request(
    join_eui: Annotated[str, typer.Option("--join-eui", help="AppEUI before 1.0.4. 16 hex digits.")],
    dev_eui: Annotated[str, typer.Option("--dev-eui", help="16 hex digits.")],
    dev_nonce: Annotated[int, typer.Option("--dev-nonce", min=0, max=0xFFFF)],
    app_key: AppKey = "",
    nwk_key: NwkKey = "",
    as_base64: AsBase64 = False,
) -> None:
    """A JoinRequest, with the AppKey (before 1.1) or the NwkKey (1.1)."""
    from lorawan.secured import seal_join_request  # noqa: PLC0415 - brings construct and AES

    key = key_of(app_key) or key_of(nwk_key)
    if key is None:
        raise UsageError("no key", hint="give --app-key, or --nwk-key for 1.1")
    _emit(seal_join_request(key, Eui64.from_hex(join_eui), Eui64.from_hex(dev_eui), dev_nonce), as_base64)


def _session(version: Version, nwk: str, f_int: str, s_int: str, enc: str, app: str, needs_app: bool) -> SessionKeys:
    from lorawan.crypto import SessionKeys  # noqa: PLC0415 - brings AES

    app_s_key = key_of(app)
    if needs_app and app_s_key is None:
        raise UsageError("no key for the payload", hint="give --app-s-key")
    names = (f_int, s_int, enc) if version.is_1_1 else (nwk, nwk, nwk)
    network = [key for key in map(key_of, names) if key is not None]
    if len(network) < len(names):
        wanted = (
            "--f-nwk-s-int-key (uplinks), --s-nwk-s-int-key and --nwk-s-enc-key" if version.is_1_1 else "--nwk-s-key"
        )
        raise UsageError(f"no key for the MIC of a {version} frame", hint=f"give {wanted}")
    f_key, s_key, enc_key = network
    return SessionKeys(f_key, s_key, enc_key, app_s_key or AesKey(bytes(16)))


def _emit(frame: bytes, as_base64: bool) -> None:
    typer.echo(base64.b64encode(frame).decode() if as_base64 else frame.hex())
