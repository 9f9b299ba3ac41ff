"""Runs a float .tflite on samples. Request: model, inputs (.npz, arrays 0, 1, ...), tensors (names), some, answer (.npz).

ANSWER has `output_K` for all samples, and `tensor_K` of `tensors[K]` for the first `some`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mcu_harness.model.convert.refusal import Refusal, first_line
from mcu_harness.model.convert.workers.answering import answer


def run(request: dict[str, Any]) -> dict[str, Any]:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with np.load(request["inputs"], allow_pickle=False) as given:
        inputs = [given[str(k)] for k in range(len(given.files))]
    try:
        litert = Interpreter(
            model_content=Path(request["model"]).read_bytes(),
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
        )
        litert.allocate_tensors()
        indices = {detail["name"]: detail["index"] for detail in litert.get_tensor_details()}
        outputs: list[list[Any]] = [[] for _ in litert.get_output_details()]
        seen: dict[str, list[Any]] = {name: [] for name in request["tensors"] if name in indices}
        for number, sample in enumerate(zip(*inputs, strict=True)):
            for detail, values in zip(litert.get_input_details(), sample, strict=True):
                litert.set_tensor(detail["index"], values)
            litert.invoke()
            for found, detail in zip(outputs, litert.get_output_details(), strict=True):
                found.append(litert.get_tensor(detail["index"]))
            if number < request["some"]:
                for name, values in seen.items():
                    values.append(litert.get_tensor(indices[name]))
    except (RuntimeError, ValueError) as error:
        raise Refusal(f"LiteRT cannot run the float model: {first_line(error)}") from error
    save(request, outputs, seen)
    return {}


def save(request: dict[str, Any], outputs: list[list[Any]], seen: dict[str, list[Any]]) -> None:
    """Write ANSWER; tensors that the model has not are left out."""
    arrays: dict[str, Any] = {f"output_{k}": np.stack(values) for k, values in enumerate(outputs)}
    places = {name: k for k, name in enumerate(request["tensors"])}
    arrays |= {f"tensor_{places[name]}": np.stack(values) for name, values in seen.items() if values}
    np.savez(request["answer"], **arrays)


if __name__ == "__main__":
    answer(run)
