"""Uplinks from The Things Stack: webhook or MQTT messages, or the Storage Integration's `{"result": …}` lines.

Source: The Things Industries, "Data Formats" and "Storage Integration: Retrieve Messages"; empty members are left out,
so an absent f_cnt, f_port or snr is 0.
"""

from __future__ import annotations

from bench.imports.fields import Place, records
from bench.imports.measured import MeasuredUplink, Reception


def is_things_stack(record: Place) -> bool:
    """Whether a JSON object looks like a message of The Things Stack."""
    inner = record.value.get("result", record.value)
    return isinstance(inner, dict) and "end_device_ids" in inner


def parse_things_stack(text: str, path: str) -> tuple[MeasuredUplink, ...]:
    """The uplinks of a file of messages, by time. Raises MeasurementError with line, record and JSON path.

    A device's position is the one set for it (`locations.user`).
    """
    messages = (record if record.member("result").absent else record.member("result") for record in records(text, path))
    found = [_uplink(message) for message in messages if not message.member("uplink_message").absent]
    return tuple(sorted(found, key=lambda frame: frame.t_us))


def _uplink(message: Place) -> MeasuredUplink:
    ids, uplink = message.member("end_device_ids"), message.member("uplink_message")
    eui = ids.member("dev_eui")
    receptions: dict[str, Reception] = {}
    for metadata in uplink.member("rx_metadata").items():
        gateway_ids = metadata.member("gateway_ids")
        named = gateway_ids.member("gateway_id")
        gateway = gateway_ids.member("eui").text().lower() if named.absent else named.text()
        reception = Reception(
            gateway, metadata.member("rssi").number(-200, 50), metadata.member("snr").number(-50, 50, absent=0.0)
        )
        receptions.setdefault(gateway, reception)
    settings = uplink.member("settings")
    lora = settings.member("data_rate").member("lora")
    user = uplink.member("locations").member("user")
    received = uplink.member("received_at")
    placed = user.value is not None
    return MeasuredUplink(
        t_us=(message.member("received_at") if received.absent else received).instant_us(),
        device=ids.member("device_id").text() if eui.absent else eui.text().lower(),
        f_cnt=uplink.member("f_cnt").integer(0, 0xFFFFFFFF, absent=0),
        f_port=uplink.member("f_port").integer(0, 255, absent=0),
        sf=0 if lora.value is None else lora.member("spreading_factor").integer(5, 12),
        freq_hz=settings.member("frequency").integer(0, 3_000_000_000, absent=0),
        receptions=tuple(receptions.values()),
        lat=user.member("latitude").number(-90, 90, absent=0.0) if placed else None,
        lon=user.member("longitude").number(-180, 180, absent=0.0) if placed else None,
        line=message.line,
    )
