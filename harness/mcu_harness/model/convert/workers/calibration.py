"""Calibration samples for the inputs of a float model, as a worker needs them: checked and in float32."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import ModelError
from mcu_harness.model.arrays import load_float_inputs
from mcu_harness.model.convert.refusal import Refusal

FloatArray = npt.NDArray[np.float32]


_MADE_UP, _SEED = 4, 1


def samples(request: dict[str, Any], inputs: Sequence[tuple[str, tuple[int, ...]]]) -> tuple[FloatArray, ...]:
    """(count, *shape) for each of `inputs`, which are (name, shape with batch); raises Refusal.

    Of `request`: `calibration`, a file or None, `count`, and `made_up` for normal random samples, for when only costs
    matter. That is never a default: ranges from samples that are not the model's own quantise it for something else.
    """
    file, count = request["calibration"], request["count"]
    if file is None and request["made_up"]:
        made = np.random.default_rng(_SEED)
        return tuple(made.normal(size=(_MADE_UP, *shape)).astype(np.float32) for _, shape in inputs)
    if file is None:
        raise Refusal(
            "the model computes in float and there are no calibration samples to quantise it with",
            hint="give typical inputs, some 100 of the training set: --calibration FILE.npz, or [quantize] calibration "
            "in the scenario",
        )
    try:
        arrays = load_float_inputs(Path(file), inputs)
    except ModelError as error:
        raise Refusal(error.message, error.hint) from error
    for array in arrays:
        if not np.isfinite(array).all():
            raise Refusal(f"{file}: the calibration samples hold NaN or infinity", hint="look at how they were made")
    available = len(arrays[0])
    if count is not None and count > available:
        raise Refusal(f"{file}: {available} calibration samples, {count} are asked for", hint="lower `count`")
    return tuple(array[:count].astype(np.float32) for array in arrays)


def sample_notes(given: Sequence[npt.NDArray[Any]], inputs: Sequence[tuple[str, tuple[int, ...]]]) -> list[str]:
    """What is odd about calibration samples, for each of `inputs`: the ranges that come of them mean nothing then."""
    return [
        f"the calibration samples of input {name[:60]!a} never vary: each value is {array.flat[0]:g}, so ranges mean nothing"
        if array.min() == array.max()
        else f"the {len(array)} calibration samples of input {name[:60]!a} are all the same"
        for array, (name, _) in zip(given, inputs, strict=True)
        if array.size > 1 and (array.min() == array.max() or (len(array) > 1 and (array == array[0]).all()))
    ]
