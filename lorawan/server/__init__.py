"""The network side of ONE device: its join, its session, its ADR, as cores."""

from lorawan.server.adr import AdrHistory, AdrPolicy, AdrTarget, decide
from lorawan.server.events import Answer, AppUplink, LinkSettings, QueueDownlink, Repeated, UplinkHeard
from lorawan.server.join import JoinCore, JoinHeard, JoinSettings, SessionCreated
from lorawan.server.session import ServerSession, SessionSettings, Windows

__all__ = [
    "AdrHistory",
    "AdrPolicy",
    "AdrTarget",
    "Answer",
    "AppUplink",
    "JoinCore",
    "JoinHeard",
    "JoinSettings",
    "LinkSettings",
    "QueueDownlink",
    "Repeated",
    "ServerSession",
    "SessionCreated",
    "SessionSettings",
    "UplinkHeard",
    "Windows",
    "decide",
]
