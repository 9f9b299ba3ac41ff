"""A function of a Python file, called with arguments, to a model file. Request: model, function, arguments, output (a folder).

The answer is the file: one in that folder, or the one that the function wrote and named.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mcu_harness.model.convert.workers.answering import answer
from mcu_harness.model.convert.workers.made_models import written
from mcu_harness.model.convert.workers.torch_export import called


def convert(request: dict[str, Any]) -> dict[str, Any]:
    made = called(Path(request["model"]), request["function"], request["arguments"])
    return {"file": str(written(made, Path(request["output"])))}


if __name__ == "__main__":
    answer(convert)
