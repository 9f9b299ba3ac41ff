"""PyTorch programs to int8 .tflite: .pt2 files and factories; what would run code of a file is refused unread."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from float_models import calibration_file
from mcu_harness.base.errors import ModelError
from mcu_harness.model.convert import pt2_guard
from mcu_harness.model.convert.refusal import Refusal
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.int8_model import int8_model
from mcu_harness.scenario.quantize import QuantizeSpec

FACTORY = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.wide = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.point = nn.Sequential(nn.Conv2d(8, 12, 1), nn.Hardswish(), nn.MaxPool2d(2))
        self.last = nn.Linear(12 * 16, 10)

    def forward(self, x):
        x = self.first(x)
        x = self.point(x + nn.functional.relu6(self.wide(x)))
        return torch.softmax(self.last(x.flatten(1)), -1)


def make():
    torch.manual_seed(0)
    return Net(), (torch.zeros(1, 1, 8, 8),)


def broken():
    raise ValueError("no weights here")


def nothing():
    return 3


number = 5
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def factory(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(FACTORY)
    return tmp_path / "net.py"


@pytest.fixture
def spec(tmp_path: Path) -> QuantizeSpec:
    return QuantizeSpec(calibration_file(tmp_path / "c.npz", shape=(1, 8, 8)))


def test_a_factory_and_its_exported_program_become_the_same_model(
    factory: Path, spec: QuantizeSpec, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    made = int8_model(factory.with_name("net.py:make"), spec)
    operators = [layer.operator for layer in import_tflite(made.model).layers]
    assert "HARD_SWISH" in operators and "PAD" not in operators and "TRANSPOSE" not in operators
    assert made.inputs[0].shape == (1, 1, 8, 8)
    assert made.inputs[0].order == (0, 2, 3, 1)
    names: dict[str, Any] = {}
    exec(FACTORY, names)
    network, examples = names["make"]()
    torch.export.save(torch.export.export(network.eval(), examples), tmp_path / "net.pt2")
    loaded = int8_model(tmp_path / "net.pt2", spec)
    assert loaded.model.read_bytes() == made.model.read_bytes()
    asked: list[str] = []
    assert int8_model(tmp_path / "net.pt2", spec, asked.append).model == loaded.model
    assert asked == []


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("broken", "line 25: ValueError: no weights here"),
        ("nothing", r"nothing\(\) returned int"),
        ("missing", "it has no function 'missing'"),
        ("number", "it has no function 'number'"),
    ],
)
def test_mistakes_in_factories_say_where(factory: Path, spec: QuantizeSpec, function: str, message: str) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    with pytest.raises(ModelError, match=message) as caught:
        int8_model(factory.with_name(f"net.py:{function}"), spec)
    assert str(factory) in caught.value.message


def test_a_file_without_a_function_and_a_name_that_is_none_are_errors(factory: Path, spec: QuantizeSpec) -> None:
    with pytest.raises(ModelError, match="which function makes the model") as caught:
        int8_model(factory, spec)
    assert "net.py:make" in caught.value.hint
    with pytest.raises(ModelError, match="is not the name of a function"):
        int8_model(factory.with_name("net.py:make()"), spec)


@pytest.mark.parametrize("name", ["net.pt", "net.pth", "net.pkl", "net.bin"])
def test_pickles_are_refused_and_not_read(name: str, tmp_path: Path, spec: QuantizeSpec) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "sprung",)

    (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ModelError, match="a pickle runs whatever code it holds") as caught:
        int8_model(tmp_path / name, spec)
    assert "torch.export.save" in caught.value.hint
    assert not (tmp_path / "sprung").exists()


def archive(path: Path, description: Any, **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("net/models/model.json", json.dumps(description))
        for name, content in more.items():
            zipped.writestr(f"net/{name}", content)
    return path


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"nodes": [{"target": "torch.os.system"}]}, "calls 'torch.os.system', which is no operator of ATen"),
        ({"nodes": [{"target": "torch.ops.mine.op"}]}, "no operator of ATen"),
        ({"a": [[{"expr_str": "__import__('os').system('x')"}]]}, "a size that is no arithmetic"),
        ({"config": {"weight": {"use_pickle": True}}}, "pickled objects"),
    ],
)
def test_programs_that_name_more_than_a_network_are_refused(description: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=message):
        pt2_guard.check(archive(tmp_path / "net.pt2", description))


def test_what_networks_name_is_let_through(tmp_path: Path) -> None:
    nodes = [
        {"target": name}
        for name in (
            "torch.ops.aten.conv2d.default", "torch.ops.quantized_decomposed.quantize_per_tensor.default",
            "_operator.getitem", "torch.sym_int",
        )
    ]  # fmt: skip
    pt2_guard.check(archive(tmp_path / "net.pt2", {"nodes": nodes, "sizes": [{"expr_str": "2*s0 + Max(1, u3)"}]}))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"anything"])
def test_files_that_are_no_archives_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "net.pt2").write_bytes(content)
    with pytest.raises(Refusal, match=r"not a \.pt2 file"):
        pt2_guard.check(tmp_path / "net.pt2")
    archive(tmp_path / "deep.pt2", 1)
    with zipfile.ZipFile(tmp_path / "deep.pt2", "w") as zipped:
        zipped.writestr("net/models/model.json", "[" * 100_000)
    with pytest.raises(Refusal, match="damaged"):
        pt2_guard.check(tmp_path / "deep.pt2")


def test_pickled_objects_inside_a_program_are_not_unpickled(tmp_path: Path, spec: QuantizeSpec, factory: Path) -> None:
    """The samples that lie in an archive are tensors; here they are a trap."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    names: dict[str, Any] = {}
    exec(FACTORY, names)
    network, examples = names["make"]()
    torch.export.save(torch.export.export(network.eval(), examples), tmp_path / "good.pt2")

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "sprung",)

    torch.save({"x": Trap()}, tmp_path / "trap.pt")
    with zipfile.ZipFile(tmp_path / "good.pt2") as good, zipfile.ZipFile(tmp_path / "bad.pt2", "w") as bad:
        for entry in good.infolist():
            content = good.read(entry)
            if entry.filename.endswith("sample_inputs/model.pt"):
                content = (tmp_path / "trap.pt").read_bytes()
            bad.writestr(entry.filename, content)
    with pytest.raises(ModelError) as caught:
        int8_model(tmp_path / "bad.pt2", spec)
    assert "bad.pt2" in caught.value.message
    assert not (tmp_path / "sprung").exists()


def test_calibration_samples_have_the_shape_of_the_program(factory: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    np.savez(tmp_path / "last.npz", inputs=np.zeros((3, 8, 8, 1), np.float32))
    with pytest.raises(ModelError, match=r"expected shape \(count, 1, 1, 8, 8\) or \(count, 1, 8, 8\)"):
        int8_model(factory.with_name("net.py:make"), QuantizeSpec(tmp_path / "last.npz"))
