"""Generated sources: names, constants, scratch, and the error for what cannot be generated."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from mcu_harness.base.errors import ModelError
from mcu_harness.model.codegen import c_text
from mcu_harness.model.codegen.generate import emit_layers, generate, plan_memory
from mcu_harness.model.codegen.kernel_sets import CHOICES
from mcu_harness.model.codegen.layer import Constant
from mcu_harness.model.codegen.sources import ARENA_SYMBOL, Sources
from mcu_harness.model.graph import Graph, Layer, Quantization, Tensor
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.scenario.kernels import KERNEL_CHOICES
from model_builder import ModelBuilder

TARGET = "cortex-m4"
EVIL = 'x"; system("rm -rf /"); /* \n#include "/etc/passwd'


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    builder = ModelBuilder(seed=1)
    image = builder.input((1, 6, 6, 2))
    x = builder.conv_2d(image, channels=6)
    x = builder.conv_2d(x, channels=6, kernel=(1, 1))
    x = builder.depthwise_conv_2d(x)
    dense = builder.fully_connected(builder.reshape(x, (1, -1)), units=5)
    builder.output(builder.softmax(dense))
    for tensor in builder.tensors:
        tensor.name = EVIL
    path: Path = tmp_path_factory.mktemp("model") / "model.tflite"
    path.write_bytes(builder.build())
    return import_tflite(path)


@pytest.fixture(scope="module")
def sources(graph: Graph) -> Sources:
    return generate(graph, plan_memory(graph, TARGET), TARGET)


def test_names_from_the_model_file_never_reach_c(sources: Sources) -> None:
    for text in sources.files.values():
        assert "system" not in text
        assert "passwd" not in text


def test_the_same_graph_gives_the_same_text(graph: Graph, sources: Sources) -> None:
    again = generate(graph, plan_memory(graph, TARGET), TARGET)
    assert again == sources


def test_every_layer_is_a_function_that_infer_calls_in_order(graph: Graph, sources: Sources) -> None:
    model = sources.files["model.c"]
    body = model[model.index("void mcu_infer(void)") :]
    called = re.findall(r"^    (mcu_layer_\w+)\(\);", body, re.MULTILINE)
    assert tuple(called) == sources.layer_symbols == tuple(layer.symbol for layer in graph.layers)
    for symbol in called:
        assert f"MCU_LAYER void {symbol}(void) {{" in model


def test_every_constant_is_named_after_its_layer(sources: Sources) -> None:
    names = re.findall(r"^const \w+ (\w+)\[", sources.files["weights.c"], re.MULTILINE)
    names += re.findall(r"^static const struct \w+ (\w+) =", sources.files["model.c"], re.MULTILINE)
    assert len(names) > 10
    assert all(any(name.startswith(symbol + "_") for symbol in sources.layer_symbols) for name in names)


def test_inputs_and_outputs_lie_inside_the_arena(graph: Graph, sources: Sources) -> None:
    assert [place.tensor for place in sources.inputs] == list(graph.inputs)
    assert [place.tensor for place in sources.outputs] == list(graph.outputs)
    assert len(sources.layer_outputs) == len(graph.layers)
    for place in (*sources.inputs, *sources.outputs, *(io for layer in sources.layer_outputs for io in layer)):
        assert place.symbol == ARENA_SYMBOL
        assert 0 <= place.offset <= place.offset + place.nbytes <= sources.arena_bytes


def test_scratch_is_known_before_memory_is_planned(graph: Graph) -> None:
    codes = emit_layers(graph, TARGET, "portable")
    needs = {index: code.scratch_bytes for index, code in enumerate(codes) if code.scratch_bytes}
    assert needs == {0: 3 * 3 * 2, 2: 4 * 3 * 3 + 6}, "a padded convolution its window, a depthwise one also taps"


def test_kernels_that_keep_memory_order_say_so_before_memory_is_planned(graph: Graph) -> None:
    windows = {layer.index for layer in graph.layers if "CONV" in layer.operator}
    codes = emit_layers(graph, TARGET, "portable")
    assert {index for index, code in enumerate(codes) if code.raster_positions == 1} == windows


def test_scenarios_and_options_know_the_kernels_that_there_are() -> None:
    assert tuple(CHOICES) == KERNEL_CHOICES


@pytest.mark.parametrize("choice", KERNEL_CHOICES)
def test_each_layer_says_which_kernel_computes_it(graph: Graph, choice: str) -> None:
    sources = generate(graph, plan_memory(graph, TARGET, choice), TARGET, choice)
    for layer, chosen in zip(graph.layers, sources.layer_kernels, strict=True):
        assert f"{chosen.kernel}.c" in sources.kernels or layer.operator == "RESHAPE", layer.name
        assert not chosen.refused or (choice == "fast" and chosen.kernel.startswith("portable/")), layer.name


def test_an_operator_without_c_is_one_error_with_the_supported_list() -> None:
    tensor = Tensor(0, "t", (1,), "int8", Quantization((1.0,), (0,)))
    alien = Graph("g", (tensor,), (Layer(0, "MADE_UP", (0,), (0,)),), (0,), (0,), "", 0)
    with pytest.raises(ModelError, match="00 MADE_UP") as caught:
        plan_memory(alien, TARGET)
    assert "CONV_2D" in caught.value.hint


def test_sums_that_could_overflow_are_refused(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=2)
    x = builder.input((1, 4), zero_point=0)
    filters = builder.constant(np.ones((2, 4), np.int8), 1e-6)
    bias = builder.constant(np.array([0, 2**31 - 1], np.int32), 5e-8)
    builder.output(builder.operator("FULLY_CONNECTED", [x, filters, bias], builder.tensor((1, 2), 0.1)))
    path = tmp_path / "model.tflite"
    path.write_bytes(builder.build())
    graph = import_tflite(path)
    with pytest.raises(ModelError, match=r"00 FULLY_CONNECTED.*channel 1 can sum up to 2147484155.*overflows"):
        emit_layers(graph, TARGET)


@pytest.mark.parametrize("value", [0, 1, -1, 2**31 - 1, -(2**31), 2**31, -(2**63), 2**63 - 1])
def test_integers_as_c_mean_the_same_number(value: int) -> None:
    text = c_text.integer(value)
    meaning = eval(re.sub(r"INT64_C\((\d+|-\d+)\)", r"\1", text))
    assert meaning == value
    assert "2147483648" not in text or "INT64_C" in text, "INT_MIN has no literal of type int"


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, 3.4e38, 1e-45, 1 / 3])
def test_floats_as_c_keep_their_bits(value: float) -> None:
    assert np.float32(float.fromhex(c_text.floating(value).removesuffix("f"))) == np.float32(value)


def test_constants_are_aligned_as_asked_and_hold_every_element() -> None:
    text = c_text.constant_definition("mcu_layer_00", Constant("filter", np.arange(-100, 100, dtype=np.int8), 8))
    assert text.startswith("const int8_t mcu_layer_00_filter[200] __attribute__((aligned(8))) = {")
    assert [int(v) for v in re.findall(r"-?\d+", text[text.index("{") :])] == list(range(-100, 100))


def test_a_long_array_of_words_is_a_string_of_its_bytes_under_its_name() -> None:
    words = np.arange(-512, 512, dtype=np.int32) * 4_000_037
    text = c_text.constant_definition("mcu_layer_00", Constant("filter", words, 4))
    start = 'const char mcu_layer_00_filter_bytes[4096] MCU_NAMED("mcu_layer_00_filter") __attribute__((aligned(4))) ='
    assert text.startswith(start)
    written = bytes(int(value, 8) for value in re.findall(r"\\([0-7]+)", text))
    assert written == words.astype("<i4").tobytes()


def test_a_filter_that_layers_share_is_written_once(tmp_path: Path) -> None:
    builder = ModelBuilder(1)
    x = first = builder.input((1, 64))
    filters = builder.constant(builder.rng.integers(-127, 128, (64, 64)).astype(np.int8), 0.01)
    for _ in range(20):
        x = builder.operator("FULLY_CONNECTED", [x, filters, -1], builder.tensor((1, 64), 0.1))
    builder.output(x, builder.fully_connected(first, units=64, bias=False))
    graph = import_tflite(builder.write(tmp_path / "m.tflite"))
    sources = generate(graph, plan_memory(graph, TARGET), TARGET)
    assert len(re.findall(r"^const \w+ \w+_filter(?:_bytes)?\[\d+\] ", sources.files["weights.c"], re.MULTILINE)) == 2
    assert (
        "#define mcu_layer_19_fully_connected_filter mcu_layer_00_fully_connected_filter\n" in sources.files["model.h"]
    )
    check_against_reference(builder, tmp_path, share=True)
