"""Records of a memory trace: which layer read and wrote what, per inference."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MemoryObject:
    """Something that was accessed: `nbytes` at `address` of a memory of the board, whose name is `region`.

    `kind` is "tensor" or "scratch" (in the arena), "symbol", "code" (constants among instructions), "stack", "heap",
    "device", or "other"; `region` is "" outside of all memories.
    """

    name: str
    kind: str
    region: str
    address: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class ObjectAccesses:
    """How often a layer read and wrote an object and how many bytes that moved, per inference (mean over inputs).

    `layer` is an index, -1 outside of all layers; `object` an index into the objects. An instruction that moves several
    words is one access.
    """

    layer: int
    object: int
    reads: float | int
    read_bytes: float | int
    writes: float | int
    written_bytes: float | int


@dataclass(frozen=True, slots=True)
class MemoryAccesses:
    """All data accesses of the measured windows; `missing` says why there are none, "" where they were traced."""

    objects: tuple[MemoryObject, ...] = ()
    accesses: tuple[ObjectAccesses, ...] = ()
    missing: str = ""
