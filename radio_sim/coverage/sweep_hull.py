"""Upper convex hull of a profile that grows away from the transmitter, and the two questions asked of it.

A hull is a stack of sample indices; sample i stands at i·step with height y[i].
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from radio_sim.compiled import kernel
from radio_sim.model import Floats

Indices = npt.NDArray[np.int32]


@kernel
def push(hull: Indices, count: int, y: Floats, new: int) -> int:
    """Add sample `new`, further out than all before; the new count. Amortised O(1)."""
    while count >= 2:
        a, b = hull[count - 2], hull[count - 1]
        if (y[b] - y[a]) * (new - b) > (y[new] - y[b]) * (b - a):
            break
        count -= 1
    hull[count] = new
    return count + 1


@kernel
def steepest_from(hull: Indices, count: int, y: Floats, step: float, at: float, height: float) -> int:
    """Sample of the largest elevation slope seen from (at, height), beyond the last sample. O(log n), count ≥ 1."""
    low, high = 0, count - 1
    while low < high:
        mid = (low + high) // 2
        i, j = hull[mid], hull[mid + 1]
        if (y[i] - height) * (at - j * step) < (y[j] - height) * (at - i * step):
            low = mid + 1
        else:
            high = mid
    sample: int = hull[low]
    return sample


@kernel
def highest_over(hull: Indices, count: int, y: Floats, step: float, slope: float) -> int:
    """Sample of the largest y − slope·distance. O(log n), count ≥ 1."""
    low, high = 0, count - 1
    while low < high:
        mid = (low + high) // 2
        i, j = hull[mid], hull[mid + 1]
        if y[j] - y[i] > slope * step * (j - i):
            low = mid + 1
        else:
            high = mid
    sample: int = hull[low]
    return sample
