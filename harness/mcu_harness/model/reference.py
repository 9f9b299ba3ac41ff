"""The oracle: what LiteRT's reference kernels compute for a model, to the bit.

LiteRT runs in a child process. It is C++ that trusts model files, so that a damaged one may abort or hang it; it writes
to file descriptor 2 behind Python's back; and neither may reach the process that runs someone's tests. The child costs
some tenths of a second before it computes anything, so ask for all samples at once. What it answers follows from the model, the
inputs and its version alone, and is kept between runs.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mcu_harness.base.cache import digest
from mcu_harness.base.errors import ModelError, ToolFailure
from mcu_harness.base.kept_arrays import load_arrays, save_arrays
from mcu_harness.base.process import CompletedText, run
from mcu_harness.base.text import one_line
from mcu_harness.model.graph import Graph, Repair
from mcu_harness.model.operators.catalogue import OPERATORS, is_wide
from mcu_harness.model.operators.custom import CUSTOM
from mcu_harness.model.operators.detection import DETECTION
from mcu_harness.model.operators.operator import Role

Array = npt.NDArray[np.generic]

_PACKAGE = "ai-edge-litert"
_WORKER = Path(__file__).with_name("reference_worker.py")
_KIND = "answer"  # in the cache
_NOT_IMPORTABLE = 3  # the worker's exit status


class OracleMissing(ModelError):
    """LiteRT is not installed: outputs cannot be checked, everything else can be measured."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What the oracle computed. `outputs[k]` is (count, *shape) of model output k; `oracle` names it with its version.

    `tensors` maps the index of every tensor that a layer writes to (count, *shape), where they were asked for.
    """

    oracle: str
    outputs: tuple[Array, ...]
    tensors: dict[int, Array]


def oracle_name() -> str:
    """ "LiteRT 2.3.0 BUILTIN_REF"; raises OracleMissing."""
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise _missing("it is not installed")
    return f"LiteRT {importlib.metadata.version(_PACKAGE)} BUILTIN_REF"


def run_reference(
    path: Path, graph: Graph, inputs: Sequence[Array], *, all_tensors: bool = False, timeout_s: float = 300.0
) -> Reference:
    """Run the model in `path`, which `graph` was imported from, on every sample.

    `inputs[k]` is (count, *shape) in the type of model input k. `all_tensors` asks for what every layer wrote too:
    count times all activations, so ask with few samples. Raises OracleMissing where LiteRT is not installed, and
    ModelError when it refuses the model, crashes, or exceeds `timeout_s`.
    """
    _check_kernels(graph)
    oracle = oracle_name()
    count = len(inputs[0])
    written = (
        [
            index
            for layer in graph.layers
            for index in layer.outputs
            if not graph.tensors[index].is_state and not graph.tensors[index].is_made
        ]
        if all_tensors
        else []
    )
    samples: dict[str, Any] = {f"input_{t}": np.ascontiguousarray(x) for t, x in zip(graph.inputs, inputs, strict=True)}
    try:
        tensors = sorted({*graph.outputs, *written})
        key = _key(oracle, path, graph.repairs, samples, tensors)
        arrays = load_arrays(_KIND, key) or _ask(path, graph.repairs, samples, tensors, timeout_s)
    except ToolFailure as failure:
        raise ModelError(
            f"{path}: LiteRT did not finish {count} inputs within {timeout_s:g} s",
            hint="use fewer inputs, or give expected outputs in a file",
        ) from failure
    except OSError as error:
        raise ModelError(
            f"LiteRT cannot be asked: {error.strerror or error}: {error.filename or tempfile.gettempdir()}",
            hint="set TMPDIR to a directory that can be written and has room",
        ) from error
    if "error" in arrays:
        raise ModelError(f"{path}: LiteRT refuses the model: {_one_line(str(arrays['error']))}")
    _clear_what_is_left_over(arrays, graph)
    if not all_tensors:  # else they are many, and asked for once: something is wrong
        save_arrays(_KIND, key, arrays)
    return Reference(
        oracle,
        tuple(arrays[f"tensor_{index}"] for index in graph.outputs),
        {index: _as_the_graph_has(arrays[f"tensor_{index}"], graph.tensors[index].dtype) for index in written},
    )


def _clear_what_is_left_over(arrays: dict[str, Array], graph: Graph) -> None:
    """Zeros behind the detections that were found, where LiteRT leaves what was in memory."""
    for layer in graph.layers:
        names = [f"tensor_{index}" for index in layer.outputs]
        if layer.operator == DETECTION and names[-1] in arrays:
            for name in {*names[:-1]} & arrays.keys():
                for sample, count in enumerate(arrays[names[-1]].reshape(-1).astype(int).tolist()):
                    arrays[name][sample, 0, count:] = 0


def _as_the_graph_has(values: Array, dtype: str) -> Array:
    """Tensors of uint8 models are int8 in the graph (model/legacy_uint8.py)."""
    return (
        (values.view(np.uint8) ^ np.uint8(128)).view(np.int8)
        if values.dtype == np.uint8 and dtype == "int8"
        else values
    )


def _ask(
    path: Path, repairs: Sequence[Repair], samples: dict[str, Any], tensors: list[int], timeout_s: float
) -> dict[str, Array]:
    """The worker's answer to `samples`; raises ModelError, ToolFailure at the deadline, OSError for no room."""
    with tempfile.TemporaryDirectory(prefix="mcu-harness-") as folder:
        model = path.absolute()
        if repairs:
            model = Path(folder, "model.tflite")
            model.write_bytes(_content(path, repairs))
        request, answer = Path(folder, "request.npz"), Path(folder, "answer.npz")
        np.savez(request, tensors=np.array(tensors, np.int64), **samples)
        # -P: the script's folder, with modules named like packages, stays off the child's path
        command: list[str | Path] = [sys.executable, "-P", _WORKER, model, request, answer]
        ended = run(command, timeout_s)
        if ended.exit_code or not answer.exists():
            raise _failed(path, ended)
        with np.load(answer, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}


def _key(oracle: str, path: Path, repairs: Sequence[Repair], samples: dict[str, Any], tensors: list[int]) -> str:
    """A digest of all that the worker's answer follows from."""
    asked = [part for name, x in samples.items() for part in (f"{name} {x.dtype} {x.shape}", x.tobytes())]
    return digest([oracle, platform.machine(), _WORKER.read_bytes(), _content(path, repairs), repr(tensors), *asked])


def _content(path: Path, repairs: Sequence[Repair]) -> bytes:
    """The model in `path`, with what the importer read where the file has something else."""
    content = bytearray(path.read_bytes())
    for repair in repairs:
        content[repair.position : repair.position + len(repair.content)] = repair.content
    return bytes(content)


def _failed(path: Path, ended: CompletedText) -> ModelError:
    detail = _one_line("\n".join(ended.stderr.strip().splitlines()[-3:]))
    if ended.exit_code == _NOT_IMPORTABLE:
        return _missing(f"it cannot be imported: {detail}")
    how = f"was killed by signal {-ended.exit_code}" if ended.exit_code < 0 else f"ended with status {ended.exit_code}"
    return ModelError(f"{path}: LiteRT {how}: {detail}", hint="the file may be damaged; convert the model again")


def lacking_in_litert(graph: Graph) -> str:
    """Why LiteRT cannot say what `graph` computes: the layer that it computes from the wrong bytes, or crashes on; "" if it can."""
    for layer in graph.layers:
        if layer.operator == CUSTOM:
            return f"{layer.place}: nobody but the model's maker knows what {one_line(str(layer.attributes['custom_code']))[:60]!a} computes"
        if layer.operator == "SVDF" and graph.tensors[layer.inputs[-1]].dtype == "int8":
            return f"{layer.place}: LiteRT has no kernel for a state of int8"
        if layer.operator == "SUM":  # LiteRT 2.3.0's reference kernel asks for uint8_t, whatever the type is
            return f"{layer.place}: LiteRT's reference kernel reads the bytes of int8 as uint8"
        if is_wide(graph, layer) and "quantized_bias_type" in layer.attributes:
            position = OPERATORS[layer.operator].inputs.index(Role.BIAS)
            bias = layer.inputs[position] if len(layer.inputs) > position else -1
            if (
                bias >= 0
                and graph.tensors[bias].dtype != "int64"
                and layer.attributes["quantized_bias_type"] != "int32"
            ):
                return f"{layer.place}: LiteRT reads a bias of int32 as int64 unless the option quantized_bias_type says so"
    return ""


def _check_kernels(graph: Graph) -> None:
    why = lacking_in_litert(graph)
    if why:
        raise OracleMissing(
            why,
            hint="give expected outputs in a file ([outputs] file)"
            if graph.custom
            else 'TensorFlow Lite Micro has one that is right: pip install "pytest-mcu-harness[tflm]", or give expected outputs in a file',
        )


def _missing(why: str) -> OracleMissing:
    return OracleMissing(
        f"LiteRT, which says what the right outputs are, cannot be used: {why}",
        hint='pip install "pytest-mcu-harness[oracle]", or give expected outputs in a file',
    )


def _one_line(text: str) -> str:
    """`text`, which may quote names from the model file, without line breaks and control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:400]
