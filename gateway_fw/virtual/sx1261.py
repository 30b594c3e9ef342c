"""The radio beside the SX1302 that listens before talk and scans the band: an SX1261 with a patched program.

Source: sx1302_hal 2.1.0, src/loragw_sx1261.c, src/loragw_lbt.c.
"""

from __future__ import annotations

from gateway_fw.virtual.sx1250 import Sx1250
from lorawan.machine import Instant

NOISE_DBM = -114.0  # [assumption] thermal noise in its 234 kHz filter with a noise figure of 6 dB

_SET_FS, _SET_LBT, _SCAN, _UPDATE_PROGRAM = 0xC1, 0x9A, 0x9B, 0xD9
_VERSION_ADDRESS, _SCAN_STATUS, _SCAN_RESULTS, _RSSI_WINDOW = 0x0320, 0x07CD, 0x0401, 0x089B
_VERSION, _PATCHED_VERSION = b"SX1261 V2D 2D02", b"SX1261 V2D 2D06"
_SCAN_NONE, _SCAN_RUNNING, _SCAN_ABORTED, _SCAN_DONE = 0x00, 0x0F, 0xF0, 0xFF
_LEVELS, _LEVEL_DB = 33, 4
_SCAN_POINT_NS = 8200  # interval 11: 8.2 µs


class Sx1261(Sx1250):
    """Answers as an SX1250 does, and to the patch's own commands. level_dbm: what it measures on the air."""

    def __init__(self) -> None:
        self.level_dbm = NOISE_DBM
        super().__init__()

    def reset(self) -> None:
        """Its reset line was pulsed, or power came: the patch is gone."""
        super().reset()
        self.threshold_dbm: float | None = None
        self._patched = False
        self._scan_points = 0
        self._scan_ends_at: Instant | None = None
        self._scan_status = _SCAN_NONE

    @property
    def clear_to_send(self) -> bool:
        """Whether listening before talk, if it was asked for, found the channel free."""
        return self.threshold_dbm is None or self.level_dbm < self.threshold_dbm

    def exchange_at(self, frame: bytes, now: Instant) -> bytes:
        """As `exchange`, at an instant: a scan takes its time."""
        if self._scan_ends_at is not None and now >= self._scan_ends_at:
            self._scan_ends_at, self._scan_status = None, _SCAN_DONE
        opcode, parameters = (frame[0], frame[1:]) if frame else (0, b"")
        if opcode == _SET_LBT and len(parameters) >= 4:
            self.threshold_dbm = -parameters[3] / 2
        elif opcode == _SCAN and len(parameters) >= 2:
            self._scan_points = int.from_bytes(parameters[:2], "big")
            self._scan_ends_at = now + self._scan_points * _SCAN_POINT_NS // 1000
            self._scan_status = _SCAN_RUNNING
        elif opcode == _UPDATE_PROGRAM:
            self._patched = True
        elif opcode == _SET_FS:
            self.threshold_dbm = None
        return self.exchange(frame)

    def register(self, address: int) -> int:
        """A register's value: version, scan state and results, or what was written."""
        if _VERSION_ADDRESS <= address < _VERSION_ADDRESS + len(_VERSION):
            return (_PATCHED_VERSION if self._patched else _VERSION)[address - _VERSION_ADDRESS]
        if address == _SCAN_STATUS:
            return self._scan_status
        if _SCAN_RESULTS <= address < _SCAN_RESULTS + 2 * _LEVELS:
            level, low = divmod(address - _SCAN_RESULTS, 2)
            measured = max(0, min(_LEVELS - 1, round(-self.level_dbm / _LEVEL_DB)))
            points = self._scan_points if level == measured else 0
            return points & 0xFF if low else points >> 8
        return super().register(address)

    def write_register(self, address: int, value: int) -> None:
        """A host wrote a register; a zero in the RSSI window ends listening and scanning."""
        if address == _RSSI_WINDOW and value == 0:
            self.threshold_dbm = None
            if self._scan_status == _SCAN_RUNNING:
                self._scan_ends_at, self._scan_status = None, _SCAN_ABORTED
        super().write_register(address, value)
