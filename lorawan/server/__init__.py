"""The network side of ONE device: its joins, its session, its ADR, as cores. `ServerCore` is all of it."""

from lorawan.server.adr import AdrAlgorithm, AdrFixed, AdrHistory, AdrInputs, AdrPolicy, AdrTarget
from lorawan.server.core import Registration, ServerCore
from lorawan.server.events import (
    Answer,
    AppUplink,
    Ask,
    DeviceStatus,
    DownlinkAcknowledged,
    DownlinkUnacknowledged,
    JoinHeard,
    PersistJoins,
    QueueDownlink,
    RejoinGranted,
    RejoinHeard,
    Repeated,
    RequestDone,
    RequestRefused,
    RequestUnanswered,
    ServerEffect,
    ServerEvent,
    ServerPersist,
    SessionCreated,
    UplinkHeard,
)
from lorawan.server.join import JoinCore, JoinSettings
from lorawan.server.memory import JoinMemory, KeptSession, ServerMemory, SessionMemory
from lorawan.server.picture import LinkSettings, Picture, Windows
from lorawan.server.session import ServerSession
from lorawan.server.settings import Operation, SessionSettings

__all__ = [
    "AdrAlgorithm",
    "AdrFixed",
    "AdrHistory",
    "AdrInputs",
    "AdrPolicy",
    "AdrTarget",
    "Answer",
    "AppUplink",
    "Ask",
    "DeviceStatus",
    "DownlinkAcknowledged",
    "DownlinkUnacknowledged",
    "JoinCore",
    "JoinHeard",
    "JoinMemory",
    "JoinSettings",
    "KeptSession",
    "LinkSettings",
    "Operation",
    "PersistJoins",
    "Picture",
    "QueueDownlink",
    "Registration",
    "RejoinGranted",
    "RejoinHeard",
    "Repeated",
    "RequestDone",
    "RequestRefused",
    "RequestUnanswered",
    "ServerCore",
    "ServerEffect",
    "ServerEvent",
    "ServerMemory",
    "ServerPersist",
    "ServerSession",
    "SessionCreated",
    "SessionMemory",
    "SessionSettings",
    "UplinkHeard",
    "Windows",
]
