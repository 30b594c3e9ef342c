"""Shells: the sockets and the clock that the cores of `gateway_fw` do without."""

from gateway_fw.io.loopback import LoopbackUdpLink
from gateway_fw.io.serial import SerialLine
from gateway_fw.io.udp import UdpGateway, UdpServer

__all__ = ["LoopbackUdpLink", "SerialLine", "UdpGateway", "UdpServer"]
