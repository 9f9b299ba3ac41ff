"""What an operator's emitter is given and what it returns.

An emitter is a function `(layer, context) -> LayerCode`. It never places anything in memory: it asks the context for
C expressions. It may run twice for one layer, the first time before the memory plan exists (only `scratch_bytes` and
`raster_positions` of that run count), so it must not depend on where tensors lie beyond asking `context.same_place`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import ModelError
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.sources import ARENA_SYMBOL
from mcu_harness.model.graph import Graph, Layer, Tensor

ARENA_ALIGNMENT = 16


def state_symbol(index: int) -> str:
    """The C array of a state tensor, which keeps its value from one inference to the next."""
    return f"mcu_state_{index}"


C_TYPES = {
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "int64": "int64_t",
    "float32": "float",
    "float64": "double",
    "bool": "uint8_t",
}


class Plan(Protocol):
    """Where everything lies in the arena, in bytes from its start. A memory plan of mcu_harness.model.planner is one."""

    @property
    def arena_bytes(self) -> int: ...

    def offset_of(self, tensor: int, /) -> int: ...

    def scratch_offset(self, layer: int, /) -> int | None: ...


@dataclass(frozen=True, slots=True)
class NoPlan:
    """Stands in for the plan where it is not needed, as while layers are asked how much scratch they need."""

    arena_bytes: int = 0

    def offset_of(self, tensor: int) -> int:
        del tensor
        return 0

    def scratch_offset(self, layer: int) -> int:
        del layer
        return 0


@dataclass(frozen=True, slots=True)
class Constant:
    """A `const` array in weights.c named `<layer symbol>_<suffix>`; the element type follows from `data.dtype`.

    `alignment` is in bytes and at least the element's own; 4 lets kernels read words.
    """

    suffix: str
    data: npt.NDArray[np.generic]
    alignment: int = 4

    @property
    def c_type(self) -> str:
        return C_TYPES[self.data.dtype.name]


@dataclass(frozen=True, slots=True)
class Struct:
    """A `static const` parameter struct in model.c named `<layer symbol>_<suffix>`.

    `fields` are (member, C expression); expressions must be constant (numbers, addresses of constants). With `rows` it is an
    array of structs, the expressions of each in the order of the members.
    """

    c_type: str
    suffix: str
    fields: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class LayerCode:
    """One layer as C.

    `body`: statements of the layer's function, without the trailing newline. `kernels`: those that it calls,
    the one that does the work first. `scratch_bytes`: working memory it needs in the arena while it runs, aligned to 4.
    `raster_positions`: that of the kernel which reads the layer's first input and writes its output, see Kernel.
    `in_place`: inputs whose place the output may take, where both have the same shape, because this kernel allows it
    although not all kernels of the operator do (those are in its row of `model/operators`).
    `refused`: the kernel sets that were asked before and why they did not take the layer.
    """

    body: tuple[str, ...]
    kernels: tuple[Kernel, ...] = ()
    constants: tuple[Constant, ...] = ()
    structs: tuple[Struct, ...] = ()
    scratch_bytes: int = 0
    raster_positions: int = 0
    in_place: tuple[int, ...] = ()
    refused: str = ""

    @property
    def kernel(self) -> str:
        """The kernel that does the work, as its file without the suffix ("portable/conv_2d_s8"); "" for none."""
        return self.kernels[0].file.removesuffix(".c") if self.kernels else ""


@dataclass(frozen=True, slots=True)
class Context:
    """One layer's view of the graph and of memory. Every method returns a C expression, unless it says otherwise."""

    graph: Graph
    layer: Layer
    plan: Plan

    def tensor(self, index: int) -> Tensor:
        """The graph's tensor (not a C expression)."""
        return self.graph.tensors[index]

    def name(self, suffix: str) -> str:
        """The name of this layer's constant or struct with that suffix."""
        return f"{self.layer.symbol}_{suffix}"

    def read(self, index: int) -> str:
        """A pointer to const elements of an activation tensor in the arena."""
        return f"(const {C_TYPES[self._activation(index).dtype]} *)({self._place(index)})"

    def write(self, index: int) -> str:
        """A pointer to the elements of an activation tensor in the arena."""
        return f"({C_TYPES[self._activation(index).dtype]} *)({self._place(index)})"

    def operand(self, index: int, suffix: str) -> tuple[str, tuple[Constant, ...]]:
        """A pointer to a tensor that may be constant, and the constants that must then go into LayerCode.

        An activation gives `read(index)` and nothing; a constant is emitted as it is, named with `suffix`.
        """
        data = self.tensor(index).data
        if data is None:
            return self.read(index), ()
        return self.name(suffix), (Constant(suffix, data),)

    def same_place(self, first: int, second: int) -> bool:
        """Whether the plan put two activations at the same address (not a C expression)."""
        if self.tensor(first).is_state or self.tensor(second).is_state:
            return first == second
        return self.plan.offset_of(first) == self.plan.offset_of(second)

    def _place(self, index: int) -> str:
        return state_symbol(index) if self.tensor(index).is_state else f"{ARENA_SYMBOL} + {self.plan.offset_of(index)}"

    @property
    def scratch(self) -> str:
        """A `uint8_t *` to this layer's scratch, aligned to 4; "0" where the plan has none for it."""
        offset = self.plan.scratch_offset(self.layer.index)
        return "0" if offset is None else f"({ARENA_SYMBOL} + {offset})"

    def _activation(self, index: int) -> Tensor:
        tensor = self.tensor(index)
        if tensor.is_constant:
            raise unsupported(
                self.layer, f"tensor {index} ({tensor.name!r}) is constant where an activation is expected"
            )
        return tensor


Emitter = Callable[[Layer, Context], LayerCode]


class Unsuited(Exception):  # an answer, no error: another kernel set is asked
    """Raised by an emitter whose kernel cannot compute the layer; says what stands in the way."""


def number(layer: Layer, name: str, default: float | None = None) -> float:
    """A numeric attribute of `layer`; without a default it must be there. Raises ModelError."""
    value = layer.attributes.get(name, default)
    if not isinstance(value, (int, float)):
        raise unsupported(layer, f"its option {name} is {value!r} instead of a number")
    return value


def unsupported(layer: Layer, why: str) -> ModelError:
    """The error for a layer that is well formed but not (yet) turned into C."""
    return ModelError(
        f"{layer.place}: {why}",
        hint="see the operators and types that are supported in the documentation, and convert the model as full int8",
    )


def in_file(graph: Graph, message: str) -> str:
    """`message` with the model's file in front."""
    return f"{graph.source}: {message}" if graph.source else message
