"""What code cost in a run, as records: by layer, by function, by call path."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the inputs of a run, per inference: the least, the middle and the most of any."""

    minimum: float | int
    median: float | int
    maximum: float | int

    @property
    def is_flat(self) -> bool:
        """Whether the input makes no difference."""
        return self.minimum == self.maximum


@dataclass(frozen=True, slots=True)
class Spared:
    """What the model has in a layer and firmware does not compute, because it never changes or because nothing depends on it.

    `channels` is how many the model has in the output, `removed` names those that are not computed, `macs` are those of
    the model beside the layer's own. `merged` are layers of the model, "03 PAD", that this one computes too.
    """

    channels: int
    removed: tuple[int, ...]
    macs: int
    merged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CycleParts:
    """What the cycles of a layer go into; together they are all of its cycles. Estimated like these.

    `waits`: for flash, and whatever else of the board's memories is slower than the core. `loads_stores`, `multiplies` and
    `branches` are those instructions with what others wait for their results; a branch's are also the refill after it and
    wrong guesses. `rest` is everything else: arithmetic, moves, divisions, exceptions.
    """

    waits: float | int
    loads_stores: float | int
    multiplies: float | int
    branches: float | int
    rest: float | int


@dataclass(frozen=True, slots=True)
class LayerResult:
    """One row of the per-layer table; figures per inference (mean over inputs), None = not measured.

    Spreads are None with fewer than two inputs, and where inputs were not told apart.
    """

    index: int
    name: str
    operator: str
    macs: int
    instructions: float | int | None
    cycles: float | int | None
    flash_bytes: int | None
    arena_bytes: int | None = None  # live arena bytes while it runs
    instructions_spread: Spread | None = None
    cycles_spread: Spread | None = None
    kernel: str = ""  # the kernel that computes it, as "dsp/conv_2d_s8"; "" for none, and in firmware of the user's
    kernel_refused: str = ""  # which faster kernels could not compute it, and why
    sqnr_db: float | None = None  # of a converted model: signal to quantisation noise, from the inputs to here
    spared: Spared | None = None  # None: the layer is as the model has it
    cycle_parts: CycleParts | None = None  # what `cycles` go into
    bound_cycles: float | int | None = (
        None  # an estimate: what the layer's MACs, loads and stores alone need on the core
    )


@dataclass(frozen=True, slots=True)
class FunctionResult:
    """A node of the flat profile, per inference: own (`self_`) and with callees (`total_`)."""

    name: str
    calls: float
    self_instructions: float
    self_cycles: float | None
    total_instructions: float
    total_cycles: float | None


@dataclass(frozen=True, slots=True)
class CallNode:
    """A node of the calling-context tree (flame graph): `parent` is an index into the list, -1 for the root."""

    name: str
    parent: int
    self_instructions: float
    self_cycles: float | None
