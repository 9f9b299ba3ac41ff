"""A kernel as emitters name it: its C function, where that is, and how it wants its filter laid out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcu_harness.model.codegen.layouts import Array, as_stored

CUSTOM_FOLDER = "custom/"  # where files of the user's own kernels are said to lie

FilterLayout = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Kernel:
    """`function` in firmware/kernels/`file`, declared in firmware/include/`header`; it calls into the files `helpers`.

    `layout` turns a filter, as [outputs, taps] int8, into the flat array that the kernel reads. `raster_positions` = n > 0
    is the promise of a kernel with a sliding window (`model/overlap.py`): it writes output positions in memory order, in groups
    of n; once it has begun to write a group, it no longer reads input that only earlier groups need.
    """

    function: str
    file: str
    header: str
    layout: FilterLayout = as_stored
    helpers: tuple[str, ...] = ()
    raster_positions: int = 0

    @property
    def files(self) -> tuple[str, ...]:
        """Everything to compile for it."""
        return (self.file, *self.helpers)


CHANNELS = ("portable/channels.c", "portable/copy.c")  # helpers of the kernels that give a channel its scale
