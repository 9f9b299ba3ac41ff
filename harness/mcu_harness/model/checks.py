"""Checks that a graph is one that the kernels, the planner and the oracle can take; everything else is refused here.

What passes has: activations of int8 with one scale each (float32 and uint8 only into and out of QUANTIZE and
DEQUANTIZE), constants that are really constant, output shapes that follow from the inputs, and tensors written before they are read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from mcu_harness.base.errors import ModelError
from mcu_harness.model.graph import DTYPE_BYTES, RANGES, Graph, Layer, Tensor
from mcu_harness.model.operation import Operation, ShapeError
from mcu_harness.model.operators.catalogue import OPERATORS, output_shapes
from mcu_harness.model.operators.operator import MAX_RANK, Operator, Role
from mcu_harness.model.scales import Problem, quantization_problems
from mcu_harness.model.unsupported_models import hint_of_custom_operator, hint_of_operators, hint_of_type

_LONGEST_PROBLEM = 400  # characters: shapes in a file have any length
MAX_TENSOR_BYTES = 1 << 26  # an activation larger than this fits no Cortex-M
MAX_STATE_BYTES = 1 << 22  # larger than any Cortex-M's RAM
# Scales outside of this range come from damage, not from training. Constants may go down to zero: converters give
# filter channels that are all zero such scales.
MIN_ACTIVATION_SCALE, MAX_SCALE = 2.0**-40, 2.0**40


def validate(graph: Graph, source: str) -> None:
    """Raise ModelError, naming `source`, layer, operator and tensor, for the first thing that is not supported."""
    _check_operators(graph, source)
    _check_order(graph, source)
    used = {*graph.inputs, *graph.outputs, *(i for layer in graph.layers for i in (*layer.inputs, *layer.outputs))}
    for tensor in graph.tensors:
        problem = _tensor_problem(tensor) if tensor.index in used else ""
        if problem:
            raise ModelError(f"{source}: {label(tensor)}: {problem}")
    for layer in graph.layers:
        for operand, problem in _problems(graph, layer):
            place = layer.place + (f": {label(operand)}" if operand is not None else "")
            shown = problem if len(problem) <= _LONGEST_PROBLEM else problem[:_LONGEST_PROBLEM] + " ..."
            raise ModelError(f"{source}: {place}: {shown}", hint=hint_of_type(operand, problem))


def label(tensor: Tensor) -> str:
    """How messages name a tensor: its name is quoted, shortened and free of control characters."""
    name = tensor.name if len(tensor.name) <= 60 else tensor.name[:57] + "..."
    return f"tensor {tensor.index} {name!a}"


def _check_operators(graph: Graph, source: str) -> None:
    unknown: dict[str, list[Layer]] = {}
    for layer in graph.layers:
        if layer.operator not in OPERATORS:
            unknown.setdefault(layer.operator, []).append(layer)
    if not unknown:
        return
    named = "; ".join(
        f"{operator} ({'layer' if len(layers) == 1 else 'layers'} {', '.join(str(x.index if x.number < 0 else x.number) for x in layers[:8])}"
        f"{', ...' if len(layers) > 8 else ''}, first output {label(graph.tensors[layers[0].outputs[0]])})"
        for operator, layers in list(unknown.items())[:8]
    )
    customs = (layer.operator.removeprefix("CUSTOM '") for layer in graph.layers if layer.operator.startswith("CUSTOM"))
    step = next(filter(None, map(hint_of_custom_operator, customs)), "")
    raise ModelError(
        f"{source}: operators that are not supported: {named}",
        hint=step
        or hint_of_operators(unknown)
        or (
            "give C for them in a scenario ([operators.NAME] source, docs/howto/custom-operators.md), or "
            if all(map(_is_custom, unknown))
            else ""
        )
        + "replace them in the model, add them (docs/howto/add-an-operator.md), or measure firmware that runs the model with "
        f"`mcu-harness profile`; supported operators: {', '.join(OPERATORS)}",
    )


def _is_custom(operator: str) -> bool:
    return operator.startswith("CUSTOM")


def _check_order(graph: Graph, source: str) -> None:
    """Every tensor has one writer, and it comes before all readers."""
    if not graph.layers or not graph.inputs or not graph.outputs:
        raise ModelError(f"{source}: the model has no layers, no inputs or no outputs")
    written: set[int] = set()
    for index in graph.inputs:
        if index in written or graph.tensors[index].is_constant or graph.tensors[index].is_state:
            raise ModelError(f"{source}: {label(graph.tensors[index])} is a model input twice, constant, or a state")
        if graph.tensors[index].dtype not in ("int8", "uint8", "int16", "float32", "int32", "bool"):
            raise ModelError(
                f"{source}: model input {label(graph.tensors[index])} is {graph.tensors[index].dtype}, "
                "expected int8, int32, bool, or uint8, int16 or float32 into a QUANTIZE",
                hint="convert the model with inference_input_type=tf.int8",
            )
        written.add(index)
    for layer in graph.layers:
        for index in layer.inputs:
            tensor = graph.tensors[index]
            if index >= 0 and index not in written and not tensor.is_constant and not tensor.is_state:
                raise ModelError(f"{source}: {layer.place} reads {label(graph.tensors[index])} before it is written")
        for index in layer.outputs:
            tensor = graph.tensors[index]
            if (index in written and not tensor.is_state) or tensor.is_constant:
                raise ModelError(f"{source}: {layer.place} writes {label(graph.tensors[index])} a second time")
            written.add(index)
    for index in graph.outputs:
        if index not in written or graph.tensors[index].is_state:
            raise ModelError(f"{source}: model output {label(graph.tensors[index])} is never written")


def _tensor_problem(tensor: Tensor) -> str:
    """What is wrong with a tensor by itself, "" if nothing."""
    if len(tensor.shape) > MAX_RANK:
        return f"{len(tensor.shape)} dimensions, at most {MAX_RANK} are supported"
    if tensor.dtype not in DTYPE_BYTES:
        return f"type {tensor.dtype} is not supported here"
    if any(size < 1 for size in tensor.shape):
        return f"shape {tensor.shape} is not static and positive"
    if tensor.nbytes > MAX_TENSOR_BYTES:
        return f"{tensor.nbytes} bytes are more than any Cortex-M holds (limit {MAX_TENSOR_BYTES})"
    if tensor.is_state and tensor.nbytes > MAX_STATE_BYTES:
        return f"a state of {tensor.nbytes} bytes, at most {MAX_STATE_BYTES} are supported"
    quantization = tensor.quantization
    if quantization is None:
        return ""
    smallest = 0.0 if tensor.is_constant else MIN_ACTIVATION_SCALE
    if not all(math.isfinite(s) and smallest <= s <= MAX_SCALE for s in quantization.scales):
        return "a scale is not a sensible positive number"
    if quantization.per_channel:
        channels = tensor.shape[quantization.axis] if quantization.axis < len(tensor.shape) else 0
        if len(quantization.scales) != channels:
            return f"{len(quantization.scales)} scales for {channels} channels along axis {quantization.axis}"
    low, high = RANGES.get(tensor.dtype, (-(2**63), 2**63))
    if not all(low <= point <= high for point in quantization.zero_points):
        return f"a zero point is outside {tensor.dtype}"
    return ""


def _problems(graph: Graph, layer: Layer) -> Iterator[Problem]:
    """Everything wrong with a layer, most basic first: later checks rely on earlier ones having passed."""
    rule, operation = OPERATORS[layer.operator], Operation.of(graph, layer)
    yield from _count_problems(rule, operation)
    roles = rule.roles(len(operation.inputs))
    kind = rule.computes_in(operation.inputs)
    for tensor, role in zip(operation.inputs, roles, strict=True):
        if tensor is not None and (problem := _role_problem(tensor, role, rule, (kind,))):
            yield tensor, problem
    if all(tensor is None or tensor.is_constant for tensor in operation.inputs):
        yield None, "all inputs are constant"
    for tensor in operation.outputs:
        if problem := _role_problem(tensor, rule.output, rule, rule.results or (kind,)):
            yield tensor, problem
    for tensor in (*operation.inputs, *operation.outputs):
        if tensor is not None and len(tensor.shape) > rule.max_rank:
            yield tensor, f"{len(tensor.shape)} dimensions, at most {rule.max_rank} are supported here"
    yield from _option_problems(operation)
    try:
        expected = output_shapes(graph, layer)
    except ShapeError as error:
        yield None, str(error)
        return
    for tensor, shape in zip(operation.outputs, expected, strict=True):
        if tensor.shape != shape:
            yield tensor, f"the model says shape {tensor.shape}, its inputs give {shape}"
    yield from quantization_problems(rule, operation)


def _count_problems(rule: Operator, operation: Operation) -> Iterator[Problem]:
    given, most = len(operation.inputs), len(rule.inputs)
    least = most - rule.optional
    if given < least or (given > most and not rule.repeated):
        yield None, f"{given} inputs, expected {least if least == most else f'{least} to {most}'}"
    lacking = [
        position
        for position, tensor in enumerate(operation.inputs)
        if tensor is None and (position < least or position >= most) and rule.roles(given)[position] is not Role.ABSENT
    ]
    if lacking:
        yield None, "an input that is not optional is missing"
    if not operation.outputs or (rule.outputs is not None and len(operation.outputs) != rule.outputs):
        yield None, f"{len(operation.outputs)} outputs, expected {rule.outputs or '1 or more'}"


def _role_problem(tensor: Tensor, role: Role, rule: Operator, types: tuple[str, ...]) -> str:
    """Why `tensor` cannot play `role`, "" if it can; `types` are those of activations here."""
    expected = f"expected {role.value}"
    if role in _COMPUTED and types != ("int8",):
        expected = expected.replace("int8", " or ".join(types))
    found = f"{'constant' if tensor.is_constant else 'activation'} of {tensor.dtype}"
    if role in (Role.BIAS, Role.INDICES):
        wide = role is Role.BIAS and "int16" in types
        fits = tensor.dtype in (("int32", "int64") if wide else ("int32",)) and tensor.is_constant
        if fits and role is Role.BIAS and tensor.quantization and any(tensor.quantization.zero_points):
            return "a bias must have zero point 0"
        return "" if fits else f"{found}, {expected}"
    if role is Role.ABSENT:
        return f"{found} where nothing is supported"
    if role is Role.TIME_WEIGHTS:
        fits = tensor.is_constant and tensor.dtype in ("int8", "int16") and tensor.quantization is not None
        return "" if fits and not any(tensor.quantization.zero_points) else f"{found}, {expected}"  # type: ignore[union-attr]
    if role in _STATES:
        fits = tensor.is_state and tensor.dtype in _STATES[role]
        return "" if fits and tensor.quantization is not None else f"{found}, {expected}"
    if role in (Role.MOVED, Role.MOVED_VALUE):
        fits = role is Role.MOVED_VALUE or not tensor.is_constant
        return "" if fits and tensor.dtype in DTYPE_BYTES else f"{found}, {expected}"
    if role in _PLAIN_TYPES:
        fits = tensor.dtype in _PLAIN_TYPES[role] and (role in _MAY_BE_CONSTANT or not tensor.is_constant)
        return "" if fits else f"{found}, {expected}"
    if role is Role.FLOAT or (role is Role.FLOAT_OR_INTEGER and tensor.dtype == "float32"):
        return "" if tensor.dtype == "float32" and not tensor.is_constant else f"{found}, {expected}"
    types = _TYPES.get(role, types if role in _COMPUTED else ("int8",))
    if tensor.dtype not in types or (role is not Role.VALUE and tensor.is_constant != _is_constant(role)):
        return f"{found}, {expected}"
    if tensor.dtype not in RANGES and role is not Role.INTEGER:
        return ""
    if tensor.quantization is None:
        return f"an {tensor.dtype} tensor without scale and zero point, {expected}"
    if role is Role.FILTER:
        if any(tensor.quantization.zero_points):
            return "a filter must have zero point 0"
        if tensor.quantization.per_channel and tensor.quantization.axis != rule.filter_axis:
            return f"scales per channel along axis {tensor.quantization.axis}, expected axis {rule.filter_axis}"
    elif tensor.quantization.per_channel:
        return "scales per channel are for filters only"
    if role is Role.PAD_VALUE and tensor.elements != 1:
        return expected
    return ""


_TYPES = {
    Role.QUANTISED: ("int8", "uint8", "int16"),
    Role.INTEGER: ("int8", "uint8", "int16", "int32"),
    Role.FLOAT_OR_INTEGER: ("int8", "uint8", "int16", "int32"),
}
# What is counted or true, whatever scale it has.
_PLAIN_TYPES = {
    Role.NUMBERS: ("int32",),
    Role.PLACES: ("int32", "int64"),
    Role.TRUTHS: ("bool",),
    Role.NUMBERS_OR_TRUTHS: ("int8", "uint8", "int16", "int32", "bool"),
    Role.COUNTED: ("float32", "int8", "uint8", "int16", "int32", "bool"),
}
_MAY_BE_CONSTANT = (Role.NUMBERS, Role.TRUTHS)
_COMPUTED = (Role.ACTIVATION, Role.VALUE)
_STATES = {Role.STATE: ("int8",), Role.WIDE_STATE: ("int16",), Role.ANY_STATE: ("int8", "int16")}


def _is_constant(role: Role) -> bool:
    return role in (Role.FILTER, Role.PAD_VALUE)


def _option_problems(operation: Operation) -> Iterator[Problem]:
    """Options that are well formed but that no kernel of ours (or of LiteRT) implements."""
    for name, supported in SUPPORTED_OPTIONS.items():
        value = operation.attributes.get(name)
        if value is not None and value not in supported:
            yield None, f"{name} is {value!r}, supported: {', '.join(repr(v) for v in supported)}"
    if operation.attributes.get("align_corners") and operation.attributes.get("half_pixel_centers"):
        yield None, "align_corners and half_pixel_centers exclude each other"
    for name, least in (("alpha", -1e6), ("beta", 0.0)):
        value = operation.attributes.get(name)
        if isinstance(value, float) and not least <= value <= 1e6:
            yield None, f"{name} is {value}, expected {least:g} to 1e6"


SUPPORTED_OPTIONS: dict[str, tuple[str | int | bool, ...]] = {
    "padding": ("SAME", "VALID"),
    "fused_activation": ("NONE", "RELU", "RELU6", "RELU_N1_TO_1"),
    "weights_format": ("DEFAULT",),
    "ellipsis_mask": (0,),
    "offset": (False,),
}
