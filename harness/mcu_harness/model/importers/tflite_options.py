"""How each operator's options are read from a .tflite file: a table, operator -> options table and its fields.

Numbers of fields and of options tables are the schema's; a test writes every option with LiteRT's own schema and reads it here.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.model.graph import Attribute
from mcu_harness.model.importers.flatbuffer import Table
from mcu_harness.model.importers.tflite_schema import (
    ACTIVATIONS,
    MIRROR_MODES,
    PADDINGS,
    WEIGHTS_FORMATS,
)

_CODES: dict[type, str] = {bool: "?", int: "i", float: "f"}
NO_OPTIONS = 0


@dataclass(frozen=True, slots=True)
class Option:
    """`attribute` is the name in Layer.attributes, `field` its number in the options table.

    `names` are those of an enumeration's values; `default` is the schema's, for what a file leaves out. A tuple is a
    vector of int32, a str without `names` a string.
    """

    attribute: str
    field: int
    default: Attribute = 0
    names: tuple[str, ...] = ()

    def read(self, table: Table) -> Attribute:
        """The option's value. Unknown enumeration values become "value 17", which no check accepts."""
        if self.names:
            value = table.number(self.field, "b", 0)
            return self.names[value] if 0 <= value < len(self.names) else f"value {value}"
        if isinstance(self.default, tuple):
            return tuple(table.numbers(self.field, "<i4").tolist())
        if isinstance(self.default, str):
            return table.text(self.field)
        return table.number(self.field, _CODES[type(self.default)], self.default)


@dataclass(frozen=True, slots=True)
class OptionTable:
    """An operator's options: the table's number in the union, and the fields that are taken."""

    kind: int
    options: tuple[Option, ...]

    def read(self, table: Table | None) -> dict[str, Attribute]:
        """Options from `table`, or the defaults for None."""
        if table is None:
            return {option.attribute: option.default for option in self.options}
        return {option.attribute: option.read(table) for option in self.options}


def _table(kind: int, *options: Option) -> OptionTable:
    return OptionTable(kind, options)


def _padding() -> Option:
    return Option("padding", 0, "SAME", PADDINGS)


def _activation(field: int) -> Option:
    return Option("fused_activation", field, "NONE", ACTIVATIONS)


def _strides() -> tuple[Option, Option]:
    return Option("stride_w", 1), Option("stride_h", 2)


_NONE = _table(NO_OPTIONS)
_POOL = _table(
    5, _padding(), *_strides(), Option("filter_width", 3), Option("filter_height", 4), _activation(5)
)  # fmt: skip
_REDUCER = _table(27, Option("keep_dims", 0, False))

OPTIONS: dict[str, OptionTable] = {
    "CONV_2D": _table(
        1, _padding(), *_strides(), _activation(3), Option("dilation_w_factor", 4, 1), Option("dilation_h_factor", 5, 1)
    ),
    "DEPTHWISE_CONV_2D": _table(
        2,
        _padding(),
        *_strides(),
        _activation(4),
        Option("dilation_w_factor", 5, 1),
        Option("dilation_h_factor", 6, 1),
    ),
    "TRANSPOSE_CONV": _table(49, _padding(), *_strides(), _activation(3)),
    "FULLY_CONNECTED": _table(
        8, _activation(0), Option("weights_format", 1, "DEFAULT", WEIGHTS_FORMATS), Option("keep_num_dims", 2, False)
    ),
    "ADD": _table(11, _activation(0)),
    "SUB": _table(28, _activation(0)),
    "MUL": _table(21, _activation(0)),
    "AVERAGE_POOL_2D": _POOL,
    "MAX_POOL_2D": _POOL,
    "RESHAPE": _table(17, Option("new_shape", 0, ())),
    "SQUEEZE": _table(30, Option("squeeze_dims", 0, ())),
    "EXPAND_DIMS": _table(52),
    "SOFTMAX": _table(9, Option("beta", 0, 0.0)),
    "LOGISTIC": _NONE,
    "TANH": _NONE,
    "RELU": _NONE,
    "RELU6": _NONE,
    "LEAKY_RELU": _table(75, Option("alpha", 0, 0.0)),
    "HARD_SWISH": _table(91),
    "MEAN": _REDUCER,
    "PAD": _table(22),
    "PADV2": _table(43),
    "CONCATENATION": _table(10, Option("axis", 0), _activation(1)),
    "SPLIT": _table(35, Option("num_splits", 0)),
    "TRANSPOSE": _table(26),
    "STRIDED_SLICE": _table(
        32,
        *(
            Option(f"{which}_mask", field)
            for field, which in enumerate(["begin", "end", "ellipsis", "new_axis", "shrink_axis"])
        ),
        Option("offset", 5, False),
    ),
    "RESIZE_NEAREST_NEIGHBOR": _table(74, Option("align_corners", 0, False), Option("half_pixel_centers", 1, False)),
    "QUANTIZE": _table(89),
    "DEQUANTIZE": _table(38),
    "RESIZE_BILINEAR": _table(15, Option("align_corners", 2, False), Option("half_pixel_centers", 3, False)),
    "SLICE": _table(48),
    "TILE": _table(51),
    "BROADCAST_TO": _table(104),
    "REVERSE_V2": _table(81),
    "MIRROR_PAD": _table(77, Option("mode", 0, "REFLECT", MIRROR_MODES)),
    "DEPTH_TO_SPACE": _table(94, Option("block_size", 0)),
    "SPACE_TO_DEPTH": _table(19, Option("block_size", 0)),
    "BATCH_TO_SPACE_ND": _table(24),
    "SPACE_TO_BATCH_ND": _table(25),
    "SPLIT_V": _table(79, Option("num_splits", 0)),
    "PACK": _table(59, Option("axis", 1)),
    "UNPACK": _table(64, Option("axis", 1)),
    "GATHER": _table(23, Option("axis", 0), Option("batch_dims", 1)),
    "MAXIMUM": _table(39),
    "MINIMUM": _table(39),
    "SQUARED_DIFFERENCE": _table(76),
    "PRELU": _NONE,
    "REDUCE_MAX": _REDUCER,
    "REDUCE_MIN": _REDUCER,
    "ABS": _table(78),
    "NEG": _table(42),
    "RSQRT": _NONE,
    "EXP": _table(33),
    "LOG": _NONE,
    "GELU": _table(116, Option("approximate", 0, False)),
    "RELU_N1_TO_1": _NONE,
    "RELU_0_TO_1": _NONE,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _table(
        71,
        Option("cell_activation", 0, "NONE", ACTIVATIONS),
        Option("cell_clip", 1, 0.0),
        Option("time_major", 3, False),
        Option("diagonal_recurrent_tensors", 5, False),
    ),
    "SVDF": _table(6, Option("rank", 0), Option("svdf_activation", 1, "NONE", ACTIVATIONS)),
    "ARG_MAX": _table(40),
    "ARG_MIN": _table(57),
    # These become state tensors (variables.py).
    "VAR_HANDLE": _table(111, Option("container", 0, ""), Option("shared_name", 1, "")),
    "READ_VARIABLE": _table(112),
    "ASSIGN_VARIABLE": _table(113),
    "CALL_ONCE": _table(103, Option("init_subgraph_index", 0)),
    # This one only ever folds away (harness/mcu_harness/model/fold.py).
    "SHAPE": _table(55),
}
