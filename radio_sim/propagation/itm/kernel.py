"""The compiler of the model's kernels, typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

_P = ParamSpec("_P")
_R = TypeVar("_R")


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a numerical kernel: cached on disk, without the GIL, divisions by zero as IEEE 754 has them."""
    compiled: Callable[_P, _R] = njit(cache=True, nogil=True, error_model="numpy")(function)
    return compiled
