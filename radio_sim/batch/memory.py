"""How kernels reach a sweep's arrays: by name, through one address.

A kernel that is given 60 arrays takes minutes to compile: each call spells out the shapes and strides of all of them.
So a kernel is given the address of a table that says where each array lies, and `s.dev` looks it up there: one word.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # it has no types
from numba import types
from numba.extending import (
    NativeValue,
    intrinsic,
    models,
    overload_attribute,
    register_model,
    typeof_impl,
    unbox,
)
from numba.np.numpy_support import carray

from radio_sim.batch import layout
from radio_sim.batch.layout import FIELDS, Sweep

_WORDS = 4  # of each array in the table: address and up to three lengths


class Memory:
    """The arrays of a sweep and the table of their places. It keeps them alive; the kernels read and write them."""

    __slots__ = ("address", "sweep", "table")

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.table = np.zeros((len(FIELDS), _WORDS), np.int64)
        for place, (name, (dtype, ndim)) in enumerate(FIELDS.items()):
            array = getattr(sweep, name)
            if array.dtype != dtype or array.ndim != ndim or not array.flags.c_contiguous or not array.flags.aligned:
                raise ValueError(f"{name} is {array.dtype} of {array.ndim} dimensions, not {dtype} of {ndim}")
            self.table[place, 0] = array.ctypes.data
            self.table[place, 1 : 1 + ndim] = array.shape
        self.address = self.table.ctypes.data


# Compiled kernels hold the layout's numbers. Its fingerprint in their signature keeps stale ones from being reused.
_LAYOUT = {name: value for name, value in vars(layout).items() if name.isupper()}
_FINGERPRINT = blake2b(repr(_LAYOUT).encode(), digest_size=8).hexdigest()


class MemoryType(types.Type):
    """`Memory` in a kernel: the address of its table."""

    def __init__(self) -> None:
        super().__init__(name=f"radio_sim.batch.Memory {_FINGERPRINT}")


@register_model(MemoryType)
class _MemoryModel(models.PrimitiveModel):
    def __init__(self, manager: Any, of_type: Any) -> None:
        super().__init__(manager, of_type, ir.IntType(64))  # type: ignore[no-untyped-call]  # numba's


@typeof_impl.register(Memory)
def _typeof(_value: Memory, _context: Any) -> MemoryType:
    return MemoryType()


@unbox(MemoryType)  # type: ignore[untyped-decorator, no-untyped-call]  # numba's
def _unbox(_type: Any, value: Any, c: Any) -> Any:
    address = c.pyapi.object_getattr_string(value, "address")
    word = c.pyapi.long_as_longlong(address)
    c.pyapi.decref(address)
    return NativeValue(word)  # type: ignore[no-untyped-call]  # numba's


@intrinsic
def _word(_context: Any, memory: Any, place: Any) -> Any:  # noqa: ARG001 - numba passes the types of both
    """The table's word number `place`."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        table = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load(builder.gep(table, [arguments[1]]))

    return types.int64(memory, types.int64), generate


@intrinsic
def _pointer(_context: Any, _address: Any) -> Any:
    """An address as a pointer."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), generate


word: Any = _word
pointer: Any = _pointer


def _define(name: str, place: int, dtype: np.dtype[Any], ndim: int) -> None:
    first = _WORDS * place

    def one(s: Any) -> Any:
        return carray(pointer(word(s, first)), (word(s, first + 1),), dtype)

    def two(s: Any) -> Any:
        return carray(pointer(word(s, first)), (word(s, first + 1), word(s, first + 2)), dtype)

    def three(s: Any) -> Any:
        shape = (word(s, first + 1), word(s, first + 2), word(s, first + 3))
        return carray(pointer(word(s, first)), shape, dtype)

    found: Any = (one, two, three)[ndim - 1]

    def implementation(s: Any) -> Any:  # noqa: ARG001 - numba wants the arguments' names alike
        return found

    overload_attribute(MemoryType, name)(implementation)


for _place, (_name, (_dtype, _ndim)) in enumerate(FIELDS.items()):
    _define(_name, _place, _dtype, _ndim)
