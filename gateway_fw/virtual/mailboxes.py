"""The SX1302's two small processors as their host sees them: start-up handshakes of the gain control (AGC) and of the
arbiter (ARB).

A host waits for a status without a time limit; so every command is answered at once.

Source: sx1302_hal 2.1.0, src/loragw_sx1302.c (sx1302_agc_start, sx1302_arb_start), src/loragw_lbt.c.
"""

from __future__ import annotations

AGC_VERSION_SX1250 = 10
AGC_VERSION_SX125X = 6
ARB_VERSION = 2

_RUNNING = 0x0F
_NEXT_STATUS = {  # command in mailbox 3 -> status
    0x80: 0x02,
    0x20: 0x03,
    0x03: 0x04,
    0x04: 0x05,
    0x05: 0x06,
    0x06: 0x07,
    0x07: 0x08,
    0x08: 0x09,
    0x09: 0x0A,
    0x0A: 0x0B,
    0x0B: 0x0F,
}
_LBT_COMMAND = 0x0B


class Agc:
    """Gain control: gains, thresholds and PA settings are echoed one group at a time; then it runs.

    While it runs, its status tells of transmissions under listen-before-talk: bit 0 or 1 started, bit 6 or 7 refused.
    """

    def __init__(self) -> None:
        self.released = False
        self.running = False
        self.listen_before_talk = False
        self.status = 0
        self._written = bytearray(4)  # by mailbox number
        self._readable = bytearray(4)

    def release(self, version: int) -> None:
        """Its reset was let go: it says its version."""
        self.__init__()  # type: ignore[misc]
        self.released, self.status = True, 0x01
        self._readable[0] = version

    def hold(self) -> None:
        """Back in reset."""
        self.__init__()  # type: ignore[misc]

    def write(self, mailbox: int, value: int) -> None:
        """The host wrote a mailbox."""
        self._written[mailbox] = value
        if not self.released:
            return
        if self.running:
            if mailbox == 0 and value == 0xFF:
                self.status = 0
            return
        if mailbox != 3:
            return
        if value == _RUNNING:
            self.running, self.status = True, 0
            return
        status = _NEXT_STATUS.get(value)
        if status is not None:
            self._readable[:3] = self._written[:3]
            self.status = status
            if value == _LBT_COMMAND:
                self.listen_before_talk = self._written[0] == 1

    def read(self, mailbox: int) -> int:
        """What the host reads in a mailbox."""
        return self._readable[mailbox]

    def report_transmission(self, chain: int, *, allowed: bool) -> None:
        """Under listen-before-talk: a transmission of a chain began, or was refused."""
        self.status |= 1 << chain | (0 if allowed else 0x40 << chain)


class Arb:
    """Arbiter: says its version, and goes on when told."""

    def __init__(self) -> None:
        self.running = False
        self.status = 0
        self.version = 0

    def release(self) -> None:
        """Its reset was let go."""
        self.running, self.status, self.version = False, 0x01, ARB_VERSION

    def hold(self) -> None:
        """Back in reset."""
        self.running, self.status, self.version = False, 0, 0

    def resume(self) -> None:
        """The host let it go on."""
        if self.status == 0x01:
            self.running, self.status = True, 0
