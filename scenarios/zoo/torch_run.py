"""Runs nodes of an ONNX graph in PyTorch, so that their weights can be trained: the operators of the zoo's classifiers and no others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from onnx import helper, numpy_helper
from torch.nn import functional

Values = dict[str, torch.Tensor]


def trained(
    nodes: Sequence[Any],
    constants: Sequence[Any],
    given: str,
    scores: str,
    batches: Sequence[tuple[np.ndarray, np.ndarray]],
) -> list[Any]:
    """`constants` with their floats trained by Adam, so that `scores`, which are behind a softmax, name the labels of `given`."""
    torch.set_num_threads(1)
    arrays = {each.name: numpy_helper.to_array(each) for each in constants}
    weights = {
        name: torch.from_numpy(array.copy()).requires_grad_()
        for name, array in arrays.items()
        if array.dtype == np.float32
    }
    fixed = {name: torch.from_numpy(array.copy()) for name, array in arrays.items() if name not in weights}
    optimizer = torch.optim.Adam(weights.values(), 2e-3)
    for pictures, labels in batches:
        values: Values = {**weights, **fixed, given: torch.from_numpy(pictures)}
        for node in nodes:
            attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
            values[node.output[0]] = _RUNS[node.op_type](*(values[name] for name in node.input), **attributes)
        loss = functional.nll_loss(torch.log(values[scores] + 1e-7), torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [
        numpy_helper.from_array(weights[each.name].detach().numpy(), each.name) if each.name in weights else each
        for each in constants
    ]


def _conv(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, strides: list[int], pads: list[int], group: int) -> Any:
    return functional.conv2d(x, w, b, strides, pads[:2], groups=group)


def _slice(x: torch.Tensor, begin: torch.Tensor, end: torch.Tensor, axis: torch.Tensor) -> Any:
    return x.narrow(int(axis), int(begin), int(end - begin))


def _average(x: torch.Tensor, kernel_shape: list[int], strides: list[int], pads: list[int]) -> Any:
    return functional.avg_pool2d(x, kernel_shape, strides, pads[:2], count_include_pad=False)


_RUNS: dict[str, Callable[..., Any]] = {
    "Add": torch.add,
    "AveragePool": _average,
    "Concat": lambda *parts, axis: torch.cat(parts, axis),
    "Conv": _conv,
    "Flatten": lambda x, axis: torch.flatten(x, axis),
    "Gemm": lambda x, w, b, transB: functional.linear(x, w, b),  # noqa: N803 - as ONNX calls it; always 1 here
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "MaxPool": lambda x, kernel_shape, strides: functional.max_pool2d(x, kernel_shape, strides),
    "Relu": torch.relu,
    # of each sample of the batch: the graph has a batch of one
    "Reshape": lambda x, shape: x.reshape(len(x), *shape.tolist()[1:]),
    "Slice": _slice,
    "Softmax": lambda x, axis: torch.softmax(x, axis),
    "Transpose": lambda x, perm: x.permute(perm),
}
