from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mcu_harness.analysis.measured_figures import score_details
from mcu_harness.analysis.output_check import check, decode, output_finding, unchecked
from mcu_harness.app.divergence import compare_layers, with_room
from mcu_harness.model.graph import Channels
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.task_scores import Scores, Truth, scores
from mcu_harness.results.records import Confusion, Verdict
from model_builder import ModelBuilder
from sample_boards import board

RIGHT = (np.arange(12, dtype=np.int8).reshape(3, 1, 4),)


def got(*changes: tuple[int, int, int]) -> list[list[np.ndarray]]:
    """Outputs of three inputs, with `changes` (input, element, value)."""
    outputs = [[RIGHT[0][i].copy()] for i in range(3)]
    for i, element, value in changes:
        outputs[i][0].reshape(-1)[element] = value
    return outputs


def test_equal_outputs_have_no_mismatch() -> None:
    found = check(got(), RIGHT, "oracle")
    assert (found.inputs, found.mismatches, found.max_abs_diff, found.first_difference) == (3, 0, 0, "")


def test_first_difference_is_named_with_expected_and_got() -> None:
    found = check(got((2, 0, 50), (1, 3, 9), (1, 2, 4)), RIGHT, "oracle")
    assert (found.mismatches, found.max_abs_diff, found.first_input) == (2, 42, 1)
    assert found.first_difference == "input 1, output 0, element 2: expected 6, got 4"
    finding = output_finding(found, "layer 03 CONV_2D, element 0 of 4: expected 1, got 2")
    assert finding.verdict is Verdict.FAIL
    assert "2 of 3 outputs differ from oracle by up to 42" in finding.message
    assert "layer 03 CONV_2D" in finding.message


def test_floats_are_compared_as_bits() -> None:
    nan, zero = np.float32("nan"), np.float32(0)
    expected = (np.array([[nan, zero]], np.float32),)
    assert check([[np.array([nan, zero])]], expected, "oracle").mismatches == 0
    found = check([[np.array([nan, -zero], np.float32)]], expected, "oracle")
    assert found.mismatches == 1
    assert "element 1" in found.first_difference


def of(*labels: int) -> Callable[[np.ndarray], Scores]:
    truth = Truth(np.array(labels, np.int64), None, lambda: np.zeros((len(labels), 3), np.float32), 3)
    return lambda outputs: scores(outputs.astype(np.float32), truth)


def test_accuracy_is_the_share_of_labels_at_the_largest_output() -> None:
    found = check(got((1, 0, 100)), RIGHT, "oracle", of(3, 3, 0), 3)
    assert (found.accuracy, found.oracle_accuracy) == (pytest.approx(1 / 3), pytest.approx(2 / 3))


def test_equal_outputs_are_scored_over_all_samples_that_the_oracle_has() -> None:
    more = (np.concatenate([RIGHT[0], RIGHT[0]]),)
    found = check(got(), more, "oracle", of(3, 3, 3, 0, 0, 3), 6)
    assert (found.inputs, found.labelled, found.accuracy) == (3, 6, pytest.approx(4 / 6))
    assert found.confusions == (Confusion(0, 3, 2),)
    assert check(got((0, 0, 99)), more, "oracle", of(3, 3, 3, 0, 0, 3), 6).labelled == 3
    assert check(got(), more, "outputs.npz", of(3, 3, 3), 3).labelled == 3


def test_without_expected_outputs_nothing_is_claimed() -> None:
    found = check(got(), None, "LiteRT is not installed", of(3, 3, 3), 3)
    assert (found.mismatches, found.max_abs_diff, found.accuracy) == (None, None, 1.0)
    assert unchecked("the firmware did not run").mismatches is None


def test_memory_is_read_as_little_endian() -> None:
    assert decode(b"\x01\x00\x00\x00\xff\xff\xff\xff", (2,), "int32").tolist() == [1, -1]


def test_first_diverging_layer_is_the_first_in_execution_order(tmp_path) -> None:  # type: ignore[no-untyped-def]
    builder = ModelBuilder(seed=1)
    x = builder.logistic(builder.input((1, 4)))
    builder.output(builder.softmax(x))
    (tmp_path / "m.tflite").write_bytes(builder.build())
    graph = import_tflite(tmp_path / "m.tflite")
    first, second = (layer.outputs[0] for layer in graph.layers)
    expected = {first: np.arange(4, dtype=np.int8), second: np.zeros(4, np.int8)}
    wrong = {first: np.array([0, 1, 2, 7], np.int8), second: np.ones(4, np.int8)}
    assert compare_layers(graph, wrong, expected) == "layer 00 LOGISTIC, element 3 of 4: expected 3, got 7"
    assert compare_layers(graph, expected, expected) == ""


def test_a_wrong_element_is_numbered_as_in_the_model_where_channels_are_not_computed(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.logistic(builder.input((1, 2, 4)))
    builder.output(builder.logistic(x))
    graph = import_tflite(builder.write(tmp_path / "m.tflite"))
    shrunk = replace(graph.tensors[x], shape=(1, 2, 2), channels=Channels((1, 3), 4))
    computed = replace(graph, tensors=tuple(shrunk if tensor.index == x else tensor for tensor in graph.tensors))
    expected = {x: np.arange(8, dtype=np.int8).reshape(1, 2, 4)}
    right = {x: np.array([[[1, 3], [5, 7]]], np.int8)}
    assert compare_layers(computed, right, expected) == ""
    wrong = {x: np.array([[[1, 3], [5, 9]]], np.int8)}
    assert compare_layers(computed, wrong, expected) == "layer 00 LOGISTIC, element 7 of 8: expected 7, got 9"


def test_room_is_made_without_overlaps() -> None:
    plain = board("cortex-m4")
    larger = with_room(plain, 1 << 28)
    assert larger.data_memory.size == 1 << 28
    for memory in larger.memories:
        assert memory.name == plain.data or not larger.data_memory.holds(memory.origin)
    assert with_room(plain, 16) is plain


def test_score_that_breaks_its_budget_says_whose_fault_it_is_and_what_is_confused() -> None:
    same = check(got(), RIGHT, "LiteRT", of(3, 3, 0), 3)
    assert score_details(same, "accuracy") == (
        "LiteRT gets the same, 66.67 %: it is the model, and not the firmware",
        "1 of 3 samples: class 0 taken for 3",
    )
    wrong = check(got((1, 0, 100)), RIGHT, "LiteRT", of(3, 3, 0), 3)
    assert score_details(wrong, "accuracy")[0] == "LiteRT gets 66.67 % on the same samples"
    assert score_details(same, "cycles") == ()
