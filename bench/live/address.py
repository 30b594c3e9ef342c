"""HOST:PORT as people write it."""

from __future__ import annotations

import errno
import re

from bench.errors import LinkError, UsageError

_PORT = re.compile(r"[0-9]{1,9}")
GWMP_PORT = 1700  # of the reference forwarder's global_conf.json (sx1302_hal 2.1.0)


def server_address(text: str) -> tuple[str, int]:
    """ "host", "host:port" or "[v6]:port"; the port is 1700 where none is given, and never 0. Raises UsageError."""
    host, port = _split(text)
    if not port:
        raise UsageError(f'"{text}": nobody can send to port 0', hint="write HOST:PORT, such as 127.0.0.1:1700")
    return host, port


def listen_address(text: str) -> tuple[str, int]:
    """ "1700", "host:port" or "[v6]:port"; every IPv4 interface where only a port is given. Raises UsageError."""
    return ("0.0.0.0", _port(text, text)) if text.isdigit() else _split(text)


def no_listening(host: str, port: int, error: OSError) -> LinkError:
    """Why a server could not take its address."""
    hint = (
        "is another server running?" if error.errno == errno.EADDRINUSE else "write PORT, or HOST:PORT of this machine"
    )
    return LinkError(f"cannot listen on {host}:{port}: {error.strerror or error}", hint=hint)


def _split(text: str) -> tuple[str, int]:
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise UsageError(f'"{text}" is no address', hint="write [::1]:1700")
        if not _is_name(host):
            raise UsageError(f'"{text}" names no host', hint="write [::1]:1700")
        return host, _port(rest[1:], text) if rest else GWMP_PORT
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, str(GWMP_PORT)
    elif ":" in host:
        raise UsageError(f'"{text}" is no address', hint="write an IPv6 address in brackets: [::1]:1700")
    if not _is_name(host):
        raise UsageError(f'"{text}" names no host', hint="write HOST:PORT, such as 127.0.0.1:1700")
    return host, _port(port, text)


def _is_name(host: str) -> bool:
    if any(letter.isspace() or letter in '/\\"' for letter in host):
        return False
    try:
        host.encode("idna")  # RFC 1035 §2.3.4: labels of 1 to 63 octets
    except UnicodeError:
        return False
    return bool(host)


def _port(text: str, whole: str) -> int:
    if not _PORT.fullmatch(text) or int(text) > 0xFFFF:
        raise UsageError(f'"{text}" in "{whole}" is no port', hint="a number from 0 to 65535")
    return int(text)
