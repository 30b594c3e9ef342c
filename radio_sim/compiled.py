"""How kernels are compiled: on first call, cached on disk, without the GIL, IEEE arithmetic."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# Source files each kernel is compiled from, by the kernel's own object: its file and those of the kernels it calls.
_SOURCES: dict[int, frozenset[str]] = {}


def kernel(function: Kernel) -> Kernel:
    """Compile when first called. No fast-math: the same inputs give the same bits in every caller.

    numba renews a cached kernel when the kernel's own file changes. A kernel holds the code of those it calls, so the
    stamp here is of all their files.
    """
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    called = (function.__globals__.get(name) for name in function.__code__.co_names)
    files = frozenset({function.__code__.co_filename}).union(
        *(_SOURCES.get(id(other), frozenset()) for other in called)
    )
    _SOURCES[id(compiled)] = files
    cache_file = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if cache_file is not None:
        stats = (os.stat(file) for file in sorted(files))
        cache_file._source_stamp = tuple((stat.st_mtime, stat.st_size) for stat in stats)
    return cast(Kernel, compiled)
