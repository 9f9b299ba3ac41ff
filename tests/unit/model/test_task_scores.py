"""Scores on labelled samples against their definitions, counted by hand or over all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from mcu_harness.model.task_scores import Truth, auc, f1, scores


def truth(labels: list[int] | None, inputs: np.ndarray | None = None, **more: object) -> Truth:
    count = len(labels) if labels is not None else len(inputs)  # type: ignore[arg-type]
    given = np.zeros((count, 3), np.float32) if inputs is None else inputs
    known = None if labels is None else np.array(labels, np.int64)
    return Truth(known, more.get("targets"), lambda: given, given[0].size, more.get("threshold"))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(8))
def test_auc_is_the_share_of_pairs_in_order_with_ties_as_half(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, 40)
    labels[:2] = (0, 1)
    score = random.integers(0, 9, 40).astype(float)  # with many ties
    pairs = [(a > b) + (a == b) / 2 for a in score[labels == 1] for b in score[labels == 0]]
    assert auc(score, labels) == pytest.approx(np.mean(pairs))


def test_f1_of_two_classes_is_that_of_class_1_and_of_more_the_mean() -> None:
    assert f1(np.array([1, 1, 0, 0]), np.array([1, 0, 0, 1])) == pytest.approx(0.5)
    # Class 0: 1 of 1; class 1: 2*1/(2*1+1); class 2: 2*1/(2*1+1).
    assert f1(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2])) == pytest.approx((1 + 2 / 3 + 2 / 3) / 3)
    assert f1(np.array([0, 0]), np.array([0, 0])) == 1.0  # nothing to find, and nothing found


def test_classes_are_the_largest_element_and_have_no_auc() -> None:
    outputs = np.eye(4, dtype=np.float32)[[0, 1, 2, 2, 2]]
    found = scores(outputs, truth([0, 1, 2, 3, 3]))
    assert found.figures.keys() == {"accuracy", "f1"}
    assert found.figures["accuracy"] == pytest.approx(3 / 5)
    assert found.confusions == ((3, 2, 2),)


@pytest.mark.parametrize(("threshold", "accuracy"), [(None, 0.75), (0.2, 0.75), (0.35, 1.0)])
def test_one_element_is_a_score_against_a_threshold(threshold: float | None, accuracy: float) -> None:
    outputs = np.array([[0.1], [0.3], [0.4], [0.9]], np.float32)
    found = scores(outputs, truth([0, 0, 1, 1], threshold=threshold))
    assert found.figures["accuracy"] == accuracy
    assert found.figures["auc"] == 1.0


def test_two_elements_are_scored_by_their_difference() -> None:
    outputs = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]], np.float32)
    found = scores(outputs, truth([0, 1, 1, 1]))
    assert found.figures["accuracy"] == 0.5
    assert found.figures["auc"] == 1.0
    assert scores(outputs, truth([0, 1, 1, 1], threshold=0.25)).figures["accuracy"] == 1.0


def test_autoencoder_is_scored_by_how_badly_it_gives_back_its_input() -> None:
    inputs = np.arange(12, dtype=np.float32).reshape(3, 4)
    outputs = inputs + np.array([[0.0], [1.0], [3.0]], np.float32)
    found = scores(outputs, truth([0, 0, 1], inputs))
    assert found.figures == {"mse": pytest.approx(10 / 3), "auc": 1.0}
    assert found.confusions == ()
    judged = scores(outputs, truth([0, 0, 1], inputs, threshold=0.5))
    assert judged.figures["accuracy"] == pytest.approx(2 / 3)
    assert judged.confusions == ((0, 1, 1),)


def test_targets_give_a_mean_squared_error_without_labels() -> None:
    outputs = np.array([[1.0, 2.0], [3.0, 5.0]], np.float32)
    targets = np.array([[1.0, 2.0], [3.0, 3.0]], np.float32)
    found = scores(outputs, truth(None, np.zeros((2, 3), np.float32), targets=targets))
    assert found.figures == {"mse": 1.0}


def test_one_class_alone_has_no_auc() -> None:
    assert "auc" not in scores(np.array([[0.1], [0.9]], np.float32), truth([1, 1])).figures


def test_fewer_outputs_than_samples_are_the_first_ones() -> None:
    outputs = np.eye(3, dtype=np.float32)[[0, 1]]
    found = scores(outputs, truth([0, 1, 2, 2]))
    assert (found.count, found.figures["accuracy"]) == (2, 1.0)
