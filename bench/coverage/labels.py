"""Names on a map without overlaps: each takes the first free place around its point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A name to place: its point, and half its width and height, all in one unit (y upwards)."""

    text: str
    x: float
    y: float
    half_width: float
    half_height: float


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the middle of a label goes."""

    x: float
    y: float


Box = tuple[float, float, float, float]


def place_labels(labels: Sequence[Label], taken: Sequence[Box], within: Box, gap: float) -> list[Placed | None]:
    """The middle of each label, the earlier ones choosing first; None where no place around the point is free.

    taken: boxes (x0, y0, x1, y1) no label may touch; within: the map; gap: between a point and its name.
    """
    boxes = list(taken)
    found: list[Placed | None] = []
    for label in labels:
        w, h = label.half_width, label.half_height
        choice = None
        for dx, dy in ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)):
            sideways = w + gap if dy == 0 else 0.8 * w
            x, y = label.x + dx * sideways, label.y + dy * (h + gap)
            box = (x - w, y - h, x + w, y + h)
            inside = box[0] >= within[0] and box[1] >= within[1] and box[2] <= within[2] and box[3] <= within[3]
            if inside and not any(_touch(box, other) for other in boxes):
                choice = Placed(x, y)
                boxes.append(box)
                break
        found.append(choice)
    return found


def _touch(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
