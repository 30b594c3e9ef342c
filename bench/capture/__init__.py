"""Layers for scapy, which is an optional GPL library: nothing else imports this package."""
