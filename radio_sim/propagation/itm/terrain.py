"""What the Irregular Terrain Model reads off a path: horizons, Δh and effective antenna heights.

Heights in metres above sea level at equal steps from transmitter to receiver, both ends included; distances in metres
from the transmitter. Source: Hufford, "The ITS Irregular Terrain Model, version 1.2.2: the Algorithm", §§2–3, and the
model's own preparation of profiles (NTIA Report 82-100, appendix A: QLRPFL, HZNS, ZLSQ1, D1THX).
"""

from __future__ import annotations

import math

import numpy as np

from radio_sim.compiled import kernel
from radio_sim.model import Floats

Pair = tuple[float, float]


@kernel
def mean_height(heights: Floats) -> float:
    """The mean height of the path without its first and last tenth."""
    intervals = len(heights) - 1
    tenth = int(0.1 * intervals)
    total = 0.0
    for i in range(tenth, intervals - tenth + 1):
        total += heights[i]
    return total / (intervals - 2 * tenth + 1)


@kernel
def horizons(heights: Floats, step: float, radius: float, tx_height: float, rx_height: float) -> tuple[Pair, Pair]:
    """Angles above the horizontal in radians and distances of both radio horizons; each other's antenna if in sight."""
    intervals = len(heights) - 1
    distance = intervals * step
    tx, rx = heights[0] + tx_height, heights[intervals] + rx_height
    drop = 0.5 / radius
    tx_angle, rx_angle = (rx - tx) / distance - distance * drop, (tx - rx) / distance - distance * drop
    tx_distance = rx_distance = distance
    # Distances are summed as the reference implementation sums them: later whole steps are cut off them, and a last
    # bit decides which.
    from_tx, from_rx = 0.0, distance
    for i in range(1, intervals):
        from_tx += step
        from_rx -= step
        angle = (heights[i] - tx) / from_tx - from_tx * drop
        if angle > tx_angle:
            tx_angle, tx_distance = angle, from_tx
        angle = (heights[i] - rx) / from_rx - from_rx * drop
        if angle > rx_angle:
            rx_angle, rx_distance = angle, from_rx
    return (tx_angle, rx_angle), (tx_distance, rx_distance)


@kernel
def fitted_ends(heights: Floats, step: float, start: float, end: float) -> Pair:
    """The straight line fitted by least squares between two distances, at the path's first and last point."""
    last_index = len(heights) - 1
    first = int(max(start / step, 0.0))
    last = last_index - int(max(last_index - end / step, 0.0))
    if last <= first:
        first, last = max(first - 1, 0), min(last + 1, last_index)
    span = float(last - first)
    centre = 0.5 * (first + last)
    # The trapezium rule: end points count half.
    total = 0.5 * (heights[first] + heights[last])
    moment = 0.25 * span * (heights[last] - heights[first])
    for i in range(first + 1, last):
        total += heights[i]
        moment += heights[i] * (i - centre)
    mean, slope = total / span, 12.0 * moment / ((span * span + 2.0) * span)
    return mean - slope * centre, mean + slope * (last_index - centre)


@kernel
def terrain_irregularity(heights: Floats, step: float, start: float, end: float) -> float:
    """Δh: the interdecile range of heights about a straight line, extrapolated to an infinitely long path."""
    first, last = start / step, end / step
    if last - first < 2.0:
        return 0.0
    decile = min(max(4, int(0.1 * (last - first + 8.0))), 25)
    count = 10 * decile - 5
    samples = np.empty(count)
    spacing = (last - first) / (count - 1)
    for j in range(count):
        position = first + j * spacing
        cell = min(int(position), len(heights) - 2)
        samples[j] = heights[cell] + (heights[cell + 1] - heights[cell]) * (position - cell)
    left, right = fitted_ends(samples, 1.0, 0.0, count - 1.0)
    slope = (right - left) / (count - 1)
    for j in range(count):
        samples[j] -= left + j * slope
    samples.sort()
    interdecile: float = samples[count - decile] - samples[decile - 1]
    return interdecile / (1.0 - 0.8 * math.exp(-(end - start) / 50e3))


@kernel
def smooth_horizon(height: float, radius: float) -> float:
    """Distance of the horizon over a smooth earth."""
    return math.sqrt(2.0 * height * radius)


@kernel
def typical_horizon(height: float, radius: float, irregularity: float) -> float:
    """Distance of the horizon over terrain known by its Δh alone. Source: the Algorithm, eq. 3.3."""
    return smooth_horizon(height, radius) * math.exp(-0.07 * math.sqrt(irregularity / max(height, 5.0)))


@kernel
def typical_horizon_angle(height: float, radius: float, irregularity: float) -> float:
    """Elevation angle of that horizon. Source: the Algorithm, eq. 3.4."""
    smooth = smooth_horizon(height, radius)
    nearer = smooth / typical_horizon(height, radius, irregularity) - 1.0
    return (0.65 * irregularity * nearer - 2.0 * height) / smooth


@kernel
def path_geometry(
    heights: Floats, step: float, radius: float, tx_height: float, rx_height: float
) -> tuple[Pair, Pair, Pair, float]:
    """Horizon angles, horizon distances, effective heights and Δh of a path."""
    intervals = len(heights) - 1
    distance = intervals * step
    angles, reaches = horizons(heights, step, radius, tx_height, rx_height)
    # The foreground of each antenna is left out: 15 antenna heights, but a tenth of the way to the horizon at most.
    start = min(15.0 * tx_height, 0.1 * reaches[0])
    end = distance - min(15.0 * rx_height, 0.1 * reaches[1])
    irregularity = terrain_irregularity(heights, step, start, end)
    if reaches[0] + reaches[1] > 1.5 * distance:
        # Well within sight: the horizons behind the path are guessed from Δh.
        tx_ground, rx_ground = fitted_ends(heights, step, start, end)
        tx = tx_height + max(heights[0] - tx_ground, 0.0)
        rx = rx_height + max(heights[intervals] - rx_ground, 0.0)
        both = typical_horizon(tx, radius, irregularity) + typical_horizon(rx, radius, irregularity)
        if both <= distance:
            raised = (distance / both) ** 2
            tx, rx = tx * raised, rx * raised
        reaches = typical_horizon(tx, radius, irregularity), typical_horizon(rx, radius, irregularity)
        angles = typical_horizon_angle(tx, radius, irregularity), typical_horizon_angle(rx, radius, irregularity)
    else:
        tx_ground, _ = fitted_ends(heights, step, start, 0.9 * reaches[0])
        _, rx_ground = fitted_ends(heights, step, distance - 0.9 * reaches[1], end)
        tx = tx_height + max(heights[0] - tx_ground, 0.0)
        rx = rx_height + max(heights[intervals] - rx_ground, 0.0)
    return angles, reaches, (tx, rx), irregularity


@kernel
def sited_height(height: float, irregularity: float, siting: int) -> float:
    """The effective height of an antenna whose site was chosen at random (0), carefully (1) or very carefully (2).

    Source: the Algorithm, eq. 3.2.
    """
    if siting == 0:
        return height
    boost = 4.0 if siting == 1 else 9.0
    if height < 5.0:
        boost *= math.sin(0.1 * math.pi * height)
    return height + (1.0 + boost) * math.exp(-min(20.0, 2.0 * height / max(1e-3, irregularity)))
