"""Every frame of a capture, explained in order, and a summary at the end."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

import typer

from bench.cli.explain_text import print_explanation
from bench.explain.follow import Followed, Follower
from bench.explain.tally import Tally
from bench.live.devices_file import DevicesFile, read_devices
from bench.pcap import CapturedFrame, Packet, frames_of, read_capture, readable
from lorawan.errors import FrameError
from lorawan.ids import Eui64
from lorawan.version import Version

_NS_PER_S = 1_000_000_000


def explain_capture(
    path: Path, keys: Path | None, version: Version, *, show_keys: bool = False, as_json: bool = False
) -> int:
    """Print every frame; how many had a wrong MIC although their device is known. version: of strangers' frames.

    Raises CaptureError where the file breaks off, after all before it was printed, with the summary; DevicesFileError.
    """
    file = read_devices(keys, with_groups=True) if keys is not None else None
    follower = Follower(file.devices if file else (), file.groups if file else (), version=version, show_keys=show_keys)
    printer = _Printer(file, as_json)
    tally = Tally()
    try:
        for packet in read_capture(path):
            _packet(packet, follower, tally, printer)
    finally:
        if tally.packets or sys.exc_info()[0] is None:  # of a file that cannot be read the error says all
            printer.summary(tally)
    return tally.wrong


def _packet(packet: Packet, follower: Follower, tally: Tally, printer: _Printer) -> None:
    tally.packets += 1
    try:
        found = frames_of(packet)
    except FrameError as error:
        tally.unreadable += 1
        printer.error(packet, error)
        return
    for line in found.refused:
        tally.unreadable += 1
        printer.refused(packet, line)
    if not found.frames and not found.refused:
        tally.other += 1
        if not readable(packet.link_type):
            tally.unknown_link_types.add(packet.link_type)
    for frame in found.frames:
        if frame.crc_bad:
            tally.crc_bad += 1
            printer.refused(packet, "the radio's CRC was wrong: not read")
            continue
        try:
            followed = follower.follow(frame.payload, freq_hz=frame.freq_hz, modulation=frame.modulation)
        except FrameError as error:
            tally.unreadable += 1
            printer.error(packet, error)
            continue
        tally.count(followed)
        printer.frame(packet, frame, followed)


class _Printer:
    """JSON lines, or a block of text for each frame."""

    def __init__(self, file: DevicesFile | None, as_json: bool) -> None:
        self._names = file.names if file is not None else {}
        self._as_json = as_json

    def frame(self, packet: Packet, frame: CapturedFrame, followed: Followed) -> None:
        if self._as_json:
            about = _packet_facts(packet) | _radio_facts(frame) | self._owner_facts(followed)
            typer.echo(json.dumps(about | followed.explanation.as_dict()))
            return
        radio = _radio_text(frame)
        typer.echo(f"-- packet {packet.number}  {_time_text(packet)}  {radio}  {self._owner_text(followed)}".rstrip())
        print_explanation(followed.explanation)
        typer.echo("")

    def error(self, packet: Packet, error: FrameError) -> None:
        if self._as_json:
            facts = {"error": str(error), "field": error.field, "error_offset": error.offset, "clause": error.clause}
            typer.echo(json.dumps(_packet_facts(packet) | facts))
        else:
            typer.echo(f"-- packet {packet.number}  {_time_text(packet)}  not read: {error}\n")

    def refused(self, packet: Packet, line: str) -> None:
        if self._as_json:
            typer.echo(json.dumps(_packet_facts(packet) | {"error": line}))
        else:
            typer.echo(f"-- packet {packet.number}  {_time_text(packet)}  not read: {line}\n")

    def summary(self, tally: Tally) -> None:
        facts = tally.as_dict(self._names)
        if self._as_json:
            typer.echo(json.dumps({"summary": facts}))
            return
        typer.echo(
            f"{tally.packets} packets, {tally.frames} frames: MIC ok {tally.ok}, wrong {tally.wrong},"
            f" not checked {tally.unchecked}; {tally.unreadable} not read, {tally.crc_bad} damaged on air,"
            f" {tally.other} packets with something else"
        )
        for link_type in sorted(tally.unknown_link_types):
            typer.echo(f"link type {link_type} is not read: LoRaTap (270), Ethernet, IP, loopback and cooked Linux are")
        for device in facts["devices"]:
            name = f"{device['name']} " if device["name"] else ""
            counters = ", ".join(f"{counter} {value}" for counter, value in device["f_cnts"].items())
            typer.echo(
                f"{name}{device['dev_eui'] or device['dev_addr']}: up {device['up']}, down {device['down']},"
                f" joins {device['joins']}, wrong {device['wrong']}" + (f"; last {counters}" if counters else "")
            )

    def _owner_facts(self, followed: Followed) -> dict[str, Any]:
        if followed.group is not None:
            return {"device": None, "multicast": True}
        if followed.device is None:
            return {"device": None}
        dev_eui = followed.device.dev_eui
        return {"device": str(dev_eui), "name": self._names.get(dev_eui, "")}

    def _owner_text(self, followed: Followed) -> str:
        if followed.group is not None:
            return f"multicast group {followed.group}"
        if followed.device is None:
            return "of no device in the keys"
        dev_eui: Eui64 = followed.device.dev_eui
        name = self._names.get(dev_eui)
        return f"device {name} ({dev_eui})" if name else f"device {dev_eui}"


def _packet_facts(packet: Packet) -> dict[str, Any]:
    return {"packet": packet.number, "time_ns": packet.at_ns, "file_offset": packet.offset}


def _radio_facts(frame: CapturedFrame) -> dict[str, Any]:
    rate = frame.modulation
    return {
        "source": frame.source,
        "gateway": None if frame.gateway is None else str(frame.gateway),
        "freq_hz": frame.freq_hz,
        "data_rate": rate if isinstance(rate, int) or rate is None else rate.datr,
        "rssi_dbm": frame.rssi_dbm,
        "snr_db": frame.snr_db,
    }


def _radio_text(frame: CapturedFrame) -> str:
    parts = [frame.source]
    if frame.gateway is not None:
        parts.append(f"gateway {frame.gateway}")
    if frame.freq_hz is not None:
        parts.append(f"{frame.freq_hz / 1e6:.4f} MHz")
    if frame.modulation is not None:
        rate = frame.modulation
        parts.append(f"FSK {rate} bit/s" if isinstance(rate, int) else rate.datr)
    if frame.rssi_dbm is not None:
        parts.append(f"RSSI {frame.rssi_dbm:g} dBm")
    if frame.snr_db is not None:
        parts.append(f"SNR {frame.snr_db:g} dB")
    return "  ".join(parts)


def _time_text(packet: Packet) -> str:
    if packet.at_ns is None:
        return "no time"
    seconds, fraction = divmod(packet.at_ns, _NS_PER_S)
    try:
        moment = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
    except (OverflowError, OSError, ValueError):
        return f"{seconds} s since 1970"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction // 1000:06}Z"
