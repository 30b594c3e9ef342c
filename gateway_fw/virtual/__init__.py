"""The other end of the serial line: concentrators and bootloaders that a host program cannot tell from hardware."""
