"""Runs an ONNX model on samples in onnxruntime, without optimisation. Request and answer as of litert_float_run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx

from mcu_harness.model.convert.float_onnx import session
from mcu_harness.model.convert.workers.answering import answer
from mcu_harness.model.convert.workers.litert_float_run import save


def run(request: dict[str, Any]) -> dict[str, Any]:
    with np.load(request["inputs"], allow_pickle=False) as given:
        inputs = [given[str(k)] for k in range(len(given.files))]
    model = onnx.load_model(request["model"])
    count = len(model.graph.output)
    own = {tensor.name for tensor in model.graph.output}
    made = {name for node in model.graph.node for name in node.output}
    inner = [name for name in request["tensors"] if name in made]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in inner if name not in own)
    names = [tensor.name for tensor in model.graph.output]
    path = Path(request["answer"]).with_suffix(".onnx")
    onnx.save(model, str(path))
    running = session(path)
    fed = [tensor.name for tensor in running.get_inputs()]
    outputs: list[list[Any]] = [[] for _ in range(count)]
    seen: dict[str, list[Any]] = {name: [] for name in inner}
    for number, sample in enumerate(zip(*inputs, strict=True)):
        asked = names if number < request["some"] else names[:count]
        found = dict(zip(asked, running.run(asked, dict(zip(fed, sample, strict=True))), strict=True))
        for values, name in zip(outputs, names, strict=False):
            values.append(found[name])
        if number < request["some"]:
            for name, values in seen.items():
                values.append(found[name])
    save(request, outputs, seen)
    return {}


if __name__ == "__main__":
    answer(run)
