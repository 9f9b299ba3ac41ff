"""Firmware outputs against expected ones: equal to the bit, or the first place where they are not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from harness.model.graph import Graph
from harness.records import Finding, OutputCheck, Verdict

Array = npt.NDArray[np.generic]

# LiteRT's reference kernels, per operator: what bit-exactness means here.
ROUNDING = "single in FULLY_CONNECTED, double in the other operators"


def decode(raw: bytes, shape: tuple[int, ...], dtype: str) -> Array:
    """Bytes read from target memory (little-endian) as an array."""
    return np.frombuffer(raw, dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)


def compare(
    got: Sequence[Sequence[Array]], expected: Sequence[Array], oracle: str, labels: Array | None
) -> OutputCheck:
    """Compare `got[i][k]` (input i, output k) with `expected[k][i]`; `oracle` says whose word `expected` is.

    With `labels` (count,) the accuracy of both is the share of inputs whose largest first output is at the label.
    """
    mismatches, worst, first = 0, 0.0, ""
    for i, outputs in enumerate(got):
        wrong = False
        for k, mine in enumerate(outputs):
            theirs = expected[k][i].reshape(mine.shape)
            if mine.tobytes() == theirs.tobytes():
                continue
            wrong = True
            difference = np.abs(mine.astype(np.float64) - theirs.astype(np.float64))
            worst = max(worst, float(np.nanmax(difference)))
            if not first:
                at = int(np.flatnonzero((mine != theirs).reshape(-1))[0])
                first = f"input {i}, output {k}, element {at}: expected {theirs.flat[at]}, got {mine.flat[at]}"
        mismatches += wrong
    accuracies: tuple[float | None, float | None] = (None, None)
    if labels is not None:
        mine_first = np.stack([outputs[0].reshape(-1) for outputs in got])
        accuracies = (_accuracy(mine_first, labels), _accuracy(expected[0][: len(got)], labels))
    exact = all(array.dtype.kind in "iu" for array in expected)
    return OutputCheck(
        oracle=oracle,
        rounding=ROUNDING,
        inputs=len(got),
        mismatches=mismatches,
        max_abs_diff=int(worst) if exact else worst,
        first_difference=first,
        accuracy=accuracies[0],
        oracle_accuracy=accuracies[1],
    )


def unchecked(count: int, why: str, got: Sequence[Sequence[Array]] = (), labels: Array | None = None) -> OutputCheck:
    """The record of outputs that nothing was there to compare with."""
    accuracy = _accuracy(np.stack([outputs[0].reshape(-1) for outputs in got]), labels) if got and labels is not None else None
    return OutputCheck(why, ROUNDING, count, mismatches=None, max_abs_diff=None, accuracy=accuracy)


def first_diverging_layer(
    graph: Graph, got: Sequence[Sequence[Array]], expected: dict[int, Array]
) -> str:
    """"layer 03 CONV_2D, element 17: expected 4, got 5"; "" when every layer agrees.

    `got[i][k]` is output k of layer i, `expected` is keyed by tensor index; tensors it lacks are passed over.
    """
    for layer, outputs in zip(graph.layers, got, strict=True):
        for mine, index in zip(outputs, layer.outputs, strict=True):
            theirs = expected.get(index)
            if theirs is None or theirs.size != mine.size:
                continue
            flat = theirs.reshape(-1)
            differing = np.flatnonzero(mine.reshape(-1) != flat)
            if differing.size:
                at = int(differing[0])
                return (
                    f"layer {layer.name}, element {at} of {mine.size}: expected {flat[at]}, got {mine.reshape(-1)[at]} "
                    f"({differing.size} elements differ)"
                )
    return ""


def output_finding(check: OutputCheck, diverging: str) -> Finding | None:
    """The finding for a wrong output; it comes before all costs."""
    if not check.mismatches:
        return None
    where = f"; first diverging {diverging}" if diverging else ""
    return Finding(
        code="output.mismatch",
        verdict=Verdict.FAIL,
        message=f"{check.mismatches} of {check.inputs} outputs differ from {check.oracle} by up to {check.max_abs_diff}: "
        f"{check.first_difference}{where}",
        advice="look at the kernel of the layer named; figures of a wrong run are not judged",
        measured=check.mismatches,
    )


def _accuracy(outputs: Array, labels: Array) -> float:
    predicted = np.argmax(outputs.reshape(len(outputs), -1), axis=1)
    return float(np.mean(predicted == labels[: len(predicted)].reshape(-1)))
