"""A measured uplink, whatever file it came from."""

from __future__ import annotations

from dataclasses import dataclass

from bench.errors import UsageError


class MeasurementError(UsageError):
    """A file of measurements says something that cannot be.

    path: the file as the user named it; line: 1-based, where the record begins; record: its number, 0 in tables; field:
    the column or JSON path.
    """

    def __init__(
        self, message: str, *, path: str, line: int = 0, record: int = 0, field: str = "", hint: str = ""
    ) -> None:
        self.path, self.line, self.record, self.field = path, line, record, field
        where = f"{path}:{line}" if line else path
        parts = [where, *([f"record {record}"] if record else []), *([field] if field else []), message]
        super().__init__(": ".join(parts), hint=hint)


@dataclass(frozen=True, slots=True)
class Reception:
    """One gateway's reception: packet RSSI (signal plus noise, dBm) and SNR (dB) as it reported them."""

    gateway: str
    rssi_dbm: float
    snr_db: float


@dataclass(frozen=True, slots=True)
class MeasuredUplink:
    """One uplink frame.

    t_us: UTC, µs since 1970. device: DevEUI in lower case, or the name the file uses. f_port: 0 where the frame carries
    none. sf: 5–12, 0 where the frame is not LoRa. freq_hz: 0 where unknown. receptions: by each gateway once; empty for
    a frame that is known to have been sent and that nobody received. lat, lon in degrees, placement, tx_power_dbm
    (conducted): None or "" where the file does not tell. line: where it stands in its file.
    """

    t_us: int
    device: str
    f_cnt: int
    f_port: int
    sf: int
    freq_hz: int
    receptions: tuple[Reception, ...]
    lat: float | None = None
    lon: float | None = None
    placement: str = ""
    tx_power_dbm: float | None = None
    line: int = 0
