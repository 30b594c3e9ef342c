"""Messages about the connection and the clock: version, timesync, remote commands, errors; and discovery.

Source: Basics Station 2.0.6, tc.c; s2e.c, handle_timesync and handle_runcmd; rmtsh.c; "The LNS Protocol".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gateway_fw.errors import StationError
from gateway_fw.station.fields import CLAUSE, INT64, Fields, json_object, json_text
from gateway_fw.station.identifiers import eui_of, id6
from gateway_fw.station.uplink import MAX_GPS_US
from gateway_fw.station.xtime import MAX_XTIME
from lorawan.ids import Eui64

PROTOCOL_VERSION = 2  # s2conf.h, MUXS_PROTOCOL_VERSION
DISCOVERY_PATH = "/router-info"
MAX_URI_CHARS = 127  # s2conf.h, MAX_URI_LEN with its end
_URI = re.compile(r"(wss?)://([A-Za-z0-9._-]{1,127}|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})(/[!-~]*)")


@dataclass(frozen=True, slots=True)
class Version:
    """The first record of a gateway on its data connection. features: words with blanks between them."""

    station: str
    protocol: int = PROTOCOL_VERSION
    firmware: str = ""
    package: str = ""
    model: str = ""
    features: str = ""


@dataclass(frozen=True, slots=True)
class TimeSync:
    """Three forms: a gateway asks (txtime_us alone), the server answers (txtime_us and gpstime_us), or it says which
    GPS time an xtime is (xtime and gpstime_us). gpstime_us: µs since 6 January 1980."""

    txtime_us: int | None = None
    gpstime_us: int | None = None
    xtime: int | None = None
    mux_time_s: float | None = None


@dataclass(frozen=True, slots=True)
class RemoteCommand:
    """runcmd: the server wants a program run on the gateway."""

    command: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteShell:
    """rmtsh: the server asks for a shell (start, stop, user), or the gateway lists how many it has (n_sessions)."""

    n_sessions: int | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """The server complains."""

    error: str


@dataclass(frozen=True, slots=True)
class RouterInfo:
    """The answer to discovery. uri: of the data connection; error: why there is none. muxs: the end point's ID6."""

    router: Eui64 | None
    muxs: str = ""
    uri: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class StationUri:
    """A websocket's address: Station wants the port and the path to be there."""

    secure: bool
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        return f"ws{'s' if self.secure else ''}://{self.host}:{self.port}{self.path}"

    @classmethod
    def of(cls, text: str, field: str = "uri") -> StationUri:
        """From "ws://host:port/path" or "wss://…", at most 127 characters. Raises StationError."""
        found = _URI.fullmatch(text) if len(text) <= MAX_URI_CHARS else None
        if found is None or not 0 < int(found[3]) < 65_536:
            raise StationError(f"{text[:140]!r}", field=field, clause="Basics Station 2.0.6, tc.c", hint=_URI_HINT)
        return cls(found[1] == "wss", found[2], int(found[3]), found[4])


_URI_HINT = f'"ws://host:port/path" or "wss://…", at most {MAX_URI_CHARS} characters'


def encode_discovery(router: Eui64) -> str:
    """The one record a gateway sends to /router-info."""
    return json_text({"router": id6(router)})


def discovery_of(text: str | bytes) -> Eui64:
    """Which gateway asks. Raises StationError."""
    return json_object(text).eui("router")


def router_info_of(text: str | bytes) -> RouterInfo:
    """The answer to discovery. Raises StationError, also for an address that Station would not take."""
    fields = json_object(text)
    router = eui_of(fields.raw("router"), "router") if fields.has("router") else None
    error = fields.text_or("error", "")
    uri = fields.text_or("uri", "")
    if uri or not error:
        StationUri.of(uri)
    return RouterInfo(router, fields.text_or("muxs", ""), uri, error)


def encode_router_info(info: RouterInfo) -> str:
    """The text of an answer."""
    wire: dict[str, Any] = {} if info.router is None else {"router": id6(info.router)}
    wire.update(
        (name, value) for name, value in (("muxs", info.muxs), ("uri", info.uri), ("error", info.error)) if value
    )
    return json_text(wire)


def version_of(fields: Fields) -> Version:
    """From a version's fields. Raises StationError."""
    return Version(
        fields.text("station"),
        fields.whole("protocol", 0, 255),
        *(fields.text_or(name, "") for name in ("firmware", "package", "model", "features")),
    )


def encode_version(message: Version) -> dict[str, Any]:
    """The JSON object."""
    return {
        "msgtype": "version",
        "station": message.station,
        "firmware": message.firmware,
        "package": message.package,
        "model": message.model,
        "protocol": message.protocol,
        "features": message.features,
    }


def timesync_of(fields: Fields) -> TimeSync:
    """From a timesync's fields. Raises StationError where it is none of the three forms."""
    message = TimeSync(
        fields.whole_or_none("txtime", *INT64),
        fields.whole_or_none("gpstime", 0, MAX_GPS_US),
        fields.whole_or_none("xtime", 0, MAX_XTIME),
        fields.number_or_none("MuxTime"),
    )
    return _one_form(message)


def _one_form(message: TimeSync) -> TimeSync:
    if message.txtime_us is None and (message.xtime is None or message.gpstime_us is None):
        raise StationError("missing", field="txtime", clause=CLAUSE, hint="txtime, or xtime and gpstime")
    return message


def encode_timesync(message: TimeSync) -> dict[str, Any]:
    """The JSON object."""
    _one_form(message)
    optional = {
        "txtime": message.txtime_us,
        "xtime": message.xtime,
        "gpstime": message.gpstime_us,
        "MuxTime": message.mux_time_s,
    }
    return {"msgtype": "timesync"} | {name: value for name, value in optional.items() if value is not None}


def command_of(fields: Fields) -> RemoteCommand:
    """From a runcmd's fields. Raises StationError."""
    arguments = fields.array("arguments") if fields.has("arguments") else []
    if not all(isinstance(argument, str) for argument in arguments):
        raise StationError("not all are strings", field="arguments", clause=CLAUSE)
    return RemoteCommand(fields.text("command"), tuple(arguments))


def encode_command(message: RemoteCommand) -> dict[str, Any]:
    """The JSON object."""
    return {"msgtype": "runcmd", "command": message.command, "arguments": list(message.arguments)}


def shell_of(fields: Fields) -> RemoteShell:
    """From an rmtsh's fields. Raises StationError."""
    n_sessions = len(fields.array("rmtsh")) if fields.has("rmtsh") else None
    return RemoteShell(n_sessions, fields.text("user") if fields.has("user") else None)


def encode_shell(message: RemoteShell) -> dict[str, Any]:
    """The JSON object: the list of no sessions, or a query. Raises StationError for sessions: this end has none."""
    if message.n_sessions:
        raise StationError(f"{message.n_sessions} sessions", field="rmtsh", clause=CLAUSE)
    wire: dict[str, Any] = {"msgtype": "rmtsh"}
    if message.n_sessions is not None:
        wire["rmtsh"] = []
    if message.user is not None:
        wire["user"] = message.user
    return wire
