"""The agenda: a wheel of buckets for the devices' next readings, a binary heap for everything else."""

from __future__ import annotations

from radio_sim.batch.layout import KIND_SHIFT, READING, Array, Sweep
from radio_sim.compiled import part

_DEVICE_BITS = 24
MAX_DEVICES = 1 << _DEVICE_BITS
_DEVICE = MAX_DEVICES - 1
MAX_WIDTH_US = 1 << 38  # an opened bucket's keys hold (instant − begin) above the device's bits
_SMALL = 24


@part
def push(s: Sweep, at: int, kind: int, payload: int) -> None:
    """Put an event into the heap. Of one kind and instant, readings go by device, others as they were put in."""
    sc, heap = s.scalars[0], s.heap
    if kind == READING:
        order = (kind << KIND_SHIFT) | payload
    else:
        sc.sequence += 1
        order = (kind << KIND_SHIFT) | sc.sequence
    i = sc.heap_n
    sc.heap_n = i + 1
    while i > 0:
        up = (i - 1) >> 1
        if heap[up, 0] < at or (heap[up, 0] == at and heap[up, 1] < order):
            break
        heap[i, 0], heap[i, 1], heap[i, 2] = heap[up, 0], heap[up, 1], heap[up, 2]
        i = up
    heap[i, 0], heap[i, 1], heap[i, 2] = at, order, payload


@part
def pop(s: Sweep) -> None:
    """Take the first event off the heap."""
    sc, heap = s.scalars[0], s.heap
    n = sc.heap_n - 1
    sc.heap_n = n
    at, order, payload = heap[n, 0], heap[n, 1], heap[n, 2]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= n:
            break
        right = child + 1
        if right < n and (
            heap[right, 0] < heap[child, 0] or (heap[right, 0] == heap[child, 0] and heap[right, 1] < heap[child, 1])
        ):
            child = right
        if at < heap[child, 0] or (at == heap[child, 0] and order < heap[child, 1]):
            break
        heap[i, 0], heap[i, 1], heap[i, 2] = heap[child, 0], heap[child, 1], heap[child, 2]
        i = child
    heap[i, 0], heap[i, 1], heap[i, 2] = at, order, payload


@part
def set_reading(s: Sweep, device: int, at: int) -> None:
    """A device's next reading is due at this instant: into the wheel, or the heap where its bucket is open."""
    sc, dev = s.scalars[0], s.dev
    dev[device].read_at = at
    if at < sc.current_end:
        push(s, at, READING, device)
        return
    bucket = (at // s.par[0].width_us) % s.par[0].buckets
    dev[device].link = s.heads[bucket]
    s.heads[bucket] = device


@part
def open_bucket(s: Sweep) -> None:
    """Gather the next bucket's devices, by instant, then by device. Those of later rounds stay."""
    sc, dev, current = s.scalars[0], s.dev, s.current
    begin = sc.current_end
    end = begin + s.par[0].width_us
    bucket = (begin // s.par[0].width_us) % s.par[0].buckets
    device = s.heads[bucket]
    s.heads[bucket] = -1
    n = 0
    while device >= 0:
        following = dev[device].link
        at = dev[device].read_at
        if at < end:
            current[n] = ((at - begin) << _DEVICE_BITS) | device
            n += 1
        else:
            dev[device].link = s.heads[bucket]
            s.heads[bucket] = device
        device = following
    sort(current, n)
    sc.current_n, sc.current_i, sc.current_end = n, 0, end


@part
def current_at(s: Sweep) -> int:
    """When the first reading of the opened bucket is due."""
    sc = s.scalars[0]
    at: int = sc.current_end - s.par[0].width_us + (s.current[sc.current_i] >> _DEVICE_BITS)
    return at


@part
def current_device(s: Sweep) -> int:
    """Whose it is."""
    device: int = s.current[s.scalars[0].current_i] & _DEVICE
    return device


@part
def sort(values: Array, n: int) -> None:
    """Sort values[:n] in place: by insertion when few, else as a heap."""
    if n <= _SMALL:
        for i in range(1, n):
            value, j = values[i], i
            while j > 0 and values[j - 1] > value:
                values[j] = values[j - 1]
                j -= 1
            values[j] = value
        return
    for i in range(n // 2 - 1, -1, -1):
        _sift(values, i, n)
    for last in range(n - 1, 0, -1):
        values[0], values[last] = values[last], values[0]
        _sift(values, 0, last)


@part
def _sift(values: Array, i: int, n: int) -> None:
    value = values[i]
    while True:
        child = 2 * i + 1
        if child >= n:
            break
        if child + 1 < n and values[child + 1] > values[child]:
            child += 1
        if values[child] <= value:
            break
        values[i] = values[child]
        i = child
    values[i] = value
