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
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    models,
    register_model,
    typeof_impl,
    unbox,
)
from numba.np.arrayobj import make_array, populate_array
from numba.np.numpy_support import from_dtype

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
        super().__init__(manager, of_type, ir.IntType(64))


@typeof_impl.register(Memory)
def _typeof(_value: Memory, _context: Any) -> MemoryType:
    return MemoryType()


@unbox(MemoryType)
def _unbox(_type: Any, value: Any, c: Any) -> Any:
    address = c.pyapi.object_getattr_string(value, "address")
    word = c.pyapi.long_as_longlong(address)
    c.pyapi.decref(address)
    return NativeValue(word)


class _Arrays(AttributeTemplate):
    key = MemoryType

    def generic_resolve(self, _of: Any, name: str) -> Any:  # type: ignore[override]  # numba types its refusal alone
        if name not in FIELDS:
            return None
        dtype, ndim = FIELDS[name]
        return types.Array(from_dtype(dtype), ndim, "C")


infer_getattr(_Arrays)


@lower_getattr_generic(MemoryType)
def _array(context: Any, builder: Any, _of: Any, table: Any, name: str) -> Any:
    """The array `name`, made of its four words in the table."""
    dtype, ndim = FIELDS[name]
    first = _WORDS * list(FIELDS).index(name)
    words = builder.inttoptr(table, ir.IntType(64).as_pointer())
    address, *shape = (builder.load(builder.gep(words, [ir.IntType(64)(first + i)])) for i in range(1 + ndim))
    strides: list[Any] = []
    step = ir.IntType(64)(dtype.itemsize)
    for length in reversed(shape):
        strides.insert(0, step)
        step = builder.mul(step, length)
    array = make_array(types.Array(from_dtype(dtype), ndim, "C"))(context, builder)
    populate_array(
        array,
        data=builder.inttoptr(address, array.data.type),
        shape=shape,
        strides=strides,
        itemsize=ir.IntType(64)(dtype.itemsize),
        meminfo=None,
    )
    return array._getvalue()
