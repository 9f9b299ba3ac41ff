"""Float models of a few layers, made at test time: as .tflite, without TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model_file import ModelFile


def float_tflite(seed: int = 1, *, inputs: int = 1) -> ModelFile:
    """Convolution, dense layer and softmax on an image (1, 8, 8, 3); with two inputs, their sum comes first."""
    model = ModelFile(seed=seed)
    images = [model.input((1, 8, 8, 3), dtype="float32") for _ in range(inputs)]
    for number, index in enumerate(images):
        model.tensors[index].name = f"image_{number}"
    x = images[0]
    for other in images[1:]:
        x = model.operator("ADD", [x, other], _float(model, (1, 8, 8, 3), "sum"), fused_activation="NONE")
    filters, bias = _weights(model, (4, 3, 3, 3)), _weights(model, (4,))
    x = model.operator(
        "CONV_2D", [x, filters, bias], _float(model, (1, 4, 4, 4), "features"),
        stride_h=2, stride_w=2, dilation_h_factor=1, dilation_w_factor=1, padding="SAME", fused_activation="RELU",
    )  # fmt: skip
    shape = model.constant([1, 64])
    x = model.operator("RESHAPE", [x, shape], _float(model, (1, 64), "flat"), new_shape=[1, 64])
    dense, offset = _weights(model, (5, 64)), _weights(model, (5,))
    x = model.operator(
        "FULLY_CONNECTED", [x, dense, offset], _float(model, (1, 5), "logits"),
        fused_activation="NONE", keep_num_dims=False,
    )  # fmt: skip
    model.output(model.operator("SOFTMAX", [x], _float(model, (1, 5), "scores"), beta=1.0))
    return model


def float_score(seed: int = 3) -> ModelFile:
    """A dense layer of one unit and its logistic function: a score of six features (1, 6)."""
    model = ModelFile(seed=seed)
    x = model.input((1, 6), dtype="float32")
    dense, offset = _weights(model, (1, 6)), _weights(model, (1,))
    x = model.operator(
        "FULLY_CONNECTED", [x, dense, offset], _float(model, (1, 1), "logit"),
        fused_activation="NONE", keep_num_dims=False,
    )  # fmt: skip
    model.output(model.operator("LOGISTIC", [x], _float(model, (1, 1), "score")))
    return model


def calibration_file(path: Path, shape: tuple[int, ...] = (8, 8, 3), count: int = 32, inputs: int = 1) -> Path:
    """Normal samples (count, *shape) for each input, called "inputs" or "inputs_0", "inputs_1"."""
    rng = np.random.default_rng(5)
    names = ["inputs"] if inputs == 1 else [f"inputs_{k}" for k in range(inputs)]
    np.savez(path, **{name: rng.normal(size=(count, *shape)).astype(np.float32) for name in names})
    return path


def _float(model: ModelFile, shape: tuple[int, ...], name: str) -> int:
    return model.tensor(shape, None, dtype="float32", name=name)


def _weights(model: ModelFile, shape: tuple[int, ...]) -> int:
    spread = np.sqrt(np.prod(shape[1:], initial=1))
    return model.constant((model.rng.normal(size=shape) / spread).astype(np.float32))
