"""Station's credential files (tc.uri, tc.trust, tc.crt, tc.key), and the TLS contexts made of them.

Source: Basics Station 2.0.6 documentation, "Credentials" and "Authentication Modes"; sys.c, sys_cred; net.c,
conn_setup_tls and validateAuthToken. CUPS (cups.*, credentials that a server replaces) is not served.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from gateway_fw.errors import StationError
from gateway_fw.station.control import StationUri

_HEADER = re.compile(r"([A-Za-z0-9_-]+): (.+)")
_CLAUSE = "Basics Station 2.0.6, credentials"


@dataclass(frozen=True, slots=True)
class StationCredentials:
    """tc_uri: as StationGatewayConfig takes it. ssl: for wss, None for ws. headers: of tc.key where it is a token."""

    tc_uri: str
    ssl: ssl.SSLContext | None
    headers: dict[str, str] = field(default_factory=dict, repr=False)


def load_credentials(folder: Path) -> StationCredentials:
    """From a folder with tc.uri, and for wss tc.trust; tc.crt with tc.key (PEM or DER) shows the gateway a client
    certificate, tc.key alone holds "Authorization: …" lines, sent over TLS only.

    Raises StationError that names the file.
    """
    uri_file = folder / "tc.uri"
    tc_uri = _text(uri_file).strip()
    StationUri.of(f"{tc_uri.rstrip('/')}/", str(uri_file))
    if tc_uri.startswith("ws:"):
        return StationCredentials(tc_uri, None)
    trust, certificate, key = (folder / f"tc.{ending}" for ending in ("trust", "crt", "key"))
    if not trust.exists():
        raise StationError("missing", field=str(trust), clause=_CLAUSE, hint="wss needs the server's CA certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=_certificates(trust))
    except (ssl.SSLError, ValueError) as error:  # ValueError: an empty file
        raise StationError(str(error), field=str(trust), clause=_CLAUSE, hint="a PEM or DER certificate") from error
    if certificate.exists():
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            hint = "PEM, without a password"
            raise StationError(str(error), field=f"{certificate}, {key}", clause=_CLAUSE, hint=hint) from error
        return StationCredentials(tc_uri, context)
    return StationCredentials(tc_uri, context, _headers(key) if key.exists() else {})


def server_context(certificate: Path, key: Path, *, client_trust: Path | None = None) -> ssl.SSLContext:
    """A server's TLS: its certificate chain and key (PEM); client_trust: the CA that every gateway's must come from.

    Raises StationError that names the file.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
        if client_trust is not None:
            context.load_verify_locations(client_trust)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(str(path) for path in (certificate, key, client_trust) if path is not None)
        raise StationError(
            str(error), field=files, clause=_CLAUSE, hint="PEM files, the key without a password"
        ) from error
    return context


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StationError(getattr(error, "strerror", None) or str(error), field=str(path), clause=_CLAUSE) from error


def _certificates(path: Path) -> str | bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StationError(getattr(error, "strerror", None) or str(error), field=str(path), clause=_CLAUSE) from error
    return data.decode("ascii", "ignore") if b"-----BEGIN" in data else data


def _headers(path: Path) -> dict[str, str]:
    headers = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        found = _HEADER.fullmatch(line.strip())
        if found is None:  # the line is not shown: it may be a key
            raise StationError("no header", field=f"{path}:{number}", clause=_CLAUSE, hint='"Authorization: value"')
        headers[found[1]] = found[2]
    return headers
