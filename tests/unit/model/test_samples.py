"""What [inputs] mean for a model, where they cannot mean anything."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from mcu_harness.base.errors import ModelError
from mcu_harness.model.samples import model_graph, samples_for
from mcu_harness.scenario.scenario import InputSpec

MODEL = Path(__file__).parents[3] / "scenarios/models/keyword_spotting.tflite"


def labelled(tmp_path: Path, labels: list[int]) -> InputSpec:
    shape = model_graph(MODEL).tensors[model_graph(MODEL).inputs[0]].shape
    file = tmp_path / "inputs.npz"
    np.savez(file, inputs=np.zeros((len(labels), *shape), np.int8), labels=np.array(labels))
    return InputSpec(file=file, count=None)


def test_labels_are_places_in_the_first_output(tmp_path: Path) -> None:
    labels = samples_for(MODEL, labelled(tmp_path, [0, 11])).labels
    assert labels is not None
    assert labels.tolist() == [0, 11]


@pytest.mark.parametrize("labels", [[1, 12], [-1, 3]])
def test_labels_that_no_output_can_be_at_are_an_error(tmp_path: Path, labels: list[int]) -> None:
    with pytest.raises(ModelError, match=f'"labels" go from {labels[0]} to {labels[1]}') as caught:
        samples_for(MODEL, labelled(tmp_path, labels))
    assert "0 to 11" in caught.value.hint


@pytest.mark.parametrize("count", [10**10, 5_000_000])
def test_more_seeded_inputs_than_memory_are_an_error(count: int) -> None:
    with pytest.raises(ModelError, match=f"{count} seeded inputs are too many") as caught:
        samples_for(MODEL, InputSpec(count=count))
    assert "`count` can be up to 547827" in caught.value.hint


def test_pickled_objects_are_refused_without_advice_to_load_them_anyway(tmp_path: Path) -> None:
    (tmp_path / "inputs.npz").write_bytes(pickle.dumps({"inputs": 1}))
    with pytest.raises(ModelError, match="holds Python objects") as caught:
        samples_for(MODEL, InputSpec(file=tmp_path / "inputs.npz", count=None))
    assert "allow_pickle" not in str(caught.value)
