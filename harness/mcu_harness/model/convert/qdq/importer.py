"""Walks an ONNX QDQ graph and writes what it computes as an int8 .tflite."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx

from mcu_harness.model.convert.qdq.layouts import Order, channels_last, laid_out, plain
from mcu_harness.model.convert.qdq.network import Network
from mcu_harness.model.convert.qdq.reader import label
from mcu_harness.model.convert.qdq.values import Mover, Quant, QuantConstant, Value
from mcu_harness.model.convert.refusal import Refusal
from mcu_harness.model.convert.tflite_writer import TfliteWriter

Handler = Callable[["Importer", Any], None]
HANDLERS: dict[str, Handler] = {}

# Operators that keep values as they are, so that what stands before them may have the scale that stands behind them.
TRANSPARENT = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Dropout", "MaxPool")
_ACTIVATIONS = ("Relu", "Clip")
# Operators that TFLite has for channels last alone, and those that do not care.
_SPATIAL = (
    "Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Resize", "Upsample",
    "DepthToSpace", "SpaceToDepth",
)  # fmt: skip
_ELEMENTWISE = (
    "QuantizeLinear", "DequantizeLinear", "Add", "Sub", "Mul", "Div", "Relu", "Clip", "LeakyRelu", "PRelu", "Sigmoid", "Tanh",
    "HardSigmoid", "HardSwish", "Elu", "Gelu", "Pad", "Identity", "Dropout",
)  # fmt: skip


def handler(*names: str) -> Callable[[Handler], Handler]:
    """Registers the handler of ONNX operators."""

    def register(function: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(names, function))
        return function

    return register


class Importer:
    """One conversion. Handlers ask for `value`s and `constant`s and give `result`s.

    `ranges` are (lowest, highest) of float values on calibration samples, for those that the model leaves unquantised.
    """

    def __init__(self, model: onnx.ModelProto, ranges: Mapping[str, tuple[float, float]] | None = None) -> None:
        self._ranges = ranges or {}
        self.network = Network(model)
        self.writer = TfliteWriter()
        self.mover = Mover(self.writer)
        self.notes: list[str] = []
        self._values: dict[str, Value] = {}  # by the name of the float value
        self._integers: dict[str, Value] = {}  # by the name of the integer value behind a QuantizeLinear
        self._done: set[int] = set()  # nodes that another has taken in
        self._inputs: list[Value] = []

    def convert(self) -> tuple[bytes, dict[str, Any]]:
        """The .tflite, and what record.Conversion says of it; raises Refusal."""
        for node in self.network.nodes:
            if id(node) not in self._done:
                self._convert(node)
        missing = [name for name in self.network.inputs if all(value.name != name for value in self._inputs)]
        if missing:
            raise Refusal(f"input {missing[0][:80]!r} is not used", "export the model without it")
        outputs = [self._output(name) for name in self.network.outputs]
        content = self.writer.build([value.tensor for value in self._inputs], [value.tensor for value in outputs])
        for what, values in (("input", self._inputs), ("output", outputs)):
            for value in values:
                if value.native != plain(len(value.shape)) and laid_out(value.shape, value.native) != value.shape:
                    here = laid_out(value.shape, value.native)
                    self.notes.append(f"{what} {value.name!r}: {value.shape} as the model was laid out is {here} here")
        tensors = {
            self.writer.name(tensor): _layout(value, order)
            for value in self._values.values()
            for order, tensor in list(value.forms.items())[:1]
            if self.writer.name(tensor) == value.name
        }
        for name, value in zip(
            self.network.outputs, outputs, strict=True
        ):  # quantisers rename what stands before the last pair
            tensors[self.writer.name(value.tensor)] = (name, *_layout(value, value.native)[1:])
        facts = {
            "notes": list(dict.fromkeys(self.notes)),
            "inputs": [_layout(value, value.native) for value in self._inputs],
            "outputs": [_layout(value, value.native) for value in outputs],
            "tensors": tensors,
        }
        return content, facts

    # ---- for handlers ----

    def value(self, node: Any, place: int = 0) -> Value:
        """The quantised activation that is input `place` of `node`."""
        if not self.is_value(node, place):
            raise self.no_value(node, place)
        return self._values[node.input[place]]

    def no_value(self, node: Any, place: int = 0) -> Refusal:
        """The error for an input that is no quantised activation."""
        name = node.input[place] if len(node.input) > place else ""
        why = "is a constant" if self.constant(node, place) is not None else "is not quantised"
        return self.refusal(node, f"its input {name[:80]!r} {why}, expected a quantised activation")

    def known(self, name: str) -> Value:
        """What was given for the float value `name`."""
        return self._values[name]

    def is_value(self, node: Any, place: int) -> bool:
        name = node.input[place] if len(node.input) > place else ""
        if name in self.network.inputs and name not in self._values:
            found = self._sink(name, fuses=False)  # what moves values may stand before the QuantizeLinear
            if found is not None:
                self._enter(name, found[0])
        return name in self._values

    def constant(self, node: Any, place: int) -> QuantConstant | np.ndarray[Any, Any] | None:
        """Input `place` where it is a constant, quantised or not."""
        if len(node.input) <= place or not node.input[place]:
            return None
        name = node.input[place]
        return self.network.quantised.get(name, self.network.constants.get(name))

    def real(self, node: Any, place: int) -> np.ndarray[Any, Any] | None:
        """A constant input as real numbers."""
        found = self.constant(node, place)
        return found.real() if isinstance(found, QuantConstant) else found

    def attribute(self, node: Any, name: str, default: Any = None) -> Any:
        return self.network.attribute(node, name, default)

    def shape(self, node: Any, place: int = 0) -> tuple[int, ...]:
        """The shape of output `place`, in the original."""
        return self.network.shape(node.output[place])

    def name(self, node: Any) -> str:
        """A name for what is made for `node`."""
        return str(node.name or node.output[0])

    def refusal(self, node: Any, why: str, hint: str = "") -> Refusal:
        return Refusal(f"node {label(node)} ({node.op_type}): {why}", hint)

    def note(self, node: Any, text: str) -> None:
        self.notes.append(f"{label(node)} ({node.op_type}): {text}")

    def quant_of(
        self, node: Any, place: int = 0, *, fuses: bool = False, inherited: Quant | None = None
    ) -> tuple[Quant, str, str]:
        """(quantisation, fused activation, name of the float value) that output `place` of `node` gets.

        It is that of the QuantizeLinear behind it. With `fuses`, a Relu or Clip that stands between is taken in. Where
        nothing quantises the output, it is `inherited`, or else an island of float in the model, which is an error.
        """
        found = self._sink(node.output[place], fuses)
        if found is not None:
            return found
        if inherited is not None:
            return inherited, "NONE", node.output[place]
        readers = [reader.op_type for reader in self.network.consumers[node.output[place]]]
        behind = f"read by {', '.join(sorted(set(readers)))}" if readers else "an output of the model"
        raise self.refusal(
            node,
            f"its output {node.output[place][:80]!r}, {behind}, is not quantised, so it would be computed in float",
            "give --calibration, so that its range can be measured; or quantise every layer (the quantiser may have left this one out)",
        )

    def give(
        self, name: str, shape: tuple[int, ...], quant: Quant, order: Order, tensor: int, *, fixed: bool = False
    ) -> None:
        """The float value `name` of the original is `tensor`, laid out in `order`."""
        self._values[name] = Value(name, shape, quant, {order: tensor}, fixed=fixed)

    def give_value(self, name: str, value: Value) -> None:
        self._values[name] = value

    def make(self, name: str, shape: tuple[int, ...], quant: Quant, order: Order, *, fixed: bool = False) -> int:
        """A new tensor for the float value `name`, of `shape` in the original, laid out in `order`."""
        tensor = self.writer.activation(name, laid_out(shape, order), quant.scale, quant.zero_point)
        self.give(name, shape, quant, order, tensor, fixed=fixed)
        return tensor

    # ---- the walk ----

    def _convert(self, node: Any) -> None:
        if node.op_type == "QuantizeLinear":
            self._quantise(node)
        elif node.op_type == "DequantizeLinear":
            self._dequantise(node)
        elif node.op_type == "Clip" and node.input[0] in self._integers:
            self._clip_integers(node)
        elif node.op_type in HANDLERS and node.domain in ("", "ai.onnx"):
            HANDLERS[node.op_type](self, node)
        else:
            domain = f" of {node.domain[:40]}" if node.domain not in ("", "ai.onnx") else ""
            raise self.refusal(
                node, f"the operator{domain} is not supported", "supported: " + ", ".join(sorted(HANDLERS))
            )

    def _quantise(self, node: Any) -> None:
        quant = self._activation_quant(node)
        name = node.input[0]
        if name not in self._values:
            if name not in self.network.inputs:
                raise self.refusal(node, f"its input {name[:80]!r} is not computed by any node before it")
            self._enter(name, quant)
        value = self._values[name]
        if value.fixed and not value.quant.same(quant):
            self.notes.append(
                f"{label(node)}: scale {quant.scale:.6g} and zero point {quant.zero_point} replaced by TFLite's own, "
                f"{value.quant.scale:.6g} and {value.quant.zero_point}"
            )
        elif not value.quant.same(quant):
            value = self.mover.requantised(value, quant, node.output[0])
        self._integers[node.output[0]] = value

    def _dequantise(self, node: Any) -> None:
        value = self._integers.get(node.input[0])
        if value is None:
            raise self.refusal(
                node,
                f"its input {node.input[0][:80]!r} is neither a constant nor quantised",
                "models whose inputs are integers are not supported: let QuantizeLinear be in the model",
            )
        quant = self._activation_quant(node)
        if not value.fixed and not value.quant.same(quant):  # the integers read in another scale
            raise self.refusal(node, f"scale {quant.scale:.6g}, its QuantizeLinear has {value.quant.scale:.6g}")
        self._values[node.output[0]] = value

    def _clip_integers(self, node: Any) -> None:
        """QCDQ: a Clip between QuantizeLinear and DequantizeLinear, which narrows the integers."""
        value = self._integers[node.input[0]]
        unsigned = any(a.dtype == np.uint8 for a in (self.network.constants[n] for n in node.input[1:] if n))
        low, high = (int(self.network.constants[n]) - 128 * unsigned if len(node.input) > k and (n := node.input[k]) else end
                     for k, end in ((1, -128), (2, 127)))  # fmt: skip
        if low > -127 or high < 127:
            raise self.refusal(
                node, f"activations of fewer than 8 bits ({low} to {high})", "quantise activations to 8 bits"
            )
        if low == -127:
            self.note(node, "integers go down to -128 here, to -127 in the model")
        self._integers[node.output[0]] = value

    def _activation_quant(self, node: Any) -> Quant:
        scales, points = self.network.parameters(node)
        if len(scales) != 1:
            raise self.refusal(node, "an activation with a scale a channel", "quantise activations per tensor")
        if scales[0] <= 0:
            raise self.refusal(node, "its scale is 0")
        kind = self.network.constants[node.input[2]].dtype if len(node.input) > 2 else np.dtype(np.uint8)
        if kind not in (np.int8, np.uint8):
            raise self.refusal(node, f"quantises to {kind}", "quantise to int8 or uint8")
        return Quant(float(np.float32(scales[0])), int(points[0]) - (128 if kind == np.uint8 else 0))

    def _enter(self, name: str, quant: Quant) -> None:
        """The model input `name`: channels last where the first that reads it wants that."""
        shape = self.network.shape(name)
        order = (
            channels_last(len(shape)) if len(shape) in (3, 4) and self._wants_channels_last(name) else plain(len(shape))
        )
        self.make(name, shape, quant, order)
        self._inputs.append(self._values[name])
        self._inputs.sort(key=lambda value: self.network.inputs.index(value.name))

    def _wants_channels_last(self, name: str) -> bool:
        ahead, seen = [name], set()
        while ahead:
            value = ahead.pop()
            for reader in self.network.consumers[value]:
                if reader.op_type in _SPATIAL:
                    return True
                if reader.op_type in _ELEMENTWISE and reader.output[0] not in seen:
                    seen.add(reader.output[0])
                    ahead.append(reader.output[0])
        return False

    def _output(self, name: str) -> Value:
        if name not in self._values:
            value = self._integers.get(name)
            if value is None:
                raise Refusal(f"output {name[:80]!r} is not quantised", "let it be quantised, or leave it out")
            return value
        return self._values[name]

    def _sink(self, name: str, fuses: bool) -> tuple[Quant, str, str] | None:
        readers = self.network.consumers[name]
        quantisers = [reader for reader in readers if reader.op_type == "QuantizeLinear"]
        if quantisers:
            return self._activation_quant(quantisers[0]), "NONE", name
        if len(readers) != 1 or name in self.network.outputs:
            return self._measured(name)
        reader = readers[0]
        if fuses and reader.op_type in _ACTIVATIONS:
            behind = self._sink(reader.output[0], fuses=False)
            activation = None if behind is None else self.activation(reader, behind[0])
            if behind is not None and activation is not None:
                self._done.add(id(reader))
                return behind[0], activation, behind[2]
        elif reader.op_type in TRANSPARENT:
            behind = self._sink(reader.output[0], fuses=False)
            if behind is not None:
                return behind[0], "NONE", name
        return self._measured(name)

    def _measured(self, name: str) -> tuple[Quant, str, str] | None:
        """What the calibration samples say of a float value that the model does not quantise."""
        if name not in self._ranges:
            return None
        low, high = min(self._ranges[name][0], 0.0), max(self._ranges[name][1], 0.0)
        scale = float(np.float32((high - low) / 255)) or 1.0
        self.notes.append(f"{name!r} is not quantised in the model: its range is that of the calibration samples")
        return Quant(scale, min(max(round(-128 - low / scale), -128), 127)), "NONE", name

    def bounds(self, node: Any) -> tuple[float, float]:
        """What a Relu or Clip keeps to."""
        if node.op_type == "Relu":
            return 0.0, math.inf
        low = self.real(node, 1) if len(node.input) > 1 else self.attribute(node, "min")
        high = self.real(node, 2) if len(node.input) > 2 else self.attribute(node, "max")
        return (
            -math.inf if low is None else float(np.asarray(low).reshape(-1)[0]),
            math.inf if high is None else float(np.asarray(high).reshape(-1)[0]),
        )

    def activation(self, node: Any, quant: Quant) -> str | None:
        """The TFLite activation that does what a Relu or Clip does to values of `quant`; None where none does."""
        low, high = self.bounds(node)
        slack = quant.scale / 2
        cuts_low, cuts_high = low > quant.low + slack, high < quant.high - slack
        for name, its_low, its_high in (
            ("NONE", -math.inf, math.inf), ("RELU", 0.0, math.inf), ("RELU6", 0.0, 6.0), ("RELU_N1_TO_1", -1.0, 1.0)
        ):  # fmt: skip
            low_fits = low == its_low if cuts_low else its_low <= quant.low + slack
            high_fits = high == its_high if cuts_high else its_high >= quant.high - slack
            if low_fits and high_fits:
                return name
        return None


def _layout(value: Value, order: Order) -> tuple[str, tuple[int, ...], Order]:
    return value.name, value.shape, () if order == plain(len(order)) else order
