"""Operators that move values and compute nothing: their output has the scale of their input."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcu_harness.model.convert.qdq.importer import Importer, handler
from mcu_harness.model.convert.qdq.values import Value


@handler("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def reshape(importer: Importer, node: Any) -> None:
    name = node.output[0]
    importer.give_value(name, importer.mover.reshaped(importer.value(node), importer.shape(node), name))


@handler("Identity", "Dropout")
def identity(importer: Importer, node: Any) -> None:
    importer.give_value(node.output[0], importer.value(node))


@handler("Expand")
def expand(importer: Importer, node: Any) -> None:
    value = importer.value(node)
    if importer.shape(node) != value.shape:
        raise importer.refusal(node, f"repeats {value.shape} to {importer.shape(node)}")
    importer.give_value(node.output[0], value)


@handler("Transpose")
def transpose(importer: Importer, node: Any) -> None:
    value = importer.value(node)
    axes = importer.attribute(node, "perm") or list(range(len(value.shape)))[::-1]
    importer.give_value(node.output[0], importer.mover.transposed(value, axes, node.output[0]))


@handler("Concat")
def concat(importer: Importer, node: Any) -> None:
    """CONCATENATION, with a QUANTIZE before each part that has another scale."""
    shape = importer.shape(node)
    axis = int(importer.attribute(node, "axis")) % len(shape)
    values = [importer.value(node, k) for k in range(len(node.input)) if importer.is_value(node, k)]
    if not values:
        raise importer.no_value(node)
    alike = all(value.quant.same(values[0].quant) for value in values)
    quant, _, name = importer.quant_of(node, inherited=values[0].quant if alike else None)
    order = max(values, key=lambda value: np.prod(value.shape)).native
    parts = []
    for place in range(len(node.input)):
        part = f"{importer.name(node)}/part_{place}"
        if importer.is_value(node, place):
            value = importer.value(node, place)
            if not value.quant.same(quant):
                importer.note(node, f"part {place} has another scale: QUANTIZE put before it")
            parts.append(importer.mover.get(importer.mover.requantised(value, quant, part), order))
        else:
            real = importer.real(node, place)
            if real is None:
                raise importer.no_value(node, place)
            laid = np.ascontiguousarray(quant.of(np.asarray(real)).transpose(order))
            parts.append(importer.writer.constant(part, laid, [quant.scale], [quant.zero_point]))
    result = importer.make(name, shape, quant, order)
    importer.writer.operator("CONCATENATION", parts, [result], axis=order.index(axis), fusedActivationFunction="NONE")


@handler("Pad")
def pad(importer: Importer, node: Any) -> None:
    """PAD with zeros, PADV2 with another value, MIRROR_PAD."""
    value, network = importer.value(node), importer.network
    rank, mode = len(value.shape), importer.attribute(node, "mode", "constant")
    pads = network.whole(node, 1, "pads") or [0] * 2 * rank
    axes = network.whole(node, 3) or list(range(rank))
    before, after = [0] * rank, [0] * rank
    for number, axis in enumerate(axes):
        before[axis % rank], after[axis % rank] = pads[number], pads[number + len(axes)]
    if min(*before, *after) < 0:
        raise importer.refusal(node, "negative pads", "use Slice")
    fill = importer.real(node, 2) if len(node.input) > 2 and node.input[2] else importer.attribute(node, "value", 0.0)
    fill = float(np.asarray(fill).reshape(-1)[0]) if fill is not None and np.size(fill) else 0.0
    writer, name, order = importer.writer, node.output[0], value.native
    amounts = writer.indices(f"{importer.name(node)}/pads", [[before[axis], after[axis]] for axis in order])
    tensor = value.tensor
    result = importer.make(name, importer.shape(node), value.quant, order)
    if mode in ("reflect", "edge", "wrap"):
        if mode != "reflect":
            raise importer.refusal(node, f"mode {mode!r}")
        writer.operator("MIRROR_PAD", [tensor, amounts], [result], mode="REFLECT")
    elif fill == 0.0:
        writer.operator("PAD", [tensor, amounts], [result])
    else:
        quant = value.quant
        filler = writer.constant(
            f"{importer.name(node)}/value", quant.of(np.array([fill])), [quant.scale], [quant.zero_point]
        )
        writer.operator("PADV2", [tensor, amounts, filler], [result])


@handler("Slice")
def slice_(importer: Importer, node: Any) -> None:
    value, network = importer.value(node), importer.network
    rank = len(value.shape)
    starts, ends = network.whole(node, 1, "starts") or [], network.whole(node, 2, "ends") or []
    axes = network.whole(node, 3, "axes") or list(range(len(starts)))
    steps = network.whole(node, 4) or [1] * len(starts)
    picks = [slice(0, size, 1) for size in value.shape]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step < 1:
            raise importer.refusal(node, f"step {step}, expected 1 or more")
        picks[axis % rank] = slice(*slice(start, end, step).indices(value.shape[axis % rank]))
    _slice(importer, node, value, picks, node.output[0])


@handler("Split")
def split(importer: Importer, node: Any) -> None:
    """SPLIT into equal parts; a STRIDED_SLICE each for others."""
    value = importer.value(node)
    axis = int(importer.attribute(node, "axis", 0)) % len(value.shape)
    shapes = [importer.shape(node, k) for k in range(len(node.output))]
    if len({shape[axis] for shape in shapes}) == 1:
        writer, order = importer.writer, value.native
        tensor = value.tensor
        where = writer.constant(f"{importer.name(node)}/axis", np.array(order.index(axis), np.int32))
        results = [importer.make(n, s, value.quant, order) for n, s in zip(node.output, shapes, strict=True)]
        writer.operator("SPLIT", [where, tensor], results, numSplits=len(results))
        return
    begin = 0
    for name, shape in zip(node.output, shapes, strict=True):
        picks = [slice(0, size, 1) for size in value.shape]
        picks[axis] = slice(begin, begin + shape[axis], 1)
        _slice(importer, node, value, picks, name)
        begin += shape[axis]


@handler("Gather")
def gather(importer: Importer, node: Any) -> None:
    """A slice for one position or a run of them, GATHER for others."""
    value = importer.value(node)
    axis = int(importer.attribute(node, "axis", 0)) % len(value.shape)
    found = importer.constant(node, 1)
    if not isinstance(found, np.ndarray) or found.ndim > 1:
        raise importer.refusal(node, "positions that are computed, or of several dimensions")
    positions = [int(k) % value.shape[axis] for k in found.reshape(-1)]
    name, run = node.output[0], list(range(positions[0], positions[0] + len(positions)))
    if positions == run:
        picks = [slice(0, size, 1) for size in value.shape]
        picks[axis] = slice(run[0], run[-1] + 1, 1)
        between = name if found.ndim else f"{name}/kept"
        _slice(importer, node, value, picks, between)
        if not found.ndim:
            importer.give_value(name, importer.mover.reshaped(importer.known(between), importer.shape(node), name))
        return
    order, tensor = value.native, value.tensor
    where = importer.writer.indices(f"{importer.name(node)}/positions", positions)
    result = importer.make(name, importer.shape(node), value.quant, order)
    importer.writer.operator("GATHER", [tensor, where], [result], axis=order.index(axis))


@handler("DepthToSpace", "SpaceToDepth")
def depth_and_space(importer: Importer, node: Any) -> None:
    if importer.attribute(node, "mode", "DCR") != "DCR":
        raise importer.refusal(node, "mode CRD (PixelShuffle), which TFLite has not", "reorder the channels before it")
    order = (0, 2, 3, 1)
    value = importer.value(node)
    tensor = importer.mover.get(value, order)
    result = importer.make(node.output[0], importer.shape(node), value.quant, order)
    code = {"DepthToSpace": "DEPTH_TO_SPACE", "SpaceToDepth": "SPACE_TO_DEPTH"}[node.op_type]
    importer.writer.operator(code, [tensor], [result], blockSize=int(importer.attribute(node, "blocksize")))


def _slice(importer: Importer, node: Any, value: Value, picks: list[slice], name: str) -> None:
    """STRIDED_SLICE by what `picks` takes of each dimension of the original."""
    shape = tuple(len(range(pick.start, pick.stop, pick.step)) for pick in picks)
    if not all(shape):
        raise importer.refusal(node, "takes nothing")
    writer, order, own = importer.writer, value.native, importer.name(node)
    tensor = value.tensor
    if shape == value.shape:
        importer.give_value(name, value)
        return
    bounds = [
        writer.indices(f"{own}/{what}", [getattr(picks[axis], end) for axis in order])
        for what, end in (("begin", "start"), ("end", "stop"), ("step", "step"))
    ]
    result = importer.make(name, shape, value.quant, order)
    writer.operator("STRIDED_SLICE", [tensor, *bounds], [result])
