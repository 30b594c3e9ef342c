"""Devices in class B, their frames opened, and downlinks put into their ping slots."""

from __future__ import annotations

from class_bench import GPS_AT_ORIGIN_US, ClassBench, S, fast
from mac_pairs import abp

from lorawan.device import ClassChanged, SwitchClass
from lorawan.frames import DataUp, FCtrlDown
from lorawan.operating_class import OperatingClass
from lorawan.ping_slots import next_ping_slot
from lorawan.secured import open_up, seal_down
from lorawan.version import Version

BEACON_HZ = 869_525_000  # RP002-1.0.4 §2.4.10


def in_class_b(version: Version = Version.V1_0_4, periodicity: int | None = None, **options: object) -> ClassBench:
    """A device that has locked on a beacon and told the network so."""
    bench = ClassBench(fast(abp(version)), **options)  # type: ignore[arg-type]  # keyword pass-through
    bench.feed(SwitchClass(OperatingClass.B, periodicity))
    bench.run(300)
    assert bench.of(ClassChanged) == [ClassChanged(OperatingClass.B)]
    bench.effects.clear()
    bench.uplinks.clear()
    return bench


def f_opts(bench: ClassBench, frame: DataUp) -> bytes:
    session = bench.device.session
    assert session is not None
    return open_up(session.keys, is_1_1=session.is_1_1, frame=frame, f_cnt=frame.f_cnt).f_opts


def ping(bench: ClassBench, payload: bytes) -> None:
    """Send a frame in the device's next ping slot, past its server session."""
    class_b = bench.session.classes
    addr = bench.session.settings.dev_addr
    at = next_ping_slot(addr, class_b.periodicity, GPS_AT_ORIGIN_US + bench.now + 2 * S) - GPS_AT_ORIGIN_US
    bench.transmit_down(payload, at, BEACON_HZ, 3)
    bench.run((at - bench.now) / S + 3)


def sealed(
    bench: ClassBench, f_cnt: int, *, commands: bytes = b"", payload: bytes = b"", confirmed: bool = False
) -> bytes:
    session = bench.device.session
    assert session is not None
    return seal_down(
        session.keys,
        is_1_1=session.is_1_1,
        confirmed=confirmed,
        dev_addr=session.dev_addr,
        f_ctrl=FCtrlDown(),
        f_cnt=f_cnt,
        f_opts=commands,
        f_port=10 if payload else None,
        payload=payload,
    )


def unicast_f_cnt(bench: ClassBench) -> int:
    """The next counter of a frame without FPort."""
    last = bench.device.session and bench.device.session.n_f_cnt_down
    return 0 if last is None else last + 1
