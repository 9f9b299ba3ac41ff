"""A Keras model or a SavedModel to a float .tflite, by TensorFlow's converter. Request: model, output."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from mcu_harness.model.convert.refusal import Refusal, first_line
from mcu_harness.model.convert.workers.answering import answer


def convert(request: dict[str, Any]) -> dict[str, Any]:
    path = Path(request["model"])
    if not path.is_dir() and not zipfile.is_zipfile(path):
        raise Refusal("not a .keras file, or a damaged one", 'save the model with model.save("model.keras")')
    import tensorflow as tf

    try:
        converter, _owner = _converter(tf, path)
        content = bytes(converter.convert())
    except Refusal:
        raise
    except Exception as error:
        raise Refusal(
            f"TensorFlow cannot convert the model: {first_line(error)}",
            "custom layers have to be written with layers of Keras's own",
        ) from error
    Path(request["output"]).write_bytes(content)
    return {}


def _converter(tf: Any, path: Path) -> tuple[Any, Any]:
    """TensorFlow's converter for a model whose free batch is 1: shapes in the model are then constants.

    With what owns the variables, which has to live as long; they become constants, since the converter is not given it.
    """
    if path.is_dir():
        loaded = tf.saved_model.load(str(path))
        signatures = list(loaded.signatures)
        if not signatures:
            raise Refusal("the SavedModel has no signature", 'write it with model.export("folder")')
        name = "serving_default" if "serving_default" in signatures else signatures[0]
        served = loaded.signatures[name]
        specs = {key: _one(tf, spec) for key, spec in served.structured_input_signature[1].items()}
        concrete = tf.function(lambda **given: served(**given)).get_concrete_function(**specs)
        return tf.lite.TFLiteConverter.from_concrete_functions([concrete]), loaded
    return of_model(tf, tf.keras.models.load_model(str(path), compile=False, safe_mode=True))


def of_model(tf: Any, model: Any) -> tuple[Any, Any]:
    """As `_converter`, of a Keras model in memory."""
    inputs = [_one(tf, tf.TensorSpec(tensor.shape, tensor.dtype, tensor.name)) for tensor in model.inputs]

    def call(*given: Any) -> Any:
        return model(given[0] if len(given) == 1 else list(given), training=False)

    concrete = tf.function(call).get_concrete_function(*inputs)
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete]), model


def _one(tf: Any, spec: Any) -> Any:
    sizes = spec.shape.as_list() if hasattr(spec.shape, "as_list") else list(spec.shape)
    shape = [1 if size is None and axis == 0 else size for axis, size in enumerate(sizes)]
    if None in shape:
        raise Refusal(f"input {spec.name!r} has no fixed shape: {tuple(sizes)}", "only the batch may be free")
    return tf.TensorSpec(shape, spec.dtype, name=str(spec.name).replace(":", "_").replace("/", "_"))


if __name__ == "__main__":
    answer(convert)
