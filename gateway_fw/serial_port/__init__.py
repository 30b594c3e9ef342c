"""The one port abstraction: serial devices by name, URL or USB identity. pyserial stands here alone."""

from gateway_fw.serial_port.discovery import PortInfo, find_auto, list_ports
from gateway_fw.serial_port.memory import MemoryPort, memory_pair
from gateway_fw.serial_port.opening import BAUDRATE, is_pty, open_port
from gateway_fw.serial_port.port import Port, PortTraits
from gateway_fw.serial_port.trace import ByteTrace, TraceLine, read_trace
from gateway_fw.serial_port.usb_boards import UsbBoard, identify, usb_boards

__all__ = [
    "BAUDRATE",
    "ByteTrace",
    "MemoryPort",
    "Port",
    "PortInfo",
    "PortTraits",
    "TraceLine",
    "UsbBoard",
    "find_auto",
    "identify",
    "is_pty",
    "list_ports",
    "memory_pair",
    "open_port",
    "read_trace",
    "usb_boards",
]
