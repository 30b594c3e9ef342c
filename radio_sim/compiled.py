"""How kernels are compiled: on first call, cached on disk, without the GIL, IEEE arithmetic.

numba compiles each function by itself and its callers with a copy of it, so a deep tree of calls is optimised and made
machine code once for every level. `part` is for such a tree: its functions are only linked into the kernel on top,
which is optimised as a whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.untyped_passes import TranslateByteCode

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# Source files each kernel is compiled from, by the kernel's own object: its file and those of the kernels it calls.
_SOURCES: dict[int, frozenset[str]] = {}


def kernel(function: Kernel) -> Kernel:
    """Compile when first called. No fast-math: the same inputs give the same bits in every caller.

    numba renews a cached kernel when the kernel's own file changes. A kernel holds the code of those it calls, so the
    stamp here is of all their files.
    """
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    files = _remember_sources(function, compiled)
    cache_file = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if cache_file is not None:
        stats = (os.stat(file) for file in sorted(files))
        cache_file._source_stamp = tuple((stat.st_mtime, stat.st_size) for stat in stats)
    return cast(Kernel, compiled)


def part(function: Kernel) -> Kernel:
    """Compile for the kernels that call it. Called from Python it raises TypeError: it has no machine code of its own.

    numba compiles a function anew for every width of integer and every constant it is called with; here a caller's
    integers become int64 first, which makes a third of the compiling.
    """
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": _PartCompiler}
    compiled: Any = numba.njit(nogil=True, error_model="numpy", **options)(function)
    as_given = compiled.get_call_template

    def with_wide_integers(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        return as_given(tuple(_wide(arg) for arg in args), kws)

    compiled.get_call_template = with_wide_integers
    compiled._insert = lambda *_machine_code, **_options: None  # there is none for Python to call
    compiled._compile_for_args = _refuse
    _remember_sources(function, compiled)
    return cast(Kernel, compiled)


def _refuse(*_args: object, **_kws: object) -> None:
    raise TypeError("a part of a kernel is called by kernels alone")


def _wide(arg: Any) -> Any:
    plain: Any = types.unliteral(arg)
    return types.int64 if plain in types.signed_domain else plain


def _remember_sources(function: Callable[..., Any], compiled: object) -> frozenset[str]:
    called = (function.__globals__.get(name) for name in function.__code__.co_names)
    files = frozenset({function.__code__.co_filename}).union(
        *(_SOURCES.get(id(other), frozenset()) for other in called)
    )
    _SOURCES[id(compiled)] = files
    return files


class _PartLibrary(JITCodeLibrary):
    """A part's code: linked into its callers' as it is, never made machine code by itself."""

    def _optimize_final_module(self) -> None:
        """Left to the kernel on top."""

    def _finalize_final_module(self) -> None:
        self._finalized = True

    @property
    def codegen(self) -> Any:
        return self

    def set_env(self, name: str, environment: object) -> None:
        """There is no machine code yet whose environment it would be."""


@register_pass(mutates_CFG=False, analysis_only=False)
class _IntoPartLibrary(FunctionPass):
    _name = "into_part_library"

    def __init__(self) -> None:  # the base class asks for one
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        return True


class _PartCompiler(CompilerBase):
    def define_pipelines(self) -> list[Any]:
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.add_pass_after(_IntoPartLibrary, TranslateByteCode)
        pipeline.finalize()
        return [pipeline]
