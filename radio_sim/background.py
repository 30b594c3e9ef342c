"""Traffic of the sensors that are not simulated one by one: a day of frames at a time, in array code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lorawan.draws import Draws
from lorawan.machine import Instant
from lorawan.phy import SNR_FLOOR_DB, LoraModulation, lora_airtime_us
from lorawan.units import US_PER_DAY
from radio_sim.draws import Floats, Keys, fold, integer, keys_at, uniform
from radio_sim.medium.background_day import BackgroundDay
from radio_sim.model import ADR_INSTALLATION_MARGIN_DB
from radio_sim.propagation.fading import Fading

_DAY_STRIDE = 1 << 20  # more frames than a sensor sends in a day


@dataclass(frozen=True, slots=True, eq=False)
class BackgroundPopulation:
    """Sensors as arrays, one element (or row) each.

    words: the sensors' 64-bit words (`radio_sim.draws.words_of` of their ids). gain_db [sensor, gateway].
    payload_bytes: of the whole PHY payload. tx_power_dbm: conducted. freqs_hz: the channels every frame is drawn from.
    """

    words: Keys
    gain_db: Floats
    sf: npt.NDArray[np.integer]
    uplinks_per_day: Floats
    payload_bytes: npt.NDArray[np.integer]
    tx_power_dbm: Floats
    freqs_hz: tuple[int, ...]

    def __post_init__(self) -> None:
        columns = (self.gain_db, self.sf, self.uplinks_per_day, self.payload_bytes, self.tx_power_dbm)
        if any(len(column) != len(self.words) for column in columns):
            raise ValueError("the columns of a background population have different lengths")
        if not 1 <= len(self.freqs_hz) <= 127:
            raise ValueError(f"{len(self.freqs_hz)} channels; 1 to 127 are possible")


def adr_spreading_factor(
    gain_db: Floats, noise_dbm: Floats, tx_power_dbm: Floats | float, margin_db: float = ADR_INSTALLATION_MARGIN_DB
) -> npt.NDArray[np.int8]:
    """The SF that ADR settles on: the lowest whose floor the best gateway's mean SNR exceeds by the margin, else SF12.

    gain_db [sensor, gateway], noise_dbm [gateway], tx_power_dbm one per sensor or one for all.
    """
    best_snr = (gain_db - noise_dbm).max(axis=1) + tx_power_dbm
    floors = np.array([SNR_FLOOR_DB[sf] for sf in range(7, 13)])
    fits = best_snr[:, None] >= floors + margin_db
    return np.where(fits.any(axis=1), 7 + fits.argmax(axis=1), 12).astype(np.int8)


def draw_background_day(
    draws: Draws,
    day_index: int,
    t0_us: Instant,
    t1_us: Instant,
    population: BackgroundPopulation,
    fading: Fading | None = None,
) -> BackgroundDay:
    """The frames that start in t0_us … t1_us, in rising order of start.

    A sensor sends its daily number, scaled to the span; a fraction is rounded up or down by a draw. The span is cut
    into as many equal parts and one frame starts anywhere in each. Channels are uniform. Every draw of a sensor is
    keyed by (sensor, day): other sensors and other days change nothing. fading: of exactly these sensors, or None.
    """
    keys = fold(fold(keys_at(draws, "background"), population.words), day_index)
    expected = population.uplinks_per_day * ((t1_us - t0_us) / US_PER_DAY)
    count = (expected + uniform(keys)).astype(np.int64)
    sensor = np.repeat(np.arange(count.size), count)
    number = np.arange(sensor.size) - np.repeat(np.cumsum(count) - count, count)
    frame_keys = keys[sensor]
    position = (number + uniform(frame_keys, 2 * number + 1)) / count[sensor]
    start = t0_us + (position * (t1_us - t0_us)).astype(np.int64)
    order = np.argsort(start, kind="stable")
    sensor, number, start = sensor[order], number[order], start[order]
    power = population.gain_db[sensor]
    power += population.tx_power_dbm[sensor, None]
    if fading is not None:
        if fading.slow is not None and sensor.size:
            block = start // fading.slow.block_us
            first, last = int(block[0]), int(block[-1])
            power += fading.slow.all_blocks(first, last - first + 1)[block - first, sensor]
        if fading.frame.law != "none":
            index = day_index * _DAY_STRIDE + number
            power += fading.frame.draw_db(fading.frame_keys[sensor], index[:, None])
    return BackgroundDay(
        t0_us=t0_us,
        t1_us=t1_us,
        freqs_hz=population.freqs_hz,
        start_us=start,
        airtime_us=airtimes_us(population)[sensor],
        sf=population.sf[sensor].astype(np.int8),
        channel=integer(keys[sensor], len(population.freqs_hz), 2 * number + 2).astype(np.int8),
        power_dbm=power.astype(np.float32),
    )


def airtimes_us(population: BackgroundPopulation) -> npt.NDArray[np.int64]:
    """Airtime of each sensor's frames at 125 kHz."""
    pairs = np.stack([population.sf.astype(np.int64), population.payload_bytes.astype(np.int64)], axis=1)
    distinct, which = np.unique(pairs, axis=0, return_inverse=True)
    times = [lora_airtime_us(payload, LoraModulation(sf)) for sf, payload in distinct.tolist()]
    return np.array(times, dtype=np.int64)[which.reshape(-1)]
