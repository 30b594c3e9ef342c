"""`lorabench frame decode`: one frame, or every frame of a capture, field by field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.exits import NOT_HELD
from bench.cli.frame_options import (
    AppKey,
    AppSKey,
    AsJson,
    ConfFCnt,
    FNwkSIntKey,
    NwkKey,
    NwkSEncKey,
    NwkSKey,
    SNwkSIntKey,
    TxCh,
    TxDr,
    VersionOption,
    eui_of,
    frame_bytes,
    key_of,
    version_of,
)
from bench.errors import UsageError

if TYPE_CHECKING:
    from lorawan.version import Version

DECODE_EPILOG = (
    "Examples: lorabench frame decode 40f17dbe4900020001954378762b11ff0d"
    " --nwk-s-key 44024241ed4ce9a68c6a8bc055233fd3 --app-s-key ec925802ae430ca77fd3dd73cb2cc588;"
    " lorabench frame decode capture.pcap --keys keys.toml --json"
)
_KEY_NAMES = ("nwkskey", "appskey", "fnwksintkey", "snwksintkey", "nwksenckey", "appkey", "nwkkey")


def decode(
    frame: Annotated[
        str,
        typer.Argument(help="PHYPayload as hex or base64, or a PCAP or pcapng file.", metavar="HEX|BASE64|FILE"),
    ],
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--keys",
            help="For a frame, all keys in one: NwkSKey=…,AppSKey=…; the names of the options below, any case."
            " For a capture, a file of devices: lorabench's devices.toml, see docs/frames.md.",
        ),
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
    dev_eui: Annotated[str, typer.Option("--dev-eui", help="Of the join that a 1.1 Join-Accept answers.")] = "",
    join_eui: Annotated[str, typer.Option("--join-eui", help="Of the join that a 1.1 Join-Accept answers.")] = "",
    dev_nonce: Annotated[
        int | None,
        typer.Option(
            "--dev-nonce", min=0, max=0xFFFF, help="Of the join that a Join-Accept answers; RJcount of a rejoin."
        ),
    ] = None,
    rejoin_type: Annotated[
        int | None, typer.Option("--rejoin-type", min=0, max=2, help="Of the rejoin that a 1.1 Join-Accept answers.")
    ] = None,
    multicast: Annotated[
        bool, typer.Option("--multicast", help="A group's frame: NwkSKey and AppSKey are McNwkSKey and McAppSKey.")
    ] = False,
    beacon: Annotated[bool, typer.Option("--beacon", help="The bytes are a class B beacon.")] = False,
    sf: Annotated[int, typer.Option("--sf", min=5, max=12, help="Of the beacon.")] = 9,
    show_keys: Annotated[bool, typer.Option("--show-keys", help="Show derived session keys.")] = False,
    version: VersionOption = "1.0.4",
    as_json: AsJson = False,
) -> None:
    """Explain a frame field by field with clause numbers, check its MIC and decipher it as far as the keys allow.

    Of a capture (LoRaTap, or Semtech UDP on any link), every frame: joins give keys, 32-bit counters are followed.

    Exit code 1 where a key was given and the MIC is wrong.
    """
    which = version_of(version)
    path = Path(frame)
    if frame and _is_there(path):
        _decode_capture(path, keys or [], which, show_keys=show_keys, as_json=as_json)
        return
    from bench.cli.explain_text import print_explanation  # noqa: PLC0415 - brings construct and AES
    from bench.explain import Known, explain, explain_beacon  # noqa: PLC0415

    payload = frame_bytes(frame)
    if beacon:
        explanation = explain_beacon(payload, sf, which)
    else:
        named = _named_keys(keys or [])
        network = key_of(nwk_s_key or named["nwkskey"])
        known = Known(
            version=which,
            f_nwk_s_int_key=key_of(f_nwk_s_int_key or named["fnwksintkey"]) or network,
            s_nwk_s_int_key=key_of(s_nwk_s_int_key or named["snwksintkey"]) or network,
            nwk_s_enc_key=key_of(nwk_s_enc_key or named["nwksenckey"]) or network,
            app_s_key=key_of(app_s_key or named["appskey"]),
            app_key=key_of(app_key or named["appkey"]),
            nwk_key=key_of(nwk_key or named["nwkkey"]),
            f_cnt=f_cnt,
            conf_f_cnt=conf_f_cnt,
            tx_dr=tx_dr,
            tx_ch=tx_ch,
            dev_eui=eui_of(dev_eui),
            join_eui=eui_of(join_eui),
            dev_nonce=dev_nonce,
            rejoin_type=rejoin_type,
            multicast=multicast,
            show_keys=show_keys,
        )
        explanation = explain(payload, known)
    if as_json:
        typer.echo(json.dumps(explanation.as_dict()))
    else:
        print_explanation(explanation)
    if explanation.mic == "wrong":
        raise typer.Exit(NOT_HELD)


def _is_there(path: Path) -> bool:
    """Whether it is a path and no frame; a pipe will do, and reading says what is wrong with a folder."""
    try:
        return path.exists()
    except (OSError, ValueError):  # hex too long for a name, or with a NUL in it
        return False


def _decode_capture(path: Path, keys: list[str], version: Version, *, show_keys: bool, as_json: bool) -> None:
    from bench.cli.frame_capture import explain_capture  # noqa: PLC0415 - brings construct and AES

    if len(keys) > 1 or any("=" in text and not Path(text).is_file() for text in keys):
        raise UsageError("a capture takes its keys from one file", hint="--keys keys.toml")
    wrong = explain_capture(path, Path(keys[0]) if keys else None, version, show_keys=show_keys, as_json=as_json)
    if wrong:
        raise typer.Exit(NOT_HELD)


def _named_keys(pairs: list[str]) -> dict[str, str]:
    """From "NwkSKey=…,AppSKey=…", names without underscores or dashes and in lower case. Raises UsageError."""
    found = dict.fromkeys(_KEY_NAMES, "")
    for pair in (part.strip() for text in pairs for part in text.split(",")):
        name, equals, value = pair.partition("=")
        plain = name.strip().lower().replace("_", "").replace("-", "")
        if not equals or plain not in found:
            raise UsageError(f"--keys {name}: no such key", hint="NwkSKey=…,AppSKey=…, as in --help")
        found[plain] = value.strip()
    return found
