"""Model inputs: made from a seed, or read with labels and expected outputs from .npy and .npz files."""

from __future__ import annotations

import lzma
import math
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tokenize import TokenError

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import ModelError
from mcu_harness.model.checks import label
from mcu_harness.model.graph import RANGES, Graph, Tensor
from mcu_harness.model.layout import Layout
from mcu_harness.model.lfs_pointer import LFS_PULL, is_lfs_pointer

Array = npt.NDArray[np.generic]

MAX_ARRAYS_BYTES = 1 << 28  # of one file: thousands of inputs of the largest kind that a board takes
# What numpy.load raises on files that are damaged or of another kind; it parses headers as Python literals.
_UNREADABLE = (
    ValueError,
    TypeError,
    EOFError,
    MemoryError,
    OverflowError,
    KeyError,
    SyntaxError,
    TokenError,
    RuntimeError,  # encrypted, or compressed in a way that is not there
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


def make_inputs(graph: Graph, seed: int, count: int) -> tuple[Array, ...]:
    """`count` random samples for every model input: (count, *shape) each, the same on every machine and NumPy.

    Integers are uniform over their type, those that count places over the places there are. float32 values are uniform over what the QUANTIZE behind them can express,
    and 5 % beyond on either side. The first n samples do not depend on `count`.
    """
    return tuple(
        _random(graph.tensors[index], _range(graph, index), seed, position, count)
        for position, index in enumerate(graph.inputs)
    )


def _random(tensor: Tensor, limits: tuple[float, float], seed: int, position: int, count: int) -> Array:
    # Raw bits: NumPy promises their stability, and does not promise that of its distributions.
    raw = np.random.Philox(key=np.array([seed % 2**64, position], np.uint64))
    shape = (count, *tensor.shape)
    needed = math.prod(shape)
    if tensor.dtype == "float32":
        low, high = limits
        words = raw.random_raw((needed + 1) // 2).astype("<u8").view("<u4")[:needed]
        return (low + words / 2.0**32 * (high - low)).astype(np.float32).reshape(shape)
    kind = np.dtype(tensor.dtype if tensor.dtype != "bool" else "uint8")
    if tensor.dtype == "bool":
        return (raw.random_raw((needed + 7) // 8).astype("<u8").view(kind)[:needed] & 1).astype(bool).reshape(shape)
    if tensor.dtype == "int32" and limits[1] > limits[0]:
        places = raw.random_raw(needed) % np.uint64(int(limits[1]))
        return places.astype(np.int32).reshape(shape)
    return raw.random_raw((needed * kind.itemsize + 7) // 8).astype("<u8").view(kind)[:needed].reshape(shape)


def _range(graph: Graph, index: int) -> tuple[float, float]:
    """Of a float32, what QUANTIZE can express; of an int32 that looks up rows, (0, rows); else (-1, 1), or (0, 0) for int32."""
    if graph.tensors[index].dtype == "int32":
        return 0.0, float(_places(graph, index))
    for layer in graph.layers if graph.tensors[index].dtype == "float32" else ():
        output = graph.tensors[layer.outputs[0]]
        if layer.operator == "QUANTIZE" and layer.inputs[0] == index and output.quantization is not None:
            scale, zero_point = output.quantization.scales[0], output.quantization.zero_points[0]
            low, high = RANGES[output.dtype]
            return scale * (low - zero_point - 12.75), scale * (high - zero_point + 12.75)
    return -1.0, 1.0


def _places(graph: Graph, index: int) -> int:
    """How many places the values of an int32 input can name in what the layers look up with it; 0: any number will do."""
    sizes = []
    for layer in graph.layers:
        shapes = [graph.tensors[i].shape for i in layer.inputs]
        if layer.operator == "EMBEDDING_LOOKUP" and layer.inputs[0] == index:
            sizes.append(shapes[1][0])
        if layer.operator == "GATHER" and layer.inputs[1] == index:
            sizes.append(shapes[0][int(layer.attributes["axis"])])  # type: ignore[arg-type]
        if layer.operator == "GATHER_ND" and layer.inputs[1] == index:
            sizes.append(min(shapes[0][: shapes[1][-1]]))
    return min(sizes, default=0)


def load_inputs(path: Path, graph: Graph, layouts: Sequence[Layout] = ()) -> tuple[Array, ...]:
    """Samples for every model input, (count, *shape) each; raises ModelError naming file, expected and got.

    `layouts`, one an input, say how the original of a converted model has them, which is how the file has them. Float
    samples are quantised with the input's scale.
    """
    return _load_tensors(path, [graph.tensors[index] for index in graph.inputs], "input", layouts)


def load_float_inputs(path: Path, inputs: Sequence[tuple[str, tuple[int, ...]]]) -> tuple[Array, ...]:
    """Samples of a float model, float32 (count, *shape) for each of `inputs`, which are (name, shape with batch).

    Arrays are named as for `load_inputs`; float64 and float16 are rounded. Raises ModelError.
    """
    given = {name: _as_float32(array) for name, array in _load(path).items()}
    tensors = [Tensor(index, name, shape, "float32") for index, (name, shape) in enumerate(inputs)]
    return _tensors_of(path, given, tensors, "input")


def load_originals(path: Path, tensors: Sequence[Tensor], layouts: Sequence[Layout]) -> tuple[Array, ...]:
    """Samples for the original of a converted model: float32 (count, *its shape) for each input.

    `tensors` are the int8 model's inputs: samples that are given as int8 are made real with their scale. Raises ModelError.
    """
    given = _load(path)
    found = []
    for position, (tensor, layout) in enumerate(zip(tensors, layouts, strict=True)):
        place = replace(tensor, name=layout.name, shape=layout.shape)
        array = _named(path, given, position, len(tensors), place, "input")
        kind = "float32" if array.dtype.kind == "f" else tensor.dtype
        name = f"model input {label(place)}"
        array = _fitted(path, _as_float32(array), replace(place, dtype=kind, quantization=None), name)
        found.append(reals(array, tensor))
    return tuple(found)


def _as_float32(array: Array) -> Array:
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def load_expected(path: Path, graph: Graph, count: int, layouts: Sequence[Layout] = ()) -> tuple[Array, ...]:
    """Expected outputs for `count` samples, (count, *shape) for every model output; raises ModelError.

    `layouts` are as for `load_inputs`.
    """
    arrays = _load_tensors(path, [graph.tensors[index] for index in graph.outputs], "output", layouts)
    if len(arrays[0]) != count:
        raise ModelError(f"{path}: expected outputs of {count} inputs, got {len(arrays[0])}")
    return arrays


def load_labels(path: Path, count: int) -> npt.NDArray[np.int64] | None:
    """Class numbers (count,) of `count` samples, from the array "labels"; None without one; raises ModelError."""
    labels = _load(path).get("labels")
    if labels is None:
        return None
    if labels.dtype.kind not in "iu" or labels.size != count or labels.shape[:1] != (count,):
        raise ModelError(f'{path}: "labels": expected {count} whole numbers, got {labels.dtype} {labels.shape}')
    return labels.reshape(count).astype(np.int64)


def load_targets(path: Path, graph: Graph, count: int) -> npt.NDArray[np.float32] | None:
    """What the first output should be, real numbers (count, *shape), from the array "targets"; None without one.

    Raises ModelError.
    """
    targets = _load(path).get("targets")
    if targets is None:
        return None
    elements = graph.tensors[graph.outputs[0]].elements
    if targets.dtype.kind not in "fiu" or len(targets.shape) == 0 or targets.size != count * elements:
        raise ModelError(
            f'{path}: "targets": expected {count} times {elements} numbers, got {targets.dtype} {targets.shape}',
            hint="targets are what the first output should be, in its own unit, and not quantised",
        )
    return targets.reshape(count, elements).astype(np.float32)


def reals(array: Array, tensor: Tensor) -> npt.NDArray[np.float32]:
    """`array` of `tensor` as the real numbers that it stands for."""
    if tensor.quantization is None or array.dtype.kind == "f":
        return array.astype(np.float32)
    steps = array.astype(np.float32) - tensor.quantization.zero_points[0]
    return (steps * tensor.quantization.scales[0]).astype(np.float32)


def _load_tensors(
    path: Path, tensors: Sequence[Tensor], what: str, layouts: Sequence[Layout] = ()
) -> tuple[Array, ...]:
    """One array a tensor, all of the same count. `what` is "input" or "output".

    Arrays of an .npz are told apart by name: "inputs" for the only one, "inputs_0", "inputs_1", ..., arr_0, arr_1, ...,
    or the tensor's own.
    """
    given = _load(path)
    if not layouts:
        return _tensors_of(path, given, tensors, what)
    pairs = list(zip(tensors, layouts, strict=True))
    originals = [replace(tensor, name=layout.name, shape=layout.shape) for tensor, layout in pairs]
    arrays = _tensors_of(path, given, originals, what)
    return tuple(layout.moved(array) for array, layout in zip(arrays, layouts, strict=True))


def _tensors_of(path: Path, given: dict[str, Array], tensors: Sequence[Tensor], what: str) -> tuple[Array, ...]:
    arrays = []
    for position, tensor in enumerate(tensors):
        array = _named(path, given, position, len(tensors), tensor, what)
        arrays.append(_fitted(path, array, tensor, f"model {what} {label(tensor)}"))
    if len({len(array) for array in arrays}) > 1:
        raise ModelError(
            f"{path}: arrays for {[len(array) for array in arrays]} samples, expected one number of samples"
        )
    return tuple(arrays)


def _named(path: Path, given: dict[str, Array], position: int, count: int, tensor: Tensor, what: str) -> Array:
    """The array among `given` for number `position` of `count` inputs or outputs; raises ModelError."""
    names = [f"{what}s_{position}", f"arr_{position}", tensor.name]
    if count == 1:
        names = [f"{what}s", *names, *(list(given) if len(given) == 1 else ())]
    array = next((given[name] for name in names if name in given), None)
    if array is None:
        wanted = f'"{what}s"' if count == 1 else ", ".join(f'"{what}s_{k}"' for k in range(count))
        raise ModelError(f"{path}: no array for model {what} {label(tensor)}", hint=f"name the arrays {wanted}")
    return array


def _fitted(path: Path, array: Array, tensor: Tensor, what: str) -> Array:
    """`array` as (count, *shape). A model with batch size one may be given (count, *shape without the batch)."""
    if array.dtype != np.dtype(tensor.dtype):
        if array.dtype.kind != "f" or tensor.quantization is None or not what.startswith("model input"):
            raise ModelError(f"{path}: {what}: expected {tensor.dtype}, got {array.dtype}")
        if not np.isfinite(array).all():
            raise ModelError(f"{path}: {what}: samples hold NaN or infinity", hint="look at how they were made")
        array = quantized(array, tensor)
    accepted = [tensor.shape] + ([tensor.shape[1:]] if tensor.shape[:1] == (1,) else [])
    if what.startswith("model input") and array.shape[1:] not in accepted:
        array = _with_channels_moved(array, accepted)
    if array.ndim == 0 or len(array) == 0 or array.shape[1:] not in accepted:
        shapes = " or ".join(str(("count", *shape)).replace("'", "") for shape in accepted)
        raise ModelError(f"{path}: {what}: expected shape {shapes}, got {array.shape}")
    return np.ascontiguousarray(array).reshape(len(array), *tensor.shape)


def _with_channels_moved(array: Array, accepted: Sequence[tuple[int, ...]]) -> Array:
    """`array` with its channels last where only then it fits, or second; as it is where neither does.

    So that one data set serves models of both layouts. Images (count, [1,] C, H, W) only: other orders mean something else.
    """
    if array.ndim in (4, 5):
        for axes in ((-3, -1), (-1, -3)):
            moved = np.moveaxis(array, *axes)
            if moved.shape[1:] in accepted:
                return moved
    return array


def quantized(array: Array, tensor: Tensor) -> Array:
    """Finite real values as `tensor`, which has one scale, holds them: rounded to nearest, saturated."""
    quantization = tensor.quantization
    assert quantization is not None
    low, high = RANGES[tensor.dtype]
    steps = np.round(array.astype(np.float64) / quantization.scales[0]) + quantization.zero_points[0]
    return np.clip(steps, low, high).astype(np.dtype(tensor.dtype))


def _load(path: Path) -> dict[str, Array]:
    """All arrays of a file by name; a .npy file has one, called arr_0. Nothing in it is executed."""
    place = str(path)
    try:
        # mapped, so that a header with an absurd shape fails before memory is asked for
        content = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(content, np.ndarray):
            _check_bytes(path, content.nbytes)
            return {"arr_0": np.array(content)}
        arrays = {}
        with content:
            _check_bytes(path, sum(entry.file_size for entry in content.zip.infolist()))
            for name in content.files:
                place = f"{path}: array {name[:60]!a}"
                arrays[name] = content[name]
            return arrays
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    except _UNREADABLE as error:
        if is_lfs_pointer(path):
            raise ModelError(
                f"{path}: it is a Git LFS pointer, the file itself was not downloaded", hint=LFS_PULL
            ) from error
        why = "it is another kind of file, or holds Python objects" if "pickle" in str(error) else str(error)
        raise ModelError(
            f"{place}: not a usable .npy or .npz file: {why}", hint="write it with numpy.save or numpy.savez"
        ) from error


def _check_bytes(path: Path, nbytes: int) -> None:
    if nbytes > MAX_ARRAYS_BYTES:
        raise ModelError(
            f"{path}: {nbytes} bytes of arrays, at most {MAX_ARRAYS_BYTES} are read",
            hint="write fewer samples: each costs an emulated inference",
        )
