"""What code that numba compiles needs here: rows and memory by address, and C functions by address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
from llvmlite import ir
from numba import types
from numba.core.imputils import lower_setattr_generic
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, models, register_model

from mcu_harness.emulator.recorder.rows import Row

_WORD = ir.IntType(64)
_HALF = ir.IntType(32)
_BYTE = ir.IntType(8)

_F = TypeVar("_F", bound=Callable[..., object])
_R = TypeVar("_R", bound=Row)
_numba: Any = numba
_intrinsic: Any = intrinsic
_lower_getattr: Any = lower_getattr_generic
_lower_setattr: Any = lower_setattr_generic
# Decorators of functions that only compiled code calls.
inner: Callable[[_F], _F] = _numba.njit(nogil=True)
inlined: Callable[[_F], _F] = _numba.njit(nogil=True, forceinline=True)


class _Pointer(types.Type):
    """The address of a row, whose words are attributes."""

    def __init__(self, row: type[Row]) -> None:
        self.row = row
        super().__init__(name=f"pointer to {row.__module__}.{row.__name__}")


@register_model(_Pointer)
class _PointerModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _WORD)  # type: ignore[no-untyped-call]


@infer_getattr
class _Fields(AttributeTemplate):
    key = _Pointer

    def generic_resolve(self, pointer: Any, name: str) -> Any:  # type: ignore[override]
        return types.int64 if name in pointer.row.dtype.names else None


def _place(builder: Any, pointer: Any, address: Any, name: str) -> Any:
    at = builder.add(address, ir.Constant(_WORD, pointer.row.offset(name)))
    return builder.inttoptr(at, _WORD.as_pointer())


@_lower_getattr(_Pointer)  # type: ignore[untyped-decorator]
def _load(context: Any, builder: Any, pointer: Any, address: Any, name: str) -> Any:
    return builder.load(_place(builder, pointer, address, name))


@_lower_setattr(_Pointer)  # type: ignore[untyped-decorator]
def _store(context: Any, builder: Any, signature: Any, arguments: Any, name: str) -> None:
    address, value = arguments
    value = context.cast(builder, value, signature.args[1], types.int64)
    builder.store(value, _place(builder, signature.args[0], address, name))


def pointer_to(row: type[_R]) -> Callable[[int], _R]:
    """A function for compiled code: the row of that kind at an address."""
    pointer = _Pointer(row)

    def at(typingctx: Any, address: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return args[0]

        return pointer(types.int64), code

    found: Callable[[int], _R] = _intrinsic(at)
    return found


def _address_of(typingctx: Any, pointer: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return args[0]

    return types.int64(pointer), code


def _peek(typingctx: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(builder.inttoptr(args[0], _WORD.as_pointer()))

    return types.int64(types.int64), code


def _poke(typingctx: Any, address: Any, value: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[1], builder.inttoptr(args[0], _WORD.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), code


def _peek32(typingctx: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.zext(builder.load(builder.inttoptr(args[0], _HALF.as_pointer())), _WORD)

    return types.int64(types.int64), code


def _peek8(typingctx: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.zext(builder.load(builder.inttoptr(args[0], _BYTE.as_pointer())), _WORD)

    return types.int64(types.int64), code


def _poke8(typingctx: Any, address: Any, value: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(builder.trunc(args[1], _BYTE), builder.inttoptr(args[0], _BYTE.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), code


def _poke32(typingctx: Any, address: Any, value: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(builder.trunc(args[1], _HALF), builder.inttoptr(args[0], _HALF.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), code


def _call(typingctx: Any, function: Any, a: Any, b: Any, c: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_WORD, [_WORD] * 3)
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])

    return types.int64(*[types.int64] * 4), code


address_of: Callable[[Row], int] = _intrinsic(_address_of)
# The 64-bit word at an address; writing one; calling the C function at an address with three words.
peek: Callable[[int], int] = _intrinsic(_peek)
poke: Callable[[int, int], None] = _intrinsic(_poke)
call: Callable[[int, int, int, int], int] = _intrinsic(_call)
# The same of the 32-bit word and the byte at an address, taken as unsigned.
peek32: Callable[[int], int] = _intrinsic(_peek32)
peek8: Callable[[int], int] = _intrinsic(_peek8)
poke32: Callable[[int, int], None] = _intrinsic(_poke32)
poke8: Callable[[int, int], None] = _intrinsic(_poke8)
