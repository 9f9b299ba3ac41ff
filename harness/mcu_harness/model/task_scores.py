"""How well a model does its task on labelled samples: accuracy, F1, AUC, mean squared error, and what it confuses.

All are of the first output, as real numbers. What a sample's score is depends on what that output is:

- one element: the score, and class 1 where it is above the threshold (0.5 where none is given);
- two elements, with labels 0 and 1: how far the second is above the first;
- as many elements as the first input (more than two), with labels 0 and 1: an autoencoder, whose score is the mean squared
  difference between the two, and whose class is 1 (an anomaly) above the threshold, if one is given;
- else classes, of which the largest element is the answer, and no score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]
Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

DEFAULT_THRESHOLD = 0.5
_MOST_CONFUSIONS = 5


@dataclass(frozen=True, slots=True)
class Truth:
    """What is right: `labels` (count,) and `targets` (count, *first output), real numbers; None where not known.

    `inputs` gives the first input (count, *shape), real numbers, which an autoencoder is to give back; it has
    `input_elements` a sample.
    """

    labels: Labels | None
    targets: Array | None
    inputs: Callable[[], Array]
    input_elements: int
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures by their names in the catalogue, over `count` samples.

    `confusions` are (label, what it was taken for, how many samples), most often first.
    """

    figures: dict[str, float]
    count: int
    confusions: tuple[tuple[int, int, int], ...] = ()


def scores(outputs: Array, truth: Truth) -> Scores:
    """Scores of `outputs` (count, *shape), the first ones of `truth`."""
    count = len(outputs)
    flat = outputs.reshape(count, -1).astype(np.float64)
    figures: dict[str, float] = {}
    if truth.targets is not None:
        figures["mse"] = float(np.mean((flat - truth.targets[:count].reshape(count, -1).astype(np.float64)) ** 2))
    if truth.labels is None:
        return Scores(figures, count)
    labels = truth.labels[:count]
    score, predicted = _answers(flat, truth)
    if _gives_back(flat.shape[1], truth.input_elements) and score is not None and truth.targets is None:
        figures["mse"] = float(np.mean(score))
    if score is not None and 0 < labels.sum() < count:
        figures["auc"] = auc(score, labels)
    if predicted is None:
        return Scores(figures, count)
    figures["accuracy"] = float(np.mean(predicted == labels))
    figures["f1"] = f1(predicted, labels)
    wrong = Counter(zip(labels.tolist(), predicted.tolist(), strict=True))
    most = sorted(((times, pair) for pair, times in wrong.items() if pair[0] != pair[1]), key=lambda x: (-x[0], x[1]))
    return Scores(figures, count, tuple((*pair, times) for times, pair in most[:_MOST_CONFUSIONS]))


def _answers(flat: Floats, truth: Truth) -> tuple[Floats | None, Labels | None]:
    """The score of every sample and the class that it is taken for, None where there is none."""
    assert truth.labels is not None
    count, elements = flat.shape
    if _is_binary(truth.labels) and (elements <= 2 or _gives_back(elements, truth.input_elements)):
        if elements == 1:
            score = flat[:, 0]
            limit = DEFAULT_THRESHOLD if truth.threshold is None else truth.threshold
            return score, (score > limit).astype(np.int64)
        if elements == 2:
            score = flat[:, 1] - flat[:, 0]
            if truth.threshold is not None:
                return score, (flat[:, 1] > truth.threshold).astype(np.int64)
            return score, np.argmax(flat, axis=1)
        score = np.mean((flat - truth.inputs()[:count].reshape(count, -1).astype(np.float64)) ** 2, axis=1)
        return score, None if truth.threshold is None else (score > truth.threshold).astype(np.int64)
    return None, np.argmax(flat, axis=1)


def _is_binary(labels: Labels) -> bool:
    return bool(np.all((labels == 0) | (labels == 1)))


def _gives_back(elements: int, input_elements: int) -> bool:
    return elements == input_elements and elements > 2


def auc(score: Array, labels: Labels) -> float:
    """The area under the ROC curve: how often a sample of class 1 scores above one of class 0, a tie being half.

    As the rank sum of Mann and Whitney (1947). Both classes must be there.
    """
    _, place, times = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(times) - (times - 1) / 2)[place]  # the mean rank where several are equal
    ones = int(labels.sum())
    zeros = len(labels) - ones
    return float((ranks[labels == 1].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def f1(predicted: Labels, labels: Labels) -> float:
    """2 hits / (2 hits + false alarms + misses): of class 1 where there are two, else the mean over the classes there are."""
    classes = np.unique(np.concatenate([labels, predicted]))
    if set(classes.tolist()) <= {0, 1}:
        classes = np.array([1])
    found = []
    for one in classes:
        hits = int(np.sum((predicted == one) & (labels == one)))
        wrong = int(np.sum((predicted == one) != (labels == one)))
        found.append(2 * hits / (2 * hits + wrong) if hits or wrong else 1.0)
    return float(np.mean(found))
