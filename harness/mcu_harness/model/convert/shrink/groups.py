"""Which channels belong together: what makes them, what only hands them on, and what reads them.

A channel can be taken out of a net where all of its makers, all constants on its way and all of its readers lose it at once.
Layers that are added to each other are made by several; where a way leads through something that is not known here, or out
of the net, the channels stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mcu_harness.model.convert.shrink.net import Array, Net, attribute, label

# A channel in gives the same channel out, and nothing of the others.
_POINTWISE = frozenset(
    ("Relu", "Clip", "LeakyRelu", "Elu", "Selu", "Celu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Gelu", "Softplus", "Identity")
)  # fmt: skip
_POOLS = frozenset(("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"))
_BINARY = frozenset(("Add", "Sub", "Mul", "Div"))
# Those that give 0 for 0.
_KEEPS_ZERO = frozenset(("Relu", "LeakyRelu", "Elu", "Selu", "Celu", "Tanh", "HardSwish", "Gelu", "Identity", *_POOLS))
_MAY_KEEP_ZERO = frozenset(
    ("Flatten", "Reshape", "Squeeze", "Transpose", "ReduceMean", "Conv", *_BINARY)
)  # what else they read decides


class NotKnown(Exception):
    """Where a way of channels leads to what is not known here."""


@dataclass(frozen=True, slots=True)
class Part:
    """A constant with channels along `axis`, `block` elements in a row for each; of `node`."""

    node: Any
    name: str
    axis: int
    block: int = 1


@dataclass(slots=True)
class Group:
    """Channels that come and go together. `makers` have filters and biases, `carried` constants on the way, `readers` filters.

    `depthwise` nodes have the number of channels as an attribute, `reshapes` a shape that holds it.
    """

    count: int
    makers: list[Part] = field(default_factory=list)
    biases: list[Part] = field(default_factory=list)
    carried: list[Part] = field(default_factory=list)
    readers: list[Part] = field(default_factory=list)
    depthwise: list[Any] = field(default_factory=list)
    reshapes: list[Any] = field(default_factory=list)
    keeps_zero: bool = True

    @property
    def name(self) -> str:
        return " + ".join(label(part.node) for part in self.makers)


def groups(net: Net) -> tuple[list[Group], list[str]]:
    """All groups whose channels can be taken out, and a sentence for each layer whose channels cannot."""
    found: list[Group] = []
    kept: list[str] = []
    done: set[int] = set()
    for node in net.nodes:
        if id(node) in done or not _makes(net, node):
            continue
        try:
            group = _Walk(net, node).group
        except NotKnown as why:
            kept.append(f"{label(node)} keeps its channels: {why}")
            continue
        done |= {id(part.node) for part in group.makers}
        found.append(group)
    return found, kept


def _makes(net: Net, node: Any) -> bool:
    """Whether `node` computes each of its channels with a filter of its own."""
    if node.op_type == "Conv":
        return node.input[1] in net.constants and attribute(node, "group", 1) == 1
    if node.op_type in ("Gemm", "MatMul"):
        return node.input[1] in net.constants and net.constants[node.input[1]].ndim == 2
    return False


class _Walk:
    """Follows the channels of one maker through the net, both ways."""

    def __init__(self, net: Net, node: Any) -> None:
        self.net = net
        part = self._maker_part(node)
        self.group = Group(net.constants[part.name].shape[part.axis])
        self._known: dict[str, tuple[int, int]] = {}
        self._done: set[int] = set()
        self._todo: list[str] = []
        self._add(node.output[0], self._channel_axis(node), 1)
        while self._todo:
            value = self._todo.pop()
            self._backward(value)
            for reader in net.readers(value):
                self._forward(value, reader)
            if value in net.outputs:
                raise NotKnown("they are an output of the model")

    def _add(self, value: str, axis: int, block: int) -> None:
        if value in self._known:
            if self._known[value] != (axis, block):
                raise NotKnown(f"{value} has them in two orders")
            return
        shape = self.net.shape(value)
        if len(shape) <= axis or shape[axis] != self.group.count * block:
            raise NotKnown(f"the shape of {value} is not known")
        self._known[value] = (axis, block)
        self._todo.append(value)

    def _channel_axis(self, node: Any) -> int:
        return 1 if node.op_type == "Conv" else len(self.net.shape(node.output[0])) - 1

    def _maker_part(self, node: Any) -> Part:
        turned = node.op_type == "Conv" or (node.op_type == "Gemm" and attribute(node, "transB", 0))
        return Part(node, node.input[1], 0 if turned else 1)

    def _backward(self, value: str) -> None:
        """What makes `value`: a maker, or something that hands channels on."""
        node = self.net.maker(value)
        if node is None:
            raise NotKnown("they meet an input of the model")
        if id(node) in self._done:
            return
        axis, block = self._known[value]
        if _makes(self.net, node) and block == 1 and axis == self._channel_axis(node):
            self._done.add(id(node))
            part = self._maker_part(node)
            self.group.makers.append(part)
            if len(node.input) > 2 and node.input[2]:
                bias = self.net.constants.get(node.input[2])
                if bias is None or bias.size != self.group.count:
                    raise NotKnown(f"{label(node)} has a bias that is no constant for each channel")
                self.group.biases.append(Part(node, node.input[2], bias.ndim - 1))
            return
        self._handed_on(node)

    def _forward(self, value: str, node: Any) -> None:
        """What reads `value`: a layer with filters for each channel, or something that hands channels on."""
        axis, block = self._known[value]
        if _makes(self.net, node) and node.input[0] == value:
            if id((node, value)) in self._done or any(part.node is node for part in self.group.readers):
                return
            if node.op_type == "Conv":
                if axis != 1 or block != 1:
                    raise NotKnown(f"{label(node)} reads them in another order")
                self.group.readers.append(Part(node, node.input[1], 1))
                return
            if axis != len(self.net.shape(value)) - 1 or attribute(node, "transA", 0):
                raise NotKnown(f"{label(node)} does not read them along its last axis")
            turned = node.op_type == "Gemm" and attribute(node, "transB", 0)
            self.group.readers.append(Part(node, node.input[1], 1 if turned else 0, block))
            return
        self._handed_on(node)

    def _handed_on(self, node: Any) -> None:
        """Channels on both sides of `node`; raises NotKnown for a node that mixes them, or that is not known."""
        if id(node) in self._done:
            return
        self._done.add(id(node))
        kind, data, result = node.op_type, node.input[0], node.output[0]
        self.group.keeps_zero &= kind in _KEEPS_ZERO or kind in _MAY_KEEP_ZERO or is_relu(node, self.net)
        known = self._known.get(data) or self._known.get(result)
        if kind in _POINTWISE or (kind in _POOLS and known is not None and known[0] == 1):
            self._both(data, result)
        elif kind == "Conv" and self._is_depthwise(node):
            self.group.depthwise.append(node)
            self.group.carried += [Part(node, name, 0) for name in node.input[1:] if name]
            self.group.keeps_zero &= len(node.input) < 3 or not node.input[2]
            self._both(data, result)
        elif kind in ("Flatten", "Reshape", "Squeeze"):
            self._flattened(node)
        elif kind == "Transpose":
            self._turned(node)
        elif kind == "ReduceMean" and self._is_spatial_mean(node):
            self._both(data, result)
        elif kind in _BINARY:
            self._binary(node)
        else:
            raise NotKnown(f"{label(node)} is not known to keep channels apart")

    def _both(self, data: str, result: str) -> None:
        known = self._known.get(data) or self._known[result]
        self._add(data, *known)
        self._add(result, *known)

    def _is_depthwise(self, node: Any) -> bool:
        filters = self.net.constants.get(node.input[1])
        return (
            filters is not None
            and attribute(node, "group", 1) == filters.shape[0] == self.group.count
            and filters.shape[1] == 1
        )

    def _is_spatial_mean(self, node: Any) -> bool:
        axes = attribute(node, "axes")
        if axes is None and len(node.input) > 1 and node.input[1] in self.net.constants:
            axes = self.net.constants[node.input[1]].tolist()
        rank = len(self.net.shape(node.input[0]))
        return axes is not None and sorted(axis % rank for axis in axes) == list(range(2, rank))

    def _flattened(self, node: Any) -> None:
        """(1, channels, ...) to (1, all): the elements of a channel lie in a row."""
        before, after = self.net.shape(node.input[0]), self.net.shape(node.output[0])
        if len(before) < 2 or len(after) != 2 or before[0] != after[0]:
            raise NotKnown(f"{label(node)} puts them in another order")
        block = int(np.prod(before[2:], initial=1))
        if node.op_type == "Reshape":
            self.group.reshapes.append(node)
        self._add(node.input[0], 1, 1)
        self._add(node.output[0], 1, block)

    def _turned(self, node: Any) -> None:
        """Dimension i behind `node` is dimension `perm[i]` before it."""
        data, result = node.input[0], node.output[0]
        order = attribute(node, "perm") or list(reversed(range(len(self.net.shape(data)))))
        if data in self._known:
            axis, block = self._known[data]
            self._add(result, list(order).index(axis), block)
        else:
            axis, block = self._known[result]
            self._add(data, order[axis], block)

    def _binary(self, node: Any) -> None:
        result = node.output[0]
        constants = [name for name in node.input if name in self.net.constants]
        values = [name for name in node.input if name not in self.net.constants]
        known = next(self._known[name] for name in (*values, result) if name in self._known)
        axis, block = known
        rank = len(self.net.shape(result))
        for name in constants:
            array = self.net.constants[name]
            own = axis - (rank - array.ndim)
            if own >= 0 and array.shape[own] != 1:
                if array.shape[own] != self.group.count * block:
                    raise NotKnown(f"{label(node)} spreads them")
                self.group.carried.append(Part(node, name, own, block))
            self.group.keeps_zero &= node.op_type in ("Mul", "Div") and node.input[0] != name
        for name in values:
            if len(self.net.shape(name)) != rank:
                raise NotKnown(f"{label(node)} spreads them")
            self._add(name, axis, block)
        self._add(result, axis, block)


def take_out(net: Net, group: Group, gone: Sequence[int]) -> None:
    """Take the channels `gone` out of every part of `group`."""
    keep = np.setdiff1d(np.arange(group.count), np.asarray(gone))
    for part in (*group.makers, *group.biases, *group.carried, *group.readers):
        elements = (keep[:, np.newaxis] * part.block + np.arange(part.block)).reshape(-1)
        net.constants[part.name] = np.take(net.constants[part.name], elements, axis=part.axis)
    for node in group.depthwise:
        for each in node.attribute:
            if each.name == "group":
                each.i = len(keep)
    for node in group.reshapes:
        name = net.fresh("flat")
        net.constants[name] = np.array([1, -1], np.int64)
        node.input[1] = name
    group.count = len(keep)


def per_channel(net: Net, part: Part, count: int) -> Array:
    """The values of `part`, a row for each channel."""
    rows = np.moveaxis(net.constants[part.name], part.axis, 0).reshape(count, -1)
    return np.asarray(rows)


def is_relu(node: Any, net: Net) -> bool:
    """Whether `node` gives 0 for everything below 0."""
    if node.op_type == "Relu":
        return True
    if node.op_type != "Clip":
        return False
    low = attribute(node, "min")
    if low is None and len(node.input) > 1 and node.input[1] in net.constants:
        low = float(net.constants[node.input[1]])
    return bool(low == 0)
