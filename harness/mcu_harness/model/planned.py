"""What firmware computes of a model, its plan and its C, made once for all boards that it is compiled for in the same way."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.codegen.kernel_sets import DEFAULT
from mcu_harness.model.codegen.sources import Sources
from mcu_harness.model.graph import Graph
from mcu_harness.model.planner import MemoryPlan
from mcu_harness.model.simplify.simplified import simplified
from mcu_harness.scenario.custom_operators import CustomOperator

_MOST = 16  # C of a large model is some megabytes
_Key = tuple[str, str, str, str, tuple[CustomOperator, ...]]


@dataclass(frozen=True, slots=True)
class Planned:
    """`graph` is what is computed: the model simplified. `memory` and `sources` are made from it."""

    graph: Graph
    memory: MemoryPlan
    sources: Sources


_made: OrderedDict[_Key, Planned] = OrderedDict()
_simplified: OrderedDict[tuple[str, str, tuple[CustomOperator, ...]], Graph] = OrderedDict()


def planned_sources(graph: Graph, target: str, kernels: str = DEFAULT) -> Planned:
    """`plan_memory` and `generate` for `graph` simplified, kept in this process by the digest of its model file."""
    key = graph.digest, graph.source, target, kernels, graph.custom
    if key not in _made:
        computed = _simplified_once(graph)
        memory = plan_memory(computed, target, kernels)
        _made[key] = Planned(computed, memory, generate(computed, memory, target, kernels))
        if len(_made) > _MOST:
            _made.popitem(last=False)
    _made.move_to_end(key)
    found = _made[key]
    return replace(found, graph=replace(found.graph, name=graph.name))


def _simplified_once(graph: Graph) -> Graph:
    """`simplified(graph)`, which knows nothing of targets."""
    key = graph.digest, graph.source, graph.custom
    if key not in _simplified:
        _simplified[key] = simplified(graph)
        if len(_simplified) > _MOST:
            _simplified.popitem(last=False)
    _simplified.move_to_end(key)
    return _simplified[key]
