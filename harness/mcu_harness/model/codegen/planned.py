"""The plan and the C of a model, made once for all boards that firmware is compiled for in the same way."""

from __future__ import annotations

from collections import OrderedDict

from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.codegen.kernel_sets import DEFAULT
from mcu_harness.model.codegen.sources import Sources
from mcu_harness.model.graph import Graph
from mcu_harness.model.planner import MemoryPlan

_MOST = 16  # C of a large model is some megabytes
_Key = tuple[str, str, str, str]
_made: OrderedDict[_Key, tuple[MemoryPlan, Sources]] = OrderedDict()


def planned_sources(graph: Graph, target: str, kernels: str = DEFAULT) -> tuple[MemoryPlan, Sources]:
    """`plan_memory` and `generate` for `graph`, kept in this process by the digest of its model file."""
    key = graph.digest, graph.source, target, kernels
    if key not in _made:
        memory = plan_memory(graph, target, kernels)
        _made[key] = memory, generate(graph, memory, target, kernels)
        if len(_made) > _MOST:
            _made.popitem(last=False)
    _made.move_to_end(key)
    return _made[key]
