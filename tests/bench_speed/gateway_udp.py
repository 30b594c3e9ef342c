"""Semtech UDP on one core: `python tests/bench_speed/gateway_udp.py`.

First the codec beside pamoja-gateway's (PyPI, compiled Rust) on the same datagrams, then the forwarder core and the
server core with network core behind it, without sockets, then `lorabench network run` over loopback at 1,000 uplinks a
second: its CPU, and whether every datagram was acknowledged. Loopback can lose datagrams where its reader is too slow,
so what was not acknowledged is counted. A number after the command is how many seconds that goes on (20).
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.live.devices_file import devices_toml
from bench.network import DeviceProfile, NetworkConfig, NetworkCore
from gateway_fw import gwmp
from gateway_fw.forwarder import ForwarderConfig, ForwarderCore
from lorawan.crypto import SessionKeys
from lorawan.frames import FCtrlUp
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.phy import CodingRate, Heard, LoraModulation
from lorawan.regions import EU868
from lorawan.secured import seal_up
from lorawan.server import JoinSettings
from lorawan.version import Version

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 1.5
EUI = Eui64(0xAA555A0000000101)
SF7 = LoraModulation(7)
KEYS = SessionKeys.for_10(AesKey(bytes(range(16))), AesKey(bytes(range(16, 32))))
DEVICES = 1_000
RATE = 1_000


def uplink(device: int, f_cnt: int) -> bytes:
    """A sealed data frame of 20 bytes."""
    return seal_up(
        KEYS, is_1_1=False, confirmed=False, dev_addr=DevAddr(0x26000000 + device), f_ctrl=FCtrlUp(), f_cnt=f_cnt,
        f_port=1, payload=bytes(range(20)),
    )  # fmt: skip


def rxpk(tmst: int, payload: bytes) -> gwmp.Rxpk:
    """As the reference forwarder reports it."""
    return gwmp.Rxpk(tmst, 868_100_000, SF7, CodingRate.CR_4_5, -80.0, 9.0, payload)


def profiles() -> list[DeviceProfile]:
    """ABP devices, so that nothing has to join first."""
    return [
        DeviceProfile(Eui64(number), Version.V1_0_4, dev_addr=DevAddr(0x26000000 + number), session_keys=KEYS)
        for number in range(DEVICES)
    ]


def network() -> NetworkConfig:
    """The default channels, no CFList."""
    return NetworkConfig(JoinSettings(NetId(0)), tuple(channel.freq_hz for channel in EU868.default_channels))


def rate(one: Callable[[int], object]) -> float:
    """Calls a second of this process's CPU."""
    for number in range(200):
        one(number)
    done, began = 0, process_time()
    while (spent := process_time() - began) < SECONDS:
        for _ in range(100):
            one(done)
            done += 1
    return done / spent


def codec() -> None:
    """Both codecs on the same datagram with one frame."""
    packet = gwmp.PushData(2, 7, EUI, (rxpk(1, uplink(1, 1)),))
    datagram = gwmp.encode(packet)
    print(f"codec, PUSH_DATA with one frame ({len(datagram)} bytes), a second on one core")
    rows: list[tuple[str, float, float]] = [
        ("lorabench", rate(lambda _: gwmp.decode(datagram)), rate(lambda _: gwmp.encode(packet)))
    ]
    try:
        import pamoja.gateway as pamoja  # noqa: PLC0415 - optional
    except ImportError:
        print("  pamoja-gateway is not installed")
    else:
        theirs: Any = pamoja.parse(datagram)
        rows.append(("pamoja", rate(lambda _: pamoja.parse(datagram)), rate(lambda _: pamoja.encode(theirs))))
    for name, decoded, encoded in rows:
        print(f"  {name:<10} {decoded:10,.0f} decoded {encoded:10,.0f} encoded")


def cores() -> None:
    """The two ends of the protocol, and what stands behind the server's."""
    forwarder = ForwarderCore(ForwarderConfig(EUI, stat_interval_us=None))
    payload = uplink(1, 1)
    frames = rate(lambda n: forwarder.handle(Heard(n, payload, 868_100_000, SF7, -80.0, 9.0, 56_576), n))
    print(f"forwarder core      {frames:10,.0f} frames/s into datagrams")
    datagrams = [gwmp.encode(gwmp.PushData(2, n & 0xFFFF, EUI, (rxpk(n, payload),))) for n in range(5_000)]
    server = gwmp.GwmpServerCore()
    took = rate(lambda n: server.handle(gwmp.DatagramReceived(datagrams[n % 5_000], ("a", 1)), n * 100_000))
    print(f"server core         {took:10,.0f} datagrams/s acknowledged and decoded")
    server, core = gwmp.GwmpServerCore(), NetworkCore(network(), profiles())
    sealed = [uplink(n % DEVICES, n // DEVICES) for n in range(40_000)]
    packets = [gwmp.encode(gwmp.PushData(2, n & 0xFFFF, EUI, (rxpk(n, p),))) for n, p in enumerate(sealed)]
    accepted, began = 0, process_time()
    for n, packet in enumerate(packets):
        now = n * 1_000
        for effect in server.handle(gwmp.DatagramReceived(packet, ("a", 1)), now):
            if isinstance(effect, gwmp.UplinkReceived):
                core.handle(effect, now)
        wake_at = core.wake_at
        if wake_at is not None and wake_at <= now:
            accepted += sum(type(effect).__name__ == "DataAccepted" for effect in core.wake(now))
    spent = process_time() - began
    print(f"server and network  {len(packets) / spent:10,.0f} uplinks/s checked and decrypted ({accepted} accepted)")


def live(for_s: int) -> None:
    """`lorabench network run` as a process of its own, fed at a steady rate over loopback."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "devices.toml"
        named = [(f"d{number}", profile) for number, profile in enumerate(profiles())]
        keys.write_text(devices_toml(network(), named, title="speed"))
        packets = [
            gwmp.encode(gwmp.PushData(2, n & 0xFFFF, EUI, (rxpk(n, uplink(n % DEVICES, n // DEVICES)),)))
            for n in range(RATE * for_s)
        ]
        service = subprocess.Popen(
            [sys.executable, "-c", "from bench.cli.app import main; main()", "network", "run",
             "--listen", "127.0.0.1:0", "--keys", str(keys), "--json"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        assert service.stderr is not None
        port = int(service.stderr.readline().split()[2].rpartition(":")[2])
        before, rss_before = _cpu_s(service.pid), _rss_mib(service.pid)
        acknowledged = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gateway:
            gateway.connect(("127.0.0.1", port))
            gateway.setblocking(False)
            began = perf_counter()
            for n, packet in enumerate(packets):
                while perf_counter() - began < n / RATE:
                    acknowledged += _drained(gateway)
                    sleep(0.0005)
                acknowledged += _drained(gateway)
                gateway.send(packet)
            took = perf_counter() - began
            sleep(0.5)
            acknowledged += _drained(gateway)
        cpu, rss = _cpu_s(service.pid) - before, _rss_mib(service.pid)
        service.terminate()
        service.communicate()
    print(f"network run, {RATE} uplinks/s for {took:.1f} s: {100 * cpu / took:.0f} % of one core,")
    print(f"  {acknowledged} of {len(packets)} acknowledged, {rss_before:.0f} MiB before and {rss:.0f} MiB after")


def _drained(gateway: socket.socket) -> int:
    count = 0
    try:
        while gateway.recv(64):
            count += 1
    except BlockingIOError:
        pass
    return count


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / (1 << 20)


if __name__ == "__main__":
    codec()
    cores()
    live(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
