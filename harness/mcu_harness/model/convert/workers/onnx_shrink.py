"""Float ONNX to a smaller float ONNX, by methods one after the other. Request: model, output, methods, share, energy, calibration, count.

The answer says what was changed, and how far the outputs are from the original's, on the samples or on random ones.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from mcu_harness.model.convert.float_onnx import prepared, session
from mcu_harness.model.convert.qdq.reader import inferred, is_quantised, read
from mcu_harness.model.convert.refusal import Refusal
from mcu_harness.model.convert.shrink.channels import pruned, without_dead, without_duplicates
from mcu_harness.model.convert.shrink.low_rank import low_rank
from mcu_harness.model.convert.shrink.methods import DENSE
from mcu_harness.model.convert.shrink.net import Net, costs, idle_weights
from mcu_harness.model.convert.workers.answering import answer
from mcu_harness.model.convert.workers.calibration import samples
from mcu_harness.model.convert.workers.onnx_convert import model_inputs

_COMPARED = 64  # samples at most
_MANY_ZEROS = 0.1

_STEPS: dict[str, Callable[[Net, dict[str, Any]], list[str]]] = {
    "dead-channels": lambda net, _: without_dead(net),
    "duplicate-channels": lambda net, _: without_duplicates(net),
    "prune": lambda net, request: pruned(net, request["share"]),
    "low-rank": lambda net, request: low_rank(net, request["energy"]),
}


def shrink(request: dict[str, Any]) -> dict[str, Any]:
    model = read(Path(request["model"]))
    if is_quantised(model):
        raise Refusal("it is quantised already", "give the float model: it is made smaller first and quantised then")
    with tempfile.TemporaryDirectory(dir=Path(request["output"]).parent) as folder:
        before = prepared(model, Path(folder))
        given = samples({**request, "made_up": True}, model_inputs(model))
        made, said = before, []
        for method in request["methods"]:
            net = Net(made)
            said += [f"{method}: {line}" for line in _STEPS[method](net, request)]
            made = inferred(net.model())
        zeros, few = idle_weights(Net(made))
        if zeros > _MANY_ZEROS:
            said.append(f"{zeros:.0%} of the weights are 0, which saves nothing: {DENSE}")
        if few:
            said.append(f"{few} filters have at most 16 different values, which saves nothing: {DENSE}")
        onnx.save(made, request["output"])
        quality = _compared(before, made, given, Path(folder))
    return {"said": said, "before": costs(before), "after": costs(made), **quality}


def _compared(before: Any, after: Any, given: Any, folder: Path) -> dict[str, Any]:
    """`sqnr_db` of the first output, None where both are the same, and the share of samples with the same largest element."""
    outputs = []
    for nth, model in enumerate((before, after)):
        path = folder / f"compared_{nth}.onnx"
        onnx.save(model, str(path))
        running = session(path)
        names = [tensor.name for tensor in running.get_inputs()]
        rows = list(zip(*(array[:_COMPARED] for array in given), strict=True))
        runs = [running.run(None, dict(zip(names, row, strict=True)))[0].reshape(-1) for row in rows]
        outputs.append(np.stack(runs).astype(np.float64))
    noise, signal = float(((outputs[0] - outputs[1]) ** 2).sum()), float((outputs[0] ** 2).sum())
    same = float(np.mean(outputs[0].argmax(1) == outputs[1].argmax(1)))
    known = noise > 0 and signal > 0
    return {
        "samples": len(outputs[0]),
        "sqnr_db": 10 * math.log10(signal / noise) if known else None,
        "agreement": same,
    }


if __name__ == "__main__":
    answer(shrink)
