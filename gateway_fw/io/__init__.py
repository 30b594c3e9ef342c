"""Shells: the sockets, serial lines and the clock that the cores of `gateway_fw` do without."""

from gateway_fw.io.concentrator import ConcentratorRadio
from gateway_fw.io.forwarder_service import ForwarderService, ServiceStatus
from gateway_fw.io.loopback import LoopbackUdpLink
from gateway_fw.io.radio import Deliver, Radio, RadioEvent
from gateway_fw.io.serial import SerialLine
from gateway_fw.io.server_link import ServerAddress
from gateway_fw.io.udp import UdpGateway, UdpServer

__all__ = [
    "ConcentratorRadio",
    "Deliver",
    "ForwarderService",
    "LoopbackUdpLink",
    "Radio",
    "RadioEvent",
    "SerialLine",
    "ServerAddress",
    "ServiceStatus",
    "UdpGateway",
    "UdpServer",
]
