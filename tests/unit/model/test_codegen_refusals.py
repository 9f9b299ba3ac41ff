"""What the generator cannot do right, it refuses by name instead of doing it wrong; what costs nothing, it leaves out."""

from __future__ import annotations

import numpy as np
import pytest

from mcu_harness.base.errors import ModelError
from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.codegen.sources import Sources
from mcu_harness.model.graph import Attribute, Graph, Layer, Quantization, Tensor

TARGET = "cortex-m0"


def tensor(index: int, shape: tuple[int, ...], dtype: str = "int8", scale: float = 0.5, zero_point: int = 0) -> Tensor:
    quantization = None if dtype == "float32" else Quantization((scale,), (zero_point,))
    return Tensor(index, f"t{index}", shape, dtype, quantization)


def indices(index: int, values: list[int]) -> Tensor:
    return Tensor(index, f"t{index}", (len(values),), "int32", data=np.array(values, np.int32))


def one_layer(operator: str, tensors: list[Tensor], **attributes: Attribute) -> Sources:
    """A graph of one layer whose last tensor is its output and whose first is the model's input."""
    *operands, result = range(len(tensors))
    layer = Layer(0, operator, tuple(operands), (result,), attributes)
    graph = Graph("m", tuple(tensors), (layer,), (0,), (result,), digest="", file_bytes=0)
    return generate(graph, plan_memory(graph, TARGET), TARGET)


@pytest.mark.parametrize(
    ("operator", "tensors", "attributes", "why"),
    [
        ("HARD_SWISH", [tensor(0, (4,), scale=1.0), tensor(1, (4,), scale=1 / 129)], {}, "output scale is below 1/128"),
        ("SQRT", [tensor(0, (4,), "int16"), tensor(1, (4,), "int16")], {}, "int16"),
        ("QUANTIZE", [tensor(0, (4,), "float32"), tensor(1, (4,), "int32")], {}, "float32 to int32"),
        ("DEQUANTIZE", [tensor(0, (4,), "int32"), tensor(1, (4,), "float32")], {}, "int32 to float32"),
        (
            "MEAN",
            [tensor(0, (2, 5000, 1000)), indices(1, [1, 2]), tensor(2, (2,))],
            {"keep_dims": False},
            "5000000 elements",
        ),
        (
            "MEAN",
            [tensor(0, (4,), scale=2.0**40), indices(1, [0]), tensor(2, (1,), scale=2.0**-10)],
            {"keep_dims": True},
            "a mean of 4 elements",
        ),
        (
            "CONCATENATION",
            [tensor(0, (4,)), tensor(1, (4,)), tensor(2, (8,))],
            {"axis": 0, "fused_activation": "RELU"},
            "fused activation RELU",
        ),
    ],
)
def test_refused_with_layer_and_reason(
    operator: str, tensors: list[Tensor], attributes: dict[str, Attribute], why: str
) -> None:
    with pytest.raises(ModelError) as caught:
        one_layer(operator, tensors, **attributes)
    assert f"layer 00 {operator}" in caught.value.message
    assert why in caught.value.message


def test_more_loops_than_the_kernel_has_are_refused() -> None:
    order = list(reversed(range(10)))
    with pytest.raises(ModelError, match="10 nested loops"):
        one_layer("TRANSPOSE", [tensor(0, (2,) * 10), indices(1, order), tensor(2, (2,) * 10)])


def test_requantising_to_the_same_numbers_in_place_is_no_code() -> None:
    sources = one_layer("QUANTIZE", [tensor(0, (64,)), tensor(1, (64,))])
    assert sources.inputs[0].offset == sources.outputs[0].offset
    assert sources.kernels == ()


def test_padding_by_nothing_is_one_copy() -> None:
    paddings = Tensor(1, "p", (2, 2), "int32", data=np.zeros((2, 2), np.int32))
    sources = one_layer("PAD", [tensor(0, (3, 4)), paddings, tensor(2, (3, 4))])
    assert sources.kernels == ("portable/copy.c",)
    assert "mcu_fill" not in sources.files["model.c"]


def test_contiguous_slices_are_plain_copies() -> None:
    tensors = [tensor(0, (6, 8)), indices(1, [2, 0]), indices(2, [5, 8]), indices(3, [1, 1]), tensor(4, (3, 8))]
    names = ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    masks: dict[str, Attribute] = {**{f"{name}_mask": 0 for name in names}, "offset": False}
    sources = one_layer("STRIDED_SLICE", tensors, **masks)
    assert sources.kernels == ("portable/copy.c",)
    assert "24u" in sources.files["model.c"]
