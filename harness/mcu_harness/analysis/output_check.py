"""Firmware outputs against expected ones: equal to the bit, or the first place where they are not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Finding, OutputCheck, Verdict

Array = npt.NDArray[np.generic]

# LiteRT's reference kernels, per operator: what bit-exactness means here.
ROUNDING = "single in FULLY_CONNECTED, double in the other operators"
ROUNDING_OF_TFLM = "double in all operators"  # of TensorFlow Lite Micro's


def decode(raw: bytes, shape: tuple[int, ...], dtype: str) -> Array:
    """Bytes read from target memory (little-endian) as an array."""
    return np.frombuffer(raw, dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)


def check(
    got: Sequence[Sequence[Array]], expected: Sequence[Array] | None, oracle: str, labels: Array | None
) -> OutputCheck:
    """Compare `got[i][k]` (input i, output k) with `expected[k][i]`; `oracle` says whose word `expected` is.

    `expected` None leaves mismatches None, and `oracle` then says why. With `labels` (count,) the accuracy of both is the
    share of inputs whose largest first output is at the label. `expected` and `labels` may go on behind the inputs that
    were run: where those are all equal, the accuracy is over all labels, since the others would be equal too.
    """
    mine_first = np.stack([outputs[0].reshape(-1) for outputs in got])
    accuracy = None if labels is None else _accuracy(mine_first, labels)
    if expected is None:
        labelled = 0 if labels is None else len(got)
        return OutputCheck(oracle, ROUNDING, len(got), None, None, accuracy=accuracy, labelled=labelled)
    mismatches, worst, first, first_input = 0, 0.0, "", -1
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
                raw = f"V{mine.itemsize}"  # as bytes: NaN equals itself, -0.0 differs from 0.0
                at = int(np.flatnonzero(mine.reshape(-1).view(raw) != theirs.reshape(-1).view(raw))[0])
                first_input = i
                first = f"input {i}, output {k}, element {at}: expected {theirs.flat[at]}, got {mine.flat[at]}"
        mismatches += wrong
    labelled = 0 if labels is None else min(len(labels), len(got) if mismatches else len(expected[0]))
    oracle_accuracy = None if labels is None else _accuracy(expected[0][:labelled], labels)
    exact = all(array.dtype.kind in "iu" for array in expected)
    return OutputCheck(
        oracle=oracle,
        rounding=ROUNDING,
        inputs=len(got),
        mismatches=mismatches,
        max_abs_diff=int(worst) if exact else worst,
        first_difference=first,
        first_input=first_input,
        accuracy=oracle_accuracy if labelled > len(got) else accuracy,
        oracle_accuracy=oracle_accuracy,
        labelled=labelled,
    )


def unchecked(why: str) -> OutputCheck:
    """The record of outputs that were never read."""
    return OutputCheck(why, ROUNDING, 0, mismatches=None, max_abs_diff=None)


def unchecked_finding(check: OutputCheck) -> Finding:
    """The finding for outputs that were asked to be compared and could not be: `check.oracle` says why."""
    return Finding(
        code=Code.OUTPUT_UNCHECKED,
        verdict=Verdict.NOT_MEASURED,
        message=f"whether the outputs are right is not known: {check.oracle}",
        advice='install the oracle, or write oracle = "none" under [outputs] in a scenario to do without',
    )


def output_finding(check: OutputCheck, diverging: str) -> Finding:
    """The finding for a check with mismatches; it comes before all costs. `diverging` says where they begin."""
    return Finding(
        code=Code.OUTPUT_MISMATCH,
        verdict=Verdict.FAIL,
        message=f"{check.mismatches} of {check.inputs} outputs differ from {check.oracle} by up to {check.max_abs_diff}: "
        f"{check.first_difference}; begins at: {diverging}",
        advice="look at the kernel of the layer named, or at the expected outputs; what a wrong run costs is not judged",
        measured=check.mismatches,
    )


def _accuracy(outputs: Array, labels: Array) -> float:
    predicted = np.argmax(outputs.reshape(len(outputs), -1), axis=1)
    return float(np.mean(predicted == labels[: len(predicted)].reshape(-1)))
