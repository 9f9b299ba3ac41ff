"""The passes in their order."""

from __future__ import annotations

from mcu_harness.model.graph import Graph
from mcu_harness.model.legacy_uint8 import AS_UINT8
from mcu_harness.model.operators.catalogue import is_wide
from mcu_harness.model.simplify.activations import without_activation_layers
from mcu_harness.model.simplify.channels import without_constant_channels
from mcu_harness.model.simplify.moves import without_idle_moves
from mcu_harness.model.simplify.operands import with_constant_operands
from mcu_harness.model.simplify.padding import without_padding_layers
from mcu_harness.model.simplify.removal import without_unread_layers
from mcu_harness.model.simplify.tables import with_tables


def simplified(graph: Graph) -> Graph:
    """The smallest graph that gives the outputs of `graph`, an imported model, bit for bit.

    Inputs and outputs stay as they are. A tensor that stays keeps its index; new constants stand behind all others.
    """
    if any(
        is_wide(graph, layer) or layer.attributes.get(AS_UINT8) for layer in graph.layers
    ):  # these passes know int8 alone
        return without_unread_layers(graph)
    for simpler in (
        with_constant_operands,
        without_unread_layers,
        without_idle_moves,
        with_tables,
        without_activation_layers,
        without_padding_layers,
        without_unread_layers,
    ):
        graph = simpler(graph)
    return without_constant_channels(graph)
