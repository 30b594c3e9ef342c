"""Options that several `lorabench frame` commands have, and how their text becomes values."""

from __future__ import annotations

import base64
import binascii
import string
from typing import Annotated

import typer

from bench.errors import UsageError
from lorawan.ids import AesKey, Eui64
from lorawan.version import Version

_KEY = "32 hex digits."
VersionOption = Annotated[str, typer.Option("--version", help="LoRaWAN version: 1.0.2, 1.0.3, 1.0.4 or 1.1.")]
NwkSKey = Annotated[str, typer.Option("--nwk-s-key", help=f"NwkSKey of a 1.0 session. {_KEY}")]
FNwkSIntKey = Annotated[str, typer.Option("--f-nwk-s-int-key", help=f"1.1. {_KEY}")]
SNwkSIntKey = Annotated[str, typer.Option("--s-nwk-s-int-key", help=f"1.1. {_KEY}")]
NwkSEncKey = Annotated[str, typer.Option("--nwk-s-enc-key", help=f"1.1. {_KEY}")]
AppSKey = Annotated[str, typer.Option("--app-s-key", help=_KEY)]
AppKey = Annotated[str, typer.Option("--app-key", help=f"Root key of joins before 1.1. {_KEY}")]
NwkKey = Annotated[str, typer.Option("--nwk-key", help=f"Root key of joins in 1.1. {_KEY}")]
ConfFCnt = Annotated[
    int,
    typer.Option("--conf-f-cnt", min=0, max=0xFFFFFFFF, help="1.1: counter of the frame that the ACK bit confirms."),
]
TxDr = Annotated[int, typer.Option("--tx-dr", min=0, max=15, help="1.1 uplinks: data rate index, part of the MIC.")]
TxCh = Annotated[int, typer.Option("--tx-ch", min=0, max=255, help="1.1 uplinks: channel index, part of the MIC.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def version_of(text: str) -> Version:
    """A version by its number. Raises UsageError."""
    try:
        return Version(text)
    except ValueError:
        raise UsageError(
            f"--version {text}: no such LoRaWAN version", hint=f"one of {', '.join(str(v) for v in Version)}"
        ) from None


def key_of(text: str) -> AesKey | None:
    """A key; None where none was given. Raises FrameError, which never repeats it."""
    return AesKey.from_hex(text) if text else None


def eui_of(text: str) -> Eui64 | None:
    """An EUI; None where none was given. Raises FrameError."""
    return Eui64.from_hex(text) if text else None


def hex_of(text: str, option: str) -> bytes:
    """Bytes from hex digits. Raises UsageError."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is not hexadecimal") from None


def frame_bytes(text: str) -> bytes:
    """A frame from hex (blanks, ":" and "-" are passed over) or else base64. Raises UsageError."""
    digits = text.translate({ord(c): None for c in " :-\n"}).removeprefix("0x")
    try:
        return bytes.fromhex(digits)
    except ValueError:
        if digits and all(digit in string.hexdigits for digit in digits):
            raise UsageError(
                f"{len(digits)} hex digits, an odd number", hint="one is missing, or one too many"
            ) from None
    try:
        plain = text.strip().translate(str.maketrans("-_", "+/")).rstrip("=")
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise UsageError(f"{text!r} is neither hex nor base64, and no file of that name is there") from None
