"""What the make_*.py scripts share: deterministic TensorFlow, conversion to int8, LiteRT as the judge, and writing.

TensorFlow is imported inside functions, after `deterministic` has set what must be set before it starts.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent


def deterministic(seed: int) -> Any:
    """Seed everything and return the `tensorflow` module; call it first.

    Two runs on one machine with the pinned versions give the same bytes. Other machines may round differently
    (Eigen picks its vector instructions from the CPU), so the committed files are the reference, not the script.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    os.environ["TF_DETERMINISTIC_OPS"] = "1"
    import tensorflow as tf

    random.seed(seed)
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    return tf


def convert(
    function: Callable[..., Any],
    input_shapes: Sequence[tuple[int, ...]],
    calibration: Iterable[Sequence[np.ndarray]],
    *,
    float_io: bool = False,
) -> bytes:
    """A full-integer .tflite model of `function` (a Keras model or a callable on float32 tensors).

    `input_shapes` include the batch dimension, which is 1. `calibration` yields one list of float32 arrays per
    sample, in the order of the inputs; activation ranges come from it. Inputs and outputs are int8, or float32
    with QUANTIZE and DEQUANTIZE at the edges when `float_io`. Operators without an int8 kernel are refused.
    """
    import tensorflow as tf

    # Named arguments fix the order of the inputs: the converter would sort anonymous ones by node name.
    signature = [tf.TensorSpec(shape, tf.float32, name=f"input_{i}") for i, shape in enumerate(input_shapes)]
    concrete = tf.function(function).get_concrete_function(*signature)
    # Without a trackable object the variables are frozen into constants, which is what an int8 model needs.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    return full_integer(converter, calibration, "float32" if float_io else "int8")


def convert_keras(model: Any, calibration: Iterable[Sequence[np.ndarray]], edges: str = "int8") -> bytes:
    """As `convert`, in the way of most tutorials: `from_keras_model`, whose batch dimension stays unknown.

    A Flatten or Reshape then computes its shape in the model (SHAPE, STRIDED_SLICE, PACK). `edges` is the type of
    inputs and outputs: int8, uint8 or float32.
    """
    import tensorflow as tf

    return full_integer(tf.lite.TFLiteConverter.from_keras_model(model), calibration, edges)


def full_integer(converter: Any, calibration: Iterable[Sequence[np.ndarray]], edges: str = "int8") -> bytes:
    """What `converter` makes, all in integers."""
    import tensorflow as tf

    samples = [list(sample) for sample in calibration]
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: iter(samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.as_dtype(edges)
    return bytes(converter.convert())


class LiteRt:
    """A .tflite model in LiteRT's interpreter with the reference kernels, the oracle for the firmware."""

    def __init__(self, model: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self._interpreter = Interpreter(
            model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
        )
        self._interpreter.allocate_tensors()
        self.inputs = self._interpreter.get_input_details()
        self.outputs = self._interpreter.get_output_details()

    def quantize(self, values: np.ndarray, index: int = 0) -> np.ndarray:
        """float32 samples as the int8 values that input `index` wants, rounded to nearest and saturated."""
        scale, zero_point = self.inputs[index]["quantization"]
        return np.clip(np.round(values / scale) + zero_point, -128, 127).astype(np.int8)

    def dequantize(self, values: np.ndarray, index: int = 0) -> np.ndarray:
        """int8 values of output `index` as real numbers."""
        scale, zero_point = self.outputs[index]["quantization"]
        return (values.astype(np.float32) - zero_point) * scale

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """All outputs for a batch: each input is (count, *shape without batch), each output likewise."""
        results: list[list[np.ndarray]] = [[] for _ in self.outputs]
        for sample in zip(*inputs, strict=True):
            for detail, value in zip(self.inputs, sample, strict=True):
                self._interpreter.set_tensor(detail["index"], value[np.newaxis])
            self._interpreter.invoke()
            for result, detail in zip(results, self.outputs, strict=True):
                result.append(self._interpreter.get_tensor(detail["index"])[0].copy())
        return [np.stack(result) for result in results]

    def operators(self) -> list[tuple[str, int]]:
        """(TFLite name, multiply-accumulates) of every operator, in execution order."""
        shapes = {d["index"]: [int(n) for n in d["shape"]] for d in self._interpreter.get_tensor_details()}
        found = []
        for operator in self._interpreter._get_ops_details():
            name = operator["op_name"]
            macs = 0
            if name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
                filters = shapes[operator["inputs"][1]]
                per_output = math.prod(filters[1:3]) if name == "DEPTHWISE_CONV_2D" else math.prod(filters[1:])
                macs = math.prod(shapes[operator["outputs"][0]]) * per_output
            found.append((name, macs))
        return found


def accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Share of samples whose largest score is at their label (the first one wins a tie, as in the harness)."""
    return float(np.mean(np.argmax(scores.reshape(len(labels), -1), axis=1) == labels))


def smoothed(labels: np.ndarray, classes: int, share: float = 0.1) -> np.ndarray:
    """(count, classes) float32 targets that leave `share` to be spread evenly.

    A network trained on them is never certain, so its softmax outputs carry more than the winner: a kernel that is
    off by one shows in them.
    """
    return (share / classes + (1.0 - share) * np.eye(classes)[labels]).astype(np.float32)


def write_model(path: Path, model: bytes) -> LiteRt:
    """Write `model`, print what it consists of, and hand it back loaded."""
    path.write_bytes(model)
    loaded = LiteRt(model)
    operators = loaded.operators()
    kinds: dict[str, int] = {}
    for name, _ in operators:
        kinds[name] = kinds.get(name, 0) + 1
    print(f"{path.name}: {len(model):,} B, {sum(macs for _, macs in operators):,} MACs")
    print("  operators: " + ", ".join(f"{name} x{count}" for name, count in sorted(kinds.items())))
    for role, details in (("input", loaded.inputs), ("output", loaded.outputs)):
        for detail in details:
            shape, dtype = tuple(int(n) for n in detail["shape"]), np.dtype(detail["dtype"]).name
            print(f"  {role}: {shape} {dtype}, scale and zero point {detail['quantization']}")
    return loaded


def write_samples(path: Path, **arrays: np.ndarray) -> None:
    """Write a compressed .npz whose bytes depend on the arrays alone (`np.savez` stamps no time)."""
    np.savez_compressed(path, **arrays)
    print(
        f"{path.name}: {path.stat().st_size:,} B, " + ", ".join(f"{k} {v.shape} {v.dtype}" for k, v in arrays.items())
    )


def write_held_out(
    path: Path, litert: LiteRt, float_scores: np.ndarray, samples: np.ndarray, labels: np.ndarray, kept: int
) -> None:
    """Print the accuracy on float32 `samples`, in float and by LiteRT, and write the first `kept` of them quantised.

    `float_scores` is what the network before conversion said about all of them.
    """
    inputs = litert.quantize(samples)
    scores = litert.run(inputs)[0]
    print(f"  accuracy on {len(labels)} new samples: float {accuracy(float_scores, labels):.2%}, ", end="")
    print(f"LiteRT int8 {accuracy(scores, labels):.2%}; ", end="")
    print(f"on the {kept} committed {accuracy(scores[:kept], labels[:kept]):.2%}")
    write_samples(path, inputs=inputs[:kept], labels=labels[:kept].astype(np.int32))
