"""Copies between tensors as C: what TRANSPOSE, STRIDED_SLICE, SPLIT, CONCATENATION and PAD are made of."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, unsupported
from mcu_harness.model.codegen.strided_copy import MAX_LOOPS, StridedCopy
from mcu_harness.model.graph import DTYPE_BYTES

COPY = Kernel("mcu_copy", "portable/copy.c", "mcu_copy.h")
_COPY_STRIDED = Kernel(
    "mcu_copy_strided", "portable/copy_strided.c", "mcu_copy_strided.h", helpers=("portable/copy.c",)
)


def element_bytes(context: Context, tensor: int) -> int:
    return DTYPE_BYTES[context.tensor(tensor).dtype]


def copy_tensor(context: Context, copy: StridedCopy, result: int, source: int, suffix: str = "") -> LayerCode:
    """`copy` from tensor `source` (which may be constant) to `result`; `suffix` keeps several in one layer apart."""
    pointer, constants = context.operand(source, "input" + suffix)
    code = copy_bytes(context, copy, context.write(result), pointer, suffix)
    return joined([LayerCode(body=(), constants=constants), code]) if code.body else code


def copy_bytes(context: Context, copy: StridedCopy, destination: str, source: str, suffix: str = "") -> LayerCode:
    """`copy` between two C pointer expressions. Raises ModelError where it needs more loops than the kernel has."""
    if copy.run_bytes == 0:
        return LayerCode(body=())
    to = _advanced(destination, "uint8_t *", copy.destination_offset)
    start = _advanced(source, "const uint8_t *", copy.source_offset)
    if not copy.loops:
        return LayerCode((f"{COPY.function}({to}, {start}, {copy.run_bytes}u);",), kernels=(COPY,))
    if len(copy.loops) > MAX_LOOPS:
        raise unsupported(context.layer, f"moving this data needs {len(copy.loops)} nested loops, {MAX_LOOPS} at most")
    rows = [(loop.count, loop.destination_step, loop.source_step) for loop in copy.loops]
    loops = Constant("loops" + suffix, np.array(rows, np.int32))
    call = f"{_COPY_STRIDED.function}({to}, {start}, {context.name(loops.suffix)}, {len(rows)}u, {copy.run_bytes}u);"
    return LayerCode((call,), kernels=(_COPY_STRIDED,), constants=(loops,))


def joined(codes: Iterable[LayerCode]) -> LayerCode:
    """Several pieces of one layer, one after the other."""
    pieces = list(codes)
    return LayerCode(
        body=tuple(statement for code in pieces for statement in code.body),
        kernels=tuple(dict.fromkeys(kernel for code in pieces for kernel in code.kernels)),
        constants=tuple(constant for code in pieces for constant in code.constants),
        structs=tuple(struct for code in pieces for struct in code.structs),
        scratch_bytes=max((code.scratch_bytes for code in pieces), default=0),
    )


def _advanced(pointer: str, c_type: str, offset: int) -> str:
    return f"({c_type}){pointer} + {offset}" if offset else pointer
