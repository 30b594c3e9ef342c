"""BOOT0 and reset by modem lines: the order of edges, and ports that have none."""

from __future__ import annotations

import pytest

from gateway_fw.errors import PortError, PortUnfitError
from gateway_fw.io.bootloader_entry import pull_lines
from gateway_fw.serial_port import Port, PortTraits, memory_pair


class Lines(Port):
    """A port that notes its lines."""

    def __init__(self, kind: str) -> None:
        self.seen: list[str] = []
        super().__init__(
            kind,
            baudrate=115_200,
            parity="even",
            traits=PortTraits(kind, keeps_parity=True, modem_lines=True),
            trace=None,
        )

    def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        self.seen.append(f"dtr={dtr}" if dtr is not None else f"rts={rts}")

    def _read(self, size: int, timeout_s: float) -> bytes:
        raise AssertionError(f"a read of {size} bytes within {timeout_s} s: only the lines may move")

    def _write(self, data: bytes, timeout_s: float) -> int:
        raise AssertionError(f"{data!r} within {timeout_s} s: only the lines may move")

    def _close(self) -> None: ...


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_fw.io.bootloader_entry.LINE_PULSE_S", 0.0)


def test_boot0_is_high_when_reset_is_released() -> None:
    port = Lines("uart")
    assert pull_lines(port, boot0="rts", reset="-dtr") is None
    assert port.seen == ["rts=True", "dtr=True", "dtr=False", "rts=False"]
    with pytest.raises(PortError, match="a wire is one of"):
        pull_lines(port, boot0="cts", reset="dtr")


def test_a_pty_warns_and_another_port_without_lines_refuses() -> None:
    assert "no modem lines" in str(pull_lines(Lines("pty"), boot0="rts", reset="dtr"))
    first, second = memory_pair()
    with first, second, pytest.raises(PortUnfitError):
        pull_lines(first, boot0="rts", reset="dtr")
