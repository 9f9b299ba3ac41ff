"""How each operator's options are read from a .tflite file: a table, operator -> options table and its fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tflite

from mcu_harness.model.graph import Attribute


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}


ACTIVATIONS = _names(tflite.ActivationFunctionType)
PADDINGS = _names(tflite.Padding)
WEIGHTS_FORMATS = _names(tflite.FullyConnectedOptionsWeightsFormat)


@dataclass(frozen=True, slots=True)
class Option:
    """`attribute` is the name in Layer.attributes, `accessor` the method of the generated class that reads it.

    `names` translates an enumeration; `default` is what a file without an options table gets (the schema's defaults).
    """

    attribute: str
    accessor: str
    default: Attribute
    names: Mapping[int, str] | None = None

    def read(self, table: Any) -> Attribute:
        """The option's value. Unknown enumeration values become "value 17", which no check accepts."""
        value = getattr(table, self.accessor)()
        if self.names is not None:
            return self.names.get(int(value), f"value {int(value)}")
        if isinstance(self.default, tuple):
            return tuple(int(v) for v in np.atleast_1d(value)) if isinstance(value, np.ndarray) else ()
        return type(self.default)(value)


@dataclass(frozen=True, slots=True)
class OptionTable:
    """An operator's options: the generated class, its number in the union, and the fields that are taken."""

    kind: int
    new: Callable[[], Any]
    options: tuple[Option, ...]

    def read(self, position: Any) -> dict[str, Attribute]:
        """Options from the table at `position` (flatbuffers' Table), or the defaults for None."""
        if position is None:
            return {option.attribute: option.default for option in self.options}
        table = self.new()
        table.Init(position.Bytes, position.Pos)
        return {option.attribute: option.read(table) for option in self.options}


def _option(attribute: str, default: Attribute = 0) -> Option:
    return Option(attribute, "".join(part.capitalize() for part in attribute.split("_")), default)


def _table(name: str, *options: Option) -> OptionTable:
    return OptionTable(getattr(tflite.BuiltinOptions, name), getattr(tflite, name), options)


_PADDING = Option("padding", "Padding", "SAME", PADDINGS)
_ACTIVATION = Option("fused_activation", "FusedActivationFunction", "NONE", ACTIVATIONS)
_STRIDES = (_option("stride_h"), _option("stride_w"))
_DILATIONS = (_option("dilation_h_factor", 1), _option("dilation_w_factor", 1))
_POOL = _table("Pool2DOptions", _PADDING, *_STRIDES, _option("filter_height"), _option("filter_width"), _ACTIVATION)
_NONE = OptionTable(tflite.BuiltinOptions.NONE, object, ())

OPTIONS: dict[str, OptionTable] = {
    "CONV_2D": _table("Conv2DOptions", _PADDING, *_STRIDES, *_DILATIONS, _ACTIVATION),
    "DEPTHWISE_CONV_2D": _table(
        "DepthwiseConv2DOptions", _PADDING, *_STRIDES, *_DILATIONS, _option("depth_multiplier"), _ACTIVATION
    ),
    "FULLY_CONNECTED": _table(
        "FullyConnectedOptions",
        Option("weights_format", "WeightsFormat", "DEFAULT", WEIGHTS_FORMATS),
        _option("keep_num_dims", False),
        _ACTIVATION,
    ),
    "ADD": _table("AddOptions", _ACTIVATION),
    "SUB": _table("SubOptions", _ACTIVATION),
    "MUL": _table("MulOptions", _ACTIVATION),
    "AVERAGE_POOL_2D": _POOL,
    "MAX_POOL_2D": _POOL,
    "RESHAPE": _table("ReshapeOptions", Option("new_shape", "NewShapeAsNumpy", ())),
    "SQUEEZE": _table("SqueezeOptions", Option("squeeze_dims", "SqueezeDimsAsNumpy", ())),
    "EXPAND_DIMS": _table("ExpandDimsOptions"),
    "SOFTMAX": _table("SoftmaxOptions", _option("beta", 0.0)),
    "LOGISTIC": _NONE,
    "TANH": _NONE,
    "RELU": _NONE,
    "RELU6": _NONE,
    "LEAKY_RELU": _table("LeakyReluOptions", _option("alpha", 0.0)),
    "HARD_SWISH": _table("HardSwishOptions"),
    "MEAN": _table("ReducerOptions", _option("keep_dims", False)),
    "PAD": _table("PadOptions"),
    "PADV2": _table("PadV2Options"),
    "CONCATENATION": _table("ConcatenationOptions", _option("axis"), _ACTIVATION),
    "SPLIT": _table("SplitOptions", _option("num_splits")),
    "TRANSPOSE": _table("TransposeOptions"),
    "STRIDED_SLICE": _table(
        "StridedSliceOptions",
        *(_option(f"{which}_mask") for which in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")),
        _option("offset", False),
    ),
    "RESIZE_NEAREST_NEIGHBOR": _table(
        "ResizeNearestNeighborOptions", _option("align_corners", False), _option("half_pixel_centers", False)
    ),
    "QUANTIZE": _table("QuantizeOptions"),
    "DEQUANTIZE": _table("DequantizeOptions"),
    # These two only ever fold away (harness/mcu_harness/model/fold.py).
    "SHAPE": _table("ShapeOptions"),
    "PACK": _table("PackOptions", _option("axis")),
}
