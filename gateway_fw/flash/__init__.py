"""Firmware images, boards and bootloader protocols."""
