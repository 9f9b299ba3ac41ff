"""Memory by address and C functions by address, for code that numba compiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_WORD = ir.IntType(64)
_HALF = ir.IntType(32)
_BYTE = ir.IntType(8)


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


_intrinsic: Any = intrinsic
# The 64-bit word at an address; writing one; calling the C function at an address with three words.
peek: Callable[[int], int] = _intrinsic(_peek)
poke: Callable[[int, int], None] = _intrinsic(_poke)
call: Callable[[int, int, int, int], int] = _intrinsic(_call)
# The same of the 32-bit word and the byte at an address, taken as unsigned.
peek32: Callable[[int], int] = _intrinsic(_peek32)
peek8: Callable[[int], int] = _intrinsic(_peek8)
poke32: Callable[[int, int], None] = _intrinsic(_poke32)
poke8: Callable[[int, int], None] = _intrinsic(_poke8)
