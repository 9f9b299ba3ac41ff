"""Runs LiteRT in a process of its own: `reference_worker.py MODEL REQUEST.npz ANSWER.npz`.

A script, not a module: it imports nothing of the harness. REQUEST holds `input_<tensor>` (count, *shape) for every model
input and `tensors`, the indices of the tensors to hand back. ANSWER holds `tensor_<index>`, each (count, *shape), or
`error`. Exit status 3 means that LiteRT cannot be imported.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np


def main(model: str, request: str, answer: str) -> int:
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError as error:
        print(error, file=sys.stderr)
        return 3
    with np.load(request, allow_pickle=False) as asked:
        inputs = {int(name.removeprefix("input_")): asked[name] for name in asked.files if name.startswith("input_")}
        tensors = [int(index) for index in asked["tensors"]]
    collected: dict[int, list[np.ndarray]] = {index: [] for index in tensors}
    try:
        interpreter = Interpreter(
            model_content=Path(model).read_bytes(),  # it takes no path that is not UTF-8
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
        )
        interpreter.allocate_tensors()
        for sample in zip(*inputs.values(), strict=True):
            for index, value in zip(inputs, sample, strict=True):
                interpreter.set_tensor(index, value)
            interpreter.invoke()
            for index, values in collected.items():
                values.append(interpreter.get_tensor(index))
    except (RuntimeError, ValueError) as error:
        np.savez(answer, error=np.array(str(error)))
        return 0
    arrays: dict[str, Any] = {f"tensor_{index}": np.stack(values) for index, values in collected.items()}
    np.savez(answer, **arrays)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
