"""Every message of the data connection: one function reads, one writes.

Source: Basics Station 2.0.6 documentation, "The LNS Protocol"; s2e.c, s2e_onMsg and s2e_flushRxjobs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from gateway_fw.errors import StationError
from gateway_fw.station.config import RouterConfig, encode_router_config, router_config_of
from gateway_fw.station.control import (
    ErrorMessage,
    RemoteCommand,
    RemoteShell,
    TimeSync,
    Version,
    command_of,
    encode_command,
    encode_shell,
    encode_timesync,
    encode_version,
    shell_of,
    timesync_of,
    version_of,
)
from gateway_fw.station.downlink import (
    DnMsg,
    DnSched,
    DnTxed,
    dnmsg_of,
    dnsched_of,
    dntxed_of,
    encode_dnmsg,
    encode_dnsched,
    encode_dntxed,
)
from gateway_fw.station.fields import CLAUSE, Fields, json_object, json_text
from gateway_fw.station.frames import UPLINK_MSGTYPES
from gateway_fw.station.uplink import Uplink, encode_uplink, uplink_of

Message: TypeAlias = (
    Uplink | DnMsg | DnSched | DnTxed | Version | RouterConfig | TimeSync | RemoteCommand | RemoteShell | ErrorMessage
)

_READERS: dict[str, Callable[[Fields], Message]] = {
    "version": version_of,
    "router_config": router_config_of,
    "dnmsg": dnmsg_of,
    "dnsched": dnsched_of,
    "dntxed": dntxed_of,
    "timesync": timesync_of,
    "runcmd": command_of,
    "rmtsh": shell_of,
    "error": lambda fields: ErrorMessage(fields.text("error")),
}
_WRITERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    Uplink: encode_uplink,
    DnMsg: encode_dnmsg,
    DnSched: encode_dnsched,
    DnTxed: encode_dntxed,
    Version: encode_version,
    RouterConfig: encode_router_config,
    TimeSync: encode_timesync,
    RemoteCommand: encode_command,
    RemoteShell: encode_shell,
    ErrorMessage: lambda message: {"msgtype": "error", "error": message.error},
}


def parse(text: str | bytes) -> Message:
    """One record. Raises StationError and nothing else; unknown fields are passed over, unknown msgtypes are not."""
    fields = json_object(text)
    msgtype = fields.text("msgtype")
    if msgtype in UPLINK_MSGTYPES:
        return uplink_of(msgtype, fields)
    reader = _READERS.get(msgtype)
    if reader is None:
        raise StationError(f"{msgtype[:40]!r} is not known", field="msgtype", clause=CLAUSE)
    return reader(fields)


def refusal_reason(error: StationError) -> str:
    """The reason a core drops a record for: "unknown_msgtype" (such as Station's GPS "event") or "malformed"."""
    return "unknown_msgtype" if error.field == "msgtype" else "malformed"


def encode(message: Message) -> str:
    """The record of a message. Raises StationError for what none can carry."""
    return json_text(_WRITERS[type(message)](message))
