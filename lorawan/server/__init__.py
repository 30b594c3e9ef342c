"""The network side of ONE device: its join, its session, its ADR, as cores."""

from lorawan.server.adr import AdrHistory, AdrPolicy, AdrTarget, decide
from lorawan.server.class_link import Channel, ClassLink
from lorawan.server.events import (
    Answer,
    AppUplink,
    LinkSettings,
    MoveBeacon,
    MovePingSlots,
    QueueDownlink,
    Repeated,
    Send,
    UplinkHeard,
)
from lorawan.server.join import JoinCore, JoinHeard, JoinSettings, SessionCreated
from lorawan.server.multicast import MulticastSender
from lorawan.server.session import ServerSession
from lorawan.server.settings import SessionSettings, Windows

__all__ = [
    "AdrHistory",
    "AdrPolicy",
    "AdrTarget",
    "Answer",
    "AppUplink",
    "Channel",
    "ClassLink",
    "JoinCore",
    "JoinHeard",
    "JoinSettings",
    "LinkSettings",
    "MoveBeacon",
    "MovePingSlots",
    "MulticastSender",
    "QueueDownlink",
    "Repeated",
    "Send",
    "ServerSession",
    "SessionCreated",
    "SessionSettings",
    "UplinkHeard",
    "Windows",
    "decide",
]
