"""The one port abstraction: serial devices by name, URL or USB identity. pyserial stands here alone."""
