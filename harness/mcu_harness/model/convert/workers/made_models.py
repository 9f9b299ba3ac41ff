"""What a function of the user's returned, as a model file: a PyTorch module, a Keras model, or a file that it wrote itself."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

from mcu_harness.model.convert.refusal import Refusal, first_line

RETURNS = "it returns (torch module, example inputs), a torch.export.ExportedProgram, a Keras model, or the path of a model file"


def written(made: Any, folder: Path) -> Path:
    """`made` as a file: in `folder`, or where it lies already; raises Refusal for what is no model."""
    from mcu_harness.model.convert.workers import torch_export

    if isinstance(made, (str, Path)):
        path = Path(made).absolute()
        if not path.exists():
            raise Refusal(f"it returned {str(made)[:200]!r}, and there is no such file", RETURNS)
        return path
    with contextlib.redirect_stdout(sys.stderr):  # exporters tell what they do
        if (program := torch_export.program_of(made)) is not None:
            path = folder / "made.onnx"
            torch_export.write_onnx(*program, path)
            return path
        if _is_keras(made):
            return _keras(made, folder / "made.tflite")
    raise Refusal(f"it returned {type(made).__name__}", RETURNS)


def _is_keras(made: Any) -> bool:
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(made, keras.Model)


def _keras(made: Any, path: Path) -> Path:
    import tensorflow as tf

    from mcu_harness.model.convert.workers import keras_export

    try:
        converter, _owner = keras_export.of_model(tf, made)
        path.write_bytes(bytes(converter.convert()))
    except Refusal:
        raise
    except Exception as error:
        raise Refusal(f"TensorFlow cannot convert the model: {first_line(error)}") from error
    return path
