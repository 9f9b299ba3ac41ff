"""What a row of the table of operators says of one: operands, options, output shape, limits of its scales, memory.

The quantisation rules are those of TensorFlow Lite's 8-bit specification
(https://ai.google.dev/edge/litert/models/quantization_spec) and of what LiteRT's kernels check in Prepare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from mcu_harness.model.graph import Tensor
from mcu_harness.model.operation import Operation, Shape, View
from mcu_harness.model.operators.options import NO_OPTIONS, OptionTable

MAX_RANK = 8
WIDE = ("int8", "int16")  # types of operators that compute in both, the latter with weights of int8
PLAIN = ("int32", "float32")  # of numbers without a scale
ANY = ("int8", "int16", "uint8", "int32", "bool", "float32")  # of those that only move elements


class Role(Enum):
    """What an operand may be; the value is how messages name it."""

    ACTIVATION = "an int8 activation"
    VALUE = "an int8 activation or constant"
    FLOAT = "a float32 activation"
    QUANTISED = "an int8, uint8 or int16 activation"
    FLOAT_OR_INTEGER = "a float32, int8, uint8, int16 or int32 activation"
    INTEGER = "an int8, uint8, int16 or int32 activation"
    FILTER = "an int8 constant with symmetric quantisation (zero point 0)"
    BIAS = "an int32 constant with zero point 0 (int64 too where activations are int16)"
    INDICES = "an int32 constant (shape, axes or positions)"
    PAD_VALUE = "a single int8 constant"
    MOVED = "an activation of any type"
    MOVED_VALUE = "an activation or constant of any type"
    STATE = "a variable tensor of int8"
    WIDE_STATE = "a variable tensor of int16"
    ANY_STATE = "a variable tensor of int8 or int16"
    TIME_WEIGHTS = "an int8 or int16 constant with zero point 0"
    ABSENT = "left out"
    NUMBERS = "an int32 activation or constant"
    PLACES = "an int32 or int64 activation"
    TRUTHS = "a bool activation or constant"
    NUMBERS_OR_TRUTHS = "an int8, uint8, int16, int32 or bool activation"
    COUNTED = "a float32, int8, uint8, int16, int32 or bool activation"


@dataclass(frozen=True, slots=True)
class Operator:
    """What an operator's inputs and outputs must be, and what the planner and reports know of it.

    `shapes` gives the outputs' shapes from inputs and options, or raises ShapeError: TensorFlow Lite's rule, which keeps a
    model file from describing an output that is smaller than what its kernel writes. It runs after roles and types were
    checked. `options` are read from a .tflite file. `problem` says what is wrong with scales or options that are right by
    themselves, "" for nothing: mostly that there is no fixed-point multiplier.

    The last `optional` inputs may be absent (left out, or -1). `repeated` lets the last input occur any number of times.
    `outputs` None means one or more. `keeps_quantization`: outputs have the quantisation of the first activation.
    `types` are those of activations in which the operator computes: ACTIVATION and VALUE have the same one, which the first of
    them decides. `results` are those of outputs, where they are others.
    `fixed_output` is, by the output's type, the (scale, zero point) that it must have; zero point None means any.
    `filter_axis` is the dimension along which a filter may have a scale per channel. `max_rank` is how many dimensions
    LiteRT's kernel goes up to, where that is less than MAX_RANK.

    `in_place`: inputs of which every kernel reads an element for the last time before it writes the output element of the same
    position, so that the output may start exactly where that input starts. Shapes must be equal, so a broadcast input is
    out. The input must not be needed afterwards. `widens`: its kernel works from the end where output elements are wider than the
    input's, so that this holds then too. `reshapes`: the output is the input's bytes under another
    shape, and both may stay alive. `sliding_window`: one output position (all of its channels) per window, in NHWC order,
    reading no other input position. `view`, of operators that only put elements elsewhere: which element of input 0
    goes where, as a NumPy view whose row-major order is that of the output. `macs` are multiply-accumulates for one inference; operators
    without it multiply little and count as none.
    """

    name: str
    inputs: tuple[Role, ...]
    shapes: Callable[[Operation], tuple[Shape, ...]]
    options: OptionTable = field(default_factory=lambda: OptionTable(NO_OPTIONS, ()))
    optional: int = 0
    repeated: bool = False
    output: Role = Role.ACTIVATION
    outputs: int | None = 1
    keeps_quantization: bool = False
    types: tuple[str, ...] = ("int8",)
    results: tuple[str, ...] = ()
    fixed_output: Mapping[str, tuple[float, int | None]] = field(default_factory=dict)
    filter_axis: int = 0
    max_rank: int = MAX_RANK
    problem: Callable[[Operation], str] = lambda _: ""
    in_place: tuple[int, ...] = ()
    widens: bool = False
    reshapes: bool = False
    sliding_window: bool = False
    view: Callable[[Operation, View], View] | None = None
    macs: Callable[[Operation], int] = lambda _: 0

    def roles(self, count: int) -> tuple[Role, ...]:
        """The roles of `count` inputs."""
        more = max(0, count - len(self.inputs))
        return (self.inputs + self.inputs[-1:] * more)[:count]

    def computes_in(self, inputs: Sequence[Tensor | None]) -> str:
        """The type of the first activation among `inputs`, where the operator has it, else its usual one."""
        operands = [
            tensor
            for tensor, role in zip(inputs, self.roles(len(inputs)), strict=True)
            if tensor is not None and role in (Role.ACTIVATION, Role.VALUE)
        ]
        found = next((tensor for tensor in operands if not tensor.is_constant), operands[0] if operands else None)
        return found.dtype if found is not None and found.dtype in self.types else self.types[0]
