"""Runs TensorFlow Lite Micro in a process of its own: `tflm_worker.py MODEL REQUEST.npz ANSWER.npz`.

A script, not a module, as reference_worker.py is. REQUEST holds `input_K` (count, *shape) for model input K and `outputs`,
how many there are; ANSWER `output_K`, or `error`. Exit status 3: it cannot be imported.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

_ARENA_BYTES = 64 << 20


def main(model: str, request: str, answer: str) -> int:
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError as error:
        print(error, file=sys.stderr)
        return 3
    with np.load(request, allow_pickle=False) as asked:
        count = int(asked["outputs"])
        inputs = [asked[f"input_{k}"] for k in range(len(asked.files) - 1)]
    collected: list[list[np.ndarray]] = [[] for _ in range(count)]
    try:
        interpreter = runtime.Interpreter.from_bytes(Path(model).read_bytes(), arena_size=_ARENA_BYTES)
        for sample in zip(*inputs, strict=True):
            for index, value in enumerate(sample):
                interpreter.set_input(value, index)
            interpreter.invoke()
            for index, values in enumerate(collected):
                values.append(np.array(interpreter.get_output(index)))
    except (RuntimeError, ValueError) as error:
        np.savez(answer, error=np.array(str(error)))
        return 0
    arrays: dict[str, Any] = {f"output_{index}": np.stack(values) for index, values in enumerate(collected)}
    np.savez(answer, **arrays)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
