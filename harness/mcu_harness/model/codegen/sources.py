"""From a graph and its memory plan to C sources. The layout of a filter and its kernel are chosen together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ARENA_SYMBOL = "mcu_arena"  # the one arena


@dataclass(frozen=True, slots=True)
class TensorIo:
    """A model input or output in the arena: `symbol` + `offset`, `nbytes` long, row-major `dtype`."""

    tensor: int
    symbol: str
    offset: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class LayerKernel:
    """What computes a layer: `kernel` as LayerCode.kernel, `refused` why no kernel set took it that was preferred."""

    kernel: str
    refused: str


@dataclass(frozen=True, slots=True)
class Library:
    """Kernels from elsewhere: C files and headers by their path in the library, headers below `include`."""

    name: str
    files: Mapping[str, bytes]
    include: str


@dataclass(frozen=True, slots=True)
class Sources:
    """What `build` compiles besides the runtime: generated files by name, and kernel files from firmware/kernels.

    `layer_symbols[i]` is layer i's C function. `layer_outputs[i]` are where the
    outputs of layer i lie when it has run (before anything overwrites them). `kernel_set` names the preferred set with its version. `library`: what is compiled
    from elsewhere.
    """

    files: dict[str, str]
    kernels: tuple[str, ...]
    layer_symbols: tuple[str, ...]
    inputs: tuple[TensorIo, ...]
    outputs: tuple[TensorIo, ...]
    layer_outputs: tuple[tuple[TensorIo, ...], ...]
    arena_bytes: int
    kernel_set: str
    layer_kernels: tuple[LayerKernel, ...]
    library: Library | None = None
