"""The supported operators as data: what each takes and gives, in types, constants and quantisation.

The quantisation rules are those of TensorFlow Lite's 8-bit specification
(https://ai.google.dev/edge/litert/models/quantization_spec) and of what LiteRT's kernels check in Prepare.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MAX_RANK = 8


class Role(Enum):
    """What an operand may be; the value is how messages name it."""

    ACTIVATION = "an int8 activation"
    VALUE = "an int8 activation or constant"
    FLOAT = "a float32 activation"
    BYTE = "an int8 or uint8 activation"
    FLOAT_OR_INTEGER = "a float32, int8, uint8 or int16 activation"
    INTEGER = "an int8, uint8 or int16 activation"
    FILTER = "an int8 constant with symmetric quantisation (zero point 0)"
    BIAS = "an int32 constant with zero point 0"
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


@dataclass(frozen=True, slots=True)
class Operands:
    """What an operator's inputs and outputs must be.

    The last `optional` inputs may be absent (left out, or -1). `repeated` lets the last input occur any number of times.
    `outputs` None means one or more. `keeps_quantization`: outputs have the quantisation of the first activation.
    `fixed_output` is the (scale, zero point) that the operator's output must have; zero point None means any.
    `filter_axis` is the dimension along which a filter may have a scale per channel. `max_rank` is how many dimensions
    LiteRT's kernel goes up to, where that is less than MAX_RANK.
    """

    inputs: tuple[Role, ...]
    optional: int = 0
    repeated: bool = False
    output: Role = Role.ACTIVATION
    outputs: int | None = 1
    keeps_quantization: bool = False
    fixed_output: tuple[float, int | None] | None = None
    filter_axis: int = 0
    max_rank: int = MAX_RANK


_PLAIN = Operands((Role.ACTIVATION,))
_BINARY = Operands((Role.VALUE, Role.VALUE))
_POOL = Operands((Role.ACTIVATION,), keeps_quantization=True)
_MOVED = Operands((Role.ACTIVATION, Role.INDICES), keeps_quantization=True)
_BLOCKS = Operands((Role.ACTIVATION, Role.INDICES, Role.INDICES), keeps_quantization=True, max_rank=4)

OPERATORS: dict[str, Operands] = {
    # LiteRT's CONV_2D refuses a missing bias; the other two take none as zeros.
    "CONV_2D": Operands((Role.ACTIVATION, Role.FILTER, Role.BIAS)),
    "DEPTHWISE_CONV_2D": Operands((Role.ACTIVATION, Role.FILTER, Role.BIAS), optional=1, filter_axis=3),
    "TRANSPOSE_CONV": Operands((Role.INDICES, Role.FILTER, Role.ACTIVATION, Role.BIAS), optional=1),
    "FULLY_CONNECTED": Operands((Role.ACTIVATION, Role.FILTER, Role.BIAS), optional=1),
    "ADD": _BINARY,
    "SUB": _BINARY,
    "MUL": _BINARY,
    "AVERAGE_POOL_2D": _POOL,
    "MAX_POOL_2D": _POOL,
    "RESHAPE": Operands((Role.ACTIVATION, Role.INDICES), optional=1, keeps_quantization=True),
    "SQUEEZE": _POOL,
    "EXPAND_DIMS": _MOVED,
    "SOFTMAX": Operands((Role.ACTIVATION,), fixed_output=(1 / 256, -128)),
    "LOGISTIC": Operands((Role.ACTIVATION,), fixed_output=(1 / 256, None)),
    "TANH": _PLAIN,
    "RELU": _PLAIN,
    "RELU6": _PLAIN,
    "LEAKY_RELU": _PLAIN,
    "HARD_SWISH": _PLAIN,
    "MEAN": Operands((Role.ACTIVATION, Role.INDICES)),
    # LiteRT copies bytes and fills with the output's zero point, whatever the input's quantisation is.
    "PAD": Operands((Role.ACTIVATION, Role.INDICES), max_rank=5),
    "PADV2": Operands((Role.ACTIVATION, Role.INDICES, Role.PAD_VALUE), keeps_quantization=True, max_rank=5),
    "CONCATENATION": Operands((Role.VALUE,), repeated=True, keeps_quantization=True),
    "SPLIT": Operands((Role.INDICES, Role.ACTIVATION), outputs=None, keeps_quantization=True),
    "TRANSPOSE": _MOVED,
    "STRIDED_SLICE": Operands(
        (Role.ACTIVATION, Role.INDICES, Role.INDICES, Role.INDICES), keeps_quantization=True
    ),
    "RESIZE_NEAREST_NEIGHBOR": _MOVED,
    "RESIZE_BILINEAR": Operands((Role.ACTIVATION, Role.INDICES)),
    "SLICE": Operands((Role.ACTIVATION, Role.INDICES, Role.INDICES), keeps_quantization=True),
    "TILE": _MOVED,
    "BROADCAST_TO": _MOVED,
    "REVERSE_V2": _MOVED,
    "MIRROR_PAD": Operands((Role.ACTIVATION, Role.INDICES), keeps_quantization=True, max_rank=5),
    "DEPTH_TO_SPACE": _POOL,
    "SPACE_TO_DEPTH": _POOL,
    "BATCH_TO_SPACE_ND": _BLOCKS,
    "SPACE_TO_BATCH_ND": _BLOCKS,
    "SPLIT_V": Operands((Role.ACTIVATION, Role.INDICES, Role.INDICES), outputs=None, keeps_quantization=True),
    "PACK": Operands((Role.VALUE,), repeated=True, keeps_quantization=True),
    "UNPACK": Operands((Role.ACTIVATION,), outputs=None, keeps_quantization=True),
    "GATHER": Operands((Role.VALUE, Role.NUMBERS), keeps_quantization=True),
    # LiteRT compares bytes, whatever they stand for.
    "MAXIMUM": _BINARY,
    "MINIMUM": _BINARY,
    "SQUARED_DIFFERENCE": _BINARY,
    "PRELU": Operands((Role.ACTIVATION, Role.VALUE)),
    "REDUCE_MAX": _MOVED,
    "REDUCE_MIN": _MOVED,
    "ABS": _PLAIN,
    "NEG": _PLAIN,
    "RSQRT": _PLAIN,
    "EXP": _PLAIN,
    "LOG": _PLAIN,
    "GELU": _PLAIN,
    "RELU_N1_TO_1": _PLAIN,
    "RELU_0_TO_1": _PLAIN,
    # Without peephole connections, projection and layer normalisation.
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Operands(
        (Role.ACTIVATION, *[Role.FILTER] * 8, *[Role.ABSENT] * 3, *[Role.BIAS] * 4, *[Role.ABSENT] * 2, Role.STATE, Role.WIDE_STATE, *[Role.ABSENT] * 4),
        optional=4,
    ),
    "ARG_MAX": Operands((Role.ACTIVATION, Role.INDICES), output=Role.NUMBERS),
    "ARG_MIN": Operands((Role.ACTIVATION, Role.INDICES), output=Role.NUMBERS),
    "SVDF": Operands((Role.ACTIVATION, Role.FILTER, Role.TIME_WEIGHTS, Role.BIAS, Role.ANY_STATE)),
    # Variables are resolved on import: what is left copies a state.
    "READ_VARIABLE": Operands((Role.MOVED,), output=Role.MOVED, keeps_quantization=True),
    "ASSIGN_VARIABLE": Operands((Role.MOVED_VALUE,), output=Role.MOVED, keeps_quantization=True),
    "QUANTIZE": Operands((Role.FLOAT_OR_INTEGER,), output=Role.INTEGER),
    "DEQUANTIZE": Operands((Role.BYTE,), output=Role.FLOAT),
}  # fmt: skip
