"""Firmware outputs against expected ones: equal to the bit, or the first place where they are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mcu_harness.model.task_scores import Scores
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Confusion, Finding, OutputCheck, Verdict

Array = npt.NDArray[np.generic]

# LiteRT's reference kernels, per operator: what bit-exactness means here.
ROUNDING = "single in FULLY_CONNECTED, double in the other operators"
ROUNDING_OF_TFLM = "double in all operators"  # of TensorFlow Lite Micro's


def decode(raw: bytes, shape: tuple[int, ...], dtype: str) -> Array:
    """Bytes read from target memory (little-endian) as an array."""
    return np.frombuffer(raw, dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)


def check(
    got: Sequence[Sequence[Array]],
    expected: Sequence[Array] | None,
    oracle: str,
    score: Callable[[Array], Scores] | None = None,
    scored: int = 0,
) -> OutputCheck:
    """Compare `got[i][k]` (input i, output k) with `expected[k][i]`; `oracle` says whose word `expected` is.

    `expected` None leaves mismatches None, and `oracle` then says why. `score` says how well first outputs
    (count, *shape) do, of up to `scored` samples. `expected` and the samples may go on behind the inputs that were run: where
    those are all equal, scores are over all samples, since the others would be equal too.
    """
    first = np.stack([outputs[0].reshape(-1) for outputs in got])
    if expected is None:
        return _with_scores(OutputCheck(oracle, ROUNDING, len(got), None, None), score(first) if score else None, None)
    mismatches, worst, difference_text, first_input = 0, 0.0, "", -1
    for i, outputs in enumerate(got):
        wrong = False
        for k, mine in enumerate(outputs):
            theirs = expected[k][i].reshape(mine.shape)
            if mine.tobytes() == theirs.tobytes():
                continue
            wrong = True
            difference = np.abs(mine.astype(np.float64) - theirs.astype(np.float64))
            worst = max(worst, float(np.nanmax(difference)))
            if not difference_text:
                raw = f"V{mine.itemsize}"  # as bytes: NaN equals itself, -0.0 differs from 0.0
                at = int(np.flatnonzero(mine.reshape(-1).view(raw) != theirs.reshape(-1).view(raw))[0])
                first_input = i
                difference_text = (
                    f"input {i}, output {k}, element {at}: expected {theirs.flat[at]}, got {mine.flat[at]}"
                )
        mismatches += wrong
    exact = all(array.dtype.kind in "iu" for array in expected)
    made = OutputCheck(
        oracle=oracle,
        rounding=ROUNDING,
        inputs=len(got),
        mismatches=mismatches,
        max_abs_diff=int(worst) if exact else worst,
        first_difference=difference_text,
        first_input=first_input,
    )
    if score is None:
        return made
    theirs_scored = score(expected[0][: len(got) if mismatches else scored])
    return _with_scores(made, score(first) if mismatches else theirs_scored, theirs_scored)


def _with_scores(check: OutputCheck, mine: Scores | None, theirs: Scores | None) -> OutputCheck:
    if mine is None:
        return check
    of_oracle = dict(theirs.figures) if theirs else {}
    figures = dict(mine.figures)
    return replace(
        check,
        accuracy=figures.pop("accuracy", None),
        oracle_accuracy=of_oracle.pop("accuracy", None),
        labelled=mine.count,
        scores=figures,
        oracle_scores=of_oracle,
        confusions=tuple(Confusion(*confused) for confused in mine.confusions),
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
