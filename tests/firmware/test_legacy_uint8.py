"""Models of uint8, with filters that have a zero point, as TensorFlow 1 made them: firmware of int8 inside gives LiteRT's outputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from mcu_harness.base.errors import ModelError
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.import_notes import import_notes
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.legacy_uint8 import AS_JOINED
from mcu_harness.model.reference import run_reference
from model_builder import ModelBuilder


class _Uint8Model(ModelBuilder):
    """Every activation and filter is uint8."""

    def tensor(self, shape: Sequence[int], *arguments: object, dtype: str = "int8", **options: object) -> int:  # type: ignore[override]
        index = super().tensor(shape, *arguments, dtype="uint8" if dtype == "int8" else dtype, **options)  # type: ignore[arg-type]
        tensor = self.tensors[index]
        if tensor.dtype == "uint8":
            tensor.zero_points = tuple(point + 128 for point in tensor.zero_points)
            if tensor.data is not None:
                tensor.data = (tensor.data.view(np.uint8) ^ 128).astype(np.uint8)
        return index

    def _like(self, x: int, shape: Sequence[int]) -> int:
        index = super()._like(x, shape)
        self.tensors[index].zero_points = self.tensors[x].zero_points
        return index

    def _filter(self, shape: Sequence[int], axis: int, scales: int) -> tuple[int, tuple[float, ...]]:
        index, chosen = super()._filter(shape, axis, 1)
        self.tensors[index].zero_points = (int(self.rng.integers(60, 200)),)
        return index, chosen


def _model(seed: int) -> _Uint8Model:
    """MobileNet's layers and some more."""
    b = _Uint8Model(seed)
    x = b.input((1, 9, 8, 3), 1 / 128, 0)
    y = b.conv_2d(x, channels=6, stride=(2, 2), activation="RELU6", per_channel=False)
    z = b.depthwise_conv_2d(y, activation="RELU6", per_channel=False)
    b.depthwise_conv_2d(y, multiplier=2, per_channel=False)
    z = b.conv_2d(z, channels=6, kernel=(1, 1), per_channel=False)
    both = b.binary("ADD", y, z, activation="RELU")
    joined = b.concatenation([both, both], 3)
    padded = b.pad(joined, [(0, 0), (1, 1), (0, 1), (0, 0)])
    pooled = b.pool(padded, "AVERAGE", kernel=(3, 3), stride=(2, 2), padding="SAME")
    pooled = b.pool(pooled, "MAX", kernel=(2, 2), stride=(1, 1))
    dense = b.fully_connected(b.reshape(pooled, (1, -1)), units=7, per_channel=False)
    b.output(
        b.softmax(dense),
        b.logistic(dense),
        b.dequantize(b.binary("MUL", dense, dense)),
        b.mean(both, [1, 2], scale=0.03),
    )
    b.output(b.binary("SUB", both, z), b.unary("LEAKY_RELU", z, alpha=0.1), b.transpose(both, (0, 3, 1, 2)))
    return b


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_outputs_are_litert_s_of_uint8(seed: int, tmp_path: Path) -> None:
    builder = _model(seed)
    check_against_reference(builder, tmp_path, share=True, samples=6)
    graph = import_tflite(tmp_path / "model.tflite")
    kinds = {graph.tensors[index].dtype for index in (*graph.inputs, *graph.outputs)}
    assert kinds == {"uint8", "float32"}, "what goes in and out is as the file says"
    assert "computes in uint8: as int8" in import_notes(graph)[0]
    assert all(
        graph.tensors[i].dtype != "uint8" for layer in graph.layers for i in layer.outputs if i not in graph.outputs
    )


def test_tensors_of_every_layer_are_what_the_graph_has(tmp_path: Path) -> None:
    path = _model(4).write(tmp_path / "m.tflite")
    graph = import_tflite(path)
    tensors = run_reference(path, graph, make_inputs(graph, 1, 2), all_tensors=True).tensors
    assert len(tensors) > 10
    assert all(values.dtype == graph.tensors[index].dtype for index, values in tensors.items())


def test_every_mean_of_two_bytes_is_rounded_up_at_halves(tmp_path: Path) -> None:
    builder = _Uint8Model(5)
    x = builder.input((256, 1, 2, 1), 0.1, 0)
    builder.output(builder.pool(x, "AVERAGE", kernel=(1, 2), stride=(1, 1)))
    values = np.stack([np.arange(256), np.full(256, 1)], axis=1).astype(np.uint8).reshape(1, 256, 1, 2, 1)
    check_against_reference(builder, tmp_path, inputs=[values])


@pytest.mark.parametrize("operator", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
@pytest.mark.parametrize("above", [True, False])
def test_sums_in_the_middle_of_two_outputs_are_rounded_as_litert_does(
    operator: str, above: bool, tmp_path: Path
) -> None:
    """Convolutions multiply by a float32 product of scales, which is 1/2 here, dense layers by the scales themselves, less or more than it."""
    rng = np.random.default_rng(1)
    pairs = rng.uniform(0.01, 0.1, (1000, 2)).astype(np.float32)
    first, second = next((a, b) for a, b in pairs if (float(a * b) - float(a) * float(b)) * (2 * above - 1) > 2e-11)
    b, dense = _Uint8Model(1), operator == "FULLY_CONNECTED"
    x = b.input((64, 2) if dense else (1, 1, 64, 2), float(first), 0)
    weights = np.array([[1, 2], [3, 2], [1, 0], [5, 0]], np.int8)
    if not dense:
        weights = weights.reshape(4, 1, 1, 2) if operator == "CONV_2D" else weights[:, :1].reshape(1, 1, 1, 4)
    filters = b.constant(weights, (float(second),))
    bias = b.constant(np.zeros(4, np.int32), (float(first * second),))
    options = {} if dense else {"stride_h": 1, "stride_w": 1, "padding": "SAME", "depth_multiplier": 2}
    if operator == "CONV_2D":
        del options["depth_multiplier"]
    out = b.tensor((64, 4) if dense else (1, 1, 64, 4), 2 * float(first * second), 0)
    b.output(b.operator(operator, [x, filters, bias], out, fused_activation="NONE", **options))
    check_against_reference(b, tmp_path, samples=8)


def _joined(b: _Uint8Model, scales: Sequence[float], *, constant: bool = False) -> int:
    """CONCATENATION of an input with all bytes for each of `scales`, and maybe of a constant, to a scale of its own."""
    parts = [b.input((256, 1), scale, int(b.rng.integers(-128, 128))) for scale in scales]
    if constant:
        values = b.rng.integers(-128, 128, (256, 1)).astype(np.int8)
        parts.append(b.constant(values, float(b.rng.uniform(0.01, 0.1)), int(b.rng.integers(-128, 128))))
    out = b.tensor((256, len(parts)), float(b.rng.uniform(0.02, 0.08)), int(b.rng.integers(-128, 128)))
    return b.operator("CONCATENATION", parts, out, axis=1, fused_activation="NONE")


@pytest.mark.parametrize("alone", [True, False])
def test_concatenation_brings_its_inputs_to_its_output_s_scale(alone: bool, tmp_path: Path) -> None:
    """Every byte of forty scales, some of which have results in the middle of two; in a model that has nothing else, too."""
    b = _Uint8Model(8)
    for _ in range(8):
        joined = _joined(b, [float(scale) for scale in b.rng.uniform(0.005, 0.2, 5)], constant=True)
        halves = _joined(b, [b.tensors[joined].scales[0] / 2])
        b.tensors[halves].scales = b.tensors[joined].scales
        b.output(joined, halves)
        if not alone:
            b.output(b.fully_connected(joined, units=2, per_channel=False))
    every = np.arange(256, dtype=np.uint8).reshape(1, 256, 1)
    check_against_reference(b, tmp_path, inputs=[every] * len(b.inputs))
    graph = import_tflite(tmp_path / "model.tflite")
    assert sum(AS_JOINED in layer.attributes for layer in graph.layers) == 8 * (5 + 1)
    assert "48 inputs of CONCATENATION" in import_notes(graph)[1]


def test_images_of_uint8_are_resized_in_floats(tmp_path: Path) -> None:
    builder = _Uint8Model(7)
    x = builder.input((2, 4, 5, 3), 0.1, 3)
    for number, size in enumerate(((1, 1), (9, 7), (4, 5), (11, 13), (3, 20), (17, 2))):
        modes = {"align_corners": number % 3 == 1, "half_pixel_centers": number % 3 == 2}
        out = builder.tensor((2, *size, 3), 0.1, 3)
        builder.output(builder.operator("RESIZE_BILINEAR", [x, builder.constant(list(size))], out, **modes))
    y = builder.conv_2d(x, channels=3, per_channel=False)
    builder.output(
        builder.operator(
            "ARG_MAX", [y, builder.constant(3)], builder.tensor((2, 4, 5), None, dtype="int32"), output_type=2
        )
    )
    for code in ("REDUCE_MAX", "REDUCE_MIN"):
        out = builder._like(y, (2, 3))
        builder.output(builder.operator(code, [y, builder.constant([1, 2])], out, keep_dims=False))
    check_against_reference(builder, tmp_path, share=True, samples=20)


def test_an_operator_whose_kernel_of_uint8_is_another_one_is_refused(tmp_path: Path) -> None:
    builder = _Uint8Model(6)
    x = builder.input((1, 4), 0.1, 0)
    builder.output(builder.operator("LOG_SOFTMAX", [builder.unary("RELU", x)], builder.tensor((1, 4), 1 / 16, 127)))
    with pytest.raises(ModelError, match="of uint8, expected an int8 activation"):
        import_tflite(builder.write(tmp_path / "m.tflite"))
