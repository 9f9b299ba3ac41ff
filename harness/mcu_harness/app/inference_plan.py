"""An inference as an emulator run: inputs written into the arena, outputs read out of it, nothing added to the target."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mcu_harness.analysis.output_check import decode
from mcu_harness.emulator.contract import RunPlan, Window
from mcu_harness.image.program import Program
from mcu_harness.model.codegen.sources import Sources, TensorIo
from mcu_harness.model.graph import Graph

Array = npt.NDArray[np.generic]

# Reference kernels take below 50 instructions a MAC on the slowest core; whatever needs 40 times that hangs.
_INSTRUCTIONS_PER_MAC = 2_000
_INSTRUCTIONS_AT_LEAST = 200_000_000
# A MAC takes 10 ns in the embedded emulator, and a portable kernel's ten times that.
_SECONDS_PER_MAC = 1e-6
_SECONDS_AT_LEAST = 600.0


def run_plan(
    program: Program,
    sources: Sources,
    graph: Graph,
    inputs: Sequence[Array],
    reads: Sequence[TensorIo],
    timeout_s: float | None = None,
) -> RunPlan:
    """A window per input sample: `inputs[k][i]` is written for model input k, `reads` are read when it closes.

    Without `timeout_s` the limit of time grows with the MACs of all samples.
    """
    count = len(inputs[0])
    windows = []
    for i in range(count):
        writes = [
            (_address(program, io), np.ascontiguousarray(array[i]).tobytes())
            for io, array in zip(sources.inputs, inputs, strict=True)
        ]
        if i == 0:
            writes.append((program.symbol("mcu_inferences").address, count.to_bytes(4, "little")))
        windows.append(Window(tuple(writes), tuple((_address(program, io), io.nbytes) for io in reads)))
    limit = (_INSTRUCTIONS_PER_MAC * graph.macs + _INSTRUCTIONS_AT_LEAST) * count
    return RunPlan(
        begin=program.symbol("mcu_infer").address,
        end=program.symbol("mcu_window_end").address,
        exit=program.symbol("mcu_exit").address,
        windows=tuple(windows),
        stack=(program.symbol("__stack_limit").address, program.symbol("__stack_top").address),
        max_instructions=limit,
        timeout_s=_SECONDS_AT_LEAST + _SECONDS_PER_MAC * graph.macs * count if timeout_s is None else timeout_s,
    )


def tensors_read(graph: Graph, ios: Sequence[TensorIo], raw: Sequence[bytes]) -> list[Array]:
    """What one window read, as arrays in the shapes of the tensors."""
    return [
        decode(data, graph.tensors[io.tensor].shape, graph.tensors[io.tensor].dtype)
        for io, data in zip(ios, raw, strict=True)
    ]


def _address(program: Program, io: TensorIo) -> int:
    return program.symbol(io.symbol).address + io.offset
