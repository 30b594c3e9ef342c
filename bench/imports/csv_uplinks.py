"""Uplinks from a CSV table: one row for each frame and gateway that received it."""

from __future__ import annotations

from dataclasses import replace

from bench.imports.fields import Place, table
from bench.imports.measured import MeasuredUplink, Reception

NEEDED = ("time", "device", "f_cnt", "sf", "gateway", "rssi_dbm", "snr_db")
OPTIONAL = ("f_port", "freq_hz", "lat", "lon", "placement", "tx_power_dbm")
_SAME_FRAME_US = 10_000_000  # rows of one counter value this close are one frame and its repeats


def parse_csv(text: str, path: str) -> tuple[MeasuredUplink, ...]:
    """The frames of a table, by time. Raises MeasurementError with line and column.

    time: RFC 3339 with its offset; gateway, rssi_dbm and snr_db empty for a frame that nobody received. Without the
    column f_port every frame counts as application data. Rows of one device and counter within 10 s are one frame.
    """
    frames: list[MeasuredUplink] = []
    latest: dict[tuple[str, int], int] = {}
    for row in table(text, path, needed=NEEDED, optional=OPTIONAL):
        uplink = _row(row)
        key = (uplink.device, uplink.f_cnt)
        index = latest.get(key)
        if index is None or abs(frames[index].t_us - uplink.t_us) > _SAME_FRAME_US:
            latest[key] = len(frames)
            frames.append(uplink)
            continue
        known = frames[index]
        new = [r for r in uplink.receptions if r.gateway not in {known.gateway for known in known.receptions}]
        frames[index] = replace(known, t_us=min(known.t_us, uplink.t_us), receptions=(*known.receptions, *new))
    return tuple(sorted(frames, key=lambda frame: frame.t_us))


def _row(row: dict[str, Place]) -> MeasuredUplink:
    gateway = row["gateway"]
    receptions: tuple[Reception, ...] = ()
    if gateway.absent:
        for name in ("rssi_dbm", "snr_db"):
            if not row[name].absent:
                raise row[name].wrong("given without a gateway")
    else:
        receptions = (Reception(gateway.text(), row["rssi_dbm"].number(-200, 50), row["snr_db"].number(-50, 50)),)
    if row["lat"].absent != row["lon"].absent:
        raise row["lat" if row["lat"].absent else "lon"].wrong("half a position", "give both or leave both empty")
    return MeasuredUplink(
        t_us=row["time"].instant_us(),
        device=row["device"].text(),
        f_cnt=row["f_cnt"].integer(0, 0xFFFFFFFF),
        f_port=row["f_port"].integer(0, 255, absent=1),
        sf=row["sf"].integer(5, 12),
        freq_hz=row["freq_hz"].integer(100_000_000, 3_000_000_000, absent=0),
        receptions=receptions,
        lat=None if row["lat"].absent else row["lat"].number(-90, 90),
        lon=None if row["lon"].absent else row["lon"].number(-180, 180),
        placement=row["placement"].value or "",
        tx_power_dbm=None if row["tx_power_dbm"].absent else row["tx_power_dbm"].number(-40, 36),
        line=row["device"].line,
    )
