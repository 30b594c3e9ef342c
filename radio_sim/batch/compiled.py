"""How the sweep's kernels are compiled: as the propagation kernels are, and each of them once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import types

from radio_sim import compiled

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def kernel(function: Kernel) -> Kernel:
    """Compile when first called, cached on disk. No fast-math.

    numba compiles a kernel anew for every width of integer and every constant it is called with; here a caller's
    integers become int64 first, which makes a third of the compiling.
    """
    found: Any = compiled.kernel(function)
    as_given = found.get_call_template

    def with_wide_integers(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        return as_given(tuple(_wide(arg) for arg in args), kws)

    found.get_call_template = with_wide_integers
    result: Kernel = found
    return result


def _wide(arg: Any) -> Any:
    plain: Any = types.unliteral(arg)  # type: ignore[no-untyped-call]  # numba's
    return types.int64 if plain in types.signed_domain else plain
