"""`lorabench frame`: take frames apart and put them together."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.exits import NOT_HELD, ErrorGroup
from bench.errors import UsageError
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.version import Version

if TYPE_CHECKING:
    from lorawan.crypto import SessionKeys

app = typer.Typer(cls=ErrorGroup, no_args_is_help=True, help="Decode and build LoRaWAN frames.")
build = typer.Typer(cls=ErrorGroup, no_args_is_help=True, help="Build a frame, enciphered and with its MIC.")
app.add_typer(build, name="build")

_KEY = "32 hex digits."
VersionOption = Annotated[str, typer.Option("--version", help="LoRaWAN version: 1.0.2, 1.0.3, 1.0.4 or 1.1.")]
NwkSKey = Annotated[str, typer.Option("--nwk-s-key", help=f"NwkSKey of a 1.0 session. {_KEY}")]
FNwkSIntKey = Annotated[str, typer.Option("--f-nwk-s-int-key", help=f"1.1. {_KEY}")]
SNwkSIntKey = Annotated[str, typer.Option("--s-nwk-s-int-key", help=f"1.1. {_KEY}")]
NwkSEncKey = Annotated[str, typer.Option("--nwk-s-enc-key", help=f"1.1. {_KEY}")]
AppSKey = Annotated[str, typer.Option("--app-s-key", help=_KEY)]
AppKey = Annotated[str, typer.Option("--app-key", help=f"Root key of joins before 1.1. {_KEY}")]
NwkKey = Annotated[str, typer.Option("--nwk-key", help=f"Root key of joins in 1.1. {_KEY}")]
ConfFCnt = Annotated[int, typer.Option("--conf-f-cnt", help="1.1: counter of the frame that the ACK bit confirms.")]
TxDr = Annotated[int, typer.Option("--tx-dr", help="1.1 uplinks: data rate index, part of the MIC.")]
TxCh = Annotated[int, typer.Option("--tx-ch", help="1.1 uplinks: channel index, part of the MIC.")]
Confirmed = Annotated[bool, typer.Option("--confirmed", help="Ask for an acknowledgement.")]
FCnt = Annotated[int, typer.Option("--f-cnt", min=0, max=0xFFFFFFFF, help="The 32-bit frame counter.")]
FPort = Annotated[int | None, typer.Option("--f-port", min=0, max=255, help="Left out where there is no payload.")]
Payload = Annotated[str, typer.Option("--payload", help="Payload in clear, hex.")]
FOpts = Annotated[str, typer.Option("--f-opts", help="MAC commands in clear, hex.")]
Address = Annotated[str, typer.Option("--dev-addr", help="8 hex digits.")]
Adr = Annotated[bool, typer.Option("--adr")]
Ack = Annotated[bool, typer.Option("--ack")]
AsBase64 = Annotated[bool, typer.Option("--base64", help="Print base64, as Semtech UDP carries it, instead of hex.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command(
    epilog="Example: lorabench frame decode 40f17dbe4900020001954378762b11ff0d"
    " --nwk-s-key 44024241ed4ce9a68c6a8bc055233fd3 --app-s-key ec925802ae430ca77fd3dd73cb2cc588"
)
def decode(
    frame: Annotated[str, typer.Argument(help="PHYPayload as hex or base64.", metavar="HEX|BASE64")],
    keys: Annotated[
        list[str] | None,
        typer.Option("--keys", help="All keys in one: NwkSKey=…,AppSKey=…; the names of the options below, any case."),
    ] = None,
    nwk_s_key: NwkSKey = "",
    app_s_key: AppSKey = "",
    f_nwk_s_int_key: FNwkSIntKey = "",
    s_nwk_s_int_key: SNwkSIntKey = "",
    nwk_s_enc_key: NwkSEncKey = "",
    app_key: AppKey = "",
    nwk_key: NwkKey = "",
    f_cnt: Annotated[
        int | None, typer.Option("--f-cnt", min=0, max=0xFFFFFFFF, help="The 32-bit counter; the frame has its low 16.")
    ] = None,
    conf_f_cnt: ConfFCnt = 0,
    tx_dr: TxDr = 0,
    tx_ch: TxCh = 0,
    dev_eui: Annotated[str, typer.Option("--dev-eui", help="Of the join that a 1.1 JoinAccept answers.")] = "",
    join_eui: Annotated[str, typer.Option("--join-eui", help="Of the join that a 1.1 JoinAccept answers.")] = "",
    dev_nonce: Annotated[
        int | None, typer.Option("--dev-nonce", min=0, max=0xFFFF, help="Of the join that a JoinAccept answers.")
    ] = None,
    show_keys: Annotated[bool, typer.Option("--show-keys", help="Show derived session keys.")] = False,
    version: VersionOption = "1.0.4",
    as_json: AsJson = False,
) -> None:
    """Take a frame apart, check its MIC and decipher it as far as the keys given allow.

    Exit code 1 where a key was given and the MIC is wrong.
    """
    from bench.cli.frame_view import Known, describe  # noqa: PLC0415 - brings construct and AES

    which = _version(version)
    named = _named_keys(keys or [])
    network = _key(nwk_s_key or named["nwkskey"])
    known = Known(
        version=which,
        f_nwk_s_int_key=_key(f_nwk_s_int_key or named["fnwksintkey"]) or network,
        s_nwk_s_int_key=_key(s_nwk_s_int_key or named["snwksintkey"]) or network,
        nwk_s_enc_key=_key(nwk_s_enc_key or named["nwksenckey"]) or network,
        app_s_key=_key(app_s_key or named["appskey"]),
        app_key=_key(app_key or named["appkey"]),
        nwk_key=_key(nwk_key or named["nwkkey"]),
        f_cnt=f_cnt,
        conf_f_cnt=conf_f_cnt,
        tx_dr=tx_dr,
        tx_ch=tx_ch,
        dev_eui=Eui64.from_hex(dev_eui) if dev_eui else None,
        join_eui=Eui64.from_hex(join_eui) if join_eui else None,
        dev_nonce=dev_nonce,
        show_keys=show_keys,
    )
    view = describe(frame_bytes(frame), known)
    if as_json:
        typer.echo(json.dumps(view))
    else:
        _print(view)
    if view["mic"] == "wrong":
        raise typer.Exit(NOT_HELD)


def _named_keys(pairs: list[str]) -> dict[str, str]:
    """From "NwkSKey=…,AppSKey=…", names without underscores or dashes and in lower case. Raises UsageError."""
    names = ("nwkskey", "appskey", "fnwksintkey", "snwksintkey", "nwksenckey", "appkey", "nwkkey")
    found = dict.fromkeys(names, "")
    for pair in (part.strip() for text in pairs for part in text.split(",")):
        name, equals, value = pair.partition("=")
        plain = name.strip().lower().replace("_", "").replace("-", "")
        if not equals or plain not in found:
            raise UsageError(f"--keys {name}: no such key", hint="NwkSKey=…,AppSKey=…, as in --help")
        found[plain] = value.strip()
    return found


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

    which = _version(version)
    keys = _session(which, nwk_s_key, f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key, bool(f_port))
    frame = seal_up(
        keys,
        is_1_1=which.is_1_1,
        confirmed=confirmed,
        dev_addr=DevAddr.from_hex(dev_addr),
        f_ctrl=FCtrlUp(adr=adr, adr_ack_req=adr_ack_req, ack=ack, class_b=class_b),
        f_cnt=f_cnt,
        f_opts=_hex(f_opts, "--f-opts"),
        f_port=f_port,
        payload=_hex(payload, "--payload"),
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

    which = _version(version)
    # A downlink's MIC does not look at FNwkSIntKey.
    keys = _session(which, nwk_s_key, s_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key, bool(f_port))
    frame = seal_down(
        keys,
        is_1_1=which.is_1_1,
        confirmed=confirmed,
        dev_addr=DevAddr.from_hex(dev_addr),
        f_ctrl=FCtrlDown(adr=adr, ack=ack, f_pending=f_pending),
        f_cnt=f_cnt,
        f_opts=_hex(f_opts, "--f-opts"),
        f_port=f_port,
        payload=_hex(payload, "--payload"),
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

    key = _key(app_key) or _key(nwk_key)
    if key is None:
        raise UsageError("no key", hint="give --app-key, or --nwk-key for 1.1")
    _emit(seal_join_request(key, Eui64.from_hex(join_eui), Eui64.from_hex(dev_eui), dev_nonce), as_base64)


def frame_bytes(text: str) -> bytes:
    """A frame from hex (blanks, ":" and "-" are passed over) or else base64. Raises UsageError."""
    digits = text.translate({ord(c): None for c in " :-\n"}).removeprefix("0x")
    try:
        return bytes.fromhex(digits)
    except ValueError:
        pass
    try:
        plain = text.strip().translate(str.maketrans("-_", "+/")).rstrip("=")
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise UsageError(f"{text!r} is neither hex nor base64") from None


def _version(text: str) -> Version:
    try:
        return Version(text)
    except ValueError:
        raise UsageError(
            f"--version {text}: no such LoRaWAN version", hint=f"one of {', '.join(str(v) for v in Version)}"
        ) from None


def _key(text: str) -> AesKey | None:
    return AesKey.from_hex(text) if text else None


def _hex(text: str, option: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is not hexadecimal") from None


def _session(version: Version, nwk: str, f_int: str, s_int: str, enc: str, app: str, needs_app: bool) -> SessionKeys:
    from lorawan.crypto import SessionKeys  # noqa: PLC0415 - brings AES

    app_s_key = _key(app)
    if needs_app and app_s_key is None:
        raise UsageError("no key for the payload", hint="give --app-s-key")
    names = (f_int, s_int, enc) if version.is_1_1 else (nwk, nwk, nwk)
    network = [key for key in map(_key, names) if key is not None]
    if len(network) < len(names):
        wanted = (
            "--f-nwk-s-int-key (uplinks), --s-nwk-s-int-key and --nwk-s-enc-key" if version.is_1_1 else "--nwk-s-key"
        )
        raise UsageError(f"no key for the MIC of a {version} frame", hint=f"give {wanted}")
    f_key, s_key, enc_key = network
    return SessionKeys(f_key, s_key, enc_key, app_s_key or AesKey(bytes(16)))


def _emit(frame: bytes, as_base64: bool) -> None:
    typer.echo(base64.b64encode(frame).decode() if as_base64 else frame.hex())


def _print(view: dict[str, Any]) -> None:
    width = max(map(len, view))
    for name, value in view.items():
        lines = _lines(value)
        typer.echo(f"{name:<{width}}  {lines[0]}")
        for line in lines[1:]:
            typer.echo(f"{'':<{width}}  {line}")


def _lines(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if value is None or value == "":
        return ["–"]
    if isinstance(value, dict):
        flags = [name for name, on in value.items() if on is True]
        if all(isinstance(on, bool) for on in value.values()):
            return [", ".join(flags) or "–"]
        return [f"{name} {item}" for name, item in value.items()]
    if isinstance(value, list):
        return [_one(item) for item in value] or ["–"]
    return [str(value)]


def _one(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    if "unknown" in item:
        return f"unknown: {item['unknown']}"
    rest = " ".join(f"{name}={value}" for name, value in item.items() if name != "command")
    return f"{item['command']} {rest}".strip()
