"""Generated firmware run on the machine that runs the tests, under sanitizers, against LiteRT's reference kernels.

The C is the C of the target; only start-up code and the emulator are missing. It is compiled into a program that reads
inputs from standard input and writes outputs to standard output.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mcu_harness.base.cache import BuildCache, default_root, digest
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.codegen.sources import Sources
from mcu_harness.model.graph import Graph, Layer, Quantization, Tensor
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.reference import run_reference
from mcu_harness.model.simplify.simplified import simplified
from model_file import ModelFile

Array = npt.NDArray[np.generic]

FIRMWARE = Path(__file__).parent.parent / "firmware"
_FLAGS = (
    *("-std=c99", "-O1", "-g", "-ffp-contract=off"),
    *("-Wall", "-Wextra", "-Wpedantic", "-Wmissing-prototypes", "-Werror"),
)
_SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def check_against_reference(
    builder: ModelFile,
    folder: Path,
    *,
    samples: int = 4,
    inputs: Sequence[Array] | None = None,
    target: str = "cortex-m4",
    share: bool = False,
    importing: bool = True,
    simplifying: bool = True,
) -> Graph:
    """Fail unless the firmware of the model gives LiteRT's outputs bit for bit; the graph that it computes.

    `inputs[k]` is (count, *shape) for model input k, else `samples` random ones. `share` plans the arena as for a
    board; otherwise no memory is used twice, so that one wrong layer does not look like another. Without `importing`
    the graph is taken from the builder as it is, for what the generator can do and the importer refuses. `simplifying`
    as all firmware is made; without, every layer computes all that the model has.
    """
    path = folder / "model.tflite"
    path.write_bytes(builder.build())
    graph = import_tflite(path) if importing else _graph(builder)
    model = graph
    if simplifying:
        graph = simplified(model)
    given = make_inputs(graph, 1, samples) if inputs is None else tuple(inputs)
    sources = generate(graph, plan_memory(graph, target, share=share), target)
    got = run_on_host(graph, sources, given, folder)
    expected = run_reference(path, model, given).outputs
    wrong = [
        _difference(graph, index, got[k], expected[k])
        for k, index in enumerate(graph.outputs)
        if got[k].tobytes() != expected[k].tobytes()
    ]
    assert not wrong, f"{len(wrong)} of {len(graph.outputs)} outputs differ:\n" + "\n".join(wrong[:10])
    return graph


def run_on_host(graph: Graph, sources: Sources, inputs: Sequence[Array], folder: Path) -> tuple[Array, ...]:
    """Outputs, (count, *shape) each, of the generated sources for `inputs`; `folder` receives files."""
    for name, text in sources.files.items():
        (folder / name).write_text(text)
    (folder / "host_main.c").write_text(_main(sources))
    program = folder / "host_program"
    files = [folder / name for name in (*sources.files, "host_main.c") if name.endswith(".c")]
    files += [_kernel(name) for name in sources.kernels]
    _compile(f"-I{folder}", "-o", program, *files)
    count = len(inputs[0])
    stream = b"".join(values[sample].tobytes() for sample in range(count) for values in inputs)
    ran = subprocess.run([program], input=stream, capture_output=True, timeout=120)
    assert ran.returncode == 0, ran.stderr.decode(errors="replace")
    raw = np.frombuffer(ran.stdout, np.uint8).reshape(count, -1)
    ends = np.cumsum([place.nbytes for place in sources.outputs])
    return tuple(
        np.ascontiguousarray(raw[:, end - place.nbytes : end])
        .view(graph.tensors[place.tensor].dtype)
        .reshape(count, *graph.tensors[place.tensor].shape)
        for place, end in zip(sources.outputs, ends.tolist(), strict=True)
    )


def _compile(*arguments: str | Path) -> None:
    includes = [f"-I{path}" for path in (FIRMWARE / "include", FIRMWARE / "kernels")]
    done = subprocess.run(
        [*host_compiler(), *includes, *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr


def _kernel(name: str) -> Path:
    """The object of a kernel, which depends on no model: compiled once and kept by all that it was made from."""
    source = FIRMWARE / "kernels" / name
    cache = BuildCache(default_root())
    made = cache.entry("o", digest(["host", *_surroundings(), name, source.read_bytes()]))
    if not cache.has(made):
        with cache.scratch() as scratch:
            _compile("-c", source, "-o", scratch / "kernel.o")
            cache.publish(scratch / "kernel.o", made)
    return made


@cache
def _surroundings() -> tuple[str | bytes, ...]:
    """What every kernel's object depends on: the compiler, its flags, the headers, and the folder, which sanitizers name."""
    version = subprocess.run([host_compiler()[0], "--version"], capture_output=True, check=True).stdout
    headers = sorted(path for path in FIRMWARE.rglob("*.h"))
    assert headers
    named = [part for path in headers for part in (path.name, path.read_bytes())]
    return (*host_compiler(), version, str(FIRMWARE), *named)


def _graph(builder: ModelFile) -> Graph:
    tensors = tuple(
        Tensor(i, t.name, t.shape, t.dtype, Quantization(t.scales, t.zero_points, t.axis) if t.scales else None, t.data)
        for i, t in enumerate(builder.tensors)
    )
    layers = tuple(
        Layer(i, op.code, op.inputs, op.outputs, {**op.options})  # type: ignore[arg-type]
        for i, op in enumerate(builder.operators)
    )
    return Graph("built", tensors, layers, tuple(builder.inputs), tuple(builder.outputs), digest="", file_bytes=0)


def _main(sources: Sources) -> str:
    reads = [
        f"    if (fread(mcu_arena + {x.offset}, 1, {x.nbytes}, stdin) != {x.nbytes}) break;" for x in sources.inputs
    ]
    writes = [f"    fwrite(mcu_arena + {x.offset}, 1, {x.nbytes}, stdout);" for x in sources.outputs]
    body = "\n".join(["  for (;;) {", *reads, "    mcu_infer();", *writes, "  }"])
    return f'#include <stdio.h>\n#include "model.h"\nint main(void) {{\n{body}\n  return 0;\n}}\n'


@cache
def host_compiler() -> tuple[str, ...]:
    """A compiler for this machine with flags; sanitizers where it brings them."""
    native = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if native is None:
        return (sys.executable, "-m", "ziglang", "cc", *_FLAGS)
    command = (native, *_FLAGS, *_SANITIZERS)
    probe = subprocess.run(
        [*command, "-x", "c", "-", "-o", "/dev/null"], input=b"int main(void){return 0;}", capture_output=True
    )
    return command if probe.returncode == 0 else (native, *_FLAGS)


def _difference(graph: Graph, index: int, got: Array, expected: Array) -> str:
    """One line on an output that is wrong: the layer, how much of it, and the first wrong element."""
    layer = next(layer for layer in graph.layers if index in layer.outputs)
    shapes = " ".join(str(graph.tensors[i].shape) for i in layer.inputs if i >= 0)
    bits = f"u{got.itemsize}"
    places = np.argwhere(got.view(bits) != expected.view(bits))
    first = tuple(places[0].tolist())
    return (
        f"layer {layer.name} {shapes} -> {expected.shape[1:]} {layer.attributes}: {len(places)} wrong, "
        f"first at {first}: got {got[first]}, expected {expected[first]}"
    )
