"""A radio chip behind the SX1302: mode, calibration, frequency and registers, as its SPI commands set and tell them.

Source: Semtech SX1261/2 datasheet rev. 2.1 §13 (the same command set); sx1302_hal 2.1.0, src/loragw_sx1250.c.
"""

from __future__ import annotations

from enum import IntEnum

_READ_REGISTER, _WRITE_REGISTER = 0x1D, 0x0D
_GET_STATUS, _GET_DEVICE_ERRORS = 0xC0, 0x17
_SET_STANDBY, _SET_FS, _SET_RX, _SET_TX, _SET_SLEEP = 0x80, 0xC1, 0x82, 0x83, 0x84
_SET_RF_FREQUENCY = 0x86
_CALIBRATE_IMAGE = 0x98
_IMAGE_ERROR = 0x10  # datasheet table 13-86: IMG_CALIB_ERR

_REGISTER_SPACE = 0x1000
_STEPS_PER_32_MHZ = 1 << 25


class Mode(IntEnum):
    """Bits 6..4 of the status byte."""

    STANDBY_RC = 2
    STANDBY_XOSC = 3
    SYNTHESIS = 4
    RECEIVE = 5
    TRANSMIT = 6


class Sx1250:
    """One radio. `exchange` takes a command frame and gives as many bytes back, the status byte after the opcode."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Its reset line was pulsed, or power came."""
        self.mode = Mode.STANDBY_RC
        self.frequency_steps = 0
        self.image_error = False
        self._registers: dict[int, int] = {}

    @property
    def freq_hz(self) -> float:
        """Where it is tuned to, in steps of 32 MHz / 2^25."""
        return self.frequency_steps * 32e6 / _STEPS_PER_32_MHZ

    @property
    def status(self) -> int:
        """The status byte: the mode, and "command done"."""
        return self.mode << 4 | 0x02

    def exchange(self, frame: bytes) -> bytes:
        """Opcode and parameters in; an equal number of bytes out (byte 0 and 1 status, data after those)."""
        if not frame:
            return b""
        opcode, parameters = frame[0], frame[1:]
        answer = bytearray([self.status]) * len(frame)
        if opcode == _SET_STANDBY:
            self.mode = Mode.STANDBY_XOSC if parameters[:1] == b"\x01" else Mode.STANDBY_RC
        elif opcode == _SET_FS:
            self.mode = Mode.SYNTHESIS
        elif opcode == _SET_RX:
            self.mode = Mode.RECEIVE
        elif opcode == _SET_TX:
            self.mode = Mode.TRANSMIT
        elif opcode == _SET_SLEEP:
            self.mode = Mode.STANDBY_RC
        elif opcode == _SET_RF_FREQUENCY and len(parameters) >= 4:
            self.frequency_steps = int.from_bytes(parameters[:4], "big")
        elif opcode == _CALIBRATE_IMAGE and len(parameters) >= 2:
            # a band given backwards is none
            self.image_error = parameters[0] > parameters[1]
        elif opcode == _GET_DEVICE_ERRORS:
            answer[2:] = bytes(len(answer) - 2) if len(answer) > 2 else b""
            if self.image_error and len(answer) > 3:
                answer[3] = _IMAGE_ERROR
        elif opcode == _WRITE_REGISTER and len(parameters) >= 2:
            self._write(int.from_bytes(parameters[:2], "big"), parameters[2:])
        elif opcode == _READ_REGISTER and len(parameters) >= 3:
            self._read(int.from_bytes(parameters[:2], "big"), answer)
        return bytes(answer)

    def _write(self, address: int, values: bytes) -> None:
        for offset, value in enumerate(values):
            self._registers[(address + offset) % _REGISTER_SPACE] = value

    def _read(self, address: int, answer: bytearray) -> None:
        # opcode, two address bytes, one status byte, then data
        for offset in range(len(answer) - 4):
            answer[4 + offset] = self._registers.get((address + offset) % _REGISTER_SPACE, 0)
