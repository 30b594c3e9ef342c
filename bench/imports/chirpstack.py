"""Uplinks from ChirpStack 4 events (`up`) in JSON; other events are passed over.

Source: ChirpStack, api/proto/integration/integration.proto (UplinkEvent) and gw.proto; Protocol Buffers' JSON mapping
leaves out members that are zero, so an absent fCnt, fPort or snr is 0. A frame has no position in these events.
"""

from __future__ import annotations

from bench.imports.fields import Place, records
from bench.imports.measured import MeasuredUplink, Reception

_HINT_V3 = "this reads ChirpStack 4; export the events again from version 4"


def is_chirpstack(record: Place) -> bool:
    """Whether a JSON object looks like a ChirpStack event."""
    return "deviceInfo" in record.value or "devEUI" in record.value


def parse_chirpstack(text: str, path: str) -> tuple[MeasuredUplink, ...]:
    """The uplinks of a file of events, by time. Raises MeasurementError with line, record and JSON path."""
    found = [_uplink(event) for event in records(text, path) if _is_up(event)]
    return tuple(sorted(found, key=lambda frame: frame.t_us))


def _is_up(event: Place) -> bool:
    if not event.member("devEUI").absent:
        raise event.member("devEUI").wrong("an event of ChirpStack 3", _HINT_V3)
    # txack events carry txInfo too, but no list of receptions
    return not event.member("rxInfo").absent


def _uplink(event: Place) -> MeasuredUplink:
    receptions: dict[str, Reception] = {}
    for info in event.member("rxInfo").items():
        gateway = info.member("gatewayId").text().lower()
        reception = Reception(
            gateway, info.member("rssi").number(-200, 50), info.member("snr").number(-50, 50, absent=0.0)
        )
        receptions.setdefault(gateway, reception)
    tx = event.member("txInfo")
    lora = tx.member("modulation").member("lora")
    return MeasuredUplink(
        t_us=event.member("time").instant_us(),
        device=event.member("deviceInfo").member("devEui").text().lower(),
        f_cnt=event.member("fCnt").integer(0, 0xFFFFFFFF, absent=0),
        f_port=event.member("fPort").integer(0, 255, absent=0),
        sf=0 if lora.value is None else lora.member("spreadingFactor").integer(5, 12),
        freq_hz=tx.member("frequency").integer(0, 3_000_000_000, absent=0),
        receptions=tuple(receptions.values()),
        line=event.line,
    )
