"""How the kernels of this package are compiled: on first call, cached on disk, without the GIL, IEEE arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def kernel(function: Kernel) -> Kernel:
    """Compile when first called. No fast-math: the same inputs give the same bits in every caller."""
    return cast(Kernel, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
