"""Memory plans, judged by replaying them: every byte knows whose it is, and every reader finds what was written."""

from __future__ import annotations

import itertools
import random
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mcu_harness.model.blocks import Block, Use
from mcu_harness.model.graph import Graph, Layer, Quantization, Tensor
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.operators.catalogue import OPERATORS
from mcu_harness.model.overlap import raster_distance
from mcu_harness.model.placement import place
from mcu_harness.model.planner import MemoryPlan, Placement, plan
from model_builder import ModelBuilder
from model_samples import everything

# What TensorFlow Lite Micro's arena needs for the same models (arena_used_bytes, tflite-micro 90b983c2b).
TFLM_ARENA_BYTES = {
    "kws_ref_model.tflite": 22_820,
    "pretrainedResnet_quant.tflite": 54_996,
    "ad01_int8.tflite": 2_580,
}


def _replay(graph: Graph, memory: MemoryPlan, scratch: Mapping[int, int]) -> None:
    """Run `graph` on an arena of owners: asserts that nothing is overwritten while anyone still needs it."""
    owner = [-1] * memory.arena_bytes
    content = dict.fromkeys(range(len(graph.tensors)), -1)  # views have the content of what they show

    def span(index: int) -> range:
        return range(memory.offset_of(index), memory.offset_of(index) + graph.tensors[index].nbytes)

    def write(index: int, what: int) -> None:
        assert memory.offset_of(index) % memory.alignment == 0
        assert span(index).stop <= memory.arena_bytes
        content[index] = what
        owner[span(index).start : span(index).stop] = [what] * len(span(index))

    def intact(index: int) -> bool:
        return set(owner[span(index).start : span(index).stop]) == {content[index]}

    for index in graph.inputs:
        write(index, index)
    assert all(intact(index) for index in graph.inputs)
    for layer in graph.layers:
        activations = [index for index in layer.inputs if index in memory.tensors]
        outputs = [index for index in layer.outputs if not graph.tensors[index].is_state]
        assert all(intact(index) for index in activations)
        for output in outputs:
            for position, index in enumerate(layer.inputs):
                if index in activations and set(span(output)) & set(span(index)):
                    assert memory.offset_of(output) == memory.offset_of(index)
                    assert OPERATORS[layer.operator].reshapes or position in OPERATORS[layer.operator].in_place
        working = memory.scratch_offset(layer.index)
        assert (working is None) == (layer.index not in scratch)
        if working is not None:
            used = set(range(working, working + scratch[layer.index]))
            assert not any(used & set(span(index)) for index in (*activations, *outputs))
            owner[working : working + scratch[layer.index]] = [-2] * scratch[layer.index]
        for output in outputs:
            write(output, content[layer.inputs[0]] if OPERATORS[layer.operator].reshapes else output)
        assert all(intact(output) for output in outputs)
    assert all(intact(index) for index in graph.outputs)


def _replay_windows(graph: Graph, memory: MemoryPlan, raster: Mapping[int, int]) -> int:
    """As `_replay`, position by position for layers in `raster`, the worst way that they promise: a group of positions is
    written as a whole, and only then are its windows read. Returns how many layers lay in their input's bytes."""
    owner = np.full(memory.arena_bytes, -1)

    def area(index: int) -> np.ndarray:
        """The tensor's bytes [batch, height, width, channels] in the arena."""
        offset, shape = memory.offset_of(index), graph.tensors[index].shape
        return owner[offset : offset + graph.tensors[index].nbytes].reshape(shape)

    for index in graph.inputs:
        area(index)[:] = index
    overlapping = 0
    for layer in graph.layers:
        source, output = area(layer.inputs[0]), area(layer.outputs[0])
        assert (source == layer.inputs[0]).all()
        overlapping += np.shares_memory(source, output)
        positions = list(np.ndindex(output.shape[:3]))
        for group in _batched(positions, raster[layer.index]):
            for at in group:
                output[at] = layer.outputs[0]
            for n, y, x in group:
                for row, column in _window(graph, layer, y, x):
                    assert (source[n, row, column] == layer.inputs[0]).all()
        assert (output == layer.outputs[0]).all()
    assert all((area(index) == index).all() for index in graph.outputs)
    return overlapping


def _batched(items: list[tuple[int, ...]], size: int) -> Iterator[list[tuple[int, ...]]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _window(graph: Graph, layer: Layer, y: int, x: int) -> Iterator[tuple[int, int]]:
    """Rows and columns inside the image that the window of one output position covers, one by one."""
    _, height, width, _ = graph.tensors[layer.inputs[0]].shape
    _, out_height, out_width, _ = graph.tensors[layer.outputs[0]].shape
    options = layer.attributes
    if layer.operator.endswith("POOL_2D"):
        kernel, dilation = (options["filter_height"], options["filter_width"]), (1, 1)
    else:
        kernel = graph.tensors[layer.inputs[1]].shape[1:3]
        dilation = (options["dilation_h_factor"], options["dilation_w_factor"])
    stride = (options["stride_h"], options["stride_w"])
    before = [0, 0]
    if options["padding"] == "SAME":
        sizes = zip((height, width), (out_height, out_width), kernel, dilation, stride, strict=True)
        before = [max(0, (out - 1) * s + (k - 1) * d + 1 - size) // 2 for size, out, k, d, s in sizes]
    for i, j in itertools.product(range(kernel[0]), range(kernel[1])):
        row, column = y * stride[0] - before[0] + i * dilation[0], x * stride[1] - before[1] + j * dilation[1]
        if 0 <= row < height and 0 <= column < width:
            yield row, column


def _random_windows(rng: random.Random, path: Path) -> Graph:
    """A chain of convolutions and pools of every stride, dilation, padding and kernel."""
    builder = ModelBuilder(rng.randrange(1000))
    x = builder.input((rng.choice((1, 1, 2)), rng.randint(4, 12), rng.randint(3, 12), rng.randint(1, 6)))
    for _ in range(rng.randint(1, 5)):
        kernel = (rng.randint(1, 3), rng.randint(1, 3))
        size = builder.shape(x)[1:3]
        padding = "SAME" if min(size) < 6 else rng.choice(("SAME", "VALID"))
        stride = (rng.randint(1, 2), rng.randint(1, 2))
        kind = rng.choice(("conv", "depthwise", "AVERAGE", "MAX"))
        if kind in ("AVERAGE", "MAX"):
            x = builder.pool(x, kind, kernel=kernel, stride=stride, padding=padding)
            continue
        dilation = (rng.randint(1, 2), rng.randint(1, 2)) if stride == (1, 1) else (1, 1)
        if kind == "conv":
            x = builder.conv_2d(
                x, channels=rng.randint(1, 8), kernel=kernel, stride=stride, dilation=dilation, padding=padding
            )
        else:
            x = builder.depthwise_conv_2d(
                x, multiplier=rng.randint(1, 2), kernel=kernel, stride=stride, dilation=dilation, padding=padding
            )
    builder.output(x)
    return import_tflite(builder.write(path))


@pytest.mark.parametrize("positions", [1, 2, 4])
def test_windows_may_be_written_over_what_they_no_longer_read(positions: int, tmp_path: Path) -> None:
    overlapping = saved = 0
    for seed in range(60):
        graph = _random_windows(random.Random(seed), tmp_path / "m.tflite")
        raster = {layer.index: positions for layer in graph.layers}
        memory = plan(graph, raster=raster)
        overlapping += _replay_windows(graph, memory, raster)
        assert max(memory.live_bytes) <= memory.lower_bound <= memory.arena_bytes
        saved += plan(graph).arena_bytes - memory.arena_bytes
    assert overlapping > 40
    assert saved > 0


@pytest.mark.parametrize("seed", range(12))
def test_the_distance_is_the_smallest_that_works(seed: int, tmp_path: Path) -> None:
    graph = _random_windows(random.Random(seed), tmp_path / "m.tflite")
    layer = graph.layers[0]
    source, output = layer.inputs[0], layer.outputs[0]
    single = replace(graph, layers=(layer,), outputs=(output,))
    distance = raster_distance(graph, layer)
    assert distance is not None
    for short in (0, 1):
        at = max(0, distance - short)
        nbytes = (graph.tensors[source].nbytes, graph.tensors[output].nbytes)
        places = {source: Placement(at, nbytes[0], -1, 0), output: Placement(0, nbytes[1], 0, 1)}
        memory = MemoryPlan(max(at + nbytes[0], nbytes[1]), 0, (0,), places, {}, 1, True)
        if at == distance:
            _replay_windows(single, memory, {layer.index: 1})
        else:
            with pytest.raises(AssertionError):
                _replay_windows(single, memory, {layer.index: 1})


def test_an_input_that_is_needed_afterwards_is_not_written_over(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 8, 8, 4))
    builder.output(builder.binary("ADD", builder.conv_2d(x, channels=4), x))
    graph = import_tflite(builder.write(tmp_path / "m.tflite"))
    assert plan(graph, raster={0: 1}).arena_bytes == 512


def _random_graph(rng: random.Random) -> Graph:
    """Chains, branches, views, in-place operators, several inputs and outputs; shapes are (n,)."""
    tensors = [Tensor(i, "", (rng.randint(1, 60),), "int8") for i in range(rng.randint(1, 3))]
    inputs = tuple(range(len(tensors)))
    layers = []
    for index in range(rng.randint(1, 14)):
        sources = [rng.choice(tensors[-4:]), rng.choice(tensors)]
        operator = rng.choice(("CONV_2D", "ADD", "RELU", "RESHAPE", "DEQUANTIZE", "SPLIT", "CONCATENATION"))
        count = 2 if operator == "SPLIT" else 1
        keeps = operator in ("RELU", "RESHAPE", "DEQUANTIZE") or (operator == "ADD" and rng.random() < 0.8)
        if operator == "ADD" and keeps:  # a second operand of the same size, where there is one
            sources[1] = rng.choice([t for t in tensors if t.shape == sources[0].shape])
        dtype = "float32" if operator == "DEQUANTIZE" else sources[0].dtype if keeps else "int8"
        outputs = []
        for _ in range(count):
            shape = sources[0].shape if keeps else (rng.randint(1, 60),)
            outputs.append(Tensor(len(tensors) + len(outputs), "", shape, dtype))
        taken = sources if operator in ("ADD", "CONCATENATION") else sources[:1]
        layers.append(Layer(index, operator, tuple(t.index for t in taken), tuple(t.index for t in outputs)))
        tensors += outputs
    written = [index for layer in layers for index in layer.outputs]
    outputs_of_model = tuple(sorted(rng.sample(written, min(len(written), rng.randint(1, 3)))))
    return Graph("random", tuple(tensors), tuple(layers), inputs, outputs_of_model, "", 0)


def test_the_replay_notices_a_plan_that_is_wrong(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 100))
    builder.output(builder.binary("ADD", builder.unary("RELU", x), x))
    graph = import_tflite(builder.write(tmp_path / "m.tflite"))
    right = plan(graph)
    wrong = dict(right.tensors)
    wrong[1] = replace(wrong[1], offset=right.offset_of(0))
    _replay(graph, right, {})
    with pytest.raises(AssertionError):
        _replay(graph, replace(right, tensors=wrong), {})


@pytest.mark.parametrize("seed", range(150))
def test_random_graphs_keep_what_is_still_needed(seed: int) -> None:
    rng = random.Random(seed)
    graph = _random_graph(rng)
    scratch = {layer.index: rng.randint(1, 50) for layer in graph.layers if rng.random() < 0.3}
    memory = plan(graph, scratch)
    _replay(graph, memory, scratch)
    assert max(memory.live_bytes) <= memory.lower_bound <= memory.arena_bytes
    assert memory.arena_bytes <= plan(graph, scratch, share=False).arena_bytes


def test_random_graphs_come_close_to_the_bound() -> None:
    """A figure for the search as a whole: over 100 graphs the arena is within 2 % of what could be reached."""
    plans = [plan(_random_graph(random.Random(seed))) for seed in range(1000, 1100)]
    assert sum(p.arena_bytes for p in plans) <= 1.02 * sum(p.lower_bound for p in plans)


@pytest.mark.parametrize("seed", range(20))
def test_without_sharing_every_output_survives_to_the_end(seed: int) -> None:
    graph = _random_graph(random.Random(seed))
    memory = plan(graph, share=False)
    spans = sorted((p.offset, p.offset + p.nbytes) for p in memory.tensors.values())
    assert len(spans) == len(graph.tensors)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


def test_the_search_finds_the_smallest_arena_of_all_orders() -> None:
    """Few blocks, so that the best of all orders can be had by trying all of them."""
    rng = random.Random(11)
    for _ in range(6):
        blocks = []
        for _ in range(6):
            first = rng.randint(0, 5)
            blocks.append(Block([Use(first, first + rng.randint(0, 3), rng.randint(1, 12) * 4)]))
        best = min(_top_in_order(blocks, order) for order in itertools.permutations(range(6)))
        found = place(blocks, 4, target_bytes=0, effort=40_000)
        assert max(offset + block.nbytes for offset, block in zip(found, blocks, strict=True)) == best


def _top_in_order(blocks: list[Block], order: tuple[int, ...]) -> int:
    """The arena when blocks are put one after another at the lowest multiple of 4 that is free."""
    placed: list[tuple[int, Block]] = []
    for index in order:
        block = blocks[index]
        met = [(o, other) for o, other in placed if other.uses[0].meets(block.uses[0])]
        offset = 0
        while any(offset < o + other.nbytes and o < offset + block.nbytes for o, other in met):
            offset += 4
        placed.append((offset, block))
    return max(offset + block.nbytes for offset, block in placed)


@pytest.mark.third_party
@pytest.mark.parametrize("name", TFLM_ARENA_BYTES)
def test_third_party_models_need_the_bound_and_less_than_tflm(third_party_models: Path, name: str) -> None:
    graph = import_tflite(third_party_models / name)
    memory = plan(graph)
    _replay(graph, memory, {})
    assert memory.arena_bytes == memory.lower_bound
    assert memory.arena_bytes <= TFLM_ARENA_BYTES[name]


def test_a_model_of_every_operator_is_planned_without_conflict(tmp_path: Path) -> None:
    graph = import_tflite(everything().write(tmp_path / "all.tflite"))
    scratch = {3: 100, 10: 33, 30: 1}
    _replay(graph, plan(graph, scratch), scratch)


def _chain(tmp_path: Path, *operators: str) -> Graph:
    builder = ModelBuilder()
    x = builder.input((1, 10, 10, 1))
    for operator in operators:
        x = builder.reshape(x, (1, 100)) if operator == "RESHAPE" else builder.unary(operator, x)
    builder.output(x)
    return import_tflite(builder.write(tmp_path / "chain.tflite"))


def test_elementwise_layers_and_views_need_one_place(tmp_path: Path) -> None:
    graph = _chain(tmp_path, "RELU", "RESHAPE", "HARD_SWISH", "QUANTIZE")
    memory = plan(graph)
    assert memory.arena_bytes == 100
    assert memory.live_bytes == (100,) * 4
    assert len({memory.offset_of(index) for index in memory.tensors}) == 1


def test_an_input_that_is_read_again_is_not_overwritten(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 100))
    builder.output(builder.binary("ADD", builder.unary("RELU", x), x))
    graph = import_tflite(builder.write(tmp_path / "m.tflite"))
    memory = plan(graph)
    assert memory.offset_of(1) != memory.offset_of(0)
    assert memory.arena_bytes == 200


def test_a_broadcast_operand_is_not_overwritten(tmp_path: Path) -> None:
    builder = ModelBuilder()
    small, large = builder.input((1, 4)), builder.input((8, 4))
    builder.output(builder.binary("MUL", small, large))
    graph = import_tflite(builder.write(tmp_path / "m.tflite"))
    memory = plan(graph)
    assert memory.offset_of(2) == memory.offset_of(large) != memory.offset_of(small)


def test_a_dequantized_output_may_grow_over_its_input(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 25))
    builder.output(builder.dequantize(x))
    memory = plan(import_tflite(builder.write(tmp_path / "m.tflite")))
    assert memory.arena_bytes == 100
    assert memory.offset_of(0) == memory.offset_of(1) == 0


def test_constants_have_no_place(tmp_path: Path) -> None:
    graph = _chain(tmp_path, "RESHAPE")
    shape = graph.layers[0].inputs[1]
    with pytest.raises(KeyError):
        plan(graph).offset_of(shape)


def test_plans_are_the_same_every_time() -> None:
    for seed in range(20):
        graph = _random_graph(random.Random(seed))
        assert plan(graph) == plan(graph)


def _fan(count: int) -> Graph:
    """`count` inputs, one layer each, and one that reads all of them: everything is alive at once."""
    tensors = tuple(Tensor(i, "", (1, 16 if i < 2 * count else 16 * count), "int8") for i in range(2 * count + 1))
    layers = [Layer(i, "MEAN", (i,), (count + i,)) for i in range(count)]
    layers.append(Layer(count, "CONCATENATION", tuple(range(count, 2 * count)), (2 * count,)))
    return Graph("fan", tensors, tuple(layers), tuple(range(count)), (2 * count,), "", 0)


@pytest.mark.parametrize("count", [20, 600])
def test_many_tensors_alive_at_once_are_planned_in_a_few_attempts(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, attempts = _fan(count), 0

    def counted(*arguments: object) -> list[int]:
        nonlocal attempts
        attempts += 1
        return place(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("mcu_harness.model.planner.place", counted)
    tracemalloc.start()
    memory = plan(graph)
    assert tracemalloc.get_traced_memory()[1] < 200e6
    tracemalloc.stop()
    assert attempts < 5
    assert memory.arena_bytes == memory.lower_bound
    _replay_all(graph, memory)


def _replay_all(graph: Graph, memory: MemoryPlan) -> None:
    """Fail where two tensors that are in use together share bytes."""
    places = sorted(memory.tensors.values(), key=lambda p: p.offset)
    for earlier, later in itertools.pairwise(places):
        if earlier.first <= later.last and later.first <= earlier.last:
            assert earlier.offset + earlier.nbytes <= later.offset


def test_very_many_blocks_are_placed_without_conflict() -> None:
    """Beyond the number of pairs that are looked at one by one."""
    rng = random.Random(3)
    blocks = []
    for _ in range(1300):
        first = rng.randrange(100)
        blocks.append(Block([Use(first, first + rng.randrange(30, 100), rng.randrange(1, 60))]))
    offsets = place(blocks, 4, 0, 1000)
    for (a, at_a), (b, at_b) in itertools.combinations(zip(blocks, offsets, strict=True), 2):
        if a.uses[0].meets(b.uses[0]):
            assert at_a + a.nbytes <= at_b or at_b + b.nbytes <= at_a
    assert all(offset % 4 == 0 for offset in offsets)


def test_a_window_over_a_huge_image_costs_no_memory() -> None:
    scale = Quantization((0.1,), (0,))
    tensors = (Tensor(0, "", (1, 8192, 8192, 1), "int8", scale), Tensor(1, "", (1, 8192, 8192, 1), "int8", scale))
    options = {"filter_height": 3, "filter_width": 3, "stride_h": 1, "stride_w": 1, "padding": "SAME"}
    graph = Graph("g", tensors, (Layer(0, "MAX_POOL_2D", (0,), (1,), options),), (0,), (1,), "", 0)  # type: ignore[arg-type]
    tracemalloc.start()
    assert raster_distance(graph, graph.layers[0]) == 8192 + 2
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()
