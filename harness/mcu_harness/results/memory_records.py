"""Memory of an image and a run, as records: regions, sections, symbols, the arena, the stack."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RegionResult:
    """A memory of the board. `role` is "code" or "data" where the firmware is linked into it, both as "code+data"."""

    name: str
    kind: str
    origin: int
    used_bytes: int
    capacity_bytes: int
    role: str = ""


@dataclass(frozen=True, slots=True)
class SectionResult:
    """A section lives at `address` in `region`; its initial bytes lie at `load_address` in `load_region`, if anywhere."""

    name: str
    region: str
    flash_bytes: int
    ram_bytes: int
    address: int | None = None
    size_bytes: int | None = None
    load_address: int | None = None
    load_region: str = ""


@dataclass(frozen=True, slots=True)
class SymbolResult:
    name: str
    section: str
    region: str
    flash_bytes: int
    ram_bytes: int
    layer: int | None


@dataclass(frozen=True, slots=True)
class ArenaBlock:
    """A buffer in the arena: `nbytes` at `offset`, in use from layer `first` to layer `last`, both included.

    `kind` is "tensor" or "scratch". `first` is -1 for model inputs, `last` the number of layers for model outputs.
    Of blocks that share bytes while both are in use, one takes the other's place step by step (in place, views).
    """

    name: str
    kind: str
    offset: int
    nbytes: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class StackArea:
    """Where the stack may be: it grows from `top` down to `limit`, the lowest address that it may use."""

    limit: int
    top: int


@dataclass(frozen=True, slots=True)
class StackStep:
    """A function on a path of calls, with its bytes of stack where it calls the next one, or at its own deepest."""

    function: str
    nbytes: int


@dataclass(frozen=True, slots=True)
class TaskStackUse:
    """A task's stack, by the array that it lies in: at least `used_bytes` of `size_bytes`, None where no symbol says how large."""

    name: str
    used_bytes: int
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class HeapUse:
    """What the firmware's allocator was asked for, in all of the run: bytes are those that were asked for.

    Of its `calls`, `failed` got nothing, and `unknown` freed what nobody was seen to allocate. `course` are moments (instructions since
    reset, bytes on the heap from then on), of many the highest of each stretch.
    """

    calls: int
    failed: int
    unknown: int
    peak_bytes: int
    left_bytes: int
    left_blocks: int
    course: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class StackUse:
    """How the stack got to its deepest point, and how deep it could get.

    `path` is out of what was executed; its sum `computed_bytes` compares with the painted mark as `note` says. The
    deepest path of the static call graph needs `static_bytes`, or more where `open_ends` says why. `below` is what
    lies under the stack. Paths are () where nothing is known. `tasks` are the stacks of tasks that ran, besides that one.
    """

    path: tuple[StackStep, ...]
    computed_bytes: int
    note: str
    static_path: tuple[StackStep, ...]
    static_bytes: int
    open_ends: tuple[str, ...]
    below: str
    tasks: tuple[TaskStackUse, ...] = ()
