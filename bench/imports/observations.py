"""From measured uplinks to the rows of a fit: who received each frame, who missed it, and what the counters reveal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.errors import UsageError
from bench.imports.measured import MeasuredUplink
from lorawan.phy import SNR_FLOOR_DB
from radio_sim.calibration import Observations, noise_estimate_dbm, signal_power_dbm
from radio_sim.draws import Floats

LONGEST_GAP = 5_000  # frames; a longer jump of a counter is another session, not frames lost
_ALWAYS = -1  # the time of a silent device's frame: whenever a site listened


@dataclass(frozen=True, slots=True)
class _Frames:
    """Frames sent, as columns: time, device index, SF, power; the uplinks first, then the gaps."""

    t_us: npt.NDArray[np.int64]
    device: npt.NDArray[np.int64]
    sf: npt.NDArray[np.int64]
    tx_power_dbm: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """The rows and what was learnt on the way. noise_dbm: by site, measured where enough frames tell.

    gap_frames: missed frames that the counters reveal; silent_devices: without any uplink; unknown_gateways: in the
    file and in no table of sites.
    """

    observations: Observations
    noise_dbm: dict[str, float]
    frames: int
    gap_frames: int
    silent_devices: int
    unknown_gateways: tuple[str, ...]
    warnings: tuple[str, ...]


def observe(
    uplinks: Sequence[MeasuredUplink],
    devices: Sequence[str],
    sites: Sequence[str],
    mean_gain_db: Floats,
    assumed_noise_dbm: Floats,
    *,
    classes: Sequence[str],
    tx_power_dbm: float,
    site_of: Mapping[str, str] | None = None,
) -> Observed:
    """One row for every frame that a site received, and for the frames of a device that it missed at each SF.

    mean_gain_db [device, site]: expected received power minus conducted power, −∞ where no model tells.
    assumed_noise_dbm [site]: where the
    frames do not tell. classes: of each device. tx_power_dbm: where the file has none. site_of: gateway to site id.

    A site is taken to have listened between its first and its last reception in the file, and not to have where it
    received nothing. A counter that jumps by n tells of n − 1 frames that everybody missed, sent in between at the
    lower of the two SFs: the weaker claim. A device without any uplink counts as one missed frame at SF12 at every site
    that received something. Every link weighs 1, however many frames it carried.
    Raises UsageError where no site of the table received any uplink.
    """
    row_of = {name: row for row, name in enumerate(devices)}
    used = [uplink for uplink in uplinks if uplink.sf in SNR_FLOOR_DB and uplink.device in row_of]
    silent = sorted(set(range(len(devices))) - {row_of[uplink.device] for uplink in used})
    frames = _frames(used, row_of, tx_power_dbm, silent)
    column_of = {site: column for column, site in enumerate(sites)}
    rssi, snr, unknown = _receptions(used, column_of, site_of or {})
    warnings: list[str] = []
    holes, idle = 0, list[str]()
    noise: dict[str, float] = {}
    parts: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats, Floats, Floats, npt.NDArray[np.int64]]] = []
    floors = np.array([SNR_FLOOR_DB.get(sf, np.nan) for sf in range(13)])
    for column, site in enumerate(sites):
        heard = np.flatnonzero(~np.isnan(rssi[:, column]))
        if not heard.size:
            idle.append(site)
            continue
        told = noise_estimate_dbm(rssi[heard, column], snr[heard, column])
        noise[site] = float(assumed_noise_dbm[column]) if np.isnan(told) else told
        signal = np.full(len(frames.t_us), np.nan)
        signal[heard] = signal_power_dbm(rssi[heard, column], snr[heard, column])
        linked = np.isfinite(mean_gain_db[frames.device, column])
        signal[~linked] = np.nan
        holes += int((~linked[heard]).sum())
        first, last = frames.t_us[heard].min(), frames.t_us[heard].max()
        listening = linked & ((frames.t_us == _ALWAYS) | ((frames.t_us >= first) & (frames.t_us <= last)))
        parts.append(_rows(frames, signal, listening, mean_gain_db[:, column], noise[site] + floors))
    if not parts:
        strangers = f" (gateways in the file: {', '.join(unknown)})" if unknown else ""
        raise UsageError(
            f"no uplink was received by a site of the table{strangers}", hint="map gateways to sites with --gateways"
        )
    device, frames_of, predicted, floor, signal_all, link = (
        np.concatenate([part[i] for part in parts]) for i in range(6)
    )
    link = link + np.repeat(np.arange(len(parts)) * len(devices), [len(part[0]) for part in parts])
    names, kind = np.unique(np.asarray(classes, dtype=str), return_inverse=True)
    per_link = np.bincount(link, weights=frames_of)
    if idle:
        warnings.append(f"sites that received nothing, left out: {', '.join(idle)}")
    if holes:
        warnings.append(f"{holes} receptions over paths that the terrain has holes in; left out")
    low_power = sum(uplink.sf == 7 and uplink.tx_power_dbm is None for uplink in used)
    if low_power:
        warnings.append(
            f"{low_power} frames at SF7 without their power: ADR may have lowered it, which reads as loss; give "
            "tx_power_dbm where it is known"
        )
    if unknown:
        warnings.append(f"gateways in no table of sites, left out: {', '.join(unknown)}")
    return Observed(
        observations=Observations(
            predicted_dbm=predicted,
            floor_dbm=floor,
            signal_dbm=signal_all,
            kind=kind.reshape(-1)[device].astype(np.int64),
            classes=tuple(names.tolist()),
            cluster=device,
            weight=frames_of / per_link[link],
            frames=frames_of,
        ),
        noise_dbm=noise,
        frames=len(used),
        gap_frames=len(frames.t_us) - len(used) - len(silent),
        silent_devices=len(silent),
        unknown_gateways=unknown,
        warnings=tuple(warnings),
    )


def _frames(
    uplinks: Sequence[MeasuredUplink], row_of: Mapping[str, int], tx_power_dbm: float, silent: Sequence[int]
) -> _Frames:
    columns = [
        (
            uplink.t_us,
            row_of[uplink.device],
            uplink.sf,
            tx_power_dbm if uplink.tx_power_dbm is None else uplink.tx_power_dbm,
        )
        for uplink in uplinks
    ]
    last: dict[str, MeasuredUplink] = {}
    for uplink in uplinks:
        before = last.get(uplink.device)
        last[uplink.device] = uplink
        if before is None or not 1 < uplink.f_cnt - before.f_cnt <= LONGEST_GAP:
            continue
        lost = uplink.f_cnt - before.f_cnt
        power = tx_power_dbm if before.tx_power_dbm is None else before.tx_power_dbm
        sf, device = min(before.sf, uplink.sf), row_of[uplink.device]
        columns += [
            (before.t_us + (uplink.t_us - before.t_us) * number // lost, device, sf, power) for number in range(1, lost)
        ]
    columns += [(_ALWAYS, device, 12, tx_power_dbm) for device in silent]
    whole = np.array([column[:3] for column in columns], dtype=np.int64).reshape(-1, 3)
    powers = np.array([column[3] for column in columns], dtype=np.float64)
    return _Frames(whole[:, 0], whole[:, 1], whole[:, 2], powers)


def _receptions(
    uplinks: Sequence[MeasuredUplink], column_of: Mapping[str, int], site_of: Mapping[str, str]
) -> tuple[Floats, Floats, tuple[str, ...]]:
    """RSSI and SNR [uplink, site], NaN where not received, and the gateways that no site stands for."""
    rssi, snr = np.full((2, len(uplinks), len(column_of)), np.nan)
    sites = {gateway.lower(): site for gateway, site in site_of.items()}
    unknown: set[str] = set()
    for number, uplink in enumerate(uplinks):
        for reception in uplink.receptions:
            column = column_of.get(sites.get(reception.gateway.lower(), reception.gateway))
            if column is None:
                unknown.add(reception.gateway)
                continue
            rssi[number, column], snr[number, column] = reception.rssi_dbm, reception.snr_db
    return rssi, snr, tuple(sorted(unknown))


def _rows(
    frames: _Frames, signal: Floats, listening: npt.NDArray[np.bool_], gain_db: Floats, floor_dbm: Floats
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats, Floats, Floats, npt.NDArray[np.int64]]:
    """A site's rows: device, frames, predicted, floor, signal, link. Missed frames of one device, SF and power are one
    row."""
    came = np.flatnonzero(~np.isnan(signal))
    missed = np.flatnonzero(np.isnan(signal) & listening)
    key = np.stack([frames.device[missed], frames.sf[missed], np.round(frames.tx_power_dbm[missed] * 100)], axis=1)
    _, first, counts = np.unique(key, axis=0, return_index=True, return_counts=True)
    chosen = np.concatenate([came, missed[first]])
    device = frames.device[chosen]
    return (
        device,
        np.concatenate([np.ones(len(came), dtype=np.int64), counts.astype(np.int64)]),
        frames.tx_power_dbm[chosen] + gain_db[device],
        floor_dbm[frames.sf[chosen]],
        signal[chosen],
        device,
    )
